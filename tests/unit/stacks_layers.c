// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the backend's disks make of a bio, a function for each shape, and what of that is
 * recorded, as by Linux 6.1: block/blk-core.c, block/bio.c (of a bio its Q and its end
 * are told once each, and not the end of one that is in a request), block/blk-flush.c,
 * drivers/md.
 */
#include "stacks_world.h"

#include <string.h>

size_t claim(struct world *w, unsigned int domid, unsigned int disk, unsigned int op,
	     uint64_t sector, uint32_t nr, uint64_t from, unsigned int about)
{
	w->claims =
		sim_more(w->claims, w->nr_claims, &w->room_claims, sizeof(*w->claims));
	w->claims[w->nr_claims] = (struct claim){
		.domid = domid,
		.disk = disk,
		.class = op & XBLK_OP_MASK,
		.about = about,
		.sector = sector,
		.from = from,
		.to = UINT64_MAX,
		.nr = nr,
	};
	if (!nr)
		w->claims[w->nr_claims].class = XBLK_OP_FLUSH;
	else if (is_discard(op))
		w->claims[w->nr_claims].class = XBLK_OP_DISCARD;
	return w->nr_claims++;
}

/* bios */

#define BIO(run, event, bio)                                                            \
	sim_record(run, event, (bio)->disk->index, (bio)->op, (bio)->sector, (bio)->nr, \
		   (bio)->id, (run)->pid)

struct bio *play_bio(struct run *run, struct disk *disk, unsigned int op, uint64_t sector,
		     uint32_t nr,
		     void (*end)(struct run *run, struct bio *bio, uint64_t ns), void *of)
{
	struct bio *bio = zeroed(sizeof(*bio));

	*bio = (struct bio){.disk = disk,
			    .op = op,
			    .about = run->about,
			    .sector = sector,
			    .nr = nr,
			    .left = 1,
			    .end = end,
			    .of = of};
	bio->id = sim_take_id(run->sim, &run->sim->bios[0], run->ns);
	return bio;
}

/* It has come to its disk. */
static void came(struct bio *bio, uint64_t ns)
{
	if (!bio->made_ns) {
		bio->made_ns = ns;
		bio->first_disk = bio->disk->index;
	}
	bio->at_ns = ns;
	bio->at_sector = bio->sector;
	bio->at_nr = bio->nr;
}

/* It has ended at @ns: that is noted with blkback's bio, or whose it is. */
static void note_clone(struct bio *bio, uint64_t ns)
{
	struct bio *root = bio;
	unsigned int level = 0;
	bool lowest = !bio->disk->nr_lower || bio->disk->shape == SHAPE_PATHS;

	for (; root->part; root = root->of)
		level++;
	root->clones = sim_more(root->clones, root->nr_clones, &root->room_clones,
				sizeof(*root->clones));
	root->clones[root->nr_clones++] = (struct answer_clone){
		.first_disk = bio->first_disk,
		.disk = bio->disk->index,
		.sector = bio->at_sector,
		.nr_sectors = bio->at_nr,
		.level = level,
		.requeues = bio->path.requeues,
		.nr_bios = bio->path.nr_bios,
		.error = bio->error,
		.made_ns = bio->made_ns,
		.q_ns = bio->at_ns,
		.d_ns = bio->path.known ? bio->path.d_ns : bio->at_ns,
		.c_ns = ns,
		.again_ns = bio->path.again_ns,
		.other_c_ns = bio->other_end_ns,
		.lowest = lowest || !bio->path.known,
		.in_parts = bio->in_parts,
	};
}

/* One of its parts has ended at @ns. */
static void bio_end(struct run *run, struct bio *bio, struct path path, uint64_t ns)
{
	struct world *w = bio->disk->w;

	if (ns > bio->last_ns) {
		bio->last_ns = ns;
		bio->path = path;
	}
	if (--bio->left)
		return;
	ns = bio->last_ns;
	not_before(run, ns);
	run->about = bio->about;
	if (bio->traced)
		ns = sim_record(run, XBLK_EV_BIO_COMPLETE, bio->disk->index, bio->op, 0,
				0, bio->id, bio->error);
	for (unsigned int i = 0; i < bio->nr_claims; i++)
		w->claims[bio->claims[i]].to = run->ns;
	sim_give_id(&run->sim->bios[0], bio->id, run->ns);
	note_clone(bio, ns);
	bio->end(run, bio, ns);
	free(bio->clones);
	free(bio);
}

