// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's request is up for matching from its D on.  blkback queues its bios in a row,
 * from its first sector on, so a bio that goes on where the thread's last one ended is
 * the same request's, and another one is of a request that begins where it does.  Of
 * several that do, it is the first one on the ring whose thread this is: the guest puts
 * requests on a ring in an order that it tells (ORDER), and the thread takes them off in
 * that order.  Where the guest does not tell, the vCPUs whose requests had a place to
 * themselves have taught which thread serves which vCPU.
 */
#include "join/match.h"

#include "base/gaps.h"
#include "base/map.h"
#include "base/op.h"
#include "base/util.h"
#include "join/bio.h"
#include "join/clones.h"
#include "join/disk.h"
#include "join/judge.h"
#include "join/life.h"
#include "join/place.h"
#include "join/rq.h"
#include "join/state.h"
#include "join/way.h"

/*
 * So many are looked at of those at one place, so that a guest cannot make every lookup a
 * long one.  The rings of a disk hold up to 16384; where there are more than are looked
 * at, another one may have been meant, so whatever is at the place is ambiguous.
 */
#define WALK_MAX 4096
/* A thread's bios come in a row: between them wait only a few of others. */
#define NEAR_MAX 64

/* Those of @bio, if there are any, instead of another one's. */
static __attribute__((noinline)) void take_clones(struct join *j, struct guest_rq *rq,
						  struct backend_bio *bio)
{
	rq_set_clones(j, rq, bio->base.kin ? bio->base.kin->clones : NULL);
	if (bio->base.kin)
		bio->base.kin->clones = NULL;
}

/* @by: what was done last of it; its own, or what is about to be. */
static inline void bio_settle(struct join *j, struct backend_bio *bio,
			      const struct service *by)
{
	struct guest_rq *rq = bio->base.owner;

	rq->outstanding--;
	note_error(&rq->backend_error, bio->base.error);
	if (bio->base.flags & BIO_LAYERED)
		rq->base.flags |= RQ_LAYERED;
	if (unlikely(bio->base.flags & BIO_FLUSH_TOLD))
		rq->base.flags |= RQ_OWN_FLUSH;
	/* One that was forgotten was done by no device. */
	if (by->disk && (!rq->served || bio->base.c_ns >= rq->chain.c_ns)) {
		if (!rq->served)
			rq->way.response_ns = 0;
		rq->served = true;
		rq->chain.q_ns = bio->base.q_ns;
		rq->chain.c_ns = bio->base.c_ns;
		rq->chain.by = *by;
		rq->chain.request = bio->request;
		if (unlikely(bio->base.kin || rq->cloned))
			take_clones(j, rq, bio);
		rq->way.interrupt_ns = bio->interrupt_ns;
		rq->way.thread_ns = bio->thread_ns;
	}
	place_forget_bio(j, bio);
}

void match_request(struct join *j, struct backend_bio *bio, uint32_t request)
{
	struct guest_rq *rq = bio->base.owner;

	bio->request = request;
	if (!rq)
		return;
	if (!rq->request)
		rq->request = request;
	/* Two only if it fills two slots: else its place said otherwise. */
	if (rq->request != request && place_contested(rq)) {
		rq->base.flags |= RQ_AMBIGUOUS;
		place_upset_at(j, bio);
	}
}

/* What the thread queues behind the first bio of a slot is of the same one. */
static __attribute__((noinline)) void take_slot(struct guest_rq *rq,
						struct backend_bio *bio)
{
	if (bio->thread_ns || !rq->nr_backend_bios) {
		rq->slot.thread_ns = bio->thread_ns;
		rq->slot.interrupt_ns = bio->interrupt_ns;
	} else {
		bio->thread_ns = rq->slot.thread_ns;
		bio->interrupt_ns = rq->slot.interrupt_ns;
	}
}

/*
 * When a bio that serves @rq was queued at the earliest: as seen by dom0 before the guest
 * issued it, for clocks differ.  What they may be wrong by is believed; more (@early)
 * only if no other bio came for it.  After a loss, where the guest's records begin, and
 * where others begin at the same place, not even then: an older bio more likely belongs
 * to another request.
 */
