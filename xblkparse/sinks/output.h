/* SPDX-License-Identifier: GPL-2.0-only */
/* What is printed, and for which disks. */
#ifndef XBLKPARSE_OUTPUT_H
#define XBLKPARSE_OUTPUT_H

#include <stdio.h>

#include "select/filter.h"
#include "parse.h"

/* All shown disks of guests in one; the caller calls stats_deinit(). */
void total_stats(const struct parse *p, const struct filter *f, struct disk_stats *to);
/* The largest uncertainty of the shown guests' clocks against dom0's. */
uint64_t total_uncertainty(const struct parse *p, const struct filter *f);

/* json.c: all of it for machines; false if writing failed */
bool json_print(FILE *out, const struct parse *p, const struct filter *f);

/* shown.c: which events a filter chooses */
struct shown {
	struct map rings; /* of dom0, which have had an event: whose they are */
};

void shown_init(struct shown *shown);
void shown_deinit(struct shown *shown);
/* Each record, in order, before the join has seen it. */
bool event_shown(struct shown *shown, const struct parse *p, const struct filter *f,
		 const struct stream *s, const struct xblk_record *r);

/* events.c: a line an event */
void event_print(FILE *out, const struct parse *p, const struct stream *s,
		 const struct xblk_record *r);
char event_letter(unsigned int event);

/* csv.c: the stages of the disks */
void csv_summary(FILE *out, const struct parse *p, const struct filter *f);

#endif
