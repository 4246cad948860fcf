// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests for one place, which are in flight at a time: where a ring, its thread or an
 * order tells them apart they are told right, and where nothing does they are ambiguous.
 */
#include <stdio.h>

#include "test_parse_util.h"

#define US	1000ull
#define MS	1000000ull
#define CPUS	4
#define OTHER	4 /* a second guest on the same disk */
#define SECTOR	64
#define DM	1
#define THREAD	80 /* of ring @n of guest 3: + n, of guest 4: + 10 */
#define KWORKER 99

/* Right for one D of a guest. */
struct right {
	unsigned int domid;
	uint64_t d_ns;
	int64_t stages[STAGE_PARTS];
	bool told;
};

#define MAX_RIGHT 4096

static struct right rights[MAX_RIGHT];
static unsigned int nr_rights, nr_joined, nr_ambiguous, nr_wrong;

static void right(unsigned int domid, uint64_t q, uint64_t d, uint64_t q0, uint64_t d0,
		  uint64_t c0, uint64_t c)
{
	assert_in_range(nr_rights, 0, MAX_RIGHT - 1);
	rights[nr_rights++] = (struct right){
		.domid = domid,
		.d_ns = d,
		.stages = {d - q, q0 - d, d0 - q0, c0 - d0, c - c0},
	};
}

static void check_request(void *ctx, const struct xblk_request *r)
{
	struct right *is = rights;

	(void)ctx;
	while (is < rights + nr_rights &&
	       (is->domid != r->domid || is->d_ns + GEN_START != r->d_ns))
		is++;
	if (is == rights + nr_rights || is->told) {
		nr_wrong++;
		return;
	}
	is->told = true;
	nr_joined += r->bin == BIN_JOINED;
	nr_ambiguous += r->bin == BIN_AMBIGUOUS;
	nr_wrong += r->bin != BIN_JOINED && r->bin != BIN_AMBIGUOUS;
	if (r->bin == BIN_JOINED)
		nr_wrong += memcmp(is->stages, r->stages, sizeof(is->stages)) != 0;
}

static const char meta[] =
	"{\"host\": \"host\", \"backend\": {\"domid\": 0, \"disks\":"
	" [{\"index\": 0, \"dev\": \"259:0\", \"name\": \"nvme0n1\"},"
	"  {\"index\": 1, \"dev\": \"254:0\", \"name\": \"dm-0\"}]}, \"guests\":"
	" [{\"domid\": 3, \"name\": \"guest1\", \"disks\":"
	"   [{\"index\": 0, \"devid\": 51712, \"name\": \"xvda\", \"backend_disk\": 0},"
	"    {\"index\": 1, \"devid\": 51728, \"name\": \"xvdb\", \"backend_disk\": 1}]},"
	"  {\"domid\": 4, \"name\": \"guest2\", \"disks\":"
	"   [{\"index\": 0, \"devid\": 51712, \"name\": \"xvda\", \"backend_disk\": 0},"
	"    {\"index\": 1, \"devid\": 51728, \"name\": \"xvdb\", \"backend_disk\": 1}]}]}";

static uint64_t place; /* where the next event is, if it has one */

static void begin(struct gen *g, const char *disk)
{
	char name[16];

	nr_rights = nr_joined = nr_ambiguous = nr_wrong = 0;
	place = SECTOR;
	gen_init_bare(g);
	gen_chunk(g, XBLK_CHUNK_META, 0, 0, 0, 0, meta, strlen(meta));
	for (unsigned int guest = 3; guest <= OTHER; guest++) {
		for (unsigned int ring = 0; ring < CPUS; ring++) {
			snprintf(name, sizeof(name), "%u.%s-%u", guest, disk, ring);
			gen_process(g, 0, 0, 0, THREAD + 10 * (guest - 3) + ring, name,
				    XBLK_PROCESS_KTHREAD);
		}
	}
	gen_process(g, 0, 0, 0, KWORKER, "kworker/0:1", XBLK_PROCESS_KTHREAD);
}

