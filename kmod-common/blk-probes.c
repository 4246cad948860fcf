// SPDX-License-Identifier: GPL-2.0-only
/*
 * The block layer's tracepoints, one probe each, the same in guest and dom0.
 *
 * Each probe has the prototype of its tracepoint behind the void * that a
 * probe's data is passed in; <trace/events/block.h> comes first so that
 * check_trace_callback_type_*() refuses a prototype that has changed.
 *
 * From Linux 6.16 or so on a probe can be preempted and moved to another CPU:
 * tracepoints read their probes under SRCU (<linux/tracepoint.h>, seen in 7.2),
 * where they had preemption off before.  So what is of this CPU, the time, the
 * ring and the names that it was told, is used with interrupts off alone.  A disk
 * is looked up before that, as most of a host's events may be of none that is
 * traced: the look-up has to guard its table by itself, and what comes out stays
 * true, since an index is its disk's for as long as probes are attached.
 */
#include <trace/events/block.h>
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/irqflags.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include "blk-probes.h"
#include "clock.h"
#include "disks.h"
#include "emit.h"
#include "flush-probes.h"
#include "tracepoints.h"

static u32 id_key __ro_after_init;

/*
 * Objects in flight are told apart by their address.  Slab objects are at
 * least 32 bytes apart, so within 128 GiB of memory no two are alike; a reader
 * still has sector and operation to tell those further apart.  The key (odd,
 * so one to one) keeps kernel addresses out of the trace.
 */
u32 xblk_id(const void *object)
{
	return (u32)((unsigned long)object >> 5) * id_key;
}

/*
 * The kernel's bit, moved down to where the record has it: without a branch, and at once
 * with those that are moved as far.
 */
static __always_inline u8 record_flag(blk_opf_t opf, blk_opf_t from, u8 to)
{
	return (__force u32)(opf & from) / ((__force u32)from / to);
}

/* Inlined, as fill_rq() is: a call would save and restore most registers. */
static __always_inline u8 record_op(blk_opf_t opf)
{
	u8 op;

	switch (opf & REQ_OP_MASK) {
	case REQ_OP_READ:
		op = XBLK_OP_READ;
		break;
	case REQ_OP_WRITE:
		op = XBLK_OP_WRITE;
		break;
	case REQ_OP_FLUSH:
		op = XBLK_OP_FLUSH;
		break;
	case REQ_OP_DISCARD:
		op = XBLK_OP_DISCARD;
		break;
	case REQ_OP_SECURE_ERASE:
		op = XBLK_OP_SECURE_DISCARD;
		break;
	case REQ_OP_WRITE_ZEROES:
		op = XBLK_OP_WRITE_ZEROES;
		break;
	default:
		op = XBLK_OP_OTHER;
	}
	return op | record_flag(opf, REQ_SYNC, XBLK_OP_F_SYNC) |
	       record_flag(opf, REQ_META, XBLK_OP_F_META) |
	       record_flag(opf, REQ_RAHEAD, XBLK_OP_F_RAHEAD) |
	       record_flag(opf, REQ_FUA, XBLK_OP_F_FUA) |
	       record_flag(opf, REQ_PREFLUSH, XBLK_OP_F_PREFLUSH);
}

u8 xblk_left_out;

/**
 * xblk_choose_ops() - what the probes record, these and others
 * @ops:	a bit for each of enum xblk_op; 0: everything
 *
 * Context: any, with no probe attached.
 */
void xblk_choose_ops(u8 ops)
{
	xblk_left_out = ops ? ~ops : 0;
}

/**
 * xblk_op_left_out() - nothing is recorded of what has this operation
 * @opf:	a bio's or a request's
 * @sectors:	what it has to do, 0 for an empty flush
 *
 * What guest and backend see of a request has one answer: blkfront and blkback keep
 * reads, writes, flushes and discards apart (blkif_queue_rw_req(),
 * dispatch_rw_block_io()), and the block layer merges none of them with another.  An
 * empty write is what a flush is before the block layer makes a request of it, and what
 * blkback makes of one.  Flags are another matter: blkback sets its own.
 *
 * Any context.
 */
