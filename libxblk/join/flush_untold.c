// SPDX-License-Identifier: GPL-2.0-only
#include "join/flush_untold.h"

#include "base/gaps.h"
#include "base/map.h"
#include "base/op.h"
#include "base/util.h"
#include "input/merge.h"
#include "join/bio.h"
#include "join/clones.h"
#include "join/disk.h"
#include "join/flush.h"
#include "join/flush_times.h"
#include "join/life.h"
#include "join/rq.h"
#include "join/state.h"
#include "join/verdict.h"

static void take_bio(struct rq *rq, struct bio *bio)
{
	rq_take(rq, bio);
	if (bio->q_ns < rq->q_ns)
		rq->q_ns = bio->q_ns;
	rq_credit(rq, bio->guest_disk);
}

/* It was served by one of the queue's earlier requests: which one was not known then. */
static void miss_bio(struct join *j, struct bio *bio)
{
	bio_mark(bio, BIO_AMBIGUOUS);
	bio_forget(j, bio);
}

/*
 * The disk has a second queue, that of @rq: what waited on its CPU, and went to the only
 * one that was known, is @rq's.  Of other CPUs' it is not known.
 */
static void part_bios(struct join *j, struct rq *rq, const struct flushes *flushes)
{
	struct rq *first = map_get(&rq->disk->dom->rqs, flushes->queues[0].rq);
	struct list *n, *next;

	if (!first || first->disk != rq->disk)
		return;
	first->q_ns = first->d_ns;
	for (n = first->bios.next; n != &first->bios; n = next) {
		struct bio *bio = list_entry(n, struct bio, in_rq);
		int queue = flushes->queue_of[bio->cpu];

		next = n->next;
		if (queue == 0) {
			first->q_ns = min_u64(first->q_ns, bio->q_ns);
			continue;
		}
		first->nr_bios--;
		if (queue < 0)
			miss_bio(j, bio);
		else
			take_bio(rq, bio);
	}
}

/*
 * None waits for what is issued: a thread may have gone to another CPU between its Q and
 * the choice of the queue, or it is the flush behind a write.  Or some do on CPUs of
 * which it is not known whether they are its.  So it is not known who is served.
 */
static void doubt_bios(struct flushes *flushes)
{
	for (unsigned int i = 0; i < FLUSH_CPUS; i++) {
		struct list *n, *waiting = &flushes->bios[i];

		for (n = waiting->next; n != waiting; n = n->next)
			bio_mark(list_entry(n, struct bio, in_rq), BIO_AMBIGUOUS);
	}
}

void flush_untold_issue_backend(struct join *j, struct rq *rq, uint32_t cpu)
{
	struct flushes *flushes = disk_flushes(rq->disk);
	unsigned int nr_queues = flushes->nr_queues;
	bool known = flushes->queue_of[cpu % FLUSH_CPUS] >= 0;
	struct flush_served by = {0};

	if (!flush_issued_backend(flushes, cpu, rq, &by) || by.unsure)
		doubt_bios(flushes);
	if (!known && nr_queues == 1 && flushes->nr_queues == 2)
		part_bios(j, rq, flushes);
	for (unsigned int i = 0; i < FLUSH_CPUS; i++) {
		struct list *waiting = &flushes->bios[i];

		while (by.cpus >> i & 1 && !list_empty(waiting)) {
			struct bio *bio = list_entry(waiting->next, struct bio, in_rq);

			if (bio->lowest_q_ns < by.since_ns)
				miss_bio(j, bio);
			else
				take_bio(rq, bio);
		}
	}
}

/*
 * None waits for it.  A bio may have been on its way from its Q to the queue when the
 * queue's flush before was issued, and seemed to be that one's; or its Q was before the
 * trace, or is a write's, which are not recorded.
 */
static void miss_q(const struct join *j, struct guest_rq *rq,
		   const struct flush_served *by)
{
	const struct join_disk *disk = join_disk(rq->base.disk);

	rq->base.flags |= RQ_NO_Q;
	if (by->since_ns && by->before)
		by->before->base.flags |= RQ_AMBIGUOUS;
	if (!j->model->no_writes &&
	    (!by->since_ns || sub_sat(rq->base.d_ns, 10 * JOIN_WAIT_NS) < disk->no_q_ns))
		return;
	rq->base.flags |= RQ_AMBIGUOUS;
}