/* An event of the only disk that a test uses, of the guest's or dom0's. */
static void event(struct gen *g, unsigned int domid, unsigned int cpu, unsigned int disk,
		  uint64_t ns, unsigned int event, uint32_t id, uint32_t aux)
{
	gen_event(g, domid, cpu, ns, event, XBLK_OP_READ, place, 8, id, aux);
	gen_last(g, domid, cpu)->disk = disk;
}

/* What has neither operation nor place. */
static void bare_event(struct gen *g, unsigned int domid, unsigned int cpu,
		       unsigned int disk, uint64_t ns, unsigned int event, uint32_t id,
		       uint32_t aux)
{
	gen_event(g, domid, cpu, ns, event, 0, 0, 0, id, aux);
	gen_last(g, domid, cpu)->disk = disk;
}

static void finish(struct gen *g, uint64_t ns)
{
	struct outcome o;

	gen_end(g, ns);
	msg_silent = true;
	outcome_init(&o, g->data, g->len);
	o.parse.tally.on_request = check_request;
	parse_run(&o.parse);
	assert_false(o.parse.problems);
	check_bins(&o);
	for (unsigned int i = 0; i < nr_rights; i++)
		assert_true(rights[i].told);
	done(&o, g);
	print_message("%u joined, %u ambiguous, %u wrong\n", nr_joined, nr_ambiguous,
		      nr_wrong);
	assert_int_equal(nr_wrong, 0);
}

/* One read of @nr vCPUs each at the same time, whose threads run in the order @order. */
static void lockstep(struct gen *g, uint64_t ns, unsigned int nr,
		     const unsigned int *vcpus, const unsigned int *order)
{
	for (unsigned int i = 0; i < nr; i++) {
		uint64_t q = ns + 100 * i;

		event(g, 3, vcpus[i], 0, q, XBLK_EV_QUEUE, 1 + vcpus[i], 500 + vcpus[i]);
		event(g, 3, vcpus[i], 0, q + 10, XBLK_EV_ISSUE, 100 + vcpus[i],
		      1 + vcpus[i]);
	}
	for (unsigned int i = 0; i < nr; i++) {
		unsigned int vcpu = vcpus[order[i]];
		uint64_t q0 = ns + 10 * US + 100 * i;

		event(g, 0, 0, 0, q0, XBLK_EV_QUEUE, 10 + vcpu, THREAD + vcpu);
		event(g, 0, 0, 0, q0 + 50, XBLK_EV_ISSUE, 200 + vcpu, 10 + vcpu);
	}
	for (unsigned int i = 0; i < nr; i++) {
		unsigned int at = order[nr - 1 - i], vcpu = vcpus[at];
		uint64_t q = ns + 100 * at, q0 = ns + 10 * US + 100 * (nr - 1 - i);
		uint64_t c0 = ns + 100 * US + 10 * US * i, c = c0 + 5 * US;

		event(g, 0, 0, 0, c0, XBLK_EV_COMPLETE, 200 + vcpu, 0);
		event(g, 3, vcpu, 0, c, XBLK_EV_COMPLETE, 100 + vcpu, 0);
		right(3, q, q + 10, q0, q0 + 50, c0, c);
	}
}

static const unsigned int all_vcpus[CPUS] = {0, 1, 2, 3};

/* Another order each time. */
static void order_of(unsigned int n, unsigned int order[CPUS])
{
	unsigned int left[CPUS] = {0, 1, 2, 3};

	for (unsigned int i = 0; i < CPUS; i++) {
		unsigned int at = n % (CPUS - i);

		n /= CPUS - i;
		order[i] = left[at];
		memmove(&left[at], &left[at + 1], (CPUS - 1 - at) * sizeof(*left));
	}
}

/*
 * fio --numjobs=4 --rw=read on one disk: each vCPU has a ring, and each ring's thread
 * runs when it runs.  What each had to itself at first has shown whose the threads are.
 */
