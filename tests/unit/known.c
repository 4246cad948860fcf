// SPDX-License-Identifier: GPL-2.0-only
#include "known.h"

#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define CPUS	 4
#define APART_NS 3000 /* between the beginnings of two shapes, on average half */
#define ROUND_NS 400000
#define HELD_NS	 30	     /* by a driver that gives it back */
#define FLUSH_RQ 0xf0000000u /* of the guest's CPU 0; each CPU has its own queue */
#define DOM0_PID 9999
#define SAME	 64 /* the sector that many want at once */

struct maker {
	struct known *k;
	uint64_t random;
	struct sim_record *events;
	size_t nr_events, room;
	size_t room_requests;
	uint32_t next_id;
	uint64_t next_sector;
	uint64_t flush_free_ns; /* when dom0's disk has done its last flush */
};

/* A guest's disk: where it lies, and blkback's thread for it. */
static const struct place {
	unsigned int backing;
	uint64_t start;
	uint32_t pid;
	const char *thread;
} places[] = {
	{0, 0, 77, "3.xvda-0"},
	{1, 2048, 78, "3.xvdb-0"},
	{0, 0, 0, NULL},
	{2, 0, 79, "3.xvdd-0"},
};

static uint64_t next_random(struct maker *m, uint64_t below)
{
	uint64_t z = (m->random += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return (z ^ (z >> 31)) % below;
}

static uint64_t later(struct maker *m, uint64_t ns)
{
	return ns + 1 + next_random(m, 20000);
}

static void *more(void *array, size_t nr, size_t *room, size_t size)
{
	if (nr < *room)
		return array;
	*room = *room ? 2 * *room : 1024;
	array = realloc(array, *room * size);
	if (!array)
		abort();
	return array;
}

static void add(struct maker *m, unsigned int domid, unsigned int cpu, unsigned int disk,
		uint64_t ns, unsigned int event, unsigned int op, uint64_t sector,
		uint32_t nr, uint32_t id, uint32_t aux)
{
	m->events = more(m->events, m->nr_events, &m->room, sizeof(*m->events));
	m->events[m->nr_events] = (struct sim_record){
		.r = {.time = GEN_START + ns,
		      .sector = sector,
		      .nr_sectors = nr,
		      .id = id,
		      .aux = aux,
		      .disk = disk,
		      .event = event,
		      .op = op},
		.domid = domid,
		.cpu = cpu,
		.nr = m->nr_events, /* P and a follow what they belong to */
	};
	m->nr_events++;
}

#define GUEST(cpu, ns, ev, ...) \
	add(m, GEN_GUEST, cpu, disk, ns, XBLK_EV_##ev, __VA_ARGS__)
#define DOM0(ns, ev, ...) add(m, 0, dom0_cpu, backing, ns, XBLK_EV_##ev, __VA_ARGS__)

static void expect(struct maker *m, unsigned int disk, uint64_t sector,
		   const uint64_t times[6])
{
	struct known *k = m->k;

	k->requests = more(k->requests, k->nr, &m->room_requests, sizeof(*k->requests));
	k->requests[k->nr] = (struct known_request){
		.disk = disk, .sector = sector, .d_ns = GEN_START + times[1]};
	memcpy(k->requests[k->nr++].times, times, 6 * sizeof(*times));
}

/*
 * A request of @bios bios in the guest, which dom0 does as @parts bios of one
 * request each; the chain is that of the part which completes last.
 */
struct shape {
	unsigned int op, backend_op, disk, bios, parts;
	uint32_t bio_sectors;
	unsigned int requeues, backend_requeues, error;
	bool same_sector;
};

static void play(struct maker *m, uint64_t ns, const struct shape *s)
{
	unsigned int disk = s->disk, backing = places[disk].backing;
	unsigned int cpu = next_random(m, CPUS), dom0_cpu = next_random(m, CPUS);
	uint32_t total = s->bios * s->bio_sectors, part = total / s->parts;
	uint64_t sector = s->same_sector ? SAME : m->next_sector;
	uint32_t first = m->next_id, rq = first + s->bios;
	uint64_t t[6] = {ns}, last = 0, at;

	m->next_id += s->bios + 1;
	m->next_sector += s->same_sector ? 0 : total;
	for (unsigned int i = 0; i < s->bios; i++) {
		at = ns + 10 * i;
		GUEST(cpu, at, QUEUE, s->op, sector + i * s->bio_sectors, s->bio_sectors,
		      first + i, 500);
		if (i)
			GUEST(cpu, at + 1, BACKMERGE, s->op, sector + i * s->bio_sectors,
			      s->bio_sectors, first + i, 500);
	}
	t[1] = later(m, ns + 10 * s->bios);
	/* No two at the same place begin at the same instant. */
	if (s->same_sector)
		t[1] = (t[1] | 4095) - m->k->nr % 4096 + 4096;
	for (unsigned int i = 0; i <= s->requeues; i++) {
		GUEST(cpu, t[1], ISSUE, s->op, sector, total, rq, first);
		for (unsigned int b = 1; b < s->bios; b++)
			GUEST(cpu, t[1], PART, s->op, sector + b * s->bio_sectors,
			      s->bio_sectors, rq, first + b);
		if (i == s->requeues)
			break;
		at = t[1] + 50;
		GUEST(cpu, at, REQUEUE, s->op, sector, total, rq, first);
		t[1] = later(m, at);
	}
	GUEST(cpu, t[1], ORDER, 0, 0, 0, rq, 0);
	/* What is wanted at the same place comes to dom0 in its order. */
	at = s->same_sector ? t[1] + 5000 : later(m, t[1]);
	/* A thread queues all bios of a request in a row. */
	for (unsigned int i = 0; i < s->parts; i++) {
		uint64_t where = places[disk].start + sector + i * part;
		uint32_t bio = m->next_id++, id = m->next_id++, upper = 0;
		uint64_t d, c;

		DOM0(at, QUEUE, s->backend_op, where, part, bio, places[disk].pid);
		d = later(m, at + 1);
		if (backing == 2) {
			uint32_t clone = m->next_id++;

			backing = 0;
			where += 1000000;
			DOM0(at + 1, REMAP, s->backend_op, where, part, clone,
			     places[disk].pid);
			backing = 2;
			DOM0(at + 1, REMAP_FROM, s->backend_op, where - 1000000, part,
			     clone, places[disk].pid);
			backing = 0;
			DOM0(at + 1, QUEUE, s->backend_op, where, part, clone,
			     places[disk].pid);
			upper = bio;
			bio = clone;
		}
		for (unsigned int r = 0; r < s->backend_requeues; r++) {
			DOM0(d, ISSUE, s->backend_op, where, part, id, bio);
			DOM0(d + HELD_NS, REQUEUE, s->backend_op, where, part, id, bio);
			d = later(m, d + HELD_NS);
		}
		DOM0(d, ISSUE, s->backend_op, where, part, id, bio);
		c = later(m, d);
		DOM0(c, COMPLETE, s->backend_op, where, part, id, s->error);
		backing = places[disk].backing;
		if (upper) {
			c = later(m, c);
			DOM0(c, BIO_COMPLETE, s->backend_op, 0, 0, upper, s->error);
		}
		if (c >= last) {
			last = c;
			t[2] = at;
			/* What the driver held it for is the device's. */
			t[3] = d - s->backend_requeues * HELD_NS;
			t[4] = c;
		}
	}
	t[5] = later(m, last);
	GUEST(cpu, t[5], COMPLETE, s->op, sector, total, rq, s->error);
	expect(m, disk, sector, t);
}

/* A bio that the guest splits into two requests. */
static void play_split(struct maker *m, uint64_t ns)
{
	const unsigned int disk = 0, backing = 0;
	unsigned int cpu = next_random(m, CPUS), dom0_cpu = next_random(m, CPUS);
	uint64_t sector = m->next_sector;
	uint32_t whole = m->next_id++, front = m->next_id++;

	m->next_sector += 24;
	GUEST(cpu, ns, QUEUE, XBLK_OP_WRITE, sector, 24, whole, 500);
	GUEST(cpu, ns + 5, SPLIT, XBLK_OP_WRITE, sector, 16, front, 500);
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t at = i ? sector + 16 : sector, t[6] = {ns};
		uint32_t nr = i ? 8 : 16, rq = m->next_id++, bio = m->next_id++;
		uint32_t id = m->next_id++;

		for (unsigned int n = 1; n < 6; n++)
			t[n] = later(m, t[n - 1] + 10);
		GUEST(cpu, t[1], ISSUE, XBLK_OP_WRITE, at, nr, rq, i ? whole : front);
		DOM0(t[2], QUEUE, XBLK_OP_WRITE, at, nr, bio, places[0].pid);
		DOM0(t[3], ISSUE, XBLK_OP_WRITE, at, nr, id, bio);
		DOM0(t[4], COMPLETE, XBLK_OP_WRITE, at, nr, id, 0);
		GUEST(cpu, t[5], COMPLETE, XBLK_OP_WRITE, at, nr, rq, 0);
		expect(m, disk, at, t);
	}
}

/* Two requests of the guest that become one in dom0. */
static void play_backend_merge(struct maker *m, uint64_t ns)
{
	const unsigned int disk = 1, backing = 1;
	unsigned int dom0_cpu = next_random(m, CPUS);
	uint64_t sector = m->next_sector, start = places[1].start, d, c;
	uint64_t t[2][6] = {{ns}, {ns + 3}};
	uint32_t bio = m->next_id, id = bio + 2, rq = bio + 3;

	m->next_sector += 16;
	m->next_id += 7;
	for (unsigned int i = 0; i < 2; i++) {
		unsigned int cpu = next_random(m, CPUS);

		GUEST(cpu, t[i][0], QUEUE, XBLK_OP_READ, sector + 8 * i, 8, rq + i, 500);
		t[i][1] = later(m, t[i][0]);
		GUEST(cpu, t[i][1], ISSUE, XBLK_OP_READ, sector + 8 * i, 8, rq + 2 + i,
		      rq + i);
		t[i][2] = later(m, t[i][1]);
		DOM0(t[i][2], QUEUE, XBLK_OP_READ, start + sector + 8 * i, 8, bio + i,
		     places[1].pid);
	}
	d = later(m, t[0][2] > t[1][2] ? t[0][2] : t[1][2]);
	c = later(m, d);
	DOM0(d, ISSUE, XBLK_OP_READ, start + sector, 16, id, bio);
	DOM0(d, PART, XBLK_OP_READ, start + sector + 8, 8, id, bio + 1);
	DOM0(c, COMPLETE, XBLK_OP_READ, start + sector, 16, id, 0);
	for (unsigned int i = 0; i < 2; i++) {
		t[i][3] = d;
		t[i][4] = c;
		t[i][5] = later(m, c);
		GUEST(next_random(m, CPUS), t[i][5], COMPLETE, XBLK_OP_READ,
		      sector + 8 * i, 8, rq + 2 + i, 0);
		expect(m, disk, sector + 8 * i, t[i]);
	}
}

/*
 * Flushes of all queues at once; dom0's disk does one after the other.  Which queue a
 * CPU's go to is not known before it has issued one, so the first ones are queued one by
 * one.
 */
static void play_flushes(struct maker *m, uint64_t ns)
{
	const unsigned int disk = 0, backing = 0, dom0_cpu = 0;
	const unsigned int op = XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH;
	bool first = !m->flush_free_ns;
	uint64_t t[6];

	if (ns < m->flush_free_ns)
		return;
	m->flush_free_ns = ns + 100000;
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		uint32_t bio = m->next_id++, rq = FLUSH_RQ + cpu;

		t[1] = ns + 100 * (cpu + 1);
		t[0] = first ? t[1] - 10 : ns + 10 * (CPUS - cpu);
		t[2] = m->flush_free_ns + 1;
		t[3] = later(m, t[2]);
		t[4] = later(m, t[3]);
		t[5] = later(m, t[4]);
		m->flush_free_ns = t[5];
		GUEST(cpu, t[0], QUEUE, op, 0, 0, bio, 500);
		GUEST(cpu, t[1], ISSUE, XBLK_OP_FLUSH, 0, 0, rq, 0);
		GUEST(cpu, t[1], ORDER, 0, 0, 0, rq, 0);
		DOM0(t[2], QUEUE, XBLK_OP_FLUSH, 0, 0, m->next_id++, places[0].pid);
		DOM0(t[3], ISSUE, XBLK_OP_FLUSH, 0, 0, FLUSH_RQ, 0);
		DOM0(t[4], COMPLETE, XBLK_OP_FLUSH, 0, 0, FLUSH_RQ, 0);
		GUEST(cpu, t[5], COMPLETE, XBLK_OP_FLUSH, 0, 0, rq, 0);
		GUEST(cpu, t[5] + 1, COMPLETE, op, 0, 0, m->next_id++, 0);
		expect(m, disk, 0, t);
	}
}

