// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records that are not there, though nothing has said so yet: a loss is told of when the
 * CPU writes again.  What the others say must not be put together as if they were all.
 */
#include "test_parse_util.h"

static uint64_t bin(struct outcome *o, enum bin b)
{
	return disk_stats(o, GEN_GUEST, 0)->bins[b];
}

static void guest_io(struct gen *out, uint64_t ns, uint64_t sector, uint32_t id)
{
	struct gen g = *out;

	GUEST(ns, QUEUE, READ, sector, 8, id, 500);
	GUEST(ns + 10, ISSUE, READ, sector, 8, 100 + id, id);
	GUEST(ns + 9000, COMPLETE, READ, sector, 8, 100 + id, 0);
	*out = g;
}

/* The guest's first request; nothing is known to be lost when it is back. */
static void begin(struct gen *g)
{
	gen_init(g);
	guest_io(g, 1000, 64, 1);
}

/* Until another CPU tells what it lost there are no stages, and then they are lost. */
static void told_late(struct gen *g, struct outcome *o, unsigned int domid)
{
	gen_round(g, 600000000);
	gen_round(g, 700000000);
	gen_event(g, 0, 0, 700000000, XBLK_EV_QUEUE, XBLK_OP_READ, 9000, 8, 999, 1);
	gen_round(g, 800000000);
	gen_lost(g, domid, 1, 1010, 9000, 2);
	run_gen(o, g);
	for (unsigned int i = 0; i < o->nr; i++)
		assert_false(o->results[i].measured);
	assert_int_equal(bin(o, BIN_LOST), o->nr);
	done(o, g);
}

/* Its issue is not there, but that it came back is. */
static void first_issue(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	begin(&g);
	DOM0(2000, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(3000, REQUEUE, READ, 64, 8, 200, 2);
	DOM0(4000, ISSUE, READ, 64, 8, 200, 2);
	DOM0(5000, COMPLETE, READ, 64, 8, 200, 0);
	told_late(&g, &o, 0);
}

/* It was issued twice, and when it came back is not there. */
static void requeue(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	begin(&g);
	DOM0(2000, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(2100, ISSUE, READ, 64, 8, 200, 2);
	DOM0(4000, ISSUE, READ, 64, 8, 200, 2);
	DOM0(5000, COMPLETE, READ, 64, 8, 200, 0);
	told_late(&g, &o, 0);
}

/* Neither that it came back nor the next issue; that others do makes one wait for it. */
static void requeue_and_issue(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	begin(&g);
	DOM0(2000, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(2100, ISSUE, READ, 64, 8, 200, 2);
	DOM0(2200, REQUEUE, READ, 64, 8, 200, 2);
	DOM0(2300, ISSUE, READ, 64, 8, 200, 2);
	/* lost: R and D */
	DOM0(5000, COMPLETE, READ, 64, 8, 200, 0);
	gen_round(&g, 300000000);
	gen_round(&g, 400000000);
	gen_lost(&g, 0, 1, 2500, 4500, 2);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_int_equal(o.results[0].bin, BIN_LOST);
	done(&o, &g);
}

/* A part of the guest's request is not named: it may have been queued first. */
static void part(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(500, QUEUE, READ, 72, 8, 2, 500);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 16, 100, 1);
	DOM0(2000, QUEUE, READ, 64, 16, 2, GEN_KTHREAD);
	DOM0(2100, ISSUE, READ, 64, 16, 200, 2);
	DOM0(5000, COMPLETE, READ, 64, 16, 200, 0);
	GUEST(6000, COMPLETE, READ, 64, 16, 100, 0);
	told_late(&g, &o, GEN_GUEST);
}

/* dom0's request completes in two parts, of which the first is not there. */
static void partial_completion(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	begin(&g);
	DOM0(2000, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(2001, QUEUE, READ, 72, 8, 3, 7);
	DOM0(2100, ISSUE, READ, 64, 16, 200, 2);
	DOM0(2100, PART, READ, 72, 8, 200, 3);
	DOM0(5000, COMPLETE, READ, 72, 8, 200, 0);
	told_late(&g, &o, 0);
}

/* That the bio was cut is not there: what is left of it ends first. */
static void split(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	begin(&g);
	DOM0(2000, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(2100, ISSUE, READ, 64, 4, 200, 3);
	DOM0(2100, ISSUE, READ, 68, 4, 201, 2);
	DOM0(5000, COMPLETE, READ, 68, 4, 201, 0);
	DOM0(8000, COMPLETE, READ, 64, 4, 200, 0);
	told_late(&g, &o, 0);
}

/* The guest's bio of an earlier request has the name; the new one's Q is not there. */
static void old_bio(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	/* lost: its C, and the next Q */
	GUEST(5000, ISSUE, READ, 64, 8, 101, 1);
	DOM0(6000, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(6100, ISSUE, READ, 64, 8, 200, 2);
	DOM0(7000, COMPLETE, READ, 64, 8, 200, 0);
	GUEST(8000, COMPLETE, READ, 64, 8, 101, 0);
	told_late(&g, &o, GEN_GUEST);
}

/* A bio that no request fits, done long ago, is not the next one's there. */
static void stray(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	guest_io(&g, 100, 640, 9);
	DOM0(1000, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(1100, ISSUE, READ, 64, 8, 200, 2);
	DOM0(2000, COMPLETE, READ, 64, 8, 200, 0);
	GUEST(500000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(500010, ISSUE, READ, 64, 8, 100, 1);
	DOM0(501010, QUEUE, READ, 64, 8, 3, GEN_KTHREAD);
	DOM0(501110, ISSUE, READ, 64, 8, 201, 3);
	DOM0(502000, COMPLETE, READ, 64, 8, 201, 0);
	GUEST(503000, COMPLETE, READ, 64, 8, 100, 0);
	run_gen(&o, &g);
	assert_stages(result_at(&o, 0, 500010), 10, 1000, 100, 890, 1000);
	assert_int_equal(bin(&o, BIN_CAUSALITY), 0);
	done(&o, &g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_issue),
		cmocka_unit_test(requeue),
		cmocka_unit_test(requeue_and_issue),
		cmocka_unit_test(part),
		cmocka_unit_test(partial_completion),
		cmocka_unit_test(split),
		cmocka_unit_test(old_bio),
		cmocka_unit_test(stray),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
