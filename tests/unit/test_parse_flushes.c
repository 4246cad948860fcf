// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flushes as programs and filesystems ask for them, as the block layer makes requests of
 * them (block/blk-flush.c, 6.1): a guest of four vCPUs and one ring, so one queue, whose
 * disk has a cache and cannot write through (xen-blkfront does not offer it where the
 * backend flushes).  Responses come on vCPU 0, and what waited is issued there.  None is
 * told wrong, and most are told.
 */
#include "test_parse_util.h"

#include <inttypes.h>
#include <stdlib.h>

#define CPUS	    4
#define MAX_EVENTS  65536
#define MAX_FLUSHES 4096
#define BOTH	    (XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH)

struct event {
	uint64_t ns;
	size_t nr;
	unsigned int domid, cpu, event, op;
	uint64_t sector;
	uint32_t sectors, id, aux;
};

struct guest {
	struct event events[MAX_EVENTS];
	size_t nr_events;
	uint32_t ordinals[CPUS], last_id;
	bool queues;		/* each vCPU has its own, and so a ring */
	bool told;		/* which queue it is that a flush is waited for in */
	uint64_t done_ns[CPUS]; /* dom0's last flush of a queue */
	uint64_t random;
	struct {
		uint64_t q_ns, d_ns;
		uint64_t backend_ns; /* dom0's Q2D */
		int ring;
	} flushes[MAX_FLUSHES];
	unsigned int nr_flushes, nr_told, nr_wrong;
};

static uint64_t between(struct guest *u, uint64_t least, uint64_t most)
{
	u->random = u->random * 6364136223846793005ull + 1442695040888963407ull;
	return least + (u->random >> 33) % (most - least);
}

static void add(struct guest *u, unsigned int domid, unsigned int cpu, uint64_t ns,
		unsigned int event, unsigned int op, uint64_t sector, uint32_t sectors,
		uint32_t id, uint32_t aux)
{
	assert_true(u->nr_events < MAX_EVENTS);
	u->events[u->nr_events] = (struct event){ns, u->nr_events, domid,   cpu, event,
						 op, sector,	   sectors, id,	 aux};
	u->nr_events++;
}

#define ADD(domid, cpu, ns, ev, ...) add(u, domid, cpu, ns, XBLK_EV_##ev, __VA_ARGS__)

/* Request @rq is put where it waits for a flush of @queue, or is that; @bio: its own, or
 * 0. */
static void tell_queue(struct guest *u, unsigned int domid, unsigned int cpu, uint64_t ns,
		       unsigned int queue, uint32_t rq, uint32_t bio)
{
	if (u->told)
		ADD(domid, cpu, ns, FLUSH_QUEUE, 0, 7000 + queue, 0, rq, bio);
}

/* Its queue is that of @cpu. */
static unsigned int ring_of(const struct guest *u, unsigned int cpu)
{
	return u->queues ? cpu : 0;
}

/*
 * Where dom0 issues a flush that its thread queued on CPU @queued_on at *@ns: of one time
 * in fifty on another CPU, and when that CPU's queue is done with its last one.
 */
static unsigned int backend_flush(struct guest *u, unsigned int queued_on, uint64_t *ns)
{
	unsigned int cpu = queued_on;

	if (!u->queues)
		return cpu;
	if (!between(u, 0, 50)) {
		cpu = between(u, 0, CPUS);
		*ns += between(u, 2000, 20000);
	}
	if (*ns < u->done_ns[cpu])
		*ns = u->done_ns[cpu] + 1000;
	return cpu;
}

