/* SPDX-License-Identifier: GPL-2.0-only */
/* A disk, and what the join keeps of it. */
#ifndef LIBXBLK_JOIN_DISK_H
#define LIBXBLK_JOIN_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/counts.h"
#include "input/model.h"

struct flush_times;
struct flushes;
struct told_queues;
struct verdicts;

/* What the model makes is as large. */
struct join_disk {
	struct disk disk;
	struct disk_counts counts;
	uint64_t first_d_ns; /* of its first request that was seen to be issued; or 0 */
	/* when requests were last under way that had been issued before; or 0 */
	uint64_t unseen_ns;
	uint64_t evicted; /* of its requests that were told of so: their ends are to come */
	uint64_t no_q_ns;   /* when one was last issued whose Q was before; or 0 */
	uint64_t served_ns; /* dom0's first bio for it since its guest's records began; or
			       0 */
	/* of both sides; NULL until there is one */
	struct flushes *flushes;
	struct flush_times *flush_times;
	struct told_queues *told_queues;
	struct verdicts *verdicts; /* that a loss may still change */
	/*
	 * blkback's thread (pid) that served a vCPU's requests last, by those that had
	 * their place to themselves; 0: not known.
	 */
	uint32_t ring_thread[RING_CPUS];
	/* see clones.c */
	bool searched; /* its bios are found by their sectors */
	bool at_once;  /* the thread that queues a bio sends it on */
	bool later;    /* or another one does */
	/* What it sent on ends its bios in the same breath, or not: 2: reads, 1: others */
	uint8_t ends_at_once, ends_later;
};

static inline struct join_disk *join_disk(const struct disk *disk)
{
	return (struct join_disk *)disk;
}

static inline struct disk_counts *counts_of(const struct disk *disk)
{
	return &join_disk(disk)->counts;
}

#endif
