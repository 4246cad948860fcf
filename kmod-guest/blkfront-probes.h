/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XBLK_BLKFRONT_PROBES_H
#define XBLK_BLKFRONT_PROBES_H

#include <linux/compiler.h>
#include <linux/percpu.h>
#include <linux/types.h>
#include "../kmod-common/this-run.h"

struct request;

/* From D to the slot on the ring: the request that was issued, and its disk's index. */
DECLARE_PER_CPU(struct xblk_this_run, blkfront_this_run);

/* The request is issued, and to be told of.  Interrupts are off. */
static __always_inline void blkfront_issued(const struct request *rq, int disk)
{
	xblk_run_leave(this_cpu_ptr(&blkfront_this_run), rq, disk);
}

/* One is that is not to be told of.  Any context but NMI. */
static __always_inline void blkfront_issued_other(void)
{
	xblk_run_drop(blkfront_this_run);
}

unsigned long blkfront_meet_ring(const void *address); /* for XBLK_RARE */

int blkfront_probes_init(void);
void blkfront_probes_exit(void);
const char *blkfront_probes_attach(bool order);
void blkfront_probes_detach(void);

#endif /* XBLK_BLKFRONT_PROBES_H */
