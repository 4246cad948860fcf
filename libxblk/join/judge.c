// SPDX-License-Identifier: GPL-2.0-only
/* What has become of a guest's request: its stages, or why it has none. */
#include "join/judge.h"

#include <assert.h>

#include "base/gaps.h"
#include "base/map.h"
#include "base/op.h"
#include "base/util.h"
#include "join/bio.h"
#include "join/disk.h"
#include "join/flush.h"
#include "join/flush_times.h"
#include "join/life.h"
#include "join/place.h"
#include "join/report.h"
#include "join/rq.h"
#include "join/state.h"
#include "join/told_queues.h"
#include "join/verdict.h"

static bool complete(const struct guest_rq *rq)
{
	return (rq->base.flags & RQ_COMPLETED) && (rq->base.flags & RQ_MATCHED) &&
	       !(rq->base.flags & (RQ_DROPPED | RQ_NO_Q | RQ_MISSED)) && !rq->outstanding;
}

static bool clock_changed(const struct join *j, const struct guest_rq *rq)
{
	const struct domain *backend = j->model->backend;

	return rq->clock_generation != rq->base.disk->dom->clock_generation ||
	       (backend && rq->backend_clock_generation != backend->clock_generation);
}

/*
 * Where something was lost between two records, the second may be of another
 * request or bio that was given the same identity: it is not guessed at.
 */
static bool unbroken(const struct join *j, const struct guest_rq *rq)
{
	const struct domain *backend = j->model->backend;

	return !gaps_within(&rq->base.disk->dom->gaps, rq->base.q_ns, rq->c_ns) &&
	       !(backend && gaps_within(&backend->gaps, rq->chain.q_ns, rq->chain.c_ns));
}

/* By the clocks dom0 began before the guest asked, or ended after the guest had it back. */
static bool out_of_order(const struct guest_rq *rq)
{
	return rq->chain.q_ns < rq->base.d_ns || rq->c_ns < rq->chain.c_ns;
}

/* What comes next may show that dom0's bio was another request's. */
static bool doubtful(const struct join *j, const struct guest_rq *rq)
{
	return unlikely(out_of_order(rq)) ||
	       unlikely(!list_empty(&j->wait_age) && place_contested(rq) &&
			sub_sat(rq->base.d_ns, 100 * JOIN_WAIT_NS) <
				join_disk(rq->base.disk)->first_d_ns);
}

/* What had its place to itself teaches which thread serves whom. */
static void learn(struct join *j, const struct guest_rq *rq)
{
	struct process *p;

	/* Of flushes nothing but their order is known. */
	if (unlikely(!rq->base.nr_sectors))
		return;
	join_disk(rq->base.disk)->ring_thread[rq->cpu % RING_CPUS] = rq->match_pid;
	if (rq->ring == RING_UNKNOWN || rq->base.flags & RQ_IN_ORDER)
		return;
	p = map_get(&j->model->backend->processes, rq->match_pid);
	if (p && p->ring == RING_UNKNOWN)
		p->ring = rq->ring;
}

static struct ending because(enum bin bin, const char *why)
{
	return (struct ending){.bin = bin, .why = why};
}

/*
 * When its thread went about it, and what had woken that, is of another request where
 * what was lost since then was that of this one.
 */
static void forget_other_way(const struct join *j, struct guest_rq *rq)
{
	const struct gaps *gaps = &j->model->backend->gaps;

	if (gaps_overlap(gaps, add_sat(rq->way.interrupt_ns, 1), rq->chain.q_ns))
		rq->way.interrupt_ns = 0;
	if (gaps_overlap(gaps, add_sat(rq->way.thread_ns, 1), rq->chain.q_ns))
		rq->way.thread_ns = 0;
}