static uint64_t earliest_q(const struct join *j, const struct guest_rq *rq,
			   const struct backend_bio *bio, bool early)
{
	const struct domain *guest = rq->base.disk->dom;
	const struct join_disk *disk = join_disk(rq->base.disk);
	uint64_t off = model_uncertainty(j->model, guest);
	uint64_t ns = sub_sat(rq->base.d_ns, JOIN_WAIT_NS);

	if (!early || place_contested(rq) || bio->base.flags & BIO_STRAY ||
	    sub_sat(rq->base.d_ns, 100 * JOIN_WAIT_NS) < disk->unseen_ns ||
	    gaps_overlap(&guest->gaps, sub_sat(rq->base.d_ns, 2 * JOIN_WAIT_NS),
			 rq->base.d_ns))
		ns = sub_sat(rq->base.d_ns, off);
	return max_u64(ns, sub_sat(disk->first_d_ns, off));
}

/* Whether @bio can be @rq's, as far as can be told from what they are. */
static bool can_be(const struct join *j, const struct guest_rq *rq,
		   const struct backend_bio *bio, bool early)
{
	if (bio->guest_nr > rq->base.nr_sectors - rq->matched_sectors)
		return false;
	if (rq->ring != RING_UNKNOWN && bio->base.ring != RING_UNKNOWN &&
	    rq->ring != bio->base.ring)
		return false;
	if (unlikely(bio->base.q_ns < rq->base.d_ns) &&
	    bio->base.q_ns < earliest_q(j, rq, bio, early))
		return false;
	/* It is back in the guest already, so this is not its bio. */
	return !(rq->base.flags & RQ_COMPLETED) ||
	       bio->base.q_ns <=
		       add_sat(rq->c_ns, model_uncertainty(j->model, rq->base.disk->dom));
}

static uint64_t end_of(const struct guest_rq *rq)
{
	return rq->base.sector + rq->base.nr_sectors;
}

/* Its ring's order does not tell whether it has got another one's bio, or that one its. */
static void doubt_order(struct guest_rq *rq)
{
	rq->base.flags |= RQ_AMBIGUOUS;
	rq->crowd->doubted = max_u64(rq->crowd->doubted, end_of(rq));
}

/* @bio, and what its thread queued behind it; return: how many they are. */
static int doubt_row(struct backend_bio *bio)
{
	int nr = 0;

	do {
		bio->base.flags |= BIO_AMBIGUOUS;
		bio = bio->behind;
	} while (++nr < WALK_MAX && bio);
	return nr;
}

/* Those of @pid's bios that wait there, and what it queued behind them. */
static void doubt_waiting(struct join *j, struct place *place, uint32_t pid)
{
	const struct list *bios = place_bios(place), *n;
	int walked = 0;

	for (n = bios->next; n != bios && walked < WALK_MAX; n = n->next) {
		struct backend_bio *bio = list_entry(n, struct backend_bio, match);

		walked += bio->base.pid == pid ? doubt_row(bio) : 1;
	}
	if (n != bios)
		place_upset_at(j, list_entry(n, struct backend_bio, match));
}

/*
 * @rq has got its last bio, and of which of those at its place that is was not told.  If
 * it is of a longer one, that one goes on where @rq ends, and what its thread queues
 * there is not of one that begins there.
 */
static void doubt_next(struct join *j, const struct guest_rq *rq,
		       const struct backend_bio *bio)
{
	const struct list *head = &rq->base.place->requests, *n;
	struct process *p = map_get(&j->model->backend->processes, bio->base.pid);
	uint64_t end = end_of(rq);
	uint64_t longest = max_u64(max_u64(end, rq->crowd->longest), rq->crowd->doubted);
	struct place *next;
	int walked = 0;

	for (n = head->next; n != head && walked < WALK_MAX; n = n->next, walked++) {
		const struct guest_rq *other = list_entry(n, struct guest_rq, match);

		if (can_be(j, other, bio, false))
			longest = max_u64(longest, end_of(other));
	}
	if (n != head)
		longest = UINT64_MAX;
	if (!p || longest == end)
		return;
	p->doubt_from = end;
	p->doubt_to = longest;
	next = place_of_next(rq);
	if (next && place_has_bios(next))
		doubt_waiting(j, next, bio->base.pid);
}

/* Of which of those at its place @bio is was not told, and @rq has got it. */
static __attribute__((noinline)) void attached_untold(struct join *j, struct guest_rq *rq,
						      const struct backend_bio *bio)
{
	if (rq->base.flags & RQ_MATCHED)
		doubt_next(j, rq, bio);
	else
		rq->crowd->longest = max_u64(rq->crowd->longest, end_of(rq));
}

