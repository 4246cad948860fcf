// SPDX-License-Identifier: GPL-2.0-only
#include "join/flush_told.h"

#include "base/map.h"
#include "base/op.h"
#include "base/util.h"
#include "input/merge.h"
#include "join/bio.h"
#include "join/bios.h"
#include "join/clones.h"
#include "join/life.h"
#include "join/rq.h"
#include "join/state.h"
#include "join/told_queues.h"

static void issued(struct disk *disk, const struct xblk_record *r)
{
	struct rq *rq = map_get(&disk->dom->rqs, r->id);
	struct told_queue *q = told_queue_get(disk, (uint32_t)r->sector), *old;

	if (!rq || rq->disk != disk || op_class(rq->op) != XBLK_OP_FLUSH)
		return;
	/* Once more. */
	if (q->rq == r->id && q->d_ns == rq->first_d_ns)
		return;
	/* A disk's queues may be made anew, and one have what was another one's. */
	old = told_queue_by_rq(disk, r->id);
	if (old)
		old->rq = 0;
	q->rq = r->id;
	q->d_ns = rq->first_d_ns;
	if (disk->dom->backend)
		rq_credit(rq, q->first ? q->first : q->nr_waiting[1] ? q->newest : NULL);
	q->first = NULL;
	told_queue_turn(q);
	if (disk->dom->backend)
		return;
	q->before = q->last;
	q->last = guest_rq(rq);
	if (!q->unseen)
		return;
	q->unseen--;
	rq->flags |= RQ_AMBIGUOUS | RQ_NO_Q;
}

/* With @rq, which is not issued itself unless it has data. */
static void waits(struct join *j, struct bio *bio, uint32_t rq)
{
	struct map *waiting = &bio->disk->dom->flush_waits;
	struct bio *before = map_get(waiting, rq);

	bio->waits.rq = rq;
	bio->flags |= BIO_WAITS;
	map_set(waiting, rq, bio);
	if (before)
		bio_forget(j, before);
}

static void queued(struct join *j, struct disk *disk, const struct xblk_record *r)
{
	struct bio *bio = map_get(&disk->dom->bios, r->aux);
	struct told_queue *q = told_queue_get(disk, (uint32_t)r->sector);

	if (!bio || bio->disk != disk || bio->rq || bio->flags & BIO_WAITS) {
		/* For the next flush, or if the block layer had chosen, the one behind. */
		q->unseen = 2;
		return;
	}
	if (bio->nr_sectors && disk->dom->backend)
		return;
	bio->waits.queue = q->id;
	if (bio->nr_sectors && !(bio->op & XBLK_OP_F_PREFLUSH))
		return;
	if (bio->nr_sectors) {
		bio->flags |= BIO_FLUSHED_FIRST;
		told_queue_wait(q, bio);
		return;
	}
	list_del(&bio->in_rq);
	list_init(&bio->in_rq);
	if (bio->guest_disk) {
		told_queue_wait(q, bio);
		q->newest = bio->guest_disk;
		if (!q->first)
			q->first = bio->guest_disk;
	}
	waits(j, bio, r->id);
}

void flush_told(struct join *j, struct stream *s, const struct xblk_record *r)
{
	struct disk *disk = domain_disk(s->dom, r->disk);

	s->dom->tells_flushes = true;
	if (!disk)
		return;
	if (r->aux)
		queued(j, disk, r);
	else
		issued(disk, r);
}

void flush_told_issue(struct guest_rq *rq)
{
	rq->base.q_ns = rq->base.d_ns;
	rq->flush_told = true;
}

void flush_told_done(const struct stream *s, const struct rq *rq)
{
	struct told_queue *q = told_queue_by_rq(rq->disk, s->flush_id);

	if (!q)
		return;
	q->served = (struct service){
		.disk = rq->disk,
		.d_ns = rq->first_d_ns,
		.requeued_ns = rq->requeued_ns,
		.c_ns = s->done_ns,
		.requeues = rq->requeues,
	};
	q->error = rq->error;
}

void flush_told_behind(struct join *j, struct guest_rq *rq)
{
	struct bio *bio = list_entry(rq->base.bios.next, struct bio, in_rq);

	list_del(&bio->in_rq);
	list_init(&bio->in_rq);
	bio->rq = NULL;
	waits(j, bio, rq->base.id);
}

