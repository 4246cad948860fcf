// SPDX-License-Identifier: GPL-2.0-only
/* Requests other than plain reads and writes, and disks on other disks. */
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

/* The guest's CPU says which place its request has on ring 0. */
static void order(struct gen *g, unsigned int cpu, uint64_t ns, uint32_t rq,
		  uint32_t ordinal)
{
	gen_event(g, GEN_GUEST, cpu, ns, XBLK_EV_ORDER, 0, 0, 0, rq, ordinal);
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
 * dom0's disk has two queues: the flush that one issues for the write of a barrier does
 * not serve the empty one that waits in the other.  But blkback's thread may have gone to
 * the other CPU between the Q and the choice of the queue: it is not told.
 */
static void flushes_of_two_backend_queues(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		gen_event(&g, 0, cpu, 100 + cpu, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0,
			  200 + cpu, 0);
		gen_event(&g, 0, cpu, 200 + cpu, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0,
			  200 + cpu, 0);
	}
	GUEST(1000, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	GUEST(1100, ISSUE, FLUSH, 0, 0, 100, 0);
	gen_event(&g, GEN_GUEST, 1, 1000, XBLK_EV_QUEUE, XBLK_OP_WRITE | XBLK_OP_F_FUA,
		  64, 8, 2, 501);
	gen_event(&g, GEN_GUEST, 1, 1100, XBLK_EV_ISSUE, XBLK_OP_WRITE | XBLK_OP_F_FUA,
		  64, 8, 101, 2);
	DOM0(1200, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 11, GEN_KTHREAD);
	gen_event(&g, 0, 1, 1300, XBLK_EV_QUEUE, XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 64,
		  8, 12, GEN_KTHREAD);
	gen_event(&g, 0, 1, 1400, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0, 201, 0);
	DOM0(1500, ISSUE, FLUSH, 0, 0, 200, 0);
	DOM0(1600, COMPLETE, FLUSH, 0, 0, 200, 0);
	GUEST(1700, COMPLETE, FLUSH, 0, 0, 100, 0);
	gen_event(&g, 0, 1, 1800, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, 201, 0);
	gen_event(&g, 0, 1, 1900, XBLK_EV_ISSUE, XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 64,
		  8, 202, 12);
	gen_event(&g, 0, 1, 2000, XBLK_EV_COMPLETE, XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH,
		  64, 8, 202, 0);
	gen_event(&g, GEN_GUEST, 1, 2200, XBLK_EV_COMPLETE, XBLK_OP_WRITE | XBLK_OP_F_FUA,
		  64, 8, 101, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 2);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_AMBIGUOUS], 1);
	assert_stages(&o.results[0], 100, 200, 600, 100, 200);
	done(&o, &g);
}

/* Two queues of dom0's disk, the one of CPU 0 and maybe 1, the other of CPU 2. */
static void two_backend_queues(struct gen *g)
{
	for (unsigned int cpu = 0; cpu <= 2; cpu += 2) {
		gen_event(g, 0, cpu, 100 + cpu, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0,
			  200 + cpu, 0);
		gen_event(g, 0, cpu, 200 + cpu, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0,
			  200 + cpu, 0);
	}
}

/*
 * A flush that waits on a CPU whose queue is not known, while another one of that queue
 * is issued, which serves both: which one did is not known once the queue is.
 */