bool xblk_op_left_out(blk_opf_t opf, unsigned int sectors)
{
	u8 op = record_op(opf) & XBLK_OP_MASK;

	if (op == XBLK_OP_WRITE && !sectors)
		op = XBLK_OP_FLUSH;
	return xblk_left_out >> op & 1;
}

static void bio_event(enum xblk_event event, struct bio *bio)
{
	int disk = xblk_disk_index(bio->bi_bdev->bd_disk);
	struct xblk_record rec;
	unsigned long flags;

	if (disk < 0 || xblk_bio_left_out(bio))
		return;
	rec = (struct xblk_record){
		.sector = bio->bi_iter.bi_sector,
		.nr_sectors = bio_sectors(bio),
		.id = xblk_id(bio),
		.aux = current->pid,
		.disk = disk,
		.event = event,
		.op = record_op(bio->bi_opf),
	};
	local_irq_save(flags);
	rec.time = xblk_clock_now();
	xblk_emit_pid(&rec);
	local_irq_restore(flags);
}

static void probe_bio_queue(void *data, struct bio *bio)
{
	bio_event(XBLK_EV_QUEUE, bio);
}

static void probe_bio_backmerge(void *data, struct bio *bio)
{
	bio_event(XBLK_EV_BACKMERGE, bio);
}

static void probe_bio_frontmerge(void *data, struct bio *bio)
{
	bio_event(XBLK_EV_FRONTMERGE, bio);
}

static void probe_split(void *data, struct bio *bio, unsigned int new_sector)
{
	/*
	 * Device mapper shows what is left, which stays the same bio; its parts
	 * are told by A.  The block layer shows the new bio in front.
	 */
	if ((unsigned int)bio->bi_iter.bi_sector == new_sector)
		return;
	bio_event(XBLK_EV_SPLIT, bio);
}

/*
 * Who sends a bio on to a partition tells so before submit_bio_noacct() has moved
 * it to the whole disk, which sets BIO_REMAPPED.  All other events of bios come
 * after that.
 */
static sector_t whole_disk_sector(struct bio *bio)
{
	sector_t start = bio_flagged(bio, BIO_REMAPPED) || !bio_sectors(bio)
				 ? 0
				 : bio->bi_bdev->bd_start_sect;

	return bio->bi_iter.bi_sector + start;
}

static void probe_bio_remap(void *data, struct bio *bio, dev_t dev, sector_t from)
{
	int disk = xblk_disk_index(bio->bi_bdev->bd_disk);
	struct xblk_record rec;
	unsigned long flags;
	int from_disk;

	/*
	 * From a partition to its disk nothing is said that Q will not say: the
	 * bio stays the same and its sector is the whole disk's by then.
	 */
	if (disk < 0 || bio->bi_bdev->bd_dev == dev || xblk_bio_left_out(bio))
		return;
	from_disk = xblk_dev_index(dev);
	rec = (struct xblk_record){
		.sector = whole_disk_sector(bio),
		.nr_sectors = bio_sectors(bio),
		.id = xblk_id(bio),
		.aux = current->pid,
		.disk = disk,
		.event = XBLK_EV_REMAP,
		.op = record_op(bio->bi_opf),
	};
	local_irq_save(flags);
	rec.time = xblk_clock_now();
	xblk_emit_pid(&rec);
	rec.event = XBLK_EV_REMAP_FROM;
	rec.sector = from;
	rec.disk = from_disk < 0 ? XBLK_NO_DISK : from_disk;
	xblk_emit(&rec);
	local_irq_restore(flags);
}

/* Return: whether the request is to be recorded; if so, *rec is filled in. */
static __always_inline bool fill_rq(struct xblk_record *rec, enum xblk_event event,
				    struct request *rq)
{
	int disk;

