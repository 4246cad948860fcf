// SPDX-License-Identifier: GPL-2.0-only
/* How guests and stacks are chosen, and what was played as a trace with its answers. */
#include "stacks_world.h"

#include <stdio.h>
#include <string.h>

#define LOSS_SLACK 300000 /* ns in which a loss may be felt */

const char *const shape_names[SHAPE_MAX] = {
	"plain", "linear", "defer", "stripe", "cut",   "raid0",
	"pass",	 "mirror", "crypt", "paths",  "raid5", "bare",
};

const char *const trait_names[TRAIT_MAX] = {
	"two",	"shared", "same",    "guests", "rings", "old",	   "blind",
	"gaps", "merge",  "split",   "full",   "slots", "partial", "retry",
	"own",	"flush",  "discard", "error",  "clock", "middle",  "loss",
};

/* the world */

static bool offered(const struct world *w, enum shape shape)
{
	return w->shapes >> shape & 1;
}

static struct disk *disk_new(struct world *w, enum shape shape, bool second)
{
	static const unsigned int nr_lower[SHAPE_MAX] = {0, 1, 1, 2, 2, 2,
							 1, 2, 1, 2, 2, 0};
	struct disk *d = &w->disks[w->nr_disks];

	if (w->nr_disks == MAX_DISKS)
		abort();
	*d = (struct disk){.w = w,
			   .shape = shape,
			   .index = w->nr_disks,
			   .cache = true,
			   .nr_lower = nr_lower[shape],
			   .offset = (uint64_t)(w->nr_disks + 1) << 36,
			   .largest = 8 << sim_random(&w->sim, 4)};
	d->service_ns = 4000 << sim_random(&w->sim, 5);
	w->nr_disks++;
	strcpy(d->name, shape_names[shape]);
	for (unsigned int i = 0; i < d->nr_lower; i++) {
		enum shape lower =
			SHAPE_LINEAR + sim_random(&w->sim, SHAPE_RAID5 - SHAPE_LINEAR);

		if (shape == SHAPE_PATHS) {
			d->lower[i] = disk_new(w, SHAPE_PLAIN, true);
		} else if (!second && shape != SHAPE_RAID5 && offered(w, lower) &&
			   now_and_then(w, TRAIT_TWO, 500)) {
			/* RAID5 and BARE are on top: their clones are in no request. */
			d->lower[i] = disk_new(w, lower, true);
			snprintf(d->name, sizeof(d->name), "%s/%s", shape_names[shape],
				 shape_names[lower]);
		} else {
			d->lower[i] = &w->disks[(d->index + i) % w->nr_plain];
		}
		if (!d->lower[i]->part_of)
			d->lower[i]->part_of = d;
	}
	return d;
}

/* What a new disk of a guest lies on: one of its own, or one that another one's lies on. */
static void choose_backing(struct world *w, struct guest_disk *gd)
{
	const struct guest_disk *other =
		w->nr_guest_disks
			? &w->guest_disks[sim_random(&w->sim, w->nr_guest_disks)]
			: NULL;
	enum shape shape;

	if (other && now_and_then(w, TRAIT_SHARED, 500)) {
		gd->backing = other->backing;
		gd->start = PART_START(gd - w->guest_disks);
	} else if (other && other->domid != gd->domid &&
		   now_and_then(w, TRAIT_GUESTS, 600)) {
		gd->backing = other->backing;
		gd->start = other->start;
	} else {
		do
			shape = sim_random(&w->sim, SHAPE_MAX);
		while (!offered(w, shape));
		gd->backing = shape ? disk_new(w, shape, false)
				    : &w->disks[sim_random(&w->sim, w->nr_plain)];
		gd->start = gd->backing->direct ? PART_START(gd - w->guest_disks) : 0;
	}
	gd->backing->direct = true;
	gd->next_sector = 4096;
}