/* Of a clone, or of a part that was split off. */
static void end_part(struct run *run, struct bio *part, uint64_t ns)
{
	struct bio *bio = part->of;

	bio->error = bio->error ? bio->error : part->error;
	bio_end(run, bio, part->path, ns);
}

static void shape_play(struct run *run, struct bio *bio);

/* submit_bio_noacct(), for which one that has been here before has nothing to tell. */
void bio_submit(struct run *run, struct bio *bio)
{
	run->about = bio->about;
	if (!bio->traced) {
		bio->q_ns = BIO(run, XBLK_EV_QUEUE, bio);
		came(bio, bio->q_ns);
		sim_give_way(run);
		/* The thread may be moved to another CPU. */
		if (bio->request && now_and_then(bio->disk->w, TRAIT_GAPS, 20))
			run->cpu = sim_random(run->sim, SIM_CPUS);
		if (bio->request)
			sim_record(run, XBLK_EV_BACKEND_BIO, bio->disk->index, 0, 0, 0,
				   bio->id, bio->request);
	}
	bio->traced = true;
	if (bio->nr_claims < 4)
		bio->claims[bio->nr_claims++] = claim(bio->disk->w, 0, bio->disk->index,
						      bio->op, bio->sector, bio->nr,
						      run->ns, bio->about);
	shape_play(run, bio);
}

/* The front of @bio becomes a bio of its own, which ends before that does. */
static struct bio *split_off(struct run *run, struct bio *bio, uint32_t nr)
{
	struct bio *part =
		play_bio(run, bio->disk, bio->op, bio->sector, nr, end_part, bio);

	part->about = bio->about;
	part->traced = bio->traced;
	part->part = true;
	bio->in_parts = true;
	bio->left++;
	bio->sector += nr;
	bio->nr -= nr;
	return part;
}

static struct bio *clone(struct run *run, struct bio *bio, unsigned int leg,
			 uint64_t sector, uint32_t nr)
{
	struct bio *part = play_bio(run, bio->disk->lower[leg], bio->op,
				    bio->disk->offset + sector, nr, end_part, bio);

	part->about = bio->about;
	part->part = true;
	return part;
}

/* @bio has its new place; it was @sector of @from. */
static void remap(struct run *run, struct bio *bio, const struct disk *from,
		  uint64_t sector)
{
	came(bio, BIO(run, XBLK_EV_REMAP, bio));
	sim_record_with(run, XBLK_EV_REMAP_FROM, from->index, bio->op, sector, bio->nr,
			bio->id, run->pid);
	sim_give_way(run);
}

/* disks of the backend that make requests */

static void issue(struct run *run, void *what);
static void complete(struct run *run, void *what);

/* A kworker does it on any CPU, within @most from now on; each CPU has its own. */
static void by_kworker(struct run *run, uint64_t most, sim_fn fn, void *what)
{
	struct sim *s = run->sim;
	unsigned int cpu = sim_random(s, SIM_CPUS);

	sim_at(s, 0, cpu, PID_KWORKER + cpu, run->ns + 1 + sim_random(s, most), fn, what);
}

static bool merge(struct run *run, struct bio *bio)
{
	struct disk *d = bio->disk;

	for (unsigned int i = 0; i < 16; i++) {
		struct rq *rq = d->waiting[i];
		bool back = rq && rq->sector + rq->nr == bio->sector;

		if (!rq || rq->nr_bios == RQ_BIOS || rq->op != bio->op || rq->tries ||
		    (!back && bio->sector + bio->nr != rq->sector))
			continue;
		BIO(run, back ? XBLK_EV_BACKMERGE : XBLK_EV_FRONTMERGE, bio);
		if (back) {
			rq->bios[rq->nr_bios] = bio;
		} else {
			memmove(&rq->bios[1], rq->bios, rq->nr_bios * sizeof(*rq->bios));
			rq->bios[0] = bio;
			rq->sector = bio->sector;
		}
		rq->nr_bios++;
		rq->nr += bio->nr;
		/* Another CPU may have been here whose time is later. */
		rq->ready_ns = rq->ready_ns < run->ns ? run->ns : rq->ready_ns;
		return true;
	}
	return false;
}

