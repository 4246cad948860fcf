// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a flush is: issued by a request of its own, which has no place and no bios, for
 * all that wait by then.
 */
#include "test_parse_util.h"

/*
 * A flush in the guest: the bio itself is never issued, the flush machinery
 * issues a request without bios, and at the end the bio's own request
 * completes without ever having been issued.  The same in dom0.
 */
static void flush(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	GUEST(1010, ISSUE, FLUSH, 0, 0, 100, 0);
	DOM0(2000, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 10, GEN_KTHREAD);
	DOM0(2100, ISSUE, FLUSH, 0, 0, 200, 0);
	DOM0(3000, COMPLETE, FLUSH, 0, 0, 200, 0);
	DOM0(3001, COMPLETE, WRITE, 0, 0, 201, 0);
	GUEST(4000, COMPLETE, FLUSH, 0, 0, 100, 0);
	GUEST(4001, COMPLETE, WRITE, 0, 0, 101, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_int_equal(o.results[0].bin, BIN_JOINED);
	assert_stages(&o.results[0], 10, 990, 100, 900, 1000);
	assert_int_equal(disk_counts(&o, 3, 0)->done[KIND_FLUSH].ios, 1);
	assert_int_equal(disk_counts(&o, 3, 0)->done[KIND_WRITE].ios, 0);
	assert_int_equal(disk_counts(&o, 3, 0)->flush_ends, 1);
	done(&o, &g);
}

/* One read of each vCPU has shown which thread serves its ring. */
static void read_by(struct gen *g, unsigned int cpu, uint64_t ns, uint32_t pid)
{
	const uint64_t sector = 1000 * (cpu + 1);

	gen_event(g, GEN_GUEST, cpu, ns, XBLK_EV_QUEUE, XBLK_OP_READ, sector, 8, 50, 500);
	gen_event(g, GEN_GUEST, cpu, ns + 1, XBLK_EV_ISSUE, XBLK_OP_READ, sector, 8, 150,
		  50);
	gen_event(g, 0, 0, ns + 2, XBLK_EV_QUEUE, XBLK_OP_READ, sector, 8, 60, pid);
	gen_event(g, 0, 0, ns + 3, XBLK_EV_ISSUE, XBLK_OP_READ, sector, 8, 250, 60);
	gen_event(g, 0, 0, ns + 4, XBLK_EV_COMPLETE, XBLK_OP_READ, sector, 8, 250, 0);
	gen_event(g, GEN_GUEST, cpu, ns + 5, XBLK_EV_COMPLETE, XBLK_OP_READ, sector, 8,
		  150, 0);
}

/* Two flushes at once, on two rings; the one issued later is served first. */
static void flushes_of_two_rings(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	gen_process(&g, 0, 0, 0, GEN_KTHREAD + 1, "3.xvda-1", XBLK_PROCESS_KTHREAD);
	read_by(&g, 0, 100, GEN_KTHREAD);
	read_by(&g, 1, 200, GEN_KTHREAD + 1);
	gen_event(&g, GEN_GUEST, 1, 990, XBLK_EV_QUEUE,
		  XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	gen_event(&g, GEN_GUEST, 1, 1000, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0, 100, 0);
	GUEST(1001, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 2, 501);
	GUEST(1010, ISSUE, FLUSH, 0, 0, 101, 0);
	DOM0(1100, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 10, GEN_KTHREAD);
	DOM0(1110, ISSUE, FLUSH, 0, 0, 200, 0);
	DOM0(1200, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 11, GEN_KTHREAD + 1);
	DOM0(1300, COMPLETE, FLUSH, 0, 0, 200, 0);
	GUEST(1310, COMPLETE, FLUSH, 0, 0, 101, 0);
	DOM0(1320, ISSUE, FLUSH, 0, 0, 200, 0);
	DOM0(2300, COMPLETE, FLUSH, 0, 0, 200, 0);
	gen_event(&g, GEN_GUEST, 1, 2320, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 4);
	assert_stages(result_at(&o, 0, 1010), 9, 90, 10, 190, 10);
	assert_stages(result_at(&o, 0, 1000), 10, 200, 120, 980, 20);
	done(&o, &g);
}

/* A write that needs a flush first completes twice. */
static void write_with_flush(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 64, 8, 1, 500);
	GUEST(1010, ISSUE, FLUSH, 0, 0, 100, 0);
	DOM0(1100, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 10, GEN_KTHREAD);
	DOM0(1200, ISSUE, FLUSH, 0, 0, 200, 0);
	DOM0(1300, COMPLETE, FLUSH, 0, 0, 200, 0);
	GUEST(1400, COMPLETE, FLUSH, 0, 0, 100, 0);
	GUEST(1500, ISSUE, WRITE, 64, 8, 101, 1);
	DOM0(1600, QUEUE, WRITE, 64, 8, 11, GEN_KTHREAD);
	DOM0(1700, ISSUE, WRITE, 64, 8, 201, 11);
	DOM0(1800, COMPLETE, WRITE, 64, 8, 201, 0);
	GUEST(1900, COMPLETE, WRITE, 64, 8, 101, 0);
	GUEST(1910, COMPLETE, WRITE, 64, 0, 101, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 2);
	assert_stages(result_at(&o, 0, 1010), 10, 90, 100, 100, 100);
	assert_stages(result_at(&o, 0, 1500), 500, 100, 100, 100, 100);
	assert_int_equal(disk_counts(&o, 3, 0)->flush_ends, 1);
	done(&o, &g);
}

/* A backing disk without a cache ends the flush before its Q. */
static void flush_without_backend_io(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t t = 100000000ull * i;

		GUEST(t + 1000, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
		GUEST(t + 1010, ISSUE, FLUSH, 0, 0, 100, 0);
		GUEST(t + 4000, COMPLETE, FLUSH, 0, 0, 100, 0);
		/* dom0 is at work meanwhile, for itself */
		DOM0(t + 5000, QUEUE, WRITE, 0, 8, 20, 1);
		DOM0(t + 90000000, QUEUE, WRITE, 0, 8, 20, 1);
	}
	run_gen(&o, &g);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_NO_BACKEND_IO], 2);
	assert_int_equal(counts_of(domain_disk(o.parse.model.backend, 0))->own_bios, 4);
	done(&o, &g);
}