/* From its D on @cpu until it is back on its ring's vCPU: when that is. */
static uint64_t serve(struct guest *u, unsigned int cpu, uint64_t ns, unsigned int op,
		      uint64_t sector, uint32_t sectors, uint32_t rq, uint32_t first)
{
	const unsigned int ring = ring_of(u, cpu);
	uint32_t bio = ++u->last_id, id = ++u->last_id, waits = ++u->last_id;
	unsigned int backend_op = sectors ? op : BOTH, backend_cpu = ring;
	uint64_t queued, issued;

	ADD(GEN_GUEST, cpu, ns, ISSUE, op, sector, sectors, rq, first);
	if (!sectors)
		tell_queue(u, GEN_GUEST, cpu, ns, ring, rq, 0);
	ADD(GEN_GUEST, cpu, ns + 500, ORDER, 0, 0, ring, rq, u->ordinals[ring]++);
	queued = ns + between(u, 8000, 20000);
	ADD(0, ring, queued, QUEUE, backend_op, sector, sectors, bio, GEN_KTHREAD + ring);
	ADD(0, ring, queued + 1, BACKEND_BIO, 0, 0, 0, bio, 1 + rq % 1000);
	issued = queued + between(u, 500, 2000);
	if (!sectors) {
		backend_cpu = backend_flush(u, ring, &issued);
		tell_queue(u, 0, backend_cpu, issued - 200, backend_cpu, waits, bio);
		u->flushes[u->nr_flushes - 1].backend_ns = issued - queued;
		id = 0xf0000100u + backend_cpu;
	}
	ADD(0, backend_cpu, issued, ISSUE, op, sector, sectors, id, sectors ? bio : 0);
	if (!sectors)
		tell_queue(u, 0, backend_cpu, issued, backend_cpu, id, 0);
	ns = issued + (sectors ? between(u, 20000, 80000) : between(u, 200000, 900000));
	ADD(0, CPUS + backend_cpu, ns, COMPLETE, op, sector, sectors, id, 0);
	if (!sectors) {
		u->done_ns[backend_cpu] = ns;
		ADD(0, CPUS + backend_cpu, ns + 100, COMPLETE, XBLK_OP_WRITE, 0, 0, waits,
		    0);
	}
	ADD(0, CPUS + backend_cpu, ns + 200, RESPONSE, op, 0, 1 + rq % 1000, rq,
	    1 + ring);
	ns += between(u, 8000, 20000);
	ADD(GEN_GUEST, ring, ns, COMPLETE, op, sector, sectors, rq, 0);
	return ns;
}

/* A flush request, whose earliest Q was at @q_ns; 0: none. */
static uint64_t flush(struct guest *u, unsigned int cpu, uint64_t ns, uint64_t q_ns)
{
	assert_true(u->nr_flushes < MAX_FLUSHES);
	u->flushes[u->nr_flushes].d_ns = ns;
	u->flushes[u->nr_flushes].ring = ring_of(u, cpu);
	u->flushes[u->nr_flushes++].q_ns = q_ns ? q_ns : ns;
	return serve(u, cpu, ns, XBLK_OP_FLUSH, 0, 0, 0xf0000000u + ring_of(u, cpu), 0);
}

static uint64_t write_on(struct guest *u, unsigned int cpu, uint64_t ns)
{
	uint32_t bio = ++u->last_id, rq = ++u->last_id;
	uint64_t sector = 8ull * rq;

	ADD(GEN_GUEST, cpu, ns, QUEUE, XBLK_OP_WRITE, sector, 8, bio, 500 + cpu);
	return serve(u, cpu, ns + 1500, XBLK_OP_WRITE, sector, 8, rq, bio);
}

static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return x->nr < y->nr ? -1 : 1;
}

static void check_flush(void *ctx, const struct xblk_request *r)
{
	struct guest *u = ctx;

	if (r->nr_sectors || !r->measured)
		return;
	for (unsigned int i = 0; i < u->nr_flushes; i++) {
		uint64_t d_ns = GEN_START + u->flushes[i].d_ns;

		if (d_ns != r->d_ns || u->flushes[i].ring != r->ring)
			continue;
		u->nr_told++;
		u->nr_wrong +=
			r->stages[STAGE_U_Q2D] !=
				(int64_t)(u->flushes[i].d_ns - u->flushes[i].q_ns) ||
			r->stages[STAGE_0_Q2D] != (int64_t)u->flushes[i].backend_ns;
		return;
	}
	u->nr_wrong++;
}

