// SPDX-License-Identifier: GPL-2.0-only
/* What is told of a request: each field of struct xblk_request. */
#include "trace_fixture.h"

struct told {
	struct xblk_request requests[4];
	char processes[4][COMM_SIZE], backend_processes[4][COMM_SIZE];
	char guest[NAME_LEN], uuid[NAME_LEN], label[LABEL_LEN], lowest[4][LABEL_LEN];
	char clones[4][XBLK_CLONES][LABEL_LEN];
	unsigned int nr;
};

static struct told t;

/* Its strings do not stay. */
static void keep(void *user, const struct xblk_request *r)
{
	(void)user;
	assert_in_range(t.nr, 0, 3);
	strcpy(t.processes[t.nr], r->process);
	strcpy(t.backend_processes[t.nr], r->backend_process);
	strcpy(t.guest, r->guest);
	strcpy(t.uuid, r->uuid);
	strcpy(t.label, r->label);
	strcpy(t.lowest[t.nr], r->lowest_disk);
	for (unsigned int i = 0; i < r->nr_clones && i < XBLK_CLONES; i++)
		strcpy(t.clones[t.nr][i], r->clones[i].disk);
	t.requests[t.nr++] = *r;
}

static void read_all(void)
{
	struct xblk *x = open_handle((struct xblk_options){.on_request = keep});

	memset(&t, 0, sizeof(t));
	gen_end(&g, 1000000);
	feed_all(x, g.data, g.len);
	xblk_close(x);
}

/* An event of a guest's or dom0's disk of another index. */
static void on_disk(unsigned int domid, unsigned int disk)
{
	gen_last(&g, domid, 0)->disk = disk;
}

/* It came back once, waited for a flush in guest and in dom0, and failed. */
static void all_of_it(void **ctx)
{
	const struct xblk_request *r;

	(void)ctx;
	gen_process(&g, GEN_GUEST, 0, 10, 500, "writer", 0);
	GUEST(1000, QUEUE, WRITE, 64, 8, 1, 500);
	GUEST(1000, QUEUE, WRITE, 72, 8, 2, 501);
	GUEST(1100, ISSUE, FLUSH, 0, 0, 101, 0);
	GUEST(1300, COMPLETE, FLUSH, 0, 0, 101, 0);
	GUEST(1400, ISSUE, WRITE, 64, 16, 100, 1);
	GUEST(1400, PART, WRITE, 72, 8, 100, 2);
	GUEST(1450, REQUEUE, WRITE, 64, 16, 100, 0);
	GUEST(1500, ISSUE, WRITE, 64, 16, 100, 1);
	GUEST(1500, PART, WRITE, 72, 8, 100, 2);
	DOM0(2000, QUEUE, WRITE, 64, 16, 2, GEN_KTHREAD);
	DOM0(2010, ISSUE, FLUSH, 0, 0, 201, 0);
	DOM0(2040, COMPLETE, FLUSH, 0, 0, 201, 0);
	DOM0(2100, ISSUE, WRITE, 64, 16, 200, 2);
	DOM0(3000, COMPLETE, WRITE, 64, 16, 200, 0);
	GUEST(4000, COMPLETE, WRITE, 64, 16, 100, 5);
	read_all();
	assert_int_equal(t.nr, 2); /* the flush was not seen in dom0: it is waited for */
	/* It came back, and so it is told of when no loss can be, which may hide that. */
	r = &t.requests[1];
	assert_int_equal(r->domid, GEN_GUEST);
	assert_string_equal(t.guest, "guest1");
	assert_string_equal(t.label, "xvda");
	assert_int_equal(r->disk_index, 0);
	assert_string_equal(t.processes[1], "writer");
	assert_int_equal(r->pid, 500);
	assert_int_equal(r->op, XBLK_OP_WRITE);
	assert_int_equal(r->sector, 64);
	assert_int_equal(r->nr_sectors, 16);
	assert_int_equal(r->nr_bios, 2);
	assert_int_equal(r->nr_backend_bios, 1);
	assert_int_equal(r->requeues, 1);
	assert_int_equal(r->error, 5);
	assert_int_equal(r->q_ns, GEN_START + 1000);
	assert_int_equal(r->first_d_ns, GEN_START + 1400);
	assert_int_equal(r->d_ns, GEN_START + 1500);
	assert_int_equal(r->requeued_ns, 50);
	assert_int_equal(r->backend_pid, GEN_KTHREAD);
	assert_string_equal(t.backend_processes[1], "3.xvda-0");
	assert_false(r->backend_failed);
	assert_int_equal(r->backend_error, 0);
	assert_string_equal(t.lowest[1], "nvme0n1");
	assert_int_equal(r->lowest_q_ns, GEN_START + 2000);
	assert_int_equal(r->lowest_c_ns, GEN_START + 3000);
	assert_int_equal(r->lowest_requeues, 0);
	assert_int_equal(r->lowest_nr_bios, 1);
	assert_int_equal(r->nr_clones, 0);
	assert_int_equal(r->ring, -1);
	assert_int_equal(r->backend_q_ns, GEN_START + 2000);
	assert_int_equal(r->backend_d_ns, GEN_START + 2100);
	assert_int_equal(r->backend_c_ns, GEN_START + 3000);
	assert_int_equal(r->c_ns, GEN_START + 4000);
	assert_int_equal(r->guest_flush_ns, 200);
	assert_int_equal(r->backend_flush_ns, 30);
	assert_true(r->measured);
	assert_int_equal(r->stages[STAGE_U_Q2D], 500);
	assert_int_equal(r->stages[STAGE_Q2C], 3000);
	assert_int_equal(r->bin, BIN_JOINED);
	assert_string_equal(r->why, "");
	assert_int_equal(r->guest_lost_from_ns, 0);
	assert_int_equal(r->backend_lost_from_ns, 0);
}

