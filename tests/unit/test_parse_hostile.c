// SPDX-License-Identifier: GPL-2.0-only
/* A guest that writes whatever it likes harms nobody but itself. */
#include "test_parse_util.h"

#include <stdlib.h>

#define SECOND 1000000000ull

static void good_io(struct gen *out, uint64_t ns)
{
	struct gen g = *out;

	GUEST(ns, QUEUE, READ, 64, 8, 1, 500);
	GUEST(ns + 10, ISSUE, READ, 64, 8, 100, 1);
	DOM0(ns + 110, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(ns + 1110, ISSUE, READ, 64, 8, 200, 2);
	DOM0(ns + 2110, COMPLETE, READ, 64, 8, 200, 0);
	GUEST(ns + 3110, COMPLETE, READ, 64, 8, 100, 0);
	*out = g;
}

static uint64_t invalid(struct outcome *o, unsigned int domid)
{
	struct account a;

	parse_account(&o->parse, model_domain(&o->parse.model, domid), &a);
	return a.invalid;
}

static void bad_record(struct xblk_record r)
{
	struct gen g;
	struct outcome o;

	gen_init(&g);
	good_io(&g, 1000);
	gen_add(&g, GEN_GUEST, 0, &r);
	good_io(&g, 10000);
	run_gen(&o, &g);
	assert_int_equal(invalid(&o, GEN_GUEST), 1);
	assert_int_equal(invalid(&o, 0), 0);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 2);
	done(&o, &g);
}

static void bad_records(void **ctx)
{
	const struct xblk_record good = {.time = GEN_START + 5000,
					 .event = XBLK_EV_QUEUE,
					 .nr_sectors = 8,
					 .id = 77};
	struct xblk_record r;

	(void)ctx;
	memset(&r, 0, sizeof(r));
	bad_record(r);
	memset(&r, 0xff, sizeof(r));
	bad_record(r);
	r = good;
	r.event = XBLK_EV_MAX;
	bad_record(r);
	r = good;
	r.disk = 4; /* the table ends before */
	bad_record(r);
	r = good;
	r.disk = XBLK_NO_DISK;
	bad_record(r);
	r = good;
	r.sector = UINT64_MAX - 3;
	bad_record(r);
	r = good;
	r.op = 6;
	bad_record(r);
	r = good;
	r.time = GEN_START - 2 * SECOND;
	bad_record(r);
	r = good;
	r.time = GEN_START + 12 * SECOND; /* its chunk is one second old */
	bad_record(r);
	r = good;
	r.event = XBLK_EV_RING; /* only blkback has rings to tell of */
	bad_record(r);
	r = good;
	r.event = XBLK_EV_LOST;
	r.lost.count = 5;
	r.lost.until = r.time - 1;
	bad_record(r);
}

/* An invalid record may have been a request's: then the request is lost. */
static void invalid_is_a_loss(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, NONE, READ, 64, 8, 100, 1);
	GUEST(3110, COMPLETE, READ, 64, 8, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_LOST], 1);
	done(&o, &g);
}

/* Times ten seconds ahead do not push others' requests over any limit. */
static void ahead_of_time(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	gen_event(&g, 3, 1, 9 * SECOND, XBLK_EV_ISSUE, 0, 64, 8, 900, 0);
	gen_event(&g, 3, 1, 9 * SECOND, XBLK_EV_COMPLETE, 0, 64, 8, 900, 0);
	for (unsigned int i = 0; i < 20; i++) {
		good_io(&g, 10000 * i + 1000);
		gen_round(&g, 10000 * i + 9000);
	}
	run_gen(&o, &g);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 20);
	done(&o, &g);
}

/*
 * So many of them that they are processed before it is their time: what waits
 * for a late record of dom0's goes on waiting.
 */
static void ahead_by_force(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	DOM0(1110, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(2110, ISSUE, READ, 64, 8, 200, 2);
	for (unsigned int i = 0; i < 100; i++)
		gen_event(&g, 3, 1, 9 * SECOND + i, XBLK_EV_QUEUE, 0, 64, 8, 900, 0);
	GUEST(5000, COMPLETE, READ, 64, 8, 100, 0);
	gen_round(&g, 10000);
	gen_round(&g, 20000);
	gen_event(&g, 0, 1, 4000, XBLK_EV_COMPLETE, XBLK_OP_READ, 64, 8, 200, 0);
	gen_end(&g, 30000);
	outcome_init(&o, g.data, g.len);
	o.parse.merge.max_buffered = 64;
	parse_run(&o.parse);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 1);
	done(&o, &g);
}

static const char two_guests_meta[] =
	"{\"backend\": {\"domid\": 0, \"disks\": [{\"index\": 0, \"name\": \"a\"}]},"
	" \"guests\": [{\"domid\": 3, \"disks\": [{\"index\": 0, \"name\": \"xvda\","
	"   \"backend_disk\": 0}]},"
	"  {\"domid\": 4, \"disks\": [{\"index\": 0, \"name\": \"xvda\","
	"   \"backend_disk\": 0}]}]}";

/*
 * A guest says that it issues requests without end, none of which comes back.  It may
 * have so many that all rings of a host would hold fewer, and takes no other one's place.
 */
