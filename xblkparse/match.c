// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's request is up for matching from its D on.  The bios that blkback
 * queues for it begin at its first sector and follow one another, so a bio
 * belongs to the request of its disk and operation whose next sector is the
 * bio's first.
 */
#include "join.h"

#include "util.h"

/* So that a guest cannot make every lookup a long one. */
#define WALK_MAX 256

static uint64_t place_hash(const struct disk *disk, unsigned int class, uint64_t sector)
{
	return hash_mix(sector ^ ((uint64_t)disk->index << 48) ^
			((uint64_t) class << 60));
}

static struct list *bucket(struct list *table, const struct disk *disk,
			   unsigned int class, uint64_t sector)
{
	return &table[place_hash(disk, class, sector) & (MATCH_BUCKETS - 1)];
}

/*
 * Two requests in flight for the same place are told apart by their order
 * alone, which a loss upsets.  So their number is kept for each place (and
 * others of its hash), and that it was above one until it is none again.
 */
#define CLAIMS_CONTESTED 0x8000u
#define CLAIMS_UNSEEN	 0x4000u /* and one of them began before the trace */
#define CLAIMS_MAX	 0x3fffu

static uint16_t *claims(const struct disk *disk, unsigned int class, uint64_t sector)
{
	return &disk->dom->claims[place_hash(disk, class, sector) & (MATCH_CLAIMS - 1)];
}

void match_claim(struct rq *rq)
{
	uint16_t *c = claims(rq->disk, op_class(rq->op), rq->sector);

	if (rq->flags & RQ_CLAIMS || (*c & CLAIMS_MAX) == CLAIMS_MAX)
		return;
	rq->flags |= RQ_CLAIMS;
	rq->claim = c - rq->disk->dom->claims;
	if (*c)
		*c |= CLAIMS_CONTESTED;
	++*c;
}

void match_release(struct rq *rq)
{
	uint16_t *c = &rq->disk->dom->claims[rq->claim];

	if (!(rq->flags & RQ_CLAIMS))
		return;
	--*c;
	if (!(*c & CLAIMS_MAX))
		*c = 0;
}

static bool contested(const struct rq *rq)
{
	return !(rq->flags & RQ_CLAIMS) ||
	       rq->disk->dom->claims[rq->claim] & CLAIMS_CONTESTED;
}

static unsigned int bio_class(const struct bio *bio)
{
	return bio->nr_sectors ? op_class(bio->op) : XBLK_OP_FLUSH;
}

/* Flushes have no place; they match in their order. */
static uint64_t bio_guest_sector(const struct bio *bio)
{
	return bio->nr_sectors ? bio->sector - bio->guest_disk->start_sector : 0;
}

static uint64_t rq_next_sector(const struct rq *rq)
{
	return rq->nr_sectors ? rq->sector + rq->matched_sectors : 0;
}

static struct list *rq_bucket(const struct rq *rq)
{
	return bucket(rq->disk->dom->match, rq->disk, op_class(rq->op),
		      rq_next_sector(rq));
}

static struct list *bio_bucket(const struct bio *bio)
{
	return bucket(bio->guest_disk->dom->unmatched, bio->guest_disk, bio_class(bio),
		      bio_guest_sector(bio));
}

static bool fits(const struct rq *rq, const struct bio *bio)
{
	return rq->disk == bio->guest_disk && op_class(rq->op) == bio_class(bio) &&
	       rq_next_sector(rq) == bio_guest_sector(bio) &&
	       bio->nr_sectors <= rq->nr_sectors - rq->matched_sectors;
}

void match_forget_bio(struct bio *bio)
{
	if (bio->owner || bio->flags & BIO_UNMATCHED)
		list_del(&bio->match);
	if (bio->flags & BIO_UNMATCHED)
		list_del(&bio->wait_age);
	bio->flags &= ~BIO_UNMATCHED;
	bio->owner = NULL;
}

static void bio_settle(struct bio *bio)
{
	struct rq *rq = bio->owner;

	rq->outstanding--;
	if (!rq->chain.known || bio->c_ns >= rq->chain.c_ns) {
		rq->chain.known = true;
		rq->chain.disk = bio->disk;
		rq->chain.q_ns = bio->q_ns;
		rq->chain.d_ns = bio->d_ns;
		rq->chain.c_ns = bio->c_ns;
		rq->way.interrupt_ns = bio->interrupt_ns;
		rq->way.thread_ns = bio->thread_ns;
		rq->way.lowest_q_ns = bio->lowest_q_ns;
	}
	match_forget_bio(bio);
}