/*
 * @bio was one of those that @rq was for; NULL: one whose beginning was not seen.  For a
 * write that is flushed behind (@behind) nobody had asked.
 */
static void went_on(struct guest_rq *rq, const struct bio *bio, bool behind)
{
	rq->nr_gone_on++;
	if (!bio || bio->q_ns > rq->base.d_ns) {
		rq->base.flags |= RQ_NO_Q;
		return;
	}
	if (!behind && bio->q_ns < rq->base.q_ns) {
		rq->base.q_ns = bio->q_ns;
		rq->base.pid = bio->pid;
	}
}

void flush_told_issued(struct bio *bio)
{
	struct told_queue *q;

	if (!(bio->flags & BIO_FLUSHED_FIRST)) {
		told_queues_doubt(bio->disk, bio->q_ns);
		return;
	}
	bio->flags &= ~BIO_FLUSHED_FIRST;
	q = told_queue_find(bio->disk, bio->waits.queue);
	if (!q)
		return;
	told_queue_go(q, bio);
	if (!q->last)
		return;
	/*
	 * The block layer issues no other one of the queue meanwhile, unless these take
	 * five seconds (FLUSH_PENDING_TIMEOUT).
	 */
	if (!(q->last->base.flags & RQ_COMPLETED))
		q->last->base.flags |= RQ_AMBIGUOUS;
	else if (bio->q_ns <= q->last->base.d_ns)
		went_on(q->last, bio, false);
}

/* A bio of the backend's that is no part of a request ends with @q's. */
static void serve(struct join *j, struct stream *s, struct told_queue *q,
		  struct backend_bio *bio)
{
	map_del(&bio->base.disk->dom->flush_waits, bio->base.waits.rq, &bio->base);
	bio->base.flags &= ~BIO_WAITS;
	if (bio->base.guest_disk)
		told_queue_go(q, &bio->base);
	bio_root(&bio->base)->flags |= BIO_ISSUED;
	bio->base.flags |= BIO_FLUSH_TOLD;
	bio->base.c_ns = 0;
	j->now = s;
	bio_served(j, bio, &q->served, q->error);
}

/* What ended last in @s, dom0's, is the flush that @q issued last. */
static bool served_here(const struct stream *s, const struct told_queue *q)
{
	return q->served.disk && q->served.c_ns == s->done_ns &&
	       q->served.d_ns == q->d_ns;
}

/* The guest's flush request that has just ended in @s; or NULL. */
static struct guest_rq *ended_here(const struct stream *s, const struct told_queue *q)
{
	struct guest_rq *rq = q ? q->last : NULL;

	if (!rq || rq->base.id != s->flush_id || !(rq->base.flags & RQ_COMPLETED))
		return NULL;
	return rq;
}

bool flush_told_ended(struct join *j, struct stream *s, struct disk *disk,
		      const struct xblk_record *r)
{
	struct bio *bio = map_get(&s->dom->flush_waits, r->id);
	struct told_queue *q, *in;
	struct guest_rq *rq;

	if (!bio || bio->disk != disk)
		return false;
	q = told_queue_by_rq(disk, s->flush_id);
	if (q && !bio->nr_sectors && bio->waits.queue != q->id)
		q = NULL;
	if (!s->dom->backend) {
		rq = ended_here(s, q);
		in = told_queue_find(disk, bio->waits.queue);
		if (rq)
			went_on(rq, bio, bio->nr_sectors);
		else if (in && !bio->nr_sectors)
			told_queue_doubt(in, bio->q_ns);
		bio_free(j, bio);
	} else if (q && served_here(s, q)) {
		serve(j, s, q, backend_bio(bio));
	} else {
		bio_forget(j, bio);
	}
	return true;
}

void flush_told_failed(const struct stream *s, const struct disk *disk)
{
	struct guest_rq *rq = ended_here(s, told_queue_by_rq(disk, s->flush_id));

	if (rq)
		rq->base.flags |= RQ_AMBIGUOUS;
}

void flush_told_ended_unseen(const struct join *j, const struct stream *s,
			     const struct disk *disk)
{
	struct guest_rq *rq = ended_here(s, told_queue_by_rq(disk, s->flush_id));

	if (!rq)
		return;
	went_on(rq, NULL, false);
	if (j->model->no_writes)
		rq->base.flags |= RQ_AMBIGUOUS;
}