/* All of it was seen: its stages. */
static void measure(struct join *j, struct guest_rq *rq)
{
	struct ending end = {.bin = BIN_JOINED, .why = "", .measured = true};
	int64_t stages[STAGE_MAX];
	uint64_t sum = 0;

	rq_stages(rq, stages);
	for (int i = 0; i < STAGE_PARTS; i++) {
		sum += (uint64_t)stages[i];
		if (unlikely(stages[i] < 0)) {
			end.bin = BIN_CAUSALITY;
			end.why = "the clocks have a stage end before it began";
		}
	}
	/* Each begins where the one before it ends. */
	assert(sum == (uint64_t)stages[STAGE_Q2C]);
	if (!place_contested(rq))
		learn(j, rq);
	if (unlikely(join_lossy(j, rq->base.disk->dom)))
		forget_other_way(j, rq);
	j->report.ended(j->report.ctx, rq, &end);
	rq_free(j, &rq->base);
}

/* A flush of it that dom0 queued, and which of the disk's queues served it is not known. */
static bool flush_untold(const struct guest_rq *rq)
{
	const struct list *n;

	for (n = rq->backend_bios.next; n != &rq->backend_bios; n = n->next) {
		const struct backend_bio *bio =
			list_entry(n, const struct backend_bio, match);
		const struct flushes *flushes = join_disk(bio->base.disk)->flushes;

		if (!bio->base.rq && !bio->base.nr_sectors && flushes &&
		    flushes->nr_queues > 1)
			return true;
	}
	return false;
}

/*
 * The flush that seems to have served it may not be the one that did, where dom0's disk
 * issued another one meanwhile, or ended one before this one was answered, or after.  A
 * response that is its own follows in the same breath on the flush that was.
 */
static bool other_flush(const struct guest_rq *rq)
{
	const struct service *by = &rq->chain.by;
	const struct flush_times *f;
	uint64_t until_ns = rq->c_ns;

	if (rq->base.nr_sectors || !rq->served || rq->base.flags & RQ_OWN_FLUSH)
		return false;
	f = join_disk(by->disk)->flush_times;
	if (rq->way.response_ns)
		until_ns = rq->way.response_ns;
	if (rq->chain.c_ns > by->c_ns)
		until_ns = rq->chain.c_ns;
	if (out_of_order(rq) || flush_times_ended(f, by->c_ns, until_ns) ||
	    flush_times_others(f, by->c_ns))
		return true;
	return !(rq->base.flags & RQ_ANSWERED && rq->chain.c_ns == by->c_ns) &&
	       flush_times_several(f, rq->chain.q_ns, until_ns);
}

void judge_flush(struct guest_rq *rq)
{
	if (unlikely(!rq->base.nr_sectors) && rq->served && !rq->outstanding &&
	    !other_flush(rq))
		rq->base.flags |= RQ_OWN_FLUSH;
}

/* A flush of the queue's was under way when the trace began, for a Q not seen. */
static bool began_before(const struct guest_rq *rq)
{
	uint64_t unseen_ns = join_disk(rq->base.disk)->unseen_ns;

	return !rq->base.nr_sectors && unseen_ns &&
	       sub_sat(rq->base.d_ns, 10 * JOIN_WAIT_NS) < unseen_ns;
}

/* Nor is that of others of its disk about then: Qs are not recorded yet, or no more. */
static bool no_qs_then(const struct guest_rq *rq)
{
	return sub_sat(rq->base.d_ns, 10 * JOIN_WAIT_NS) <
	       join_disk(rq->base.disk)->no_q_ns;
}

/* What waited for the flush has gone on, what had data a little later. */
static bool all_told(const struct guest_rq *rq)
{
	return rq->nr_gone_on && told_queue_gone_on(rq) &&
	       !gaps_overlap(&rq->base.disk->dom->gaps, rq->c_ns,
			     add_sat(rq->c_ns, 10 * JOIN_WAIT_NS));
}

/*
 * A bio may have been on its way from its Q to the queue when a flush was issued, and be
 * one of the next flush.
 */
