// SPDX-License-Identifier: GPL-2.0-only
/*
 * Layers of dom0 below a guest's disk, each with the times that it was made to take: what
 * it did before its devices and behind them is its own, and what they took is theirs.
 */
#include "test_parse_util.h"

#define US	1000ull
#define MS	1000000ull
#define SECOND	1000000000ull
#define XVDD	3 /* the guest's disk on dm-0 */
#define DM	2
#define THREAD	78 /* blkback's of it */
#define KWORKER 90

/* An event of a disk of dom0's, by any thread of the layer. */
static void on(struct gen *g, unsigned int disk, uint64_t ns, unsigned int event,
	       unsigned int op, uint64_t sector, uint32_t nr, uint32_t id, uint32_t aux)
{
	gen_event(g, 0, 0, ns, event, op, sector, nr, id, aux);
	gen_last(g, 0, 0)->disk = disk;
}

static void from_guest(struct gen *g, uint64_t ns, unsigned int event, unsigned int op,
		       uint64_t sector, uint32_t id, uint32_t aux)
{
	gen_event(g, GEN_GUEST, 0, ns, event, op, sector, 8, id, aux);
	gen_last(g, GEN_GUEST, 0)->disk = XVDD;
}

static void begin(struct gen *g)
{
	gen_init(g);
	gen_process(g, 0, 0, 0, THREAD, "3.xvdd-0", XBLK_PROCESS_KTHREAD);
	gen_process(g, 0, 0, 0, KWORKER, "kworker/0:1", XBLK_PROCESS_KTHREAD);
}

/* From the guest's Q until blkback has queued its bio, 30 us later. */
static void request(struct gen *g, uint64_t ns, unsigned int op, uint64_t sector,
		    uint32_t id)
{
	from_guest(g, ns, XBLK_EV_QUEUE, op, sector, id, 500);
	from_guest(g, ns + 10 * US, XBLK_EV_ISSUE, op, sector, 1000 + id, id);
	on(g, DM, ns + 30 * US, XBLK_EV_QUEUE, op, sector, 8, 10000 + id, THREAD);
}

/* blkback's bio ends, and the guest's request 40 us later. */
static void ended(struct gen *g, uint64_t ns, unsigned int op, uint64_t sector,
		  uint32_t id)
{
	on(g, DM, ns, XBLK_EV_BIO_COMPLETE, op, 0, 0, 10000 + id, 0);
	from_guest(g, ns + 40 * US, XBLK_EV_COMPLETE, op, sector, 1000 + id, 0);
}

/* What the layer sends on: named together with where it came from. */
static void sent(struct gen *g, unsigned int disk, uint64_t ns, unsigned int op,
		 uint64_t to, uint32_t id, uint64_t from, uint32_t pid)
{
	on(g, disk, ns, XBLK_EV_REMAP, op, to, 8, id, pid);
	on(g, DM, ns, XBLK_EV_REMAP_FROM, op, from, 8, id, pid);
}

static void issued(struct gen *g, unsigned int disk, uint64_t ns, unsigned int op,
		   uint64_t sector, uint32_t rq, uint32_t bio)
{
	on(g, disk, ns, XBLK_EV_ISSUE, op, sector, 8, rq, bio);
}

static void completed(struct gen *g, unsigned int disk, uint64_t ns, unsigned int op,
		      uint64_t sector, uint32_t rq)
{
	on(g, disk, ns, XBLK_EV_COMPLETE, op, sector, 8, rq, 0);
}

static uint64_t own_bios(struct outcome *o)
{
	uint64_t nr = 0;

	for (unsigned int i = 0; i < 2; i++)
		nr += counts_of(domain_disk(o->parse.model.backend, i))->own_bios;
	return nr;
}

static void assert_substage(struct outcome *o, enum substage s, uint64_t count,
			    uint64_t each)
{
	const struct hist *h = disk_stats(o, GEN_GUEST, XVDD)->substages[s];

	assert_non_null(h);
	assert_int_equal(h->count, count);
	assert_int_equal((uint64_t)h->sum, count * each);
}

static void to_leg(struct gen *g, unsigned int leg, uint64_t ns, uint64_t sector,
		   uint32_t id)
{
	on(g, leg, ns, XBLK_EV_QUEUE, XBLK_OP_WRITE, sector, 8, id, THREAD);
	issued(g, leg, ns + 500, XBLK_OP_WRITE, sector, 30000 + leg, id);
}

