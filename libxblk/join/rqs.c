// SPDX-License-Identifier: GPL-2.0-only
#include "join/rqs.h"

#include "base/gaps.h"
#include "base/map.h"
#include "base/op.h"
#include "base/util.h"
#include "input/merge.h"
#include "join/bio.h"
#include "join/bios.h"
#include "join/clones.h"
#include "join/disk.h"
#include "join/flush.h"
#include "join/flush_times.h"
#include "join/flush_told.h"
#include "join/flush_untold.h"
#include "join/judge.h"
#include "join/life.h"
#include "join/match.h"
#include "join/place.h"
#include "join/rq.h"
#include "join/state.h"
#include "join/told_queues.h"
#include "join/way.h"

/* What ended it was missed. */
static void rq_forget(struct join *j, struct rq *rq)
{
	if (!rq->disk->dom->backend) {
		judge_give_up(j, guest_rq(rq), false);
		return;
	}
	while (!list_empty(&rq->bios))
		bio_forget(j, list_entry(rq->bios.next, struct bio, in_rq));
	rq_free(j, rq);
}

/* It is to be issued again: its bios will be named, but for those of a flush. */
static void rq_back(struct join *j, struct rq *rq, bool is_flush)
{
	if (!rq->disk->dom->backend)
		place_detach(j, guest_rq(rq));
	while (!is_flush && !list_empty(&rq->bios)) {
		struct bio *bio = list_entry(rq->bios.next, struct bio, in_rq);

		bio->rq = NULL;
		list_del(&bio->in_rq);
		rq->nr_bios--;
	}
	rq->done_sectors = 0;
	rq->bio_sectors = 0;
}

/* Another one has its bios now, or will. */
static void rq_dissolve(struct join *j, struct rq *rq)
{
	rq_back(j, rq, false);
	rq_free(j, rq);
}

/*
 * @rq came back and was merged with another one, by what the records at @ns show: merges
 * have none.  Where others were lost, it may have ended in another way; and what has no
 * bios is merged with nothing.
 */
static bool merged_untold(const struct rq *rq, uint64_t ns)
{
	const struct domain *dom = rq->disk->dom;

	return rq->flags & RQ_REQUEUED && dom->no_merges && rq->first_bio &&
	       !gaps_overlap(&dom->gaps, rq->requeue_ns, ns);
}

/* As make_way() of bios. */
static __attribute__((noinline)) void **make_way(struct join *j, struct domain *dom,
						 const struct xblk_record *r,
						 struct rq *stale)
{
	if (stale && merged_untold(stale, r->time)) {
		rq_dissolve(j, stale);
	} else if (stale) {
		dom->stale_rqs++;
		rq_forget(j, stale);
	}
	if (rqs_full(j, dom)) {
		struct rq *oldest = list_entry(dom->rq_age.next, struct rq, age);

		if (!(oldest->flags & RQ_COMPLETED)) {
			dom->evicted_rqs++;
			join_disk(oldest->disk)->evicted++;
		}
		rq_forget(j, oldest);
	}
	return map_place(&dom->rqs, r->id);
}

static inline void begin_guest_rq(const struct join *j, const struct domain *dom,
				  struct guest_rq *rq)
{
	rq->clock_generation = dom->clock_generation;
	if (j->model->backend)
		rq->backend_clock_generation = j->model->backend->clock_generation;
	rq->ring = RING_UNKNOWN;
	list_init(&rq->backend_bios);
	list_init(&rq->match);
	list_init(&rq->respond);
}

/* @place: where the map has its identity; @backend: as its domain's, a constant. */
static inline struct rq *rq_new(struct join *j, struct disk *disk,
				const struct xblk_record *r, void **place, bool backend)
{
	struct domain *dom = disk->dom;
	struct rq *rq;

	if (unlikely(*place || rqs_full(j, dom)))
		place = make_way(j, dom, r, *place);
	rq = backend ? pool_get(&j->backend_rqs, RQ_CLEAR)
		     : pool_get(&j->rqs, GUEST_RQ_CLEAR);
	*place = rq;
	rq->disk = disk;
	rq->id = r->id;
	rq->q_ns = UINT64_MAX;
	list_init(&rq->bios);
	if (!backend)
		begin_guest_rq(j, dom, guest_rq(rq));
	list_add_tail(&dom->rq_age, &rq->age);
	dom->nr_rqs++;
	j->guest_rqs += !backend;
	return rq;
}

