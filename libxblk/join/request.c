// SPDX-License-Identifier: GPL-2.0-only
/* What the join knows of a request that has ended -> what is told of it. */
#include "join/request.h"

#include <stddef.h>
#include <string.h>

#include "base/gaps.h"
#include "base/util.h"
#include "join/bio.h"
#include "join/clones.h"
#include "join/disk.h"
#include "join/flush_times.h"
#include "join/inflight.h"
#include "join/report.h"
#include "join/rq.h"
#include "join/state.h"
#include "join/verdict.h"

static uint64_t flush_ns(const struct disk *disk, uint64_t q_ns, uint64_t d_ns)
{
	const struct flush_times *f = join_disk(disk)->flush_times;

	return unlikely(f) ? flush_times_overlap(f, q_ns, d_ns) : 0;
}

static inline __attribute__((always_inline)) void
describe_backend_times(struct xblk_request *to, const struct guest_rq *rq)
{
	to->backend_q_ns = rq->chain.q_ns;
	to->backend_d_ns = rq->chain.by.d_ns;
	to->backend_c_ns = rq->chain.c_ns;
	to->backend_interrupt_ns = rq->way.interrupt_ns;
	to->backend_thread_ns = rq->way.thread_ns;
	to->lowest_q_ns = rq->chain.by.q_ns;
	to->lowest_c_ns = rq->chain.by.c_ns;
	to->lowest_requeued_ns = rq->chain.by.requeued_ns;
	to->response_ns = rq->way.response_ns;
}

static void describe_measured(struct xblk_request *to, const struct guest_rq *rq)
{
	to->measured = true;
	rq_stages(rq, to->stages);
	describe_backend_times(to, rq);
	to->interrupt_ns = rq->way.front_interrupt_ns;
	to->guest_flush_ns = flush_ns(rq->base.disk, rq->base.q_ns, rq->base.d_ns);
	to->backend_flush_ns =
		flush_ns(rq->chain.by.disk, rq->chain.q_ns, rq->chain.by.d_ns);
}

/* All that describe_measured() says is zero. */
static void describe_unmeasured(struct xblk_request *to)
{
	const size_t from = offsetof(struct xblk_request, backend_q_ns),
		     end = offsetof(struct xblk_request, bin);

	memset((char *)to + from, 0, end - from);
}

/*
 * Field by field: what clears or copies all of it at once takes as long as the rest,
 * which there is for each request.
 */
void rq_describe(struct xblk_request *to, const struct guest_rq *rq,
		 const struct ending *end)
{
	bool queued = !(rq->base.flags & RQ_NO_Q);

	to->process = process_name_at(rq->base.disk->dom, rq->base.pid,
				      queued ? rq->base.q_ns : rq->base.d_ns);
	to->pid = rq->base.pid;
	to->op = rq->base.op;
	to->sector = rq->base.sector;
	to->nr_sectors = rq->base.nr_sectors;
	to->q_ns = queued ? rq->base.q_ns : 0;
	/* What has only a completion has no D either. */
	to->d_ns = queued || rq->base.d_ns != rq->c_ns ? rq->base.d_ns : 0;
	to->c_ns = rq->base.flags & RQ_COMPLETED ? rq->c_ns : 0;
	if (likely(end->measured))
		describe_measured(to, rq);
	else
		describe_unmeasured(to);
	to->bin = end->bin;
}

static void add_clone(struct xblk_request *to, const struct clone *c)
{
	to->clones[to->nr_clones++] = (struct xblk_clone){
		.disk = c->disk->label,
		.sector = c->sector,
		.nr_sectors = c->nr_sectors,
		.level = c->level,
		.q_ns = c->q_ns,
		.d_ns = c->d_ns,
		.c_ns = c->c_ns,
		.requeued_ns = c->requeued_ns,
		.requeues = c->requeues,
		.error = c->error,
	};
}

/* @done: NULL: none is; @open: so many are not, and as many of them as fit are there. */
static void describe_clones(struct xblk_request *to, const struct clones *done,
			    const struct clone *open, unsigned int nr_open)
{
	unsigned int nr_done = done ? done->nr : 0, kept, told;

	kept = min_u64(nr_done, XBLK_CLONES);
	told = min_u64(kept, XBLK_CLONES - min_u64(nr_open, XBLK_CLONES));
	to->nr_clones = 0;
	for (unsigned int i = kept - told; i < kept; i++)
		add_clone(to, clone_kept(done, i));
	for (unsigned int i = 0; i < nr_open && i < XBLK_CLONES; i++)
		add_clone(to, &open[i]);
	to->nr_clones = nr_done + nr_open;
	to->first_clone_ns = done ? done->first_ns : 0;
}

static void describe_thread(struct xblk_request *to, const struct join *j,
			    const struct guest_rq *rq, uint64_t q_ns)
{
	to->backend_request = rq->request;
	to->backend_pid = rq->match_pid;
	to->backend_process = process_name_at(j->model->backend, rq->match_pid, q_ns);
	to->backend_failed = rq->backend_error;
	to->backend_error = rq->backend_error;
}