static void make_request(struct run *run, struct bio *bio)
{
	struct disk *d = bio->disk;
	struct rq *rq;

	if (has(d->w, TRAIT_MERGE) && merge(run, bio))
		return;
	rq = zeroed(sizeof(*rq));
	*rq = (struct rq){.disk = d,
			  .op = bio->op,
			  .sector = bio->sector,
			  .nr = bio->nr,
			  .nr_bios = 1,
			  .ready_ns = run->ns,
			  .bios = {bio}};
	rq->id = sim_take_id(run->sim, &run->sim->rqs[0], run->ns);
	for (unsigned int i = 0; i < 16; i++) {
		if (!d->waiting[i]) {
			d->waiting[i] = rq;
			break;
		}
	}
	/* By who queued it, soon, or by a worker when it is its turn. */
	if (sim_chance(run->sim, 500))
		sim_at(run->sim, 0, run->cpu, run->pid, run->ns + 500, issue, rq);
	else
		by_kworker(run, 9000, issue, rq);
}

/* A request of dm-multipath's on one of its paths. */
struct path_rq {
	struct rq *rq;
	struct disk *disk;
	uint32_t id, bios[RQ_BIOS]; /* clones that never had a Q */
	unsigned int nr_bios;
};

static void path_complete(struct run *run, void *what)
{
	struct path_rq *p = what;
	struct rq *rq = p->rq;
	uint64_t ns;

	run->about = rq->bios[0]->about;
	ns = sim_record(run, XBLK_EV_COMPLETE, p->disk->index, rq->op, rq->sector, rq->nr,
			p->id, 0);
	for (unsigned int i = 0; i < p->nr_bios; i++)
		sim_give_id(&run->sim->bios[0], p->bios[i], ns);
	sim_give_id(&run->sim->rqs[0], p->id, ns);
	free(p);
	complete(run, rq);
}

static void path_issue(struct run *run, struct rq *rq)
{
	struct path_rq *p = zeroed(sizeof(*p));

	p->rq = rq;
	p->disk = rq->disk->lower[sim_random(run->sim, 2)];
	p->nr_bios = rq->nr_bios;
	p->id = sim_take_id(run->sim, &run->sim->rqs[0], run->ns);
	for (unsigned int i = 0; i < p->nr_bios; i++)
		p->bios[i] = sim_take_id(run->sim, &run->sim->bios[0], run->ns);
	run->about = rq->bios[0]->about;
	sim_record(run, XBLK_EV_RQ_REMAP, p->disk->index, 0, rq->sector, rq->nr, p->id,
		   rq->disk->index);
	sim_record(run, XBLK_EV_ISSUE, p->disk->index, rq->op, rq->sector, rq->nr, p->id,
		   p->bios[0]);
	for (unsigned int i = 1; i < p->nr_bios; i++)
		sim_record_with(run, XBLK_EV_PART, p->disk->index, rq->op,
				rq->bios[i]->sector, rq->bios[i]->nr, p->id, p->bios[i]);
	run->ns += p->disk->service_ns / 2;
	sim_later(run, 0, p->disk->service_ns, path_complete, p);
}

static void issue(struct run *run, void *what)
{
	struct rq *rq = what;
	struct disk *d = rq->disk;
	uint64_t ns;

	for (unsigned int i = 0; i < 16; i++)
		d->waiting[i] = d->waiting[i] == rq ? NULL : d->waiting[i];
	not_before(run, rq->ready_ns);
	run->about = rq->bios[0]->about;
	ns = sim_record(run, XBLK_EV_ISSUE, d->index, rq->op, rq->sector, rq->nr, rq->id,
			rq->bios[0]->id);
	for (unsigned int i = 1; i < rq->nr_bios; i++) {
		run->about = rq->bios[i]->about;
		sim_record_with(run, XBLK_EV_PART, d->index, rq->op, rq->bios[i]->sector,
				rq->bios[i]->nr, rq->id, rq->bios[i]->id);
	}
	if (!rq->first_d_ns) {
		rq->first_d_ns = ns;
		rq->nr_issued = rq->nr_bios;
	} else if (rq->r_ns) {
		rq->again_ns += ns - rq->r_ns;
	}
	if (d->shape == SHAPE_PATHS) {
		path_issue(run, rq);
		return;
	}
	run->ns += d->service_ns / 2;
	sim_later(run, 0, d->service_ns, complete, rq);
}

/* Those of its bios that end with @until. */
static void end_bios(struct run *run, struct rq *rq, uint64_t until, uint64_t ns)
{
	const struct path path = {true, rq->first_d_ns, rq->again_ns, rq->tries,
				  rq->nr_issued};

	while (rq->nr_bios && rq->bios[0]->sector + rq->bios[0]->nr <= until) {
		struct bio *bio = rq->bios[0];

		memmove(rq->bios, &rq->bios[1], --rq->nr_bios * sizeof(*rq->bios));
		bio->error = bio->error ? bio->error : rq->error;
		bio->traced = false;
		bio_end(run, bio, path, ns);
	}
}