/* Not containment: after a partial completion only the rest is issued again. */
static bool overlaps(const struct rq *rq, uint64_t sector, uint32_t nr)
{
	return sector < rq->sector + rq->nr_sectors && rq->sector < sector + nr;
}

static bool bio_fits(const struct rq *rq, const struct bio *bio)
{
	if (unlikely(bio->disk != rq->disk || !same_class(bio->op, rq->op)))
		return false;
	/* Its request is never issued. */
	if (unlikely(bio->flags & BIO_WAITS))
		return false;
	if (likely(bio->sector == rq->sector && rq->nr_sectors))
		return true;
	/* The ranges of one discard request need not touch. */
	return op_class(rq->op) == XBLK_OP_DISCARD || !bio->nr_sectors ||
	       overlaps(rq, bio->sector, bio->nr_sectors);
}

/*
 * Another request has it that was not seen to end: of a guest's, the identity was used
 * again.  A multipath device of dom0's may have moved it, but when is not known.
 */
static bool is_anothers(struct join *j, const struct rq *rq, struct bio *bio)
{
	if (!unlikely(bio->rq))
		return false;
	if (merged_untold(bio->rq, rq->d_ns)) {
		rq_dissolve(j, bio->rq);
		return false;
	}
	if (!rq->disk->dom->backend)
		return true;
	bio_mark(bio, BIO_AMBIGUOUS);
	return false;
}

static inline void take_bio(struct join *j, struct rq *rq, uint32_t id)
{
	struct domain *dom = rq->disk->dom;
	struct bio *bio = map_get(&dom->bios, id);

	if (unlikely(!bio)) {
		rq->flags |= RQ_NO_Q;
		return;
	}
	if (unlikely(!bio_fits(rq, bio) || is_anothers(j, rq, bio))) {
		dom->stale_bios++;
		rq->flags |= RQ_CONTRADICTION | RQ_NO_Q;
		bio_forget(j, bio);
		return;
	}
	if (unlikely(bio->flags & BIO_NO_Q))
		rq->flags |= RQ_NO_Q;
	if (unlikely(bio->flags & BIO_AMBIGUOUS))
		rq->flags |= RQ_AMBIGUOUS;
	rq_take(rq, bio);
	if (bio->q_ns < rq->q_ns) {
		rq->q_ns = bio->q_ns;
		rq->pid = bio->pid;
	}
	rq_credit(rq, bio->guest_disk);
}

/* The request is the block layer's own: no bio names what it is for. */
static bool is_flush_issue(const struct xblk_record *r)
{
	return unlikely(!r->aux) && op_class(r->op) == XBLK_OP_FLUSH;
}

/* What waited for a flush has data and is issued behind it: that shows whose it was. */
static void note_flushed(const struct guest_rq *rq, uint32_t cpu)
{
	struct bio *bio;

	if (unlikely(list_empty(&rq->base.bios))) {
		if (op_class(rq->base.op) == XBLK_OP_WRITE) {
			told_queues_doubt(rq->base.disk, 0);
			flush_untold_doubt(rq->base.disk, cpu);
		}
		return;
	}
	bio = list_entry(rq->base.bios.next, struct bio, in_rq);
	if (likely(!(bio->op & XBLK_OP_F_PREFLUSH)))
		return;
	if (rq->base.disk->dom->tells_flushes) {
		flush_told_issued(bio);
		return;
	}
	flush_untold_gone_on(rq->base.disk, cpu, bio);
}

/* Whether @r issues @rq once more, rather than another one of the same id. */
static bool is_reissue(const struct rq *rq, const struct disk *disk,
		       const struct xblk_record *r)
{
	const struct bio *bio = r->aux ? map_get(&disk->dom->bios, r->aux) : NULL;

	if (rq->disk != disk || !same_class(rq->op, r->op))
		return false;
	/* Without its R only where none was lost: ids are used again. */
	if (bio && bio->rq == rq)
		return (rq->flags & RQ_REQUEUED) ||
		       !gaps_overlap(&disk->dom->gaps, rq->d_ns, r->time);
	return (rq->flags & RQ_REQUEUED) &&
	       (rq->first_bio == r->aux || overlaps(rq, r->sector, r->nr_sectors));
}

