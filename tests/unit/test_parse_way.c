// SPDX-License-Identifier: GPL-2.0-only
/* What happens between the ends of the stages, and on which CPU. */
#include "test_parse_util.h"

#define RING	   4711
#define FRONT	   4712
#define DM_KTHREAD 78 /* blkback's thread of xvdd, which is on dm-0 */

static void ring_event(struct gen *g, unsigned int cpu, uint64_t ns, unsigned int event)
{
	gen_event(g, 0, cpu, ns, event, 0, 0, 0, event == XBLK_EV_RING ? RING : 0,
		  event == XBLK_EV_RING ? GEN_KTHREAD : RING);
	gen_last(g, 0, cpu)->disk = XBLK_NO_DISK;
}

static void front_interrupt(struct gen *g, unsigned int cpu, uint64_t ns)
{
	gen_event(g, GEN_GUEST, cpu, ns, XBLK_EV_INTERRUPT, 0, 0, 0, 0, FRONT);
	gen_last(g, GEN_GUEST, cpu)->disk = XBLK_NO_DISK;
}

static void assert_substage(struct outcome *o, unsigned int disk, enum substage s,
			    uint64_t count, uint64_t sum)
{
	const struct hist *h = disk_stats(o, GEN_GUEST, disk)->substages[s];

	assert_int_equal(h ? h->count : 0, count);
	assert_int_equal(h ? (uint64_t)h->sum : 0, sum);
}

static void parted(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	ring_event(&g, 0, 1100, XBLK_EV_INTERRUPT);
	ring_event(&g, 0, 1130, XBLK_EV_RING);
	/* Its second step: indirect segments. */
	ring_event(&g, 0, 1135, XBLK_EV_RING);
	DOM0(1150, QUEUE, READ, 64, 8, 10, GEN_KTHREAD);
	DOM0(1160, ISSUE, READ, 64, 8, 200, 10);
	/* The second is found by a thread that is awake. */
	GUEST(1170, QUEUE, READ, 128, 8, 2, 500);
	GUEST(1180, ISSUE, READ, 128, 8, 101, 2);
	ring_event(&g, 0, 1200, XBLK_EV_RING);
	DOM0(1210, QUEUE, READ, 128, 8, 11, GEN_KTHREAD);
	DOM0(1220, ISSUE, READ, 128, 8, 201, 11);
	DOM0(2000, COMPLETE, READ, 64, 8, 200, 0);
	ring_event(&g, 0, 2005, XBLK_EV_RESPONSE);
	/* The interrupt on another vCPU than the completion. */
	front_interrupt(&g, 1, 2100);
	GUEST(2110, COMPLETE, READ, 64, 8, 100, 0);
	DOM0(3000, COMPLETE, READ, 128, 8, 201, 0);
	ring_event(&g, 0, 3007, XBLK_EV_RESPONSE);
	front_interrupt(&g, 0, 3100);
	GUEST(3130, COMPLETE, READ, 128, 8, 101, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 2);
	assert_stages(&o.results[0], 10, 140, 10, 840, 110);
	assert_stages(&o.results[1], 10, 30, 10, 1780, 130);
	assert_substage(&o, 0, SUB_NOTIFY, 2, 90);
	assert_substage(&o, 0, SUB_WAKE, 2, 30 + 20);
	assert_substage(&o, 0, SUB_MAP, 2, 20 + 10);
	assert_substage(&o, 0, SUB_UNMAP, 2, 5 + 7);
	assert_substage(&o, 0, SUB_NOTIFY_BACK, 2, 95 + 93);
	assert_substage(&o, 0, SUB_FINISH, 2, 10 + 30);
	assert_substage(&o, 0, SUB_LAYERS, 0, 0);
	done(&o, &g);
}