/* Who it is: its guest for ever, its place on a ring, blkback's name for it. */
static void identity(void **ctx)
{
	static const char meta[] =
		"{\"host\": \"host\", \"backend\": {\"domid\": 0}, \"guests\": ["
		"{\"domid\": 3, \"name\": \"guest1\","
		" \"uuid\": \"4ee8f1c4-0001-0002-0003-000000000004\", \"disks\": ["
		"{\"index\": 0, \"devid\": 51712, \"name\": \"xvda\","
		" \"backend_disk\": 0}]}]}";
	const struct xblk_request *r;

	(void)ctx;
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, meta, sizeof(meta) - 1);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	GUEST(1011, ORDER, READ, 0, 0, 100, 4711);
	DOM0(1100, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(1101, BACKEND_BIO, READ, 0, 0, 2, 900);
	DOM0(1110, ISSUE, READ, 64, 8, 200, 2);
	DOM0(1200, COMPLETE, READ, 64, 8, 200, 0);
	GUEST(1300, COMPLETE, READ, 64, 8, 100, 0);
	read_all();
	assert_int_equal(t.nr, 1);
	r = &t.requests[0];
	assert_int_equal(r->bin, BIN_JOINED);
	assert_string_equal(t.uuid, "4ee8f1c4-0001-0002-0003-000000000004");
	assert_int_equal(r->ring, 0);
	assert_int_equal(r->slot, 4711);
	assert_int_equal(r->backend_request, 900);
}