/* What part of the flushes is told, of a thousand. */
static unsigned int told(struct guest *u)
{
	struct outcome o;
	struct gen g;

	gen_init(&g);
	for (unsigned int i = 0; u->queues && i < CPUS; i++) {
		char name[] = "3.xvda-0";

		name[sizeof(name) - 2] += i;
		gen_process(&g, 0, 0, 0, GEN_KTHREAD + i, name, XBLK_PROCESS_KTHREAD);
	}
	qsort(u->events, u->nr_events, sizeof(*u->events), by_time);
	for (size_t i = 0; i < u->nr_events; i++) {
		const struct event *e = &u->events[i];

		gen_event(&g, e->domid, e->cpu, e->ns, e->event, e->op, e->sector,
			  e->sectors, e->id, e->aux);
	}
	gen_end(&g, u->events[u->nr_events - 1].ns + 1000000000);
	msg_silent = true;
	outcome_init(&o, g.data, g.len);
	o.parse.tally.on_request = check_flush;
	o.parse.tally.ctx = u;
	parse_run(&o.parse);
	check_bins(&o);
	done(&o, &g);
	print_message("%u of %u flushes told\n", u->nr_told, u->nr_flushes);
	assert_int_equal(u->nr_wrong, 0);
	return 1000 * u->nr_told / u->nr_flushes;
}

static struct guest *guest_new(void)
{
	struct guest *u = calloc(1, sizeof(*u));

	assert_non_null(u);
	u->random = 1;
	return u;
}

/*
 * The journal's thread writes its commit with a flush before it and one behind it, and
 * moves between vCPUs.
 */
static unsigned int journals(bool told_queues)
{
	struct guest *u = guest_new();
	uint64_t ns = 100000;
	unsigned int share;

	u->told = told_queues;
	for (unsigned int i = 0; i < 500; i++) {
		const unsigned int op = BOTH | XBLK_OP_F_FUA;
		unsigned int cpu = between(u, 0, CPUS);
		uint32_t bio = ++u->last_id, rq = ++u->last_id;
		uint64_t sector = 8ull * rq;

		write_on(u, between(u, 0, CPUS), ns - 50000);
		ADD(GEN_GUEST, cpu, ns, QUEUE, op, sector, 8, bio, 400);
		tell_queue(u, GEN_GUEST, between(u, 0, CPUS), ns + 900, 0, rq, bio);
		ns = flush(u, cpu, ns + between(u, 2000, 5000), ns);
		ns = serve(u, 0, ns + between(u, 2000, 5000), XBLK_OP_WRITE, sector, 8,
			   rq, bio);
		ns = flush(u, 0, ns + between(u, 2000, 5000), 0);
		ADD(GEN_GUEST, 0, ns + 100, COMPLETE, XBLK_OP_WRITE, 0, 0, rq, 0);
		ns += between(u, 100000, 200000);
	}
	share = told(u);
	free(u);
	return share;
}

static void journal(void **ctx)
{
	(void)ctx;
	assert_true(journals(false) >= 990);
	assert_true(journals(true) >= 990);
}

/*
 * Jobs that write and flush by turns, each on a vCPU of its own: what is queued while a
 * flush is under way waits for the next one, and so does what is queued between the
 * choice of what that is for and its issue.
 */
