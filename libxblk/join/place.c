// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where requests of guests begin: what may belong together, and what only its order or
 * its ring tells apart.
 */
#include "join/join.h"

#include <stdlib.h>

#include "base/util.h"

enum crowd_flags {
	CROWD_CONTESTED = 1 << 0, /* there was more than one at a time */
	CROWD_UNSEEN = 1 << 1,	  /* and one of them began before the trace */
	CROWD_UPSET = 1 << 2,	  /* and one of them lacks what another may have got */
};

static uint64_t place_hash(const struct disk *disk, unsigned int class, uint64_t sector)
{
	return hash_mix(sector ^ ((uint64_t)disk->index << 48) ^
			((uint64_t) class << 60));
}

static struct place *find_in(const struct list *head, const struct disk *disk,
			     unsigned int class, uint64_t sector)
{
	for (const struct list *n = head->next; n != head; n = n->next) {
		struct place *p = list_entry(n, struct place, hash);

		if (p->sector == sector && p->disk == disk && p->class == class)
			return p;
	}
	return NULL;
}

static struct place *find(const struct disk *disk, unsigned int class, uint64_t sector)
{
	const struct matching *m = model_matching(disk->dom);

	return find_in(&m->places[place_hash(disk, class, sector) & m->mask], disk, class,
		       sector);
}

/* Twice the lists, each with half of what it had. */
static void grow(struct matching *m)
{
	struct matching old = *m;

	m->mask = 2 * m->mask + 1;
	m->places = matching_lists(m->mask + 1);
	for (size_t i = 0; i <= old.mask; i++) {
		while (!list_empty(&old.places[i])) {
			struct place *p =
				list_entry(old.places[i].next, struct place, hash);

			list_unlink(&p->hash);
			list_add_tail(
				&m->places[place_hash(p->disk, p->class, p->sector) &
					   m->mask],
				&p->hash);
		}
	}
	free(old.places);
}

static struct place *find_or_make(struct join *j, const struct disk *disk,
				  unsigned int class, uint64_t sector)
{
	struct matching *m = model_matching(disk->dom);
	uint64_t hash = place_hash(disk, class, sector);
	struct place *p = find_in(&m->places[hash & m->mask], disk, class, sector);

	if (p)
		return p;
	/* Mostly there is nothing else in a list: where it ends, no branch could foresee.
	 */
	if (unlikely(4 * m->nr++ > m->mask))
		grow(m);
	p = pool_take(&j->places);
	p->disk = disk;
	p->class = class;
	p->sector = sector;
	p->nr = p->nr_out = 0;
	p->crowd = p->before = NULL;
	p->first = (struct crowd){.place = p, .users = 1};
	list_init(&p->requests);
	list_init(&p->bios);
	list_add_tail(&m->places[hash & m->mask], &p->hash);
	return p;
}

static void leave_crowd(struct join *j, struct crowd *crowd)
{
	if (!crowd || --crowd->users)
		return;
	if (crowd->place)
		pool_put(&j->places, crowd->place);
	else
		pool_put(&j->crowds, crowd);
}

static void put_if_empty(struct join *j, struct place *p)
{
	if (p->nr || !list_empty(&p->bios))
		return;
	p->disk->dom->matching->nr--;
	list_unlink(&p->hash);
	if (p->crowd != &p->first)
		leave_crowd(j, p->crowd);
	if (p->before != &p->first)
		leave_crowd(j, p->before);
	leave_crowd(j, &p->first);
}

static struct crowd *another_crowd(struct join *j, struct place *p)
{
	if (p->before != &p->first)
		leave_crowd(j, p->before);
	p->before = p->crowd;
	p->crowd = pool_get(&j->crowds, sizeof(*p->crowd));
	p->crowd->users = 1;
	return p->crowd;
}

static struct crowd *join_crowd(struct join *j, struct place *p)
{
	if (!p->crowd)
		p->crowd = &p->first;
	else if (!p->nr_out)
		another_crowd(j, p);
	p->crowd->users++;
	return p->crowd;
}

/* It holds for what is there; what begins when all of that is back has nothing of it. */
static void mark(struct place *p, unsigned int flags)
{
	if (!p || !p->nr)
		return;
	p->crowd->flags |= flags;
	if (p->before)
		p->before->flags |= flags;
}

static uint64_t cpu_bit(const struct rq *rq)
{
	return 1ull << rq->cpu % RING_CPUS;
}

/* It is issued again, and begins elsewhere. */
static void leave(struct join *j, struct rq *rq)
{
	place_settled(j, rq);
	leave_crowd(j, rq->crowd);
	rq->crowd = NULL;
}

void place_enter(struct join *j, struct rq *rq)
{
	uint64_t sector = rq->nr_sectors ? rq->sector : 0;
	struct place *p = rq->place;

	/* Issued again, after a part of it came back. */
	if (p && p->sector != sector) {
		leave(j, rq);
		p = NULL;
	}
	if (!p) {
		p = find_or_make(j, rq->disk, op_class(rq->op), sector);
		rq->place = p;
		rq->crowd = join_crowd(j, p);
		p->nr++;
		if (p->nr_out++)
			rq->crowd->flags |= CROWD_CONTESTED;
	}
	rq->crowd->cpus_twice |= rq->crowd->cpus & cpu_bit(rq);
	rq->crowd->cpus |= cpu_bit(rq);
}