/* Whether the vCPU's requests are known to go by another ring than the thread's. */
static bool other_ring(const struct rq *rq, const struct bio *bio)
{
	uint32_t pid = rq->disk->ring_thread[rq->cpu % RING_CPUS];

	return pid && pid != bio->pid;
}

static void attach(struct join *j, struct rq *rq, struct bio *bio)
{
	/* Flushes, which have no place, are told apart by what others teach. */
	if (rq->nr_sectors)
		rq->disk->ring_thread[rq->cpu % RING_CPUS] = bio->pid;
	match_forget_bio(bio);
	bio->owner = rq;
	list_add_tail(&rq->backend_bios, &bio->match);
	rq->nr_backend_bios++;
	rq->outstanding++;
	rq->match_pid = bio->pid;
	rq->matched_sectors += bio->nr_sectors;
	list_del(&rq->match);
	if (rq->matched_sectors == rq->nr_sectors)
		rq->flags |= RQ_MATCHED;
	else
		list_add_tail(rq_bucket(rq), &rq->match);
	if (bio->flags & BIO_DONE) {
		bio_settle(bio);
		bio_free(j, bio);
	}
}

/*
 * Among the requests that fit: the one that this thread has begun with (it
 * queues all bios of a request in a row), else the oldest; of flushes, which
 * all fit, rather one of this thread's ring.
 */
static struct rq *find_rq(struct join *j, const struct bio *bio)
{
	struct domain *guest = bio->guest_disk->dom;
	struct list *head, *n;
	struct rq *oldest = NULL, *other = NULL;
	int walked = 0;

	head = bucket(guest->match, bio->guest_disk, bio_class(bio),
		      bio_guest_sector(bio));
	for (n = head->next; n != head && walked < WALK_MAX; n = n->next, walked++) {
		struct rq *rq = list_entry(n, struct rq, match);

		if (!fits(rq, bio))
			continue;
		/* It is back in the guest already, so this is not its bio. */
		if ((rq->flags & RQ_COMPLETED) &&
		    bio->q_ns > add_sat(rq->c_ns, model_uncertainty(j->model, guest)))
			continue;
		if (rq->matched_sectors) {
			if (rq->match_pid == bio->pid)
				return rq;
		} else if (!rq->nr_sectors && other_ring(rq, bio)) {
			other = other ? other : rq;
		} else if (!oldest) {
			oldest = rq;
		}
	}
	return oldest ? oldest : other;
}

static void wait_for_rq(struct join *j, struct bio *bio)
{
	uint16_t *c = claims(bio->guest_disk, bio_class(bio), bio_guest_sector(bio));

	/* If a request has begun there, it may have got what is another's. */
	if (*c)
		*c |= CLAIMS_CONTESTED;
	bio->flags |= BIO_UNMATCHED;
	list_add_tail(bio_bucket(bio), &bio->match);
	list_add_tail(&j->wait_age, &bio->wait_age);
}

/* @bio has sectors, or is a flush and in its disk's list of them. */
void match_bio(struct join *j, struct bio *bio)
{
	struct rq *rq;

	if (bio->nr_sectors ? bio->sector < bio->guest_disk->start_sector
			    : list_empty(&bio->in_rq))
		return;
	rq = find_rq(j, bio);
	if (rq)
		attach(j, rq, bio);
	else
		wait_for_rq(j, bio);
}

/* A bio of dom0 that is older than the request which it seems to serve. */
static struct bio *find_bio(const struct rq *rq, uint64_t oldest_ns)
{
	struct list *head = bucket(rq->disk->dom->unmatched, rq->disk, op_class(rq->op),
				   rq_next_sector(rq));
	struct bio *other = NULL;
	int walked = 0;

	for (struct list *n = head->next; n != head && walked < WALK_MAX;
	     n = n->next, walked++) {
		struct bio *bio = list_entry(n, struct bio, match);

		if (!fits(rq, bio) || bio->q_ns < oldest_ns)
			continue;
		if (rq->nr_sectors || !other_ring(rq, bio))
			return bio;
		other = other ? other : bio;
	}
	return other;
}

/* One whose D is not in the trace was under way at its place. */
static bool met_unseen(const struct rq *rq)
{
	return unlikely((rq->flags & RQ_CLAIMS) &&
			rq->disk->dom->claims[rq->claim] & CLAIMS_UNSEEN &&
			sub_sat(rq->d_ns, JOIN_WAIT_NS) < rq->disk->unseen_ns);
}

