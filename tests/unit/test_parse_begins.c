// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that were under way where a guest's records begin: what dom0 queued for them
 * is not another's, and they do not disturb what can be told.
 */
#include "test_parse_util.h"

#define US 1000ull

static uint64_t bin(struct outcome *o, enum bin b)
{
	return disk_stats(o, GEN_GUEST, 0)->bins[b];
}

/* A request of dom0's from Q to C. */
static void dom0_io(struct gen *out, uint64_t ns, uint64_t sector, uint32_t id)
{
	struct gen g = *out;

	DOM0(ns + 110, QUEUE, READ, sector, 8, id, GEN_KTHREAD);
	DOM0(ns + 210, ISSUE, READ, sector, 8, 1000 + id, id);
	DOM0(ns + 4000, COMPLETE, READ, sector, 8, 1000 + id, 0);
	*out = g;
}

static void guest_io(struct gen *out, uint64_t ns, uint64_t sector, uint32_t id)
{
	struct gen g = *out;

	GUEST(ns, QUEUE, READ, sector, 8, id, 500);
	GUEST(ns + 10, ISSUE, READ, sector, 8, 1000 + id, id);
	GUEST(ns + 5000, COMPLETE, READ, sector, 8, 1000 + id, 0);
	*out = g;
}

/* dom0's bios for requests that were issued before the guest's records begin. */
static void guest_begins_later(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	DOM0(1000, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 10, GEN_KTHREAD);
	DOM0(1100, ISSUE, FLUSH, 0, 0, 200, 0);
	DOM0(4000, COMPLETE, FLUSH, 0, 0, 200, 0);
	dom0_io(&g, 5000, 64, 2);
	GUEST(20000, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	GUEST(20010, ISSUE, FLUSH, 0, 0, 100, 0);
	DOM0(21000, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 10, GEN_KTHREAD);
	DOM0(21100, ISSUE, FLUSH, 0, 0, 200, 0);
	DOM0(22000, COMPLETE, FLUSH, 0, 0, 200, 0);
	GUEST(23000, COMPLETE, FLUSH, 0, 0, 100, 0);
	guest_io(&g, 30000, 64, 1);
	dom0_io(&g, 30000, 64, 2);
	run_gen(&o, &g);
	assert_int_equal(bin(&o, BIN_CAUSALITY), 0);
	assert_int_equal(bin(&o, BIN_JOINED), 2);
	/* A flush is told of late: what it was for shows when the next one is issued. */
	assert_int_equal(o.results[0].stages[STAGE_U_T], 100);
	assert_int_equal(o.results[1].stages[STAGE_U_T], 990);
	assert_int_equal(disk_counts(&o, 3, 0)->backend_unmatched, 2);
	done(&o, &g);
}

/* The same while one of those is still under way, which shows only when it ends: by then
 * the next flush has its bio. */
static void guest_begins_amid(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 8, 5, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 105, 5);
	GUEST(2000, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	DOM0(2500, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 9, GEN_KTHREAD);
	DOM0(2600, ISSUE, FLUSH, 0, 0, 209, 0);
	GUEST(3000, ISSUE, FLUSH, 0, 0, 100, 0);
	DOM0(4000, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 10, GEN_KTHREAD);
	DOM0(4100, ISSUE, FLUSH, 0, 0, 210, 0);
	DOM0(5000, COMPLETE, FLUSH, 0, 0, 210, 0);
	GUEST(6000, COMPLETE, FLUSH, 0, 0, 100, 0);
	DOM0(7000, COMPLETE, FLUSH, 0, 0, 209, 0);
	GUEST(8000, COMPLETE, FLUSH, 0, 0, 99, 0);
	run_gen(&o, &g);
	assert_int_equal(bin(&o, BIN_CAUSALITY), 0);
	assert_int_equal(bin(&o, BIN_BEFORE_TRACE), 2);
	done(&o, &g);
}

/*
 * A flush (request 99) was issued before the guest's records.  dom0 takes it up behind
 * the D of the next flush (100), and is done with it before 100 is back; the guest's
 * other vCPU handles its interrupt a little later.  All is in order, so nothing is held.
 */
static void wrong_joined(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000 * US, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	GUEST(1001 * US, ISSUE, FLUSH, 0, 0, 100, 0);
	DOM0(1100 * US, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 9,
	     GEN_KTHREAD); /* of 99 */
	DOM0(1101 * US, ISSUE, FLUSH, 0, 0, 209, 0);
	DOM0(1200 * US, COMPLETE, FLUSH, 0, 0, 209, 0);
	DOM0(1210 * US, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 10,
	     GEN_KTHREAD); /* of 100 */
	DOM0(1211 * US, ISSUE, FLUSH, 0, 0, 209, 0);
	DOM0(1800 * US, COMPLETE, FLUSH, 0, 0, 209, 0);
	GUEST(1850 * US, COMPLETE, FLUSH, 0, 0, 100, 0);
	gen_event(&g, GEN_GUEST, 1, 1860 * US, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, 99,
		  0);
	run_gen(&o, &g);
	assert_int_equal(bin(&o, BIN_JOINED), 0);
	assert_int_equal(bin(&o, BIN_BEFORE_TRACE), 2);
	done(&o, &g);
}

/* Two flushes hang until the end; that a read of before the trace came back meanwhile
 * does not make them anything but in flight. */
static void hung(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000 * US, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	GUEST(1001 * US, ISSUE, FLUSH, 0, 0, 100, 0);
	gen_event(&g, GEN_GUEST, 1, 1002 * US, XBLK_EV_QUEUE,
		  XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 2, 500);
	gen_event(&g, GEN_GUEST, 1, 1003 * US, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0, 101,
		  0);
	GUEST(500000 * US, COMPLETE, READ, 4096, 8, 99, 0);
	run_gen(&o, &g);
	assert_int_equal(bin(&o, BIN_BEFORE_TRACE), 1); /* the read */
	assert_int_equal(bin(&o, BIN_IN_FLIGHT), 2);
	done(&o, &g);
}

/* Half a minute into the trace the guest loses the D of a read.  Two flushes after that
 * are complete in all their parts; they are no requests of before the trace. */
static void loss_amid(void **ctx)
{
	struct gen g;
	struct outcome o;
	uint64_t t = 1000000 * US;

	(void)ctx;
	gen_init(&g);
	gen_process(&g, 0, 0, 10, GEN_KTHREAD + 1, "3.xvda-1", XBLK_PROCESS_KTHREAD);
	gen_lost(&g, GEN_GUEST, 0, t, t + 100 * US, 2);
	t += 20000 * US;
	GUEST(t, QUEUE, WRITE, 640, 8, 1, 500);
	GUEST(t + 1 * US, ISSUE, WRITE, 640, 8, 101, 1);
	GUEST(t + 2 * US, QUEUE, WRITE, 640, 8, 2, 500);
	GUEST(t + 3 * US, ISSUE, WRITE, 640, 8, 102, 2);
	DOM0(t + 50 * US, QUEUE, WRITE, 640, 8, 11, GEN_KTHREAD);
	DOM0(t + 51 * US, ISSUE, WRITE, 640, 8, 211, 11);
	DOM0(t + 52 * US, QUEUE, WRITE, 640, 8, 12, GEN_KTHREAD);
	DOM0(t + 53 * US, ISSUE, WRITE, 640, 8, 212, 12);
	/* the read whose D was lost */
	GUEST(t + 60 * US, COMPLETE, READ, 8192, 8, 99, 0);
	DOM0(t + 100 * US, COMPLETE, WRITE, 640, 8, 211, 0);
	DOM0(t + 101 * US, COMPLETE, WRITE, 640, 8, 212, 0);
	GUEST(t + 150 * US, COMPLETE, WRITE, 640, 8, 101, 0);
	GUEST(t + 151 * US, COMPLETE, WRITE, 640, 8, 102, 0);
	gen_end(&g, 2000000 * US);
	run(&o, g.data, g.len);
	assert_int_equal(bin(&o, BIN_BEFORE_TRACE), 0);
	done(&o, &g);
}

/* Nothing is lost.  Writes of another process fail in their flush, again and again: a C
 * with an error that had no D.  Same-place writes next to them are complete. */
static void failing(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1 * US, QUEUE, READ, 64, 8, 5, 500);
	GUEST(2 * US, ISSUE, READ, 64, 8, 105, 5);
	for (unsigned int i = 0; i < 20; i++) {
		uint64_t t = 1000000 * US + i * 5000 * US;

		GUEST(t, QUEUE, WRITE, 640, 8, 1, 500);
		GUEST(t + 1 * US, ISSUE, WRITE, 640, 8, 101, 1);
		GUEST(t + 1 * US, ORDER, WRITE, 0, 0, 101, 2 * i);
		GUEST(t + 2 * US, QUEUE, WRITE, 640, 8, 2, 500);
		GUEST(t + 3 * US, ISSUE, WRITE, 640, 8, 102, 2);
		GUEST(t + 3 * US, ORDER, WRITE, 0, 0, 102, 2 * i + 1);
		DOM0(t + 50 * US, QUEUE, WRITE, 640, 8, 11, GEN_KTHREAD);
		DOM0(t + 51 * US, ISSUE, WRITE, 640, 8, 211, 11);
		DOM0(t + 52 * US, QUEUE, WRITE, 640, 8, 12, GEN_KTHREAD);
		DOM0(t + 53 * US, ISSUE, WRITE, 640, 8, 212, 12);
		DOM0(t + 100 * US, COMPLETE, WRITE, 640, 8, 211, 0);
		DOM0(t + 101 * US, COMPLETE, WRITE, 640, 8, 212, 0);
		GUEST(t + 150 * US, COMPLETE, WRITE, 640, 8, 101, 0);
		GUEST(t + 151 * US, COMPLETE, WRITE, 640, 8, 102, 0);
		/* -EIO of its preflush */
		GUEST(t + 1000 * US, COMPLETE, WRITE, 8192, 8, 99, 5);
	}
	run_gen(&o, &g);
	assert_int_equal(bin(&o, BIN_JOINED), 40);
	done(&o, &g);
}

