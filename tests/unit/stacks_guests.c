// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests' I/O: the guests' block layer and blkfront, and blkback, as in Linux 6.1's
 * block/blk-mq.c, block/blk-flush.c and drivers/block/xen-blk{front,back}.
 */
#include "stacks_world.h"

#include <errno.h>
#include <string.h>

/* blkback */

static void guest_interrupt(struct run *run, void *what);
static void ring_thread(struct run *run, void *what);

static void respond(struct run *run, struct pending *p)
{
	struct guest_rq *rq = p->slot.rq;
	struct ring *ring = rq->ring;
	struct world *w = ring->disk->w;
	unsigned int class = rq->op & XBLK_OP_MASK;
	bool told = !is_discard(class) && !has(w, TRAIT_OLD) &&
		    !now_and_then(w, TRAIT_GAPS, 50);

	run->about = rq->about;
	if (!has(w, TRAIT_BLIND) && ring->told)
		sim_record(run, XBLK_EV_RESPONSE, XBLK_NO_DISK,
			   rq->flush	       ? 3
			   : is_discard(class) ? 5
					       : class,
			   0, told ? p->id : 0, p->slot.id, ring->id);
	sim_spend(run, 300);
	sim_give_id(&ring->pending_ids, p->id, run->ns);
	ring->responses[ring->nr_responses] = p;
	ring->response_ns[ring->nr_responses++] = run->ns;
	if (ring->irq_planned)
		return;
	ring->irq_planned = true;
	sim_at(run->sim, ring->disk->domid, ring->nr % SIM_CPUS, 0,
	       run->ns + 500 + sim_random(run->sim, 5000), guest_interrupt, ring);
}

/* A bio of blkback's: its times are the answer's.  Return: whether it is the last one. */
static bool note_bio(struct run *run, struct bio *bio, uint64_t ns)
{
	struct answer *a = answer_of(bio->disk->w, bio->about);
	struct pending *p = bio->of;

	if (a->nr_bios == ANSWER_BIOS)
		abort();
	a->bios[a->nr_bios++] = (struct answer_bio){
		.q_ns = bio->q_ns,
		.queued_ns = bio->path.known
				     ? bio->path.d_ns - bio->q_ns + bio->path.again_ns
				     : 0,
		.end_ns = ns,
		.other_end_ns = bio->other_end_ns,
		.thread_ns = p->thread_ns,
		.clones = bio->clones,
		.nr_clones = bio->nr_clones,
	};
	bio->clones = NULL;
	p->error = p->error ? p->error : bio->error;
	p->last_ns = p->last_ns < run->ns ? run->ns : p->last_ns;
	not_before(run, p->last_ns);
	return !--p->left;
}

static void backend_bio_end(struct run *run, struct bio *bio, uint64_t ns)
{
	if (note_bio(run, bio, ns))
		respond(run, bio->of);
}

/* The thread waits for it, responds, and goes on. */
static void discard_done(struct run *run, void *what)
{
	struct pending *p = what;
	struct ring *ring = p->slot.rq->ring;

	respond(run, p);
	sim_at(run->sim, 0, run->cpu, ring->pid, run->ns, ring_thread, ring);
}

static void discard_end(struct run *run, struct bio *bio, uint64_t ns)
{
	struct pending *p = bio->of;

	if (note_bio(run, bio, ns))
		sim_later(run, p->slot.rq->ring->pid, 2000, discard_done, p);
}