/* Bios that were there before the request. */
static void match_waiting(struct join *j, struct rq *rq)
{
	struct domain *guest = rq->disk->dom;
	uint64_t off = model_uncertainty(j->model, guest);
	uint64_t oldest_ns = sub_sat(rq->d_ns, JOIN_WAIT_NS);
	struct bio *bio;

	/*
	 * After a loss, and where the guest's records begin, an older bio more
	 * likely belongs to a request whose D is missing: then only what the
	 * clocks may be wrong by is believed.
	 */
	if (sub_sat(rq->d_ns, 100 * JOIN_WAIT_NS) < rq->disk->unseen_ns ||
	    gaps_overlap(&guest->gaps, sub_sat(rq->d_ns, 2 * JOIN_WAIT_NS), rq->d_ns))
		oldest_ns = sub_sat(rq->d_ns, off);
	oldest_ns = max_u64(oldest_ns, sub_sat(rq->disk->first_d_ns, off));
	while (!(rq->flags & RQ_MATCHED)) {
		bio = find_bio(rq, oldest_ns);
		if (!bio)
			break;
		attach(j, rq, bio);
	}
}

void match_rq(struct join *j, struct rq *rq)
{
	if (!rq->disk->backing)
		return;
	if (unlikely(!list_empty(&j->wait_age)))
		match_waiting(j, rq);
	if (!(rq->flags & RQ_MATCHED) && list_empty(&rq->match))
		list_add_tail(rq_bucket(rq), &rq->match);
}

void match_inherit(struct bio *child, struct bio *bio)
{
	child->guest_disk = bio->guest_disk;
	if (bio->owner) {
		child->owner = bio->owner;
		child->owner->outstanding++;
		child->owner->nr_backend_bios++;
		list_add_tail(&child->owner->backend_bios, &child->match);
	} else if ((bio->flags & BIO_UNMATCHED) && child->disk == bio->disk) {
		child->flags |= BIO_UNMATCHED;
		list_add_tail(bio_bucket(child), &child->match);
		list_add_tail(&bio->wait_age, &child->wait_age);
	}
}

void match_moved(struct bio *bio)
{
	if (!(bio->flags & BIO_UNMATCHED))
		return;
	list_del(&bio->match);
	list_add_tail(bio_bucket(bio), &bio->match);
}

static bool complete(const struct rq *rq)
{
	return (rq->flags & RQ_COMPLETED) && (rq->flags & RQ_MATCHED) &&
	       !(rq->flags & (RQ_DROPPED | RQ_NO_Q)) && !rq->outstanding;
}

static bool clock_changed(const struct join *j, const struct rq *rq)
{
	const struct domain *backend = j->model->backend;

	return rq->clock_generation != rq->disk->dom->clock_generation ||
	       (backend && rq->backend_clock_generation != backend->clock_generation);
}

/*
 * Where something was lost between two records, the second may be of another
 * request or bio that was given the same identity: it is not guessed at.
 */
static bool unbroken(const struct join *j, const struct rq *rq)
{
	const struct domain *backend = j->model->backend;

	return !gaps_within(&rq->disk->dom->gaps, rq->q_ns, rq->c_ns) &&
	       !(backend && gaps_within(&backend->gaps, rq->chain.q_ns, rq->chain.c_ns));
}

/* By the clocks dom0 began before the guest asked, or ended after the guest had it back. */
static bool out_of_order(const struct rq *rq)
{
	return rq->chain.q_ns < rq->d_ns || rq->c_ns < rq->chain.c_ns;
}

/* What comes next may show that dom0's bio was another request's. */
static bool doubtful(const struct join *j, const struct rq *rq)
{
	return out_of_order(rq) ||
	       unlikely(!list_empty(&j->wait_age) && contested(rq) &&
			sub_sat(rq->d_ns, 100 * JOIN_WAIT_NS) < rq->disk->first_d_ns);
}

static int64_t diff(uint64_t from, uint64_t to)
{
	return (int64_t)(to - from);
}

/* All of it was seen: its stages. */
static void measure(struct join *j, struct rq *rq)
{
	int64_t stages[STAGE_MAX] = {
		[STAGE_U_Q2D] = diff(rq->q_ns, rq->d_ns),
		[STAGE_U_T] = diff(rq->d_ns, rq->chain.q_ns),
		[STAGE_0_Q2D] = diff(rq->chain.q_ns, rq->chain.d_ns),
		[STAGE_0_D2C] = diff(rq->chain.d_ns, rq->chain.c_ns),
		[STAGE_0_T] = diff(rq->chain.c_ns, rq->c_ns),
		[STAGE_Q2C] = diff(rq->q_ns, rq->c_ns),
	};
	enum bin bin = BIN_JOINED;

	for (int i = 0; i < STAGE_PARTS; i++) {
		if (stages[i] < 0)
			bin = BIN_CAUSALITY;
	}
	account_request(j, rq, bin, stages);
	rq_free(j, rq);
}