/*
 * @rq is issued once more.  Of a guest's, the last issue counts.  But since when dom0's
 * queue had it again is not known if it was not seen to come back; and if its first bio
 * is younger than it, it may be another one, and all that ended it was missed.  Without
 * records of merges that may be so with each first bio that it did not have: others may
 * have been put before its own, or it was put to others and its identity is used again.
 */
static void come_again(struct rq *rq, const struct xblk_record *r)
{
	const struct bio *bio = map_get(&rq->disk->dom->bios, r->aux);
	bool first = r->aux != rq->first_bio && bio;
	bool other = first && bio->q_ns > rq->d_ns;

	if (first && bio->rq != rq && rq->disk->dom->no_merges)
		rq->flags |= rq->disk->dom->backend ? RQ_MISSED : RQ_AMBIGUOUS;

	if (rq->flags & RQ_REQUEUED)
		rq->requeued_ns += sub_sat(r->time, rq->requeue_ns);
	else
		rq->requeues++;
	if (rq->disk->dom->backend && (other || !(rq->flags & RQ_REQUEUED)))
		rq->flags |= RQ_MISSED;
	rq->flags &= ~RQ_REQUEUED;
	/* What came back as a whole names all of its bios. */
	if (r->aux && !rq->done_sectors)
		rq->q_ns = UINT64_MAX;
}

/* The request that is issued, with its bio if it names one; @again: it came back. */
static inline struct rq *issue(struct join *j, struct stream *s,
			       const struct xblk_record *r, bool *again, bool backend)
{
	struct domain *dom = s->dom;
	struct disk *disk = domain_disk(dom, r->disk);
	void **place;
	struct rq *rq;

	s->rq_open = false;
	if (unlikely(!disk))
		return NULL;
	place = map_place(&dom->rqs, r->id);
	rq = *place;
	*again = unlikely(rq) && is_reissue(rq, disk, r);
	if (likely(!*again)) {
		rq = rq_new(j, disk, r, place, backend);
		rq->first_d_ns = r->time;
	} else {
		come_again(rq, r);
		rq_back(j, rq, is_flush_issue(r));
	}
	rq->op = r->op;
	rq->sector = r->sector;
	rq->nr_sectors = r->nr_sectors;
	rq->d_ns = r->time;
	rq->first_bio = r->aux;
	if (likely(r->aux))
		take_bio(j, rq, r->aux);
	s->rq_open = true;
	s->rq_id = r->id;
	s->rq_ns = r->time;
	return rq;
}

void rq_issue_guest(struct join *j, struct stream *s, const struct xblk_record *r)
{
	struct join_disk *disk;
	bool again;
	struct guest_rq *rq = guest_rq(issue(j, s, r, &again, false));

	if (unlikely(!rq))
		return;
	if (likely(!again)) {
		merge_count_issued(&counts_of(rq->base.disk)->guest, r->nr_sectors);
		if (!is_flush_issue(r))
			note_flushed(rq, s->cpu);
		else if (s->dom->tells_flushes)
			flush_told_issue(rq);
		else
			flush_untold_issue(j, rq, s->cpu);
	}
	if (unlikely(rq->base.q_ns == UINT64_MAX))
		rq->base.q_ns = r->time;
	disk = join_disk(rq->base.disk);
	if (!disk->first_d_ns || r->time < disk->first_d_ns)
		disk->first_d_ns = r->time;
	if (unlikely(rq->base.flags & RQ_NO_Q && rq->base.nr_sectors))
		disk->no_q_ns = r->time;
	flush_times_issued(&rq->base);
	if (rq->base.disk->dom->orders)
		rq->base.flags |= RQ_UNORDERED;
	place_enter(j, rq, s->cpu);
	match_rq(j, rq);
}