static void flush_of_a_queue_learned_late(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	two_backend_queues(&g);
	GUEST(1000, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	GUEST(1050, ISSUE, FLUSH, 0, 0, 100, 0);
	order(&g, 0, 1051, 100, 7);
	gen_event(&g, GEN_GUEST, 1, 1060, XBLK_EV_QUEUE,
		  XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 2, 501);
	gen_event(&g, GEN_GUEST, 1, 1100, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0, 101, 0);
	order(&g, 1, 1102, 101, 8);
	DOM0(1200, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 11, GEN_KTHREAD);
	gen_event(&g, 0, 1, 1210, XBLK_EV_QUEUE, XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0,
		  12, GEN_KTHREAD);
	DOM0(1300, ISSUE, FLUSH, 0, 0, 200, 0);
	DOM0(1400, COMPLETE, FLUSH, 0, 0, 200, 0);
	GUEST(1500, COMPLETE, FLUSH, 0, 0, 100, 0);
	gen_event(&g, GEN_GUEST, 1, 1500, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, 101, 0);
	GUEST(2000, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 3, 500);
	GUEST(2050, ISSUE, FLUSH, 0, 0, 100, 0);
	order(&g, 0, 2051, 100, 9);
	gen_event(&g, 0, 1, 2200, XBLK_EV_QUEUE, XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0,
		  13, GEN_KTHREAD);
	gen_event(&g, 0, 1, 2300, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0, 200, 0);
	gen_event(&g, 0, 1, 2400, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, 200, 0);
	GUEST(2500, COMPLETE, FLUSH, 0, 0, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 3);
	assert_stages(result_at(&o, 0, 1050), 50, 150, 100, 100, 100);
	assert_int_equal(result_at(&o, 0, 1100)->bin, BIN_AMBIGUOUS);
	assert_stages(result_at(&o, 0, 2050), 50, 150, 100, 100, 100);
	done(&o, &g);
}

/* The first flushes of two CPUs: that they have queues of their own shows when both have
 * been issued. */
static void first_flushes_of_two_queues(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	GUEST(1100, ISSUE, FLUSH, 0, 0, 100, 0);
	order(&g, 0, 1101, 100, 7);
	gen_event(&g, GEN_GUEST, 1, 1110, XBLK_EV_QUEUE,
		  XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 2, 501);
	gen_event(&g, GEN_GUEST, 1, 1150, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0, 101, 0);
	order(&g, 1, 1151, 101, 8);
	DOM0(1200, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 11, GEN_KTHREAD);
	gen_event(&g, 0, 1, 1250, XBLK_EV_QUEUE, XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0,
		  12, GEN_KTHREAD);
	DOM0(1300, ISSUE, FLUSH, 0, 0, 200, 0);
	gen_event(&g, 0, 1, 1350, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0, 201, 0);
	gen_event(&g, 0, 1, 1400, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, 201, 0);
	gen_event(&g, GEN_GUEST, 1, 1500, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, 101, 0);
	DOM0(1700, COMPLETE, FLUSH, 0, 0, 200, 0);
	GUEST(1800, COMPLETE, FLUSH, 0, 0, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 2);
	/* Each may be the one that the other queue's flush has served. */
	assert_int_equal(result_at(&o, 0, 1150)->bin, BIN_AMBIGUOUS);
	assert_int_equal(result_at(&o, 0, 1100)->bin, BIN_AMBIGUOUS);
	done(&o, &g);
}

/*
 * A thread queues its flush and goes to another CPU before its queue is chosen: that
 * queue issues a flush for which none waits, and the one that waits may get a later one.
 */
static void flush_of_a_thread_that_moves(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	two_backend_queues(&g);
	GUEST(1000, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	gen_event(&g, GEN_GUEST, 1, 1000, XBLK_EV_QUEUE,
		  XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 2, 501);
	GUEST(1100, ISSUE, FLUSH, 0, 0, 100, 0);
	order(&g, 0, 1101, 100, 7);
	DOM0(1200, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 11, GEN_KTHREAD);
	gen_event(&g, 0, 2, 1300, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0, 202, 0);
	gen_event(&g, GEN_GUEST, 1, 1350, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0, 101, 0);
	order(&g, 1, 1351, 101, 8);
	DOM0(1400, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 12, GEN_KTHREAD);
	DOM0(1500, ISSUE, FLUSH, 0, 0, 200, 0);
	gen_event(&g, 0, 2, 1600, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, 202, 0);
	GUEST(1700, COMPLETE, FLUSH, 0, 0, 100, 0);
	DOM0(1800, COMPLETE, FLUSH, 0, 0, 200, 0);
	gen_event(&g, GEN_GUEST, 1, 1900, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, 101, 0);
	run_gen(&o, &g);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_AMBIGUOUS], 1);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 1);
	assert_stages(&o.results[!o.results[0].measured], 350, 50, 100, 300, 100);
	done(&o, &g);
}