/*
 * A mirror of a leg of 2 ms and one of 20 ms.  The slow one's time is the device's.  A
 * layer may send on each clone as it is made, or (raid1_write_request(), raid1_unplug())
 * first make them all.
 */
static void check_mirror(bool at_once)
{
	const unsigned int op = XBLK_OP_WRITE, nr = 50;
	struct outcome o;
	struct gen g;

	begin(&g);
	for (uint32_t i = 1; i <= nr; i++) {
		uint64_t ns = i * 30 * MS, sector = 64 * i;

		request(&g, ns, op, sector, i);
		ns += 30 * US;
		for (uint32_t leg = 0; leg < 2; leg++) {
			sent(&g, leg, ns + (1 + leg) * US, op, sector, 20000 + leg,
			     sector, THREAD);
			if (at_once)
				to_leg(&g, leg, ns + (1 + leg) * US, sector, 20000 + leg);
		}
		for (uint32_t leg = 0; leg < 2 && !at_once; leg++)
			to_leg(&g, leg, ns + (3 + leg) * US, sector, 20000 + leg);
		completed(&g, 0, ns + 2 * MS, op, sector, 30000);
		completed(&g, 1, ns + 20 * MS, op, sector, 30001);
		ended(&g, ns + 20 * MS + 5 * US, op, sector, i);
	}
	gen_end(&g, 3 * SECOND);
	run(&o, g.data, g.len);
	assert_int_equal(o.nr, nr);
	for (unsigned int i = 0; i < nr; i++) {
		uint64_t d = at_once ? 2500 : 4500;

		assert_stages(&o.results[i], 10 * US, 20 * US, d, 20 * MS + 5 * US - d,
			      40 * US);
	}
	assert_substage(&o, SUB_DEVICE, nr, 20 * MS - (at_once ? 2500 : 4500));
	assert_substage(&o, SUB_LAYERS_BACK, nr, 5 * US);
	assert_int_equal(own_bios(&o), 0);
	done(&o, &g);
}

static void mirror(void **ctx)
{
	(void)ctx;
	check_mirror(true);
	check_mirror(false);
}

/* dm-crypt: a read waits for 2.45 ms to be decrypted, behind a disk of 250 us. */
static void work_behind(void **ctx)
{
	const unsigned int op = XBLK_OP_READ;
	struct outcome o;
	struct gen g;

	(void)ctx;
	begin(&g);
	request(&g, 0, op, 64, 1);
	sent(&g, 0, 31 * US, op, 4096 + 64, 20001, 64, THREAD);
	on(&g, 0, 32 * US, XBLK_EV_QUEUE, op, 4096 + 64, 8, 20001, THREAD);
	issued(&g, 0, 40 * US, op, 4096 + 64, 30000, 20001);
	completed(&g, 0, 290 * US, op, 4096 + 64, 30000);
	ended(&g, 2740 * US, op, 64, 1);
	gen_end(&g, SECOND);
	run(&o, g.data, g.len);
	assert_int_equal(o.nr, 1);
	assert_stages(&o.results[0], 10 * US, 20 * US, 10 * US, 2700 * US, 40 * US);
	assert_substage(&o, SUB_DEVICE, 1, 250 * US);
	assert_substage(&o, SUB_LAYERS_BACK, 1, 2450 * US);
	done(&o, &g);
}

/* And a write for as long to be encrypted, before it is sent on. */
static void work_before(void **ctx)
{
	const unsigned int op = XBLK_OP_WRITE;
	struct outcome o;
	struct gen g;

	(void)ctx;
	begin(&g);
	request(&g, 0, op, 64, 1);
	sent(&g, 0, 2480 * US, op, 4096 + 64, 20001, 64, KWORKER);
	on(&g, 0, 2481 * US, XBLK_EV_QUEUE, op, 4096 + 64, 8, 20001, KWORKER);
	issued(&g, 0, 2490 * US, op, 4096 + 64, 30000, 20001);
	completed(&g, 0, 2740 * US, op, 4096 + 64, 30000);
	ended(&g, 2741 * US, op, 64, 1);
	gen_end(&g, SECOND);
	run(&o, g.data, g.len);
	assert_int_equal(o.nr, 1);
	assert_stages(&o.results[0], 10 * US, 20 * US, 2460 * US, 251 * US, 40 * US);
	assert_substage(&o, SUB_LAYERS, 1, 2451 * US);
	assert_substage(&o, SUB_QUEUE, 1, 9 * US);
	done(&o, &g);
}

