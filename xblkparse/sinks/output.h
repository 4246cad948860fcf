/* SPDX-License-Identifier: GPL-2.0-only */
/* What is printed, and for which disks. */
#ifndef XBLKPARSE_OUTPUT_H
#define XBLKPARSE_OUTPUT_H

#include <stdio.h>

#include "analyse.h"
#include "text.h"

/* All shown disks of guests in one; the caller calls stats_deinit(). */
void total_stats(const struct xblk *x, const struct filter *f, struct disk_stats *to);
/* The largest uncertainty of the shown guests' clocks against dom0's. */
uint64_t total_uncertainty(const struct xblk *x, const struct filter *f);

/* json.c: all of it for machines; false if writing failed */
bool json_print(FILE *out, const struct xblk *x, const struct filter *f);

/* shown.c: whether a filter chooses the event */
bool event_shown(const struct xblk *x, const struct filter *f,
		 const struct xblk_event_record *e);

/* events.c: a line an event; the trace began at @start_ns */
void event_print(struct text *t, uint64_t start_ns, const struct xblk_event_record *e);

/* csv.c: the stages of the disks */
void csv_summary(FILE *out, const struct xblk *x, const struct filter *f);

#endif
