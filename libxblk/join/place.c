// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where requests of guests begin: what may belong together, and what only its order or
 * its ring tells apart.
 */
#include "join/place.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/op.h"
#include "base/util.h"
#include "input/merge.h"
#include "join/bio.h"
#include "join/clones.h"
#include "join/disk.h"
#include "join/rq.h"
#include "join/state.h"

enum crowd_flags {
	CROWD_CONTESTED = 1 << 0, /* there was more than one at a time */
	CROWD_UNSEEN = 1 << 1,	  /* and one of them began before the trace */
	CROWD_UPSET = 1 << 2,	  /* and one of them lacks what another may have got */
};

_Static_assert(sizeof(((struct place *)0)->at) == 8 && MAX_SECTOR <= 1ull << 59,
	       "the sum of two sectors leaves room for an operation's class");

/* Where on its disk, and for what: what belongs together has the same. */
static uint64_t place_at(unsigned int class, uint64_t sector)
{
	return sector | (uint64_t) class << 60;
}

static uint64_t place_hash(const struct disk *disk, uint64_t at)
{
	return hash_mix(at ^ ((uint64_t)disk->index << 48));
}

static struct place *find_in(struct place *first, const struct disk *disk, uint64_t at)
{
	for (struct place *p = first; p; p = p->next) {
		if (p->at == at && p->disk == disk)
			return p;
	}
	return NULL;
}

static struct place *find(const struct disk *disk, uint64_t at)
{
	const struct matching *m = model_matching(disk->dom);

	return find_in(m->places[place_hash(disk, at) & m->mask], disk, at);
}

static void put_first(struct place **first, struct place *p)
{
	p->next = *first;
	p->link = first;
	if (p->next)
		p->next->link = &p->next;
	*first = p;
}

static void take_out(const struct place *p)
{
	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
}

/* Twice the lists, each with half of what it had. */
static void grow(struct matching *m)
{
	struct matching old = *m;

	m->mask = 2 * m->mask + 1;
	m->places = xcalloc(m->mask + 1, sizeof(*m->places));
	for (size_t i = 0; i <= old.mask; i++) {
		for (struct place *p = old.places[i], *next; p; p = next) {
			next = p->next;
			put_first(&m->places[place_hash(p->disk, p->at) & m->mask], p);
		}
	}
	free(old.places);
}

/* @p is new. */
static void begin(struct place *p, const struct disk *disk, uint64_t at, uint64_t hash)
{
	struct matching *m = disk->dom->matching;

	/* Mostly there is nothing else in a list: where it ends, no branch could foresee.
	 */
	if (unlikely(4 * m->nr++ > m->mask))
		grow(m);
	p->disk = disk;
	p->at = at;
	list_init(&p->requests);
	put_first(&m->places[hash & m->mask], p);
}

static struct crowded *crowded(struct place *p)
{
	return (struct crowded *)p;
}

static void leave_crowd(struct join *j, struct crowd *crowd)
{
	if (crowd && !--crowd->users)
		pool_put(&j->crowds, crowd);
}

static void put_if_empty(struct join *j, struct place *p)
{
	if (p->nr || place_has_bios(p))
		return;
	p->disk->dom->matching->nr--;
	take_out(p);
	if (p->only)
		return;
	leave_crowd(j, crowded(p)->crowd);
	leave_crowd(j, crowded(p)->before);
	pool_put(&j->places, p);
}

/* One that the place has. */
static struct crowd *new_crowd(struct join *j)
{
	struct crowd *crowd = pool_get(&j->crowds, sizeof(*crowd));

	crowd->users = 1;
	return crowd;
}

static uint64_t cpu_bit(uint32_t cpu)
{
	return 1ull << cpu % RING_CPUS;
}

/* What is there is not alone any more.  Return: its place from now on. */
static __attribute__((noinline)) struct place *form_crowd(struct join *j,
							  struct guest_rq *rq)
{
	struct crowded *c = pool_take(&j->places);
	struct place *p = &c->place;

	*p = rq->own;
	p->only = rq->own.only = NULL;
	*p->link = p;
	if (p->next)
		p->next->link = &p->next;
	list_replace(&rq->own.requests, &p->requests);
	list_init(&c->bios);
	c->before = NULL;
	c->crowd = rq->crowd = new_crowd(j);
	c->crowd->users++;
	c->crowd->cpus = cpu_bit(rq->cpu);
	rq->base.place = p;
	return p;
}

static void another_crowd(struct join *j, struct crowded *c)
{
	leave_crowd(j, c->before);
	c->before = c->crowd;
	c->crowd = new_crowd(j);
}