/* Why a request is not joined. */
/* A flush of it that dom0 queued, and which of the disk's queues served it is not known. */
static bool flush_untold(const struct rq *rq)
{
	const struct list *n;

	for (n = rq->backend_bios.next; n != &rq->backend_bios; n = n->next) {
		const struct bio *bio = list_entry(n, const struct bio, match);

		if (!bio->rq && !bio->nr_sectors && bio->disk->flushes &&
		    bio->disk->flushes->nr_queues > 1)
			return true;
	}
	return false;
}

static enum bin why_not(const struct join *j, const struct rq *rq,
			const struct verdict *span, bool at_end)
{
	const struct domain *guest = rq->disk->dom, *backend = j->model->backend;

	if (clock_changed(j, rq))
		return BIN_CLOCK_CHANGE;
	if (!rq->disk->backing)
		return BIN_NOT_SERVED;
	if (verdict_lost(j, span))
		return BIN_LOST;
	if (((rq->flags & RQ_NO_Q) && guest->evicted_bios) ||
	    ((rq->flags & RQ_DROPPED) && (backend->evicted_bios || backend->evicted_rqs)))
		return BIN_EVICTED;
	if (rq->flags & RQ_CONTRADICTION)
		return BIN_MALFORMED;
	if (rq->flags & RQ_AMBIGUOUS)
		return BIN_AMBIGUOUS;
	if (rq->flags & RQ_NO_Q)
		return BIN_BEFORE_TRACE;
	if (!(rq->flags & RQ_COMPLETED)) {
		if (at_end)
			return BIN_IN_FLIGHT;
		return guest->nr_rqs >= j->max_in_flight ? BIN_EVICTED : BIN_MALFORMED;
	}
	if (met_unseen(rq))
		return BIN_BEFORE_TRACE;
	if (flush_untold(rq))
		return BIN_AMBIGUOUS;
	if (rq->nr_backend_bios)
		return BIN_INCOMPLETE;
	/* dom0's part of the trace may begin a little later than the guest's. */
	if (op_class(rq->op) != XBLK_OP_FLUSH && backend->first_ns > rq->d_ns &&
	    backend->first_ns != UINT64_MAX)
		return BIN_BEFORE_TRACE;
	return BIN_NO_BACKEND_IO;
}

/*
 * A loss in which a request came back and was issued again leaves no trace of
 * that, so where requests do come back a loss meanwhile is taken for one.
 */
static bool may_hide_requeue(const struct join *j, const struct rq *rq)
{
	const struct disk_stats *st = &rq->disk->stats;
	uint64_t off = model_uncertainty(j->model, rq->disk->dom);

	if (st->guest.requeues && gaps_overlap(&rq->disk->dom->gaps, rq->d_ns, rq->c_ns))
		return true;
	return st->backend.requeues &&
	       gaps_overlap(&j->model->backend->gaps, sub_sat(rq->d_ns, off),
			    add_sat(rq->c_ns, off));
}

/* When a loss would concern it. */
static struct verdict span_of(const struct join *j, const struct rq *rq)
{
	struct verdict span = verdict_span(j, rq);

	/* It may have been upset by what was lost of a request before it. */
	if (contested(rq)) {
		span.guest_from = sub_sat(span.guest_from, JOIN_WAIT_NS);
		span.backend_from = sub_sat(span.backend_from, JOIN_WAIT_NS);
	}
	return span;
}

/* All of it was seen, and nothing else can explain what was seen. */
static bool certain(const struct join *j, const struct rq *rq)
{
	struct verdict span;

	if (!complete(rq) || rq->flags & RQ_AMBIGUOUS || clock_changed(j, rq) ||
	    met_unseen(rq))
		return false;
	if (!join_lossy(j, rq->disk->dom))
		return true;
	if (!unbroken(j, rq) || may_hide_requeue(j, rq))
		return false;
	span = span_of(j, rq);
	return !contested(rq) || !verdict_lost(j, &span);
}

