/* SPDX-License-Identifier: GPL-2.0-only */
/* What is counted of a disk, and the places where a request can end. */
#ifndef XBLKPARSE_STATS_H
#define XBLKPARSE_STATS_H

#include <stdint.h>

#include "analysis.h"
#include "hist.h"
#include "stage.h"
#include "substages.h"

/* Every guest request that was seen ends in exactly one. */
enum bin {
	BIN_JOINED,
	BIN_BEFORE_TRACE,  /* it began before the trace did */
	BIN_IN_FLIGHT,	   /* it had not come back when the trace ended */
	BIN_LOST,	   /* a record of it was lost */
	BIN_NO_BACKEND_IO, /* came back though dom0 did no I/O for it */
	BIN_NOT_SERVED,	   /* its disk is not served by a blkback that is traced */
	BIN_INCOMPLETE,	   /* dom0 showed a part of it, though it lost nothing */
	BIN_CAUSALITY,	   /* a stage is negative: the clocks disagree */
	BIN_CLOCK_CHANGE,  /* a clock changed under way: its times do not compare */
	BIN_EVICTED,	   /* more was in flight than is kept */
	BIN_AMBIGUOUS,	   /* one of several flushes at once, which cannot be told */
	BIN_MALFORMED,	   /* the guest's records of it contradict each other */
	BIN_MAX
};

/* Completed I/O by kind, as in /sys/block/<disk>/stat. */
enum kind {
	KIND_READ,
	KIND_WRITE,
	KIND_FLUSH,
	KIND_DISCARD,
	KIND_OTHER,
	KIND_MAX
};

struct io_count {
	uint64_t ios, sectors;
};

/* One side's merging: issued sectors / issued requests is the merged size. */
struct merge_count {
	uint64_t bios;
	uint64_t ended;			/* of these: without a request; a guest's alone */
	uint64_t back, front, requests; /* merges, by what M, F and m say */
	uint64_t splits;
	uint64_t issued, issued_sectors;
	uint64_t issued_sizes[SIZE_CLASSES];
	uint64_t requeues;
};

static inline void merge_count_issued(struct merge_count *m, uint32_t nr_sectors)
{
	m->issued++;
	m->issued_sectors += nr_sectors;
	m->issued_sizes[size_class(nr_sectors)]++;
}

struct disk_stats {
	uint64_t requests;
	uint64_t bins[BIN_MAX];
	struct io_count done[KIND_MAX];
	uint64_t errors;     /* requests that completed with an error */
	uint64_t flush_ends; /* empty completions that end a flush sequence */
	struct merge_count guest, backend;
	uint64_t backend_unmatched;	 /* blkback's bios that fit no request */
	uint64_t queued_bios;		 /* at the end: in no request that was issued */
	struct hist *stages[STAGE_MAX];	 /* NULL until something is joined */
	struct hist *substages[SUB_MAX]; /* likewise */
	int64_t min_u_t, min_0_t;	 /* of all with both ends, negative ones too */
	uint64_t clock_checked;
	uint64_t sum_checked, sum_failed;
	uint64_t not_chosen;		/* requests that a filter left out of all above */
	struct analysis *analysis;	/* NULL until there is something in it */
	struct hist *window[STAGE_MAX]; /* as stages, since the last running report */
};

extern const char *const bin_names[BIN_MAX];
extern const char *const kind_names[KIND_MAX];

/* The end of a request with these stages; they are not negative. */
void stats_joined(struct disk_stats *s, const int64_t stages[STAGE_MAX]);
/* The same for the running report's window. */
void stats_windowed(struct disk_stats *s, const int64_t stages[STAGE_MAX]);
/* Add @from to @to, also histograms. */
void stats_merge(struct disk_stats *to, const struct disk_stats *from);
void stats_deinit(struct disk_stats *s);

#endif
