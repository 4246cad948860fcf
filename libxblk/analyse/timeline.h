/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happened when: rates and queue depths of both sides, and the stages of
 * the requests that ended then, in a bounded number of intervals.  When the
 * trace gets longer than they reach, two become one; or when there is no room for more,
 * as of many disks each has few.
 */
#ifndef LIBXBLK_TIMELINE_H
#define LIBXBLK_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "xblk.h"

#define TIMELINE_INTERVALS   512
#define TIMELINE_OWN	     64	   /* that each may have */
#define TIMELINE_SHARED	     16384 /* and all of them beyond that; in 3 MiB */
#define TIMELINE_FIRST_SHIFT 20	   /* an interval is 2^shift ns: 1 ms at first */

/* The two states that queue depths are of. */
enum state {
	STATE_Q2C,
	STATE_D2C,
	STATE_MAX
};

/*
 * Time that requests spent in a state.  One that enters it counts up to the
 * end of the interval, and from the next one on as one more that is there all
 * the time; one that leaves it takes both back.
 */
struct busy {
	uint64_t ns;	/* in this interval, modulo 2^64 */
	int64_t change; /* of how many are there in all of the next one */
};

struct interval {
	struct {
		uint64_t ios, sectors; /* requests that completed */
		struct busy busy[STATE_MAX];
	} side[SIDE_MAX];
	uint64_t joined;
	uint64_t sum[STAGE_PARTS], max_q2c;
};

struct timeline {
	uint64_t start_ns; /* of the first interval */
	bool spans;	   /* what is before that or from @end_ns on is left out */
	uint64_t end_ns;   /* where the last interval ends early; UINT64_MAX: nowhere */
	unsigned int shift;
	unsigned int nr; /* intervals that anything fell into, and those before */
	unsigned int room;
	unsigned int *shared; /* how many more all timelines may have; NULL: any */
	struct interval *intervals;
};

/* Of all there is; clocks may differ, so something may be a little before the start. */
void timeline_init(struct timeline *t, uint64_t start_ns);
void timeline_deinit(const struct timeline *t);
/* One of its own, for timeline_deinit(), of the same. */
void timeline_copy(struct timeline *to, const struct timeline *from);
/* Only of what is from @from_ns to @to_ns, where it begins; before anything is added. */
void timeline_span(struct timeline *t, uint64_t from_ns, uint64_t to_ns);
/* Nothing was seen from @end_ns on: an interval that it is in is only so long. */
void timeline_finish(struct timeline *t, uint64_t end_ns);
/* For how many ns an interval was looked at. */
uint64_t timeline_width(const struct timeline *t, unsigned int i);
/* A request of one side has completed. */
void timeline_done(struct timeline *t, enum side side, uint64_t q_ns, uint64_t d_ns,
		   uint64_t c_ns, uint32_t nr_sectors);
/* It has not, up to @now_ns. */
void timeline_open(struct timeline *t, enum side side, uint64_t q_ns, uint64_t d_ns,
		   uint64_t now_ns);
/* A joined request, which came back at @c_ns. */
void timeline_joined(struct timeline *t, uint64_t c_ns, const int64_t stages[STAGE_MAX]);
/* At most @max_nr intervals, wider ones; @max_nr > 0. */
void timeline_coarsen(struct timeline *t, unsigned int max_nr);
/* How many were in flight, on an average of each interval: @depth[t->nr]. */
void timeline_depth(const struct timeline *t, enum side side, enum state state,
		    double *depth);

#endif