static void submit_slot(struct run *run, struct pending *p)
{
	const struct guest_rq *rq = p->slot.rq;
	const struct guest_disk *gd = rq->ring->disk;
	struct world *w = gd->w;
	bool discard = is_discard(rq->op);
	unsigned int op = rq->op & XBLK_OP_F_FUA, nr = 1;
	uint64_t sector = gd->start + p->slot.sector;
	uint32_t left = p->slot.nr;
	struct bio *bios[3];

	op |= rq->flush ? FLUSH : rq->op & XBLK_OP_MASK;
	if ((op & XBLK_OP_MASK) == XBLK_OP_WRITE)
		op |= XBLK_OP_F_SYNC;
	if (left >= 3 && sim_chance(&w->sim, 200))
		nr = 2 + sim_random(&w->sim, 2);
	for (unsigned int i = 0; i < nr; i++) {
		uint32_t len = i + 1 < nr ? left / nr : left - (nr - 1) * (left / nr);

		bios[i] = play_bio(run, gd->backing, op, rq->flush ? 0 : sector, len,
				   discard ? discard_end : backend_bio_end, p);
		bios[i]->request = discard || has(w, TRAIT_OLD) ? 0 : p->id;
		sector += len;
	}
	p->left = nr;
	for (unsigned int i = 0; i < nr; i++)
		bio_submit(run, bios[i]);
}

static void ring_thread(struct run *run, void *what)
{
	struct ring *ring = what;
	struct world *w = ring->disk->w;
	struct pending *p;
	bool discard;

	if (!ring->nr_slots) {
		ring->awake = false;
		return;
	}
	p = zeroed(sizeof(*p));
	p->slot = ring->slots[ring->first];
	ring->first = (ring->first + 1) % RING_SLOTS;
	ring->nr_slots--;
	discard = is_discard(p->slot.rq->op);
	not_before(run, p->slot.ready_ns);
	run->about = p->slot.rq->about;
	p->id = 100 * ring->pid + sim_take_id(run->sim, &ring->pending_ids, run->ns);
	if (!discard && !has(w, TRAIT_BLIND)) {
		ring->told = true;
		p->thread_ns = sim_record(run, XBLK_EV_RING, XBLK_NO_DISK, 0, 0, 0,
					  ring->id, run->pid);
		if (p->slot.nr > 88)
			sim_record(run, XBLK_EV_RING, XBLK_NO_DISK, 0, 0, 0, ring->id,
				   run->pid);
	}
	if (p->slot.rq->flush && !ring->disk->backing->cache) {
		answer_of(w, run->about)->no_backend = true;
		respond(run, p);
	} else {
		submit_slot(run, p);
	}
	if (discard)
		return;
	sim_spend(run, 2000);
	sim_at(run->sim, 0, run->cpu, ring->pid, run->ns, ring_thread, ring);
}

static void backend_interrupt(struct run *run, void *what)
{
	struct ring *ring = what;

	if (ring->told)
		sim_record(run, XBLK_EV_INTERRUPT, XBLK_NO_DISK, 0, 0, 0, 0, ring->id);
	sim_later(run, ring->pid, 4000, ring_thread, ring);
}

/* blkfront, and the block layer above it */

/* It waits until the ring has room. */
static void stop(struct ring *ring, struct guest_rq *rq, uint64_t ns)
{
	if (ring->nr_stopped == MAX_STOPPED)
		abort();
	ring->stopped[ring->nr_stopped++] = rq;
	rq->ready_ns = ns;
}

/* What waits for a flush of the queue, or that itself; where the guest's kernel lets it. */
static void tell_flush(struct run *run, struct ring *ring, uint32_t rq, uint32_t bio)
{
	const struct world *w = ring->disk->w;

	if (!has(w, TRAIT_OLD) && !has(w, TRAIT_BLIND))
		sim_record(run, XBLK_EV_FLUSH_QUEUE, ring->disk->index, 0, ring->guest_id,
			   0, rq, bio);
}

