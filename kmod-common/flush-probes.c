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

bool xblk_flush_queues;

/* @rec has all else.  With interrupts off. */
static void emit(struct xblk_record *rec, const struct request *rq)
{
	rec->event = XBLK_EV_FLUSH_QUEUE;
	rec->op = 0;
	rec->sector = xblk_id(rq->mq_hctx->fq);
	rec->nr_sectors = 0;
	xblk_emit(rec);
}

#define FUNCTION "blk_insert_flush"

static void insert_flush_entered(unsigned long ip, unsigned long parent,
				 struct ftrace_ops *ops, struct ftrace_regs *regs)
{
	/* blk_insert_flush(struct request *) */
	const struct request *rq = (const void *)xblk_entry_argument(regs, 0);
	struct xblk_record rec;
	unsigned long flags;
	int disk;

	if (!rq->q->disk || !rq->bio)
		return;
	disk = xblk_disk_index(rq->q->disk);
	if (disk < 0 || xblk_rq_left_out(rq))
		return;
	rec = (struct xblk_record){
		.id = xblk_id(rq),
		.aux = xblk_id(rq->bio),
		.disk = disk,
	};
	local_irq_save(flags);
	rec.time = xblk_clock_now();
	emit(&rec, rq);
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
 * @rec:	its ISSUE record, which is overwritten
 * @rq:		a request of no bio
 *
 * Context: interrupts off.
 */
void xblk_emit_flush_queue(struct xblk_record *rec, const struct request *rq)
{
	if ((rq->cmd_flags & REQ_OP_MASK) == REQ_OP_FLUSH)
		emit(rec, rq);
}

/**
 * xblk_flush_probes_attach() - where this kernel lets it.  Context: process.
 */
void xblk_flush_probes_attach(void)
{
	WRITE_ONCE(xblk_flush_queues, !xblk_entry_probe_attach(&entry_probes, 0));
}

/**
 * xblk_flush_probes_detach() - it does not run any more on return.  Context: process.
 */
void xblk_flush_probes_detach(void)
{
	WRITE_ONCE(xblk_flush_queues, false);
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