/* dom0's driver gives it back once, and then it fails. */
static void requeued_in_dom0(void **ctx)
{
	const struct xblk_request *r;

	(void)ctx;
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	DOM0(1100, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(1110, ISSUE, READ, 64, 8, 200, 2);
	DOM0(1120, REQUEUE, READ, 64, 8, 200, 2);
	DOM0(1150, ISSUE, READ, 64, 8, 200, 2);
	DOM0(1200, COMPLETE, READ, 64, 8, 200, 110);
	GUEST(1300, COMPLETE, READ, 64, 8, 100, 5);
	read_all();
	assert_int_equal(t.nr, 1);
	r = &t.requests[0];
	assert_int_equal(r->bin, BIN_JOINED);
	assert_int_equal(r->requeues, 0);
	assert_int_equal(r->lowest_requeues, 1);
	assert_int_equal(r->lowest_requeued_ns, 30);
	assert_true(r->backend_failed);
	assert_int_equal(r->backend_error, 110);
	assert_int_equal(r->error, 5);
}

/* A clone of what is at @from of dm-0. */
static void cloned(uint64_t ns, uint64_t to, uint32_t id, uint64_t from)
{
	gen_event(&g, 0, 0, ns, XBLK_EV_REMAP, XBLK_OP_READ, to, 8, id, 78);
	gen_event(&g, 0, 0, ns, XBLK_EV_REMAP_FROM, XBLK_OP_READ, from, 8, id, 78);
	on_disk(0, 2);
	gen_event(&g, 0, 0, ns + 1, XBLK_EV_QUEUE, XBLK_OP_READ, to, 8, id, 78);
}

static void sent(uint64_t ns, uint64_t to, uint32_t id, uint64_t from)
{
	cloned(ns, to, id, from);
	gen_event(&g, 0, 0, ns + 2, XBLK_EV_ISSUE, XBLK_OP_READ, to, 8, id + 200, id);
}

/* A guest's request for @nr sectors, up to the bio of dom0's for it on dm-0. */
static void layered(uint32_t nr)
{
	gen_process(&g, 0, 0, 0, 78, "3.xvdd-0", XBLK_PROCESS_KTHREAD);
	gen_event(&g, GEN_GUEST, 0, 1000, XBLK_EV_QUEUE, XBLK_OP_READ, 64, nr, 1, 500);
	on_disk(GEN_GUEST, 3);
	gen_event(&g, GEN_GUEST, 0, 1010, XBLK_EV_ISSUE, XBLK_OP_READ, 64, nr, 100, 1);
	on_disk(GEN_GUEST, 3);
	gen_event(&g, 0, 0, 1100, XBLK_EV_QUEUE, XBLK_OP_READ, 64, nr, 10, 78);
	on_disk(0, 2);
}

static void assert_clone(const struct xblk_clone *c, unsigned int level, uint64_t sector,
			 uint64_t q, uint64_t d, uint64_t done)
{
	assert_int_equal(c->level, level);
	assert_int_equal(c->sector, sector);
	assert_int_equal(c->q_ns, q ? GEN_START + q : 0);
	assert_int_equal(c->d_ns, d ? GEN_START + d : 0);
	assert_int_equal(c->c_ns, done ? GEN_START + done : 0);
}

/* A stripe: two clones of dom0's bio, of which the first to be sent is done last. */
static void clones(void **ctx)
{
	const struct xblk_request *r;

	(void)ctx;
	layered(16);
	sent(1110, 4096, 11, 64);
	sent(1120, 8192, 12, 72);
	DOM0(1130, REQUEUE, READ, 8192, 8, 212, 12);
	DOM0(1150, ISSUE, READ, 8192, 8, 212, 12);
	DOM0(1200, COMPLETE, READ, 8192, 8, 212, 5);
	DOM0(1300, COMPLETE, READ, 4096, 8, 211, 0);
	DOM0(1310, BIO_COMPLETE, READ, 0, 0, 10, 0);
	on_disk(0, 2);
	GUEST(1400, COMPLETE, READ, 64, 16, 100, 0);
	on_disk(GEN_GUEST, 3);
	read_all();
	assert_int_equal(t.nr, 1);
	r = &t.requests[0];
	assert_int_equal(r->bin, BIN_JOINED);
	assert_string_equal(t.label, "xvdd");
	assert_string_equal(t.lowest[0], "nvme0n1");
	assert_int_equal(r->nr_clones, 2);
	assert_int_equal(r->first_clone_ns, GEN_START + 1200);
	assert_clone(&r->clones[0], 1, 8192, 1121, 1122, 1200);
	assert_string_equal(t.clones[0][0], "nvme0n1");
	assert_int_equal(r->clones[0].nr_sectors, 8);
	assert_int_equal(r->clones[0].requeues, 1);
	assert_int_equal(r->clones[0].requeued_ns, 20);
	assert_int_equal(r->clones[0].error, 5);
	assert_clone(&r->clones[1], 1, 4096, 1111, 1112, 1300);
	assert_int_equal(r->clones[1].requeues, 0);
	assert_int_equal(r->clones[1].error, 0);
	assert_int_equal(r->backend_error, 5);
	assert_int_equal(r->lowest_q_ns, GEN_START + 1111);
	assert_int_equal(r->lowest_c_ns, GEN_START + 1300);
	assert_int_equal(r->backend_c_ns, GEN_START + 1310);
	assert_string_equal(t.backend_processes[0], "3.xvdd-0");
}

/* Of twelve the last eight are told of. */
static void many_clones(void **ctx)
{
	const struct xblk_request *r;

	(void)ctx;
	layered(96);
	for (uint32_t i = 0; i < 12; i++)
		sent(1110 + 10 * i, 4096 + 64 * i, 11 + i, 64 + 8 * i);
	for (uint32_t i = 0; i < 12; i++)
		DOM0(1300 + i, COMPLETE, READ, 4096 + 64 * i, 8, 211 + i, 0);
	DOM0(1320, BIO_COMPLETE, READ, 0, 0, 10, 0);
	on_disk(0, 2);
	GUEST(1400, COMPLETE, READ, 64, 96, 100, 0);
	on_disk(GEN_GUEST, 3);
	read_all();
	assert_int_equal(t.nr, 1);
	r = &t.requests[0];
	assert_int_equal(r->bin, BIN_JOINED);
	assert_int_equal(r->nr_clones, 12);
	assert_int_equal(r->first_clone_ns, GEN_START + 1300);
	for (unsigned int i = 0; i < XBLK_CLONES; i++)
		assert_clone(&r->clones[i], 1, 4096 + 64 * (4 + i), 1111 + 10 * (4 + i),
			     1112 + 10 * (4 + i), 1304 + i);
}

/* The block layer cuts a clone: what is cut from it is below it. */
static void clone_of_clone(void **ctx)
{
	const struct xblk_request *r;

	(void)ctx;
	layered(8);
	cloned(1110, 4096, 11, 64);
	DOM0(1112, SPLIT, READ, 4096, 4, 12, 78);
	DOM0(1120, ISSUE, READ, 4096, 4, 212, 12);
	DOM0(1130, ISSUE, READ, 4100, 4, 211, 11);
	DOM0(1200, COMPLETE, READ, 4100, 4, 211, 0);
	DOM0(1300, COMPLETE, READ, 4096, 4, 212, 0);
	DOM0(1310, BIO_COMPLETE, READ, 0, 0, 10, 0);
	on_disk(0, 2);
	GUEST(1400, COMPLETE, READ, 64, 8, 100, 0);
	on_disk(GEN_GUEST, 3);
	read_all();
	assert_int_equal(t.nr, 1);
	r = &t.requests[0];
	assert_int_equal(r->bin, BIN_JOINED);
	assert_int_equal(r->nr_clones, 2);
	assert_clone(&r->clones[0], 2, 4096, 1111, 1120, 1300);
	assert_clone(&r->clones[1], 1, 4096, 1111, 1120, 1300);
	assert_int_equal(r->clones[0].nr_sectors, 4);
	assert_int_equal(r->clones[1].nr_sectors, 8);
}

/*
 * A part has the identity of a bio of the same place whose end was not seen: it is no
 * rest of that one, from which nothing was cut.
 */
static void part_of_an_old_name(void **ctx)
{
	const struct xblk_request *r;

	(void)ctx;
	DOM0(500, QUEUE, READ, 64, 8, 30, 999);
	GUEST(1000, QUEUE, READ, 64, 16, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 16, 100, 1);
	DOM0(1100, QUEUE, READ, 64, 16, 10, GEN_KTHREAD);
	DOM0(1105, SPLIT, READ, 64, 8, 30, GEN_KTHREAD);
	DOM0(1110, ISSUE, READ, 64, 8, 200, 30);
	DOM0(1120, ISSUE, READ, 72, 8, 201, 10);
	DOM0(1200, COMPLETE, READ, 72, 8, 201, 0);
	DOM0(1210, COMPLETE, READ, 64, 8, 200, 0);
	GUEST(1300, COMPLETE, READ, 64, 16, 100, 0);
	read_all();
	assert_int_equal(t.nr, 1);
	r = &t.requests[0];
	assert_int_equal(r->bin, BIN_JOINED);
	assert_int_equal(r->backend_c_ns, GEN_START + 1210);
	assert_int_equal(r->nr_clones, 1);
	assert_clone(&r->clones[0], 1, 64, 1100, 1110, 1210);
}

/* What dom0 makes one request of has its times, and how many it is of. */
static void merged_in_dom0(void **ctx)
{
	(void)ctx;
	for (uint32_t i = 0; i < 2; i++) {
		GUEST(1000 + i, QUEUE, READ, 64 + 8 * i, 8, 1 + i, 500);
		GUEST(1010 + i, ISSUE, READ, 64 + 8 * i, 8, 100 + i, 1 + i);
		DOM0(1100 + i, QUEUE, READ, 64 + 8 * i, 8, 10 + i, GEN_KTHREAD);
	}
	DOM0(1102, BACKMERGE, READ, 72, 8, 11, GEN_KTHREAD);
	DOM0(1110, ISSUE, READ, 64, 16, 200, 10);
	DOM0(1110, PART, READ, 72, 8, 200, 11);
	DOM0(1200, COMPLETE, READ, 64, 16, 200, 0);
	for (uint32_t i = 0; i < 2; i++)
		GUEST(1300 + i, COMPLETE, READ, 64 + 8 * i, 8, 100 + i, 0);
	read_all();
	assert_int_equal(t.nr, 2);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(t.requests[i].bin, BIN_JOINED);
		assert_int_equal(t.requests[i].nr_bios, 1);
		assert_int_equal(t.requests[i].nr_backend_bios, 1);
		assert_int_equal(t.requests[i].lowest_nr_bios, 2);
	}
}