/* Without the probes there are stages and no substages. */
static void not_parted(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	DOM0(1150, QUEUE, READ, 64, 8, 10, GEN_KTHREAD);
	DOM0(1160, ISSUE, READ, 64, 8, 200, 10);
	DOM0(2000, COMPLETE, READ, 64, 8, 200, 0);
	GUEST(2110, COMPLETE, READ, 64, 8, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.results[0].bin, BIN_JOINED);
	for (int i = 0; i < SUB_MAX; i++)
		assert_null(disk_stats(&o, GEN_GUEST, 0)->substages[i]);
	done(&o, &g);

	/* Nor is U-T parted by the thread alone: what came before it may be either. */
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	ring_event(&g, 0, 1130, XBLK_EV_RING);
	DOM0(1150, QUEUE, READ, 64, 8, 10, GEN_KTHREAD);
	DOM0(1160, ISSUE, READ, 64, 8, 200, 10);
	DOM0(2000, COMPLETE, READ, 64, 8, 200, 0);
	GUEST(2110, COMPLETE, READ, 64, 8, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.results[0].bin, BIN_JOINED);
	for (int i = 0; i < SUB_MAX; i++)
		assert_null(disk_stats(&o, GEN_GUEST, 0)->substages[i]);
	done(&o, &g);
}

/* A response whose completion is not known, for one was lost, is nobody's. */
static void response_after_loss(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	DOM0(1150, QUEUE, READ, 64, 8, 10, GEN_KTHREAD);
	DOM0(1160, ISSUE, READ, 64, 8, 200, 10);
	DOM0(2000, COMPLETE, READ, 64, 8, 200, 0);
	gen_lost(&g, 0, 0, 2001, 2040, 3);
	ring_event(&g, 0, 2050, XBLK_EV_RESPONSE);
	front_interrupt(&g, 0, 2100);
	GUEST(2110, COMPLETE, READ, 64, 8, 100, 0);
	run_gen(&o, &g);
	assert_substage(&o, 0, SUB_UNMAP, 0, 0);
	done(&o, &g);
}

/* What was lost may have been that the thread went about it, or what had woken it for
 * that. */
static void thread_after_loss(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	GUEST(1020, QUEUE, READ, 128, 8, 2, 500);
	GUEST(1030, ISSUE, READ, 128, 8, 101, 2);
	ring_event(&g, 0, 1100, XBLK_EV_INTERRUPT);
	ring_event(&g, 0, 1130, XBLK_EV_RING);
	DOM0(1150, QUEUE, READ, 64, 8, 10, GEN_KTHREAD);
	DOM0(1160, ISSUE, READ, 64, 8, 200, 10);
	gen_lost(&g, 0, 0, 1165, 1205, 1);
	DOM0(1210, QUEUE, READ, 128, 8, 11, GEN_KTHREAD);
	DOM0(1220, ISSUE, READ, 128, 8, 201, 11);
	DOM0(2000, COMPLETE, READ, 128, 8, 201, 0);
	GUEST(2130, COMPLETE, READ, 128, 8, 101, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 2);
	assert_int_equal(disk_stats(&o, GEN_GUEST, 0)->bins[BIN_JOINED], 1);
	assert_stages(result_at(&o, 0, 1030), 10, 180, 10, 780, 130);
	assert_substage(&o, 0, SUB_NOTIFY, 0, 0);
	assert_substage(&o, 0, SUB_WAKE, 0, 0);
	assert_substage(&o, 0, SUB_MAP, 0, 0);
	done(&o, &g);
}

static void assert_u_t_parted(struct outcome *o, uint64_t nr, uint64_t notify,
			      uint64_t wake, uint64_t map)
{
	assert_substage(o, 0, SUB_NOTIFY, nr, notify);
	assert_substage(o, 0, SUB_WAKE, nr, wake);
	assert_substage(o, 0, SUB_MAP, nr, map);
}

/* A read in which blkback's thread queues @nr bios, done by 5 us later. */
static void read_in(struct gen *out, uint64_t ns, uint64_t sector, unsigned int nr)
{
	struct gen g = *out;

	for (unsigned int i = 0; i < nr; i++) {
		DOM0(ns + 10 * i, QUEUE, READ, sector + 8 * i, 8, 10 + i, GEN_KTHREAD);
		DOM0(ns + 10 * i + 1, ISSUE, READ, sector + 8 * i, 8, 200 + i, 10 + i);
	}
	for (unsigned int i = 0; i < nr; i++)
		DOM0(ns + 4000 + i, COMPLETE, READ, sector + 8 * i, 8, 200 + i, 0);
	GUEST(ns + 5000, COMPLETE, READ, sector, 8 * nr, 100, 0);
	*out = g;
}