/* What a flush request of dom0's serves is still its own when it is issued again. */
static void flush_issued_again(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	two_backend_queues(&g);
	GUEST(1000, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	GUEST(1100, ISSUE, FLUSH, 0, 0, 100, 0);
	gen_event(&g, 0, 1, 1200, XBLK_EV_QUEUE, XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0,
		  11, GEN_KTHREAD);
	DOM0(1300, ISSUE, FLUSH, 0, 0, 200, 0);
	DOM0(1320, REQUEUE, FLUSH, 0, 0, 200, 0);
	DOM0(1350, ISSUE, FLUSH, 0, 0, 200, 0);
	DOM0(1400, COMPLETE, FLUSH, 0, 0, 200, 0);
	GUEST(1500, COMPLETE, FLUSH, 0, 0, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_int_equal(o.results[0].bin, BIN_JOINED);
	assert_stages(&o.results[0], 100, 100, 130, 70, 100);
	done(&o, &g);
}

/* Several guests' flushes that wait are served by one request of the disk's. */
static void flushes_together(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(990, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	GUEST(1000, ISSUE, FLUSH, 0, 0, 100, 0);
	order(&g, 0, 1001, 100, 1);
	DOM0(1100, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 10, GEN_KTHREAD);
	gen_event(&g, GEN_GUEST, 1, 1180, XBLK_EV_QUEUE,
		  XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 2, 501);
	gen_event(&g, GEN_GUEST, 1, 1200, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0, 101, 0);
	order(&g, 1, 1201, 101, 2);
	DOM0(1300, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 11, GEN_KTHREAD);
	DOM0(2000, ISSUE, FLUSH, 0, 0, 200, 0);
	DOM0(3000, COMPLETE, FLUSH, 0, 0, 200, 0);
	GUEST(4000, COMPLETE, FLUSH, 0, 0, 100, 0);
	GUEST(4001, COMPLETE, WRITE, 0, 0, 102, 0);
	GUEST(4100, COMPLETE, FLUSH, 0, 0, 101, 0);
	GUEST(4101, COMPLETE, WRITE, 0, 0, 103, 0);
	run_gen(&o, &g);
	assert_stages(result_at(&o, 0, 1000), 10, 100, 900, 1000, 1000);
	assert_stages(result_at(&o, 0, 1200), 20, 100, 700, 1000, 1100);
	done(&o, &g);
}

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

/* The vCPU's queue is known by a flush before, which dom0 had nothing to do for. */
static void empty_flush(struct gen *g, unsigned int cpu, uint64_t ns, uint32_t rq)
{
	gen_event(g, GEN_GUEST, cpu, ns, XBLK_EV_QUEUE,
		  XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	gen_event(g, GEN_GUEST, cpu, ns + 1, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0, rq, 0);
	gen_event(g, GEN_GUEST, cpu, ns + 2, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, rq,
		  0);
	gen_event(g, GEN_GUEST, cpu, ns + 3, XBLK_EV_COMPLETE, XBLK_OP_WRITE, 0, 0, 110,
		  0);
}

/* Two queues' flushes at once: each has the Q of its own CPU. */
static void flushes_of_two_queues(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	for (unsigned int cpu = 0; cpu < 2; cpu++)
		empty_flush(&g, cpu, 100 + 100 * cpu, 100 + cpu);
	gen_event(&g, 3, 0, 1000, XBLK_EV_QUEUE, XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0,
		  1, 500);
	gen_event(&g, 3, 1, 1100, XBLK_EV_QUEUE, XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0,
		  2, 501);
	gen_event(&g, 3, 1, 1200, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0, 101, 0);
	order(&g, 1, 1201, 101, 7);
	DOM0(1300, QUEUE, FLUSH, 0, 0, 11, GEN_KTHREAD);
	DOM0(1400, ISSUE, FLUSH, 0, 0, 201, 0);
	gen_event(&g, 3, 0, 1500, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0, 100, 0);
	order(&g, 0, 1501, 100, 8);
	DOM0(1600, COMPLETE, FLUSH, 0, 0, 201, 0);
	gen_event(&g, 3, 1, 1700, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, 101, 0);
	gen_event(&g, 3, 1, 1701, XBLK_EV_COMPLETE, XBLK_OP_WRITE, 0, 0, 102, 0);
	DOM0(1800, QUEUE, FLUSH, 0, 0, 12, GEN_KTHREAD);
	DOM0(1900, ISSUE, FLUSH, 0, 0, 201, 0);
	DOM0(2000, COMPLETE, FLUSH, 0, 0, 201, 0);
	gen_event(&g, 3, 0, 2100, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, 100, 0);
	gen_event(&g, 3, 0, 2101, XBLK_EV_COMPLETE, XBLK_OP_WRITE, 0, 0, 103, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 4);
	assert_stages(result_at(&o, 0, 1200), 100, 100, 100, 200, 100);
	assert_stages(result_at(&o, 0, 1500), 500, 300, 100, 100, 100);
	done(&o, &g);
}

/* One queue for two CPUs: a flush serves what waits on both. */
static void flush_of_two_cpus(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	gen_event(&g, 3, 0, 900, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0, 100, 0);
	gen_event(&g, 3, 0, 910, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, 100, 0);
	gen_event(&g, 3, 1, 920, XBLK_EV_QUEUE, XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0,
		  1, 500);
	gen_event(&g, 3, 1, 940, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0, 100, 0);
	gen_event(&g, 3, 1, 950, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, 100, 0);
	gen_event(&g, 3, 1, 101000, XBLK_EV_QUEUE, XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0,
		  0, 1, 500);
	gen_event(&g, 3, 0, 101100, XBLK_EV_QUEUE, XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0,
		  0, 2, 501);
	gen_event(&g, 3, 0, 101200, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0, 100, 0);
	DOM0(101300, QUEUE, FLUSH, 0, 0, 11, GEN_KTHREAD);
	DOM0(101400, ISSUE, FLUSH, 0, 0, 201, 0);
	DOM0(101500, COMPLETE, FLUSH, 0, 0, 201, 0);
	gen_event(&g, 3, 0, 101600, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 3);
	for (unsigned int i = 0; i < o.nr; i++) {
		if (o.results[i].measured)
			assert_stages(&o.results[i], 200, 100, 100, 100, 100);
	}
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 1);
	done(&o, &g);
}

/*
 * A vCPU whose flushes others of its queue issue: what was served with one of their own
 * waits no longer.
 */
static void flush_that_was_served(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	for (uint64_t ns = 1000; ns <= 1001000; ns += 1000000) {
		gen_event(&g, 3, 1, ns, XBLK_EV_QUEUE, XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH,
			  0, 0, 1, 501);
		if (ns == 1000)
			GUEST(ns + 50, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 2, 500);
		GUEST(ns + 200, ISSUE, FLUSH, 0, 0, 100, 0);
		DOM0(ns + 300, QUEUE, FLUSH, 0, 0, 11, GEN_KTHREAD);
		DOM0(ns + 400, ISSUE, FLUSH, 0, 0, 201, 0);
		DOM0(ns + 500, COMPLETE, FLUSH, 0, 0, 201, 0);
		GUEST(ns + 600, COMPLETE, FLUSH, 0, 0, 100, 0);
		GUEST(ns + 601, COMPLETE, WRITE, 0, 0, 101, 0);
		if (ns == 1000)
			GUEST(ns + 602, COMPLETE, WRITE, 0, 0, 102, 0);
	}
	run_gen(&o, &g);
	assert_int_equal(o.nr, 2);
	/* What was queued before the trace may have ended with the first one. */
	assert_int_equal(result_at(&o, 0, 1200)->bin, BIN_AMBIGUOUS);
	assert_stages(result_at(&o, 0, 1001200), 200, 100, 100, 100, 100);
	done(&o, &g);
}

/*
 * Two wait for a queue's flush, one of them on a vCPU that has issued none, and one ends
 * behind it: the other one is the next flush's, of whichever queue.
 */
static void flush_of_either_queue(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t ns = 1000 * (1 + i);
		unsigned int queue = i == 0 || i == 3;

		if (i < 3)
			gen_event(&g, 3, queue, ns, XBLK_EV_QUEUE,
				  XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
		if (i == 2)
			gen_event(&g, 3, 2, ns + 50, XBLK_EV_QUEUE,
				  XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 2, 501);
		gen_event(&g, 3, queue, ns + 100, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0,
			  100 + queue, 0);
		gen_event(&g, 3, queue, ns + 200, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0,
			  100 + queue, 0);
		gen_event(&g, 3, queue, ns + 201, XBLK_EV_COMPLETE, XBLK_OP_WRITE, 0, 0,
			  110, 0);
	}
	run_gen(&o, &g);
	assert_int_equal(o.nr, 4);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_AMBIGUOUS], 1);
	assert_int_equal(result_at(&o, 0, 3100)->bin, BIN_AMBIGUOUS);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flush),
		cmocka_unit_test(flushes_of_two_rings),
		cmocka_unit_test(write_with_flush),
		cmocka_unit_test(flush_without_backend_io),
		cmocka_unit_test(flush_after_flush),
		cmocka_unit_test(flushes_of_two_backend_queues),
		cmocka_unit_test(flush_of_a_queue_learned_late),
		cmocka_unit_test(first_flushes_of_two_queues),
		cmocka_unit_test(flush_of_a_thread_that_moves),
		cmocka_unit_test(flush_issued_again),
		cmocka_unit_test(flushes_together),
		cmocka_unit_test(flushes_of_two_queues),
		cmocka_unit_test(flush_of_two_cpus),
		cmocka_unit_test(flush_that_was_served),
		cmocka_unit_test(flush_of_either_queue),
		cmocka_unit_test(flush_on_its_way),
		cmocka_unit_test(first_flush_for_one_unseen),
		cmocka_unit_test(first_flush),
		cmocka_unit_test(discard),
		cmocka_unit_test(partition),
		cmocka_unit_test(remapped),
		cmocka_unit_test(error),
		cmocka_unit_test(dom0s_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