/*
 * raid5: reads what the parity needs, and then writes the data in 1 ms and the parity in
 * 4 ms.  All of it is I/O of its own; where it tells what each is for (ops_run_io()), the
 * data has the place of the bio.  Whatever it is, it is done when the bio is.
 */
static void check_parity(bool told)
{
	const unsigned int op = XBLK_OP_WRITE;
	struct outcome o;
	struct gen g;

	begin(&g);
	request(&g, 0, op, 64, 1);
	for (unsigned int phase = 0; phase < 2; phase++) {
		unsigned int leg_op = phase ? op : XBLK_OP_READ;
		uint64_t ns = 100 * US + phase * 3 * MS;

		for (uint32_t leg = 0; leg < 2; leg++) {
			uint64_t q = ns + leg * 10 * US;

			if (told)
				sent(&g, leg, q, leg_op, 32, 20000 + leg, leg ? 0 : 64,
				     KWORKER);
			on(&g, leg, q + US, XBLK_EV_QUEUE, leg_op, 32, 8, 20000 + leg,
			   KWORKER);
			issued(&g, leg, q + 2 * US, leg_op, 32, 30000 + leg, 20000 + leg);
		}
		for (uint32_t leg = 0; leg < 2; leg++)
			completed(&g, leg, ns + (leg && phase ? 4 : 1) * MS + leg * US,
				  leg_op, 32, 30000 + leg);
	}
	ended(&g, 7200 * US, op, 64, 1);
	gen_end(&g, SECOND);
	run(&o, g.data, g.len);
	assert_int_equal(o.nr, 1);
	assert_int_equal(o.results[0].bin, BIN_JOINED);
	if (told)
		assert_stages(&o.results[0], 10 * US, 20 * US, 3072 * US, 4098 * US,
			      40 * US);
	else
		assert_stages(&o.results[0], 10 * US, 20 * US, 0, 7170 * US, 40 * US);
	done(&o, &g);
}

static void parity(void **ctx)
{
	(void)ctx;
	check_parity(true);
	check_parity(false);
}

/*
 * A thin volume's new block: the bio that asks for it waits for the block to be filled
 * with zeroes, for which the pool writes by itself, and is sent on by a worker.
 */
static void new_block(void **ctx)
{
	const unsigned int op = XBLK_OP_WRITE;
	struct outcome o;
	struct gen g;

	(void)ctx;
	begin(&g);
	request(&g, 0, op, 64, 1);
	on(&g, 0, 100 * US, XBLK_EV_QUEUE, op, 8192, 128, 20000, KWORKER);
	on(&g, 0, 110 * US, XBLK_EV_ISSUE, op, 8192, 128, 30000, 20000);
	on(&g, 0, 5110 * US, XBLK_EV_COMPLETE, op, 8192, 128, 30000, 0);
	sent(&g, 0, 5500 * US, op, 8192, 20001, 64, KWORKER);
	on(&g, 0, 5501 * US, XBLK_EV_QUEUE, op, 8192, 8, 20001, KWORKER);
	issued(&g, 0, 5510 * US, op, 8192, 30001, 20001);
	completed(&g, 0, 6510 * US, op, 8192, 30001);
	ended(&g, 6520 * US, op, 64, 1);
	gen_end(&g, SECOND);
	run(&o, g.data, g.len);
	assert_int_equal(o.nr, 1);
	assert_stages(&o.results[0], 10 * US, 20 * US, 5480 * US, 1010 * US, 40 * US);
	assert_substage(&o, SUB_LAYERS, 1, 5471 * US);
	assert_int_equal(own_bios(&o), 1);
	done(&o, &g);
}

/*
 * md raid0 without statistics, NVMe native multipath: the very bio goes on to the lower
 * disk, where it has no Q of its own, and what is issued there has its name.
 */
static void same_bio(void **ctx)
{
	const unsigned int op = XBLK_OP_READ, nr = 50;
	struct outcome o;
	struct gen g;

	(void)ctx;
	begin(&g);
	for (uint32_t i = 1; i <= nr; i++) {
		uint64_t ns = i * MS, sector = 64 * i;

		request(&g, ns, op, sector, i);
		sent(&g, i % 2, ns + 31 * US, op, 32 * i, 10000 + i, sector, THREAD);
		issued(&g, i % 2, ns + 40 * US, op, 32 * i, 30000, 10000 + i);
		completed(&g, i % 2, ns + 240 * US, op, 32 * i, 30000);
		from_guest(&g, ns + 280 * US, XBLK_EV_COMPLETE, op, sector, 1000 + i, 0);
	}
	gen_end(&g, SECOND);
	run(&o, g.data, g.len);
	assert_int_equal(o.nr, nr);
	for (unsigned int i = 0; i < nr; i++)
		assert_stages(&o.results[i], 10 * US, 20 * US, 10 * US, 200 * US,
			      40 * US);
	assert_int_equal(own_bios(&o), 0);
	done(&o, &g);
}

