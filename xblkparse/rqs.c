// SPDX-License-Identifier: GPL-2.0-only
#include "join.h"

static struct pool *pool_of(struct join *j, const struct domain *dom)
{
	return dom->backend ? &j->backend_rqs : &j->rqs;
}

void rq_free(struct join *j, struct rq *rq)
{
	struct domain *dom = rq->disk->dom;

	account_flush_end(rq, j->last_ns);
	if (!dom->backend) {
		match_detach(rq);
		match_release(rq);
	}
	while (!list_empty(&rq->bios))
		bio_free(j, list_entry(rq->bios.next, struct bio, in_rq));
	/* A guest's that is complete left its identity to another one then. */
	if (!(rq->flags & RQ_COMPLETED))
		map_del(&dom->rqs, rq->id, rq);
	list_unlink(&rq->age);
	dom->nr_rqs--;
	pool_put(pool_of(j, dom), rq);
}

/* What ended it was missed. */
static void rq_forget(struct join *j, struct rq *rq)
{
	if (!rq->disk->dom->backend) {
		match_give_up(j, rq, false);
		return;
	}
	while (!list_empty(&rq->bios))
		bio_forget(j, list_entry(rq->bios.next, struct bio, in_rq));
	rq_free(j, rq);
}

/* @place: where the map has its identity. */
static inline struct rq *rq_new(struct join *j, struct disk *disk,
				const struct xblk_record *r, void **place)
{
	struct domain *dom = disk->dom;
	struct rq *rq;

	if (unlikely(*place)) {
		dom->stale_rqs++;
		rq_forget(j, *place);
		place = map_place(&dom->rqs, r->id);
	}
	if (unlikely(dom->nr_rqs >= j->max_in_flight)) {
		dom->evicted_rqs++;
		rq_forget(j, list_entry(dom->rq_age.next, struct rq, age));
		place = map_place(&dom->rqs, r->id);
	}
	rq = pool_get(pool_of(j, dom));
	*place = rq;
	rq->disk = disk;
	rq->id = r->id;
	rq->q_ns = UINT64_MAX;
	list_init(&rq->bios);
	if (!dom->backend) {
		rq->clock_generation = dom->clock_generation;
		if (j->model->backend)
			rq->backend_clock_generation =
				j->model->backend->clock_generation;
		list_init(&rq->backend_bios);
		list_init(&rq->match);
		list_init(&rq->hold);
		list_init(&rq->respond);
	}
	list_add_tail(&dom->rq_age, &rq->age);
	dom->nr_rqs++;
	return rq;
}

/* Not containment: after a partial completion only the rest is issued again. */
static bool overlaps(const struct rq *rq, uint64_t sector, uint32_t nr)
{
	return sector < rq->sector + rq->nr_sectors && rq->sector < sector + nr;
}

static bool bio_fits(const struct rq *rq, const struct bio *bio)
{
	if (bio->disk != rq->disk || !same_class(bio->op, rq->op))
		return false;
	/* The ranges of one discard request need not touch. */
	return op_class(rq->op) == XBLK_OP_DISCARD || !bio->nr_sectors ||
	       overlaps(rq, bio->sector, bio->nr_sectors);
}

/* dom0's requests count for the guest disk of the first bio that has one. */
static void credit(struct rq *rq, struct disk *guest_disk)
{
	if (rq->credited || !guest_disk)
		return;
	rq->credited = guest_disk;
	merge_count_issued(&guest_disk->stats.backend, rq->nr_sectors);
}

static inline void take_bio(struct join *j, struct rq *rq, uint32_t id)
{
	struct domain *dom = rq->disk->dom;
	struct bio *bio = map_get(&dom->bios, id);

	if (bio && !bio_fits(rq, bio)) {
		dom->stale_bios++;
		rq->flags |= RQ_CONTRADICTION;
		bio_forget(j, bio);
		bio = NULL;
	}
	if (!bio) {
		rq->flags |= RQ_NO_Q;
		return;
	}
	if (bio->flags & BIO_NO_Q)
		rq->flags |= RQ_NO_Q;
	list_del(&bio->in_rq);
	list_add_tail(&rq->bios, &bio->in_rq);
	bio->rq = rq;
	rq->nr_bios++;
	if (bio->q_ns < rq->q_ns) {
		rq->q_ns = bio->q_ns;
		rq->pid = bio->pid;
	}
	credit(rq, bio->guest_disk);
}

