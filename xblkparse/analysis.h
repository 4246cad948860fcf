/* SPDX-License-Identifier: GPL-2.0-only */
/* What is found out of a disk's requests beyond the stages' histograms. */
#ifndef XBLKPARSE_ANALYSIS_H
#define XBLKPARSE_ANALYSIS_H

#include "bands.h"
#include "breakdown.h"
#include "flush_times.h"
#include "slowest.h"
#include "timeline.h"

struct analysis {
	struct breakdown breakdown;
	struct bands bands;
	struct timeline timeline;
	struct slowest slowest;
	struct flush_wait waits[SIDE_MAX];
	/* in flight at the end */
	uint64_t reached[STAGE_PARTS]; /* requests, by the stage that they were in */
	struct slowest oldest;
};

void analysis_init(struct analysis *a, uint64_t start_ns, unsigned int top);
void analysis_deinit(struct analysis *a);

#endif