/* A clone of half of a request, as md sends them on to count what they take. */
static void half_sent(struct gen *g, uint32_t leg, uint64_t ns, uint64_t sector)
{
	const unsigned int op = XBLK_OP_READ;
	const uint32_t id = 20000 + leg;

	on(g, leg, ns, XBLK_EV_REMAP, op, sector / 2, 4, id, THREAD);
	on(g, DM, ns, XBLK_EV_REMAP_FROM, op, sector + 4 * leg, 4, id, THREAD);
	on(g, leg, ns, XBLK_EV_QUEUE, op, sector / 2, 4, id, THREAD);
	on(g, leg, ns + 9 * US, XBLK_EV_ISSUE, op, sector / 2, 4, 30000 + leg, id);
}

/*
 * md raid0 of Linux 6.6 and later: what is in the first chunk is cut off, and what goes
 * on is a clone of that and one of the rest.
 */
static void clones_of_parts(void **ctx)
{
	const unsigned int op = XBLK_OP_READ, nr = 50;
	struct outcome o;
	struct gen g;

	(void)ctx;
	begin(&g);
	for (uint32_t i = 1; i <= nr; i++) {
		uint64_t ns = i * MS, sector = 64 * i;

		request(&g, ns, op, sector, i);
		on(&g, DM, ns + 30 * US, XBLK_EV_SPLIT, op, sector, 4, 20002, THREAD);
		half_sent(&g, 0, ns + 31 * US, sector);
		half_sent(&g, 1, ns + 32 * US, sector);
		on(&g, 0, ns + 140 * US, XBLK_EV_COMPLETE, op, sector / 2, 4, 30000, 0);
		on(&g, DM, ns + 141 * US, XBLK_EV_BIO_COMPLETE, op, 0, 0, 20002, 0);
		on(&g, 1, ns + 240 * US, XBLK_EV_COMPLETE, op, sector / 2, 4, 30001, 0);
		ended(&g, ns + 245 * US, op, sector, i);
	}
	gen_end(&g, SECOND);
	run(&o, g.data, g.len);
	assert_int_equal(o.nr, nr);
	for (unsigned int i = 0; i < nr; i++)
		assert_stages(&o.results[i], 10 * US, 20 * US, 11 * US, 204 * US,
			      40 * US);
	assert_substage(&o, SUB_DEVICE, nr, 199 * US);
	assert_int_equal(own_bios(&o), 0);
	done(&o, &g);
}

/*
 * A flush that was sent on as it is has ended, which is not seen of it, and its name is
 * another bio's by now: that has not been sent there.
 */
static void name_of_a_flush(void **ctx)
{
	const unsigned int op = XBLK_OP_READ;
	struct outcome o;
	struct gen g;

	(void)ctx;
	begin(&g);
	on(&g, DM, 1 * US, XBLK_EV_QUEUE, XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 10,
	   KWORKER);
	on(&g, 0, 2 * US, XBLK_EV_REMAP, XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 10,
	   KWORKER);
	on(&g, DM, 2 * US, XBLK_EV_REMAP_FROM, XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0,
	   10, KWORKER);
	GUEST(10 * US, QUEUE, READ, 64, 8, 1, 500);
	GUEST(20 * US, ISSUE, READ, 64, 8, 100, 1);
	DOM0(50 * US, QUEUE, READ, 64, 8, 10, GEN_KTHREAD);
	issued(&g, 0, 60 * US, op, 64, 200, 10);
	completed(&g, 0, 160 * US, op, 64, 200);
	GUEST(200 * US, COMPLETE, READ, 64, 8, 100, 0);
	gen_end(&g, SECOND);
	run(&o, g.data, g.len);
	assert_int_equal(o.nr, 1);
	assert_stages(&o.results[0], 10 * US, 30 * US, 10 * US, 100 * US, 40 * US);
	done(&o, &g);
}

/*
 * The end of a bio was missed, and its name is that of the second part of a request by
 * now: that seems to be the older one, which is sent on as it is.
 */