/* Whether @bio is where that may be. */
static __attribute__((noinline)) bool doubted(const struct backend_bio *bio,
					      struct process *p)
{
	if (bio->guest_sector == p->doubt_from && bio->guest_nr) {
		p->doubt_from += bio->guest_nr;
		if (p->doubt_from >= p->doubt_to)
			p->doubt_to = 0;
		return true;
	}
	p->doubt_to = 0;
	return false;
}

static void attach(struct join *j, struct guest_rq *rq, struct backend_bio *bio)
{
	/* If it is not its own request's, it may be one's that begins there. */
	if (rq->matched_sectors && place_contested(rq) &&
	    (!(rq->base.flags & RQ_IN_ORDER) || rq->base.flags & RQ_AMBIGUOUS))
		place_upset_at(j, bio);
	place_forget_bio(j, bio);
	bio->base.owner = rq;
	if (unlikely(bio->guest_nr != rq->base.nr_sectors))
		take_slot(rq, bio);
	list_add_tail(&rq->backend_bios, &bio->match);
	rq->nr_backend_bios++;
	rq->outstanding++;
	rq->match_pid = bio->base.pid;
	rq->matched_sectors += bio->guest_nr;
	if (rq->ring != RING_UNKNOWN && rq->ring == bio->base.ring)
		rq->base.flags |= RQ_IN_ORDER;
	if (unlikely(bio->base.flags & BIO_AMBIGUOUS))
		rq->base.flags |= RQ_AMBIGUOUS;
	if (unlikely(bio->base.flags & BIO_UNFOLLOWED))
		rq->base.flags |= RQ_DROPPED;
	if (bio->request)
		match_request(j, bio, bio->request);
	list_del(&rq->match);
	if (rq->matched_sectors == rq->base.nr_sectors)
		rq->base.flags |= RQ_MATCHED;
	if (unlikely(place_contested(rq) && (!(rq->base.flags & RQ_IN_ORDER) ||
					     rq->crowd->doubted > end_of(rq))))
		attached_untold(j, rq, bio);
	if (unlikely(bio->base.flags & BIO_DONE)) {
		bio_settle(j, bio, &bio->by);
		bio_free(j, &bio->base);
	}
}

/* What is left of the request that @bio's thread has begun with. */
static struct guest_rq *continued(const struct backend_bio *bio, struct process *p)
{
	struct guest_rq *rq;

	if (!p->filling)
		return NULL;
	rq = guest_rq(map_get(&bio->base.guest_disk->dom->rqs, p->request));
	if (!rq || rq->base.disk != bio->base.guest_disk ||
	    rq->match_pid != bio->base.pid || !rq->matched_sectors ||
	    !same_class(rq->base.op, bio->base.op) ||
	    rq->base.sector + rq->matched_sectors != bio->guest_sector ||
	    bio->guest_nr > rq->base.nr_sectors - rq->matched_sectors)
		return NULL;
	return rq;
}

static void go_on(const struct guest_rq *rq, struct process *p)
{
	if (!(rq->base.flags & RQ_MATCHED)) {
		p->filling = true;
		p->request = rq->base.id;
	} else if (p->request == rq->base.id) {
		p->filling = false;
	}
}

/* How well a request that does not say its ring suits the thread that queued a bio. */
static int suits(const struct guest_rq *rq, const struct backend_bio *bio)
{
	uint32_t pid = join_disk(rq->base.disk)->ring_thread[rq->cpu % RING_CPUS];

	return pid == bio->base.pid ? 2 : !pid;
}

static bool says_ring(const struct guest_rq *rq, const struct backend_bio *bio)
{
	return rq->ring != RING_UNKNOWN && bio->base.ring != RING_UNKNOWN;
}

/* It does not say its ring, and what another one got that does may have been its. */
static bool passed_over(const struct guest_rq *rq, const struct backend_bio *bio)
{
	return !says_ring(rq, bio) && rq->base.flags & RQ_AMBIGUOUS;
}