static void guest_issue(struct run *run, void *what)
{
	struct guest_rq *rq = what;
	struct ring *ring = rq->ring;
	struct guest_disk *gd = ring->disk;
	struct world *w = gd->w;
	struct answer *a = answer_of(w, rq->about);
	uint64_t sector = rq->sector, ns;
	bool told = !has(w, TRAIT_OLD) && !has(w, TRAIT_BLIND) &&
		    !now_and_then(w, TRAIT_GAPS, 50);
	unsigned int op = rq->flush ? XBLK_OP_FLUSH : rq->op;
	uint32_t first = rq->flush ? 0 : rq->bios[0].id;

	/* A queue that is stopped issues nothing. */
	if (ring->nr_stopped) {
		stop(ring, rq, run->ns);
		return;
	}
	not_before(run, rq->ready_ns);
	run->about = rq->about;
	ns = sim_record(run, XBLK_EV_ISSUE, gd->index, op, rq->sector, rq->nr, rq->id,
			first);
	if (rq->flush)
		tell_flush(run, ring, rq->id, 0);
	for (unsigned int i = 1; i < rq->nr_bios; i++)
		sim_record_with(run, XBLK_EV_PART, gd->index, op, rq->bios[i].sector,
				rq->bios[i].nr, rq->id, rq->bios[i].id);
	if (a->nr_ds == ANSWER_DS)
		memmove(a->d_ns, &a->d_ns[1], --a->nr_ds * sizeof(*a->d_ns));
	a->d_ns[a->nr_ds++] = ns;
	if (rq->claim == SIZE_MAX)
		rq->claim = claim(w, gd->domid, gd->index, rq->op, rq->sector, rq->nr,
				  rq->flush ? rq->bios[0].q_ns : ns, rq->about);
	/* The lock of the ring: whoever gets it first. */
	sim_spend(run, 900);
	not_before(run, ring->locked_ns);
	if (ring->used + rq->slots > ring->size) {
		sim_record(run, XBLK_EV_REQUEUE, gd->index, op, rq->sector, rq->nr,
			   rq->id, first);
		ring->locked_ns = run->ns;
		stop(ring, rq, run->ns);
		return;
	}
	for (unsigned int i = 0; i < rq->slots; i++) {
		uint32_t nr = i + 1 < rq->slots ? rq->nr / 2
						: rq->nr - (sector - rq->sector);

		ring->ordinal++;
		if (told)
			sim_record(run, XBLK_EV_ORDER, gd->index, 0, ring->guest_id,
				   ring->nr, rq->id, ring->ordinal);
		sim_spend(run, 200);
		ring->slots[(ring->first + ring->nr_slots++) % RING_SLOTS] =
			(struct slot){rq, sector, run->ns, nr,
				      sim_take_id(run->sim, &ring->slot_ids, run->ns)};
		sector += nr;
	}
	ring->used += rq->slots;
	ring->locked_ns = run->ns;
	rq->left = rq->slots;
	if (ring->awake)
		return;
	ring->awake = true;
	sim_at(run->sim, 0, (ring->id + 1) % SIM_CPUS, 0,
	       run->ns + 300 + sim_random(run->sim, 4000), backend_interrupt, ring);
}

/* One of the CPUs whose requests go to the ring issues it, within @most of @ns. */
static void issue_later(struct guest_rq *rq, uint64_t ns, uint64_t most)
{
	struct ring *ring = rq->ring;
	struct sim *s = &ring->disk->w->sim;
	unsigned int nr = ring->disk->nr_rings;
	unsigned int cpu =
		ring->nr + nr * sim_random(s, (SIM_CPUS - ring->nr + nr - 1) / nr);

	sim_at(s, ring->disk->domid, cpu, 0, ns + 1 + sim_random(s, most), guest_issue,
	       rq);
}

static void guest_flush_kick(struct run *run, struct ring *ring);

/* It waited for the flush: that was all, or it may be issued now. */
static void flushed(struct run *run, struct ring *ring, const struct guest_bio *bio)
{
	unsigned int domain = sim_domain(ring->disk->domid);
	struct sim *s = run->sim;

	if (bio->then) {
		ring->nr_flushed++;
		issue_later(bio->then, run->ns, 3000);
		return;
	}
	sim_record(run, XBLK_EV_COMPLETE, ring->disk->index, FLUSH, 0, 0, bio->rq, 0);
	sim_give_id(&s->rqs[domain], bio->rq, run->ns);
	sim_give_id(&s->bios[domain], bio->id, run->ns);
}

