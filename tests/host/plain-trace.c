// SPDX-License-Identifier: GPL-2.0-only
/*
 * plain-trace [alone]: a trace, to standard output, of requests of each kind that shows
 * itself wholly, on disks without layers: what the first version of the parser found
 * right.  With "alone" they are one after the other, and what tells their substages is
 * there, too.
 */
#include <stdio.h>
#include <string.h>

#include "sim.h"

#define ROUNDS	 5 /* of each kind of request */
#define CPUS	 2
#define FLUSH_RQ 0xf0000000u /* each CPU has its own queue */
#define DOM0_PID 9999
#define SECOND	 1000000000ull

static struct sim_record records[1024 * ROUNDS];
static size_t nr;
static uint32_t next_id = 1;
static uint64_t next_sector = 4096;
static bool alone;

static uint64_t below(uint64_t n)
{
	static uint64_t state;
	uint64_t z = (state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return (z ^ (z >> 31)) % n;
}

static uint64_t later(uint64_t ns)
{
	return ns + 1 + below(20000);
}

static void add(unsigned int domid, unsigned int cpu, unsigned int disk, uint64_t ns,
		unsigned int event, unsigned int op, uint64_t sector, uint32_t sectors,
		uint32_t id, uint32_t aux)
{
	records[nr] = (struct sim_record){
		.r = {.time = GEN_START + ns,
		      .sector = sector,
		      .nr_sectors = sectors,
		      .id = id,
		      .aux = aux,
		      .disk = disk,
		      .event = event,
		      .op = op},
		.domid = domid,
		.cpu = cpu,
		.nr = nr,
	};
	nr++;
}

#define GUEST(ns, ev, ...) add(GEN_GUEST, cpu, disk, ns, XBLK_EV_##ev, __VA_ARGS__)
#define DOM0(ns, ev, ...)  add(0, cpu, disk, ns, XBLK_EV_##ev, __VA_ARGS__)
#define NO_DISK(domid, ns, ev, ...) \
	add(domid, cpu, XBLK_NO_DISK, ns, XBLK_EV_##ev, 0, 0, __VA_ARGS__)

/* A guest's disk: where it lies, and blkback's thread and ring for it. */
static const struct place {
	uint64_t start;
	uint32_t pid, ring;
} places[] = {{0, GEN_KTHREAD, 1}, {2048, GEN_KTHREAD + 1, 2}};

/* A request of @bios bios in the guest, which dom0 does as @parts bios. */
static const struct shape {
	unsigned int op, disk, bios, parts, sectors, requeues, error;
} shapes[] = {
	{XBLK_OP_READ, 0, 1, 1, 8, 0, 0},
	{XBLK_OP_WRITE | XBLK_OP_F_SYNC, 1, 1, 1, 32, 0, 0},
	{XBLK_OP_READ | XBLK_OP_F_RAHEAD, 1, 4, 1, 8, 0, 0},
	{XBLK_OP_WRITE, 0, 2, 4, 64, 0, 0},
	{XBLK_OP_READ, 1, 1, 1, 8, 2, 0},
	{XBLK_OP_WRITE | XBLK_OP_F_FUA, 0, 1, 1, 8, 0, 0},
	{XBLK_OP_DISCARD, 1, 1, 1, 2048, 0, 0},
	{XBLK_OP_WRITE_ZEROES, 0, 1, 1, 512, 0, 0},
	{XBLK_OP_READ, 0, 1, 1, 8, 0, 5},
};

#define NR_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/* Others follow. */
enum {
	KIND_SPLIT = NR_SHAPES,
	KIND_BACKEND_MERGE,
	KIND_FLUSH,
	KIND_OWN,
	KINDS
};

/* In the guest, up to its D.  Return: when that is. */
static uint64_t issue(uint64_t ns, const struct shape *s, unsigned int cpu,
		      uint64_t sector, uint32_t rq)
{
	const unsigned int disk = s->disk;
	uint32_t first = next_id, total = s->bios * s->sectors;

	next_id += s->bios;
	for (unsigned int i = 0; i < s->bios; i++) {
		uint64_t at = ns + 10 * i, from = sector + i * s->sectors;

		GUEST(at, QUEUE, s->op, from, s->sectors, first + i, 500 + s->disk);
		if (i)
			GUEST(at + 1, BACKMERGE, s->op, from, s->sectors, first + i,
			      500 + s->disk);
	}
	ns = later(ns + 10 * s->bios);
	for (unsigned int i = 0;; i++) {
		GUEST(ns, ISSUE, s->op, sector, total, rq, first);
		for (unsigned int b = 1; b < s->bios; b++)
			GUEST(ns, PART, s->op, sector + b * s->sectors, s->sectors, rq,
			      first + b);
		if (i == s->requeues)
			return ns;
		GUEST(ns + 50, REQUEUE, s->op, sector, total, rq, first);
		ns = later(ns + 50);
	}
}

/* In dom0, from the ring's interrupt to the response.  Return: when that is. */
static uint64_t serve(uint64_t ns, const struct shape *s, uint64_t sector)
{
	const unsigned int cpu = below(CPUS), disk = s->disk;
	const struct place *at = &places[disk];
	uint32_t part = s->bios * s->sectors / s->parts;
	uint64_t last = 0;

	if (alone) {
		NO_DISK(0, ns, INTERRUPT, 0, 0, at->ring);
		ns = later(ns);
		NO_DISK(0, ns, RING, 0, at->ring, at->pid);
		ns = later(ns);
	}
	for (unsigned int i = 0; i < s->parts; i++) {
		uint64_t where = at->start + sector + i * part, d, c;
		uint32_t bio = next_id++, id = next_id++;

		DOM0(ns + i, QUEUE, s->op, where, part, bio, at->pid);
		d = later(ns + s->parts);
		c = later(d);
		DOM0(d, ISSUE, s->op, where, part, id, bio);
		DOM0(c, COMPLETE, s->op, where, part, id, s->error);
		last = c > last ? c : last;
	}
	ns = later(last);
	if (alone)
		NO_DISK(0, ns, RESPONSE, 0, 0, at->ring);
	return ns;
}

static uint64_t play(uint64_t ns, const struct shape *s)
{
	const unsigned int cpu = below(CPUS), disk = s->disk;
	uint32_t rq = next_id++, total = s->bios * s->sectors;
	uint64_t sector = next_sector;

	next_sector += total + 8;
	ns = serve(later(issue(ns, s, cpu, sector, rq)), s, sector);
	ns = later(ns);
	if (alone) {
		NO_DISK(GEN_GUEST, ns, INTERRUPT, 0, 0, 0);
		ns = later(ns);
	}
	GUEST(ns, COMPLETE, s->op, sector, total, rq, s->error);
	return ns;
}

/* A bio that the guest splits into two requests. */
static uint64_t play_split(uint64_t ns)
{
	const struct shape of = {XBLK_OP_WRITE, 0, 1, 1, 8, 0, 0};
	const unsigned int cpu = below(CPUS), disk = 0;
	uint32_t whole = next_id++, front = next_id++;
	uint64_t sector = next_sector, end = 0;

	next_sector += 24;
	GUEST(ns, QUEUE, of.op, sector, 16, whole, 500);
	GUEST(ns + 5, SPLIT, of.op, sector, 8, front, 500);
	for (unsigned int i = 0; i < 2; i++, sector += 8) {
		uint32_t rq = next_id++;
		uint64_t at = later(ns + 10);

		GUEST(at, ISSUE, of.op, sector, 8, rq, i ? whole : front);
		at = later(serve(at + 100, &of, sector));
		GUEST(at, COMPLETE, of.op, sector, 8, rq, 0);
		end = at > end ? at : end;
	}
	return end;
}

/* Two requests of the guest that become one in dom0. */
static uint64_t play_backend_merge(uint64_t ns)
{
	const unsigned int op = XBLK_OP_READ, cpu = 0, disk = 1;
	const struct place *place = &places[disk];
	uint64_t sector = next_sector, where = place->start + sector, at, c;
	uint32_t bio = next_id, rq = next_id + 2;

	next_sector += 24;
	next_id += 5;
	for (unsigned int i = 0; i < 2; i++) {
		at = ns + 200 * i;
		GUEST(at, QUEUE, op, sector + 8 * i, 8, bio + i, 501);
		GUEST(at + 90, ISSUE, op, sector + 8 * i, 8, rq + i, bio + i);
		DOM0(at + 7000, QUEUE, op, where + 8 * i, 8, bio + i, place->pid);
	}
	DOM0(ns + 7201, BACKMERGE, op, where + 8, 8, bio + 1, place->pid);
	at = later(ns + 7300);
	c = later(at);
	DOM0(at, ISSUE, op, where, 16, rq + 2, bio);
	DOM0(at, PART, op, where + 8, 8, rq + 2, bio + 1);
	DOM0(c, COMPLETE, op, where, 16, rq + 2, 0);
	for (unsigned int i = 0; i < 2; i++) {
		c = later(c);
		GUEST(c, COMPLETE, op, sector + 8 * i, 8, rq + i, 0);
	}
	return c;
}

/* Of a write without data. */
static uint64_t play_flush(uint64_t ns)
{
	const unsigned int op = XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, disk = 0;
	const unsigned int cpu = below(CPUS);
	uint32_t bio = next_id++, backend = next_id++, rq = FLUSH_RQ + cpu;
	uint64_t at;

	GUEST(ns, QUEUE, op, 0, 0, bio, 500);
	at = later(ns);
	GUEST(at, ISSUE, XBLK_OP_FLUSH, 0, 0, rq, 0);
	at = later(at);
	DOM0(at, QUEUE, XBLK_OP_FLUSH, 0, 0, backend, places[0].pid);
	at = later(at);
	DOM0(at, ISSUE, XBLK_OP_FLUSH, 0, 0, FLUSH_RQ, 0);
	at = later(at);
	DOM0(at, COMPLETE, XBLK_OP_FLUSH, 0, 0, FLUSH_RQ, 0);
	at = later(at);
	GUEST(at, COMPLETE, XBLK_OP_FLUSH, 0, 0, rq, 0);
	GUEST(at + 1, COMPLETE, op, 0, 0, next_id++, 0);
	return at + 1;
}

/* dom0's own I/O, where no guest has any. */
static uint64_t play_own(uint64_t ns)
{
	const unsigned int cpu = 1, disk = 0;
	uint32_t bio = next_id++, id = next_id++;
	uint64_t at = later(ns);

	DOM0(ns, QUEUE, XBLK_OP_READ, 64, 8, bio, DOM0_PID);
	DOM0(at, ISSUE, XBLK_OP_READ, 64, 8, id, bio);
	DOM0(at + 700, COMPLETE, XBLK_OP_READ, 64, 8, id, 0);
	return at + 700;
}

static uint64_t play_any(uint64_t ns, unsigned int which)
{
	switch (which) {
	case KIND_SPLIT:
		return play_split(ns);
	case KIND_BACKEND_MERGE:
		return play_backend_merge(ns);
	case KIND_FLUSH:
		return play_flush(ns);
	case KIND_OWN:
		return play_own(ns);
	default:
		return play(ns, &shapes[which]);
	}
}

/* One after the other, but for discards, whose substages it had from others. */
static uint64_t play_alone(uint64_t ns)
{
	for (unsigned int i = 0; i < ROUNDS * NR_SHAPES; i++) {
		const struct shape *s = &shapes[i % NR_SHAPES];

		if (s->op != XBLK_OP_DISCARD)
			ns = play(ns, s) + 1;
	}
	return ns;
}

/* Under way together, but for what has no place. */
static uint64_t play_together(uint64_t ns)
{
	for (unsigned int i = 0; i < ROUNDS * KINDS; i++) {
		uint64_t end = play_any(ns, i % KINDS);

		if (i % KINDS == KIND_FLUSH)
			ns = end + 1;
		else
			ns += below(30000);
	}
	return ns;
}

static uint64_t play_all(void)
{
	const unsigned int cpu = 0, disk = 1;
	uint64_t ns = 60000;

	/* This one had been issued before the trace began, on the disk without flushes, */
	GUEST(50000, COMPLETE, XBLK_OP_READ, 512, 8, next_id++, 0);
	ns = alone ? play_alone(ns) : play_together(ns);
	/* and this one does not come back. */
	issue(ns, &shapes[0], cpu, next_sector, next_id++);
	return ns;
}

int main(int argc, char **argv)
{
	uint64_t end;
	struct gen g;
	int ret;

	alone = argc > 1 && !strcmp(argv[1], "alone");
	end = play_all() + SECOND;
	gen_init(&g);
	gen_process(&g, 0, 0, 0, GEN_KTHREAD + 1, "3.xvdb-0", XBLK_PROCESS_KTHREAD);
	gen_process(&g, 0, 0, 0, DOM0_PID, "scrub", 0);
	gen_process(&g, GEN_GUEST, 0, 0, 500, "fio", 0);
	gen_process(&g, GEN_GUEST, 0, 0, 501, "dd", 0);
	sim_sort(records, nr);
	for (size_t i = 0; i < nr; i++)
		gen_add(&g, records[i].domid, records[i].cpu, &records[i].r);
	gen_end(&g, end);
	ret = fwrite(g.data, 1, g.len, stdout) != g.len;
	gen_deinit(&g);
	return ret;
}
