/* SPDX-License-Identifier: GPL-2.0-only */
/* What the join counts of a disk, whichever requests are chosen. */
#ifndef LIBXBLK_COUNTS_H
#define LIBXBLK_COUNTS_H

#include <stdint.h>

#include "base/op.h"
#include "xblk.h"

/* One side's merging: issued sectors / issued requests is the merged size. */
struct merge_count {
	uint64_t bios;
	uint64_t ended;			/* of these: without a request; a guest's alone */
	uint64_t back, front, requests; /* merges, by M, F and m; see struct xblk_disk */
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

struct disk_counts {
	struct io_count done[KIND_MAX];
	uint64_t errors;     /* requests that completed with an error */
	uint64_t flush_ends; /* empty completions that end a flush sequence */
	struct merge_count guest, backend;
	uint64_t backend_unmatched; /* blkback's bios that fit no request */
	uint64_t queued_bios;	    /* at the end: in no request that was issued */
	/* a backend's disk: what is not blkback's */
	uint64_t own_bios, own_sectors;
};

#endif
