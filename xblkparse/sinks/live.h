/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * -i: a line a disk for each interval of the trace's own time, while the trace
 * is read.  Only the backend's time counts: a guest's could be anything.
 */
#ifndef XBLKPARSE_LIVE_H
#define XBLKPARSE_LIVE_H

#include <stdio.h>

#include "select/filter.h"
#include "parse.h"

struct live {
	FILE *out;
	const struct filter *filter;
	uint64_t interval_ns;
	uint64_t next_ns; /* when the running interval ends; 0: none has begun */
	unsigned int lines;
	struct live_disk *disks; /* as p->model.all_disks */
	size_t nr_disks;
};

void live_init(struct live *l, FILE *out, const struct filter *f, uint64_t interval_ns);
void live_deinit(struct live *l);
/* The trace's time may have gone on: print the intervals that are over. */
void live_advance(struct live *l, const struct parse *p, uint64_t now_ns);
/*
 * All records have been given: print what is over by the capture's end, and see what is
 * in flight while it still is.
 */
void live_end(struct live *l, const struct parse *p);
/* The trace is over, behind live_end(): print what is left of the last interval. */
void live_finish(struct live *l, const struct parse *p);

#endif