void rq_order(struct join *j, struct stream *s, const struct xblk_record *r)
{
	struct guest_rq *rq = guest_rq(map_get(&s->dom->rqs, r->id));
	struct flushes *flushes;

	s->dom->orders = true;
	if (!rq || rq->base.disk->index != r->disk || rq->ring != RING_UNKNOWN ||
	    rq->base.flags & RQ_REQUEUED || r->nr_sectors > UINT16_MAX)
		return;
	rq->ring = r->nr_sectors;
	rq->ordinal = r->aux;
	flushes = join_disk(rq->base.disk)->flushes;
	if (unlikely(flushes))
		flush_note_ring(flushes, s->cpu, rq->ring);
	match_ordered(j, rq);
}

void rq_issue_backend(struct join *j, struct stream *s, const struct xblk_record *r)
{
	bool again;
	struct rq *rq = issue(j, s, r, &again, true);

	if (!rq)
		return;
	if (is_flush_issue(r) && !s->dom->tells_flushes)
		flush_untold_issue_backend(j, rq, s->cpu);
	if (unlikely(rq->q_ns == UINT64_MAX))
		rq->q_ns = r->time;
	flush_times_issued(rq);
}

void rq_skim(struct stream *s, const struct xblk_record *r)
{
	struct disk *disk = domain_disk(s->dom, r->disk);

	if (r->event == XBLK_EV_FLUSH_QUEUE)
		s->dom->tells_flushes = true;
	if (r->event == XBLK_EV_ISSUE && is_flush_issue(r) && disk)
		flush_known(disk_flushes(disk), s->cpu, r->id, r->time);
}

void rq_part(struct join *j, struct stream *s, const struct xblk_record *r)
{
	struct rq *rq;

	if (!s->rq_open || s->rq_id != r->id)
		return;
	rq = map_get(&s->dom->rqs, r->id);
	if (rq)
		take_bio(j, rq, r->aux);
}

/* One of dom0's comes back whose issue, from when on the driver had it, is not there. */
static struct rq *issued_unseen(struct join *j, struct domain *dom,
				const struct xblk_record *r, void **place)
{
	struct disk *disk = domain_disk(dom, r->disk);
	const struct bio *bio = map_get(&dom->bios, r->aux);
	struct rq *rq;

	if (!disk)
		return NULL;
	rq = rq_new(j, disk, r, place, true);
	rq->op = r->op;
	rq->sector = r->sector;
	rq->nr_sectors = r->nr_sectors;
	rq->first_bio = r->aux;
	rq->flags |= RQ_MISSED;
	if (bio && bio->disk == disk)
		rq->credited = bio->guest_disk;
	return rq;
}

void rq_requeue(struct join *j, struct stream *s, const struct xblk_record *r)
{
	void **place = map_place(&s->dom->rqs, r->id);
	struct rq *rq = *place;

	if (!rq && s->dom->backend)
		rq = issued_unseen(j, s->dom, r, place);
	if (!rq || rq->disk->index != r->disk)
		return;
	rq->flags |= RQ_REQUEUED;
	rq->requeues++;
	rq->requeue_ns = r->time;
	if (s->dom->backend) {
		if (rq->credited)
			counts_of(rq->credited)->backend.requeues++;
	} else {
		counts_of(rq->disk)->guest.requeues++;
		place_detach(j, guest_rq(rq));
	}
}

void rq_merged(struct join *j, struct stream *s, const struct xblk_record *r)
{
	struct disk *disk = domain_disk(s->dom, r->disk);
	struct bio *bio = map_get(&s->dom->bios, r->aux);
	struct rq *rq = map_get(&s->dom->rqs, r->id);

	if (!s->dom->backend && disk)
		counts_of(disk)->guest.requests++;
	else if (bio && bio->guest_disk)
		counts_of(bio->guest_disk)->backend.requests++;
	/* Only one that had been issued before is known; its bios go on. */
	if (rq && (rq->flags & RQ_REQUEUED))
		rq_dissolve(j, rq);
}

static bool completion_fits(const struct rq *rq, const struct xblk_record *r)
{
	if (unlikely(rq->disk->index != r->disk || rq->disk->gone ||
		     !same_class(rq->op, r->op)))
		return false;
	return likely(rq->sector == r->sector) || !rq->nr_sectors || !r->nr_sectors ||
	       op_class(rq->op) == XBLK_OP_DISCARD ||
	       overlaps(rq, r->sector, r->nr_sectors);
}