/* A write behind a flush ends once more, and lets the next flush go. */
static void flushed_end(struct run *run, struct guest_rq *rq)
{
	struct ring *ring = rq->ring;

	sim_record(run, XBLK_EV_COMPLETE, ring->disk->index, rq->op, 0, 0, rq->id, 0);
	ring->nr_flushed--;
	ring->flush_ns = ring->flush_ns < run->ns ? run->ns : ring->flush_ns;
	guest_flush_kick(run, ring);
}

static void guest_complete(struct run *run, struct guest_rq *rq)
{
	struct ring *ring = rq->ring;
	struct guest_disk *gd = ring->disk;
	struct world *w = gd->w;
	struct sim_ids *bios = &run->sim->bios[sim_domain(gd->domid)];
	struct sim_ids *rqs = &run->sim->rqs[sim_domain(gd->domid)];
	unsigned int op = rq->flush ? XBLK_OP_FLUSH : rq->op;
	uint32_t part = 0;

	run->about = rq->about;
	if (!rq->error && rq->nr > 1 && now_and_then(w, TRAIT_PARTIAL, 60)) {
		part = 1 + sim_random(&w->sim, rq->nr - 1);
		answer_of(w, rq->about)->part_c_ns = sim_record(run, XBLK_EV_COMPLETE,
								gd->index, op, rq->sector,
								part, rq->id, 0);
	}
	answer_of(w, rq->about)->c_ns = sim_record(run, XBLK_EV_COMPLETE, gd->index, op,
						   rq->sector + part, rq->nr - part,
						   rq->id, rq->error);
	w->claims[rq->claim].to = run->ns;
	gd->in_flight--;
	if (!rq->flush) {
		for (unsigned int i = 0; i < rq->nr_bios; i++)
			sim_give_id(bios, rq->bios[i].id, run->ns);
		if (rq->flushed)
			flushed_end(run, rq);
		sim_give_id(rqs, rq->id, run->ns);
	} else {
		for (unsigned int i = 0; i < ring->nr_served; i++)
			flushed(run, ring, &ring->served[i]);
		ring->flushing = false;
		ring->flush_ns = run->ns;
		guest_flush_kick(run, ring);
	}
	free(rq);
}

static void guest_interrupt(struct run *run, void *what)
{
	struct ring *ring = what;
	struct guest_disk *gd = ring->disk;
	unsigned int i, nr = ring->nr_responses;

	if (!has(gd->w, TRAIT_BLIND))
		sim_record(run, XBLK_EV_INTERRUPT, XBLK_NO_DISK, 0, 0, 0, 0,
			   ring->guest_id);
	ring->irq_planned = false;
	ring->nr_responses = 0;
	not_before(run, ring->locked_ns);
	for (i = 0; i < nr; i++) {
		struct pending *p = ring->responses[i];
		struct guest_rq *rq = p->slot.rq;

		not_before(run, ring->response_ns[i]);
		rq->error = rq->error ? rq->error : p->error;
		sim_spend(run, 300);
		sim_give_id(&ring->slot_ids, p->slot.id, run->ns);
		ring->used--;
		if (!--rq->left)
			guest_complete(run, rq);
		free(p);
	}
	ring->locked_ns = run->ns;
	for (i = 0; i < ring->nr_stopped; i++)
		issue_later(ring->stopped[i], run->ns + 1000, 3000);
	ring->nr_stopped = 0;
}

static struct guest_rq *guest_rq_new(struct ring *ring, unsigned int op, uint64_t sector,
				     uint32_t nr)
{
	struct guest_disk *gd = ring->disk;
	struct world *w = gd->w;
	struct guest_rq *rq = zeroed(sizeof(*rq));

	*rq = (struct guest_rq){.ring = ring,
				.op = op,
				.sector = sector,
				.nr = nr,
				.slots = 1,
				.claim = SIZE_MAX};
	w->out->answers = sim_more(w->out->answers, w->out->nr + 1, &w->room_answers,
				   sizeof(*w->out->answers));
	rq->about = ++w->out->nr;
	gd->in_flight++;
	w->out->answers[rq->about] = (struct answer){.domid = gd->domid,
						     .disk = gd->index,
						     .op = op,
						     .sector = sector,
						     .nr_sectors = nr};
	strcpy(w->out->answers[rq->about].stack, gd->backing->name);
	return rq;
}

