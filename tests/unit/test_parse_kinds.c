// SPDX-License-Identifier: GPL-2.0-only
/* Discards and errors, disks on partitions and on other disks, and I/O of dom0's own. */
#include "test_parse_util.h"

/* dom0 cuts a discard into several bios that lie one behind the other. */
static void discard(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, DISCARD, 0, 4096, 1, 500);
	GUEST(1100, ISSUE, DISCARD, 0, 4096, 100, 1);
	for (unsigned int i = 0; i < 4; i++)
		DOM0(2000 + i, QUEUE, DISCARD, 1024 * i, 1024, 10 + i, GEN_KTHREAD);
	for (unsigned int i = 0; i < 4; i++) {
		DOM0(3000 + i, ISSUE, DISCARD, 1024 * i, 1024, 200 + i, 10 + i);
		DOM0(4000 + i, COMPLETE, DISCARD, 1024 * i, 1024, 200 + i, 0);
	}
	GUEST(5003, COMPLETE, DISCARD, 0, 4096, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_stages(&o.results[0], 100, 903, 1000, 1000, 1000);
	assert_int_equal(disk_counts(&o, 3, 0)->done[KIND_DISCARD].sectors, 4096);
	done(&o, &g);
}

/* xvdb begins at sector 2048 of its disk; xvda's thread does not serve it. */
static void partition(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	gen_process(&g, 0, 0, 10, 78, "3.xvdb-1", XBLK_PROCESS_KTHREAD);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	gen_last(&g, 3, 0)->disk = 1;
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	gen_last(&g, 3, 0)->disk = 1;
	DOM0(1100, QUEUE, READ, 2112, 8, 3, GEN_KTHREAD);
	gen_last(&g, 0, 0)->disk = 1;
	DOM0(1110, QUEUE, READ, 2112, 8, 2, 78);
	gen_last(&g, 0, 0)->disk = 1;
	DOM0(2110, ISSUE, READ, 2112, 8, 200, 2);
	gen_last(&g, 0, 0)->disk = 1;
	DOM0(12110, COMPLETE, READ, 2112, 8, 200, 0);
	gen_last(&g, 0, 0)->disk = 1;
	GUEST(112110, COMPLETE, READ, 64, 8, 100, 0);
	gen_last(&g, 3, 0)->disk = 1;
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_stages(&o.results[0], 10, 100, 1000, 10000, 100000);
	done(&o, &g);
}

/* xvdd is on dm-0, which sends clones to two disks. */
static void remapped(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	gen_process(&g, 0, 0, 10, 79, "3.xvdd-0", XBLK_PROCESS_KTHREAD);
	GUEST(1000, QUEUE, READ, 0, 16, 1, 500);
	gen_last(&g, 3, 0)->disk = 3;
	GUEST(1010, ISSUE, READ, 0, 16, 100, 1);
	gen_last(&g, 3, 0)->disk = 3;
	DOM0(1110, QUEUE, READ, 0, 16, 10, 79);
	gen_last(&g, 0, 0)->disk = 2;
	for (unsigned int i = 0; i < 2; i++) {
		/* the sector of a partition, which the Q does not show any more */
		DOM0(1200 + i, REMAP, READ, 3000, 8, 20 + i, 79);
		gen_last(&g, 0, 0)->disk = i;
		DOM0(1200 + i, REMAP_FROM, READ, 8 * i, 8, 20 + i, 79);
		gen_last(&g, 0, 0)->disk = 2;
		DOM0(1210 + i, QUEUE, READ, 5000, 8, 20 + i, 79);
		gen_last(&g, 0, 0)->disk = i;
	}
	for (unsigned int i = 0; i < 2; i++) {
		DOM0(1310 + i, ISSUE, READ, 5000, 8, 200 + i, 20 + i);
		gen_last(&g, 0, 0)->disk = i;
	}
	for (unsigned int i = 0; i < 2; i++) {
		DOM0(2310 + i, COMPLETE, READ, 5000, 8, 200 + i, 0);
		gen_last(&g, 0, 0)->disk = i;
	}
	DOM0(2400, BIO_COMPLETE, READ, 0, 0, 10, 0);
	gen_last(&g, 0, 0)->disk = 2;
	GUEST(3400, COMPLETE, READ, 0, 16, 100, 0);
	gen_last(&g, 3, 0)->disk = 3;
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_stages(&o.results[0], 10, 100, 201, 1089, 1000);
	assert_int_equal(counts_of(domain_disk(o.parse.model.backend, 0))->own_bios, 0);
	done(&o, &g);
}

/* Of dm-0. */
static void dm(struct gen *g, uint64_t ns, unsigned int event, uint64_t sector,
	       uint32_t id, uint32_t aux)
{
	gen_event(g, 0, 0, ns, event, XBLK_OP_READ, sector, 8, id, aux);
	gen_last(g, 0, 0)->disk = 2;
}

