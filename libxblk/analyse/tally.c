// SPDX-License-Identifier: GPL-2.0-only
#include "analyse/tally.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "join/report.h"
#include "join/request.h"
#include "join/rq.h"
#include "join/verdict.h"
#include "select/filter.h"

static struct analysis *analysis_of(struct tally *t, struct disk *disk)
{
	struct disk_stats *st = stats_of(disk);

	if (unlikely(!st->analysis)) {
		st->analysis = xcalloc(1, sizeof(*st->analysis));
		analysis_init(st->analysis, t->join->start_ns, t->top);
		st->room.shared = &t->room_left;
		st->analysis->breakdown.room = &st->room;
		st->analysis->timeline.shared = &t->intervals_left;
		if (t->filter && t->filter->have_time)
			timeline_span(&st->analysis->timeline,
				      add_sat(t->join->start_ns, t->filter->from_ns),
				      add_sat(t->join->start_ns, t->filter->to_ns));
	}
	return st->analysis;
}

/* The clock's evidence counts whatever bin the request is in. */
static void check_clocks(struct disk_stats *st, const int64_t stages[STAGE_MAX])
{
	if (unlikely(!st->clock_checked || stages[STAGE_U_T] < st->min_u_t))
		st->min_u_t = stages[STAGE_U_T];
	if (unlikely(!st->clock_checked || stages[STAGE_0_T] < st->min_0_t))
		st->min_0_t = stages[STAGE_0_T];
	st->clock_checked++;
}

static struct slow describe(const struct xblk_request *r)
{
	struct slow slow = {.request = *r};

	snprintf(slow.process, sizeof(slow.process), "%s", r->process);
	snprintf(slow.backend_process, sizeof(slow.backend_process), "%s",
		 r->backend_process);
	return slow;
}

static void add_flush_wait(struct analysis *a, enum side side, uint64_t ns)
{
	if (likely(!ns))
		return;
	a->waits[side].requests++;
	a->waits[side].ns += ns;
}

static inline __attribute__((always_inline)) void
add_joined(struct tally *t, struct disk *disk, const struct xblk_request *r, bool kept)
{
	size_t bucket = hist_bucket(r->stages[STAGE_Q2C]);
	struct analysis *a = analysis_of(t, disk);

	stats_joined(stats_of(disk), bucket, r->stages);
	substages_add(stats_of(disk)->substages, r, &stats_of(disk)->room);
	if (t->windows)
		stats_windowed(stats_of(disk), bucket, r->stages);
	breakdown_add(&a->breakdown, r->op, r->nr_sectors, bucket, r->stages);
	if (t->processes)
		breakdown_add_process(&a->breakdown, r->pid, r->process, r->nr_sectors,
				      bucket, r->stages);
	bands_add(&a->bands, bucket, r->stages, &stats_of(disk)->room);
	if (t->timeline)
		timeline_joined(&a->timeline, r->c_ns, r->stages);
	add_flush_wait(a, SIDE_GUEST, r->guest_flush_ns);
	add_flush_wait(a, SIDE_BACKEND, r->backend_flush_ns);
	if (unlikely(kept)) {
		struct slow slow = describe(r);

		slow.key = r->stages[STAGE_Q2C];
		slowest_add(&a->slowest, &slow);
	}
}

static void add_in_flight(struct tally *t, struct disk *disk,
			  const struct xblk_request *r)
{
	struct analysis *a = analysis_of(t, disk);
	struct slow slow = describe(r);

	slow.age_ns = sub_sat(t->now_ns, r->q_ns);
	slow.key = UINT64_MAX - r->q_ns;
	a->reached[r->reached]++;
	slowest_add(&a->oldest, &slow);
	if (t->timeline)
		timeline_open(&a->timeline, SIDE_GUEST, r->q_ns, r->d_ns, t->now_ns);
}

/*
 * When one began whose Q is not in the trace: by the last time at which something of its
 * guest was not recorded.
 */
static bool began_before_span(const struct tally *t, const struct domain *guest,
			      const struct xblk_request *r)
{
	uint64_t ns = r->d_ns ? r->d_ns : r->c_ns;

	return t->filter->have_time && !r->q_ns &&
	       (r->bin == BIN_BEFORE_TRACE || r->bin == BIN_LOST) &&
	       join_unseen_until(t->join, guest, ns) < t->join->report.from_ns;
}

