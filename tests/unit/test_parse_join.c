// SPDX-License-Identifier: GPL-2.0-only
/* What a request goes through, and the stages that come of it. */
#include "test_parse_util.h"

/* One request all the way, with a time of its own in each stage. */
static void plain(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	DOM0(1110, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(2110, ISSUE, READ, 64, 8, 200, 2);
	DOM0(12110, COMPLETE, READ, 64, 8, 200, 0);
	GUEST(112110, COMPLETE, READ, 64, 8, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_int_equal(o.results[0].bin, BIN_JOINED);
	assert_stages(&o.results[0], 10, 100, 1000, 10000, 100000);
	assert_int_equal(disk_counts(&o, 3, 0)->done[KIND_READ].ios, 1);
	assert_int_equal(disk_counts(&o, 3, 0)->done[KIND_READ].sectors, 8);
	assert_int_equal(disk_stats(&o, 3, 0)->min_u_t, 100);
	assert_int_equal(disk_stats(&o, 3, 0)->min_0_t, 100000);
	done(&o, &g);
}

/* Two bios merged into one request: its time begins with the earlier one. */
static void merged_bios(void **ctx)
{
	struct gen g;
	struct outcome o;
	struct disk_counts *counts;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, WRITE, 64, 8, 1, 500);
	GUEST(1100, QUEUE, WRITE, 56, 8, 2, 500);
	GUEST(1101, FRONTMERGE, WRITE, 56, 8, 2, 500);
	GUEST(1200, QUEUE, WRITE, 72, 8, 3, 500);
	GUEST(1201, BACKMERGE, WRITE, 72, 8, 3, 500);
	GUEST(2000, ISSUE, WRITE, 56, 24, 100, 2);
	GUEST(2000, PART, WRITE, 64, 8, 100, 1);
	GUEST(2000, PART, WRITE, 72, 8, 100, 3);
	DOM0(2500, QUEUE, WRITE, 56, 24, 2, GEN_KTHREAD);
	DOM0(2600, ISSUE, WRITE, 56, 24, 200, 2);
	DOM0(3000, COMPLETE, WRITE, 56, 24, 200, 0);
	GUEST(4000, COMPLETE, WRITE, 56, 24, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_stages(&o.results[0], 1000, 500, 100, 400, 1000);
	assert_int_equal(o.results[0].nr_bios, 3);
	counts = disk_counts(&o, 3, 0);
	assert_int_equal(counts->guest.bios, 3);
	assert_int_equal(counts->guest.back, 1);
	assert_int_equal(counts->guest.front, 1);
	assert_int_equal(counts->guest.issued, 1);
	assert_int_equal(counts->guest.issued_sectors, 24);
	assert_int_equal(counts->backend.issued, 1);
	done(&o, &g);
}

/* A bio cut in two in the guest: both requests begin with the bio's Q. */
static void split_in_guest(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 0, 512, 1, 500);
	GUEST(1010, SPLIT, READ, 0, 256, 2, 500);
	GUEST(1100, ISSUE, READ, 0, 256, 100, 2);
	GUEST(1200, ISSUE, READ, 256, 256, 101, 1);
	for (unsigned int i = 0; i < 2; i++) {
		DOM0(2000 + i, QUEUE, READ, 256 * i, 256, 10 + i, GEN_KTHREAD);
		DOM0(3000 + i, ISSUE, READ, 256 * i, 256, 200 + i, 10 + i);
		DOM0(4000 + i, COMPLETE, READ, 256 * i, 256, 200 + i, 0);
		GUEST(5000 + i, COMPLETE, READ, 256 * i, 256, 100 + i, 0);
	}
	run_gen(&o, &g);
	assert_int_equal(o.nr, 2);
	assert_stages(&o.results[0], 100, 900, 1000, 1000, 1000);
	assert_stages(&o.results[1], 200, 801, 1000, 1000, 1000);
	assert_int_equal(disk_counts(&o, 3, 0)->guest.splits, 1);
	done(&o, &g);
}

/* And in dom0: the part that completes last decides. */
static void split_in_dom0(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 0, 64, 1, 500);
	GUEST(1100, ISSUE, READ, 0, 64, 100, 1);
	DOM0(2000, QUEUE, READ, 0, 64, 10, GEN_KTHREAD);
	DOM0(2010, SPLIT, READ, 0, 32, 11, GEN_KTHREAD);
	DOM0(2020, ISSUE, READ, 0, 32, 200, 11);
	DOM0(2030, SPLIT, READ, 32, 16, 12, GEN_KTHREAD);
	DOM0(2040, ISSUE, READ, 32, 16, 201, 12);
	DOM0(2050, ISSUE, READ, 48, 16, 202, 10);
	DOM0(3000, COMPLETE, READ, 0, 32, 200, 0);
	DOM0(3900, COMPLETE, READ, 32, 16, 201, 0);
	DOM0(3500, COMPLETE, READ, 48, 16, 202, 0);
	GUEST(5000, COMPLETE, READ, 0, 64, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_stages(&o.results[0], 100, 900, 40, 1860, 1100);
	assert_int_equal(disk_counts(&o, 3, 0)->backend.splits, 2);
	done(&o, &g);
}

/*
 * A full ring: the request comes back and is issued again; the last D counts.  In dom0
 * what the driver and the device held is theirs, and the queue's what it waited for.
 */
static void requeue(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	GUEST(1020, REQUEUE, READ, 64, 8, 100, 1);
	GUEST(1500, ISSUE, READ, 64, 8, 100, 1);
	DOM0(2000, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(2100, ISSUE, READ, 64, 8, 200, 2);
	DOM0(2110, REQUEUE, READ, 64, 8, 200, 2);
	DOM0(2300, ISSUE, READ, 64, 8, 200, 2);
	DOM0(3000, COMPLETE, READ, 64, 8, 200, 0);
	GUEST(4000, COMPLETE, READ, 64, 8, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_int_equal(o.results[0].requeues, 1);
	assert_stages(&o.results[0], 500, 500, 290, 710, 1000);
	assert_int_equal(disk_counts(&o, 3, 0)->guest.requeues, 1);
	assert_int_equal(disk_counts(&o, 3, 0)->backend.requeues, 1);
	done(&o, &g);
}

/* The same sectors asked for twice at a time: served in the ring's order. */
static void same_sector_twice(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	for (unsigned int i = 0; i < 2; i++) {
		GUEST(1000 + 10 * i, QUEUE, READ, 64, 8, 1 + i, 500);
		GUEST(1001 + 10 * i, ISSUE, READ, 64, 8, 100 + i, 1 + i);
		GUEST(1002 + 10 * i, ORDER, READ, 0, 0, 100 + i, 20 + i);
	}
	for (unsigned int i = 0; i < 2; i++) {
		DOM0(2000 + 10 * i, QUEUE, READ, 64, 8, 10 + i, GEN_KTHREAD);
		DOM0(2001 + 10 * i, ISSUE, READ, 64, 8, 200 + i, 10 + i);
	}
	DOM0(3000, COMPLETE, READ, 64, 8, 201, 0);
	GUEST(3100, COMPLETE, READ, 64, 8, 101, 0);
	DOM0(4000, COMPLETE, READ, 64, 8, 200, 0);
	GUEST(4100, COMPLETE, READ, 64, 8, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 2);
	assert_stages(&o.results[0], 1, 999, 1, 989, 100);
	assert_stages(&o.results[1], 1, 999, 1, 1999, 100);
	done(&o, &g);
}

/* blkback makes two bios; the chain is that of the one that ends last. */
static void critical_path(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, WRITE, 0, 16, 1, 500);
	GUEST(1100, ISSUE, WRITE, 0, 16, 100, 1);
	DOM0(2000, QUEUE, WRITE, 0, 8, 10, GEN_KTHREAD);
	DOM0(2001, QUEUE, WRITE, 8, 8, 11, GEN_KTHREAD);
	DOM0(2010, ISSUE, WRITE, 0, 8, 200, 10);
	DOM0(2021, ISSUE, WRITE, 8, 8, 201, 11);
	DOM0(3000, COMPLETE, WRITE, 8, 8, 201, 0);
	DOM0(9000, COMPLETE, WRITE, 0, 8, 200, 0);
	GUEST(9900, COMPLETE, WRITE, 0, 16, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_int_equal(o.results[0].backend_bios, 2);
	assert_stages(&o.results[0], 100, 900, 10, 6990, 900);
	done(&o, &g);
}

/*
 * Two requests, of which the first one's second bio begins where the second
 * request does: a thread's bios of one request come in a row.
 */
static void row_of_bios(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 8, 8, 1, 500);
	GUEST(1001, ISSUE, READ, 8, 8, 100, 1);
	GUEST(1010, QUEUE, READ, 0, 16, 2, 500);
	GUEST(1012, ISSUE, READ, 0, 16, 101, 2);
	DOM0(2000, QUEUE, READ, 0, 8, 10, GEN_KTHREAD);
	DOM0(2001, QUEUE, READ, 8, 8, 11, GEN_KTHREAD);
	DOM0(2002, QUEUE, READ, 8, 8, 12, GEN_KTHREAD);
	for (unsigned int i = 0; i < 3; i++) {
		DOM0(2100 + i, ISSUE, READ, i ? 8 : 0, 8, 200 + i, 10 + i);
		DOM0(3100 + i, COMPLETE, READ, i ? 8 : 0, 8, 200 + i, 0);
	}
	GUEST(4000, COMPLETE, READ, 0, 16, 101, 0);
	GUEST(5000, COMPLETE, READ, 8, 8, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 2);
	assert_stages(&o.results[0], 2, 2001 - 1012, 100, 1000, 899);
	assert_stages(&o.results[1], 1, 1001, 100, 1000, 1898);
	done(&o, &g);
}

/* Two guest requests become one of dom0's. */
static void merged_in_dom0(void **ctx)
{
	struct gen g;
	struct outcome o;
	struct disk_counts *counts;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, WRITE, 0, 8, 1, 500);
	GUEST(1001, ISSUE, WRITE, 0, 8, 100, 1);
	GUEST(1010, QUEUE, WRITE, 8, 8, 2, 500);
	GUEST(1012, ISSUE, WRITE, 8, 8, 101, 2);
	DOM0(2000, QUEUE, WRITE, 0, 8, 10, GEN_KTHREAD);
	DOM0(2010, QUEUE, WRITE, 8, 8, 11, GEN_KTHREAD);
	DOM0(2011, BACKMERGE, WRITE, 8, 8, 11, GEN_KTHREAD);
	DOM0(2100, ISSUE, WRITE, 0, 16, 200, 10);
	DOM0(2100, PART, WRITE, 8, 8, 200, 11);
	DOM0(3000, COMPLETE, WRITE, 0, 16, 200, 0);
	GUEST(4000, COMPLETE, WRITE, 0, 8, 100, 0);
	GUEST(4100, COMPLETE, WRITE, 8, 8, 101, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 2);
	assert_stages(&o.results[0], 1, 999, 100, 900, 1000);
	assert_stages(&o.results[1], 2, 998, 90, 900, 1100);
	counts = disk_counts(&o, 3, 0);
	assert_int_equal(counts->backend.back, 1);
	assert_int_equal(counts->backend.issued, 1);
	assert_int_equal(counts->backend.issued_sectors, 16);
	done(&o, &g);
}

/* Requests merged before they were issued; the bios of both are the one's. */
static void merged_requests(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, WRITE, 0, 8, 1, 500);
	GUEST(1100, QUEUE, WRITE, 8, 8, 2, 500);
	GUEST(1200, RQMERGE, WRITE, 8, 8, 101, 2);
	GUEST(1300, ISSUE, WRITE, 0, 16, 100, 1);
	GUEST(1300, PART, WRITE, 8, 8, 100, 2);
	DOM0(2000, QUEUE, WRITE, 0, 16, 10, GEN_KTHREAD);
	DOM0(2100, ISSUE, WRITE, 0, 16, 200, 10);
	DOM0(3000, COMPLETE, WRITE, 0, 16, 200, 0);
	GUEST(4000, COMPLETE, WRITE, 0, 16, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_stages(&o.results[0], 300, 700, 100, 900, 1000);
	assert_int_equal(disk_counts(&o, 3, 0)->guest.requests, 1);
	done(&o, &g);
}

#define NO_MERGES                                                                       \
	"{\"backend\": {\"domid\": 0}, \"guests\": [{\"domid\": 3, \"merges\": false, " \
	"\"disks\": []}]}"

static void without_merges(struct gen *g)
{
	gen_init(g);
	gen_chunk(g, XBLK_CHUNK_META, 0, 0, 0, 0, NO_MERGES, sizeof(NO_MERGES) - 1);
}

/* Merged when it had come back, of which there is no record: what is issued shows it. */
static void merged_untold(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	without_merges(&g);
	GUEST(1000, QUEUE, WRITE, 8, 8, 2, 500);
	GUEST(1010, ISSUE, WRITE, 8, 8, 101, 2);
	GUEST(1020, REQUEUE, WRITE, 8, 8, 101, 2);
	GUEST(1100, QUEUE, WRITE, 0, 8, 1, 500);
	GUEST(1300, ISSUE, WRITE, 0, 16, 100, 1);
	GUEST(1300, PART, WRITE, 8, 8, 100, 2);
	/* And its identity is another one's. */
	GUEST(1400, QUEUE, WRITE, 800, 8, 3, 500);
	GUEST(1410, ISSUE, WRITE, 800, 8, 101, 3);
	DOM0(2000, QUEUE, WRITE, 0, 16, 10, GEN_KTHREAD);
	DOM0(2100, ISSUE, WRITE, 0, 16, 200, 10);
	DOM0(2200, QUEUE, WRITE, 800, 8, 11, GEN_KTHREAD);
	DOM0(2300, ISSUE, WRITE, 800, 8, 201, 11);
	DOM0(3000, COMPLETE, WRITE, 0, 16, 200, 0);
	DOM0(3100, COMPLETE, WRITE, 800, 8, 201, 0);
	GUEST(4000, COMPLETE, WRITE, 0, 16, 100, 0);
	GUEST(4100, COMPLETE, WRITE, 800, 8, 101, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 2);
	assert_int_equal(o.results[0].bin, BIN_JOINED);
	assert_int_equal(o.results[0].nr_bios, 2);
	assert_stages(&o.results[0], 300, 700, 100, 900, 1000);
	assert_int_equal(o.results[1].bin, BIN_JOINED);
	assert_int_equal(o.results[1].requeues, 0);
	done(&o, &g);
}

/* The identity is used again before what it was merged with is issued. */
static void merged_untold_first(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	without_merges(&g);
	GUEST(1000, QUEUE, WRITE, 8, 8, 2, 500);
	GUEST(1010, ISSUE, WRITE, 8, 8, 101, 2);
	GUEST(1020, REQUEUE, WRITE, 8, 8, 101, 2);
	GUEST(1100, QUEUE, WRITE, 0, 8, 1, 500);
	GUEST(1200, QUEUE, WRITE, 800, 8, 3, 500);
	GUEST(1210, ISSUE, WRITE, 800, 8, 101, 3);
	GUEST(1300, ISSUE, WRITE, 0, 16, 100, 1);
	GUEST(1300, PART, WRITE, 8, 8, 100, 2);
	DOM0(2000, QUEUE, WRITE, 800, 8, 11, GEN_KTHREAD);
	DOM0(2100, ISSUE, WRITE, 800, 8, 201, 11);
	DOM0(2200, QUEUE, WRITE, 0, 16, 10, GEN_KTHREAD);
	DOM0(2300, ISSUE, WRITE, 0, 16, 200, 10);
	DOM0(3000, COMPLETE, WRITE, 0, 16, 200, 0);
	DOM0(3100, COMPLETE, WRITE, 800, 8, 201, 0);
	GUEST(4000, COMPLETE, WRITE, 0, 16, 100, 0);
	GUEST(4100, COMPLETE, WRITE, 800, 8, 101, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 2);
	assert_int_equal(o.results[0].bin, BIN_JOINED);
	assert_int_equal(o.results[0].nr_bios, 2);
	assert_int_equal(o.results[1].bin, BIN_JOINED);
	assert_int_equal(o.results[1].requeues, 0);
	done(&o, &g);
}

/* Of what begins otherwise than it did when it came back, it is not known which it is. */
static void merged_or_not(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	without_merges(&g);
	GUEST(1000, QUEUE, WRITE, 8, 8, 2, 500);
	GUEST(1010, ISSUE, WRITE, 8, 8, 101, 2);
	GUEST(1020, REQUEUE, WRITE, 8, 8, 101, 2);
	GUEST(1100, QUEUE, WRITE, 0, 8, 1, 500);
	GUEST(1300, ISSUE, WRITE, 0, 16, 101, 1);
	GUEST(1300, PART, WRITE, 8, 8, 101, 2);
	DOM0(2000, QUEUE, WRITE, 0, 16, 10, GEN_KTHREAD);
	DOM0(2100, ISSUE, WRITE, 0, 16, 200, 10);
	DOM0(3000, COMPLETE, WRITE, 0, 16, 200, 0);
	GUEST(4000, COMPLETE, WRITE, 0, 16, 101, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_int_equal(o.results[0].bin, BIN_AMBIGUOUS);
	done(&o, &g);
}

/* The disk reports a request done in two steps; each bio ends with its own. */
static void partial_completion(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	for (unsigned int i = 0; i < 2; i++) {
		GUEST(1000 + i, QUEUE, READ, 8 * i, 8, 1 + i, 500);
		GUEST(1010 + i, ISSUE, READ, 8 * i, 8, 100 + i, 1 + i);
		DOM0(2000 + i, QUEUE, READ, 8 * i, 8, 10 + i, GEN_KTHREAD);
	}
	DOM0(2100, ISSUE, READ, 0, 16, 200, 10);
	DOM0(2100, PART, READ, 8, 8, 200, 11);
	DOM0(3000, COMPLETE, READ, 0, 8, 200, 0);
	GUEST(3500, COMPLETE, READ, 0, 8, 100, 0);
	DOM0(4000, COMPLETE, READ, 8, 8, 200, 0);
	GUEST(4500, COMPLETE, READ, 8, 8, 101, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 2);
	assert_stages(&o.results[0], 10, 990, 100, 900, 500);
	assert_stages(&o.results[1], 10, 990, 99, 1900, 500);
	done(&o, &g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),	  cmocka_unit_test(merged_bios),
		cmocka_unit_test(split_in_guest), cmocka_unit_test(split_in_dom0),
		cmocka_unit_test(requeue),	  cmocka_unit_test(same_sector_twice),
		cmocka_unit_test(critical_path),  cmocka_unit_test(row_of_bios),
		cmocka_unit_test(merged_in_dom0), cmocka_unit_test(merged_requests),
		cmocka_unit_test(merged_untold),  cmocka_unit_test(merged_untold_first),
		cmocka_unit_test(merged_or_not),  cmocka_unit_test(partial_completion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