static void join_crowd(struct join *j, struct place *p, struct guest_rq *rq)
{
	struct crowded *c = crowded(p);

	rq->own.only = NULL;
	if (!c->crowd)
		c->crowd = new_crowd(j);
	else if (!p->nr_out)
		another_crowd(j, c);
	c->crowd->users++;
	rq->crowd = c->crowd;
	rq->base.place = p;
	p->nr++;
	if (p->nr_out++)
		rq->crowd->flags |= CROWD_CONTESTED;
}

/* It holds for what is there; what begins when all of that is back has nothing of it. */
static void mark(struct join *j, struct place *p, unsigned int flags)
{
	if (!p || !p->nr)
		return;
	if (p->only)
		p = form_crowd(j, p->only);
	crowded(p)->crowd->flags |= flags;
	if (crowded(p)->before)
		crowded(p)->before->flags |= flags;
}

/* It is issued again, and begins elsewhere. */
static void leave(struct join *j, struct guest_rq *rq)
{
	place_settled(j, rq);
	leave_crowd(j, rq->crowd);
	rq->crowd = NULL;
}

/* It is one of a crowd from now on, if it was not. */
static __attribute__((noinline)) void enter_crowd(struct join *j, struct guest_rq *rq,
						  struct place *p, uint32_t cpu)
{
	if (p->only)
		p = form_crowd(j, p->only);
	if (!rq->base.place)
		join_crowd(j, p, rq);
	rq->cpu = cpu;
	rq->crowd->cpus_twice |= rq->crowd->cpus & cpu_bit(cpu);
	rq->crowd->cpus |= cpu_bit(cpu);
}

void place_enter(struct join *j, struct guest_rq *rq, uint32_t cpu)
{
	uint64_t at = place_at(op_class(rq->base.op),
			       rq->base.nr_sectors ? rq->base.sector : 0);
	const struct disk *disk = rq->base.disk;
	struct place *p = rq->base.place;
	const struct matching *m;
	uint64_t hash;

	/* Issued again, after a part of it came back. */
	if (unlikely(p && p->at != at)) {
		leave(j, rq);
		p = NULL;
	}
	m = model_matching(disk->dom);
	hash = place_hash(disk, at);
	if (!p)
		p = find_in(m->places[hash & m->mask], disk, at);
	if (unlikely(p)) {
		enter_crowd(j, rq, p, cpu);
		return;
	}
	begin(&rq->own, disk, at, hash);
	rq->own.only = rq;
	rq->own.nr = rq->own.nr_out = 1;
	rq->base.place = &rq->own;
	rq->cpu = cpu;
}

static void settle(struct join *j, const struct guest_rq *rq)
{
	struct place *p = rq->base.place;

	if (!p)
		return;
	if (!(rq->base.flags & RQ_COMPLETED))
		place_back(rq);
	p->nr--;
	put_if_empty(j, p);
}

void place_settled(struct join *j, struct guest_rq *rq)
{
	settle(j, rq);
	list_del(&rq->match);
	rq->base.place = NULL;
}

void place_back(const struct guest_rq *rq)
{
	rq->base.place->nr_out--;
}

/* Mostly it is alone, which is told beside its place. */
static bool has(const struct guest_rq *rq, enum crowd_flags flag)
{
	return !rq->own.only && rq->crowd && rq->crowd->flags & flag;
}

bool place_contested(const struct guest_rq *rq)
{
	return has(rq, CROWD_CONTESTED);
}

static __attribute__((noinline)) bool told_apart(const struct guest_rq *rq)
{
	const uint32_t *threads = join_disk(rq->base.disk)->ring_thread;
	uint32_t mine = threads[rq->cpu % RING_CPUS];

	if (has(rq, CROWD_UPSET))
		return false;
	if (rq->base.flags & RQ_IN_ORDER ||
	    (rq->ring != RING_UNKNOWN && !rq->matched_sectors))
		return true;
	/* In which order they were put on one ring, their Ds do not tell. */
	if (rq->crowd->cpus_twice & cpu_bit(rq->cpu))
		return false;
	for (uint64_t others = rq->crowd->cpus & ~cpu_bit(rq->cpu); others;
	     others &= others - 1) {
		uint32_t other = threads[__builtin_ctzll(others)];

		if (!mine || mine != rq->match_pid || !other || other == mine)
			return false;
	}
	return true;
}

bool place_told_apart(const struct guest_rq *rq)
{
	return !place_contested(rq) || told_apart(rq);
}