/*
 * One write at a place was issued before the trace, and dom0 was slow to take up what
 * came next.  From then on writes at that place, in batches a little apart, have the
 * bios of those before: the shift does not end.
 */
static void shifted(void **ctx)
{
	struct gen g;
	struct outcome o;
	unsigned int wrong = 0, n = 0;

	(void)ctx;
	gen_init(&g);
	/* Two are issued, before the first one's C; dom0 takes up the unseen, and the
	 * first. */
	GUEST(1000 * US, QUEUE, WRITE, 640, 8, 1, 500);
	GUEST(1001 * US, ISSUE, WRITE, 640, 8, 1001, 1);
	DOM0(1100 * US, QUEUE, WRITE, 640, 8, 50, GEN_KTHREAD);
	DOM0(1101 * US, ISSUE, WRITE, 640, 8, 250, 50);
	DOM0(1200 * US, COMPLETE, WRITE, 640, 8, 250, 0);
	GUEST(1250 * US, COMPLETE, WRITE, 640, 8, 99, 0); /* unseen: T */
	/* 7 ms: dom0 was busy */
	DOM0(8000 * US, QUEUE, WRITE, 640, 8, 51, GEN_KTHREAD);
	DOM0(8001 * US, ISSUE, WRITE, 640, 8, 251, 51);
	DOM0(8100 * US, COMPLETE, WRITE, 640, 8, 251, 0);
	GUEST(8200 * US, COMPLETE, WRITE, 640, 8, 1001, 0);
	for (unsigned int i = 0; i < 10; i++) {
		uint64_t t = 12000 * US + i * 2000 * US;

		for (unsigned int k = 0; k < 3; k++) {
			GUEST(t + (2 * k) * US, QUEUE, WRITE, 640, 8, 1 + k, 500);
			GUEST(t + (2 * k + 1) * US, ISSUE, WRITE, 640, 8, 1001 + k,
			      1 + k);
		}
		for (unsigned int k = 0; k < 3; k++) {
			DOM0(t + (50 + 10 * k) * US, QUEUE, WRITE, 640, 8, 51 + k,
			     GEN_KTHREAD);
			DOM0(t + (51 + 10 * k) * US, ISSUE, WRITE, 640, 8, 251 + k,
			     51 + k);
		}
		for (unsigned int k = 0; k < 3; k++)
			DOM0(t + (100 + 100 * k) * US, COMPLETE, WRITE, 640, 8, 251 + k,
			     0);
		for (unsigned int k = 0; k < 3; k++)
			GUEST(t + (410 + k) * US, COMPLETE, WRITE, 640, 8, 1001 + k, 0);
	}
	run_gen(&o, &g);
	for (unsigned int i = 0; i < o.nr; i++) {
		if (o.results[i].bin != BIN_JOINED)
			continue;
		/* 49, 57, 65 us to get there */
		n = (o.results[i].stages[STAGE_U_T] - 49 * (int64_t)US) %
			    (8 * (int64_t)US) ||
		    o.results[i].stages[STAGE_U_T] < 49 * (int64_t)US;
		wrong += n;
	}
	print_message("joined %d of 30, %u wrong; causality %d\n",
		      (int)bin(&o, BIN_JOINED), wrong, (int)bin(&o, BIN_CAUSALITY));
	assert_int_equal(wrong, 0);
	assert_int_equal(bin(&o, BIN_CAUSALITY), 0);
	done(&o, &g);
}

