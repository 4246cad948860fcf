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
#include "beside.h"
#include "blk-probes.h"
#include "clock.h"
#include "disks.h"
#include "emit.h"
#include "flush-probes.h"
#include "tracepoints.h"

u32 xblk_id_key __ro_after_init;

/*
 * The kernel's bit, moved down to where the record has it: without a branch, and at once
 * with those that are moved as far.
 */
static __always_inline u8 record_flag(blk_opf_t opf, blk_opf_t from, u8 to)
{
	return (__force u32)(opf & from) / ((__force u32)from / to);
}

/*
 * A record's operation, by the kernel's; with XBLK_OP_OTHER's bits the other way round,
 * so that 0 stands for that.
 */
static const u8 record_ops[(__force u32)REQ_OP_MASK + 1] = {
#define OP(from, to) [(__force u32)(from)] = (to) ^ XBLK_OP_OTHER
	OP(REQ_OP_READ, XBLK_OP_READ),
	OP(REQ_OP_WRITE, XBLK_OP_WRITE),
	OP(REQ_OP_FLUSH, XBLK_OP_FLUSH),
	OP(REQ_OP_DISCARD, XBLK_OP_DISCARD),
	OP(REQ_OP_SECURE_ERASE, XBLK_OP_SECURE_DISCARD),
	OP(REQ_OP_WRITE_ZEROES, XBLK_OP_WRITE_ZEROES),
#undef OP
};

static __always_inline u8 record_op(blk_opf_t opf)
{
	u8 op = record_ops[(__force u32)(opf & REQ_OP_MASK)] ^ XBLK_OP_OTHER;

	return op | record_flag(opf, REQ_SYNC, XBLK_OP_F_SYNC) |
	       record_flag(opf, REQ_META, XBLK_OP_F_META) |
	       record_flag(opf, REQ_RAHEAD, XBLK_OP_F_RAHEAD) |
	       record_flag(opf, REQ_FUA, XBLK_OP_F_FUA) |
	       record_flag(opf, REQ_PREFLUSH, XBLK_OP_F_PREFLUSH);
}

static u8 left_out; /* a bit for each of enum xblk_op */
DEFINE_STATIC_KEY_FALSE(xblk_ops_chosen);

/**
 * xblk_choose_ops() - what the probes record, these and others
 * @ops:	a bit for each of enum xblk_op; 0: everything
 *
 * Context: process, may sleep, with no probe attached.
 */