void match_give_up(struct join *j, struct rq *rq, bool at_end)
{
	struct verdict span;
	enum bin bin;

	if (certain(j, rq)) {
		measure(j, rq);
		return;
	}
	span = span_of(j, rq);
	bin = why_not(j, rq, &span, at_end);
	if (account_request(j, rq, bin, NULL))
		verdict_keep(j, span, bin);
	rq_free(j, rq);
}

void match_bio_done(struct join *j, struct bio *bio)
{
	struct rq *rq = bio->owner;

	if (rq) {
		bio_settle(bio);
		bio_free(j, bio);
		if (!rq->outstanding && (rq->flags & RQ_MATCHED))
			way_done(j, rq);
		if (complete(rq) && !doubtful(j, rq))
			match_give_up(j, rq, false);
	} else if (bio->flags & BIO_UNMATCHED) {
		bio->flags |= BIO_DONE;
		bio->rq = NULL;
		list_del(&bio->in_rq);
		/* Its identity may be in use again before it is matched. */
		map_del(&bio->disk->dom->bios, bio->id, bio);
	} else {
		bio_free(j, bio);
	}
}

void match_detach(struct rq *rq)
{
	while (!list_empty(&rq->backend_bios))
		match_forget_bio(list_entry(rq->backend_bios.next, struct bio, match));
	list_del(&rq->match);
	list_del(&rq->hold);
	list_del(&rq->respond);
	rq->flags &= ~(RQ_MATCHED | RQ_DROPPED);
	rq->matched_sectors = 0;
	rq->nr_backend_bios = rq->outstanding = 0;
	rq->chain.known = false;
}

void match_completed(struct join *j, struct rq *rq)
{
	rq->flags |= RQ_COMPLETED;
	/*
	 * Nothing more can come, or all has come.  What is out of order is looked at
	 * later: what comes next may show that dom0's bio was another request's.
	 */
	if ((complete(rq) && !doubtful(j, rq)) || !rq->disk->backing) {
		match_give_up(j, rq, false);
		return;
	}
	/* A guest's time counts only as far as it is near to ours. */
	rq->hold_until = rq->c_ns;
	if (rq->hold_until > add_sat(j->now_ns, 100 * JOIN_WAIT_NS))
		rq->hold_until = add_sat(j->now_ns, 100 * JOIN_WAIT_NS);
	rq->hold_until = add_sat(rq->hold_until, JOIN_WAIT_NS);
	list_add_tail(&j->hold, &rq->hold);
}

void match_expire(struct join *j)
{
	while (!list_empty(&j->hold)) {
		struct rq *rq = list_entry(j->hold.next, struct rq, hold);

		if (rq->hold_until >= j->now_ns)
			break;
		match_give_up(j, rq, false);
	}
	while (!list_empty(&j->wait_age)) {
		struct bio *bio = list_entry(j->wait_age.next, struct bio, wait_age);

		if (add_sat(bio->q_ns, JOIN_WAIT_NS) >= j->now_ns)
			break;
		bio->guest_disk->stats.backend_unmatched++;
		match_forget_bio(bio);
		if (bio->flags & BIO_DONE)
			bio_free(j, bio);
	}
}

/* It began before the trace: what is under way at its place may have got its bios. */
static void note_unseen(struct disk *disk, const struct xblk_record *r)
{
	uint16_t *c = claims(disk, op_class(r->op), r->sector);

	disk->unseen_ns = r->time;
	if (*c)
		*c |= CLAIMS_CONTESTED | CLAIMS_UNSEEN;
}

void match_orphan(struct join *j, struct disk *disk, const struct xblk_record *r)
{
	struct domain *guest = disk->dom;
	struct rq rq = {
		.disk = disk,
		.op = r->op,
		.sector = r->sector,
		.nr_sectors = r->nr_sectors,
		.q_ns = r->time,
		.d_ns = r->time,
		.c_ns = r->time,
		.error = r->aux,
		.flags = RQ_COMPLETED | RQ_NO_Q,
	};
	struct verdict span = verdict_span(j, &rq);
	enum bin bin = BIN_BEFORE_TRACE;

	/* What dom0 lost does not explain it. */
	span.backend_from = UINT64_MAX;
	span.backend_to = 0;
	if (gaps_overlap(&guest->gaps, 0, r->time))
		bin = BIN_LOST;
	else if (guest->evicted_rqs)
		bin = BIN_EVICTED;
	else
		note_unseen(disk, r);
	account_done(j, disk, SIDE_GUEST, &rq, r->time);
	if (account_request(j, &rq, bin, NULL))
		verdict_keep(j, span, bin);
}