static void name_of_one_not_seen_to_end(void **ctx)
{
	const unsigned int op = XBLK_OP_WRITE;
	struct outcome o;
	struct gen g;

	(void)ctx;
	begin(&g);
	on(&g, DM, 1 * US, XBLK_EV_QUEUE, op, 68, 4, 20001, KWORKER);
	request(&g, 10 * US, op, 64, 1);
	for (uint32_t leg = 0; leg < 2; leg++) {
		uint64_t ns = 50 * US + leg * US, from = 64 + 4 * leg;

		on(&g, leg, ns, XBLK_EV_REMAP, op, 32, 4, 20000 + leg, THREAD);
		on(&g, DM, ns, XBLK_EV_REMAP_FROM, op, from, 4, 20000 + leg, THREAD);
		on(&g, leg, ns, XBLK_EV_QUEUE, op, 32, 4, 20000 + leg, THREAD);
	}
	for (uint32_t leg = 0; leg < 2; leg++)
		on(&g, leg, 60 * US, XBLK_EV_ISSUE, op, 32, 4, 30000 + leg, 20000 + leg);
	for (uint32_t leg = 0; leg < 2; leg++)
		on(&g, leg, 90 * US + leg, XBLK_EV_COMPLETE, op, 32, 4, 30000 + leg, 0);
	ended(&g, 95 * US, op, 64, 1);
	gen_end(&g, SECOND);
	run(&o, g.data, g.len);
	assert_int_equal(o.nr, 1);
	assert_int_equal(o.results[0].bin, BIN_AMBIGUOUS);
	done(&o, &g);
}

/*
 * A SCSI disk loses a command: its driver holds the request until the time-out of 2 s, has
 * it queued again, and it is done 2 ms later.  For 5 ms it was in the queue once more.
 */