/* The next flush, right after one without I/O, has its own bio. */
static void flush_after_flush(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(990, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	GUEST(1000, ISSUE, FLUSH, 0, 0, 100, 0);
	GUEST(2000, COMPLETE, FLUSH, 0, 0, 100, 0);
	GUEST(2001, COMPLETE, WRITE, 0, 0, 101, 0);
	GUEST(10980, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	GUEST(11000, ISSUE, FLUSH, 0, 0, 100, 0);
	DOM0(11100, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 10, GEN_KTHREAD);
	DOM0(12000, ISSUE, FLUSH, 0, 0, 200, 0);
	DOM0(13000, COMPLETE, FLUSH, 0, 0, 200, 0);
	GUEST(14000, COMPLETE, FLUSH, 0, 0, 100, 0);
	GUEST(14001, COMPLETE, WRITE, 0, 0, 101, 0);
	run_gen(&o, &g);
	assert_int_equal(result_at(&o, 0, 1000)->bin, BIN_NO_BACKEND_IO);
	assert_stages(result_at(&o, 0, 11000), 20, 100, 900, 1000, 1000);
	done(&o, &g);
}

/*
 * A thread was moved between its Q and the choice of the queue, so that its flush waits
 * for the next one: fewer end behind the first one than seemed to wait for it.
 */
static void flush_on_its_way(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	gen_process(&g, 0, 0, 0, GEN_KTHREAD + 1, "3.xvda-1", XBLK_PROCESS_KTHREAD);
	read_by(&g, 0, 100, GEN_KTHREAD);
	read_by(&g, 1, 200, GEN_KTHREAD + 1);
	gen_event(&g, GEN_GUEST, 1, 990, XBLK_EV_QUEUE,
		  XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	gen_event(&g, GEN_GUEST, 1, 1000, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0, 100, 0);
	GUEST(1001, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 2, 501);
	GUEST(1010, ISSUE, FLUSH, 0, 0, 101, 0);
	DOM0(1100, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 11, GEN_KTHREAD + 1);
	DOM0(1105, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 10, GEN_KTHREAD);
	DOM0(1110, ISSUE, FLUSH, 0, 0, 200, 0);
	DOM0(1300, COMPLETE, FLUSH, 0, 0, 200, 0);
	DOM0(1301, COMPLETE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 301, 0);
	DOM0(1302, RESPONSE, FLUSH, 0, 0, 5, 1);
	gen_last(&g, 0, 0)->disk = XBLK_NO_DISK;
	GUEST(1310, COMPLETE, FLUSH, 0, 0, 101, 0);
	DOM0(1320, ISSUE, FLUSH, 0, 0, 200, 0);
	DOM0(2300, COMPLETE, FLUSH, 0, 0, 200, 0);
	DOM0(2301, COMPLETE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 302, 0);
	DOM0(2302, RESPONSE, FLUSH, 0, 0, 6, 2);
	gen_last(&g, 0, 0)->disk = XBLK_NO_DISK;
	gen_event(&g, GEN_GUEST, 1, 2320, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 4);
	assert_false(result_at(&o, 0, 1000)->measured &&
		     result_at(&o, 0, 1000)->stages[STAGE_0_T] != 20);
	assert_int_equal(result_at(&o, 0, 1000)->bin, BIN_AMBIGUOUS);
	done(&o, &g);
}

/* The thread of a ring goes about a flush, and queues a bio for it. */
static void flush_on_ring(struct gen *out, uint64_t ns, unsigned int ring, uint32_t bio)
{
	struct gen g = *out;

	DOM0(ns - 5, RING, READ, 0, 0, 1 + ring, GEN_KTHREAD + ring);
	gen_last(&g, 0, 0)->disk = XBLK_NO_DISK;
	DOM0(ns, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, bio, GEN_KTHREAD + ring);
	*out = g;
}

/* dom0's disk has done one, and the response to what that was for is on @ring. */
static void flush_and_response(struct gen *out, uint64_t ns, unsigned int ring)
{
	struct gen g = *out;

	DOM0(ns, ISSUE, FLUSH, 0, 0, 200, 0);
	DOM0(ns + 100, COMPLETE, FLUSH, 0, 0, 200, 0);
	DOM0(ns + 101, COMPLETE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 300 + ring, 0);
	DOM0(ns + 102, RESPONSE, FLUSH, 0, 0, 5 + ring, 1 + ring);
	gen_last(&g, 0, 0)->disk = XBLK_NO_DISK;
	*out = g;
}

/*
 * The second of three had been on its way when the first one's flush was issued, so that
 * each of the others is served by the one behind that which seems to do it.  The response
 * behind that is not on its ring.
 */
static void flush_of_another_ring(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	gen_process(&g, 0, 0, 0, GEN_KTHREAD + 1, "3.xvda-1", XBLK_PROCESS_KTHREAD);
	gen_process(&g, 0, 0, 0, GEN_KTHREAD + 2, "3.xvda-2", XBLK_PROCESS_KTHREAD);
	for (unsigned int i = 0; i < 3; i++) {
		uint64_t ns = 900 + 20 * i;

		read_by(&g, i, 100 * (i + 1), GEN_KTHREAD + i);
		gen_event(&g, GEN_GUEST, i, ns, XBLK_EV_QUEUE,
			  XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1 + i, 500 + i);
		gen_event(&g, GEN_GUEST, i, ns + 10, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0,
			  100 + i, 0);
	}
	flush_on_ring(&g, 1000, 0, 10);
	flush_on_ring(&g, 1010, 1, 11);
	flush_and_response(&g, 1020, 0);
	flush_on_ring(&g, 1150, 2, 12);
	gen_event(&g, GEN_GUEST, 0, 1160, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, 100, 0);
	flush_and_response(&g, 1200, 1);
	gen_event(&g, GEN_GUEST, 1, 1340, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, 101, 0);
	flush_and_response(&g, 1400, 2);
	gen_event(&g, GEN_GUEST, 2, 1540, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, 102, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 6);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(result_at(&o, 0, 910 + 20 * i)->bin, BIN_AMBIGUOUS);
	done(&o, &g);
}

/* What dom0's disk does when the response is on its ring is another one's. */
static void flush_of_its_ring(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(900, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	GUEST(910, ISSUE, FLUSH, 0, 0, 100, 0);
	flush_on_ring(&g, 1000, 0, 10);
	flush_and_response(&g, 1020, 0);
	DOM0(1150, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 11, 1);
	DOM0(1200, ISSUE, FLUSH, 0, 0, 200, 0);
	DOM0(1300, COMPLETE, FLUSH, 0, 0, 200, 0);
	DOM0(1301, COMPLETE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 301, 0);
	GUEST(1400, COMPLETE, FLUSH, 0, 0, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_stages(&o.results[0], 10, 90, 20, 100, 280);
	done(&o, &g);
}

/* One flush of the guest's, and behind it the ends of @nr that waited for it. */
static void flush_and_ends(struct gen *out, uint64_t ns, unsigned int nr)
{
	struct gen g = *out;

	GUEST(ns, ISSUE, FLUSH, 0, 0, 100, 0);
	DOM0(ns + 100, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 10, GEN_KTHREAD);
	DOM0(ns + 110, ISSUE, FLUSH, 0, 0, 200, 0);
	DOM0(ns + 300, COMPLETE, FLUSH, 0, 0, 200, 0);
	DOM0(ns + 301, COMPLETE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 301, 0);
	GUEST(ns + 400, COMPLETE, FLUSH, 0, 0, 100, 0);
	for (unsigned int i = 0; i < nr; i++)
		GUEST(ns + 401 + i, COMPLETE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 50 + i,
		      0);
	*out = g;
}

/*
 * The first flush is for what was queued before the trace.  What seems to have waited for
 * it ends behind the next one.
 */
static void first_flush_for_one_unseen(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(900, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	flush_and_ends(&g, 1000, 1);
	GUEST(1500, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 2, 500);
	flush_and_ends(&g, 1600, 2);
	GUEST(2500, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 3, 500);
	flush_and_ends(&g, 2600, 1);
	run_gen(&o, &g);
	assert_int_equal(result_at(&o, 0, 1000)->bin, BIN_AMBIGUOUS);
	assert_stages(result_at(&o, 0, 2600), 100, 100, 10, 190, 100);
	done(&o, &g);
}

/*
 * The second flush is for a write that was queued before the trace, and for another one:
 * both are issued behind it.
 */
static void flush_for_a_write_unseen(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	flush_and_ends(&g, 1000, 1);
	GUEST(1500, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 64, 8, 2, 500);
	flush_and_ends(&g, 1600, 0);
	GUEST(2010, ISSUE, WRITE, 128, 8, 102, 1);
	GUEST(2020, ISSUE, WRITE, 64, 8, 103, 2);
	GUEST(2500, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 3, 500);
	flush_and_ends(&g, 2600, 1);
	run_gen(&o, &g);
	assert_int_equal(result_at(&o, 0, 1600)->bin, BIN_AMBIGUOUS);
	assert_stages(result_at(&o, 0, 2600), 100, 100, 10, 190, 100);
	done(&o, &g);
}

/* And where it is not, it is told. */
static void first_flush(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	for (uint64_t ns = 1000; ns < 4000; ns += 1000) {
		GUEST(ns - 100, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
		flush_and_ends(&g, ns, 1);
	}
	run_gen(&o, &g);
	for (uint64_t ns = 1000; ns < 4000; ns += 1000)
		assert_stages(result_at(&o, 0, ns), 100, 100, 10, 190, 100);
	done(&o, &g);
}

/*
 * dom0's flush was queued by a clock that is early, and what ended it was missed: its
 * identity is in use again before the guest's flush is there.  Which of the two it is for
 * is not told, and no device has done either.
 */
static void flush_not_seen_to_end(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	DOM0(1100, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 10, GEN_KTHREAD);
	DOM0(1150, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 10, GEN_KTHREAD);
	GUEST(1200, ISSUE, FLUSH, 0, 0, 100, 0);
	GUEST(2000, COMPLETE, FLUSH, 0, 0, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_int_equal(o.results[0].bin, BIN_AMBIGUOUS);
	assert_false(o.results[0].measured);
	done(&o, &g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flush),
		cmocka_unit_test(flushes_of_two_rings),
		cmocka_unit_test(write_with_flush),
		cmocka_unit_test(flush_without_backend_io),
		cmocka_unit_test(flush_after_flush),
		cmocka_unit_test(flush_on_its_way),
		cmocka_unit_test(flush_of_another_ring),
		cmocka_unit_test(flush_of_its_ring),
		cmocka_unit_test(first_flush_for_one_unseen),
		cmocka_unit_test(flush_for_a_write_unseen),
		cmocka_unit_test(first_flush),
		cmocka_unit_test(flush_not_seen_to_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