/* dom0's own I/O, to where a guest's is. */
static void play_own(struct maker *m, uint64_t ns)
{
	const unsigned int backing = 0;
	unsigned int dom0_cpu = next_random(m, CPUS);
	uint32_t bio = m->next_id++, id = m->next_id++;
	uint64_t d = later(m, ns);

	DOM0(ns, QUEUE, XBLK_OP_READ, SAME, 8, bio, DOM0_PID);
	DOM0(d, ISSUE, XBLK_OP_READ, SAME, 8, id, bio);
	DOM0(later(m, d), COMPLETE, XBLK_OP_READ, SAME, 8, id, 0);
	m->k->own_bios++;
}

static const struct shape shapes[] = {
	{XBLK_OP_READ, XBLK_OP_READ, 0, 1, 1, 8, 0, 0, 0, false},
	{XBLK_OP_READ, XBLK_OP_READ, 0, 1, 1, 8, 0, 0, 0, true},
	{XBLK_OP_WRITE, XBLK_OP_WRITE, 1, 4, 1, 8, 0, 0, 0, false},
	{XBLK_OP_WRITE, XBLK_OP_WRITE, 0, 2, 4, 32, 0, 0, 0, false},
	{XBLK_OP_READ, XBLK_OP_READ, 1, 1, 1, 8, 2, 0, 0, false},
	{XBLK_OP_READ, XBLK_OP_READ, 0, 3, 2, 8, 1, 1, 0, false},
	{XBLK_OP_WRITE | XBLK_OP_F_FUA, XBLK_OP_WRITE | XBLK_OP_F_FUA, 0, 1, 1, 8, 0, 0,
	 0, false},
	{XBLK_OP_DISCARD, XBLK_OP_DISCARD, 1, 1, 1, 2048, 0, 0, 0, false},
	{XBLK_OP_SECURE_DISCARD, XBLK_OP_DISCARD, 1, 1, 1, 64, 0, 0, 0, false},
	{XBLK_OP_WRITE_ZEROES, XBLK_OP_WRITE_ZEROES, 0, 1, 1, 512, 0, 0, 0, false},
	{XBLK_OP_READ, XBLK_OP_READ, 0, 1, 1, 8, 0, 0, 5, false},
	{XBLK_OP_READ, XBLK_OP_READ, 3, 1, 1, 8, 0, 0, 0, false},
};