static void describe_backend(struct xblk_request *to, const struct join *j,
			     const struct guest_rq *rq)
{
	describe_thread(to, j, rq, rq->chain.q_ns);
	to->lowest_disk = rq->chain.by.disk->label;
	to->lowest_requeues = rq->chain.by.requeues;
	to->lowest_nr_bios = rq->chain.by.nr_bios;
	describe_clones(to, rq->cloned ? rq->chain.clones : NULL, NULL, 0);
}

static void describe_no_backend(struct xblk_request *to)
{
	to->backend_request = to->backend_pid = 0;
	to->backend_process = "?";
	to->backend_failed = false;
	to->backend_error = 0;
	to->lowest_disk = "";
	to->lowest_requeues = to->lowest_nr_bios = to->nr_clones = 0;
	to->first_clone_ns = 0;
}

/* dom0 is done with all of @rq, as far as it was seen to queue anything for it. */
static void describe_done(struct xblk_request *to, const struct join *j,
			  const struct guest_rq *rq)
{
	describe_backend_times(to, rq);
	describe_backend(to, j, rq);
}

/* Where @bio is, unless layers made others of it, which are told of. */
static void describe_place(struct xblk_request *to, const struct backend_bio *bio)
{
	const struct rq *rq = bio->base.rq;

	to->lowest_disk = bio->base.disk->label;
	to->lowest_q_ns = bio->base.lowest_q_ns;
	/* What became of a request whose record is missing is not known. */
	if (!rq || rq->flags & (RQ_MISSED | RQ_CONTRADICTION))
		return;
	to->backend_d_ns = rq->first_d_ns;
	to->lowest_requeues = rq->requeues;
	to->lowest_requeued_ns = rq->requeued_ns;
	to->lowest_nr_bios = rq_known_bios(rq);
}

/* One in flight: what is known of the first of dom0's bios that is not done. */
static __attribute__((noinline)) void
describe_so_far(struct xblk_request *to, const struct join *j, const struct guest_rq *rq)
{
	const struct backend_bio *bio =
		list_entry(rq->backend_bios.next, const struct backend_bio, match);
	struct clone open[XBLK_CLONES];
	const struct clones *done;

	if (list_empty(&rq->backend_bios)) {
		describe_done(to, j, rq);
		return;
	}
	describe_thread(to, j, rq, bio->base.q_ns);
	to->backend_q_ns = bio->base.q_ns;
	to->backend_interrupt_ns = bio->interrupt_ns;
	to->backend_thread_ns = bio->thread_ns;
	done = bio->base.kin ? bio->base.kin->clones : NULL;
	describe_clones(to, done, open, clones_open(bio, open));
	if (!to->nr_clones)
		describe_place(to, bio);
}

static void describe_lost(struct xblk_request *to, const struct join *j,
			  const struct guest_rq *rq)
{
	const struct domain *guest = rq->base.disk->dom, *backend = j->model->backend;
	struct verdict span = verdict_span(j, rq);

	gaps_around(&guest->gaps, span.guest_from, span.guest_to, &to->guest_lost_from_ns,
		    &to->guest_lost_to_ns);
	if (backend)
		gaps_around(&backend->gaps, span.backend_from, span.backend_to,
			    &to->backend_lost_from_ns, &to->backend_lost_to_ns);
}

void rq_describe_rest(struct xblk_request *to, const struct join *j,
		      const struct guest_rq *rq, const struct ending *end)
{
	const struct disk *disk = rq->base.disk;

	to->names = j->model->names;
	to->domid = disk->dom->domid;
	to->guest = disk->guest;
	to->uuid = disk->uuid;
	to->disk = disk->name;
	to->label = disk->label;
	to->device = disk->device;
	to->disk_index = disk->index;
	to->nr_bios = rq->base.nr_bios;
	to->nr_backend_bios = rq->nr_backend_bios;
	to->requeues = rq->base.requeues;
	to->error = rq->base.error;
	to->why = end->why;
	to->reached = end->bin == BIN_IN_FLIGHT ? rq_reached(rq) : 0;
	to->ring = rq->ring;
	to->slot = rq->ring == RING_UNKNOWN ? 0 : rq->ordinal;
	to->first_d_ns = to->d_ns ? rq->base.first_d_ns : 0;
	to->requeued_ns = rq->base.requeued_ns;
	if (to->measured)
		describe_backend(to, j, rq);
	else
		describe_no_backend(to);
	if (unlikely(end->followed)) {
		describe_so_far(to, j, rq);
		/* See forget_other_way(). */
		if (join_lossy(j, disk->dom))
			to->backend_interrupt_ns = to->backend_thread_ns = 0;
	}
	to->guest_lost_from_ns = to->guest_lost_to_ns = 0;
	to->backend_lost_from_ns = to->backend_lost_to_ns = 0;
	if (unlikely(join_lossy(j, rq->base.disk->dom)))
		describe_lost(to, j, rq);
}