static void guest_flush_kick(struct run *run, struct ring *ring)
{
	struct guest_rq *rq;

	if (ring->flushing || ring->nr_flushed || !ring->nr_waiting)
		return;
	rq = guest_rq_new(ring, FLUSH, 0, 0);
	rq->flush = true;
	rq->ready_ns = ring->flush_ns;
	if (!ring->flush_rq)
		ring->flush_rq = sim_take_id(
			run->sim, &run->sim->rqs[sim_domain(ring->disk->domid)], run->ns);
	rq->id = ring->flush_rq;
	answer_of(ring->disk->w, rq->about)->ring = ring->nr;
	memcpy(ring->served, ring->waiting, sizeof(ring->served));
	rq->bios[0].q_ns = UINT64_MAX;
	for (unsigned int i = 0; i < ring->nr_waiting; i++) {
		if (ring->waiting[i].q_ns < rq->bios[0].q_ns)
			rq->bios[0].q_ns = ring->waiting[i].q_ns;
	}
	ring->nr_served = ring->nr_waiting;
	ring->nr_waiting = 0;
	ring->flushing = true;
	answer_of(ring->disk->w, rq->about)->q_ns = rq->bios[0].q_ns;
	issue_later(rq, run->ns, 2000);
}

/* what I/O there is */

static void wait_for_flush(struct run *run, struct ring *ring,
			   const struct guest_bio *bio)
{
	if (ring->nr_waiting == MAX_WAITING)
		abort();
	tell_flush(run, ring, bio->rq, bio->id);
	ring->waiting[ring->nr_waiting++] = *bio;
	ring->flush_ns = ring->flush_ns < run->ns ? run->ns : ring->flush_ns;
	guest_flush_kick(run, ring);
}

static void guest_flush(struct run *run, struct guest_disk *gd)
{
	struct ring *ring = &gd->rings[run->cpu % gd->nr_rings];
	struct sim_ids *ids = &run->sim->bios[sim_domain(gd->domid)];
	struct guest_bio bio = {.id = sim_take_id(run->sim, ids, run->ns)};

	bio.q_ns =
		sim_record(run, XBLK_EV_QUEUE, gd->index, FLUSH, 0, 0, bio.id, run->pid);
	bio.rq = sim_take_id(run->sim, &run->sim->rqs[sim_domain(gd->domid)], run->ns);
	wait_for_flush(run, ring, &bio);
}

/* @nr bios of @sectors each, in one request, each from its end or from its beginning on. */
static struct guest_rq *guest_bios(struct run *run, struct guest_disk *gd,
				   unsigned int op, uint64_t sector, unsigned int nr,
				   uint32_t sectors)
{
	struct guest_rq *rq = guest_rq_new(&gd->rings[run->cpu % gd->nr_rings], op,
					   sector, nr * sectors);
	struct sim *s = run->sim;
	bool up = sim_chance(s, 700);
	/* From there on they are in a request of their own first. */
	unsigned int second = up && nr > 1 && sim_chance(s, 200) ? nr / 2 : 0;
	uint64_t first = UINT64_MAX;

	rq->nr_bios = nr;
	run->about = rq->about;
	for (unsigned int i = 0; i < nr; i++) {
		struct guest_bio *bio = &rq->bios[up ? i : nr - 1 - i];
		uint64_t at = sector + (up ? i : nr - 1 - i) * sectors;

		*bio = (struct guest_bio){
			sim_take_id(s, &s->bios[sim_domain(gd->domid)], run->ns),
			sectors,
			at,
			0,
			NULL,
			0};
		bio->q_ns = sim_record(run, XBLK_EV_QUEUE, gd->index, op, at, sectors,
				       bio->id, run->pid);
		first = bio->q_ns < first ? bio->q_ns : first;
		if (i && i != second)
			sim_record(run, up ? XBLK_EV_BACKMERGE : XBLK_EV_FRONTMERGE,
				   gd->index, op, at, sectors, bio->id, run->pid);
	}
	answer_of(gd->w, rq->about)->q_ns = first;
	rq->id = sim_take_id(s, &s->rqs[sim_domain(gd->domid)], run->ns);
	if (second) {
		uint32_t id = sim_take_id(s, &s->rqs[sim_domain(gd->domid)], run->ns);

		sim_record(run, XBLK_EV_RQMERGE, gd->index, op, rq->bios[second].sector,
			   (nr - second) * sectors, id, rq->bios[second].id);
		sim_give_id(&s->rqs[sim_domain(gd->domid)], id, run->ns);
	}
	return rq;
}