/* It hangs in dom0's queue, then at the disk: so far it is told. */
static void hangs(bool issued)
{
	const struct xblk_request *r;

	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	DOM0(1100, QUEUE, READ, 64, 8, 10, GEN_KTHREAD);
	if (issued) {
		DOM0(1110, ISSUE, READ, 64, 8, 200, 10);
		DOM0(1120, REQUEUE, READ, 64, 8, 200, 10);
		DOM0(1150, ISSUE, READ, 64, 8, 200, 10);
	}
	read_all();
	assert_int_equal(t.nr, 1);
	r = &t.requests[0];
	assert_int_equal(r->bin, BIN_IN_FLIGHT);
	assert_false(r->measured);
	assert_int_equal(r->reached, issued ? STAGE_0_D2C : STAGE_0_Q2D);
	assert_int_equal(r->backend_q_ns, GEN_START + 1100);
	assert_int_equal(r->backend_d_ns, issued ? GEN_START + 1110 : 0);
	assert_int_equal(r->backend_c_ns, 0);
	assert_int_equal(r->backend_pid, GEN_KTHREAD);
	assert_string_equal(t.backend_processes[0], "3.xvda-0");
	assert_string_equal(t.lowest[0], "nvme0n1");
	assert_int_equal(r->lowest_q_ns, GEN_START + 1100);
	assert_int_equal(r->lowest_c_ns, 0);
	assert_int_equal(r->lowest_requeues, issued);
	assert_int_equal(r->lowest_requeued_ns, issued ? 30 : 0);
	assert_int_equal(r->lowest_nr_bios, issued);
	assert_int_equal(r->nr_clones, 0);
	assert_int_equal(r->stages[STAGE_Q2C], 0);
}