static void senseless(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init_bare(&g);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, two_guests_meta,
		  sizeof(two_guests_meta) - 1);
	gen_process(&g, 0, 0, 0, GEN_KTHREAD, "3.xvda-0", XBLK_PROCESS_KTHREAD);
	for (unsigned int i = 0; i < 200000; i++) {
		gen_event(&g, 4, 0, 10 * i, XBLK_EV_QUEUE, XBLK_OP_READ, 8 * i, 8, i + 1,
			  0);
		gen_event(&g, 4, 0, 10 * i + 1, XBLK_EV_ISSUE, XBLK_OP_READ, 8 * i, 8,
			  i + 1, i + 1);
		if (i % 1000 == 999)
			gen_round(&g, 10 * i + 5);
	}
	for (unsigned int i = 0; i < 100; i++)
		good_io(&g, 2000000 + 10000 * i);
	gen_end(&g, 4000000);
	run(&o, g.data, g.len);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 100);
	assert_int_equal(model_domain(&o.parse.model, 4)->evicted_rqs,
			 200000 - JOIN_SHARED_RQS);
	assert_int_equal(disk_stats(&o, 4, 0)->bins[BIN_EVICTED],
			 200000 - JOIN_SHARED_RQS);
	assert_true(o.parse.join.rqs.nr_blocks * 1024 < JOIN_SHARED_RQS + 8192);
	done(&o, &g);
}

/* Another guest's requests are joined while this one tries everything. */
static void two_guests(void **ctx)
{
	struct gen g;
	struct outcome o;
	struct disk_stats *st;

	(void)ctx;
	srand(2);
	gen_init_bare(&g);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, two_guests_meta,
		  sizeof(two_guests_meta) - 1);
	gen_process(&g, 0, 0, 0, GEN_KTHREAD, "3.xvda-0", XBLK_PROCESS_KTHREAD);
	for (unsigned int i = 0; i < 500; i++) {
		good_io(&g, 10000 * i + 1000);
		for (unsigned int k = 0; k < 20; k++)
			gen_event(&g, 4, 0, 10000 * i + 100 * k, rand() % 18, rand(),
				  rand() % 200, rand() % 16, rand() % 300, rand() % 300);
		if (i % 10 == 0)
			gen_round(&g, 10000 * i + 9000);
	}
	run_gen(&o, &g);
	st = disk_stats(&o, 3, 0);
	assert_int_equal(st->bins[BIN_JOINED], 500);
	assert_int_equal(st->requests, 500);
	assert_int_equal(invalid(&o, 3), 0);
	assert_true(invalid(&o, 4) > 0);
	done(&o, &g);
}

/* Names are for a terminal; nothing in them may drive it. */
static void names(void **ctx)
{
	struct gen g;
	struct outcome o;
	struct process *p;

	(void)ctx;
	gen_init(&g);
	gen_process(&g, 3, 0, 10, 55, "\033[2Jx\ny\x9b", 0);
	run_gen(&o, &g);
	p = map_get(&model_domain(&o.parse.model, 3)->processes, 55);
	assert_non_null(p);
	assert_string_equal(p->comm, "?[2Jx?y?");
	done(&o, &g);
}

/* So many processes that not all are kept: those of late are. */
static void processes(void **ctx)
{
	const struct domain *dom;
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	for (uint32_t i = 0; i < 10000; i++)
		gen_process(&g, 3, i % 2, 10 + i, i, "x", 0);
	run_gen(&o, &g);
	dom = model_domain(&o.parse.model, 3);
	assert_int_equal(dom->processes.nr, 2 * VCPU_PROCESSES);
	assert_null(map_get(&dom->processes, 0));
	for (uint32_t i = 10000 - 2 * VCPU_PROCESSES; i < 10000; i++)
		assert_non_null(map_get(&dom->processes, i));
	done(&o, &g);
}

/* One that has as many as all may have leaves others as many as one vCPU's. */
static void processes_shared(void **ctx)
{
	struct domain *greedy, *other;
	struct model m;

	(void)ctx;
	model_init(&m, sizeof(struct disk));
	greedy = model_domain(&m, 3);
	other = model_domain(&m, 4);
	greedy->nr_streams = 1000;
	other->nr_streams = 8;
	for (uint32_t i = 0; i < 2 * SHARED_PROCESSES; i++)
		model_process(greedy, i);
	assert_int_equal(greedy->processes.nr, SHARED_PROCESSES);
	for (uint32_t i = 0; i < 1000; i++)
		model_process(other, i);
	assert_int_equal(other->processes.nr, VCPU_PROCESSES);
	assert_non_null(map_get(&other->processes, 999));
	model_end_guest(&m, greedy);
	assert_int_equal(m.guest_processes, VCPU_PROCESSES);
	for (uint32_t i = 0; i < 1000; i++)
		model_process(other, i);
	assert_int_equal(other->processes.nr, 1000);
	model_deinit(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_records),	    cmocka_unit_test(invalid_is_a_loss),
		cmocka_unit_test(ahead_of_time),    cmocka_unit_test(ahead_by_force),
		cmocka_unit_test(two_guests),	    cmocka_unit_test(names),
		cmocka_unit_test(senseless),	    cmocka_unit_test(processes),
		cmocka_unit_test(processes_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