/* choose(), where there is not just one. */
static __attribute__((noinline)) struct guest_rq *
choose_of_several(struct join *j, struct place *place, const struct backend_bio *bio,
		  bool last, uint64_t d_ns, bool *wait)
{
	struct list *head = &place->requests, *n;
	struct guest_rq *ordered = NULL, *other = NULL;
	int walked = 0, nr_other = 0;
	bool behind = false;

	for (n = head->next; n != head && walked < WALK_MAX; n = n->next, walked++) {
		struct guest_rq *rq = list_entry(n, struct guest_rq, match);

		behind |= passed_over(rq, bio);
		if (!can_be(j, rq, bio, false) || rq->base.d_ns > d_ns)
			continue;
		if (unlikely(!last && rq->base.flags & RQ_UNORDERED)) {
			if (wait)
				*wait = true;
			return NULL;
		}
		if (!says_ring(rq, bio)) {
			nr_other++;
			if (!other || suits(rq, bio) > suits(other, bio))
				other = rq;
		} else if (!ordered || (int32_t)(rq->ordinal - ordered->ordinal) < 0) {
			ordered = rq;
		}
	}
	if (unlikely(n != head))
		place_upset_at(j, bio);
	if (!ordered)
		return other;
	if (behind)
		doubt_order(ordered);
	/* Some may have been put on the ring before it. */
	for (n = head->next; nr_other && n != head; n = n->next) {
		struct guest_rq *rq = list_entry(n, struct guest_rq, match);

		if (!can_be(j, rq, bio, false) || says_ring(rq, bio))
			continue;
		doubt_order(rq);
		doubt_order(ordered);
	}
	return ordered;
}

/*
 * The request which begins where @bio does and that it is of, or NULL; @wait, unless it
 * is NULL, is set if that one's order may still be told.  @last: no other one will come,
 * so that those are not waited for whose order is still to be told; and what was issued
 * since is not meant.
 */
static struct guest_rq *choose(struct join *j, struct place *place,
			       const struct backend_bio *bio, bool last, bool *wait)
{
	uint64_t d_ns =
		last ? add_sat(bio->base.q_ns,
			       model_uncertainty(j->model, bio->base.guest_disk->dom))
		     : UINT64_MAX;
	const struct list *head = &place->requests, *n = head->next;
	struct guest_rq *only = list_entry(n, struct guest_rq, match);

	if (n == head)
		return NULL;
	/* Mostly there is one, and that is it. */
	if (n->next != head || only->base.flags & RQ_UNORDERED)
		return choose_of_several(j, place, bio, last, d_ns, wait);
	return can_be(j, only, bio, false) && only->base.d_ns <= d_ns ? only : NULL;
}

/* The thread's last bio that waits, if @bio goes on where that ends; or NULL. */
static struct backend_bio *goes_on_behind(const struct join *j,
					  const struct backend_bio *bio)
{
	struct list *n = j->wait_age.prev;
	int walked = 0;

	for (; n != &j->wait_age && walked < NEAR_MAX; n = n->prev, walked++) {
		struct backend_bio *before = list_entry(n, struct backend_bio, wait_age);

		if (before->base.pid != bio->base.pid)
			continue;
		if (before->behind || !before->guest_nr ||
		    !same_class(before->base.op, bio->base.op) ||
		    before->base.guest_disk != bio->base.guest_disk ||
		    before->guest_sector + before->guest_nr != bio->guest_sector)
			return NULL;
		return before;
	}
	return NULL;
}

/* A bio that waits and goes on where @rq's last one ended. */
static struct backend_bio *find_next(struct join *j, struct guest_rq *rq)
{
	struct place *place = place_of_next(rq);
	struct list *bios = place ? place_bios(place) : NULL, *n;
	int walked = 0;

	if (!bios)
		return NULL;
	for (n = bios->next; n != bios && walked < WALK_MAX; n = n->next, walked++) {
		struct backend_bio *bio = list_entry(n, struct backend_bio, match);

		if (bio->base.pid == rq->match_pid && can_be(j, rq, bio, true))
			return bio;
	}
	if (unlikely(n != bios)) {
		rq->base.flags |= RQ_AMBIGUOUS;
		place_upset_at(j, list_entry(n, struct backend_bio, match));
	}
	return NULL;
}

/* The further bios of a request that has got its first one. */
static void fill(struct join *j, struct guest_rq *rq)
{
	struct process *p;
	struct backend_bio *bio;

	while (!(rq->base.flags & RQ_MATCHED)) {
		bio = find_next(j, rq);
		if (!bio)
			break;
		attach(j, rq, bio);
	}
	p = map_get(&j->model->backend->processes, rq->match_pid);
	if (p)
		go_on(rq, p);
}

/*
 * Of the bios that wait at @place, those for which there is a request by now.  None of a
 * thread comes before another one of it that still waits for an order.  Returns those
 * threads, a bit each.
 */