/*
 * A capture goes on in another file, which begins when the one before has all of dom0's
 * records: what a guest issued just before that, whose record is the other file's, may
 * have been served in the earlier one.
 */
static void another_file(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	DOM0(-70 * US, QUEUE, READ, 8192, 8, 2, GEN_KTHREAD);
	DOM0(-69 * US, ISSUE, READ, 8192, 8, 202, 2);
	GUEST(-50 * US, QUEUE, READ, 64, 8, 1, 500);
	GUEST(-49 * US, ISSUE, READ, 64, 8, 101, 1);
	/* What is after the beginning needs its other half. */
	GUEST(10 * US, QUEUE, READ, 128, 8, 3, 500);
	GUEST(11 * US, ISSUE, READ, 128, 8, 103, 3);
	GUEST(20 * US, COMPLETE, READ, 64, 8, 101, 0);
	GUEST(30 * US, COMPLETE, READ, 128, 8, 103, 0);
	run_gen(&o, &g);
	assert_int_equal(bin(&o, BIN_BEFORE_TRACE), 1);
	assert_int_equal(bin(&o, BIN_NO_BACKEND_IO), 1);
	done(&o, &g);
}

/* A loss of before is told when the CPU writes again, in another file; what it lost is
 * not known, so what began before is lost, and nothing else. */