static void rings(void **ctx)
{
	static const unsigned int first[CPUS] = {0};
	unsigned int order[CPUS];
	struct gen g;

	(void)ctx;
	begin(&g, "xvda");
	for (unsigned int vcpu = 0; vcpu < CPUS; vcpu++)
		lockstep(&g, (1 + vcpu) * MS, 1, &vcpu, first);
	for (unsigned int i = 0; i < 500; i++) {
		order_of(i, order);
		lockstep(&g, (10 + i) * MS, CPUS, all_vcpus, order);
	}
	finish(&g, 600 * MS);
	assert_int_equal(nr_joined, 2004);
}

/* If nothing has, none of them is told; what comes behind them alone is. */
static void unknown_rings(void **ctx)
{
	static const unsigned int first[CPUS] = {0};
	unsigned int order[CPUS];
	struct gen g;

	(void)ctx;
	begin(&g, "xvda");
	for (unsigned int i = 0; i < 100; i++) {
		order_of(i, order);
		lockstep(&g, (10 + i) * MS, CPUS, all_vcpus, order);
	}
	for (unsigned int vcpu = 0; vcpu < CPUS; vcpu++)
		lockstep(&g, (500 + vcpu) * MS, 1, &vcpu, first);
	finish(&g, 600 * MS);
	assert_int_equal(nr_ambiguous, 400);
	assert_int_equal(nr_joined, 4);
}

/*
 * Four vCPUs, one ring: they put their requests on it in another order than they issued
 * them (blkfront's lock is taken after the D), which is that of dom0's.
 */
static void one_ring(struct gen *g, uint64_t ns, const unsigned int *order, bool told,
		     uint32_t *ordinal)
{
	for (unsigned int i = 0; i < CPUS; i++) {
		event(g, 3, i, 0, ns + 100 * i, XBLK_EV_QUEUE, 1 + i, 500 + i);
		event(g, 3, i, 0, ns + 100 * i + 10, XBLK_EV_ISSUE, 100 + i, 1 + i);
	}
	for (unsigned int i = 0; i < CPUS && told; i++)
		bare_event(g, 3, order[i], 0, ns + US + i, XBLK_EV_ORDER, 100 + order[i],
			   (*ordinal)++);
	for (unsigned int i = 0; i < CPUS; i++) {
		uint64_t q0 = ns + 10 * US + 100 * i;

		event(g, 0, 0, 0, q0, XBLK_EV_QUEUE, 10 + i, THREAD);
		event(g, 0, 0, 0, q0 + 50, XBLK_EV_ISSUE, 200 + i, 10 + i);
	}
	for (unsigned int i = 0; i < CPUS; i++) {
		uint64_t c0 = ns + 100 * US + 10 * US * i, c = c0 + 5 * US;
		uint64_t q = ns + 100 * order[i], q0 = ns + 10 * US + 100 * i;

		event(g, 0, 0, 0, c0, XBLK_EV_COMPLETE, 200 + i, 0);
		event(g, 3, order[i], 0, c, XBLK_EV_COMPLETE, 100 + order[i], 0);
		right(3, q, q + 10, q0, q0 + 50, c0, c);
	}
}

static void order_on_a_ring(void **ctx)
{
	uint32_t ordinal = 7;
	struct gen g;

	(void)ctx;
	for (int told = 1; told >= 0; told--) {
		begin(&g, "xvda");
		for (unsigned int i = 0; i < 100; i++) {
			unsigned int order[CPUS];

			order_of(i, order);
			one_ring(&g, (1 + i) * MS, order, told, &ordinal);
		}
		finish(&g, 200 * MS);
		assert_int_equal(nr_joined, told ? 400 : 0);
		assert_int_equal(nr_ambiguous, told ? 0 : 400);
	}
}

/* A bio of blkback's on dm-0, of request @n of its ring, and its clone, sent on later. */
static void upper(struct gen *g, uint64_t ns, uint32_t id, uint32_t thread, uint32_t n)
{
	event(g, 0, 0, DM, ns, XBLK_EV_QUEUE, id, thread);
	bare_event(g, 0, 0, DM, ns + 1, XBLK_EV_BACKEND_BIO, id, n);
}