void place_upset(const struct guest_rq *rq)
{
	if (place_contested(rq))
		rq->crowd->flags |= CROWD_UPSET;
}

void place_upset_at(struct join *j, const struct backend_bio *bio)
{
	mark(j, place_of_bio(bio), CROWD_CONTESTED | CROWD_UPSET);
}

bool place_met_unseen(const struct guest_rq *rq)
{
	return unlikely(has(rq, CROWD_UNSEEN) &&
			sub_sat(rq->base.d_ns, JOIN_WAIT_NS) <
				join_disk(rq->base.disk)->unseen_ns);
}

void place_note_unseen(struct join *j, struct disk *disk, const struct xblk_record *r)
{
	join_disk(disk)->unseen_ns = r->time;
	mark(j, find(disk, place_at(op_class(r->op), r->sector)),
	     CROWD_CONTESTED | CROWD_UNSEEN);
}

static unsigned int bio_class(const struct backend_bio *bio)
{
	return bio->guest_nr ? op_class(bio->base.op) : XBLK_OP_FLUSH;
}

struct place *place_of_bio(const struct backend_bio *bio)
{
	return find(bio->base.guest_disk, place_at(bio_class(bio), bio->guest_sector));
}

struct place *place_of_next(const struct guest_rq *rq)
{
	uint64_t sector = rq->base.nr_sectors ? rq->base.sector + rq->matched_sectors : 0;

	return find(rq->base.disk, place_at(op_class(rq->base.op), sector));
}

/* The same, made where there is none. */
static struct place *find_crowded(struct join *j, const struct disk *disk, uint64_t at)
{
	const struct matching *m = model_matching(disk->dom);
	uint64_t hash = place_hash(disk, at);
	struct place *p = find_in(m->places[hash & m->mask], disk, at);
	struct crowded *c;

	if (p)
		return p->only ? form_crowd(j, p->only) : p;
	c = pool_get(&j->places, sizeof(*c));
	begin(&c->place, disk, at, hash);
	list_init(&c->bios);
	return &c->place;
}

void place_bio(struct join *j, struct backend_bio *bio)
{
	uint64_t at = place_at(bio_class(bio), bio->guest_sector);
	struct place *p = find_crowded(j, bio->base.guest_disk, at);

	/* A request that has begun there may have got what is another's. */
	if (p->nr) {
		mark(j, p, CROWD_CONTESTED);
		bio->base.flags |= BIO_STRAY;
	}
	bio->base.flags |= BIO_UNMATCHED;
	bio->place = p;
	bio->before = bio->behind = NULL;
	list_add_tail(&crowded(p)->bios, &bio->match);
	list_add_tail(&j->wait_age, &bio->wait_age);
	j->waits = true;
}

/* It waits for a request no longer. */
static __attribute__((noinline)) void end_waiting(struct join *j, struct backend_bio *bio)
{
	list_unlink(&bio->match);
	list_unlink(&bio->wait_age);
	put_if_empty(j, bio->place);
	if (bio->before)
		bio->before->behind = NULL;
	if (bio->behind)
		bio->behind->before = NULL;
	bio->base.flags &= ~BIO_UNMATCHED;
}

void place_forget_bio(struct join *j, struct backend_bio *bio)
{
	if (unlikely(bio->base.flags & BIO_UNMATCHED))
		end_waiting(j, bio);
	else if (bio->base.owner)
		list_unlink(&bio->match);
	bio->base.owner = NULL;
}

static void forget_bios(struct join *j, struct guest_rq *rq)
{
	while (!list_empty(&rq->backend_bios))
		place_forget_bio(j, list_entry(rq->backend_bios.next, struct backend_bio,
					       match));
}

void place_end(struct join *j, struct guest_rq *rq)
{
	forget_bios(j, rq);
	list_unlink(&rq->match);
	hold_no_longer(rq);
	list_unlink(&rq->respond);
	settle(j, rq);
	leave_crowd(j, rq->crowd);
}

void place_detach(struct join *j, struct guest_rq *rq)
{
	forget_bios(j, rq);
	list_del(&rq->match);
	hold_no_longer(rq);
	list_del(&rq->respond);
	rq->base.flags &= ~(RQ_MATCHED | RQ_DROPPED | RQ_IN_ORDER | RQ_UNORDERED);
	rq->matched_sectors = 0;
	rq->nr_backend_bios = rq->outstanding = 0;
	rq->request = 0;
	rq->ring = RING_UNKNOWN;
	rq->backend_error = 0;
	rq->served = false;
	rq_set_clones(j, rq, NULL);
}