static void loss_of_before(void **ctx)
{
	const uint64_t sec = 1000000 * US;
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	gen_lost(&g, 0, 1, -9 * sec, -8 * sec, 3);
	gen_lost(&g, GEN_GUEST, 0, -7 * sec, 100 * US, 2);
	GUEST(150 * US, COMPLETE, READ, 8192, 8, 99, 0);
	GUEST(2 * sec, QUEUE, READ, 64, 8, 3, 500);
	GUEST(2 * sec + US, ISSUE, READ, 64, 8, 103, 3);
	GUEST(2 * sec + 30 * US, COMPLETE, READ, 64, 8, 103, 0);
	run_gen(&o, &g);
	assert_int_equal(bin(&o, BIN_LOST), 1);
	assert_int_equal(bin(&o, BIN_NO_BACKEND_IO), 1);
	for (unsigned int i = 0; i < o.parse.merge.nr_streams; i++)
		assert_int_equal(o.parse.merge.streams[i]->invalid, 0);
	done(&o, &g);
}

/* The guest comes while the trace goes on; its disk is traced in dom0 a little later. */
static void guest_comes_later(void **ctx)
{
	static const char dom0[] =
		"{\"tool\": \"test\", \"host\": \"host\", \"backend\": {\"domid\": 0, "
		"\"nr_cpus\": 2, \"disks\": [{\"index\": 0, \"dev\": \"259:0\", "
		"\"name\": \"nvme0n1\", \"part_of\": null}]}, \"guests\": []}";
	const uint64_t sec = 1000000 * US;
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init_bare(&g);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, dom0, strlen(dom0));
	gen_process(&g, 0, 0, 0, GEN_KTHREAD, "3.xvda-0", XBLK_PROCESS_KTHREAD);
	DOM0(1000, QUEUE, READ, 64, 8, 2, 1);
	gen_round(&g, 10 * sec - 1);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 10 * sec, gen_meta_text,
		  strlen(gen_meta_text));
	/* Its first one was served before dom0's records of the disk began. */
	guest_io(&g, 10 * sec + 1000, 64, 1);
	guest_io(&g, 10 * sec + 10000, 128, 2);
	dom0_io(&g, 10 * sec + 10000, 128, 3);
	/* From then on, what dom0 does nothing for is that. */
	guest_io(&g, 10 * sec + 20000, 192, 4);
	gen_end(&g, 20 * sec);
	run(&o, g.data, g.len);
	assert_int_equal(bin(&o, BIN_BEFORE_TRACE), 1);
	assert_int_equal(bin(&o, BIN_JOINED), 1);
	assert_int_equal(bin(&o, BIN_NO_BACKEND_IO), 1);
	done(&o, &g);
}