static void timed_out(void **ctx)
{
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	GUEST(0, QUEUE, READ, 64, 8, 1, 500);
	GUEST(10 * US, ISSUE, READ, 64, 8, 100, 1);
	DOM0(30 * US, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(40 * US, ISSUE, READ, 64, 8, 200, 2);
	DOM0(2 * SECOND + 40 * US, REQUEUE, READ, 64, 8, 200, 2);
	DOM0(2 * SECOND + 5 * MS + 40 * US, ISSUE, READ, 64, 8, 200, 2);
	DOM0(2 * SECOND + 7 * MS + 40 * US, COMPLETE, READ, 64, 8, 200, 0);
	GUEST(2 * SECOND + 7 * MS + 80 * US, COMPLETE, READ, 64, 8, 100, 0);
	gen_end(&g, 3 * SECOND);
	run(&o, g.data, g.len);
	assert_int_equal(o.nr, 1);
	assert_stages(&o.results[0], 10 * US, 20 * US, 5 * MS + 10 * US,
		      2 * SECOND + 2 * MS, 40 * US);
	assert_int_equal(o.results[0].requeues, 0);
	assert_int_equal(disk_counts(&o, GEN_GUEST, 0)->backend.requeues, 1);
	done(&o, &g);
}

#define DEEP 400

static unsigned int nr_right;

static void check_held(void *ctx, const struct xblk_request *r)
{
	const int64_t *s = r->stages;

	(void)ctx;
	nr_right += r->bin == BIN_JOINED && s[STAGE_U_Q2D] == (int64_t)(10 * US) &&
		    s[STAGE_U_T] == (int64_t)(20 * US) &&
		    s[STAGE_0_Q2D] == (int64_t)(8 * SECOND + 3 * US) &&
		    s[STAGE_0_D2C] == (int64_t)(22 * US) &&
		    s[STAGE_0_T] == (int64_t)(40 * US);
}

/* 400 requests are in a layer that holds each for 8 s and sends them on as they came. */
static void deep(void **ctx)
{
	const unsigned int op = XBLK_OP_READ;
	struct outcome o;
	struct gen g;

	(void)ctx;
	begin(&g);
	for (uint32_t i = 1; i <= DEEP; i++)
		request(&g, i * 100 * US, op, 64 * i, i);
	for (uint32_t i = 1; i <= DEEP; i++) {
		uint64_t ns = 8 * SECOND + i * 100 * US + 30 * US;

		sent(&g, 0, ns, op, 64 * i, 20000 + i, 64 * i, KWORKER);
		on(&g, 0, ns + 1 * US, XBLK_EV_QUEUE, op, 64 * i, 8, 20000 + i, KWORKER);
		issued(&g, 0, ns + 3 * US, op, 64 * i, 30000, 20000 + i);
		completed(&g, 0, ns + 23 * US, op, 64 * i, 30000);
		ended(&g, ns + 25 * US, op, 64 * i, i);
	}
	gen_end(&g, 9 * SECOND);
	msg_silent = true;
	nr_right = 0;
	outcome_init(&o, g.data, g.len);
	o.parse.tally.on_request = check_held;
	parse_run(&o.parse);
	assert_int_equal(disk_stats(&o, GEN_GUEST, XVDD)->requests, DEEP);
	assert_int_equal(nr_right, DEEP);
	assert_int_equal(own_bios(&o), 0);
	done(&o, &g);
}

/*
 * A worker sends on what came before the trace, too: which of two clones is the bio's is
 * not known.  That the first one has failed would explain both.
 */
static void check_clone_too_many(unsigned int op, unsigned int error)
{
	struct outcome o;
	struct gen g;

	begin(&g);
	request(&g, 0, op, 64, 1);
	for (uint32_t i = 0; i < 2; i++) {
		uint64_t ns = (40 + 20 * i) * US;

		sent(&g, 0, ns, op, 4096 + 64, 20001 + i, 64, KWORKER);
		on(&g, 0, ns + US, XBLK_EV_QUEUE, op, 4096 + 64, 8, 20001 + i, KWORKER);
		issued(&g, 0, ns + 2 * US, op, 4096 + 64, 30000 + i, 20001 + i);
		on(&g, 0, ns + 10 * US, XBLK_EV_COMPLETE, op, 4096 + 64, 8, 30000 + i,
		   i ? 0 : error);
	}
	ended(&g, 80 * US, op, 64, 1);
	gen_end(&g, SECOND);
	run(&o, g.data, g.len);
	assert_int_equal(o.nr, 1);
	assert_int_equal(o.results[0].bin, error ? BIN_JOINED : BIN_AMBIGUOUS);
	done(&o, &g);
}

static void clone_too_many(void **ctx)
{
	(void)ctx;
	check_clone_too_many(XBLK_OP_READ, 0);
	check_clone_too_many(XBLK_OP_WRITE, 0);
	check_clone_too_many(XBLK_OP_READ, 5);
}

#define UNTAKEN (JOIN_SHARED_CLONED + 100)

static unsigned int nr_cloned;

static void count_cloned(void *ctx, const struct xblk_request *r)
{
	(void)ctx;
	assert_int_equal(r->bin, BIN_JOINED);
	nr_cloned += r->nr_clones == 1 && r->clones[0].level == 1;
}

/* A guest takes up no response for long: what is kept of clones meanwhile has a bound. */
static void untaken(void **ctx)
{
	const unsigned int op = XBLK_OP_READ;
	struct outcome o;
	struct gen g;

	(void)ctx;
	begin(&g);
	for (uint32_t i = 1; i <= UNTAKEN; i++) {
		uint64_t ns = i * 100 * US;

		request(&g, ns, op, 64 * i, i);
		ns += 31 * US;
		sent(&g, 0, ns, op, 64 * i, 20001, 64 * i, THREAD);
		on(&g, 0, ns + 1 * US, XBLK_EV_QUEUE, op, 64 * i, 8, 20001, THREAD);
		issued(&g, 0, ns + 2 * US, op, 64 * i, 30000, 20001);
		completed(&g, 0, ns + 3 * US, op, 64 * i, 30000);
		on(&g, DM, ns + 4 * US, XBLK_EV_BIO_COMPLETE, op, 0, 0, 10000 + i, 0);
	}
	for (uint32_t i = 1; i <= UNTAKEN; i++)
		from_guest(&g, SECOND + i * US, XBLK_EV_COMPLETE, op, 64 * i, 1000 + i,
			   0);
	gen_end(&g, 2 * SECOND);
	msg_silent = true;
	nr_cloned = 0;
	outcome_init(&o, g.data, g.len);
	o.parse.tally.on_request = count_cloned;
	parse_run(&o.parse);
	assert_int_equal(disk_stats(&o, GEN_GUEST, XVDD)->requests, UNTAKEN);
	assert_int_equal(nr_cloned, JOIN_SHARED_CLONED);
	assert_int_equal(o.parse.join.guest_cloned, 0);
	done(&o, &g);
}

/* A table is loaded while there is I/O: for that time the layer has what came. */
static void suspended(void **ctx)
{
	const unsigned int op = XBLK_OP_READ;
	struct outcome o;
	struct gen g;

	(void)ctx;
	begin(&g);
	for (uint32_t i = 1; i <= 8; i++)
		request(&g, i * 100 * US, op, 64 * i, i);
	for (uint32_t i = 1; i <= 8; i++) {
		uint64_t ns = 500 * MS + i * 10 * US;

		sent(&g, 1, ns, op, 64 * i, 20000 + i, 64 * i, KWORKER);
		on(&g, 1, ns + 1 * US, XBLK_EV_QUEUE, op, 64 * i, 8, 20000 + i, KWORKER);
		issued(&g, 1, ns + 3 * US, op, 64 * i, 30000 + i, 20000 + i);
		completed(&g, 1, ns + 8 * US, op, 64 * i, 30000 + i);
		ended(&g, ns + 9 * US, op, 64 * i, i);
	}
	gen_end(&g, SECOND);
	run(&o, g.data, g.len);
	assert_int_equal(o.nr, 8);
	for (unsigned int i = 0; i < 8; i++)
		assert_stages(&o.results[i], 10 * US, 20 * US,
			      500 * MS - 27 * US - (i + 1) * 90 * US, 6 * US, 40 * US);
	done(&o, &g);
}

static const char moved_meta[] =
	"{\"backend\": {\"domid\": 0, \"disks\": [{\"index\": 3, \"dev\": \"8:16\","
	" \"name\": \"sdb\"}]}}";

/* A table is moved to a disk that the capture adds: it is followed there. */
static void moved(void **ctx)
{
	const unsigned int op = XBLK_OP_READ;
	struct outcome o;
	struct gen g;

	(void)ctx;
	begin(&g);
	for (uint32_t i = 1; i <= 8; i++) {
		uint64_t ns = i * MS, sector = 64 * i;
		unsigned int disk = i < 5 ? 0 : 3;

		if (i == 5) {
			gen_round(&g, ns - 2);
			gen_round(&g, ns - 1);
			gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, ns, moved_meta,
				  strlen(moved_meta));
		}
		request(&g, ns, op, sector, i);
		sent(&g, disk, ns + 31 * US, op, 4096 + sector, 20000, sector, THREAD);
		on(&g, disk, ns + 32 * US, XBLK_EV_QUEUE, op, 4096 + sector, 8, 20000,
		   THREAD);
		issued(&g, disk, ns + 40 * US, op, 4096 + sector, 30000, 20000);
		completed(&g, disk, ns + 140 * US, op, 4096 + sector, 30000);
		ended(&g, ns + 145 * US, op, sector, i);
	}
	gen_end(&g, SECOND);
	run(&o, g.data, g.len);
	assert_int_equal(o.nr, 8);
	for (unsigned int i = 0; i < 8; i++)
		assert_stages(&o.results[i], 10 * US, 20 * US, 10 * US, 105 * US,
			      40 * US);
	done(&o, &g);
}