static __attribute__((noinline)) bool flushed_others(const struct guest_rq *rq)
{
	bool other = rq->nr_waiting != rq->nr_gone_on;

	if (rq->flush_told)
		return !all_told(rq);
	if (flush_first_doubtful(join_disk(rq->base.disk)->flushes, rq))
		return true;
	/* What ends with flushes may be left out of the trace. */
	if (!counts_of(rq->base.disk)->flush_ends)
		return other && rq->base.flags & RQ_UNSURE;
	return other || rq->base.flags & RQ_DOUBT;
}

static bool others_bios(const struct guest_rq *rq)
{
	return unlikely(!rq->base.nr_sectors) && flushed_others(rq);
}

/*
 * dom0's records of its disk may begin a little later than the guest's: those of the
 * whole trace, or where the guest came, or came again, while it went on.  What a guest
 * recorded before the capture took it up comes when dom0's part has been judged.
 */
static bool before_dom0s(const struct join *j, const struct guest_rq *rq)
{
	const struct domain *guest = rq->base.disk->dom, *backend = j->model->backend;
	uint64_t served_ns = join_disk(rq->base.disk)->served_ns;

	if (rq->base.d_ns < guest->behind_ns)
		return true;
	if (op_class(rq->base.op) == XBLK_OP_FLUSH)
		return false;
	if (backend->first_ns > rq->base.d_ns)
		return backend->first_ns != UINT64_MAX;
	return guest->begins_ns && (!served_ns || rq->base.d_ns < served_ns) &&
	       sub_sat(rq->base.d_ns, 100 * JOIN_WAIT_NS) < guest->begins_ns;
}

/* Nothing else explains it than that one of several was taken for another one. */
static const char *why_ambiguous(const struct guest_rq *rq)
{
	if (flush_untold(rq))
		return "which of dom0's queues did the flush is not told";
	if (!place_told_apart(rq))
		return "others were in flight at its place";
	if (other_flush(rq))
		return "another flush of dom0's may be the one that did it";
	if (others_bios(rq))
		return "bios may be of the flush before it or behind it";
	return NULL;
}

/*
 * Of one that has not come back, dom0's bios are its own: nothing else can explain what
 * was seen of them.  Of a flush, which of dom0's it is for shows when it ends.
 */
static bool followed(const struct join *j, const struct guest_rq *rq)
{
	const struct list *n;

	if (!rq->base.nr_sectors || !(rq->base.flags & RQ_MATCHED) ||
	    rq->base.flags & RQ_DROPPED || place_met_unseen(rq) ||
	    !place_told_apart(rq) || rq->base.d_ns < j->start_ns ||
	    rq->base.d_ns <= join_disk(rq->base.disk)->unseen_ns || before_dom0s(j, rq) ||
	    (place_contested(rq) && !list_empty(&j->wait_age)))
		return false;
	if (rq->served && rq->chain.q_ns < rq->base.d_ns)
		return false;
	for (n = rq->backend_bios.next; n != &rq->backend_bios; n = n->next) {
		if (list_entry(n, const struct backend_bio, match)->base.q_ns <
		    rq->base.d_ns)
			return false;
	}
	return !list_empty(&rq->backend_bios) || (rq->served && !rq->outstanding);
}