static unsigned int write_and_flush(unsigned int jobs, bool moving, bool told_queues)
{
	struct guest *u = guest_new();
	uint64_t next[CPUS], q_ns[CPUS] = {0}, ns, free_ns = 0;
	unsigned int cpus[CPUS], share;
	uint32_t rqs[CPUS];

	u->told = told_queues;
	for (unsigned int i = 0; i < jobs; i++) {
		cpus[i] = i;
		next[i] = write_on(u, i, 100000 + 7000 * i) + 20000;
	}
	while (u->nr_flushes < 1000) {
		unsigned int first = 0, nr = 0, cpu = 0;
		uint64_t served[CPUS] = {0};

		/* The next to ask, if none waits that came meanwhile. */
		for (unsigned int i = 1; i < jobs; i++)
			first = next[i] < next[first] ? i : first;
		ns = next[first];
		if (ns <= free_ns)
			ns = free_ns;
		else
			cpu = cpus[first];
		for (unsigned int i = 0; i < jobs; i++) {
			if (next[i] > ns)
				continue;
			served[i] = q_ns[i] = next[i];
			nr++;
			ADD(GEN_GUEST, cpus[i], next[i], QUEUE, BOTH, 0, 0, ++u->last_id,
			    500 + i);
			rqs[i] = ++u->last_id;
			tell_queue(u, GEN_GUEST, cpus[i], next[i] + 300, 0, rqs[i],
				   u->last_id - 1);
		}
		free_ns = flush(u, cpu, ns + between(u, 2000, 5000), next[first]);
		for (unsigned int i = 0; i < jobs; i++) {
			if (!served[i])
				continue;
			ADD(GEN_GUEST, 0, free_ns + 100 * nr--, COMPLETE, XBLK_OP_WRITE,
			    0, 0, rqs[i], 0);
			if (moving)
				cpus[i] = between(u, 0, CPUS);
			ns = free_ns + between(u, 10000, 60000);
			next[i] = write_on(u, cpus[i], ns) + between(u, 5000, 60000);
		}
	}
	share = told(u);
	free(u);
	return share;
}

enum step {
	ASKS,
	IS_QUEUED,
	WAITS
};

struct job {
	enum step step;
	uint64_t ns, q_ns; /* of the next step, of its Q */
	unsigned int cpu;
	bool served; /* by the flush that is under way */
	/* It asks for no flush, but writes what the disk cannot write through. */
	bool durable;
	uint32_t bio, rq;
};

struct queue {
	uint64_t done_ns; /* of the flush that is under way; 0: none is */
};

/* All that is queued on it waits for this one. */
static void start(struct guest *u, struct queue *q, unsigned int cpu, struct job *jobs,
		  unsigned int nr, uint64_t ns)
{
	uint64_t q_ns = 0;
	bool any = false;

	q->done_ns = 0;
	for (unsigned int i = 0; i < nr; i++) {
		if (jobs[i].step != WAITS || jobs[i].cpu != cpu)
			continue;
		jobs[i].served = any = true;
		if (!jobs[i].durable && (!q_ns || jobs[i].q_ns < q_ns))
			q_ns = jobs[i].q_ns;
	}
	if (any)
		q->done_ns = flush(u, cpu, ns + between(u, 500, 3000), q_ns);
}

static void flush_ends(struct guest *u, struct queue *q, unsigned int cpu,
		       struct job *jobs, unsigned int nr)
{
	uint64_t ns = q->done_ns;

	for (unsigned int i = 0; i < nr; i++) {
		struct job *job = &jobs[i];

		if (!job->served || job->cpu != cpu)
			continue;
		ns += 100;
		ADD(GEN_GUEST, cpu, ns, COMPLETE, XBLK_OP_WRITE, 0, 0, job->rq, 0);
		job->served = false;
		job->step = ASKS;
		job->ns = ns + between(u, 10000, 60000);
		if (!job->durable)
			job->ns = write_on(u, cpu, job->ns) + between(u, 5000, 60000);
	}
	start(u, q, cpu, jobs, nr, ns);
}

/* The flush comes behind the write, and is for no bio. */
static void write_durably(struct guest *u, struct job *job)
{
	uint64_t sector;

	job->bio = ++u->last_id;
	job->rq = ++u->last_id;
	sector = 8ull * job->rq;
	ADD(GEN_GUEST, job->cpu, job->ns, QUEUE, XBLK_OP_WRITE | XBLK_OP_F_FUA, sector, 8,
	    job->bio, 500 + job->cpu);
	job->ns = serve(u, job->cpu, job->ns + 1500, XBLK_OP_WRITE, sector, 8, job->rq,
			job->bio);
	job->step = IS_QUEUED;
}

