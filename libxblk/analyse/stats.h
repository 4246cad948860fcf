/* SPDX-License-Identifier: GPL-2.0-only */
/* What is counted of a disk's requests. */
#ifndef LIBXBLK_STATS_H
#define LIBXBLK_STATS_H

#include <stdint.h>

#include "analyse/analysis.h"
#include "analyse/hist.h"
#include "analyse/substages.h"
#include "xblk.h"

struct disk_stats {
	struct room room; /* of all histograms below */
	uint64_t requests;
	uint64_t bins[BIN_MAX];
	struct hist *stages[STAGE_MAX];	 /* NULL until something is joined */
	struct hist *substages[SUB_MAX]; /* likewise */
	int64_t min_u_t, min_0_t;	 /* of all with both ends, negative ones too */
	uint64_t clock_checked;
	uint64_t not_chosen;		/* requests that a filter left out of all above */
	struct analysis *analysis;	/* NULL until there is something in it */
	struct hist *window[STAGE_MAX]; /* as stages, since the last running report */
};

/* The end of a request with these stages; they are not negative. @bucket: Q2C's */
void stats_joined(struct disk_stats *s, size_t bucket, const int64_t stages[STAGE_MAX]);
/* The same for the running report's window. */
void stats_windowed(struct disk_stats *s, size_t bucket, const int64_t stages[STAGE_MAX]);
/* Add @from to @to, also histograms. */
void stats_merge(struct disk_stats *to, const struct disk_stats *from);
void stats_deinit(struct disk_stats *s);

#endif