/* A write that a flush goes before, which is all that makes it a special one. */
static void guest_flush_first(struct run *run, struct guest_disk *gd, unsigned int op,
			      uint64_t sector, uint32_t nr)
{
	struct guest_rq *rq = guest_bios(run, gd, op | XBLK_OP_F_PREFLUSH, sector, 1, nr);

	rq->op = op;
	rq->flushed = true;
	answer_of(gd->w, rq->about)->op = op;
	wait_for_flush(run, rq->ring,
		       &(struct guest_bio){.id = rq->bios[0].id,
					   .rq = rq->id,
					   .q_ns = rq->bios[0].q_ns,
					   .then = rq});
}

static void guest_queue(struct run *run, struct guest_rq *rq)
{
	struct ring *ring = rq->ring;

	if (rq->nr >= 8 && now_and_then(ring->disk->w, TRAIT_SLOTS, 150))
		rq->slots = 2;
	if (sim_chance(run->sim, 600))
		sim_at(run->sim, run->domid, run->cpu, run->pid, run->ns + 300,
		       guest_issue, rq);
	else
		issue_later(rq, run->ns, 15000);
}

/* A bio that would have to wait, and does not want to. */
static void guest_given_up(struct run *run, struct guest_disk *gd)
{
	struct sim_ids *ids = &run->sim->bios[sim_domain(gd->domid)];
	uint32_t id = sim_take_id(run->sim, ids, run->ns);

	sim_record(run, XBLK_EV_QUEUE, gd->index, XBLK_OP_READ, gd->next_sector, 8, id,
		   run->pid);
	sim_record(run, XBLK_EV_BIO_COMPLETE, gd->index, XBLK_OP_READ, 0, 0, id, EAGAIN);
	sim_give_id(ids, id, run->ns);
}

/* A bio that the block layer cuts in two, which are requests of their own. */
static void guest_split(struct run *run, struct guest_disk *gd, unsigned int op,
			uint64_t sector, uint32_t nr)
{
	struct guest_rq *rest = guest_bios(run, gd, op, sector, 1, nr), *front;
	uint32_t half = nr / 2;
	struct sim *s = run->sim;

	front = guest_rq_new(rest->ring, op, sector, half);
	run->about = front->about;
	front->nr_bios = 1;
	front->bios[0] = (struct guest_bio){
		sim_take_id(s, &s->bios[sim_domain(gd->domid)], run->ns),
		half,
		sector,
		0,
		NULL,
		0};
	sim_record(run, XBLK_EV_SPLIT, gd->index, op, sector, half, front->bios[0].id,
		   run->pid);
	front->id = sim_take_id(s, &s->rqs[sim_domain(gd->domid)], run->ns);
	answer_of(gd->w, front->about)->q_ns = answer_of(gd->w, rest->about)->q_ns;
	rest->sector += half;
	rest->nr -= half;
	rest->bios[0].sector = rest->sector;
	rest->bios[0].nr = rest->nr;
	answer_of(gd->w, rest->about)->sector = rest->sector;
	answer_of(gd->w, rest->about)->nr_sectors = rest->nr;
	guest_queue(run, front);
	guest_queue(run, rest);
}