/* Where it is one that is not traced, what the layer and the disk took is not told. */
static void moved_out_of_sight(void **ctx)
{
	const unsigned int op = XBLK_OP_READ;
	struct outcome o;
	struct gen g;

	(void)ctx;
	begin(&g);
	for (uint32_t i = 1; i <= 2; i++) {
		unsigned int disk = i == 1 ? 0 : XBLK_NO_DISK;
		uint64_t ns = i * MS, sector = 64 * i;

		request(&g, ns, op, sector, i);
		sent(&g, disk, ns + 31 * US, op, 4096 + sector, 20000, sector, THREAD);
		if (i == 1) {
			on(&g, 0, ns + 32 * US, XBLK_EV_QUEUE, op, 4096 + sector, 8,
			   20000, THREAD);
			issued(&g, 0, ns + 40 * US, op, 4096 + sector, 30000, 20000);
			completed(&g, 0, ns + 140 * US, op, 4096 + sector, 30000);
		}
		ended(&g, ns + 145 * US, op, sector, i);
	}
	gen_end(&g, SECOND);
	run(&o, g.data, g.len);
	assert_int_equal(o.nr, 2);
	assert_stages(result_at(&o, XVDD, MS + 10 * US), 10 * US, 20 * US, 10 * US,
		      105 * US, 40 * US);
	assert_false(result_at(&o, XVDD, 2 * MS + 10 * US)->measured);
	assert_int_equal(result_at(&o, XVDD, 2 * MS + 10 * US)->bin, BIN_INCOMPLETE);
	done(&o, &g);
}