static uint64_t match_waiting(struct join *j, struct place *place)
{
	struct list *bios = place_bios(place), *n, *next;
	uint64_t stuck = 0;
	int walked = 0;

	if (!bios)
		return 0;
	for (n = bios->next; n != bios && walked < WALK_MAX; n = next, walked++) {
		struct backend_bio *bio = list_entry(n, struct backend_bio, match);
		bool wait = bio->before || stuck >> bio->base.pid % 64 & 1;
		struct guest_rq *rq = wait ? NULL : choose(j, place, bio, false, &wait);

		next = n->next;
		if (rq) {
			attach(j, rq, bio);
			fill(j, rq);
		} else if (wait) {
			stuck |= 1ull << bio->base.pid % 64;
		}
	}
	if (unlikely(n != bios))
		place_upset_at(j, list_entry(n, struct backend_bio, match));
	return stuck;
}

static struct guest_rq *find_rq(struct join *j, const struct backend_bio *bio,
				struct place *place)
{
	/* Those that wait there come first. */
	if (unlikely(!list_empty(&j->wait_age)) && place_has_bios(place) &&
	    match_waiting(j, place) >> bio->base.pid % 64 & 1)
		return NULL;
	return choose(j, place, bio, false, NULL);
}

void match_bio(struct join *j, struct backend_bio *bio, struct process *p)
{
	struct guest_rq *rq = continued(bio, p);
	struct backend_bio *before = NULL;
	struct place *place;

	if (unlikely(p->doubt_to) && doubted(bio, p))
		bio->base.flags |= BIO_AMBIGUOUS;
	if (!rq && unlikely(!list_empty(&j->wait_age)))
		before = goes_on_behind(j, bio);
	if (!rq && !before) {
		place = place_of_bio(bio);
		rq = place ? find_rq(j, bio, place) : NULL;
	}
	if (likely(rq)) {
		attach(j, rq, bio);
		go_on(rq, p);
		return;
	}
	place_bio(j, bio);
	bio->before = before;
	if (before)
		before->behind = bio;
}

void match_rq(struct join *j, struct guest_rq *rq)
{
	if (unlikely(!rq->base.disk->backing))
		return;
	if (list_empty(&rq->match))
		list_add_tail(&rq->base.place->requests, &rq->match);
	if (unlikely(!list_empty(&j->wait_age)) && !(rq->base.flags & RQ_UNORDERED))
		match_waiting(j, rq->base.place);
}

void match_ordered(struct join *j, struct guest_rq *rq)
{
	rq->base.flags &= ~RQ_UNORDERED;
	if (list_empty(&j->wait_age) || !rq->base.disk->backing)
		return;
	match_waiting(j, rq->base.place);
	if (rq->matched_sectors)
		fill(j, rq);
}

/* A guest's time counts only as far as it is near to ours. */
static void hold(struct join *j, struct list *in, struct guest_rq *rq, uint64_t ns)
{
	uint64_t latest_ns = add_sat(j->now_ns, 100 * JOIN_WAIT_NS);

	rq->held = true;
	rq->hold_until = add_sat(min_u64(rq->c_ns, latest_ns), ns);
	list_add_tail(in, &rq->hold);
	j->waits = true;
}

/* A request of its disks that came back and was issued again leaves no trace of that. */
static bool comes_back(const struct guest_rq *rq)
{
	const struct disk_counts *counts = counts_of(rq->base.disk);

	return counts->guest.requeues || counts->backend.requeues;
}

static __attribute__((noinline)) void await_losses(struct join *j, struct guest_rq *rq)
{
	hold_no_longer(rq);
	place_settled(j, rq);
	hold(j, &j->doubt, rq, JOIN_TOLD_NS);
}

/*
 * All of @rq was seen.  But where a layer does not say what it did, a clone of which all
 * records are lost is missed by nobody, until the loss is told of, nor is a return with
 * the next issue; and which bios a flush was for shows when the next one is issued.
 */
static void finish(struct join *j, struct guest_rq *rq)
{
	if (likely(!(rq->base.flags & RQ_LAYERED) && rq->base.nr_sectors &&
		   !comes_back(rq)))
		judge_give_up(j, rq, false);
	else
		await_losses(j, rq);
}

void match_served(struct join *j, struct backend_bio *bio, const struct service *by)
{
	struct guest_rq *rq = bio->base.owner;

	bio_settle(j, bio, by);
	bio_free(j, &bio->base);
	if (!rq->outstanding && (rq->base.flags & RQ_MATCHED))
		way_done(j, rq);
	if (unlikely(judge_ready(j, rq)))
		finish(j, rq);
}