static void issue_read(struct gen *out, uint64_t ns, uint64_t sector, unsigned int nr)
{
	struct gen g = *out;

	GUEST(ns, QUEUE, READ, sector, 8 * nr, 1, 500);
	GUEST(ns + 10, ISSUE, READ, sector, 8 * nr, 100, 1);
	*out = g;
}

static void discard(struct gen *out, uint64_t ns)
{
	struct gen g = *out;

	GUEST(ns, QUEUE, DISCARD, 64, 8, 1, 500);
	GUEST(ns + 10, ISSUE, DISCARD, 64, 8, 100, 1);
	DOM0(ns + 100, QUEUE, DISCARD, 64, 8, 10, GEN_KTHREAD);
	DOM0(ns + 110, ISSUE, DISCARD, 64, 8, 200, 10);
	DOM0(ns + 200, COMPLETE, DISCARD, 64, 8, 200, 0);
	GUEST(ns + 300, COMPLETE, DISCARD, 64, 8, 100, 0);
	*out = g;
}

/*
 * Of a request with no record of the thread, though nothing is lost, it is not known when
 * that went about it: what it did so last was the one before.
 */
static void thread_untold(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	issue_read(&g, 1000, 64, 3);
	ring_event(&g, 0, 1100, XBLK_EV_INTERRUPT);
	ring_event(&g, 0, 1130, XBLK_EV_RING);
	read_in(&g, 1150, 64, 3);
	issue_read(&g, 10000, 640, 2);
	read_in(&g, 10150, 640, 2);
	/* A discard has no grants to be mapped. */
	discard(&g, 20000);
	run_gen(&o, &g);
	assert_int_equal(disk_stats(&o, GEN_GUEST, 0)->bins[BIN_JOINED], 3);
	assert_u_t_parted(&o, 1, 90, 30, 40);
	done(&o, &g);
}

/*
 * A flush for which dom0 has nothing to do is answered at once: whether the thread's next
 * record is of the next request, or a second step of that, is not known.
 */
static void thread_of_flush_before(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(900, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 2, 500);
	GUEST(910, ISSUE, FLUSH, 0, 0, 101, 0);
	issue_read(&g, 1000, 64, 1);
	ring_event(&g, 0, 1100, XBLK_EV_INTERRUPT);
	ring_event(&g, 0, 1110, XBLK_EV_RING);
	ring_event(&g, 0, 1120, XBLK_EV_RESPONSE);
	/* It goes to another CPU meanwhile. */
	ring_event(&g, 1, 1130, XBLK_EV_RING);
	read_in(&g, 1150, 64, 1);
	GUEST(6500, COMPLETE, FLUSH, 0, 0, 101, 0);
	/* And a discard may be next. */
	ring_event(&g, 0, 7000, XBLK_EV_RING);
	ring_event(&g, 0, 7010, XBLK_EV_RESPONSE);
	discard(&g, 7100);
	issue_read(&g, 10000, 640, 1);
	ring_event(&g, 0, 10100, XBLK_EV_INTERRUPT);
	ring_event(&g, 0, 10130, XBLK_EV_RING);
	read_in(&g, 10150, 640, 1);
	run_gen(&o, &g);
	assert_int_equal(disk_stats(&o, GEN_GUEST, 0)->bins[BIN_NO_BACKEND_IO], 1);
	assert_int_equal(disk_stats(&o, GEN_GUEST, 0)->bins[BIN_JOINED], 3);
	assert_u_t_parted(&o, 1, 90, 30, 20);
	done(&o, &g);
}

static void remap(struct gen *g, unsigned int cpu, uint64_t ns, uint64_t to, uint32_t id,
		  uint64_t from)
{
	gen_event(g, 0, cpu, ns, XBLK_EV_REMAP, XBLK_OP_READ, to, 8, id, DM_KTHREAD);
	gen_event(g, 0, cpu, ns, XBLK_EV_REMAP_FROM, XBLK_OP_READ, from, 8, id, 0);
	gen_last(g, 0, cpu)->disk = 2;
}