/* A table: whether it is a read or a write, no branch can foresee. */
static const enum kind kind_of[XBLK_OP_MASK + 1] = {
	[XBLK_OP_READ] = KIND_READ,
	[XBLK_OP_WRITE] = KIND_WRITE,
	[XBLK_OP_FLUSH] = KIND_FLUSH,
	[XBLK_OP_DISCARD] = KIND_DISCARD,
	[XBLK_OP_SECURE_DISCARD] = KIND_DISCARD,
	[XBLK_OP_WRITE_ZEROES] = KIND_WRITE,
	[XBLK_OP_OTHER] = KIND_OTHER,
};

static void count_done(struct disk *disk, unsigned int op, uint32_t sectors, bool error)
{
	struct io_count *c = &counts_of(disk)->done[kind_of[op & XBLK_OP_MASK]];

	c->ios++;
	c->sectors += sectors;
	counts_of(disk)->errors += error;
}

/* When its bios were with the driver is not known. */
static __attribute__((noinline)) void mark_bios(const struct rq *rq)
{
	for (const struct list *n = rq->bios.next; n != &rq->bios; n = n->next)
		bio_mark(list_entry(n, struct bio, in_rq), BIO_UNFOLLOWED);
}

/* dom0's bios in the completed front of @rq are done; they are in the order of sectors. */
static void finish_bios(struct join *j, struct rq *rq, uint64_t ns, bool all)
{
	uint64_t end = rq->sector + rq->done_sectors;
	struct list *n = rq->bios.next;

	while (n != &rq->bios) {
		struct bio *bio = list_entry(n, struct bio, in_rq);

		n = n->next;
		if (unlikely(!all) && bio->sector + bio->nr_sectors > end)
			break;
		bio_done(j, backend_bio(bio), rq, ns);
	}
}

/*
 * A request that needed a flush completes once more, or for the first time if
 * it was nothing but a flush, with no sectors and without D.
 */
static bool is_flush_end(const struct rq *rq, const struct xblk_record *r)
{
	return unlikely(!r->nr_sectors) && op_class(r->op) != XBLK_OP_FLUSH && !r->aux &&
	       (!rq || rq->nr_sectors);
}

/* The request that the completion is of, or NULL. */
static inline struct rq *completed(struct join *j, struct domain *dom,
				   const struct xblk_record *r)
{
	struct rq *rq = map_get(&dom->rqs, r->id);

	if (rq && unlikely(!completion_fits(rq, r))) {
		dom->stale_rqs++;
		rq->flags |= RQ_CONTRADICTION;
		rq_forget(j, rq);
		rq = NULL;
	}
	return rq;
}

/* Its bios are not as large as it is: one is missing, or what was cut from one. */
static __attribute__((noinline)) void check_parts(struct rq *rq)
{
	/* What came back in part and was issued again has bios that are larger. */
	if (rq->nr_bios && !(rq->flags & RQ_NO_Q) &&
	    (rq->bio_sectors < rq->nr_sectors || !rq->requeues))
		rq->flags |= RQ_MISSED;
}

/* A part of it is done, or there was one before that was not seen. */
static __attribute__((noinline)) bool completes_part(struct rq *rq,
						     const struct xblk_record *r)
{
	if (!r->nr_sectors)
		return true;
	if (r->sector != rq->sector + rq->done_sectors)
		rq->flags |= RQ_MISSED;
	rq->done_sectors = r->nr_sectors < UINT32_MAX - rq->done_sectors
				   ? rq->done_sectors + r->nr_sectors
				   : UINT32_MAX;
	return rq->done_sectors >= rq->nr_sectors;
}

/* Whether nothing of it is outstanding any more. */
static inline bool completes(struct rq *rq, const struct xblk_record *r)
{
	if (unlikely(r->aux))
		rq->error = r->aux;
	/* Mostly all of it is done at once. */
	if (unlikely(r->nr_sectors != rq->nr_sectors || r->sector != rq->sector ||
		     rq->done_sectors)) {
		if (!completes_part(rq, r))
			return false;
	} else {
		rq->done_sectors = r->nr_sectors;
	}
	if (unlikely(rq->bio_sectors != rq->nr_sectors))
		check_parts(rq);
	return true;
}

