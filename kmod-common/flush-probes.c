// SPDX-License-Identifier: GPL-2.0-only
/*
 * The block layer issues one flush for all that wait on a hardware queue, and its request
 * names none of them.  What is to wait goes through blk_insert_flush(), in guest and dom0
 * alike; the queue is that of the request, whichever CPU it was made on: but for a polled
 * one, which waits in the default queue of its CPU (blk_get_flush_queue()), and is not a
 * guest's.  A disk with no cache has what goes through here issued at once.
 */
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/irqflags.h>
#include <linux/seq_file.h>
#include "blk-probes.h"
#include "clock.h"
#include "disks.h"
#include "emit.h"
#include "entry-probes.h"
#include "flush-probes.h"

/* Whether it is told. */
static bool flush_queues;

/* Interrupts off. */
static void emit(const struct request *rq, int disk, u32 bio, u64 now)
{
	struct xblk_place place = {};

	if (unlikely(!xblk_emit_begin(&place, now)))
		return;
	*place.rec = (struct xblk_record){
		.time = now,
		.sector = xblk_id(rq->mq_hctx->fq),
		.id = xblk_id(rq),
		.aux = bio,
		.disk = disk,
		.event = XBLK_EV_FLUSH_QUEUE,
	};
	xblk_emit_end(&place);
}

#define FUNCTION "blk_insert_flush"

static void insert_flush_entered(unsigned long ip, unsigned long parent,
				 struct ftrace_ops *ops, struct ftrace_regs *regs)
{
	/* blk_insert_flush(struct request *) */
	const struct request *rq = (const void *)xblk_entry_argument(regs, 0);
	unsigned long flags;
	int disk;

	if (!rq->q->disk || !rq->bio)
		return;
	disk = xblk_disk_index(rq->q->disk);
	if (disk < 0 || xblk_rq_left_out(rq))
		return;
	local_irq_save(flags);
	emit(rq, disk, xblk_id(rq->bio), xblk_clock_now());
	local_irq_restore(flags);
}

static struct xblk_entry_probe entries[] = {
	{FUNCTION, insert_flush_entered},
};

/* Of the kernel, which does not go. */
static struct xblk_entry_probes entry_probes = {
	.table = entries,
	.n = ARRAY_SIZE(entries),
};

/**
 * xblk_emit_flush_queue() - of a flush request that is issued: whose it is
 * @rq:		a request of no bio
 * @disk:	its disk's index
 * @now:	the time of its ISSUE record
 *
 * Context: interrupts off.
 */
unsigned long xblk_emit_flush_queue(const struct request *rq, int disk, u64 now)
{
	if (READ_ONCE(flush_queues) && (rq->cmd_flags & REQ_OP_MASK) == REQ_OP_FLUSH)
		emit(rq, disk, 0, now);
	return 0;
}
XBLK_RARE(xblk_emit_flush_queue);

/**
 * xblk_flush_probes_attach() - where this kernel lets it.  Context: process.
 */
void xblk_flush_probes_attach(void)
{
	WRITE_ONCE(flush_queues, !xblk_entry_probe_attach(&entry_probes, 0));
}

/**
 * xblk_flush_probes_detach() - it does not run any more on return.  Context: process.
 */
void xblk_flush_probes_detach(void)
{
	WRITE_ONCE(flush_queues, false);
	xblk_entry_probe_detach(&entry_probes, 0);
}

/**
 * xblk_flush_probes_show() - the name of the function, after a space
 * @s:		where to
 * @attached:	if it is; else if it is not
 */
void xblk_flush_probes_show(struct seq_file *s, bool attached)
{
	if (READ_ONCE(entries[0].attached) == attached)
		seq_printf(s, " %s", entries[0].name);
}

/**
 * xblk_flush_probes_name() - of the function that is probed, after a space; "" if none is
 */
const char *xblk_flush_probes_name(void)
{
	return READ_ONCE(entries[0].attached) ? " " FUNCTION : "";
}
