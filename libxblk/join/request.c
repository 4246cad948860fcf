// SPDX-License-Identifier: GPL-2.0-only
/* What the join knows of a request that has ended -> what is told of it. */
#include "join/join.h"

#include <stddef.h>
#include <string.h>

#include "join/flush_times.h"
#include "join/inflight.h"

static uint64_t flush_ns(const struct disk *disk, uint64_t q_ns, uint64_t d_ns)
{
	return flush_times_overlap(join_disk(disk)->flush_times, q_ns, d_ns);
}

static void describe_measured(struct xblk_request *to, const struct rq *rq,
			      const int64_t stages[STAGE_MAX])
{
	to->measured = true;
	memcpy(to->stages, stages, sizeof(to->stages));
	to->backend_q_ns = rq->chain.q_ns;
	to->backend_d_ns = rq->chain.by.d_ns;
	to->backend_c_ns = rq->chain.c_ns;
	to->backend_interrupt_ns = rq->way.interrupt_ns;
	to->backend_thread_ns = rq->way.thread_ns;
	to->lowest_q_ns = rq->chain.by.q_ns;
	to->lowest_c_ns = rq->chain.by.c_ns;
	to->lowest_requeued_ns = rq->chain.by.requeued_ns;
	to->response_ns = rq->way.response_ns;
	to->interrupt_ns = rq->way.front_interrupt_ns;
	to->guest_flush_ns = flush_ns(rq->disk, rq->q_ns, rq->d_ns);
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
void rq_describe(struct xblk_request *to, const struct rq *rq, enum bin bin,
		 const int64_t *stages)
{
	const struct disk *disk = rq->disk;
	bool queued = !(rq->flags & RQ_NO_Q);

	to->domid = disk->dom->domid;
	to->guest = disk->guest;
	to->disk = disk->name;
	to->label = disk->label;
	to->device = disk->device;
	to->disk_index = disk->index;
	to->process = process_name_at(disk->dom, rq->pid, queued ? rq->q_ns : rq->d_ns);
	to->pid = rq->pid;
	to->op = rq->op;
	to->sector = rq->sector;
	to->nr_sectors = rq->nr_sectors;
	to->nr_bios = rq->nr_bios;
	to->nr_backend_bios = rq->nr_backend_bios;
	to->requeues = rq->requeues;
	to->error = rq->error;
	to->q_ns = queued ? rq->q_ns : 0;
	/* What has only a completion has no D either. */
	to->d_ns = queued || rq->d_ns != rq->c_ns ? rq->d_ns : 0;
	to->c_ns = rq->flags & RQ_COMPLETED ? rq->c_ns : 0;
	if (stages)
		describe_measured(to, rq, stages);
	else
		describe_unmeasured(to);
	to->bin = bin;
	to->reached = bin == BIN_IN_FLIGHT ? rq_reached(rq) : 0;
}