/*
 * What it recorded before the capture took it up comes behind the rounds that dom0's part
 * of it came before.
 */
static void guest_is_behind(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	dom0_io(&g, 1000, 64, 1);
	gen_round(&g, 5000000 * US);
	gen_round(&g, 6000000 * US);
	guest_io(&g, 1000, 64, 1);
	guest_io(&g, 7000000 * US, 128, 2);
	dom0_io(&g, 7000000 * US, 128, 3);
	gen_round(&g, 8000000 * US);
	/* dom0 does nothing for that. */
	guest_io(&g, 9000000 * US, 192, 4);
	gen_end(&g, 10000000 * US);
	run(&o, g.data, g.len);
	assert_int_equal(bin(&o, BIN_BEFORE_TRACE), 1);
	assert_int_equal(bin(&o, BIN_JOINED), 1);
	assert_int_equal(bin(&o, BIN_NO_BACKEND_IO), 1);
	done(&o, &g);
}

/* The same of one whose tracing was resumed. */
static void guest_comes_again(void **ctx)
{
	const uint64_t sec = 1000000 * US;
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	guest_io(&g, 10000, 128, 2);
	dom0_io(&g, 10000, 128, 3);
	gen_round(&g, 10 * sec - 1);
	GUEST(10 * sec, CLOCK, READ, 0, 0, 1u << 31 | 1, 0);
	gen_last(&g, GEN_GUEST, 0)->disk = XBLK_NO_DISK;
	guest_io(&g, 10 * sec + 1000, 64, 1);
	guest_io(&g, 10 * sec + 10000, 128, 2);
	dom0_io(&g, 10 * sec + 10000, 128, 3);
	guest_io(&g, 10 * sec + 20000, 192, 4);
	gen_end(&g, 20 * sec);
	run(&o, g.data, g.len);
	assert_int_equal(bin(&o, BIN_BEFORE_TRACE), 1);
	assert_int_equal(bin(&o, BIN_JOINED), 2);
	assert_int_equal(bin(&o, BIN_NO_BACKEND_IO), 1);
	done(&o, &g);
}

/* What is cut off is of a bio of before the trace, and not of another thread's there. */
static void cut_amid(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 32, 1, 500);
	gen_event(&g, GEN_GUEST, 1, 1005, XBLK_EV_SPLIT, XBLK_OP_READ, 64, 8, 2, 501);
	GUEST(1010, ISSUE, READ, 64, 32, 100, 1);
	DOM0(2000, QUEUE, READ, 64, 32, 10, GEN_KTHREAD);
	DOM0(2100, ISSUE, READ, 64, 32, 200, 10);
	DOM0(3000, COMPLETE, READ, 64, 32, 200, 0);
	GUEST(4000, COMPLETE, READ, 64, 32, 100, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_stages(&o.results[0], 10, 990, 100, 900, 1000);
	done(&o, &g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guest_begins_later),
		cmocka_unit_test(guest_begins_amid),
		cmocka_unit_test(guest_comes_later),
		cmocka_unit_test(guest_is_behind),
		cmocka_unit_test(guest_comes_again),
		cmocka_unit_test(wrong_joined),
		cmocka_unit_test(hung),
		cmocka_unit_test(loss_amid),
		cmocka_unit_test(another_file),
		cmocka_unit_test(loss_of_before),
		cmocka_unit_test(failing),
		cmocka_unit_test(shifted),
		cmocka_unit_test(cut_amid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