#define NR_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static void play_any(struct maker *m, uint64_t ns)
{
	unsigned int which = next_random(m, NR_SHAPES + 4);

	if (which < NR_SHAPES)
		play(m, ns, &shapes[which]);
	else if (which == NR_SHAPES)
		play_split(m, ns);
	else if (which == NR_SHAPES + 1)
		play_backend_merge(m, ns);
	else if (which == NR_SHAPES + 2)
		play_flushes(m, ns);
	else
		play_own(m, ns);
}

/* One stream's loss that has not been told of yet. */
struct loss {
	unsigned int left; /* records still to lose */
	uint64_t from, until, count;
};

static void write_events(struct maker *m, unsigned int lose)
{
	struct loss losses[2][CPUS] = {0};
	uint64_t round = ROUND_NS;

	for (size_t i = 0; i < m->nr_events; i++) {
		const struct sim_record *e = &m->events[i];
		struct loss *l = &losses[e->domid != 0][e->cpu];
		uint64_t ns = e->r.time - GEN_START;

		for (; ns > round; round += ROUND_NS)
			gen_round(&m->k->gen, round);
		if (!l->left && next_random(m, 1000000) < lose)
			l->left = 1 + next_random(m, 4);
		if (l->left) {
			if (!l->count++)
				l->from = ns;
			l->until = ns;
			l->left--;
			m->k->dropped++;
			continue;
		}
		if (l->count)
			gen_lost(&m->k->gen, e->domid, e->cpu, l->from, l->until,
				 l->count);
		l->count = 0;
		gen_add(&m->k->gen, e->domid, e->cpu, &e->r);
	}
	/* Of what is lost at a stream's end only the counters tell. */
	for (unsigned int i = 0; i < 2 * CPUS; i++)
		gen_count_lost(&m->k->gen, i / CPUS ? GEN_GUEST : 0, i % CPUS,
			       losses[i / CPUS][i % CPUS].count);
	gen_end(&m->k->gen, round);
}

