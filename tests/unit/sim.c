// SPDX-License-Identifier: GPL-2.0-only
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define ROUND_NS 300000

uint64_t sim_random(struct sim *s, uint64_t below)
{
	uint64_t z = (s->random += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return (z ^ (z >> 31)) % below;
}

bool sim_chance(struct sim *s, unsigned int of_1000)
{
	return sim_random(s, 1000) < of_1000;
}

void *sim_more(void *array, size_t nr, size_t *room, size_t size)
{
	if (nr < *room)
		return array;
	*room = *room ? 2 * *room : 64;
	array = realloc(array, *room * size);
	if (!array)
		abort();
	return array;
}

unsigned int sim_domain(unsigned int domid)
{
	return domid ? 1 + domid - SIM_FIRST_GUEST : 0;
}

void sim_deinit(struct sim *s)
{
	for (unsigned int i = 0; i < SIM_DOMAINS; i++) {
		free(s->bios[i].free);
		free(s->rqs[i].free);
	}
	free(s->heap);
	free(s->records);
	free(s->losses);
}

uint32_t sim_take_id(struct sim *s, struct sim_ids *ids, uint64_t ns)
{
	(void)s;
	for (size_t i = ids->nr; i-- > 0;) {
		uint32_t id = ids->free[i].id;

		if (ids->free[i].ns >= ns)
			continue;
		memmove(&ids->free[i], &ids->free[i + 1],
			(--ids->nr - i) * sizeof(*ids->free));
		return id;
	}
	return ++ids->used;
}

void sim_give_id(struct sim_ids *ids, uint32_t id, uint64_t ns)
{
	ids->free = sim_more(ids->free, ids->nr, &ids->room, sizeof(*ids->free));
	ids->free[ids->nr++] = (struct sim_free){id, ns};
}

static bool sooner(const struct sim_event *a, const struct sim_event *b)
{
	return a->run.ns != b->run.ns ? a->run.ns < b->run.ns : a->nr < b->nr;
}

void sim_at(struct sim *s, unsigned int domid, unsigned int cpu, uint32_t pid,
	    uint64_t ns, sim_fn fn, void *what)
{
	const struct sim_event e = {
		.run = {.sim = s, .domid = domid, .cpu = cpu, .pid = pid, .ns = ns},
		.nr = s->events++,
		.fn = fn,
		.what = what,
	};
	size_t i = s->nr_events;

	s->heap = sim_more(s->heap, s->nr_events++, &s->room_events, sizeof(*s->heap));
	for (; i && sooner(&e, &s->heap[(i - 1) / 2]); i = (i - 1) / 2)
		s->heap[i] = s->heap[(i - 1) / 2];
	s->heap[i] = e;
}

void sim_later(struct run *run, uint32_t pid, uint64_t most, sim_fn fn, void *what)
{
	struct sim *s = run->sim;
	unsigned int cpu = sim_random(s, SIM_CPUS);

	sim_at(s, run->domid, cpu, pid, run->ns + 1 + sim_random(s, most), fn, what);
}

static struct sim_event first_event(struct sim *s)
{
	const struct sim_event first = s->heap[0], last = s->heap[--s->nr_events];
	size_t i = 0, child;

	for (; (child = 2 * i + 1) < s->nr_events; i = child) {
		child += child + 1 < s->nr_events &&
			 sooner(&s->heap[child + 1], &s->heap[child]);
		if (!sooner(&s->heap[child], &last))
			break;
		s->heap[i] = s->heap[child];
	}
	s->heap[i] = last;
	return first;
}

static void run_first(struct sim *s)
{
	struct sim_event e = first_event(s);
	uint64_t last = s->last_ns[sim_domain(e.run.domid)][e.run.cpu];

	if (e.run.ns < last)
		e.run.ns = last;
	e.fn(&e.run, e.what);
}

void sim_run(struct sim *s)
{
	while (s->nr_events)
		run_first(s);
}

void sim_give_way(struct run *run)
{
	struct sim *s = run->sim;

	while (s->nr_events && s->heap[0].run.domid == run->domid &&
	       s->heap[0].run.cpu == run->cpu && s->heap[0].run.ns <= run->ns)
		run_first(s);
}

void sim_spend(struct run *run, uint64_t most)
{
	run->ns += 1 + sim_random(run->sim, most);
}

static void add(struct run *run, const struct xblk_record *r)
{
	struct sim *s = run->sim;

	s->records = sim_more(s->records, s->nr, &s->room, sizeof(*s->records));
	s->records[s->nr] =
		(struct sim_record){*r, run->domid, run->cpu, run->about, s->nr};
	s->nr++;
}

void sim_record_with(struct run *run, unsigned int event, unsigned int disk,
		     unsigned int op, uint64_t sector, uint32_t nr, uint32_t id,
		     uint32_t aux)
{
	const struct xblk_record r = {
		.time = run->ns,
		.sector = sector,
		.nr_sectors = nr,
		.id = id,
		.aux = aux,
		.disk = disk,
		.event = event,
		.op = op,
	};

	add(run, &r);
}

uint64_t sim_record(struct run *run, unsigned int event, unsigned int disk,
		    unsigned int op, uint64_t sector, uint32_t nr, uint32_t id,
		    uint32_t aux)
{
	uint64_t *last = &run->sim->last_ns[sim_domain(run->domid)][run->cpu];

	sim_spend(run, 120);
	if (run->ns < *last)
		run->ns = *last;
	/* Its remainder is the CPU's number. */
	run->ns = (run->ns / SIM_CPUS + 1) * SIM_CPUS + run->cpu;
	*last = run->ns;
	sim_record_with(run, event, disk, op, sector, nr, id, aux);
	return run->ns;
}

uint64_t sim_stamp(const struct sim *s, unsigned int domid, uint64_t begin, uint64_t ns)
{
	return GEN_START + ns - begin + s->off_ns[sim_domain(domid)];
}

static int by_time(const void *a, const void *b)
{
	const struct sim_record *x = a, *y = b;

	if (x->r.time != y->r.time)
		return x->r.time < y->r.time ? -1 : 1;
	return x->nr < y->nr ? -1 : x->nr > y->nr;
}

void sim_sort(struct sim_record *records, size_t nr)
{
	qsort(records, nr, sizeof(*records), by_time);
}

/* A stream that is written. */
struct out {
	size_t nr;	       /* records so far */
	size_t at[2], left[2]; /* where records get lost, and how many */
	uint64_t last;	       /* record that was written */
	struct sim_loss loss;  /* that has not been told of: @count records */
	uint64_t count;
	size_t tell; /* with which record it is */
	uint32_t *pids;
	size_t nr_pids, room_pids;
};

static bool new_pid(struct out *o, uint32_t pid)
{
	for (size_t i = 0; i < o->nr_pids; i++) {
		if (o->pids[i] == pid)
			return false;
	}
	o->pids = sim_more(o->pids, o->nr_pids, &o->room_pids, sizeof(*o->pids));
	o->pids[o->nr_pids++] = pid;
	return true;
}

static bool has_pid(unsigned int event)
{
	switch (event) {
	case XBLK_EV_QUEUE:
	case XBLK_EV_BACKMERGE:
	case XBLK_EV_FRONTMERGE:
	case XBLK_EV_SPLIT:
	case XBLK_EV_REMAP:
	case XBLK_EV_RING:
		return true;
	default:
		return false;
	}
}

static void lost(struct sim *s, struct sim_loss loss)
{
	s->losses =
		sim_more(s->losses, s->nr_losses, &s->room_losses, sizeof(*s->losses));
	s->losses[s->nr_losses++] = loss;
}

static void tell_loss(struct sim *s, struct gen *g, struct out *o, unsigned int cpu)
{
	if (!o->count || o->nr < o->tell)
		return;
	gen_lost(g, o->loss.domid, cpu, o->loss.from - GEN_START,
		 o->loss.until - GEN_START, o->count);
	lost(s, o->loss);
	o->count = 0;
}

static bool lose(struct sim *s, struct out *o, const struct sim_record *e)
{
	unsigned int i = o->left[0] ? 0 : 1;

	if (!o->left[i] || o->nr < o->at[i])
		return false;
	o->left[i]--;
	if (!o->count++)
		o->loss = (struct sim_loss){.domid = e->domid, .from = e->r.time};
	o->loss.until = e->r.time;
	/*
	 * With the next record, as xblk-dom0 always does, whose reading end has it from
	 * the ring before that; or later, when the reader of a channel comes to know.
	 */
	o->tell = o->nr + (sim_chance(s, 700) ? 1 : sim_random(s, 100));
	if (!e->domid)
		o->tell = o->nr + 1;
	o->loss.late = o->tell > o->nr + 1;
	return true;
}

void sim_write(struct sim *s, struct gen *g, uint64_t begin, uint64_t end,
	       unsigned int losses,
	       const char *(*name)(void *ctx, unsigned int domid, uint32_t pid,
				   bool *kernel),
	       void *ctx)
{
	struct out outs[SIM_DOMAINS][SIM_CPUS] = {0};
	uint64_t round = ROUND_NS;
	size_t expected = s->nr / (SIM_DOMAINS * SIM_CPUS) + 1;

	for (unsigned int i = 0; losses && i < SIM_DOMAINS * SIM_CPUS; i++) {
		for (unsigned int l = 0; l < 2 && l < losses; l++) {
			outs[i / SIM_CPUS][i % SIM_CPUS].at[l] =
				sim_random(s, 20 * expected);
			outs[i / SIM_CPUS][i % SIM_CPUS].left[l] = 1 + sim_random(s, 12);
		}
	}
	for (size_t i = 0; i < s->nr; i++)
		s->records[i].r.time =
			sim_stamp(s, s->records[i].domid, begin, s->records[i].r.time);
	sim_sort(s->records, s->nr);
	for (size_t i = 0; i < s->nr; i++) {
		const struct sim_record *e = &s->records[i];
		struct out *o = &outs[sim_domain(e->domid)][e->cpu];
		bool kernel = false, fresh;

		if (e->r.time < GEN_START || e->r.time >= GEN_START + end - begin)
			continue;
		for (; e->r.time > GEN_START + round; round += ROUND_NS)
			gen_round(g, round);
		o->nr++;
		/* A name is lost with its record. */
		fresh = has_pid(e->r.event) && new_pid(o, e->r.aux);
		if (lose(s, o, e))
			continue;
		tell_loss(s, g, o, e->cpu);
		if (fresh) {
			const char *comm = name(ctx, e->domid, e->r.aux, &kernel);

			gen_process(g, e->domid, e->cpu, e->r.time - GEN_START, e->r.aux,
				    comm, kernel ? XBLK_PROCESS_KTHREAD : 0);
		}
		gen_add(g, e->domid, e->cpu, &e->r);
		o->last = e->r.time;
	}
	for (unsigned int i = 0; i < SIM_DOMAINS * SIM_CPUS; i++) {
		struct out *o = &outs[i / SIM_CPUS][i % SIM_CPUS];

		/* Of what is lost at a stream's end only the counters tell. */
		if (o->count && o->last < o->loss.from) {
			gen_count_lost(g, o->loss.domid, i % SIM_CPUS, o->count);
			o->loss.from = o->last;
			o->loss.until = UINT64_MAX;
			o->loss.late = true;
			lost(s, o->loss);
			o->count = 0;
		}
		o->nr = o->tell;
		tell_loss(s, g, o, i % SIM_CPUS);
		free(o->pids);
	}
	gen_end(g, round > end - begin ? round : end - begin);
}