/* What was queued is sent on from @from to the one below, which sends a clone to disk 0. */
static void sent_down(struct gen *g, uint64_t ns, unsigned int op, uint64_t from,
		      uint32_t nr, uint32_t id)
{
	on(g, 1, ns, XBLK_EV_REMAP, op, from, nr, id, THREAD);
	on(g, DM, ns, XBLK_EV_REMAP_FROM, op, from, nr, id, THREAD);
	on(g, 0, ns + US, XBLK_EV_REMAP, op, 4096 + from, nr, 20002, THREAD);
	on(g, 1, ns + US, XBLK_EV_REMAP_FROM, op, from, nr, 20002, THREAD);
	on(g, 0, ns + 2 * US, XBLK_EV_QUEUE, op, 4096 + from, nr, 20002, THREAD);
	on(g, 0, ns + 3 * US, XBLK_EV_ISSUE, op, 4096 + from, nr, 30000, 20002);
	on(g, 0, ns + 23 * US, XBLK_EV_COMPLETE, op, 4096 + from, nr, 30000, 0);
}

static void ended_below(struct gen *g, uint64_t ns, unsigned int op, uint64_t sector,
			uint32_t id)
{
	on(g, 1, ns, XBLK_EV_BIO_COMPLETE, op, 0, 0, 10000 + id, 0);
	from_guest(g, ns + 40 * US, XBLK_EV_COMPLETE, op, sector, 1000 + id, 0);
}

/*
 * Half of a read ends at 80 us, and the other one, below, may have been done before that,
 * or in the same breath, if that layer works on with what was read, as dm-crypt does.
 * That it does not do so is seen of reads (@first: of what it had before; @later: others
 * were done until it ended that), and not of writes.
 */
static void check_half_below(unsigned int first, bool later, enum bin bin)
{
	const unsigned int op = XBLK_OP_READ;
	struct outcome o;
	struct gen g;

	begin(&g);
	request(&g, 0, first, 640, 1);
	sent_down(&g, 31 * US, first, 640, 8, 10001);
	if (later) {
		issued(&g, 0, 55 * US, op, 8192, 30001, 20003);
		completed(&g, 0, 60 * US, op, 8192, 30001);
	}
	ended_below(&g, 61 * US, first, 640, 1);
	request(&g, SECOND, op, 64, 2);
	on(&g, 0, SECOND + 31 * US, XBLK_EV_REMAP, op, 64, 4, 20001, THREAD);
	on(&g, DM, SECOND + 31 * US, XBLK_EV_REMAP_FROM, op, 64, 4, 20001, THREAD);
	on(&g, 0, SECOND + 32 * US, XBLK_EV_ISSUE, op, 64, 4, 30001, 20001);
	sent_down(&g, SECOND + 33 * US, op, 68, 4, 10002);
	on(&g, 0, SECOND + 80 * US, XBLK_EV_COMPLETE, op, 64, 4, 30001, 0);
	ended_below(&g, SECOND + 81 * US, op, 64, 2);
	gen_end(&g, 2 * SECOND);
	run(&o, g.data, g.len);
	assert_int_equal(o.nr, 2);
	assert_int_equal(result_at(&o, XVDD, 10 * US)->bin, BIN_JOINED);
	assert_int_equal(result_at(&o, XVDD, SECOND + 10 * US)->bin, bin);
	done(&o, &g);
}

static void half_below(void **ctx)
{
	(void)ctx;
	check_half_below(XBLK_OP_READ, false, BIN_JOINED);
	check_half_below(XBLK_OP_READ, true, BIN_AMBIGUOUS);
	check_half_below(XBLK_OP_WRITE, false, BIN_AMBIGUOUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mirror),
		cmocka_unit_test(work_behind),
		cmocka_unit_test(work_before),
		cmocka_unit_test(half_below),
		cmocka_unit_test(parity),
		cmocka_unit_test(new_block),
		cmocka_unit_test(same_bio),
		cmocka_unit_test(clones_of_parts),
		cmocka_unit_test(timed_out),
		cmocka_unit_test(name_of_a_flush),
		cmocka_unit_test(name_of_one_not_seen_to_end),
		cmocka_unit_test(deep),
		cmocka_unit_test(suspended),
		cmocka_unit_test(moved),
		cmocka_unit_test(clone_too_many),
		cmocka_unit_test(untaken),
		cmocka_unit_test(moved_out_of_sight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