static void clone(struct gen *g, uint64_t ns, uint32_t id, uint32_t rq)
{
	event(g, 0, 0, 0, ns, XBLK_EV_REMAP, id, KWORKER);
	event(g, 0, 0, DM, ns, XBLK_EV_REMAP_FROM, id, KWORKER);
	event(g, 0, 0, 0, ns + 10, XBLK_EV_QUEUE, id, KWORKER);
	event(g, 0, 0, 0, ns + 50, XBLK_EV_ISSUE, rq, id);
}

/* The clone of the bio is done, the bio, and the guest's request. */
static void finished(struct gen *g, uint64_t ns, uint32_t rq, uint32_t id,
		     unsigned int domid, uint32_t guest_rq)
{
	event(g, 0, 0, 0, ns, XBLK_EV_COMPLETE, rq, 0);
	bare_event(g, 0, 0, DM, ns + 1 * US, XBLK_EV_BIO_COMPLETE, id, 0);
	event(g, domid, 0, 1, ns + 5 * US, XBLK_EV_COMPLETE, guest_rq, 0);
}

/*
 * Eight reads of one block over dm-delay, which sends them on in the order in which they
 * came (but another layer would not), and a disk that does them in another one.  If they
 * are of blocks of their own (@apart), each clone is one's.
 */
static void held(bool apart)
{
	enum {
		NR = 8
	};
	uint32_t ordinal = 7;
	struct gen g;

	begin(&g, "xvdb");
	for (unsigned int turn = 0; turn < 50; turn++) {
		uint64_t ns = (1 + turn) * 40 * MS;

		for (unsigned int i = 0; i < NR; i++) {
			place = SECTOR + apart * 64 * i;
			event(&g, 3, 0, 1, ns + 300 * i, XBLK_EV_QUEUE, 1 + i, 500 + i);
			event(&g, 3, 0, 1, ns + 300 * i + 10, XBLK_EV_ISSUE, 100 + i,
			      1 + i);
			bare_event(&g, 3, 0, 1, ns + 300 * i + 20, XBLK_EV_ORDER, 100 + i,
				   ordinal++);
		}
		for (unsigned int i = 0; i < NR; i++) {
			place = SECTOR + apart * 64 * i;
			upper(&g, ns + 10 * US + US * i, 10 + i, THREAD, 900 + i);
		}
		for (unsigned int i = 0; i < NR; i++) {
			place = SECTOR + apart * 64 * i;
			clone(&g, ns + 30 * MS + US * i, 30 + i, 200 + i);
		}
		for (unsigned int k = 0; k < NR; k++) {
			unsigned int i = (3 * k + turn) % NR;
			uint64_t q = ns + 300 * i, c0 = ns + 31 * MS + 100 * US * k;

			place = SECTOR + apart * 64 * i;
			finished(&g, c0, 200 + i, 10 + i, 3, 100 + i);
			right(3, q, q + 10, ns + 10 * US + US * i,
			      ns + 30 * MS + US * i + 50, c0 + 1 * US, c0 + 5 * US);
		}
	}
	finish(&g, 3000 * MS);
	assert_int_equal(nr_joined, apart ? 400 : 0);
	assert_int_equal(nr_ambiguous, apart ? 0 : 400);
}

static void held_at_a_place(void **ctx)
{
	(void)ctx;
	held(true);
	held(false);
}

/*
 * Two guests read the same block of one volume: which of the clones is whose is not told.
 * If they read blocks of their own (@apart), it is.
 */
