/* SPDX-License-Identifier: GPL-2.0-only */
/* What is printed, and for which disks. */
#ifndef XBLKPARSE_OUTPUT_H
#define XBLKPARSE_OUTPUT_H

#include <stdio.h>

#include "filter.h"
#include "parse.h"

/* All shown disks of guests in one; the caller calls stats_deinit(). */
void total_stats(const struct parse *p, const struct filter *f, struct disk_stats *to);
/* The largest uncertainty of the shown guests' clocks against dom0's. */
uint64_t total_uncertainty(const struct parse *p, const struct filter *f);

/* json.c: all of it for machines; false if writing failed */
bool json_print(FILE *out, const struct parse *p, const struct filter *f);

/* events.c: a line an event */
bool event_shown(const struct parse *p, const struct filter *f, const struct stream *s,
		 const struct xblk_record *r);
void event_print(FILE *out, const struct parse *p, const struct stream *s,
		 const struct xblk_record *r);
char event_letter(unsigned int event);

/* requests.c: a line a request, after one of titles */
void request_titles(FILE *out);
void request_print(FILE *out, const struct parse *p, const struct filter *f,
		   const struct rq *rq, enum bin bin, const int64_t stages[STAGE_MAX]);

/* csv.c: the same as the requests' lines, and the stages of the disks */
void csv_request_titles(FILE *out);
void csv_request_print(FILE *out, const struct parse *p, const struct filter *f,
		       const struct rq *rq, enum bin bin,
		       const int64_t stages[STAGE_MAX]);
void csv_summary(FILE *out, const struct parse *p, const struct filter *f);

/* Op letters as blkparse has them: "WFSM", at least 8 bytes of @to. */
void op_letters(char *to, unsigned int op, uint32_t nr_sectors);

/* The name of a domain's process, "?" where it is not known. */
const char *process_name(const struct domain *dom, uint32_t pid);

#endif