void xblk_choose_ops(u8 ops)
{
	left_out = ops ? ~ops : 0;
	if (left_out)
		static_branch_enable(&xblk_ops_chosen);
	else
		static_branch_disable(&xblk_ops_chosen);
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
unsigned long xblk_op_left_out(blk_opf_t opf, unsigned int sectors)
{
	u8 op = record_op(opf) & XBLK_OP_MASK;

	if (op == XBLK_OP_WRITE && !sectors)
		op = XBLK_OP_FLUSH;
	return left_out >> op & 1;
}
XBLK_RARE(xblk_op_left_out);

/* Inlined, as rq_event() is: a call would save and restore most registers. */
static __always_inline void bio_event(enum xblk_event event, struct bio *bio)
{
	int disk = xblk_disk_index(bio->bi_bdev->bd_disk);
	struct xblk_place place = {};
	unsigned long flags;
	u64 now;

	if (disk < 0 || xblk_bio_left_out(bio))
		return;
	local_irq_save(flags);
	now = xblk_clock_now();
	if (likely(xblk_emit_begin_pid(&place, now))) {
		*place.rec = (struct xblk_record){
			.time = now,
			.sector = bio->bi_iter.bi_sector,
			.nr_sectors = bio_sectors(bio),
			.id = xblk_id(bio),
			.aux = current->pid,
			.disk = disk,
			.event = event,
			.op = record_op(bio->bi_opf),
		};
		xblk_emit_end(&place);
	}
	if (event == XBLK_EV_QUEUE)
		xblk_beside_queue(bio, disk, now);
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
	struct xblk_place place = {};
	unsigned long flags;
	int from_disk;
	u64 now;

	/*
	 * From a partition to its disk nothing is said that Q will not say: the
	 * bio stays the same and its sector is the whole disk's by then.
	 */
	if (disk < 0 || bio->bi_bdev->bd_dev == dev || xblk_bio_left_out(bio))
		return;
	from_disk = xblk_dev_index(dev);
	local_irq_save(flags);
	now = xblk_clock_now();
	if (likely(xblk_emit_begin_pid(&place, now))) {
		*place.rec = (struct xblk_record){
			.time = now,
			.sector = whole_disk_sector(bio),
			.nr_sectors = bio_sectors(bio),
			.id = xblk_id(bio),
			.aux = current->pid,
			.disk = disk,
			.event = XBLK_EV_REMAP,
			.op = record_op(bio->bi_opf),
		};
		xblk_emit_end(&place);
	}
	if (likely(xblk_emit_begin(&place, now))) {
		*place.rec = (struct xblk_record){
			.time = now,
			.sector = from,
			.nr_sectors = bio_sectors(bio),
			.id = xblk_id(bio),
			.aux = current->pid,
			.disk = from_disk < 0 ? XBLK_NO_DISK : from_disk,
			.event = XBLK_EV_REMAP_FROM,
			.op = record_op(bio->bi_opf),
		};
		xblk_emit_end(&place);
	}
	local_irq_restore(flags);
}

/* Return: the index of its disk, or -1 if nothing is recorded of it. */
static __always_inline int rq_disk(struct request *rq)
{
	int disk;

	/* A request of the driver's own (an NVMe admin queue) has no disk. */
	if (!rq->q->disk || blk_rq_is_passthrough(rq))
		return -1;
	disk = xblk_disk_index(rq->q->disk);
	return disk < 0 || xblk_rq_left_out(rq) ? -1 : disk;
}

/* Interrupts off. */
static __always_inline void emit_rq(enum xblk_event event, const struct request *rq,
				    int disk, u32 nr_sectors, u32 aux, u64 now)
{
	struct xblk_place place = {};

	if (unlikely(!xblk_emit_begin(&place, now)))
		return;
	*place.rec = (struct xblk_record){
		.time = now,
		/* The position of an empty flush is -1. */
		.sector = blk_rq_sectors(rq) ? blk_rq_pos(rq) : 0,
		.nr_sectors = nr_sectors,
		.id = xblk_id(rq),
		.aux = aux,
		.disk = disk,
		.event = event,
		.op = record_op(rq->cmd_flags),
	};
	xblk_emit_end(&place);
}

static __always_inline u32 first_bio(const struct request *rq)
{
	return rq->bio ? xblk_id(rq->bio) : 0;
}

static __always_inline void rq_event(enum xblk_event event, struct request *rq)
{
	int disk = rq_disk(rq);
	unsigned long flags;

	if (disk < 0)
		return;
	local_irq_save(flags);
	emit_rq(event, rq, disk, blk_rq_sectors(rq), first_bio(rq), xblk_clock_now());
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

/*
 * Which bios became this request, exactly: the block layer knows now.  Most requests have
 * one.  Interrupts off.
 */
unsigned long xblk_emit_parts(const struct request *rq, int disk, u64 now)
{
	const u8 op = record_op(rq->cmd_flags);
	struct xblk_place place = {};
	struct bio *bio;

	for (bio = rq->bio->bi_next; bio; bio = bio->bi_next) {
		if (unlikely(!xblk_emit_begin(&place, now)))
			continue;
		*place.rec = (struct xblk_record){
			.time = now,
			.sector = bio->bi_iter.bi_sector,
			.nr_sectors = bio_sectors(bio),
			.id = xblk_id(rq),
			.aux = xblk_id(bio),
			.disk = disk,
			.event = XBLK_EV_PART,
			.op = op,
		};
		xblk_emit_end(&place);
	}
	return 0;
}
XBLK_RARE(xblk_emit_parts);

static void probe_rq_issue(void *data, struct request *rq)
{
	int disk = rq_disk(rq);
	unsigned long flags;
	u64 now;

	if (disk < 0) {
		xblk_beside_other_issue();
		return;
	}
	local_irq_save(flags);
	now = xblk_clock_now();
	emit_rq(XBLK_EV_ISSUE, rq, disk, blk_rq_sectors(rq), first_bio(rq), now);
	xblk_beside_issue(rq, disk);
	if (unlikely(!rq->bio))
		xblk_rarely3(xblk_emit_flush_queue, rq, disk, now);
	else if (unlikely(rq->bio->bi_next))
		xblk_rarely3(xblk_emit_parts, rq, disk, now);
	local_irq_restore(flags);
}

unsigned long xblk_errno(blk_status_t error)
{
	return -blk_status_to_errno(error);
}
XBLK_RARE(xblk_errno);

static void probe_rq_complete(void *data, struct request *rq, blk_status_t error,
			      unsigned int nr_bytes)
{
	int disk = rq_disk(rq);
	unsigned long flags;

	if (disk < 0)
		return;
	local_irq_save(flags);
	emit_rq(XBLK_EV_COMPLETE, rq, disk, nr_bytes >> SECTOR_SHIFT,
		unlikely(error) ? xblk_rarely1(xblk_errno, (__force u8)error) : 0,
		xblk_clock_now());
	local_irq_restore(flags);
}

/*
 * Its sectors have been counted down by now, so that a write which had a flush before it
 * looks like a flush.  It is told wherever it may be one that is not left out.
 */
static __always_inline bool ended_bio_left_out(const struct bio *bio)
{
	return static_branch_unlikely(&xblk_ops_chosen) &&
	       xblk_op_left_out(bio->bi_opf, 1) &&
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
	struct xblk_place place = {};
	unsigned long flags;
	int disk;
	u64 now;

	if (!with_bio_based && !queue_is_mq(q))
		return;
	disk = xblk_disk_index(bio->bi_bdev->bd_disk);
	if (disk < 0 || ended_bio_left_out(bio))
		return;
	local_irq_save(flags);
	now = xblk_clock_now();
	if (likely(xblk_emit_begin(&place, now))) {
		*place.rec = (struct xblk_record){
			.time = now,
			.id = xblk_id(bio),
			.aux = -blk_status_to_errno(bio->bi_status),
			.disk = disk,
			.event = XBLK_EV_BIO_COMPLETE,
			.op = record_op(bio->bi_opf),
		};
		xblk_emit_end(&place);
	}
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
	xblk_id_key = get_random_u32() | 1;
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