/* blkback's thread goes to another CPU between the remapping and its Q. */
static void layers_across_cpus(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	gen_process(&g, 0, 0, 0, DM_KTHREAD, "3.xvdd-0", XBLK_PROCESS_KTHREAD);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	gen_last(&g, GEN_GUEST, 0)->disk = 3;
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	gen_last(&g, GEN_GUEST, 0)->disk = 3;
	DOM0(1100, QUEUE, READ, 64, 8, 10, DM_KTHREAD);
	gen_last(&g, 0, 0)->disk = 2;
	remap(&g, 0, 1110, 4096, 11, 64);
	gen_event(&g, 0, 1, 1150, XBLK_EV_QUEUE, XBLK_OP_READ, 4096, 8, 11, DM_KTHREAD);
	gen_event(&g, 0, 1, 1180, XBLK_EV_ISSUE, XBLK_OP_READ, 4096, 8, 200, 11);
	gen_event(&g, 0, 1, 1300, XBLK_EV_COMPLETE, XBLK_OP_READ, 4096, 8, 200, 0);
	gen_event(&g, 0, 1, 1310, XBLK_EV_BIO_COMPLETE, XBLK_OP_READ, 0, 0, 10, 0);
	gen_last(&g, 0, 1)->disk = 2;
	GUEST(1400, COMPLETE, READ, 64, 8, 100, 0);
	gen_last(&g, GEN_GUEST, 0)->disk = 3;
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_stages(&o.results[0], 10, 90, 80, 130, 90);
	assert_substage(&o, 3, SUB_LAYERS, 1, 50);
	assert_substage(&o, 3, SUB_DEVICE, 1, 120);
	assert_substage(&o, 3, SUB_LAYERS_BACK, 1, 10);
	assert_substage(&o, 3, SUB_QUEUE, 1, 30);
	done(&o, &g);
}

/* Device mapper refuses the bio: no device below ever sees it. */
static void ended_by_layer(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	gen_process(&g, 0, 0, 0, DM_KTHREAD, "3.xvdd-0", XBLK_PROCESS_KTHREAD);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	gen_last(&g, GEN_GUEST, 0)->disk = 3;
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	gen_last(&g, GEN_GUEST, 0)->disk = 3;
	DOM0(1100, QUEUE, READ, 64, 8, 10, DM_KTHREAD);
	gen_last(&g, 0, 0)->disk = 2;
	DOM0(1120, BIO_COMPLETE, READ, 0, 0, 10, 5);
	gen_last(&g, 0, 0)->disk = 2;
	GUEST(1200, COMPLETE, READ, 64, 8, 100, 5);
	gen_last(&g, GEN_GUEST, 0)->disk = 3;
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_int_equal(o.results[0].bin, BIN_JOINED);
	assert_stages(&o.results[0], 10, 90, 0, 20, 80);
	assert_int_equal(disk_counts(&o, GEN_GUEST, 3)->errors, 1);
	done(&o, &g);
}

/*
 * Writes are not recorded: that the thread went about one is, and what follows is no
 * second step of that.
 */
static void chosen(void **ctx)
{
	static const char meta[] =
		"{\"backend\": {\"domid\": 0}, \"ops\": [\"read\", \"flush\"]}";
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, meta, sizeof(meta) - 1);
	ring_event(&g, 0, 500, XBLK_EV_RING);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	ring_event(&g, 0, 1100, XBLK_EV_INTERRUPT);
	ring_event(&g, 0, 1120, XBLK_EV_RING);
	ring_event(&g, 0, 1130, XBLK_EV_RING);
	DOM0(1150, QUEUE, READ, 64, 8, 10, GEN_KTHREAD);
	DOM0(1160, ISSUE, READ, 64, 8, 200, 10);
	DOM0(2000, COMPLETE, READ, 64, 8, 200, 0);
	GUEST(2110, COMPLETE, READ, 64, 8, 100, 0);
	run_gen(&o, &g);
	assert_string_equal(o.parse.model.ops, "read, flush");
	assert_int_equal(o.nr, 1);
	assert_substage(&o, 0, SUB_NOTIFY, 1, 90);
	assert_substage(&o, 0, SUB_WAKE, 1, 30);
	assert_substage(&o, 0, SUB_MAP, 1, 20);
	done(&o, &g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parted),
		cmocka_unit_test(not_parted),
		cmocka_unit_test(response_after_loss),
		cmocka_unit_test(thread_after_loss),
		cmocka_unit_test(thread_untold),
		cmocka_unit_test(thread_of_flush_before),
		cmocka_unit_test(layers_across_cpus),
		cmocka_unit_test(ended_by_layer),
		cmocka_unit_test(chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