void match_bio_done(struct join *j, struct backend_bio *bio)
{
	if (bio->base.owner) {
		match_served(j, bio, &bio->by);
	} else if (bio->base.flags & BIO_UNMATCHED) {
		bio_keep(bio);
	} else {
		bio_free(j, &bio->base);
	}
}

void match_completed(struct join *j, struct guest_rq *rq)
{
	rq->base.flags |= RQ_COMPLETED;
	place_back(rq);
	/*
	 * Its place on the ring was not known to who should have told it; or its bio
	 * waits behind another one which it seemed to go on from.
	 */
	if (unlikely(!(rq->base.flags & RQ_MATCHED)))
		match_ordered(j, rq);
	/*
	 * Nothing more can come, or all has come.  What is out of order is looked at
	 * later: what comes next may show that dom0's bio was another request's.
	 */
	if (unlikely(!rq->base.disk->backing))
		judge_give_up(j, rq, false);
	else if (unlikely(!judge_ready(j, rq)))
		hold(j, &j->hold, rq, JOIN_WAIT_NS);
	else
		finish(j, rq);
}

/* No request will come for a bio of dom0. */
static void stop_waiting(struct join *j, struct backend_bio *bio)
{
	counts_of(bio->base.guest_disk)->backend_unmatched++;
	place_forget_bio(j, bio);
	if (bio->base.flags & BIO_DONE)
		bio_free(j, &bio->base);
}

/* The only request there, which was issued behind @bio by clocks that are wrong; or NULL.
 */
static struct guest_rq *issued_later(const struct join *j, const struct place *place,
				     const struct backend_bio *bio)
{
	const struct list *n = place->requests.next;
	struct guest_rq *rq = list_entry(n, struct guest_rq, match);

	if (n == &place->requests || n->next != &place->requests || rq->matched_sectors)
		return NULL;
	return can_be(j, rq, bio, true) ? rq : NULL;
}

/* The bio that waits behind @bio at its place, if it is of the same thread; or NULL. */
static const struct backend_bio *waits_next(const struct backend_bio *bio)
{
	const struct list *n = bio->match.next;
	const struct backend_bio *next = list_entry(n, const struct backend_bio, match);

	if (n == place_bios(bio->place) || next->base.pid != bio->base.pid)
		return NULL;
	return next;
}

/*
 * @rq gets a bio that has waited.  If that leaves none for the next one, it may be that
 * one which is @rq's, and this one be of a request that is not in the trace.
 */
static void attach_late(struct join *j, struct guest_rq *rq, struct backend_bio *bio)
{
	const struct backend_bio *next = waits_next(bio);
	struct place *place = bio->place;

	if (next && !can_be(j, rq, next, false))
		next = NULL;
	attach(j, rq, bio);
	if (!next || choose(j, place, next, true, NULL))
		return;
	rq->base.flags |= RQ_AMBIGUOUS;
	place_upset(rq);
}

/* It has waited long enough: for one whose order is not told, or behind another bio. */
static void wait_no_longer(struct join *j, struct backend_bio *bio)
{
	struct place *place = bio->place;
	struct guest_rq *rq = NULL;

	if (place->nr) {
		rq = choose(j, place, bio, true, NULL);
		rq = rq ? rq : issued_later(j, place, bio);
	}
	if (!rq) {
		stop_waiting(j, bio);
		return;
	}
	attach_late(j, rq, bio);
	fill(j, rq);
}

static void expire(struct join *j, struct list *held)
{
	while (!list_empty(held)) {
		struct guest_rq *rq = list_entry(held->next, struct guest_rq, hold);

		if (rq->hold_until >= j->now_ns)
			break;
		judge_give_up(j, rq, false);
	}
}

void match_expire(struct join *j)
{
	while (!list_empty(&j->wait_age)) {
		struct backend_bio *bio =
			list_entry(j->wait_age.next, struct backend_bio, wait_age);

		if (add_sat(bio->base.q_ns, JOIN_WAIT_NS) >= j->now_ns)
			break;
		wait_no_longer(j, bio);
	}
	expire(j, &j->hold);
	expire(j, &j->doubt);
	j->waits = !list_empty(&j->wait_age) || !list_empty(&j->hold) ||
		   !list_empty(&j->doubt);
}

void match_end_guest(struct join *j, const struct domain *guest)
{
	for (struct list *n = j->wait_age.next, *next; n != &j->wait_age; n = next) {
		struct backend_bio *bio = list_entry(n, struct backend_bio, wait_age);

		next = n->next;
		if (bio->base.guest_disk->dom == guest)
			stop_waiting(j, bio);
	}
}