static void complete(struct run *run, void *what)
{
	struct rq *rq = what;
	struct world *w = rq->disk->w;
	uint32_t nr = rq->nr;
	uint64_t ns;

	run->about = rq->bios[0]->about;
	if (rq->tries < 3 && now_and_then(w, TRAIT_RETRY, 80)) {
		rq->tries++;
		rq->r_ns = sim_record(run, XBLK_EV_REQUEUE, rq->disk->index, rq->op,
				      rq->sector, rq->nr, rq->id, rq->bios[0]->id);
		by_kworker(run, 20000, issue, rq);
		return;
	}
	rq->error = now_and_then(w, TRAIT_ERROR, 20) ? 5 : 0;
	if (!rq->error && nr > 1 && rq->disk->shape == SHAPE_PLAIN &&
	    now_and_then(w, TRAIT_PARTIAL, 80))
		nr = 1 + sim_random(&w->sim, nr - 1);
	ns = sim_record(run, XBLK_EV_COMPLETE, rq->disk->index, rq->op, rq->sector, nr,
			rq->id, rq->error);
	rq->sector += nr;
	rq->nr -= nr;
	if (rq->nr) {
		end_bios(run, rq, rq->sector, ns);
		sim_later(run, 0, 5000, complete, rq);
		return;
	}
	end_bios(run, rq, rq->sector, ns);
	sim_give_id(&w->sim.rqs[0], rq->id, run->ns);
	free(rq);
}

/* One flush request for all that wait on a queue, while the next ones wait for it. */
static void flush_kick(struct run *run, struct flushing *f);

static void flush_complete(struct run *run, void *what)
{
	struct flushing *f = what;
	uint64_t done_ns = sim_record(run, XBLK_EV_COMPLETE, f->disk->index,
				      XBLK_OP_FLUSH, 0, 0, f->rq, 0);

	for (unsigned int i = 0; i < f->nr_served; i++) {
		struct bio *bio = f->served[i];
		uint64_t ns;

		run->about = bio->about;
		ns = sim_record(run, XBLK_EV_COMPLETE, f->disk->index, bio->op, 0, 0,
				f->served_rqs[i], 0);
		sim_give_id(&run->sim->rqs[0], f->served_rqs[i], ns);
		bio->traced = false;
		bio->other_end_ns = done_ns;
		bio_end(run, bio, (struct path){true, f->d_ns, 0, 0, 0}, ns);
	}
	f->busy = false;
	f->ready_ns = run->ns;
	flush_kick(run, f);
}

static void tell_flush(struct run *run, const struct flushing *f, uint32_t rq,
		       uint32_t bio)
{
	if (!has(f->disk->w, TRAIT_OLD) && !has(f->disk->w, TRAIT_BLIND))
		sim_record(run, XBLK_EV_FLUSH_QUEUE, f->disk->index, 0,
			   1 + (f - f->disk->flushing), 0, rq, bio);
}

static void flush_issue(struct run *run, void *what)
{
	struct flushing *f = what;

	not_before(run, f->ready_ns);
	run->about = f->served[0]->about;
	f->d_ns = sim_record(run, XBLK_EV_ISSUE, f->disk->index, XBLK_OP_FLUSH, 0, 0,
			     f->rq, 0);
	tell_flush(run, f, f->rq, 0);
	sim_later(run, 0, f->disk->service_ns, flush_complete, f);
}

static void flush_kick(struct run *run, struct flushing *f)
{
	unsigned int cpu;

	if (f->busy || !f->nr_waiting)
		return;
	f->busy = true;
	memcpy(f->served, f->waiting, sizeof(f->served));
	memcpy(f->served_rqs, f->rqs, sizeof(f->rqs));
	f->nr_served = f->nr_waiting;
	f->nr_waiting = 0;
	cpu = f - f->disk->flushing +
	      DISK_QUEUES * sim_random(run->sim, SIM_CPUS / DISK_QUEUES);
	sim_at(run->sim, 0, cpu, PID_KWORKER + cpu,
	       run->ns + 1 + sim_random(run->sim, 3000), flush_issue, f);
}

