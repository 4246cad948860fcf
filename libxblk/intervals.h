/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Intervals of the trace's own time, while it is read.  Only the backend's time counts: a
 * guest's could be anything.
 */
#ifndef LIBXBLK_INTERVALS_H
#define LIBXBLK_INTERVALS_H

#include "parse.h"
#include "xblk.h"

struct intervals {
	/* set by the caller */
	uint64_t length_ns; /* 0: there are none */
	void (*fn)(void *user, const struct xblk_interval *i);
	void *user;

	uint64_t next_ns;	     /* when the running one ends; 0: none has begun */
	struct interval_disk *disks; /* as p->model.all_disks */
	size_t nr_disks;
};

void intervals_deinit(struct intervals *i);
/* The trace's time may have gone on: tell of the intervals that are over. */
void intervals_advance(struct intervals *i, const struct parse *p, uint64_t now_ns);
/*
 * All records have been given: tell of what is over by the capture's end, and see what is
 * in flight while it still is.
 */
void intervals_end(struct intervals *i, const struct parse *p);
/* The trace is over, behind intervals_end(): tell of what is left of the last one. */
void intervals_finish(struct intervals *i, const struct parse *p);

#endif