/* A disk that cannot write through is flushed behind it, for no bio. */
static void note_through(struct join *j, struct guest_rq *rq)
{
	const struct bio *bio;

	if (unlikely(list_empty(&rq->base.bios)) || rq->base.op & XBLK_OP_F_FUA)
		return;
	bio = list_entry(rq->base.bios.next, const struct bio, in_rq);
	if (likely(!(bio->op & XBLK_OP_F_FUA)))
		return;
	if (rq->base.disk->dom->tells_flushes)
		flush_told_behind(j, rq);
	else
		flush_behind(disk_flushes(rq->base.disk), rq->cpu);
}

/* The guest has all of it back. */
static inline void guest_rq_done(struct join *j, struct stream *s, struct guest_rq *rq,
				 const struct xblk_record *r)
{
	if (unlikely(!rq->base.nr_sectors))
		s->flush_id = rq->base.id;
	flush_times_done(&rq->base, r->time);
	note_through(j, rq);
	join_completed(j, rq->base.disk, SIDE_GUEST, &rq->base, r->time);
	count_done(rq->base.disk, r->op, rq->base.nr_sectors, rq->base.error);
	map_del(&s->dom->rqs, rq->base.id, &rq->base);
	while (!list_empty(&rq->base.bios))
		bio_free(j, list_entry(rq->base.bios.next, struct bio, in_rq));
	rq->c_ns = r->time;
	way_completed(s, rq);
	judge_flush(rq);
	match_completed(j, rq);
}

void rq_complete_guest(struct join *j, struct stream *s, const struct xblk_record *r)
{
	struct disk *disk = domain_disk(s->dom, r->disk);
	struct rq *rq;

	if (unlikely(!disk))
		return;
	if (unlikely(!r->nr_sectors) && flush_told_ended(j, s, disk, r)) {
		counts_of(disk)->flush_ends++;
		return;
	}
	rq = completed(j, s->dom, r);
	if (is_flush_end(rq, r)) {
		counts_of(disk)->flush_ends++;
		if (s->dom->tells_flushes)
			flush_told_ended_unseen(j, s, disk);
		else
			flush_untold_ended(s, disk, guest_rq(rq));
		return;
	}
	if (unlikely(!rq && r->aux))
		flush_told_failed(s, disk);
	s->flush_id = 0;
	if (unlikely(!rq)) {
		count_done(disk, r->op, r->nr_sectors, r->aux);
		judge_orphan(j, disk, r);
		return;
	}
	if (likely(completes(rq, r)))
		guest_rq_done(j, s, guest_rq(rq), r);
}

void rq_complete_backend(struct join *j, struct stream *s, const struct xblk_record *r)
{
	struct disk *disk = domain_disk(s->dom, r->disk);
	struct rq *rq;
	bool all;

	if (unlikely(!disk))
		return;
	if (unlikely(!r->nr_sectors) && flush_told_ended(j, s, disk, r))
		return;
	rq = completed(j, s->dom, r);
	if (unlikely(!rq)) {
		flush_untold_count(s, disk, r);
		return;
	}
	s->flush_id = 0;
	if (is_flush_end(rq, r))
		return;
	/* It came back, and that it was issued again is not in the trace. */
	if (unlikely(rq->flags & RQ_REQUEUED)) {
		rq_forget(j, rq);
		return;
	}
	way_forget_done(s);
	j->now = s;
	s->done_ns = r->time;
	all = completes(rq, r);
	if (likely(all)) {
		flush_times_done(rq, r->time);
		if (unlikely(!rq->nr_sectors)) {
			flush_untold_done(s, rq);
			flush_told_done(s, rq);
		}
		if (rq->credited)
			join_completed(j, rq->credited, SIDE_BACKEND, rq, r->time);
	}
	if (unlikely(rq->flags & RQ_MISSED))
		mark_bios(rq);
	finish_bios(j, rq, r->time, all);
	if (likely(all))
		rq_free(j, rq);
}