static void hangs_in_dom0(void **ctx)
{
	(void)ctx;
	hangs(false);
	trace_again();
	hangs(true);
}

/* One part of a stripe hangs: which one, is told. */
static void hangs_in_a_clone(void **ctx)
{
	const struct xblk_request *r;

	(void)ctx;
	layered(24);
	sent(1110, 4096, 11, 64);
	sent(1120, 8192, 12, 72);
	cloned(1130, 12288, 13, 80);
	DOM0(1200, COMPLETE, READ, 8192, 8, 212, 0);
	read_all();
	assert_int_equal(t.nr, 1);
	r = &t.requests[0];
	assert_int_equal(r->bin, BIN_IN_FLIGHT);
	assert_int_equal(r->backend_q_ns, GEN_START + 1100);
	assert_int_equal(r->backend_d_ns, 0);
	assert_string_equal(t.lowest[0], "");
	assert_int_equal(r->nr_clones, 3);
	assert_int_equal(r->first_clone_ns, GEN_START + 1200);
	assert_clone(&r->clones[0], 1, 8192, 1121, 1122, 1200);
	assert_clone(&r->clones[1], 1, 4096, 1111, 1112, 0);
	assert_clone(&r->clones[2], 1, 12288, 1131, 0, 0);
}

/* dom0 is done with it, and the guest does not take the response. */
static void hangs_behind_dom0(void **ctx)
{
	const struct xblk_request *r;

	(void)ctx;
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	DOM0(1100, QUEUE, READ, 64, 8, 10, GEN_KTHREAD);
	DOM0(1110, ISSUE, READ, 64, 8, 200, 10);
	DOM0(1200, COMPLETE, READ, 64, 8, 200, 5);
	read_all();
	assert_int_equal(t.nr, 1);
	r = &t.requests[0];
	assert_int_equal(r->bin, BIN_IN_FLIGHT);
	assert_int_equal(r->reached, STAGE_0_T);
	assert_int_equal(r->backend_q_ns, GEN_START + 1100);
	assert_int_equal(r->backend_d_ns, GEN_START + 1110);
	assert_int_equal(r->backend_c_ns, GEN_START + 1200);
	assert_int_equal(r->lowest_c_ns, GEN_START + 1200);
	assert_int_equal(r->backend_error, 5);
}

/*
 * Two at one place, whose order is not told, and dom0 has a bio of one of them: it is not
 * known of which.  Nor is it where dom0 lost records meanwhile.
 */
