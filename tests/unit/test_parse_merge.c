// SPDX-License-Identifier: GPL-2.0-only
/* Streams into one order: rounds, late records, no rounds at all. */
#include "test_parse_util.h"

#include <stdlib.h>

struct order {
	struct parse parse;
	struct bytes bytes;
	uint64_t last_ns;
	unsigned int nr, backwards;
	unsigned int before_end;
	size_t most; /* room for so many records */
};

static void on_event(void *ctx, struct stream *s, const struct xblk_record *r)
{
	struct order *o = ctx;

	(void)s;
	o->nr++;
	o->backwards += r->time < o->last_ns;
	if (r->time > o->last_ns)
		o->last_ns = r->time;
	o->before_end += !o->parse.ended;
	if (o->parse.merge.capacity > o->most)
		o->most = o->parse.merge.capacity;
}

static void run_order(struct order *o, struct gen *g, size_t max_buffered)
{
	memset(o, 0, sizeof(*o));
	o->bytes.data = g->data;
	o->bytes.len = g->len;
	msg_silent = true;
	parse_init(&o->parse, read_bytes, &o->bytes);
	if (max_buffered)
		o->parse.merge.max_buffered = max_buffered;
	o->parse.on_event = on_event;
	o->parse.ctx = o;
	parse_run(&o->parse);
}

static void order_done(struct order *o, struct gen *g)
{
	parse_deinit(&o->parse);
	gen_deinit(g);
}

static void add(struct gen *g, unsigned int domid, unsigned int cpu, uint64_t ns)
{
	gen_event(g, domid, cpu, ns, XBLK_EV_QUEUE, XBLK_OP_READ, 0, 8, ns + 1, 1);
}

/* Streams with records at random times, flushed unevenly. */
static void many_streams(void **ctx)
{
	struct gen g;
	struct order o;

	(void)ctx;
	srand(1);
	gen_init(&g);
	for (uint64_t ns = 1000; ns < 200000; ns += rand() % 20) {
		add(&g, rand() % 2 ? 0 : 3, rand() % 4, ns);
		if (rand() % 100 == 0)
			gen_round(&g, ns);
	}
	gen_end(&g, 300000);
	run_order(&o, &g, 0);
	assert_false(o.parse.problems);
	assert_int_equal(o.backwards, 0);
	assert_true(o.before_end > o.nr / 2);
	order_done(&o, &g);
}

/* A record that is published one round after its time is still in order. */
static void one_round_late(void **ctx)
{
	struct gen g;
	struct order o;

	(void)ctx;
	gen_init(&g);
	add(&g, 3, 0, 1000);
	gen_round(&g, 2000);
	add(&g, 0, 1, 2500);
	gen_round(&g, 3000);
	add(&g, 3, 1, 2100); /* between the last two rounds */
	add(&g, 0, 1, 3500);
	gen_round(&g, 4000);
	gen_end(&g, 5000);
	run_order(&o, &g, 0);
	assert_int_equal(o.backwards, 0);
	for (unsigned int i = 0; i < o.parse.merge.nr_streams; i++)
		assert_int_equal(o.parse.merge.streams[i]->late, 0);
	order_done(&o, &g);
}

/* Later than that: processed nevertheless, and counted. */
static void two_rounds_late(void **ctx)
{
	struct gen g;
	struct order o;
	struct account a;

	(void)ctx;
	gen_init(&g);
	add(&g, 3, 0, 1000);
	gen_round(&g, 2000);
	add(&g, 0, 1, 2500);
	gen_round(&g, 3000);
	add(&g, 0, 1, 3500);
	gen_round(&g, 4000);
	add(&g, 3, 1, 2100);
	gen_end(&g, 5000);
	run_order(&o, &g, 0);
	assert_int_equal(o.nr, 5);
	assert_int_equal(o.backwards, 1);
	parse_account(&o.parse, NULL, &a);
	assert_int_equal(a.late, 1);
	order_done(&o, &g);
}

