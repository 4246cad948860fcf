/* SPDX-License-Identifier: GPL-2.0-only */
/* What this module does beside the records of the block layer, in the same probes. */
#ifndef XBLK_BESIDE_H
#define XBLK_BESIDE_H

#include <linux/blk_types.h>
#include "blkback-probes.h"

struct request;

/* A bio's Q was recorded.  Interrupts are off. */
static __always_inline void xblk_beside_queue(struct bio *bio, int disk, u64 now)
{
	blkback_queued(bio, disk, now);
}

/* A request is issued, D, and recorded.  Interrupts are off. */
static __always_inline void xblk_beside_issue(const struct request *rq, int disk)
{
}

/* One is that is not recorded. */
static __always_inline void xblk_beside_other_issue(void)
{
}

#endif /* XBLK_BESIDE_H */