	/* A request of the driver's own (an NVMe admin queue) has no disk. */
	if (!rq->q->disk || blk_rq_is_passthrough(rq))
		return false;
	disk = xblk_disk_index(rq->q->disk);
	if (disk < 0 || xblk_rq_left_out(rq))
		return false;
	*rec = (struct xblk_record){
		/* The position of an empty flush is -1. */
		.sector = blk_rq_sectors(rq) ? blk_rq_pos(rq) : 0,
		.nr_sectors = blk_rq_sectors(rq),
		.id = xblk_id(rq),
		.aux = rq->bio ? xblk_id(rq->bio) : 0,
		.disk = disk,
		.event = event,
		.op = record_op(rq->cmd_flags),
	};
	return true;
}

static void rq_event(enum xblk_event event, struct request *rq)
{
	struct xblk_record rec;
	unsigned long flags;

	if (!fill_rq(&rec, event, rq))
		return;
	local_irq_save(flags);
	rec.time = xblk_clock_now();
	xblk_emit(&rec);
	local_irq_restore(flags);
}

static void probe_rq_merge(void *data, struct request *rq)
{
	rq_event(XBLK_EV_RQMERGE, rq);
}

static void probe_rq_requeue(void *data, struct request *rq)
{
	rq_event(XBLK_EV_REQUEUE, rq);
}

static void probe_rq_issue(void *data, struct request *rq)
{
	struct xblk_record rec;
	unsigned long flags;
	struct bio *bio;

	if (!fill_rq(&rec, XBLK_EV_ISSUE, rq))
		return;
	local_irq_save(flags);
	rec.time = xblk_clock_now();
	xblk_emit(&rec);
	if (unlikely(!rq->bio)) {
		if (READ_ONCE(xblk_flush_queues))
			xblk_emit_flush_queue(&rec, rq);
	} else if (rq->bio->bi_next) {
		/* Which bios became this request, exactly: the block layer knows now. */
		rec.event = XBLK_EV_PART;
		for (bio = rq->bio->bi_next; bio; bio = bio->bi_next) {
			rec.sector = bio->bi_iter.bi_sector;
			rec.nr_sectors = bio_sectors(bio);
			rec.aux = xblk_id(bio);
			xblk_emit(&rec);
		}
	}
	local_irq_restore(flags);
}

static void probe_rq_complete(void *data, struct request *rq, blk_status_t error,
			      unsigned int nr_bytes)
{
	struct xblk_record rec;
	unsigned long flags;

	if (!fill_rq(&rec, XBLK_EV_COMPLETE, rq))
		return;
	rec.nr_sectors = nr_bytes >> SECTOR_SHIFT;
	rec.aux = error ? -blk_status_to_errno(error) : 0;
	local_irq_save(flags);
	rec.time = xblk_clock_now();
	xblk_emit(&rec);
	local_irq_restore(flags);
}

/*
 * Its sectors have been counted down by now, so that a write which had a flush before it
 * looks like a flush.  It is told wherever it may be one that is not left out.
 */
static __always_inline bool ended_bio_left_out(const struct bio *bio)
{
	return unlikely(xblk_left_out) && xblk_op_left_out(bio->bi_opf, 1) &&
	       (!(bio->bi_opf & REQ_PREFLUSH) || xblk_op_left_out(bio->bi_opf, 0));
}

/* Set while no probe is attached. */
static bool with_bio_based;

/*
 * Of a bio that is in no request, so that no C tells of its end: a disk's that
 * makes none (device mapper, brd); of others one that is given up before, as
 * blk_mq_get_new_requests() does with REQ_NOWAIT where there is no tag left.  It
 * comes for these alone: blk_update_request() and blk_complete_request() clear
 * BIO_TRACE_COMPLETION of a request's bios first (6.1, 6.12).  The bio's position
 * may have moved on by now.
 */