static void flush(struct run *run, struct bio *bio)
{
	struct flushing *f = &bio->disk->flushing[run->cpu % DISK_QUEUES];
	struct sim_ids *rqs = &run->sim->rqs[0];

	if (!f->rq)
		f->rq = sim_take_id(run->sim, rqs, run->ns);
	if (f->nr_waiting == MAX_WAITING)
		abort();
	f->disk = bio->disk;
	f->rqs[f->nr_waiting] = sim_take_id(run->sim, rqs, run->ns);
	tell_flush(run, f, f->rqs[f->nr_waiting], bio->id);
	f->waiting[f->nr_waiting++] = bio;
	f->ready_ns = f->ready_ns < run->ns ? run->ns : f->ready_ns;
	flush_kick(run, f);
}

static void plain(struct run *run, struct bio *bio)
{
	struct disk *d = bio->disk;

	if (!bio->nr) {
		flush(run, bio);
		return;
	}
	while (has(d->w, TRAIT_SPLIT) && bio->nr > d->largest) {
		struct bio *part = split_off(run, bio, d->largest);

		came(part, BIO(run, XBLK_EV_SPLIT, part));
		part->at_ns = bio->at_ns;
		make_request(run, part);
	}
	make_request(run, bio);
}

/* disks of the backend that have others below */

/* What of a stripe is in one chunk. */
static uint32_t in_chunk(uint64_t sector, uint32_t left)
{
	uint32_t nr = CHUNK - sector % CHUNK;

	return nr < left ? nr : left;
}

static unsigned int chunk_leg(uint64_t sector)
{
	return sector / CHUNK % 2;
}

static uint64_t chunk_sector(uint64_t sector)
{
	return sector / (2 * CHUNK) * CHUNK + sector % CHUNK;
}

static void linear(struct run *run, struct bio *bio)
{
	struct bio *part = clone(run, bio, 0, bio->sector, bio->nr);

	remap(run, part, bio->disk, bio->sector);
	bio_submit(run, part);
}

static void linear_later(struct run *run, void *what)
{
	struct bio *bio = what;

	run->about = bio->about;
	linear(run, bio);
}

static void defer(struct run *run, struct bio *bio)
{
	by_kworker(run, 60000, linear_later, bio);
}

/* An empty flush goes to each disk below. */
static void flush_all(struct run *run, struct bio *bio)
{
	unsigned int nr = bio->disk->nr_lower;

	bio->left += nr - 1;
	for (unsigned int i = 0; i < nr; i++) {
		struct bio *part = clone(run, bio, i, 0, 0);

		part->sector = 0;
		remap(run, part, bio->disk, 0);
		bio_submit(run, part);
	}
}

static void stripe(struct run *run, struct bio *bio)
{
	uint64_t sector = bio->sector;
	uint32_t left = bio->nr, nr;

	/* The last part's end is its own. */
	for (; left; sector += nr, left -= nr) {
		struct bio *part;

		nr = in_chunk(sector, left);
		bio->left += nr < left;
		part = clone(run, bio, chunk_leg(sector), chunk_sector(sector), nr);
		remap(run, part, bio->disk, sector);
		bio_submit(run, part);
	}
}

static void send_on(struct run *run, struct bio *bio, unsigned int leg, uint64_t sector)
{
	const struct disk *from = bio->disk;
	uint64_t from_sector = bio->sector;

	bio->sector = bio->nr ? from->offset + sector : 0;
	bio->disk = from->lower[leg];
	run->about = bio->about;
	remap(run, bio, from, from_sector);
	bio_submit(run, bio);
}

static void cut(struct run *run, struct bio *bio)
{
	uint32_t nr;

	while ((nr = in_chunk(bio->sector, bio->nr)) < bio->nr) {
		struct bio *part = split_off(run, bio, nr);

		send_on(run, part, chunk_leg(part->sector), chunk_sector(part->sector));
	}
	send_on(run, bio, chunk_leg(bio->sector), chunk_sector(bio->sector));
}

static void raid0_part(struct run *run, struct bio *bio)
{
	struct bio *part = clone(run, bio, chunk_leg(bio->sector),
				 chunk_sector(bio->sector), bio->nr);

	remap(run, part, bio->disk, bio->sector);
	bio_submit(run, part);
}

/* As md has it since Linux 6.6, which counts in its clones. */
static void raid0(struct run *run, struct bio *bio)
{
	uint32_t nr;

	while ((nr = in_chunk(bio->sector, bio->nr)) < bio->nr) {
		struct bio *part = split_off(run, bio, nr);

		came(part, BIO(run, XBLK_EV_SPLIT, part));
		part->at_ns = bio->at_ns;
		raid0_part(run, part);
	}
	raid0_part(run, bio);
}

