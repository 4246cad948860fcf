// SPDX-License-Identifier: GPL-2.0-only
/* What has become of a request -> the counts, histograms and analyses of its disk. */
#include "filter.h"
#include "join.h"
#include "util.h"

static struct analysis *analysis_of(struct join *j, struct disk *disk)
{
	struct disk_stats *st = &disk->stats;

	if (!st->analysis) {
		st->analysis = xcalloc(1, sizeof(*st->analysis));
		analysis_init(st->analysis, j->start_ns, j->top);
	}
	return st->analysis;
}

/* The clock's evidence counts whatever bin the request is in. */
static void check_stages(struct disk_stats *st, enum bin bin,
			 const int64_t stages[STAGE_MAX])
{
	int64_t sum = 0;

	if (!st->clock_checked || stages[STAGE_U_T] < st->min_u_t)
		st->min_u_t = stages[STAGE_U_T];
	if (!st->clock_checked || stages[STAGE_0_T] < st->min_0_t)
		st->min_0_t = stages[STAGE_0_T];
	st->clock_checked++;
	if (bin != BIN_JOINED)
		return;
	for (int i = 0; i < STAGE_PARTS; i++)
		sum += stages[i];
	st->sum_checked++;
	st->sum_failed += sum != stages[STAGE_Q2C];
}

static struct slow describe(const struct rq *rq)
{
	return (struct slow){
		.sector = rq->sector,
		.q_ns = rq->q_ns,
		.d_ns = rq->d_ns,
		.nr_sectors = rq->nr_sectors,
		.pid = rq->pid,
		.nr_bios = rq->nr_bios,
		.nr_backend_bios = rq->nr_backend_bios,
		.requeues = rq->requeues,
		.error = rq->error,
		.op = rq->op,
	};
}

static uint64_t flush_wait(struct analysis *a, enum side side, const struct disk *disk,
			   uint64_t q_ns, uint64_t d_ns)
{
	uint64_t ns = disk ? flush_times_overlap(disk->flush_times, q_ns, d_ns) : 0;

	a->waits[side].requests += ns > 0;
	a->waits[side].ns += ns;
	return ns;
}

static void account_joined(struct join *j, const struct rq *rq,
			   const int64_t stages[STAGE_MAX])
{
	struct analysis *a = analysis_of(j, rq->disk);
	uint64_t guest_ns, backend_ns;

	stats_joined(&rq->disk->stats, stages);
	substages_add(rq->disk->stats.substages, rq);
	if (j->windows)
		stats_windowed(&rq->disk->stats, stages);
	breakdown_add(&a->breakdown, rq->op, rq->nr_sectors, stages);
	if (j->processes)
		breakdown_add_process(&a->breakdown, rq->pid, rq->nr_sectors, stages);
	bands_add(&a->bands, stages);
	if (j->timeline)
		timeline_joined(&a->timeline, rq->c_ns, stages);
	guest_ns = flush_wait(a, SIDE_GUEST, rq->disk, rq->q_ns, rq->d_ns);
	backend_ns = flush_wait(a, SIDE_BACKEND, rq->chain.disk, rq->chain.q_ns,
				rq->chain.d_ns);
	if (slowest_wants(&a->slowest, stages[STAGE_Q2C])) {
		struct slow slow = describe(rq);

		slow.key = stages[STAGE_Q2C];
		slow.guest_flush_ns = guest_ns;
		slow.backend_flush_ns = backend_ns;
		for (int i = 0; i < STAGE_MAX; i++)
			slow.stages[i] = stages[i];
		slowest_add(&a->slowest, &slow);
	}
}

/* The stage that a request is in which has not come back. */
static enum stage reached(const struct rq *rq)
{
	if (rq->flags & RQ_REQUEUED)
		return STAGE_U_Q2D;
	if (!(rq->flags & RQ_MATCHED))
		return STAGE_U_T;
	for (const struct list *n = rq->backend_bios.next; n != &rq->backend_bios;
	     n = n->next) {
		if (!list_entry(n, struct bio, match)->rq)
			return STAGE_0_Q2D;
	}
	return rq->outstanding ? STAGE_0_D2C : STAGE_0_T;
}

static void account_in_flight(struct join *j, const struct rq *rq)
{
	struct analysis *a = analysis_of(j, rq->disk);
	struct slow slow = describe(rq);

	slow.key = UINT64_MAX - rq->q_ns;
	slow.reached = reached(rq);
	a->reached[slow.reached]++;
	slowest_add(&a->oldest, &slow);
	if (j->timeline)
		timeline_open(&a->timeline, SIDE_GUEST, rq->q_ns, rq->d_ns, j->last_ns);
}

static bool chosen(const struct join *j, const struct rq *rq, enum bin bin)
{
	/* It began before what is read, and so before the span. */
	if (j->partial && bin == BIN_BEFORE_TRACE)
		return false;
	return !j->filter || filter_request(j->filter, j, rq);
}

bool account_request(struct join *j, const struct rq *rq, enum bin bin,
		     const int64_t *stages)
{
	struct disk_stats *st = &rq->disk->stats;

	if (!chosen(j, rq, bin)) {
		st->not_chosen++;
		return false;
	}
	st->requests++;
	st->bins[bin]++;
	if (stages) {
		check_stages(st, bin, stages);
		if (bin == BIN_JOINED)
			account_joined(j, rq, stages);
	} else if (bin == BIN_IN_FLIGHT) {
		account_in_flight(j, rq);
	}
	if (j->on_request)
		j->on_request(j->ctx, rq, bin, stages);
	return true;
}

void account_done(struct join *j, struct disk *disk, enum side side, const struct rq *rq,
		  uint64_t ns)
{
	if (j->timeline)
		timeline_done(&analysis_of(j, disk)->timeline, side, rq->q_ns, rq->d_ns,
			      ns, rq->nr_sectors);
}

void account_flush_begin(struct rq *rq)
{
	struct disk *disk = rq->disk;

	if (op_class(rq->op) != XBLK_OP_FLUSH || rq->flags & RQ_FLUSHING)
		return;
	if (!disk->flush_times)
		disk->flush_times = xcalloc(1, sizeof(*disk->flush_times));
	flush_times_begin(disk->flush_times, rq->d_ns);
	rq->flags |= RQ_FLUSHING;
}

void account_flush_end(struct rq *rq, uint64_t ns)
{
	if (!(rq->flags & RQ_FLUSHING))
		return;
	flush_times_end(rq->disk->flush_times, ns);
	rq->flags &= ~RQ_FLUSHING;
}

/* Bios of guests that no request has been issued with. */
void account_queued_bios(struct join *j)
{
	for (unsigned int i = 0; i < j->model->nr_domains; i++) {
		struct domain *dom = j->model->domains[i];

		if (dom->backend)
			continue;
		for (struct list *n = dom->bio_age.next; n != &dom->bio_age;
		     n = n->next) {
			struct bio *bio = list_entry(n, struct bio, age);

			bio->disk->stats.queued_bios += !bio->rq;
		}
	}
}

void account_finish(struct join *j)
{
	for (size_t i = 0; i < j->model->nr_disks; i++) {
		struct analysis *a = j->model->all_disks[i]->stats.analysis;

		if (!a)
			continue;
		slowest_sort(&a->slowest);
		slowest_sort(&a->oldest);
	}
}