/* It may go to another vCPU between its Q and the choice of the queue. */
static void take_step(struct guest *u, struct queue *queues, struct job *jobs,
		      unsigned int nr, struct job *job)
{
	if (job->step == ASKS && job->durable) {
		write_durably(u, job);
		return;
	}
	if (job->step == ASKS) {
		job->bio = ++u->last_id;
		job->rq = ++u->last_id;
		ADD(GEN_GUEST, job->cpu, job->ns, QUEUE, BOTH, 0, 0, job->bio,
		    500 + (job - jobs));
		job->q_ns = job->ns;
		job->step = IS_QUEUED;
		if (between(u, 0, 100)) {
			job->ns += between(u, 500, 3000);
		} else {
			job->cpu = between(u, 0, CPUS);
			job->ns += between(u, 20000, 80000);
		}
		return;
	}
	job->step = WAITS;
	if (!job->durable)
		tell_queue(u, GEN_GUEST, job->cpu, job->ns, job->cpu, job->rq, job->bio);
	if (!queues[job->cpu].done_ns)
		start(u, &queues[job->cpu], job->cpu, jobs, nr, job->ns);
}

/* The same where each vCPU has a queue of its own; and those that ask for one move. */
static unsigned int write_and_flush_on_queues(unsigned int nr, unsigned int nr_durable,
					      uint64_t seed, bool told_queues)
{
	struct guest *u = guest_new();
	struct queue queues[CPUS] = {0};
	struct job jobs[2 * CPUS] = {0};
	unsigned int share;

	u->random = seed;
	u->queues = true;
	u->told = told_queues;
	for (unsigned int i = 0; i < nr; i++)
		jobs[i] = (struct job){.ns = 2000000000 + 7000 * i, .cpu = i % CPUS};
	for (unsigned int i = 0; i < nr_durable; i++) {
		jobs[nr] = (struct job){
			.ns = 2000000000 + 7000 * nr, .cpu = i % 2, .durable = true};
		nr++;
	}
	while (u->nr_flushes < 1000) {
		struct job *job = NULL;
		struct queue *q = NULL;

		for (unsigned int i = 0; i < nr; i++) {
			if (jobs[i].step != WAITS && (!job || jobs[i].ns < job->ns))
				job = &jobs[i];
		}
		for (unsigned int i = 0; i < CPUS; i++) {
			if (queues[i].done_ns && (!q || queues[i].done_ns < q->done_ns))
				q = &queues[i];
		}
		if (job && (!q || job->ns < q->done_ns))
			take_step(u, queues, jobs, nr, job);
		else
			flush_ends(u, q, q - queues, jobs, nr);
	}
	share = told(u);
	free(u);
	return share;
}

/*
 * Where the queue is told, so is every flush, wherever it was asked for and whatever
 * else waits.
 */
static void told_queues(void **ctx)
{
	(void)ctx;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		for (unsigned int nr = 1; nr <= CPUS; nr++) {
			assert_true(write_and_flush_on_queues(nr, 0, seed, true) >= 990);
			assert_true(write_and_flush_on_queues(0, nr, seed, true) >= 990);
			assert_true(write_and_flush_on_queues(nr, CPUS, seed, true) >=
				    100);
		}
	}
}

/*
 * Where it is not, one that waits alone is told wherever it went; of several it may not
 * be.  In dom0 others may wait of which nothing is recorded.
 */
static void moving_jobs(void **ctx)
{
	(void)ctx;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		assert_true(write_and_flush_on_queues(1, 0, seed, false) >= 950);
		for (unsigned int nr = 2; nr <= CPUS; nr++)
			write_and_flush_on_queues(nr, 0, seed, false);
		for (unsigned int nr = 1; nr <= CPUS; nr++)
			write_and_flush_on_queues(nr, CPUS, seed, false);
	}
}