static void ring_init(struct ring *ring, struct guest_disk *gd, unsigned int nr)
{
	struct world *w = gd->w;
	uint32_t n = (gd - w->guest_disks) * MAX_RINGS + nr;

	*ring = (struct ring){.disk = gd,
			      .nr = nr,
			      .id = RING_IDS + n,
			      .guest_id = RING_IDS + n,
			      .pid = PID_RING + n,
			      .size = 32,
			      .ordinal = UINT32_MAX - 2};
	if (has(w, TRAIT_FULL))
		ring->size = 2 + sim_random(&w->sim, 4);
	if (sim_chance(&w->sim, 500))
		ring->ordinal = sim_random(&w->sim, 1u << 31);
}

static void build(struct world *w)
{
	struct sim *s = &w->sim;

	w->nr_plain = 2 + sim_random(s, 3);
	while (w->nr_disks < w->nr_plain)
		disk_new(w, SHAPE_PLAIN, false)->cache = sim_chance(s, 700);
	w->nr_guests = 1 + sim_random(s, SIM_GUESTS);
	for (unsigned int g = 0; g < w->nr_guests; g++) {
		unsigned int nr = 1 + sim_random(s, GUEST_DISKS);

		for (unsigned int d = 0; d < nr; d++) {
			unsigned int index = w->nr_guest_disks;
			struct guest_disk *gd = &w->guest_disks[index];

			*gd = (struct guest_disk){
				.w = w,
				.domid = SIM_FIRST_GUEST + g,
				.index = d,
				.nr_rings = has(w, TRAIT_RINGS)
						    ? 1 + sim_random(s, MAX_RINGS)
						    : 1};
			snprintf(gd->name, sizeof(gd->name), "xvd%c", 'a' + d);
			choose_backing(w, gd);
			w->nr_guest_disks++;
			for (unsigned int r = 0; r < gd->nr_rings; r++)
				ring_init(&gd->rings[r], gd, r);
		}
	}
	for (unsigned int d = 0; has(w, TRAIT_CLOCK) && d < w->nr_guests; d++)
		s->off_ns[1 + d] = (int64_t)sim_random(s, 601) - 300;
}

static const char *thread_name(void *ctx, unsigned int domid, uint32_t pid, bool *kernel)
{
	struct world *w = ctx;
	static char name[40];

	*kernel = !domid && pid != PID_OWN;
	if (domid)
		return "fio";
	if (pid < PID_RING || pid == PID_OWN)
		return pid == PID_OWN ? "dd" : "kworker/u8:1";
	const struct guest_disk *gd = &w->guest_disks[(pid - PID_RING) / MAX_RINGS];

	snprintf(name, sizeof(name), "%u.%s-%u", gd->domid, gd->name,
		 (pid - PID_RING) % MAX_RINGS);
	return name;
}

struct text {
	char text[32768];
	size_t len;
};

#define PRINT(t, ...) \
	((t)->len +=  \
	 snprintf((t)->text + (t)->len, sizeof((t)->text) - (t)->len, __VA_ARGS__))

static void write_meta(struct world *w, struct gen *g)
{
	bool blind = has(w, TRAIT_BLIND), old = has(w, TRAIT_OLD);
	struct text *t = zeroed(sizeof(*t));

	PRINT(t,
	      "{\"tool\": \"test\", \"host\": \"host\", \"clock_uncertainty_ns\": 300, "
	      "\"backend\": {\"domid\": 0, \"nr_cpus\": %u, \"clock_uncertainty_ns\": 300, "
	      "\"probes\": [%s], \"disks\": [",
	      SIM_CPUS,
	      blind ? "" : "\"xen_blkbk_map\", \"xen_blkif_be_int\", \"make_response\"");
	for (unsigned int i = 0; i < w->nr_disks; i++) {
		const struct disk *d = &w->disks[i];

		PRINT(t,
		      "%s{\"index\": %u, \"dev\": \"259:%u\", \"name\": \"%s%u\", \"part_of\": ",
		      i ? ", " : "", i, i, d->shape ? "dm-" : "nvme", i);
		if (d->direct || !d->part_of)
			PRINT(t, "null}");
		else
			PRINT(t, "%u}", d->part_of->index);
	}
	PRINT(t, "]}, \"guests\": [");
	for (unsigned int i = 0; i < w->nr_guest_disks; i++) {
		const struct guest_disk *gd = &w->guest_disks[i];

		if (!gd->index)
			PRINT(t,
			      "%s{\"domid\": %u, \"name\": \"guest%u\", \"nr_rings\": %u, "
			      "\"clock_uncertainty_ns\": 300, \"probes\": [%s%s], \"disks\": [",
			      i ? "]}, " : "", gd->domid, gd->domid, SIM_CPUS,
			      blind ? "" : "\"blkif_interrupt\"",
			      blind || old
				      ? ""
				      : ", \"blkif_queue_rq\", \"get_id_from_freelist\"");
		PRINT(t,
		      "%s{\"index\": %u, \"devid\": %u, \"name\": \"%s\", "
		      "\"backend_disk\": %u, \"start_sector\": %llu}",
		      gd->index ? ", " : "", gd->index, 51712 + 16 * gd->index, gd->name,
		      gd->backing->index, (unsigned long long)gd->start);
	}
	PRINT(t, "]}]}");
	gen_chunk(g, XBLK_CHUNK_META, 0, 0, 0, 0, t->text, t->len);
	free(t);
}