/* A request whose completion in dom0 comes late is joined all the same. */
static void late_completion(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	DOM0(1110, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(2110, ISSUE, READ, 64, 8, 200, 2);
	GUEST(5000, COMPLETE, READ, 64, 8, 100, 0);
	gen_round(&g, 10000);
	gen_round(&g, 20000);
	gen_event(&g, 0, 1, 4000, XBLK_EV_COMPLETE, XBLK_OP_READ, 64, 8, 200, 0);
	gen_round(&g, 30000);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_stages(&o.results[0], 10, 100, 1000, 1890, 1000);
	done(&o, &g);
}

/* No rounds: memory stays bounded, and the order right. */
static void no_rounds(void **ctx)
{
	struct gen g;
	struct order o;
	size_t most = 0;

	(void)ctx;
	gen_init(&g);
	for (uint64_t i = 0; i < 4000; i++) {
		add(&g, i & 1 ? 0 : 3, 0, 1000 + 10 * i);
		if (i % 50 == 49)
			gen_flush(&g, 1000 + 10 * i);
	}
	gen_end(&g, 100000);
	run_order(&o, &g, 200);
	assert_int_equal(o.nr, 4001);
	assert_int_equal(o.backwards, 0);
	for (unsigned int i = 0; i < o.parse.merge.nr_streams; i++)
		most += o.parse.merge.streams[i]->cap;
	assert_true(most <= 2 * 1024);
	order_done(&o, &g);
}

/* A stream that stands still must not make all others wait in memory. */
static void one_stream_behind(void **ctx)
{
	struct gen g;
	struct order o;
	size_t most = 0;

	(void)ctx;
	gen_init(&g);
	add(&g, 3, 0, 1000);
	add(&g, 3, 0, 9000000);
	for (uint64_t i = 0; i < 4000; i++) {
		add(&g, 0, 1, 1000 + 10 * i);
		if (i % 50 == 49)
			gen_flush(&g, 1000 + 10 * i);
	}
	gen_end(&g, 10000000);
	run_order(&o, &g, 200);
	assert_int_equal(o.nr, 4003);
	assert_int_equal(o.parse.merge.buffered, 0);
	for (unsigned int i = 0; i < o.parse.merge.nr_streams; i++)
		most += o.parse.merge.streams[i]->cap;
	assert_true(most <= 4 * 1024);
	order_done(&o, &g);
}

/* A round that goes back in time is no round. */
static void rounds_backwards(void **ctx)
{
	struct gen g;
	struct order o;

	(void)ctx;
	gen_init(&g);
	add(&g, 3, 0, 1000);
	gen_round(&g, 2000);
	gen_chunk(&g, XBLK_CHUNK_ROUND, 0, 0, 0, 500, NULL, 0);
	add(&g, 0, 1, 1500);
	gen_round(&g, 3000);
	gen_end(&g, 5000);
	run_order(&o, &g, 0);
	assert_int_equal(o.backwards, 0);
	order_done(&o, &g);
}

/* What belongs to a record follows it, though another stream has the time. */
static void parts_stay(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	gen_event(&g, 3, 1, 1000, XBLK_EV_QUEUE, 1, 0, 8, 1, 500);
	gen_event(&g, 3, 1, 1100, XBLK_EV_QUEUE, 1, 8, 8, 2, 500);
	gen_event(&g, 3, 1, 1300, XBLK_EV_ISSUE, 1, 0, 16, 100, 1);
	gen_event(&g, 3, 1, 1390, XBLK_EV_PART, 1, 8, 8, 100, 2);
	/* Another vCPU reuses the id of the request with an equal time. */
	GUEST(1350, COMPLETE, WRITE, 0, 16, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_int_equal(o.results[0].nr_bios, 2);
	done(&o, &g);
}

/* A guest writes of the trace's beginning a month later: that changes no other one's
 * order. */
static void month_late(void **ctx)
{
	const uint64_t day = 86400ull * 1000000000;
	struct gen g;
	struct order o;

	(void)ctx;
	gen_init(&g);
	gen_process(&g, 4, 0, 1000, 1, "old", 0);
	gen_round(&g, 2000);
	gen_round(&g, 30 * day);
	gen_round(&g, 30 * day + 1);
	for (uint64_t ns = 30 * day + 1000; ns < 30 * day + 2000; ns += 10)
		add(&g, ns % 20 ? 0 : 3, ns % 3, ns);
	gen_process(&g, 4, 0, 1001, 1, "older", 0);
	gen_round(&g, 30 * day + 3000);
	gen_round(&g, 30 * day + 3001);
	gen_end(&g, 30 * day + 4000);
	run_order(&o, &g, 0);
	assert_int_equal(o.backwards, 0);
	order_done(&o, &g);
}

/* One stream after the other has as much as may wait: room for that is not left over. */
static void room_for_what_waits(void **ctx)
{
	const unsigned int nr = 1 << 18;
	struct gen g;
	struct order o;

	(void)ctx;
	gen_init(&g);
	for (unsigned int cpu = 0; cpu < 6; cpu++) {
		for (unsigned int i = 0; i < nr; i++)
			add(&g, 3, cpu, (uint64_t)cpu * nr + i);
		gen_flush(&g, (uint64_t)cpu * nr + nr);
	}
	gen_end(&g, 6 * nr);
	run_order(&o, &g, nr);
	assert_int_equal(o.nr, 1 + 6 * nr); /* and the name of blkback's thread */
	assert_in_range(o.most, nr / 2, nr + nr / 2);
	order_done(&o, &g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_streams),	    cmocka_unit_test(one_round_late),
		cmocka_unit_test(two_rounds_late),  cmocka_unit_test(late_completion),
		cmocka_unit_test(no_rounds),	    cmocka_unit_test(one_stream_behind),
		cmocka_unit_test(rounds_backwards), cmocka_unit_test(parts_stay),
		cmocka_unit_test(month_late),	    cmocka_unit_test(room_for_what_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