/* fio --fsync=1 --numjobs=1: whichever vCPU it runs on. */
static void one_job(void **ctx)
{
	(void)ctx;
	for (int told_queues = 0; told_queues < 2; told_queues++) {
		assert_true(write_and_flush(1, false, told_queues) >= 990);
		assert_true(write_and_flush(1, true, told_queues) >= 990);
	}
}

/* fio --fsync=1 --numjobs=4. */
static void four_jobs(void **ctx)
{
	(void)ctx;
	assert_true(write_and_flush(4, false, false) >= 900);
	assert_true(write_and_flush(4, true, false) >= 900);
	assert_true(write_and_flush(4, false, true) >= 990);
	assert_true(write_and_flush(4, true, true) >= 990);
}

/*
 * The first flush of a trace, which was asked for before: how long it waited is not known.
 */
static void asked_before(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, ISSUE, FLUSH, 0, 0, 100, 0);
	gen_event(&g, GEN_GUEST, 0, 1001, XBLK_EV_ORDER, 0, 0, 0, 100, 1);
	DOM0(1100, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 10, GEN_KTHREAD);
	DOM0(1200, ISSUE, FLUSH, 0, 0, 200, 0);
	DOM0(1300, COMPLETE, FLUSH, 0, 0, 200, 0);
	DOM0(1301, COMPLETE, WRITE, 0, 0, 201, 0);
	GUEST(1400, COMPLETE, FLUSH, 0, 0, 100, 0);
	GUEST(1401, COMPLETE, WRITE, 0, 0, 101, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_int_equal(o.results[0].bin, BIN_BEFORE_TRACE);
	done(&o, &g);
}