static void guest_io(struct run *run, struct guest_disk *gd)
{
	static const unsigned int ops[] = {XBLK_OP_READ, XBLK_OP_READ,
					   XBLK_OP_READ | XBLK_OP_F_SYNC, XBLK_OP_WRITE,
					   XBLK_OP_WRITE | XBLK_OP_F_SYNC};
	struct world *w = gd->w;
	unsigned int op = ops[sim_random(&w->sim, 5)], nr = 1;
	uint32_t sectors = 8 << sim_random(&w->sim, 3);
	uint64_t sector = gd->next_sector;
	bool same = now_and_then(w, TRAIT_SAME, 500);

	if (now_and_then(w, TRAIT_DISCARD, 40))
		op = sim_chance(&w->sim, 250) ? XBLK_OP_SECURE_DISCARD : XBLK_OP_DISCARD;
	else if (now_and_then(w, TRAIT_FLUSH, 30) && (op & XBLK_OP_MASK) == XBLK_OP_WRITE)
		op |= XBLK_OP_F_FUA;
	if (now_and_then(w, TRAIT_MERGE, 250))
		nr += 1 + sim_random(&w->sim, 3);
	if (same)
		sector = 64 + 8 * sim_random(&w->sim, 3);
	else
		gd->next_sector += nr * sectors;
	/* Neighbours are merged where merging is a trait, and else have a gap. */
	if (!has(w, TRAIT_MERGE) || sim_chance(&w->sim, 300))
		gd->next_sector += 8;
	if (now_and_then(w, TRAIT_FLUSH, 150) && (op & XBLK_OP_MASK) == XBLK_OP_WRITE)
		guest_flush_first(run, gd, op, sector, sectors);
	else if (nr == 1 && sectors >= 16 && now_and_then(w, TRAIT_SPLIT, 100))
		guest_split(run, gd, op, sector, sectors);
	else
		guest_queue(run, guest_bios(run, gd, op, sector, nr, sectors));
}

static void nothing_more(struct run *run, struct bio *bio, uint64_t ns)
{
	(void)run;
	(void)bio;
	(void)ns;
}

/* The backend's own: where a guest's is, on its disk or on one below. */
static void own_io(struct run *run, struct guest_disk *gd)
{
	struct disk *d = gd->backing;
	uint64_t sector = gd->start + 64;

	while (d->nr_lower && d->shape != SHAPE_PATHS && sim_chance(run->sim, 500)) {
		if (d->shape == SHAPE_STRIPE || d->shape == SHAPE_CUT ||
		    d->shape == SHAPE_RAID0)
			sector = sector / 2;
		sector += d->offset;
		d = d->lower[0];
	}
	bio_submit(run, play_bio(run, d, sim_random(run->sim, 2), sector, 8, nothing_more,
				 NULL));
}

void workload(struct run *run, void *what)
{
	struct world *w = what;
	struct guest_disk *gd = &w->guest_disks[sim_random(&w->sim, w->nr_guest_disks)];
	unsigned int cpu = sim_random(&w->sim, SIM_CPUS), nr = 1;

	/* This piece runs nowhere: it only starts others. */
	if (!w->left)
		return;
	/* A guest waits, too. */
	if (gd->in_flight >= MAX_IN_FLIGHT)
		return;
	w->left--;
	if (now_and_then(w, TRAIT_OWN, 80)) {
		struct run own = *run;

		own.about = 0;
		own.pid = PID_OWN;
		own_io(&own, gd);
	}
	nr += now_and_then(w, TRAIT_SAME, 200) ? sim_random(&w->sim, 4) : 0;
	while (nr--) {
		struct run guest = {&w->sim, gd->domid, cpu, PID_GUEST + cpu, run->ns, 0};

		if (now_and_then(w, TRAIT_ERROR, 30))
			guest_given_up(&guest, gd);
		if (now_and_then(w, TRAIT_FLUSH, 60))
			guest_flush(&guest, gd);
		else
			guest_io(&guest, gd);
		cpu = (cpu + 1) % SIM_CPUS;
	}
	sim_at(&w->sim, 0, run->cpu, 0, run->ns + 1 + sim_random(&w->sim, APART_NS),
	       workload, w);
}