/* answers */

static int by_from(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

static bool meet(const struct claim *a, const struct claim *b)
{
	return a->domid == b->domid && a->disk == b->disk && a->class == b->class &&
	       a->about != b->about &&
	       ((!a->nr && !b->nr) ||
		(a->sector < b->sector + b->nr && b->sector < a->sector + a->nr));
}

/* What holds of one holds of the other as well. */
static bool infect(struct answer *a, struct answer *b)
{
	bool news = a->touched != b->touched || a->unseen != b->unseen;

	a->touched = b->touched = a->touched || b->touched;
	a->unseen = b->unseen = a->unseen || b->unseen;
	return news;
}

static void find_contested(struct world *w)
{
	struct answer *answers = w->out->answers;
	bool news = true;

	qsort(w->claims, w->nr_claims, sizeof(*w->claims), by_from);
	while (news) {
		news = false;
		for (size_t i = 0; i < w->nr_claims; i++) {
			const struct claim *a = &w->claims[i], *b = a + 1;

			for (; b < w->claims + w->nr_claims && b->from <= a->to; b++) {
				if (!meet(a, b))
					continue;
				answers[a->about].contested = true;
				answers[b->about].contested = true;
				if (a->about && b->about)
					news |= infect(&answers[a->about],
						       &answers[b->about]);
			}
		}
	}
}

/*
 * The first flush of its queue in the trace: what was queued since the one before it is
 * not known.
 */
static bool first_flush(const struct world *w, size_t about)
{
	const struct answer *a = &w->out->answers[about];

	for (size_t i = about; a->op == FLUSH && --i;) {
		const struct answer *b = &w->out->answers[i];

		if (b->op == FLUSH && b->domid == a->domid && b->disk == a->disk &&
		    b->ring == a->ring)
			return b->d_ns[0] < GEN_START;
	}
	return a->op == FLUSH;
}

static void close_clone(const struct world *w, struct answer_clone *c)
{
	uint64_t begin = w->out->begin_ns;

	c->made_ns = sim_stamp(&w->sim, 0, begin, c->made_ns);
	c->q_ns = sim_stamp(&w->sim, 0, begin, c->q_ns);
	c->d_ns = sim_stamp(&w->sim, 0, begin, c->d_ns);
	c->c_ns = sim_stamp(&w->sim, 0, begin, c->c_ns);
	if (c->other_c_ns)
		c->other_c_ns = sim_stamp(&w->sim, 0, begin, c->other_c_ns);
}

/* From the played time to that of the records, as far as the trace goes. */
static void close_answer(struct world *w, struct answer *a)
{
	struct stacks *out = w->out;
	uint64_t begin = out->begin_ns, end = GEN_START + out->end_ns - begin;

	a->q_ns = sim_stamp(&w->sim, a->domid, begin, a->q_ns);
	for (unsigned int i = 0; i < a->nr_ds; i++)
		a->d_ns[i] = sim_stamp(&w->sim, a->domid, begin, a->d_ns[i]);
	while (a->nr_ds && a->d_ns[a->nr_ds - 1] >= end)
		a->nr_ds--;
	a->c_ns = sim_stamp(&w->sim, a->domid, begin, a->c_ns);
	if (a->part_c_ns)
		a->part_c_ns = sim_stamp(&w->sim, a->domid, begin, a->part_c_ns);
	a->unseen = a->q_ns < GEN_START || a->first;
	for (size_t i = 0; i < w->sim.nr_losses; i++) {
		const struct sim_loss *l = &w->sim.losses[i];

		a->touched |= (!l->domid || l->domid == a->domid) &&
			      l->from <= a->c_ns + LOSS_SLACK &&
			      a->q_ns <= (l->until > UINT64_MAX - LOSS_SLACK
						  ? l->until
						  : l->until + LOSS_SLACK);
	}
	if (a->c_ns >= end)
		a->c_ns = 0;
	for (unsigned int i = 0; i < a->nr_bios; i++) {
		struct answer_bio *b = &a->bios[i];

		b->q_ns = sim_stamp(&w->sim, 0, begin, b->q_ns);
		b->end_ns = sim_stamp(&w->sim, 0, begin, b->end_ns);
		if (b->thread_ns)
			b->thread_ns = sim_stamp(&w->sim, 0, begin, b->thread_ns);
		if (b->other_end_ns)
			b->other_end_ns = sim_stamp(&w->sim, 0, begin, b->other_end_ns);
		for (size_t n = 0; n < b->nr_clones; n++)
			close_clone(w, &b->clones[n]);
	}
}

void stacks_make(struct stacks *out, uint64_t seed, unsigned int shapes,
		 unsigned int traits, unsigned int nr)
{
	struct world *w = zeroed(sizeof(*w));
	struct sim *s = &w->sim;
	uint64_t last = 0;

	memset(out, 0, sizeof(*out));
	w->out = out;
	s->random = seed;
	w->shapes = shapes;
	w->left = nr;
	/* Each trace has half of them, so that what goes wrong stands alone at times. */
	w->traits = out->traits =
		traits & (sim_random(s, 4) ? sim_random(s, 1u << TRAIT_MAX) : UINT64_MAX);
	build(w);
	sim_at(s, 0, 0, 0, 1000, workload, w);
	sim_run(s);
	for (unsigned int i = 0; i < SIM_DOMAINS * SIM_CPUS; i++) {
		uint64_t ns = s->last_ns[i / SIM_CPUS][i % SIM_CPUS];

		last = ns > last ? ns : last;
	}
	out->begin_ns = has(w, TRAIT_MIDDLE) ? last / 6 : 0;
	out->end_ns = has(w, TRAIT_MIDDLE) ? last - last / 6 : last + 50000;
	gen_init_bare(&out->gen);
	write_meta(w, &out->gen);
	sim_write(s, &out->gen, out->begin_ns, out->end_ns, has(w, TRAIT_LOSS) ? 2 : 0,
		  thread_name, w);
	for (size_t i = 1; i <= out->nr; i++) {
		out->answers[i].first = first_flush(w, i);
		close_answer(w, &out->answers[i]);
	}
	find_contested(w);
	out->records = s->records;
	out->nr_records = s->nr;
	out->losses = s->losses;
	out->nr_losses = s->nr_losses;
	s->records = NULL;
	s->losses = NULL;
	for (unsigned int i = 0; i < w->nr_guest_disks * MAX_RINGS; i++) {
		struct ring *ring = &w->guest_disks[i / MAX_RINGS].rings[i % MAX_RINGS];

		free(ring->slot_ids.free);
		free(ring->pending_ids.free);
	}
	free(w->claims);
	sim_deinit(s);
	free(w);
}

void stacks_deinit(struct stacks *s)
{
	for (size_t i = 1; i <= s->nr; i++) {
		for (unsigned int b = 0; b < s->answers[i].nr_bios; b++)
			free(s->answers[i].bios[b].clones);
	}
	gen_deinit(&s->gen);
	free(s->losses);
	free(s->answers);
	free(s->records);
}