/* Which queue it is does not help where what waited had been queued before the trace. */
static void told_before(void **ctx)
{
	const uint64_t ns = 1000000000;
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	GUEST(ns - 300, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	GUEST(ns - 200, FLUSH_QUEUE, READ, 7, 0, 101, 1);
	GUEST(ns, ISSUE, FLUSH, 0, 0, 100, 0);
	GUEST(ns, FLUSH_QUEUE, READ, 7, 0, 100, 0);
	DOM0(ns + 100, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 10, GEN_KTHREAD);
	DOM0(ns + 200, ISSUE, FLUSH, 0, 0, 200, 0);
	DOM0(ns + 300, COMPLETE, FLUSH, 0, 0, 200, 0);
	DOM0(ns + 301, COMPLETE, WRITE, 0, 0, 201, 0);
	GUEST(ns + 400, COMPLETE, FLUSH, 0, 0, 100, 0);
	GUEST(ns + 401, COMPLETE, WRITE, 0, 0, 101, 0);
	GUEST(ns + 402, COMPLETE, WRITE, 0, 0, 102, 0);
	gen_end(&g, 2 * ns);
	run(&o, g.data, g.len);
	assert_int_equal(o.nr, 1);
	assert_int_equal(o.results[0].bin, BIN_BEFORE_TRACE);
	done(&o, &g);
}

/*
 * The probes of Q are attached last: what waits is known by a record that names a bio of
 * which nothing is, and others have no Q either.  Later it is one of its own.
 */
static void told_without_q(void **ctx)
{
	const uint64_t ns = 1000000000;
	struct outcome o;
	struct gen g;

	(void)ctx;
	for (int begins = 0; begins < 2; begins++) {
		const uint64_t before = begins ? ns - 1000 : ns / 2;

		gen_init(&g);
		GUEST(before, ISSUE, READ, 8, 8, 90, 3);
		GUEST(before + 300, COMPLETE, READ, 8, 8, 90, 0);
		GUEST(ns - 200, FLUSH_QUEUE, READ, 7, 0, 101, 1);
		GUEST(ns, ISSUE, FLUSH, 0, 0, 100, 0);
		GUEST(ns, FLUSH_QUEUE, READ, 7, 0, 100, 0);
		DOM0(ns + 100, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 10, GEN_KTHREAD);
		DOM0(ns + 200, ISSUE, FLUSH, 0, 0, 200, 0);
		DOM0(ns + 300, COMPLETE, FLUSH, 0, 0, 200, 0);
		DOM0(ns + 301, COMPLETE, WRITE, 0, 0, 201, 0);
		GUEST(ns + 400, COMPLETE, FLUSH, 0, 0, 100, 0);
		GUEST(ns + 401, COMPLETE, WRITE, 0, 0, 101, 0);
		gen_end(&g, 2 * ns);
		run(&o, g.data, g.len);
		assert_int_equal(result_at(&o, 0, ns)->bin,
				 begins ? BIN_BEFORE_TRACE : BIN_AMBIGUOUS);
		done(&o, &g);
	}
}

/* A flush of the guest's whose Q is not recorded, and dom0's part of it. */
static void flush_without_q(struct gen *out, uint64_t ns, uint32_t ordinal)
{
	struct gen g = *out;

	GUEST(ns, ISSUE, FLUSH, 0, 0, 100, 0);
	gen_event(&g, GEN_GUEST, 0, ns + 1, XBLK_EV_ORDER, 0, 0, 0, 100, ordinal);
	DOM0(ns + 100, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 10, GEN_KTHREAD);
	DOM0(ns + 200, ISSUE, FLUSH, 0, 0, 200, 0);
	DOM0(ns + 300, COMPLETE, FLUSH, 0, 0, 200, 0);
	DOM0(ns + 301, COMPLETE, WRITE, 0, 0, 201, 0);
	GUEST(ns + 400, COMPLETE, FLUSH, 0, 0, 100, 0);
	*out = g;
}

static const char no_writes[] =
	"{\"backend\": {\"domid\": 0}, \"ops\": [\"read\", \"flush\"]}";

/*
 * Writes are not recorded, and a durable one brings a flush along, whose Q is the
 * write's.  None of them is taken for one of before the trace; nor is that before it
 * told, to which a Q of this one's may have gone.
 */
static void brought_along(void **ctx)
{
	const uint64_t second = 1000000000;
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, no_writes, sizeof(no_writes) - 1);
	for (unsigned int i = 1; i <= 4; i++)
		flush_without_q(&g, i * second, i);
	GUEST(5 * second - 100, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	flush_without_q(&g, 5 * second, 5);
	GUEST(5 * second + 401, COMPLETE, WRITE, 0, 0, 101, 0);
	gen_end(&g, 6 * second);
	run(&o, g.data, g.len);
	assert_int_equal(o.nr, 5);
	for (unsigned int i = 1; i <= 4; i++)
		assert_int_equal(result_at(&o, 0, i * second)->bin, BIN_AMBIGUOUS);
	assert_stages(result_at(&o, 0, 5 * second), 100, 100, 100, 100, 100);
	done(&o, &g);
}

/* Also the first one, and where the next one has its Q. */
static void brought_along_first(void **ctx)
{
	const uint64_t second = 1000000000;
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, no_writes, sizeof(no_writes) - 1);
	flush_without_q(&g, second, 1);
	GUEST(5 * second - 100, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	flush_without_q(&g, 5 * second, 5);
	GUEST(5 * second + 401, COMPLETE, WRITE, 0, 0, 101, 0);
	gen_end(&g, 6 * second);
	run(&o, g.data, g.len);
	assert_int_equal(o.nr, 2);
	assert_int_equal(result_at(&o, 0, second)->bin, BIN_AMBIGUOUS);
	assert_stages(result_at(&o, 0, 5 * second), 100, 100, 100, 100, 100);
	done(&o, &g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(journal),	 cmocka_unit_test(one_job),
		cmocka_unit_test(four_jobs),	 cmocka_unit_test(told_queues),
		cmocka_unit_test(moving_jobs),	 cmocka_unit_test(asked_before),
		cmocka_unit_test(told_before),	 cmocka_unit_test(told_without_q),
		cmocka_unit_test(brought_along), cmocka_unit_test(brought_along_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