/* Whether a Q that was not seen may wait for a flush yet. */
static bool may_wait_unseen(const struct join *j, const struct guest_rq *rq)
{
	return sub_sat(rq->base.d_ns, 100 * JOIN_WAIT_NS) <
	       join_unseen_until(j, rq->base.disk->dom, rq->base.d_ns);
}

/* Which of them it is for, their CPUs and numbers are to tell. */
static void drop_bios(struct join *j, struct flushes *flushes)
{
	for (unsigned int i = 0; i < FLUSH_CPUS; i++) {
		struct list *waiting = &flushes->bios[i];

		while (!list_empty(waiting))
			bio_free(j, list_entry(waiting->next, struct bio, in_rq));
	}
}

void flush_untold_issue(struct join *j, struct guest_rq *rq, uint32_t cpu)
{
	struct flush_served by = {.q_ns = rq->base.d_ns};
	struct disk *disk = rq->base.disk;
	struct flushes *flushes = disk_flushes(disk);
	bool lossy = gaps_overlap(&disk->dom->gaps, flush_since(flushes, rq->base.id),
				  rq->base.d_ns);
	const struct flush_seen seen = {
		.counted = !lossy,
		.all_waiting = !j->model->no_writes && !may_wait_unseen(j, rq),
	};

	drop_bios(j, flushes);
	flush_issued(flushes, cpu, rq, &seen, &by);
	if (!by.any && !by.through)
		miss_q(j, rq, &by);
	if (by.unsure)
		rq->base.flags |= RQ_UNSURE;
	if (by.doubt)
		rq->base.flags |= RQ_DOUBT;
	/* What was queued before the trace goes on behind it, too. */
	if ((by.unsure && !by.since_ns) || by.any_queue)
		rq->base.flags |= RQ_AMBIGUOUS;
	rq->base.q_ns = by.q_ns;
	rq->base.pid = by.pid;
	rq->nr_waiting = by.nr;
	/* That Q may be an earlier flush's, whose D is missing, or an earlier Q this
	 * one's. */
	if (lossy || gaps_overlap(&disk->dom->gaps, rq->base.q_ns, rq->base.d_ns))
		rq->base.flags |= RQ_NO_Q;
}

void flush_untold_gone_on(const struct disk *disk, uint32_t cpu, const struct bio *bio)
{
	struct flushes *flushes = join_disk(disk)->flushes;
	struct guest_rq *flush = flushes ? flush_before(flushes, cpu, bio->q_ns) : NULL;

	if (flush)
		flush_gone_on(flushes, flush);
}

void flush_untold_doubt(const struct disk *disk, uint32_t cpu)
{
	const struct flushes *flushes = join_disk(disk)->flushes;

	if (flushes)
		flush_doubt_last(flushes, cpu);
}

void flush_untold_ended(const struct stream *s, const struct disk *disk,
			const struct guest_rq *rq)
{
	struct flushes *flushes = join_disk(disk)->flushes;
	struct guest_rq *flush = flush_last(flushes, s->flush_id);

	if (flush && !rq && s->flush_id)
		flush_gone_on(flushes, flush);
}

void flush_untold_done(struct stream *s, const struct rq *rq)
{
	const struct flush_times *f = join_disk(rq->disk)->flush_times;

	s->flush_id = rq->id;
	s->flush_disk = rq->disk->index;
	s->flush_nr = f ? f->nr_done : 0;
}

void flush_untold_count(struct stream *s, const struct disk *disk,
			const struct xblk_record *r)
{
	if (r->nr_sectors || op_class(r->op) == XBLK_OP_FLUSH)
		s->flush_id = 0;
	if (s->flush_id && s->flush_disk == disk->index && !s->dom->tells_flushes)
		flush_times_count(join_disk(disk)->flush_times, s->flush_nr);
}