static void probe_bio_complete(void *data, struct request_queue *q, struct bio *bio)
{
	struct xblk_record rec;
	unsigned long flags;
	int disk;

	if (!with_bio_based && !queue_is_mq(q))
		return;
	disk = xblk_disk_index(bio->bi_bdev->bd_disk);
	if (disk < 0 || ended_bio_left_out(bio))
		return;
	rec = (struct xblk_record){
		.id = xblk_id(bio),
		.aux = -blk_status_to_errno(bio->bi_status),
		.disk = disk,
		.event = XBLK_EV_BIO_COMPLETE,
		.op = record_op(bio->bi_opf),
	};
	local_irq_save(flags);
	rec.time = xblk_clock_now();
	xblk_emit(&rec);
	local_irq_restore(flags);
}

/*
 * In the order of attaching, and backwards in detaching: what ends a request
 * comes first, so that of each request whose beginning is seen all is seen.
 */
static struct xblk_tracepoint tracepoints[] = {
	{"block_bio_complete", probe_bio_complete},
	{"block_rq_complete", probe_rq_complete},
	{"block_rq_requeue", probe_rq_requeue},
	{"block_rq_issue", probe_rq_issue},
	{"block_rq_merge", probe_rq_merge, .optional = true},
	{"block_bio_frontmerge", probe_bio_frontmerge, .optional = true},
	{"block_bio_backmerge", probe_bio_backmerge, .optional = true},
	{"block_split", probe_split},
	{"block_bio_remap", probe_bio_remap},
	{"block_bio_queue", probe_bio_queue},
};

/* A prototype that changed fails here, at compile time. */
static void __maybe_unused check_prototypes(void)
{
	check_trace_callback_type_block_bio_complete(probe_bio_complete);
	check_trace_callback_type_block_bio_queue(probe_bio_queue);
	check_trace_callback_type_block_bio_backmerge(probe_bio_backmerge);
	check_trace_callback_type_block_bio_frontmerge(probe_bio_frontmerge);
	check_trace_callback_type_block_split(probe_split);
	check_trace_callback_type_block_bio_remap(probe_bio_remap);
	check_trace_callback_type_block_rq_merge(probe_rq_merge);
	check_trace_callback_type_block_rq_requeue(probe_rq_requeue);
	check_trace_callback_type_block_rq_issue(probe_rq_issue);
	check_trace_callback_type_block_rq_complete(probe_rq_complete);
}

/**
 * xblk_blk_probes_find() - at module load.  Process context.
 */
int xblk_blk_probes_find(void)
{
	id_key = get_random_u32() | 1;
	return xblk_tracepoints_find(tracepoints, ARRAY_SIZE(tracepoints));
}

/**
 * xblk_choose_merges() - whether merges are recorded
 * @wanted:	which bios a request has is recorded without them, too
 *
 * Context: process, with no probe attached.
 */
void xblk_choose_merges(bool wanted)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(tracepoints); i++)
		tracepoints[i].left_out = tracepoints[i].optional && !wanted;
}

/**
 * xblk_blk_probes_attach() - records come from now on
 * @bio_based:	there may be disks without requests among those that are traced
 *
 * Context: process.
 */
int xblk_blk_probes_attach(bool bio_based)
{
	with_bio_based = bio_based;
	return xblk_tracepoints_attach(tracepoints, ARRAY_SIZE(tracepoints));
}

/**
 * xblk_blk_probes_detach() - no probe runs any more on return.  Process context.
 */
void xblk_blk_probes_detach(void)
{
	xblk_tracepoints_detach(tracepoints, ARRAY_SIZE(tracepoints));
}

/**
 * xblk_blk_probes_show() - the names of the tracepoints, each after a space
 * @s:	where to
 */
void xblk_blk_probes_show(struct seq_file *s)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(tracepoints); i++)
		if (!tracepoints[i].left_out)
			seq_printf(s, " %s", tracepoints[i].name);
}
