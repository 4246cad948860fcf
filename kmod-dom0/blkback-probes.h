/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XBLK_BLKBACK_PROBES_H
#define XBLK_BLKBACK_PROBES_H

#include <linux/bio.h>
#include <linux/compiler.h>
#include <linux/sched.h>
#include <linux/types.h>
#include "../kmod-common/blk-probes.h"
#include "../kmod-common/emit.h"
#include "probes.h"

/*
 * The threads of traced rings, by pid: one in the place of another is known again when it
 * goes about its next request.  Each as ~pid, as there are idle tasks, whose pid is 0.
 */
#define BLKBACK_THREADS 4096
extern u32 blkback_threads[BLKBACK_THREADS];

unsigned long blkback_ring_find_on(const void *ring); /* for XBLK_RARE */

extern const struct probe_group blkback_group;

/**
 * blkback_queued() - a bio's Q was recorded: which of blkback's requests it is of
 * @bio:	the bio
 * @disk:	its disk's index
 * @now:	its Q's time
 *
 * A thread that has ended may have left its number to another process.  What layers below
 * queue in that thread are clones of the backend's bios, or bios of their own, with a
 * bi_private that no response names.
 *
 * Context: interrupts off.
 */
static __always_inline void blkback_queued(struct bio *bio, int disk, u64 now)
{
	const u32 pid = current->pid;
	struct xblk_place place = {};

	if (READ_ONCE(blkback_threads[pid % BLKBACK_THREADS]) != ~pid ||
	    !(current->flags & PF_KTHREAD) || bio_flagged(bio, BIO_CLONED) ||
	    unlikely(!xblk_emit_begin(&place, now)))
		return;
	*place.rec = (struct xblk_record){
		.time = now,
		.id = xblk_id(bio),
		.aux = xblk_id(bio->bi_private),
		.disk = disk,
		.event = XBLK_EV_BACKEND_BIO,
	};
	xblk_emit_end(&place);
}

#endif /* XBLK_BLKBACK_PROBES_H */
