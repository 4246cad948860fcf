/* SPDX-License-Identifier: GPL-2.0-only */
/* What is found out of a disk's requests beyond the stages' histograms. */
#ifndef LIBXBLK_ANALYSIS_H
#define LIBXBLK_ANALYSIS_H

#include "analyse/bands.h"
#include "analyse/breakdown.h"
#include "analyse/slowest.h"
#include "analyse/timeline.h"

/* What waited for its D while a flush was outstanding, and how long. */
struct flush_wait {
	uint64_t requests;
	uint64_t ns;
};

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