static void hangs_untold(void **ctx)
{
	(void)ctx;
	for (uint32_t i = 0; i < 2; i++) {
		GUEST(1000 + i, QUEUE, READ, 64, 8, 1 + i, 500);
		GUEST(1010 + i, ISSUE, READ, 64, 8, 100 + i, 1 + i);
	}
	DOM0(1100, QUEUE, READ, 64, 8, 10, GEN_KTHREAD);
	read_all();
	assert_int_equal(t.nr, 2);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(t.requests[i].backend_q_ns, 0);

	trace_again();
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	DOM0(1100, QUEUE, READ, 64, 8, 10, GEN_KTHREAD);
	gen_lost(&g, 0, 0, 1120, 1190, 3);
	read_all();
	assert_int_equal(t.nr, 1);
	assert_int_equal(t.requests[0].bin, BIN_LOST);
	assert_int_equal(t.requests[0].backend_q_ns, 0);
}

/* What was lost around it, on which side, and where it is not joined, why. */
static void losses(void **ctx)
{
	const struct xblk_request *r;

	(void)ctx;
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	gen_lost(&g, 0, 0, 1020, 1090, 3);
	GUEST(1300, COMPLETE, READ, 64, 8, 100, 0);
	GUEST(9000000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(9000010, ISSUE, READ, 64, 8, 101, 1);
	DOM0(9000100, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(9000110, ISSUE, READ, 64, 8, 200, 2);
	DOM0(9000200, COMPLETE, READ, 64, 8, 200, 0);
	GUEST(9000300, COMPLETE, READ, 64, 8, 101, 0);
	read_all();
	assert_int_equal(t.nr, 2);
	for (unsigned int i = 0; i < 2; i++) {
		r = &t.requests[i];
		assert_int_equal(r->guest_lost_from_ns, 0);
		if (r->bin == BIN_JOINED) {
			assert_int_equal(r->backend_lost_from_ns, 0);
			assert_int_equal(r->backend_lost_to_ns, 0);
			continue;
		}
		assert_int_equal(r->bin, BIN_LOST);
		assert_string_equal(r->why, "records were lost about then");
		assert_int_equal(r->backend_lost_from_ns, GEN_START + 1020);
		assert_int_equal(r->backend_lost_to_ns, GEN_START + 1090);
		assert_string_equal(t.backend_processes[i], "?");
	}
}

/* What is not known is 0, and there are no stages. */
static void parts_of_it(void **ctx)
{
	const struct xblk_request *r;

	(void)ctx;
	GUEST(1000, COMPLETE, READ, 64, 8, 100, 0);
	GUEST(2000, QUEUE, READ, 128, 8, 1, 500);
	GUEST(2100, ISSUE, READ, 128, 8, 101, 1);
	read_all();
	assert_int_equal(t.nr, 2);
	r = &t.requests[0];
	assert_int_equal(r->bin, BIN_BEFORE_TRACE);
	assert_false(r->measured);
	assert_int_equal(r->q_ns, 0);
	assert_int_equal(r->d_ns, 0);
	assert_int_equal(r->c_ns, GEN_START + 1000);
	assert_int_equal(r->pid, 0);
	assert_string_equal(t.processes[0], "?");
	assert_string_equal(r->why, "only its end is in the trace");
	assert_int_equal(r->ring, -1);
	assert_int_equal(r->first_d_ns, 0);
	r = &t.requests[1];
	assert_int_equal(r->bin, BIN_IN_FLIGHT);
	assert_false(r->measured);
	assert_int_equal(r->q_ns, GEN_START + 2000);
	assert_int_equal(r->d_ns, GEN_START + 2100);
	assert_int_equal(r->c_ns, 0);
	assert_int_equal(r->backend_q_ns, 0);
	assert_int_equal(r->stages[STAGE_Q2C], 0);
	assert_string_equal(r->why, "it has not come back");
	assert_int_equal(r->reached, STAGE_U_T);
	assert_int_equal(r->backend_pid, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TRACE_TEST(all_of_it),	      TRACE_TEST(identity),
		TRACE_TEST(requeued_in_dom0), TRACE_TEST(clones),
		TRACE_TEST(losses),	      TRACE_TEST(parts_of_it),
		TRACE_TEST(many_clones),      TRACE_TEST(clone_of_clone),
		TRACE_TEST(merged_in_dom0),   TRACE_TEST(hangs_in_dom0),
		TRACE_TEST(hangs_in_a_clone), TRACE_TEST(hangs_behind_dom0),
		TRACE_TEST(hangs_untold),     TRACE_TEST(part_of_an_old_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
