// SPDX-License-Identifier: GPL-2.0-only
/* Requests that are not joined, and the one reason that each of them gets. */
#include "test_parse_util.h"

/* A request of the guest from Q to C; dom0's part by another function. */
static void guest_io(struct gen *out, uint64_t ns, uint64_t sector, uint32_t id)
{
	struct gen g = *out;

	GUEST(ns, QUEUE, READ, sector, 8, id, 500);
	GUEST(ns + 10, ISSUE, READ, sector, 8, 1000 + id, id);
	GUEST(ns + 5000, COMPLETE, READ, sector, 8, 1000 + id, 0);
	*out = g;
}

static void dom0_io(struct gen *out, uint64_t ns, uint64_t sector, uint32_t id)
{
	struct gen g = *out;

	DOM0(ns + 110, QUEUE, READ, sector, 8, id, GEN_KTHREAD);
	DOM0(ns + 210, ISSUE, READ, sector, 8, 1000 + id, id);
	DOM0(ns + 4000, COMPLETE, READ, sector, 8, 1000 + id, 0);
	*out = g;
}

static uint64_t bin(struct outcome *o, enum bin b)
{
	return disk_stats(o, GEN_GUEST, 0)->bins[b];
}

static void in_flight(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	DOM0(1110, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_int_equal(bin(&o, BIN_IN_FLIGHT), 1);
	done(&o, &g);
}

/* One whose D, and one of which even the D was before the trace. */
static void before_trace(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	GUEST(1020, COMPLETE, READ, 128, 8, 101, 0);
	DOM0(1110, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(1120, ISSUE, READ, 64, 8, 200, 2);
	DOM0(1130, COMPLETE, READ, 64, 8, 200, 0);
	GUEST(2000, COMPLETE, READ, 64, 8, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 2);
	assert_int_equal(bin(&o, BIN_BEFORE_TRACE), 2);
	assert_int_equal(disk_counts(&o, 3, 0)->done[KIND_READ].ios, 2);
	done(&o, &g);
}

static void not_served(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	gen_last(&g, 3, 0)->disk = 2;
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	gen_last(&g, 3, 0)->disk = 2;
	GUEST(2000, COMPLETE, READ, 64, 8, 100, 0);
	gen_last(&g, 3, 0)->disk = 2;
	run_gen(&o, &g);
	assert_int_equal(disk_stats(&o, 3, 2)->bins[BIN_NOT_SERVED], 1);
	done(&o, &g);
}

/* The backing disk takes bios without requests: no D, no C. */
static void incomplete(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	guest_io(&g, 1000, 64, 1);
	DOM0(1110, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	run_gen(&o, &g);
	assert_int_equal(bin(&o, BIN_INCOMPLETE), 1);
	done(&o, &g);
}

/* A LOST record where dom0's events of the request would be. */
static void lost_in_dom0(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	gen_process(&g, 0, 0, 10, 1, "init", 0);
	guest_io(&g, 1000, 64, 1);
	gen_lost(&g, 0, 0, 1100, 4000, 3);
	/* Far away from any loss, dom0 really did nothing. */
	guest_io(&g, 500000000, 64, 1);
	DOM0(500000001, QUEUE, READ, 0, 8, 2, 1);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 2);
	assert_int_equal(bin(&o, BIN_LOST), 1);
	assert_int_equal(bin(&o, BIN_NO_BACKEND_IO), 1);
	done(&o, &g);
}

/* The guest's Q and C are missing from its stream. */
static void lost_in_guest(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	guest_io(&g, 1000, 64, 1);
	dom0_io(&g, 1000, 64, 2);
	gen_lost(&g, 3, 0, 7000, 9000, 1);
	GUEST(10010, ISSUE, READ, 64, 8, 100, 1);
	dom0_io(&g, 10000, 64, 2);
	GUEST(15000, COMPLETE, READ, 64, 8, 100, 0);
	GUEST(16000, COMPLETE, READ, 128, 8, 102, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 3);
	assert_int_equal(bin(&o, BIN_JOINED), 1);
	assert_int_equal(bin(&o, BIN_LOST), 2);
	done(&o, &g);
}

/* A hole in a stream's sequence, without a word from the producer. */
static void lost_by_sequence(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	guest_io(&g, 1000, 64, 1);
	gen_flush(&g, 10000);
	gen_skip(&g, 0, 0, 3);
	DOM0(20000, QUEUE, READ, 0, 8, 3, 1);
	gen_end(&g, 1000000);
	run(&o, g.data, g.len);
	assert_true(o.parse.problems); /* conservation */
	assert_int_equal(bin(&o, BIN_LOST), 1);
	done(&o, &g);
}

/* What is lost behind a stream's last record only the end's counters tell. */
static void lost_at_the_end(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	guest_io(&g, 1000, 64, 1);
	g.streams[0].lost = 2; /* dom0's */
	run_gen(&o, &g);
	assert_int_equal(o.parse.merge.streams[0]->dom->domid, 0);
	assert_int_equal(bin(&o, BIN_LOST), 1);
	done(&o, &g);
}

/* The last chunk of a CPU's is damaged: behind it no record tells, but the counters do. */
static void damaged_at_the_end(void **ctx)
{
	struct gen g;
	struct outcome o;
	size_t at;

	(void)ctx;
	gen_init(&g);
	dom0_io(&g, 1000, 64, 2);
	guest_io(&g, 1000, 64, 1);
	gen_flush(&g, 10000);
	at = g.len;
	dom0_io(&g, 20000, 64, 2);
	guest_io(&g, 20000, 64, 1);
	gen_end(&g, 1000000);
	g.data[at + sizeof(struct xblk_chunk)] ^= 1;
	run(&o, g.data, g.len);
	assert_true(o.parse.problems);
	assert_int_equal(bin(&o, BIN_JOINED), 1);
	assert_int_equal(bin(&o, BIN_LOST), 1);
	assert_int_equal(o.parse.merge.streams[0]->dom->domid, 0);
	assert_int_equal(o.parse.merge.streams[0]->missing, 3);
	done(&o, &g);
}

/* Behind the last round of a trace that was cut off anything may be missing. */
static void cut_off(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init_bare(&g);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, gen_meta_text, strlen(gen_meta_text));
	GUEST(500, COMPLETE, READ, 128, 8, 100, 0);
	GUEST(600, QUEUE, READ, 192, 8, 2, 500);
	GUEST(700, ISSUE, READ, 192, 8, 101, 2);
	guest_io(&g, 1000, 64, 1);
	gen_process(&g, 0, 0, 0, GEN_KTHREAD, "3.xvda-0", XBLK_PROCESS_KTHREAD);
	dom0_io(&g, 1000, 64, 2);
	gen_round(&g, 10000000);
	guest_io(&g, 20000000, 64, 1);
	GUEST(20026000, COMPLETE, READ, 256, 8, 102, 0);
	dom0_io(&g, 20000000, 64, 2);
	gen_round(&g, 30000000);
	/* The guest's records of the second round are whole, dom0's are not. */
	run(&o, g.data, g.len - sizeof(struct xblk_chunk) - 1);
	assert_true(o.parse.problems);
	assert_int_equal(bin(&o, BIN_JOINED), 1);
	assert_int_equal(bin(&o, BIN_BEFORE_TRACE), 1);
	assert_int_equal(bin(&o, BIN_IN_FLIGHT), 1);
	assert_int_equal(bin(&o, BIN_LOST), 2);
	done(&o, &g);
}

/* The CPU that lost records writes again long after, and only then says so. */
static void lost_told_late(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	guest_io(&g, 1000, 64, 1);
	for (unsigned int i = 0; i < 10; i++) {
		gen_event(&g, 0, 1, 100000000ull * i + 500, XBLK_EV_QUEUE, 0, 0, 8, 9, 1);
		gen_round(&g, 100000000ull * i + 1000);
	}
	gen_lost(&g, 0, 0, 1100, 4000, 3);
	run_gen(&o, &g);
	assert_int_equal(o.results[0].bin, BIN_NO_BACKEND_IO);
	assert_int_equal(bin(&o, BIN_NO_BACKEND_IO), 0);
	assert_int_equal(bin(&o, BIN_LOST), 1);
	done(&o, &g);
}

/* However many requests came meanwhile, and also where there is too much to keep each. */
static void many_lost_told_late(void **ctx)
{
	enum {
		AFFECTED = 5000,
		OTHERS = 3000
	};
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	for (unsigned int i = 0; i < AFFECTED; i++) {
		uint64_t ns = 1000000ull + 10000 * i;

		guest_io(&g, ns, 64 * i, 1);
		gen_event(&g, 0, 1, ns + 110, XBLK_EV_QUEUE, XBLK_OP_READ, 64 * i, 8, 1,
			  GEN_KTHREAD);
		if (i % 1000 == 999)
			gen_round(&g, ns);
	}
	/* long after: these are as incomplete, and nothing was lost of them */
	for (unsigned int i = 0; i < OTHERS; i++) {
		uint64_t ns = 500000000ull + 10000 * i;

		guest_io(&g, ns, 64 * i, 1);
		gen_event(&g, 0, 1, ns + 110, XBLK_EV_QUEUE, XBLK_OP_READ, 64 * i, 8, 1,
			  GEN_KTHREAD);
		if (i % 1000 == 999)
			gen_round(&g, ns);
	}
	gen_lost(&g, 0, 0, 1000000, 1000000 + 10000ull * AFFECTED, 2 * AFFECTED);
	run_gen(&o, &g);
	assert_int_equal(bin(&o, BIN_LOST), AFFECTED);
	assert_int_equal(bin(&o, BIN_INCOMPLETE), OTHERS);
	done(&o, &g);
}

/* After a loss, ids that come again are not believed. */
static void stale_ids(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	/* its D and C are lost, and bio 1 and request 100 are used again */
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	gen_lost(&g, 3, 0, 1010, 5000, 2);
	GUEST(6000, ISSUE, READ, 640, 8, 100, 1);
	GUEST(6100, ISSUE, WRITE, 1024, 8, 100, 7);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 2);
	assert_int_equal(bin(&o, BIN_LOST), 2);
	assert_int_equal(o.results[0].sector, 640);
	done(&o, &g);
}