static void take_flush_bio(struct rq *rq, struct bio *bio)
{
	list_del(&bio->in_rq);
	list_add_tail(&rq->bios, &bio->in_rq);
	bio->rq = rq;
	rq->nr_bios++;
	if (bio->q_ns < rq->q_ns)
		rq->q_ns = bio->q_ns;
	credit(rq, bio->guest_disk);
}

/* It was served by one of the queue's earlier requests: which one was not known then. */
static void miss_flush_bio(struct join *j, struct bio *bio)
{
	if (bio->owner)
		bio->owner->flags |= RQ_AMBIGUOUS;
	bio_forget(j, bio);
}

/*
 * The disk has a second queue, that of @rq: what waited on its CPU, and went to the only
 * one that was known, is @rq's.  Of other CPUs' it is not known.
 */
static void part_flush_bios(struct join *j, struct rq *rq, const struct flushes *flushes)
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
			miss_flush_bio(j, bio);
		else
			take_flush_bio(rq, bio);
	}
}

/*
 * None waits for what is issued: a thread may have gone to another CPU between its Q and
 * the choice of the queue, or it is the flush behind a write.  So of those that wait for
 * other queues it is not known by which flush they are served.
 */
static void doubt_flush_bios(struct flushes *flushes)
{
	for (unsigned int i = 0; i < FLUSH_CPUS; i++) {
		struct list *n, *waiting = &flushes->bios[i];

		for (n = waiting->next; n != waiting; n = n->next) {
			struct bio *bio = list_entry(n, struct bio, in_rq);

			if (bio->owner)
				bio->owner->flags |= RQ_AMBIGUOUS;
		}
	}
}

/* The empty flush bios that wait by then, on the CPUs of its queue. */
static void take_flush_bios(struct join *j, struct rq *rq, uint32_t cpu)
{
	struct flushes *flushes = disk_flushes(rq->disk);
	unsigned int nr_queues = flushes->nr_queues;
	bool known = flushes->queue_of[cpu % FLUSH_CPUS] >= 0;
	struct flush_served by;

	if (flush_issued(flushes, cpu, rq->id, rq->d_ns, &by) == FLUSH_Q_NONE)
		doubt_flush_bios(flushes);
	if (!known && nr_queues == 1 && flushes->nr_queues == 2)
		part_flush_bios(j, rq, flushes);
	for (unsigned int i = 0; i < FLUSH_CPUS; i++) {
		struct list *waiting = &flushes->bios[i];

		while (by.cpus >> i & 1 && !list_empty(waiting)) {
			struct bio *bio = list_entry(waiting->next, struct bio, in_rq);

			if (bio->lowest_q_ns < by.since_ns)
				miss_flush_bio(j, bio);
			else
				take_flush_bio(rq, bio);
		}
	}
}

/* The request is the block layer's own: no bio names what it is for. */
static bool is_flush_issue(const struct xblk_record *r)
{
	return !r->aux && op_class(r->op) == XBLK_OP_FLUSH;
}