/* Why a request is not joined. */
static struct ending why_not(const struct join *j, const struct guest_rq *rq,
			     const struct verdict *span, bool at_end)
{
	const struct domain *guest = rq->base.disk->dom, *backend = j->model->backend;
	const char *why;

	if (clock_changed(j, rq))
		return because(BIN_CLOCK_CHANGE, "a clock was set anew meanwhile");
	if (!rq->base.disk->backing)
		return because(BIN_NOT_SERVED, "no traced blkback serves its disk");
	if (verdict_lost(j, span))
		return because(BIN_LOST, "records were lost about then");
	if ((rq->base.flags & RQ_NO_Q) && guest->evicted_bios)
		return because(BIN_EVICTED, "too many of the guest's were in flight");
	if ((rq->base.flags & RQ_DROPPED) &&
	    (backend->evicted_bios || backend->evicted_rqs))
		return because(BIN_EVICTED, "too many of dom0's were in flight");
	if (rq->base.flags & RQ_CONTRADICTION)
		return because(BIN_MALFORMED, "its records contradict each other");
	if (rq->base.flags & RQ_MISSED)
		return because(BIN_MALFORMED,
			       "a record of it is missing, and none is told lost");
	if (rq->base.flags & RQ_NO_Q && no_qs_then(rq))
		return because(BIN_BEFORE_TRACE, "its Q is not in the trace");
	if (rq->base.flags & RQ_AMBIGUOUS)
		return because(BIN_AMBIGUOUS, "which of dom0's bios are its is not told");
	if (rq->base.flags & RQ_NO_Q)
		return because(BIN_BEFORE_TRACE, "its Q is not in the trace");
	if (!(rq->base.flags & RQ_COMPLETED)) {
		if (at_end)
			return because(BIN_IN_FLIGHT, "it has not come back");
		if (rqs_full(j, guest))
			return because(BIN_EVICTED,
				       "too many of the guest's were in flight");
		return because(BIN_MALFORMED, "its end is missing");
	}
	if (began_before(rq))
		return because(BIN_BEFORE_TRACE, "a flush was under way at the start");
	/* dom0's part of it may be in the file before. */
	if (place_met_unseen(rq) || rq->base.d_ns < j->start_ns)
		return because(BIN_BEFORE_TRACE,
			       "one was under way at its place at the start");
	why = why_ambiguous(rq);
	if (why)
		return because(BIN_AMBIGUOUS, why);
	/* Of a flush's bio it is not told which request did it. */
	if (rq->nr_backend_bios && !rq->base.nr_sectors)
		return because(BIN_AMBIGUOUS,
			       "which of dom0's flushes did it is not told");
	/* A bio of one at another place may have seemed to be its, and the next one's. */
	if (rq->base.d_ns <= join_disk(rq->base.disk)->unseen_ns)
		return because(BIN_BEFORE_TRACE,
			       "one of before the trace may have got its bios");
	if (rq->nr_backend_bios)
		return because(BIN_INCOMPLETE, "dom0 showed only a part of it");
	if (before_dom0s(j, rq))
		return because(BIN_BEFORE_TRACE, "dom0's part of the trace begins later");
	return because(BIN_NO_BACKEND_IO, "dom0 did no I/O for it");
}

/*
 * A loss in which a request came back and was issued again leaves no trace of
 * that, so where requests do come back a loss meanwhile is taken for one.
 */
static bool may_hide_requeue(const struct join *j, const struct guest_rq *rq)
{
	const struct disk_counts *counts = counts_of(rq->base.disk);
	uint64_t off = model_uncertainty(j->model, rq->base.disk->dom);

	if (counts->guest.requeues &&
	    gaps_overlap(&rq->base.disk->dom->gaps, rq->base.d_ns, rq->c_ns))
		return true;
	return counts->backend.requeues &&
	       gaps_overlap(&j->model->backend->gaps, sub_sat(rq->base.d_ns, off),
			    add_sat(rq->c_ns, off));
}

/* When a loss would concern it. */
static struct verdict span_of(const struct join *j, const struct guest_rq *rq)
{
	struct verdict span = verdict_span(j, rq);

	/* It may have been upset by what was lost of a request before it. */
	if (place_contested(rq)) {
		span.guest_from = sub_sat(span.guest_from, JOIN_WAIT_NS);
		span.backend_from = sub_sat(span.backend_from, JOIN_WAIT_NS);
	}
	return span;
}