static enum counts chosen(const struct tally *t, const struct domain *guest,
			  const struct xblk_request *r)
{
	/* What it waited for began before what is read, unless its guest did not. */
	if (r->bin == BIN_BEFORE_TRACE && r->q_ns &&
	    t->join->partial_ns > guest->begins_ns)
		return COUNTS_NOT;
	if (likely(!t->filter))
		return COUNTS;
	if (!filter_request(t->filter, t->join->start_ns, t->now_ns, r))
		return COUNTS_NOT;
	return began_before_span(t, guest, r) ? COUNTS_IF_LOST : COUNTS;
}

/* With all that there is to be told of it. */
static bool is_kept(struct tally *t, struct disk *disk, const struct xblk_request *r)
{
	return r->bin == BIN_IN_FLIGHT ||
	       (r->bin == BIN_JOINED &&
		slowest_wants(&analysis_of(t, disk)->slowest, r->stages[STAGE_Q2C]));
}

static enum counts ended(void *ctx, const struct guest_rq *rq, const struct ending *end)
{
	struct disk_stats *st = stats_of(rq->base.disk);
	struct tally *t = ctx;
	struct xblk_request r;
	enum counts counts;
	bool kept;

	rq_describe(&r, rq, end);
	counts = chosen(t, rq->base.disk->dom, &r);
	if (unlikely(counts != COUNTS)) {
		st->not_chosen++;
		return counts;
	}
	kept = t->latencies && is_kept(t, rq->base.disk, &r);
	if (t->on_request || kept)
		rq_describe_rest(&r, t->join, rq, end);
	st->requests++;
	st->bins[r.bin]++;
	if (r.measured)
		check_clocks(st, r.stages);
	if (likely(t->latencies && r.bin == BIN_JOINED))
		add_joined(t, rq->base.disk, &r, kept);
	else if (t->latencies && r.bin == BIN_IN_FLIGHT)
		add_in_flight(t, rq->base.disk, &r);
	if (t->on_request)
		t->on_request(t->ctx, &r);
	return COUNTS;
}

static void completed(void *ctx, struct disk *disk, enum side side, const struct rq *rq,
		      uint64_t ns)
{
	timeline_done(&analysis_of(ctx, disk)->timeline, side, rq->q_ns, rq->d_ns, ns,
		      rq->nr_sectors);
}

static void lost(void *ctx, struct disk *disk, enum bin bin)
{
	struct disk_stats *st = stats_of(disk);

	(void)ctx;
	if (bin == BIN_NONE) {
		st->requests++;
		st->not_chosen--;
	} else {
		st->bins[bin]--;
	}
	st->bins[BIN_LOST]++;
}

void tally_init(struct tally *t)
{
	memset(t, 0, sizeof(*t));
	t->top = SLOWEST_DEFAULT;
	t->latencies = t->timeline = t->processes = true;
	t->room_left = ROOM_SHARED;
	t->intervals_left = TIMELINE_SHARED;
}

void tally_deinit(const struct tally *t)
{
	const struct model *m = t->join ? t->join->model : NULL;

	for (size_t i = 0; m && i < m->nr_disks; i++)
		stats_deinit(stats_of(m->all_disks[i]));
}

void tally_begin(struct tally *t, struct join *j)
{
	t->join = j;
	j->report = (struct join_report){
		.ended = ended,
		.completed = t->latencies && t->timeline ? completed : NULL,
		.lost = lost,
		.ctx = t,
	};
	if (t->filter && t->filter->have_time)
		j->report.from_ns = add_sat(j->start_ns, t->filter->from_ns);
}

void tally_finish(const struct tally *t)
{
	const struct model *m = t->join->model;

	for (size_t i = 0; i < m->nr_disks; i++) {
		struct analysis *a = stats_of(m->all_disks[i])->analysis;

		if (!a)
			continue;
		timeline_finish(&a->timeline, t->now_ns);
		slowest_sort(&a->slowest);
		slowest_sort(&a->oldest);
	}
}
