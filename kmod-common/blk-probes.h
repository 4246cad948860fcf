/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XBLK_BLK_PROBES_H
#define XBLK_BLK_PROBES_H

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/compiler.h>
#include <linux/jump_label.h>
#include <linux/types.h>
#include "compat.h"

struct seq_file;

int xblk_blk_probes_find(void);
int xblk_blk_probes_attach(bool bio_based);
void xblk_blk_probes_detach(void);
void xblk_blk_probes_show(struct seq_file *s);

extern u32 xblk_id_key;

/**
 * xblk_id() - identity of an object in flight, for a record
 * @object:	of a slab
 *
 * Objects in flight are told apart by their address.  Slab objects are at
 * least 32 bytes apart, so within 128 GiB of memory no two are alike; a reader
 * still has sector and operation to tell those further apart.  The key (odd,
 * so one to one) keeps kernel addresses out of the trace.
 */
static __always_inline u32 xblk_id(const void *object)
{
	return (u32)((unsigned long)object >> 5) * xblk_id_key;
}

/* There are operations that nothing is recorded of, as a rule none. */
DECLARE_STATIC_KEY_FALSE(xblk_ops_chosen);

void xblk_choose_ops(u8 ops);
void xblk_choose_merges(bool wanted);
/* For XBLK_RARE. */
unsigned long xblk_emit_parts(const struct request *rq, int disk, u64 now);
unsigned long xblk_errno(blk_status_t error);

unsigned long xblk_op_left_out(blk_opf_t opf, unsigned int sectors);

/**
 * xblk_bio_left_out() - nothing is recorded of this bio
 * @bio:	not completed: what it still has to do counts
 *
 * Any context.
 */
static __always_inline bool xblk_bio_left_out(const struct bio *bio)
{
	return static_branch_unlikely(&xblk_ops_chosen) &&
	       xblk_rarely2(xblk_op_left_out, (__force u32)bio->bi_opf, bio_sectors(bio));
}

/**
 * xblk_rq_left_out() - the same of a request
 * @rq:		likewise
 */
static __always_inline bool xblk_rq_left_out(const struct request *rq)
{
	return static_branch_unlikely(&xblk_ops_chosen) &&
	       xblk_rarely2(xblk_op_left_out, (__force u32)rq->cmd_flags,
			    blk_rq_sectors(rq));
}

#endif /* XBLK_BLK_PROBES_H */