static void take_flush_q(struct rq *rq, uint32_t cpu)
{
	struct flush_served by = {.q_ns = rq->d_ns};
	struct disk *disk = rq->disk;

	if (flush_issued(disk_flushes(disk), cpu, rq->id, rq->d_ns, &by) ==
	    FLUSH_Q_AMBIGUOUS)
		rq->flags |= RQ_NO_Q | RQ_AMBIGUOUS;
	rq->q_ns = by.q_ns;
	rq->pid = by.pid;
	/* After a loss that Q may be an earlier flush's, whose D is missing. */
	if (gaps_overlap(&disk->dom->gaps, rq->q_ns, rq->d_ns))
		rq->flags |= RQ_NO_Q;
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

/* It is to be issued again: its bios will be named, but for those of a flush. */
static void rq_back(struct rq *rq, bool is_flush)
{
	if (!rq->disk->dom->backend)
		match_detach(rq);
	while (!is_flush && !list_empty(&rq->bios)) {
		struct bio *bio = list_entry(rq->bios.next, struct bio, in_rq);

		bio->rq = NULL;
		list_del(&bio->in_rq);
		rq->nr_bios--;
	}
	rq->done_sectors = 0;
}

/* The request that is issued, with its bio if it names one; @again: it came back. */
static inline struct rq *issue(struct join *j, struct stream *s,
			       const struct xblk_record *r, bool *again)
{
	struct domain *dom = s->dom;
	struct disk *disk = domain_disk(dom, r->disk);
	void **place;
	struct rq *rq;

	s->rq_open = false;
	if (!disk)
		return NULL;
	place = map_place(&dom->rqs, r->id);
	rq = *place;
	*again = rq && is_reissue(rq, disk, r);
	if (!*again) {
		rq = rq_new(j, disk, r, place);
	} else {
		if (!(rq->flags & RQ_REQUEUED))
			rq->requeues++;
		rq->flags &= ~RQ_REQUEUED;
		rq_back(rq, is_flush_issue(r));
	}
	rq->op = r->op;
	rq->sector = r->sector;
	rq->nr_sectors = r->nr_sectors;
	rq->d_ns = r->time;
	rq->first_bio = r->aux;
	if (r->aux)
		take_bio(j, rq, r->aux);
	s->rq_open = true;
	s->rq_id = r->id;
	return rq;
}

void rq_issue_guest(struct join *j, struct stream *s, const struct xblk_record *r)
{
	bool again;
	struct rq *rq = issue(j, s, r, &again);

	if (!rq)
		return;
	if (!again) {
		merge_count_issued(&rq->disk->stats.guest, r->nr_sectors);
		if (is_flush_issue(r))
			take_flush_q(rq, s->cpu);
	}
	if (rq->q_ns == UINT64_MAX)
		rq->q_ns = r->time;
	if (!rq->disk->first_d_ns || r->time < rq->disk->first_d_ns)
		rq->disk->first_d_ns = r->time;
	rq->cpu = s->cpu;
	account_flush_begin(rq);
	match_claim(rq);
	match_rq(j, rq);
}

void rq_issue_backend(struct join *j, struct stream *s, const struct xblk_record *r)
{
	bool again;
	struct rq *rq = issue(j, s, r, &again);

	if (!rq)
		return;
	if (is_flush_issue(r))
		take_flush_bios(j, rq, s->cpu);
	if (rq->q_ns == UINT64_MAX)
		rq->q_ns = r->time;
	account_flush_begin(rq);
}

void rq_skim(struct stream *s, const struct xblk_record *r)
{
	struct disk *disk = domain_disk(s->dom, r->disk);

	if (r->event == XBLK_EV_ISSUE && is_flush_issue(r) && disk)
		flush_known(disk_flushes(disk), s->cpu, r->id);
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

void rq_requeue(struct stream *s, const struct xblk_record *r)
{
	struct rq *rq = map_get(&s->dom->rqs, r->id);

	if (!rq || rq->disk->index != r->disk)
		return;
	rq->flags |= RQ_REQUEUED;
	rq->requeues++;
	if (s->dom->backend) {
		if (rq->credited)
			rq->credited->stats.backend.requeues++;
	} else {
		rq->disk->stats.guest.requeues++;
		match_detach(rq);
	}
}

void rq_merged(struct join *j, struct stream *s, const struct xblk_record *r)
{
	struct disk *disk = domain_disk(s->dom, r->disk);
	struct bio *bio = map_get(&s->dom->bios, r->aux);
	struct rq *rq = map_get(&s->dom->rqs, r->id);

	if (!s->dom->backend && disk)
		disk->stats.guest.requests++;
	else if (bio && bio->guest_disk)
		bio->guest_disk->stats.backend.requests++;
	/* Only one that had been issued before is known; its bios go on. */
	if (rq && (rq->flags & RQ_REQUEUED)) {
		rq_back(rq, false);
		rq_free(j, rq);
	}
}

static bool completion_fits(const struct rq *rq, const struct xblk_record *r)
{
	if (rq->disk->index != r->disk || rq->disk->gone || !same_class(rq->op, r->op))
		return false;
	return !rq->nr_sectors || !r->nr_sectors || op_class(rq->op) == XBLK_OP_DISCARD ||
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
	struct io_count *c = &disk->stats.done[kind_of[op & XBLK_OP_MASK]];

	c->ios++;
	c->sectors += sectors;
	disk->stats.errors += error;
}

/* dom0's bios in the completed front of @rq are done; they are in the order of sectors. */
static void finish_bios(struct join *j, struct rq *rq, uint64_t ns, bool all)
{
	uint64_t end = rq->sector + rq->done_sectors;
	struct list *n = rq->bios.next;

	while (n != &rq->bios) {
		struct bio *bio = list_entry(n, struct bio, in_rq);

		n = n->next;
		if (!all && bio->sector + bio->nr_sectors > end)
			break;
		bio->d_ns = rq->d_ns;
		bio->c_ns = ns;
		match_bio_done(j, bio);
	}
}

/*
 * A request that needed a flush completes once more, or for the first time if
 * it was nothing but a flush, with no sectors and without D.
 */
static bool is_flush_end(const struct rq *rq, const struct xblk_record *r)
{
	return !r->nr_sectors && op_class(r->op) != XBLK_OP_FLUSH && !r->aux &&
	       (!rq || rq->nr_sectors);
}

/* The request that the completion is of, or NULL. */
static inline struct rq *completed(struct join *j, struct domain *dom,
				   const struct xblk_record *r)
{
	struct rq *rq = map_get(&dom->rqs, r->id);

	if (rq && !completion_fits(rq, r)) {
		dom->stale_rqs++;
		rq->flags |= RQ_CONTRADICTION;
		rq_forget(j, rq);
		rq = NULL;
	}
	return rq;
}

/* Whether nothing of it is outstanding any more. */
static bool completes(struct rq *rq, const struct xblk_record *r)
{
	if (r->aux)
		rq->error = r->aux;
	rq->done_sectors = r->nr_sectors < UINT32_MAX - rq->done_sectors
				   ? rq->done_sectors + r->nr_sectors
				   : UINT32_MAX;
	return !r->nr_sectors || rq->done_sectors >= rq->nr_sectors;
}

void rq_complete_guest(struct join *j, struct stream *s, const struct xblk_record *r)
{
	struct disk *disk = domain_disk(s->dom, r->disk);
	struct rq *rq;

	if (!disk)
		return;
	rq = completed(j, s->dom, r);
	if (is_flush_end(rq, r)) {
		disk->stats.flush_ends++;
		return;
	}
	if (!rq) {
		count_done(disk, r->op, r->nr_sectors, r->aux);
		match_orphan(j, disk, r);
		return;
	}
	if (!completes(rq, r))
		return;
	account_flush_end(rq, r->time);
	account_done(j, disk, SIDE_GUEST, rq, r->time);
	count_done(disk, r->op, rq->nr_sectors, rq->error);
	map_del(&s->dom->rqs, rq->id, rq);
	while (!list_empty(&rq->bios))
		bio_free(j, list_entry(rq->bios.next, struct bio, in_rq));
	rq->c_ns = r->time;
	way_completed(s, rq);
	match_completed(j, rq);
}

void rq_complete_backend(struct join *j, struct stream *s, const struct xblk_record *r)
{
	struct rq *rq;
	bool all;

	if (!domain_disk(s->dom, r->disk))
		return;
	rq = completed(j, s->dom, r);
	if (!rq || is_flush_end(rq, r))
		return;
	/* It came back, and that it was issued again is not in the trace. */
	if (rq->flags & RQ_REQUEUED) {
		rq_forget(j, rq);
		return;
	}
	way_forget_done(s);
	j->now = s;
	all = completes(rq, r);
	if (all) {
		account_flush_end(rq, r->time);
		if (rq->credited)
			account_done(j, rq->credited, SIDE_BACKEND, rq, r->time);
	}
	finish_bios(j, rq, r->time, all);
	if (all)
		rq_free(j, rq);
}