static void pass(struct run *run, struct bio *bio)
{
	send_on(run, bio, 0, bio->sector);
}

static void submit_later(struct run *run, void *what)
{
	bio_submit(run, what);
}

static void mirror(struct run *run, struct bio *bio)
{
	struct bio *parts[2];

	if ((bio->op & XBLK_OP_MASK) == XBLK_OP_READ) {
		parts[0] = clone(run, bio, sim_random(run->sim, 2), bio->sector, bio->nr);
		remap(run, parts[0], bio->disk, bio->sector);
		bio_submit(run, parts[0]);
		return;
	}
	bio->left++;
	for (unsigned int i = 0; i < 2; i++) {
		parts[i] = clone(run, bio, i, bio->sector, bio->nr);
		remap(run, parts[i], bio->disk, bio->sector);
	}
	for (unsigned int i = 0; i < 2; i++)
		by_kworker(run, 4000, submit_later, parts[i]);
}

/* Its own work is done by a worker; @what: the upper bio. */
static void work_done(struct run *run, void *what)
{
	struct bio *bio = what;

	bio_end(run, bio, bio->work, run->ns);
}

static void decrypt(struct run *run, struct bio *part, uint64_t ns)
{
	struct bio *bio = part->of;

	(void)ns;
	bio->work = part->path;
	bio->error = part->error;
	by_kworker(run, 30000, work_done, bio);
}

static void crypt(struct run *run, struct bio *bio)
{
	struct bio *part;

	if ((bio->op & XBLK_OP_MASK) == XBLK_OP_WRITE) {
		defer(run, bio);
		return;
	}
	part = clone(run, bio, 0, bio->sector, bio->nr);
	if ((bio->op & XBLK_OP_MASK) == XBLK_OP_READ)
		part->end = decrypt;
	remap(run, part, bio->disk, bio->sector);
	bio_submit(run, part);
}

/* I/O of a layer's own for @bio: @phases of them, one behind the other on each disk. */
struct own_work {
	struct bio *bio;
	unsigned int phases, left;
};

static void own_work(struct run *run, void *what);

static void own_work_end(struct run *run, struct bio *part, uint64_t ns)
{
	struct own_work *work = part->of;

	(void)ns;
	if (--work->left)
		return;
	by_kworker(run, 5000, work->phases ? own_work : work_done,
		   work->phases ? (void *)work : work->bio);
	if (!work->phases)
		free(work);
}

static void own_work(struct run *run, void *what)
{
	struct own_work *work = what;
	struct bio *bio = work->bio;
	unsigned int op = --work->phases ? XBLK_OP_READ : bio->op,
		     nr = bio->disk->nr_lower;

	work->left = nr;
	for (unsigned int i = 0; i < nr; i++) {
		struct bio *part;

		run->about = bio->about;
		part = play_bio(run, bio->disk->lower[i], op,
				bio->nr ? bio->disk->offset + bio->sector : 0, bio->nr,
				own_work_end, work);
		bio_submit(run, part);
	}
}

static void own_work_begin(struct run *run, struct bio *bio, unsigned int phases)
{
	struct own_work *work = zeroed(sizeof(*work));

	*work = (struct own_work){bio, phases, 0};
	by_kworker(run, 5000, own_work, work);
}

static void raid5(struct run *run, struct bio *bio)
{
	own_work_begin(run, bio, (bio->op & XBLK_OP_MASK) == XBLK_OP_READ ? 1 : 2);
}

static void bare(struct run *run, struct bio *bio)
{
	if (sim_chance(run->sim, 500))
		bio_end(run, bio, bio->work, run->ns);
	else
		sim_later(run, 0, 20000, work_done, bio);
}

static void shape_play(struct run *run, struct bio *bio)
{
	static void (*const play[SHAPE_MAX])(struct run * run, struct bio * bio) = {
		plain, linear, defer, stripe, cut,   raid0,
		pass,  mirror, crypt, plain,  raid5, bare,
	};
	enum shape shape = bio->disk->shape;

	if (bio->nr || shape == SHAPE_PLAIN || shape == SHAPE_PATHS ||
	    shape == SHAPE_PASS || shape == SHAPE_BARE)
		play[shape](run, bio);
	else if (shape == SHAPE_CUT || shape == SHAPE_RAID0 || shape == SHAPE_RAID5)
		own_work_begin(run, bio, 1);
	else
		flush_all(run, bio);
}