static void two_guests(bool apart)
{
	struct gen g;

	begin(&g, "xvdb");
	for (unsigned int turn = 0; turn < 100; turn++) {
		uint64_t ns = (1 + turn) * 40 * MS;

		for (unsigned int i = 0; i < 2; i++) {
			uint64_t q = ns + 300 * i;

			place = SECTOR + apart * 64 * i;
			event(&g, 3 + i, 0, 1, q, XBLK_EV_QUEUE, 1, 500);
			event(&g, 3 + i, 0, 1, q + 10, XBLK_EV_ISSUE, 100, 1);
			bare_event(&g, 3 + i, 0, 1, q + 20, XBLK_EV_ORDER, 100, turn);
		}
		for (unsigned int i = 0; i < 2; i++) {
			place = SECTOR + apart * 64 * i;
			upper(&g, ns + 10 * US + US * i, 10 + i, THREAD + 10 * i, 900);
		}
		for (unsigned int i = 0; i < 2; i++) {
			place = SECTOR + apart * 64 * i;
			clone(&g, ns + 30 * MS + US * i, 30 + i, 200 + i);
		}
		for (unsigned int k = 0; k < 2; k++) {
			unsigned int i = (k + turn) % 2;
			uint64_t q = ns + 300 * i, c0 = ns + 31 * MS + 100 * US * k;

			place = SECTOR + apart * 64 * i;
			finished(&g, c0, 200 + i, 10 + i, 3 + i, 100);
			right(3 + i, q, q + 10, ns + 10 * US + US * i,
			      ns + 30 * MS + US * i + 50, c0 + 1 * US, c0 + 5 * US);
		}
	}
	finish(&g, 5000 * MS);
	assert_int_equal(nr_joined, apart ? 200 : 0);
	assert_int_equal(nr_ambiguous, apart ? 0 : 200);
}

static void guests_at_a_place(void **ctx)
{
	(void)ctx;
	two_guests(true);
	two_guests(false);
}

/* A bio of @nr sectors from @sector on: its Q or D, or its end. */
static void at(struct gen *g, unsigned int domid, unsigned int cpu, uint64_t ns,
	       unsigned int event, uint64_t sector, uint32_t nr, uint32_t id,
	       uint32_t aux)
{
	gen_event(g, domid, cpu, ns, event, XBLK_OP_READ, sector, nr, id, aux);
	gen_last(g, domid, cpu)->disk = 0;
}

/*
 * Two begin at one place, on one ring, and one of them is longer.  A third begins where
 * the shorter one ends: what the thread queues there may be the longer one's.
 */
static void behind_the_shorter(void **ctx)
{
	static const struct {
		uint64_t sector;
		uint32_t nr;
	} of[] = {{64, 8}, {64, 16}, {72, 8}};
	/* The longer one is done first, in two bios, and each is back before the next. */
	static const struct {
		unsigned int of;
		uint64_t sector;
	} bios[] = {{1, 64}, {1, 72}, {2, 72}, {0, 64}};
	uint64_t q0[3] = {0}, c0[3];
	struct gen g;

	(void)ctx;
	begin(&g, "xvda");
	for (unsigned int i = 0; i < 3; i++) {
		at(&g, 3, i, MS + i, XBLK_EV_QUEUE, of[i].sector, of[i].nr, 1 + i, 500);
		at(&g, 3, i, MS + 10 + i, XBLK_EV_ISSUE, of[i].sector, of[i].nr, 100 + i,
		   1 + i);
	}
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t ns = MS + (1 + i + i / 2 * 50 + i / 3 * 50) * 10 * US;
		unsigned int rq = bios[i].of;

		at(&g, 0, 0, ns, XBLK_EV_QUEUE, bios[i].sector, 8, 10 + i, THREAD);
		at(&g, 0, 0, ns + 50, XBLK_EV_ISSUE, bios[i].sector, 8, 200 + i, 10 + i);
		at(&g, 0, 0, ns + US, XBLK_EV_COMPLETE, bios[i].sector, 8, 200 + i, 0);
		q0[rq] = ns;
		c0[rq] = ns + US;
	}
	for (unsigned int i = 0; i < 3; i++) {
		uint64_t c = c0[i] + 100 * US;

		at(&g, 3, 0, c, XBLK_EV_COMPLETE, of[i].sector, of[i].nr, 100 + i, 0);
		right(3, MS + i, MS + 10 + i, q0[i], q0[i] + 50, c0[i], c);
	}
	finish(&g, 20 * MS);
	assert_int_equal(nr_ambiguous, 3);
}

/* A request: when it is issued, and from 5 us before on; and when it is back. */
struct one {
	uint64_t d_us, c_us, sector;
	uint32_t nr;
	unsigned int vcpu;
	uint32_t order; /* on ring 0; 0: it is not told */
};