static int by_key(const void *a, const void *b)
{
	const struct known_request *x = a, *y = b;

	if (x->d_ns != y->d_ns)
		return x->d_ns < y->d_ns ? -1 : 1;
	if (x->disk != y->disk)
		return x->disk < y->disk ? -1 : 1;
	return x->sector < y->sector ? -1 : x->sector > y->sector;
}

void known_make(struct known *k, uint64_t seed, unsigned int nr, unsigned int lose)
{
	struct maker m = {.k = k, .random = seed, .next_id = 1, .next_sector = 4096};
	uint32_t slots[4] = {0};
	uint64_t ns = 1000;

	memset(k, 0, sizeof(*k));
	gen_init(&k->gen);
	gen_process(&k->gen, 0, 1, 0, 78, places[1].thread, XBLK_PROCESS_KTHREAD);
	gen_process(&k->gen, 0, 1, 0, 79, places[3].thread, XBLK_PROCESS_KTHREAD);
	gen_process(&k->gen, 0, 1, 0, DOM0_PID, "fio", 0);
	for (unsigned int i = 0; i < nr; i++) {
		play_any(&m, ns);
		ns += 1 + next_random(&m, APART_NS);
	}
	sim_sort(m.events, m.nr_events);
	/* One ring a disk, on which they are in this order. */
	for (size_t i = 0; i < m.nr_events; i++) {
		if (m.events[i].r.event == XBLK_EV_ORDER)
			m.events[i].r.aux = slots[m.events[i].r.disk]++;
	}
	qsort(k->requests, k->nr, sizeof(*k->requests), by_key);
	write_events(&m, lose);
	free(m.events);
}

void known_deinit(struct known *k)
{
	gen_deinit(&k->gen);
	free(k->requests);
}

struct known_request *known_find(struct known *k, unsigned int disk, uint64_t sector,
				 uint64_t d_ns)
{
	const struct known_request key = {.disk = disk, .sector = sector, .d_ns = d_ns};

	return bsearch(&key, k->requests, k->nr, sizeof(key), by_key);
}