static void settle(struct join *j, const struct rq *rq)
{
	struct place *p = rq->place;

	if (!p)
		return;
	if (!(rq->flags & RQ_COMPLETED))
		place_back(rq);
	p->nr--;
	put_if_empty(j, p);
}

void place_settled(struct join *j, struct rq *rq)
{
	settle(j, rq);
	list_del(&rq->match);
	rq->place = NULL;
}

void place_back(const struct rq *rq)
{
	rq->place->nr_out--;
}

static bool has(const struct rq *rq, enum crowd_flags flag)
{
	return rq->crowd && rq->crowd->flags & flag;
}

bool place_contested(const struct rq *rq)
{
	return has(rq, CROWD_CONTESTED);
}

static __attribute__((noinline)) bool told_apart(const struct rq *rq)
{
	const uint32_t *threads = join_disk(rq->disk)->ring_thread;
	uint32_t mine = threads[rq->cpu % RING_CPUS];

	if (has(rq, CROWD_UPSET))
		return false;
	if (rq->flags & RQ_IN_ORDER || (rq->ring != RING_UNKNOWN && !rq->matched_sectors))
		return true;
	/* In which order they were put on one ring, their Ds do not tell. */
	if (rq->crowd->cpus_twice & cpu_bit(rq))
		return false;
	for (uint64_t others = rq->crowd->cpus & ~cpu_bit(rq); others;
	     others &= others - 1) {
		uint32_t other = threads[__builtin_ctzll(others)];

		if (!mine || mine != rq->match_pid || !other || other == mine)
			return false;
	}
	return true;
}

bool place_told_apart(const struct rq *rq)
{
	return !place_contested(rq) || told_apart(rq);
}

void place_upset(const struct rq *rq)
{
	if (place_contested(rq))
		rq->crowd->flags |= CROWD_UPSET;
}

void place_upset_at(const struct bio *bio)
{
	mark(place_of_bio(bio), CROWD_CONTESTED | CROWD_UPSET);
}

bool place_met_unseen(const struct rq *rq)
{
	return unlikely(has(rq, CROWD_UNSEEN) &&
			sub_sat(rq->d_ns, JOIN_WAIT_NS) < join_disk(rq->disk)->unseen_ns);
}

void place_note_unseen(struct disk *disk, const struct xblk_record *r)
{
	join_disk(disk)->unseen_ns = r->time;
	mark(find(disk, op_class(r->op), r->sector), CROWD_CONTESTED | CROWD_UNSEEN);
}

static unsigned int bio_class(const struct bio *bio)
{
	return bio->guest_nr ? op_class(bio->op) : XBLK_OP_FLUSH;
}

struct place *place_of_bio(const struct bio *bio)
{
	return find(bio->guest_disk, bio_class(bio), bio->guest_sector);
}

struct place *place_of_next(const struct rq *rq)
{
	return find(rq->disk, op_class(rq->op),
		    rq->nr_sectors ? rq->sector + rq->matched_sectors : 0);
}

void place_bio(struct join *j, struct bio *bio)
{
	struct place *p =
		find_or_make(j, bio->guest_disk, bio_class(bio), bio->guest_sector);

	/* A request that has begun there may have got what is another's. */
	if (p->nr) {
		mark(p, CROWD_CONTESTED);
		bio->flags |= BIO_STRAY;
	}
	bio->flags |= BIO_UNMATCHED;
	bio->place = p;
	bio->before = bio->behind = NULL;
	list_add_tail(&p->bios, &bio->match);
	list_add_tail(&j->wait_age, &bio->wait_age);
	j->waits = true;
}

/* It waits for a request no longer. */
static __attribute__((noinline)) void end_waiting(struct join *j, struct bio *bio)
{
	list_unlink(&bio->match);
	list_unlink(&bio->wait_age);
	put_if_empty(j, bio->place);
	if (bio->before)
		bio->before->behind = NULL;
	if (bio->behind)
		bio->behind->before = NULL;
	bio->flags &= ~BIO_UNMATCHED;
}

void place_forget_bio(struct join *j, struct bio *bio)
{
	if (unlikely(bio->flags & BIO_UNMATCHED))
		end_waiting(j, bio);
	else if (bio->owner)
		list_unlink(&bio->match);
	bio->owner = NULL;
}

static void forget_bios(struct join *j, struct rq *rq)
{
	while (!list_empty(&rq->backend_bios))
		place_forget_bio(j, list_entry(rq->backend_bios.next, struct bio, match));
}

void place_end(struct join *j, struct rq *rq)
{
	forget_bios(j, rq);
	list_unlink(&rq->match);
	hold_no_longer(rq);
	list_unlink(&rq->respond);
	settle(j, rq);
	leave_crowd(j, rq->crowd);
}

void place_detach(struct join *j, struct rq *rq)
{
	forget_bios(j, rq);
	list_del(&rq->match);
	hold_no_longer(rq);
	list_del(&rq->respond);
	rq->flags &= ~(RQ_MATCHED | RQ_DROPPED | RQ_IN_ORDER | RQ_UNORDERED);
	rq->matched_sectors = 0;
	rq->nr_backend_bios = rq->outstanding = 0;
	rq->request = 0;
	rq->ring = RING_UNKNOWN;
	rq->backend_error = 0;
	rq->served = false;
	rq_set_clones(j, rq, NULL);
}
