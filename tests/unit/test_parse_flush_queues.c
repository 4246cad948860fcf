// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each hardware queue has flushes of its own: which one waits for which, in the guest and
 * in dom0, where it can be known.
 */
#include "test_parse_util.h"

/* The guest's CPU says which place its request has on a ring. */
static void on_ring(struct gen *g, unsigned int cpu, uint64_t ns, unsigned int ring,
		    uint32_t rq, uint32_t ordinal)
{
	gen_event(g, GEN_GUEST, cpu, ns, XBLK_EV_ORDER, 0, 0, ring, rq, ordinal);
}

/* On ring 0. */
static void order(struct gen *g, unsigned int cpu, uint64_t ns, uint32_t rq,
		  uint32_t ordinal)
{
	on_ring(g, cpu, ns, 0, rq, ordinal);
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
	/* Either may have been on its way to the queue when it chose. */
	assert_int_equal(result_at(&o, 0, 1050)->bin, BIN_AMBIGUOUS);
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

/* A durable write: its flush comes behind it, and no bio asks for that.  Takes 500 ns. */
static void write_durably(struct gen *g, unsigned int cpu, unsigned int ring, uint64_t ns,
			  uint64_t sector)
{
	const unsigned int op = XBLK_OP_WRITE | XBLK_OP_F_FUA;
	uint32_t id = sector;

	gen_event(g, GEN_GUEST, cpu, ns, XBLK_EV_QUEUE, op, sector, 8, id, 500);
	gen_event(g, GEN_GUEST, cpu, ns + 50, XBLK_EV_ISSUE, XBLK_OP_WRITE, sector, 8,
		  id + 1, id);
	on_ring(g, cpu, ns + 60, ring, id + 1, ns / 100);
	gen_event(g, 0, 0, ns + 100, XBLK_EV_QUEUE, op, sector, 8, id,
		  GEN_KTHREAD + ring);
	gen_event(g, 0, 0, ns + 200, XBLK_EV_ISSUE, op, sector, 8, id + 1, id);
	gen_event(g, 0, 0, ns + 300, XBLK_EV_COMPLETE, op, sector, 8, id + 1, 0);
	gen_event(g, GEN_GUEST, cpu, ns + 500, XBLK_EV_COMPLETE, XBLK_OP_WRITE, sector, 8,
		  id + 1, 0);
}

/* The flush of a queue, behind @nr durable writes.  Takes 500 ns. */
static void flush_behind_writes(struct gen *g, unsigned int cpu, uint64_t ns, uint32_t rq,
				unsigned int nr)
{
	gen_event(g, GEN_GUEST, cpu, ns, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0, rq, 0);
	on_ring(g, cpu, ns + 10, cpu, rq, ns / 100);
	gen_event(g, 0, 0, ns + 100, XBLK_EV_QUEUE, XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0,
		  0, rq, GEN_KTHREAD + cpu);
	gen_event(g, 0, 0, ns + 200, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0, 900, 0);
	gen_event(g, 0, 0, ns + 300, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, 900, 0);
	gen_event(g, GEN_GUEST, cpu, ns + 500, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, rq,
		  0);
	for (unsigned int i = 0; i < nr; i++)
		gen_event(g, GEN_GUEST, cpu, ns + 501 + i, XBLK_EV_COMPLETE,
			  XBLK_OP_WRITE | XBLK_OP_F_FUA, 0, 0, 0, 0);
}

/*
 * Each hardware queue has a ring of its own.  What waits on a CPU whose queue has not
 * issued a flush yet waits for none of another ring's, once it is known that it went to
 * another one; where a CPU's requests went to both, it is not told.
 */
static void first_flush_of_another_ring(void **ctx)
{
	(void)ctx;
	for (unsigned int moved = 0; moved < 2; moved++) {
		struct gen g;
		struct outcome o;

		gen_init(&g);
		gen_process(&g, 0, 0, 0, GEN_KTHREAD, "3.xvda-0", XBLK_PROCESS_KTHREAD);
		gen_process(&g, 0, 0, 0, GEN_KTHREAD + 1, "3.xvda-1",
			    XBLK_PROCESS_KTHREAD);
		write_durably(&g, 0, 0, 1000, 800);
		flush_behind_writes(&g, 0, 2000, 100, 1);
		write_durably(&g, 0, 0, 3000, 1600);
		write_durably(&g, 1, 1, 4000, 2400);
		write_durably(&g, 1, !moved, 5000, 3200);
		flush_behind_writes(&g, 0, 6000, 100, 1 + moved);
		flush_behind_writes(&g, 1, 7000, 101, 2 - moved);
		run_gen(&o, &g);
		assert_int_equal(o.nr, 7);
		assert_stages(result_at(&o, 0, 2000), 0, 100, 100, 100, 200);
		if (moved) {
			assert_int_equal(result_at(&o, 0, 6000)->bin, BIN_AMBIGUOUS);
		} else {
			assert_stages(result_at(&o, 0, 6000), 0, 100, 100, 100, 200);
			assert_stages(result_at(&o, 0, 7000), 0, 100, 100, 100, 200);
		}
		done(&o, &g);
	}
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flushes_of_two_backend_queues),
		cmocka_unit_test(flush_of_a_queue_learned_late),
		cmocka_unit_test(first_flushes_of_two_queues),
		cmocka_unit_test(first_flush_of_another_ring),
		cmocka_unit_test(flush_of_a_thread_that_moves),
		cmocka_unit_test(flush_issued_again),
		cmocka_unit_test(flushes_together),
		cmocka_unit_test(flushes_of_two_queues),
		cmocka_unit_test(flush_of_two_cpus),
		cmocka_unit_test(flush_that_was_served),
		cmocka_unit_test(flush_of_either_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