/* A bio of dom0's, and of which of these it is; ONE_UNSEEN: of one before the trace. */
struct part {
	uint64_t us, sector;
	uint32_t nr;
	unsigned int of, ring;
};

#define ONE_UNSEEN 9

/* Each bio is issued at once, and done in 1 us.  Responses come on a vCPU of their own. */
static void play(const struct one *ones, unsigned int nr, const struct part *parts,
		 unsigned int nr_parts)
{
	uint64_t q0[ONE_UNSEEN + 1];
	struct gen g;

	begin(&g, "xvda");
	for (unsigned int i = 0; i < nr; i++) {
		const struct one *r = &ones[i];
		uint64_t d = MS + r->d_us * US;

		at(&g, 3, r->vcpu, d - 5 * US, XBLK_EV_QUEUE, r->sector, r->nr, 1 + i,
		   500);
		at(&g, 3, r->vcpu, d, XBLK_EV_ISSUE, r->sector, r->nr, 100 + i, 1 + i);
		if (r->order)
			bare_event(&g, 3, r->vcpu, 0, d + 1, XBLK_EV_ORDER, 100 + i,
				   r->order);
	}
	for (unsigned int i = 0; i < nr_parts; i++) {
		const struct part *b = &parts[i];
		uint64_t ns = MS + b->us * US;

		at(&g, 0, 0, ns, XBLK_EV_QUEUE, b->sector, b->nr, 10 + i,
		   THREAD + b->ring);
		at(&g, 0, 0, ns, XBLK_EV_ISSUE, b->sector, b->nr, 200 + i, 10 + i);
		at(&g, 0, 0, ns + US, XBLK_EV_COMPLETE, b->sector, b->nr, 200 + i, 0);
		q0[b->of] = ns;
	}
	for (unsigned int i = 0; i < nr; i++) {
		const struct one *r = &ones[i];
		uint64_t d = MS + r->d_us * US, c = MS + r->c_us * US;

		at(&g, 3, CPUS, c, XBLK_EV_COMPLETE, r->sector, r->nr, 100 + i, 0);
		right(3, d - 5 * US, d, q0[i], q0[i], q0[i] + US, c);
	}
	finish(&g, 40 * MS);
}

/*
 * Here the longer one seems to have got what is the shorter one's, of another thread, and
 * the shorter one the first bio of the longer one.
 */
static void behind_what_was_taken(void **ctx)
{
	static const struct one ones[] = {
		{.d_us = 10, .c_us = 300, .sector = 64, .nr = 16, .vcpu = 2},
		{.d_us = 11, .c_us = 310, .sector = 64, .nr = 8, .vcpu = 1},
		{.d_us = 20, .c_us = 320, .sector = 72, .nr = 8, .vcpu = 2},
	};
	static const struct part parts[] = {
		{.us = 30, .of = 1, .sector = 64, .nr = 4, .ring = 1},
		{.us = 32, .of = 1, .sector = 68, .nr = 4, .ring = 1},
		{.us = 40, .of = 0, .sector = 64, .nr = 8, .ring = 2},
		{.us = 42, .of = 0, .sector = 72, .nr = 8, .ring = 2},
		{.us = 50, .of = 2, .sector = 72, .nr = 8, .ring = 2},
	};

	(void)ctx;
	play(ones, ARRAY_SIZE(ones), parts, ARRAY_SIZE(parts));
	assert_int_equal(nr_ambiguous, 3);
}

/*
 * The order of the first one is not told, so that its bio seems to be the second one's,
 * and that one's the third one's: the first one is too short for it.
 */
