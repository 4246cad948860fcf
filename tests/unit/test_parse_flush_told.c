// SPDX-License-Identifier: GPL-2.0-only
/*
 * FLUSH_QUEUE records: none, however they contradict the others or lack some, leads to a
 * flush that is told wrong.
 */
#include "test_parse_util.h"

#include <stdlib.h>

#define QUEUE_ID 7

/* A guest has what waits issued as data, by the same request and by another one. */
static void issued_while_it_waits(void **ctx)
{
	(void)ctx;
	for (uint32_t rq = 5; rq <= 6; rq++) {
		struct outcome o;
		struct gen g;

		gen_init(&g);
		GUEST(100, QUEUE, WRITE | XBLK_OP_F_PREFLUSH | XBLK_OP_F_FUA, 0, 0, 1,
		      500);
		GUEST(200, FLUSH_QUEUE, READ, QUEUE_ID, 0, 5, 1);
		GUEST(300, ISSUE, WRITE, 0, 8, rq, 1);
		GUEST(400, COMPLETE, WRITE, 0, 8, rq, 0);
		GUEST(500, COMPLETE, WRITE, 0, 0, rq, 0);
		GUEST(600, COMPLETE, WRITE, 0, 0, 5, 0);
		GUEST(700, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
		GUEST(800, FLUSH_QUEUE, READ, QUEUE_ID, 0, 5, 1);
		run_gen(&o, &g);
		done(&o, &g);
	}
}

/* Something was made of a bio of dom0's that waits, and is done. */
static void made_of_what_waits(void **ctx)
{
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	DOM0(100, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	DOM0(200, SPLIT, WRITE | XBLK_OP_F_PREFLUSH, 8, 0, 2, 500);
	DOM0(300, FLUSH_QUEUE, READ, QUEUE_ID, 0, 5, 1);
	DOM0(400, ISSUE, WRITE, 8, 8, 10, 2);
	DOM0(500, COMPLETE, WRITE, 8, 8, 10, 0);
	DOM0(600, QUEUE, WRITE, 64, 8, 1, 500);
	DOM0(700, COMPLETE, WRITE, 0, 0, 5, 0);
	DOM0(800, COMPLETE, WRITE, 0, 0, 5, 0);
	run_gen(&o, &g);
	done(&o, &g);
}

/* It says that one request is the flush of two queues. */
static void of_two_queues(void **ctx)
{
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	GUEST(100, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 64, 8, 1, 500);
	GUEST(200, FLUSH_QUEUE, READ, QUEUE_ID, 0, 20, 2);
	GUEST(201, FLUSH_QUEUE, READ, QUEUE_ID + 1, 0, 10, 1);
	GUEST(300, ISSUE, FLUSH, 0, 0, 100, 0);
	GUEST(301, FLUSH_QUEUE, READ, QUEUE_ID, 0, 100, 0);
	GUEST(302, FLUSH_QUEUE, READ, QUEUE_ID + 1, 0, 100, 0);
	GUEST(303, ISSUE, READ, 0, 8, 101, 0);
	GUEST(400, COMPLETE, FLUSH, 0, 0, 100, 0);
	GUEST(401, COMPLETE, READ, 0, 8, 101, 0);
	DOM0(2000000000, QUEUE, WRITE, 64, 8, 1, 500);
	DOM0(3000000000, QUEUE, WRITE, 64, 8, 1, 500);
	GUEST(3000000001, ISSUE, WRITE, 64, 8, 10, 1);
	gen_end(&g, 4000000000);
	run(&o, g.data, g.len);
	done(&o, &g);
}

#define PREFLUSH    (XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH)
#define FLUSH_RQ    100 /* the guest's; dom0's is as much behind it */
#define MAX_RECORDS 256

struct record {
	uint64_t ns;
	unsigned int nr, domid, cpu, event, op;
	uint64_t sector;
	uint32_t sectors, id, aux;
};

struct trace {
	struct record records[MAX_RECORDS];
	unsigned int nr;
	uint64_t scale; /* of all times */
	unsigned int ordinal;
	unsigned int queue; /* the guest's */
};

static void add(struct trace *t, unsigned int domid, unsigned int cpu, uint64_t ns,
		unsigned int event, unsigned int op, uint64_t sector, uint32_t sectors,
		uint32_t id, uint32_t aux)
{
	assert_true(t->nr < MAX_RECORDS);
	t->records[t->nr] = (struct record){.ns = ns * t->scale,
					    .nr = t->nr,
					    .domid = domid,
					    .cpu = cpu,
					    .event = event,
					    .op = op,
					    .sector = sector,
					    .sectors = sectors,
					    .id = id,
					    .aux = aux};
	t->nr++;
}

#define U(cpu, ns, ev, ...) add(t, GEN_GUEST, cpu, ns, XBLK_EV_##ev, __VA_ARGS__)
#define BACK(ns, ev, ...)   add(t, 0, 0, ns, XBLK_EV_##ev, __VA_ARGS__)

/* A bio is queued and its request, 10 times that, put where it waits. */
static void asks(struct trace *t, unsigned int cpu, uint64_t q_ns, uint64_t ns,
		 unsigned int op, uint32_t sectors, uint32_t bio)
{
	U(cpu, q_ns, QUEUE, op, sectors ? 64 * bio : 0, sectors, bio, 500 + bio);
	U(cpu, ns, FLUSH_QUEUE, 0, QUEUE_ID + t->queue, 0, 10 * bio, bio);
}

static void waited(struct trace *t, uint64_t ns, uint32_t bio)
{
	U(0, ns, COMPLETE, XBLK_OP_WRITE, 0, 0, 10 * bio, 0);
}

/* The guest's flush, and dom0's for it, which comes back at @ns + 900. */
static void flush(struct trace *t, uint64_t ns)
{
	uint32_t bio = 1000 + t->ordinal, waits = 2000 + t->ordinal;

	U(0, ns, ISSUE, XBLK_OP_FLUSH, 0, 0, FLUSH_RQ, 0);
	U(0, ns, FLUSH_QUEUE, 0, QUEUE_ID + t->queue, 0, FLUSH_RQ, 0);
	U(0, ns + 1, ORDER, 0, 0, 0, FLUSH_RQ, t->ordinal++);
	BACK(ns + 100, QUEUE, PREFLUSH, 0, 0, bio, GEN_KTHREAD);
	BACK(ns + 150, FLUSH_QUEUE, 0, QUEUE_ID, 0, waits, bio);
	BACK(ns + 200, ISSUE, XBLK_OP_FLUSH, 0, 0, 2 * FLUSH_RQ, 0);
	BACK(ns + 200, FLUSH_QUEUE, 0, QUEUE_ID, 0, 2 * FLUSH_RQ, 0);
	BACK(ns + 800, COMPLETE, XBLK_OP_FLUSH, 0, 0, 2 * FLUSH_RQ, 0);
	BACK(ns + 801, COMPLETE, XBLK_OP_WRITE, 0, 0, waits, 0);
	U(0, ns + 900, COMPLETE, XBLK_OP_FLUSH, 0, 0, FLUSH_RQ, 0);
}

/* The data of a bio that has waited; comes back at @ns + 400. */
static void write_data(struct trace *t, uint64_t ns, uint32_t bio)
{
	uint32_t below = 1000 + t->ordinal, rq = 2000 + t->ordinal;

	U(0, ns, ISSUE, XBLK_OP_WRITE, 64 * bio, 8, 10 * bio, bio);
	U(0, ns + 1, ORDER, 0, 0, 0, 10 * bio, t->ordinal++);
	BACK(ns + 100, QUEUE, XBLK_OP_WRITE, 64 * bio, 8, below, GEN_KTHREAD);
	BACK(ns + 150, ISSUE, XBLK_OP_WRITE, 64 * bio, 8, rq, below);
	BACK(ns + 300, COMPLETE, XBLK_OP_WRITE, 64 * bio, 8, rq, 0);
	U(0, ns + 400, COMPLETE, XBLK_OP_WRITE, 64 * bio, 8, 10 * bio, 0);
}

static int by_time(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return x->nr < y->nr ? -1 : 1;
}

/* @without: a record that is lost, which is told @late records later in its stream. */
static void parse(struct outcome *o, struct gen *g, const struct trace *t, int without,
		  unsigned int late, bool told)
{
	const struct record *lost = without < 0 ? NULL : &t->records[without];
	unsigned int behind = 0;

	gen_init(g);
	for (unsigned int i = 0; i < t->nr; i++) {
		const struct record *r = &t->records[i];

		if (lost && told && (int)i >= without && r->domid == lost->domid &&
		    r->cpu == lost->cpu && behind++ == late)
			gen_lost(g, r->domid, r->cpu, lost->ns, lost->ns, 1);
		if (r != lost)
			gen_event(g, r->domid, r->cpu, r->ns, r->event, r->op, r->sector,
				  r->sectors, r->id, r->aux);
	}
	if (lost && told && behind <= late)
		gen_lost(g, lost->domid, lost->cpu, lost->ns, lost->ns, 1);
	gen_end(g, t->records[t->nr - 1].ns + 2000000000);
	run(o, g->data, g->len);
}

/*
 * No flush of the trace is told otherwise than with a Q or a dom0's Q2D of these; what
 * was lost long before explains nothing.
 */
static void check_told(struct trace *t, unsigned int nr_flushes, const uint64_t (*q2d)[3])
{
	struct outcome o;
	struct gen g;

	gen_init(&g);
	gen_lost(&g, GEN_GUEST, 0, 1, 1, 1);
	qsort(t->records, t->nr, sizeof(*t->records), by_time);
	for (unsigned int i = 0; i < t->nr; i++) {
		const struct record *r = &t->records[i];

		gen_event(&g, r->domid, r->cpu, r->ns, r->event, r->op, r->sector,
			  r->sectors, r->id, r->aux);
	}
	gen_end(&g, t->records[t->nr - 1].ns + 2000000000);
	run(&o, g.data, g.len);
	for (unsigned int i = 0; i < nr_flushes; i++) {
		const struct result *r = result_at(&o, 0, q2d[i][0] * t->scale);

		if (r->bin != BIN_JOINED)
			continue;
		assert_int_equal(r->stages[STAGE_U_Q2D], q2d[i][1] * t->scale);
		assert_int_equal(r->stages[STAGE_0_Q2D], q2d[i][2] * t->scale);
	}
	done(&o, &g);
}

/* The data that waited for it longest is issued when it has had its bin; or never. */
static void goes_on_late(void **ctx)
{
	static const uint64_t q2d[][3] = {{700, 200, 100}};
	static struct trace trace;
	struct trace *t = &trace;

	(void)ctx;
	for (int issued = 0; issued < 2; issued++) {
		*t = (struct trace){.scale = 1000};
		asks(t, 1, 500, 600, PREFLUSH, 8, 1);
		asks(t, 0, 610, 620, PREFLUSH, 0, 2);
		flush(t, 700);
		waited(t, 1601, 2);
		BACK(1000000, QUEUE, XBLK_OP_READ, 8, 8, 5000, 999);
		BACK(2000000, QUEUE, XBLK_OP_READ, 8, 8, 5000, 999);
		if (issued)
			write_data(t, 2000100, 1);
		check_told(t, 1, q2d);
	}
}

/* The next flush is issued before all has ended that waited for the one before. */
static void next_one_comes_before(void **ctx)
{
	static const uint64_t q2d[][3] = {{700, 200, 100}, {1602, 802, 100}};
	static struct trace trace;
	struct trace *t = &trace;

	(void)ctx;
	*t = (struct trace){.scale = 1000};
	asks(t, 1, 540, 580, PREFLUSH, 0, 1);
	asks(t, 0, 500, 590, PREFLUSH, 0, 2);
	flush(t, 700);
	asks(t, 1, 800, 900, PREFLUSH, 0, 3);
	waited(t, 1601, 1);
	flush(t, 1602);
	waited(t, 1603, 2);
	waited(t, 2503, 3);
	check_told(t, 2, q2d);
}

/* A flush fails, and with it what waited for it with data. */
static void fails(void **ctx)
{
	static const uint64_t q2d[][3] = {{700, 200, 100}};
	static struct trace trace;
	struct trace *t = &trace;

	(void)ctx;
	for (int first = 0; first < 2; first++) {
		*t = (struct trace){.scale = 1000};
		asks(t, 1, 500, 600, PREFLUSH, 8, 1);
		asks(t, 0, 510, 620, PREFLUSH, 0, 2);
		flush(t, 700);
		for (unsigned int i = 0; i < t->nr; i++) {
			if (t->records[i].event == XBLK_EV_COMPLETE)
				t->records[i].aux = 5;
		}
		U(0, 1602, COMPLETE, XBLK_OP_WRITE, 0, 0, 20, 5);
		U(0, first ? 1601 : 1603, COMPLETE, XBLK_OP_WRITE, 64, 8, 10, 5);
		check_told(t, 1, q2d);
	}
}

/* The guest's queues are made anew, and the flush of one has the name of the other's. */
static void made_anew(void **ctx)
{
	static struct trace trace;
	struct trace *t = &trace;
	struct outcome o;
	struct gen g;

	(void)ctx;
	*t = (struct trace){.scale = 1000};
	for (unsigned int i = 0; i < 2; i++) {
		t->queue = i;
		asks(t, 0, 1000000 * i + 500, 1000000 * i + 600, PREFLUSH, 0, 1 + i);
		flush(t, 1000000 * i + 700);
		waited(t, 1000000 * i + 1601, 1 + i);
	}
	qsort(t->records, t->nr, sizeof(*t->records), by_time);
	parse(&o, &g, t, -1, 0, false);
	assert_int_equal(o.nr, 2);
	for (unsigned int i = 0; i < o.nr; i++)
		assert_stages(&o.results[i], 200000, 100000, 100000, 600000, 100000);
	done(&o, &g);
}

/* A durable write that is issued at once and flushed behind keeps no flush from being
 * told. */
static void durable(void **ctx)
{
	static struct trace trace;
	struct trace *t = &trace;
	struct outcome o;
	struct gen g;

	(void)ctx;
	*t = (struct trace){.scale = 1000};
	asks(t, 0, 500, 600, PREFLUSH, 0, 1);
	asks(t, 0, 610, 620, XBLK_OP_WRITE | XBLK_OP_F_FUA, 8, 2);
	flush(t, 700);
	write_data(t, 5000, 2);
	waited(t, 1601, 1);
	flush(t, 6000);
	waited(t, 6901, 2);
	qsort(t->records, t->nr, sizeof(*t->records), by_time);
	parse(&o, &g, t, -1, 0, false);
	assert_stages(result_at(&o, 0, 700000), 200000, 100000, 100000, 600000, 100000);
	assert_stages(result_at(&o, 0, 6000000), 0, 100000, 100000, 600000, 100000);
	done(&o, &g);
}

/* A flush is issued, comes back and is issued again. */
static void comes_again(void **ctx)
{
	static const uint64_t q2d[][3] = {{700, 200, 100}};
	static struct trace trace;
	struct trace *t = &trace;

	(void)ctx;
	*t = (struct trace){.scale = 1000};
	asks(t, 1, 500, 600, PREFLUSH, 8, 1);
	asks(t, 0, 510, 620, PREFLUSH, 0, 2);
	U(0, 650, ISSUE, XBLK_OP_FLUSH, 0, 0, FLUSH_RQ, 0);
	U(0, 650, FLUSH_QUEUE, 0, QUEUE_ID, 0, FLUSH_RQ, 0);
	U(0, 660, REQUEUE, XBLK_OP_FLUSH, 0, 0, FLUSH_RQ, 0);
	flush(t, 700);
	waited(t, 1601, 2);
	write_data(t, 1700, 1);
	check_told(t, 1, q2d);
}

/*
 * What asks while a flush is under way waits for the next one, which is not issued before
 * all data is written that waited for the last one.
 */
static void make(struct trace *t, uint64_t scale)
{
	*t = (struct trace){.scale = scale};
	asks(t, 0, 500, 600, PREFLUSH, 0, 1);
	asks(t, 1, 1000, 1100, PREFLUSH, 8, 2);
	asks(t, 0, 1200, 1300, PREFLUSH, 0, 3);
	flush(t, 700);
	waited(t, 1601, 1);
	asks(t, 1, 1620, 1800, PREFLUSH, 8, 9);
	asks(t, 0, 1690, 1750, PREFLUSH, 0, 4);
	flush(t, 1700);
	/* dom0's own, which is under way while the guest's comes to wait. */
	BACK(1770, QUEUE, PREFLUSH, 0, 0, 4001, 999);
	BACK(1780, FLUSH_QUEUE, 0, QUEUE_ID, 0, 4002, 4001);
	BACK(1810, ISSUE, XBLK_OP_FLUSH, 0, 0, 2 * FLUSH_RQ, 0);
	BACK(1810, FLUSH_QUEUE, 0, QUEUE_ID, 0, 2 * FLUSH_RQ, 0);
	BACK(1860, COMPLETE, XBLK_OP_FLUSH, 0, 0, 2 * FLUSH_RQ, 0);
	BACK(1861, COMPLETE, XBLK_OP_WRITE, 0, 0, 4002, 0);
	waited(t, 2601, 3);
	write_data(t, 2700, 2);
	waited(t, 3101, 2);
	asks(t, 1, 1710, 2000, PREFLUSH | XBLK_OP_F_FUA, 8, 5);
	asks(t, 1, 2900, 3000, PREFLUSH, 0, 6);
	flush(t, 3200);
	waited(t, 4101, 4);
	waited(t, 4102, 6);
	write_data(t, 4200, 9);
	write_data(t, 4300, 5);
	waited(t, 4601, 9);
	flush(t, 4800);
	waited(t, 5701, 5);
}

static bool same(const struct outcome *whole, const struct result *r)
{
	for (unsigned int i = 0; i < whole->nr; i++) {
		const struct result *w = &whole->results[i];

		if (w->d_ns == r->d_ns && w->sector == r->sector)
			return !memcmp(w->stages, r->stages, sizeof(r->stages));
	}
	return false;
}

static unsigned int check_lost(const struct trace *t, const struct outcome *whole,
			       unsigned int without, unsigned int late, bool told)
{
	const struct record *lost = &t->records[without];
	unsigned int wrong = 0;
	struct outcome o;
	struct gen g;

	parse(&o, &g, t, without, late, told);
	for (unsigned int i = 0; i < o.nr; i++) {
		if (o.results[i].bin != BIN_JOINED || same(whole, &o.results[i]))
			continue;
		wrong++;
		print_message(
			"%s of domain %u at %llu: what was issued at %llu is told wrong\n",
			told ? "A loss" : "A silent loss", lost->domid,
			(unsigned long long)(lost->ns / t->scale),
			(unsigned long long)(o.results[i].d_ns / t->scale));
	}
	done(&o, &g);
	return wrong;
}

/* Each record is lost in turn, also where nothing tells of that. */
static void without_each(void **ctx)
{
	static const uint64_t scales[] = {1, 1000, 150000};
	static struct trace t;
	unsigned int wrong = 0;

	(void)ctx;
	for (unsigned int i = 0; i < ARRAY_SIZE(scales); i++) {
		struct outcome whole;
		struct gen g;

		make(&t, scales[i]);
		qsort(t.records, t.nr, sizeof(*t.records), by_time);
		parse(&whole, &g, &t, -1, 0, false);
		assert_int_equal(whole.nr, 7);
		for (unsigned int k = 0; k < whole.nr; k++)
			assert_int_equal(whole.results[k].bin, BIN_JOINED);
		for (unsigned int k = 0; k < t.nr; k++) {
			wrong += check_lost(&t, &whole, k, 0, true);
			wrong += check_lost(&t, &whole, k, 3, true);
			wrong += check_lost(&t, &whole, k, 1000, true);
			wrong += check_lost(&t, &whole, k, 0, false);
		}
		done(&whole, &g);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_each),
		cmocka_unit_test(goes_on_late),
		cmocka_unit_test(next_one_comes_before),
		cmocka_unit_test(fails),
		cmocka_unit_test(comes_again),
		cmocka_unit_test(made_anew),
		cmocka_unit_test(durable),
		cmocka_unit_test(issued_while_it_waits),
		cmocka_unit_test(of_two_queues),
		cmocka_unit_test(made_of_what_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