/* Of a flush: what it was for, or by which of dom0's it was served, may be another's. */
static bool doubtful_flush(const struct guest_rq *rq)
{
	return unlikely(!rq->base.nr_sectors) &&
	       (began_before(rq) || other_flush(rq) || others_bios(rq));
}

/* Nothing that was lost explains it either. */
static __attribute__((noinline)) bool certain_of_losses(const struct join *j,
							const struct guest_rq *rq)
{
	struct verdict span;

	if (!unbroken(j, rq) || may_hide_requeue(j, rq))
		return false;
	span = span_of(j, rq);
	/* By which of dom0's flushes one was served, what ends behind these tells. */
	return (rq->base.nr_sectors && !place_contested(rq)) || !verdict_lost(j, &span);
}

/* All of it was seen, and nothing else can explain what was seen. */
static bool certain(const struct join *j, const struct guest_rq *rq)
{
	if (unlikely(!complete(rq) || rq->base.flags & RQ_AMBIGUOUS ||
		     clock_changed(j, rq) || place_met_unseen(rq) ||
		     !place_told_apart(rq) || doubtful_flush(rq)))
		return false;
	return !unlikely(join_lossy(j, rq->base.disk->dom)) || certain_of_losses(j, rq);
}

bool judge_ready(const struct join *j, const struct guest_rq *rq)
{
	return complete(rq) && !doubtful(j, rq);
}

/* Another one may have got what it has not. */
static bool lacks_some(const struct guest_rq *rq, enum bin bin)
{
	return bin == BIN_INCOMPLETE || bin == BIN_NO_BACKEND_IO ||
	       (bin == BIN_AMBIGUOUS && !(rq->base.flags & RQ_MATCHED));
}

/* Something of it was not seen, or can be explained otherwise. */
static __attribute__((noinline)) void give_no_stages(struct join *j, struct guest_rq *rq,
						     bool at_end)
{
	struct verdict span = span_of(j, rq);
	struct ending end = why_not(j, rq, &span, at_end);

	end.followed = end.bin == BIN_IN_FLIGHT && followed(j, rq);
	if (lacks_some(rq, end.bin))
		place_upset(rq);
	verdict_keep(j, &span, end.bin, j->report.ended(j->report.ctx, rq, &end));
	rq_free(j, &rq->base);
}

void judge_give_up(struct join *j, struct guest_rq *rq, bool at_end)
{
	/* blkback refused it, and what it seems to have is another's. */
	if (unlikely(rq->base.error && complete(rq) && !rq->backend_error))
		place_upset(rq);
	if (likely(certain(j, rq)))
		measure(j, rq);
	else
		give_no_stages(j, rq, at_end);
}

void judge_orphan(struct join *j, struct disk *disk, const struct xblk_record *r)
{
	struct domain *guest = disk->dom;
	struct guest_rq rq = {
		.base =
			{
				.disk = disk,
				.op = r->op,
				.sector = r->sector,
				.nr_sectors = r->nr_sectors,
				.q_ns = r->time,
				.d_ns = r->time,
				.error = r->aux,
				.flags = RQ_COMPLETED | RQ_NO_Q,
			},
		.c_ns = r->time,
		.ring = RING_UNKNOWN,
	};
	struct verdict span = verdict_span(j, &rq);
	struct ending end = because(BIN_BEFORE_TRACE, "only its end is in the trace");

	join_completed(j, disk, SIDE_GUEST, &rq.base, r->time);
	/* It was told of when it went; whichever it was, each is told of once. */
	if (join_disk(disk)->evicted) {
		join_disk(disk)->evicted--;
		return;
	}
	/* What dom0 lost does not explain it. */
	span.backend_from = UINT64_MAX;
	span.backend_to = 0;
	if (gaps_overlap(&guest->gaps, 0, r->time))
		end = because(BIN_LOST, "records were lost before its end");
	else
		place_note_unseen(j, disk, r);
	verdict_keep(j, &span, end.bin, j->report.ended(j->report.ctx, &rq, &end));
}