/* By its own thread, some time after others have queued. */
static void dm_sends(struct gen *g, uint64_t ns, uint64_t sector, uint32_t id)
{
	const uint32_t layer = 1234;

	gen_event(g, 0, 0, ns, XBLK_EV_REMAP, XBLK_OP_READ, 7000, 8, id, layer);
	dm(g, ns, XBLK_EV_REMAP_FROM, sector, id, layer);
	gen_event(g, 0, 0, ns + 1, XBLK_EV_QUEUE, XBLK_OP_READ, 7000, 8, id, layer);
	gen_event(g, 0, 0, ns + 2, XBLK_EV_ISSUE, XBLK_OP_READ, 7000, 8, 200 + id, id);
	gen_event(g, 0, 0, ns + 3, XBLK_EV_COMPLETE, XBLK_OP_READ, 7000, 8, 200 + id, 0);
}

/* One of them of 16 sectors, and another one of its second half. */
static void of_xvdd(struct gen *g, uint64_t ns, unsigned int event, uint32_t id,
		    bool half)
{
	gen_event(g, GEN_GUEST, half, ns, event, XBLK_OP_READ, half ? 72 : 64,
		  half ? 8 : 16, id, event == XBLK_EV_ISSUE ? id : 0);
	gen_last(g, GEN_GUEST, half)->disk = 3;
}

/*
 * A layer that works later, and more bios than can be in flight, whose ends were missed:
 * what is searched has a bound, and what is left out of it is nobody else's.
 */
static void many_at_a_layer(void **ctx)
{
	const unsigned int nr = 3 * FOUND_MAX;
	const struct join *j;
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	gen_process(&g, 0, 0, 10, 79, "3.xvdd-0", XBLK_PROCESS_KTHREAD);
	/* That it works later: from now on its bios are searched. */
	dm(&g, 100, XBLK_EV_QUEUE, 640, 90, 1);
	dm_sends(&g, 200, 640, 91);
	dm(&g, 300, XBLK_EV_BIO_COMPLETE, 0, 90, 0);
	of_xvdd(&g, 1000, XBLK_EV_QUEUE, 1, false);
	of_xvdd(&g, 1010, XBLK_EV_ISSUE, 1, false);
	dm(&g, 1110, XBLK_EV_QUEUE, 64, 10, 79);
	gen_last(&g, 0, 0)->nr_sectors = 16;
	for (unsigned int i = 0; i < nr; i++)
		dm(&g, 2000 + i, XBLK_EV_QUEUE, 128, 1000 + i, 1);
	of_xvdd(&g, 200000, XBLK_EV_QUEUE, 2, true);
	of_xvdd(&g, 200010, XBLK_EV_ISSUE, 2, true);
	dm(&g, 200110, XBLK_EV_QUEUE, 72, 11, 79);
	/* This may be of either. */
	dm_sends(&g, 200200, 72, 20);
	dm(&g, 200300, XBLK_EV_BIO_COMPLETE, 0, 11, 0);
	of_xvdd(&g, 200400, XBLK_EV_COMPLETE, 2, true);
	dm(&g, 200600, XBLK_EV_BIO_COMPLETE, 0, 10, 0);
	of_xvdd(&g, 200700, XBLK_EV_COMPLETE, 1, false);
	run_gen(&o, &g);
	j = &o.parse.join;
	for (unsigned int i = 0; i < FOUND; i++) {
		unsigned int in = 0;

		for (const struct list *n = j->found[i].bios.next; n != &j->found[i].bios;
		     n = n->next)
			in++;
		assert_in_range(in, 0, FOUND_MAX);
		assert_int_equal(in, j->found[i].nr);
	}
	assert_int_equal(o.nr, 2);
	assert_int_equal(o.results[0].bin, BIN_AMBIGUOUS);
	assert_int_equal(o.results[1].bin, BIN_AMBIGUOUS);
	done(&o, &g);
}

/* An I/O error ends a request like success does. */
static void error(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	DOM0(1110, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(2110, ISSUE, READ, 64, 8, 200, 2);
	DOM0(12110, COMPLETE, READ, 64, 8, 200, 5);
	GUEST(112110, COMPLETE, READ, 64, 8, 100, 5);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_int_equal(o.results[0].bin, BIN_JOINED);
	assert_int_equal(disk_counts(&o, 3, 0)->errors, 1);
	done(&o, &g);
}

/* dom0's I/O of its own on the same disk and sectors is nobody's. */
static void dom0s_own(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	gen_process(&g, 0, 0, 10, 900, "3.xvda-0", 0);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	DOM0(1050, QUEUE, READ, 64, 8, 3, 900);
	DOM0(1060, ISSUE, READ, 64, 8, 201, 3);
	DOM0(1110, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(2110, ISSUE, READ, 64, 8, 200, 2);
	DOM0(12110, COMPLETE, READ, 64, 8, 200, 0);
	GUEST(112110, COMPLETE, READ, 64, 8, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_stages(&o.results[0], 10, 100, 1000, 10000, 100000);
	assert_int_equal(counts_of(domain_disk(o.parse.model.backend, 0))->own_bios, 1);
	done(&o, &g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(discard),	   cmocka_unit_test(partition),
		cmocka_unit_test(remapped),	   cmocka_unit_test(error),
		cmocka_unit_test(many_at_a_layer), cmocka_unit_test(dom0s_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