/* Without a loss, a guest that contradicts itself has made it up. */
static void malformed(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 640, 8, 100, 1);
	GUEST(1020, COMPLETE, READ, 640, 8, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(bin(&o, BIN_MALFORMED), 1);
	done(&o, &g);
}

/* dom0 queues what the guest has not issued yet, by the clocks. */
static void causality(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(10, ISSUE, READ, 128, 8, 101, 0);
	GUEST(20, COMPLETE, READ, 128, 8, 101, 0);
	DOM0(900, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	DOM0(1110, ISSUE, READ, 64, 8, 200, 2);
	GUEST(2000, COMPLETE, READ, 64, 8, 100, 0);
	DOM0(2500, COMPLETE, READ, 64, 8, 200, 0);
	run_gen(&o, &g);
	assert_int_equal(bin(&o, BIN_CAUSALITY), 1);
	assert_int_equal(disk_stats(&o, 3, 0)->min_u_t, -110);
	assert_int_equal(disk_stats(&o, 3, 0)->min_0_t, -500);
	assert_null(disk_stats(&o, 3, 0)->stages[0]);
	done(&o, &g);
}

/* The same, but dom0 is done with it before the guest is seen to begin. */
static void causality_all_before(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(10, ISSUE, READ, 128, 8, 101, 0);
	GUEST(20, COMPLETE, READ, 128, 8, 101, 0);
	dom0_io(&g, 1000, 64, 2);
	guest_io(&g, 1000000, 64, 1);
	/* And one that is too far off to be believed. */
	dom0_io(&g, 100000000, 64, 2);
	guest_io(&g, 200000000, 64, 1);
	run_gen(&o, &g);
	assert_int_equal(bin(&o, BIN_CAUSALITY), 1);
	assert_int_equal(bin(&o, BIN_NO_BACKEND_IO), 2); /* it, and the very first */
	assert_int_equal(disk_counts(&o, 3, 0)->backend_unmatched, 1);
	done(&o, &g);
}

/* The guest resumes with another clock: times before do not compare. */
static void clock_change(void **ctx)
{
	struct gen g;
	struct outcome o;
	struct xblk_record r = {.time = GEN_START + 2000,
				.event = XBLK_EV_CLOCK,
				.disk = XBLK_NO_DISK,
				.id = 2};

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	gen_add(&g, 3, 0, &r);
	dom0_io(&g, 1000, 64, 2);
	GUEST(6000, COMPLETE, READ, 64, 8, 100, 0);
	guest_io(&g, 10000, 64, 1);
	dom0_io(&g, 10000, 64, 2);
	run_gen(&o, &g);
	assert_int_equal(bin(&o, BIN_CLOCK_CHANGE), 1);
	assert_int_equal(bin(&o, BIN_JOINED), 1);
	done(&o, &g);
}

/* More in flight than is kept: the oldest go, by name.  Their ends count no second time. */
static void evicted(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	for (unsigned int i = 0; i < 20; i++) {
		GUEST(1000 + i, QUEUE, READ, 64 * i, 8, i + 1, 500);
		GUEST(1000 + i, ISSUE, READ, 64 * i, 8, 1000 + i, i + 1);
	}
	for (unsigned int i = 0; i < 5; i++)
		GUEST(2000 + i, COMPLETE, READ, 64 * i, 8, 1000 + i, 0);
	gen_end(&g, 1000000);
	outcome_init(&o, g.data, g.len);
	o.parse.join.max_in_flight = 8;
	parse_run(&o.parse);
	check_bins(&o);
	assert_int_equal(bin(&o, BIN_EVICTED), 12);
	assert_int_equal(bin(&o, BIN_IN_FLIGHT), 8);
	assert_int_equal(disk_stats(&o, 3, 0)->requests, 20);
	done(&o, &g);
}

/*
 * The last records of a vCPU are missing, and one of them tells of a loss: that was
 * before the last one that is there.
 */
static void loss_told_in_what_is_missing(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	gen_event(&g, GEN_GUEST, 1, 1010, XBLK_EV_ISSUE, XBLK_OP_READ, 64, 8, 100, 1);
	gen_event(&g, GEN_GUEST, 1, 1020, XBLK_EV_REQUEUE, XBLK_OP_READ, 64, 8, 100, 1);
	DOM0(2000, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(2100, ISSUE, READ, 64, 8, 200, 2);
	DOM0(3000, COMPLETE, READ, 64, 8, 200, 0);
	GUEST(4000, COMPLETE, READ, 64, 8, 100, 0);
	gen_event(&g, GEN_GUEST, 1, 5000, XBLK_EV_QUEUE, XBLK_OP_READ, 640, 8, 3, 501);
	gen_count_lost(&g, GEN_GUEST, 1, 2);
	gen_skip(&g, GEN_GUEST, 1, 3);
	gen_end(&g, 1000000000);
	run(&o, g.data, g.len);
	assert_int_equal(o.nr, 1);
	assert_int_equal(disk_stats(&o, GEN_GUEST, 0)->bins[BIN_LOST], 1);
	done(&o, &g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_flight),
		cmocka_unit_test(before_trace),
		cmocka_unit_test(not_served),
		cmocka_unit_test(incomplete),
		cmocka_unit_test(lost_in_dom0),
		cmocka_unit_test(lost_in_guest),
		cmocka_unit_test(lost_by_sequence),
		cmocka_unit_test(lost_at_the_end),
		cmocka_unit_test(damaged_at_the_end),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(lost_told_late),
		cmocka_unit_test(many_lost_told_late),
		cmocka_unit_test(stale_ids),
		cmocka_unit_test(malformed),
		cmocka_unit_test(causality),
		cmocka_unit_test(causality_all_before),
		cmocka_unit_test(clock_change),
		cmocka_unit_test(evicted),
		cmocka_unit_test(loss_told_in_what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