static void passed_over(void **ctx)
{
	static const struct one ones[] = {
		{.d_us = 10, .c_us = 300, .sector = 64, .nr = 8, .vcpu = 1},
		{.d_us = 20, .c_us = 310, .sector = 64, .nr = 32, .vcpu = 1, .order = 2},
		{.d_us = 30, .c_us = 320, .sector = 64, .nr = 32, .vcpu = 2, .order = 3},
		{.d_us = 40, .c_us = 330, .sector = 64, .nr = 32, .vcpu = 3, .order = 4},
	};
	static const struct part parts[] = {
		{.us = 50, .of = 0, .sector = 64, .nr = 8},
		{.us = 60, .of = 1, .sector = 64, .nr = 32},
		{.us = 70, .of = 2, .sector = 64, .nr = 32},
		{.us = 80, .of = 3, .sector = 64, .nr = 32},
	};

	(void)ctx;
	play(ones, ARRAY_SIZE(ones), parts, ARRAY_SIZE(parts));
	assert_int_equal(nr_ambiguous, 4);
}

/* The same when the first one has long been judged. */
static void passed_over_before(void **ctx)
{
	static const struct one ones[] = {
		{.d_us = 10, .c_us = 300, .sector = 64, .nr = 8, .vcpu = 1},
		{.d_us = 20, .c_us = 21000, .sector = 64, .nr = 32, .vcpu = 1, .order = 2},
		{.d_us = 30, .c_us = 21010, .sector = 64, .nr = 32, .vcpu = 2, .order = 3},
	};
	static const struct part parts[] = {
		{.us = 50, .of = 0, .sector = 64, .nr = 8},
		{.us = 20000, .of = 1, .sector = 64, .nr = 32},
		{.us = 20010, .of = 2, .sector = 64, .nr = 32},
	};

	(void)ctx;
	play(ones, ARRAY_SIZE(ones), parts, ARRAY_SIZE(parts));
	assert_int_equal(nr_ambiguous, 3);
}

/*
 * As in passed_over(), but the second one's is in two parts, of which the first seems to
 * be the third one's, and so the other one the fourth one's, which begins there.
 */
static void behind_one_passed_over(void **ctx)
{
	static const struct one ones[] = {
		{.d_us = 10, .c_us = 100, .sector = 64, .nr = 16, .vcpu = 1},
		{.d_us = 20, .c_us = 310, .sector = 64, .nr = 16, .vcpu = 1, .order = 2},
		{.d_us = 30, .c_us = 320, .sector = 64, .nr = 8, .vcpu = 2, .order = 4},
		{.d_us = 40, .c_us = 330, .sector = 72, .nr = 32, .vcpu = 3, .order = 5},
	};
	static const struct part parts[] = {
		{.us = 50, .of = 0, .sector = 64, .nr = 16},
		{.us = 110, .of = 1, .sector = 64, .nr = 8},
		{.us = 112, .of = 1, .sector = 72, .nr = 8},
		{.us = 120, .of = 2, .sector = 64, .nr = 8},
		{.us = 130, .of = 3, .sector = 72, .nr = 32},
	};

	(void)ctx;
	play(ones, ARRAY_SIZE(ones), parts, ARRAY_SIZE(parts));
	assert_int_equal(nr_ambiguous, 4);
}

/* The second bio of one of before the trace is at the place of another one. */
static void behind_one_unseen(void **ctx)
{
	static const struct one ones[] = {
		{.d_us = 10, .c_us = 300, .sector = 72, .nr = 8, .vcpu = 1},
	};
	static const struct part parts[] = {
		{.us = 30, .of = ONE_UNSEEN, .sector = 64, .nr = 8},
		{.us = 32, .of = ONE_UNSEEN, .sector = 72, .nr = 8},
		{.us = 40, .of = 0, .sector = 72, .nr = 8},
	};

	(void)ctx;
	play(ones, ARRAY_SIZE(ones), parts, ARRAY_SIZE(parts));
	assert_int_equal(nr_ambiguous, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rings),
		cmocka_unit_test(unknown_rings),
		cmocka_unit_test(order_on_a_ring),
		cmocka_unit_test(held_at_a_place),
		cmocka_unit_test(guests_at_a_place),
		cmocka_unit_test(behind_the_shorter),
		cmocka_unit_test(behind_what_was_taken),
		cmocka_unit_test(passed_over),
		cmocka_unit_test(passed_over_before),
		cmocka_unit_test(behind_one_passed_over),
		cmocka_unit_test(behind_one_unseen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
