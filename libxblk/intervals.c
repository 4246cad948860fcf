// SPDX-License-Identifier: GPL-2.0-only
#include "intervals.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "join/disk.h"
#include "join/inflight.h"

/* Of a disk, when the running interval began. */
struct interval_disk {
	struct io_count done[KIND_MAX];
	uint64_t lost;
	struct in_flight left; /* at the trace's end */
	bool over;	       /* it had gone, and what it did by then has been told */
};

void intervals_deinit(struct intervals *i)
{
	free(i->disks);
	i->disks = NULL;
}

/* A disk shows up with a metadata, and what was not there was zero. */
static struct interval_disk *disk_at(struct intervals *i, size_t nr)
{
	if (nr >= i->nr_disks) {
		i->disks = xrealloc(i->disks, (nr + 1) * sizeof(*i->disks));
		memset(i->disks + i->nr_disks, 0,
		       (nr + 1 - i->nr_disks) * sizeof(*i->disks));
		i->nr_disks = nr + 1;
	}
	return &i->disks[nr];
}

/* What the disk's guest and dom0 lost so far. */
static uint64_t lost_for(const struct parse *p, const struct disk *d)
{
	struct account guest, backend = {0};

	parse_account(p, d->dom, &guest);
	if (p->model.backend)
		parse_account(p, p->model.backend, &backend);
	return add_sat(guest.lost, backend.lost);
}

static void describe_stages(struct xblk_interval *to, struct disk_stats *st)
{
	for (int s = 0; s < STAGE_MAX; s++) {
		if (!st->window[s])
			continue;
		to->joined = st->window[s]->count;
		to->mean_ns[s] = hist_mean(st->window[s]);
		if (s == STAGE_Q2C)
			to->p99_ns = hist_quantile(st->window[s], 990);
		hist_free(st->window[s], &st->room);
		st->window[s] = NULL;
	}
}

static void tell_disk(struct intervals *i, const struct parse *p, size_t nr,
		      struct xblk_interval *to, const struct in_flight *in)
{
	const struct disk *d = p->model.all_disks[nr];
	const struct disk_counts *counts = counts_of(d);
	struct interval_disk *was = disk_at(i, nr);
	uint64_t lost = lost_for(p, d);

	to->disk = nr;
	for (int k = 0; k < KIND_MAX; k++) {
		to->done[k].ios = counts->done[k].ios - was->done[k].ios;
		to->done[k].sectors = counts->done[k].sectors - was->done[k].sectors;
		was->done[k] = counts->done[k];
	}
	describe_stages(to, stats_of(d));
	to->lost = sub_sat(lost, was->lost);
	was->lost = lost;
	to->queued = in->bios;
	to->in_flight = in->requests;
	if (in->requests) {
		to->oldest_ns = sub_sat(to->to_ns, in->oldest_ns);
		to->reached = in->reached;
	}
	i->fn(i->user, to);
}

/* What went meanwhile did something before; some of it may become known behind that. */
static bool has_interval(struct intervals *i, const struct disk *d)
{
	return !d->dom->backend &&
	       (!disk_at(i, d->nr)->over || stats_of(d)->window[STAGE_Q2C]);
}

static void tell_disks(struct intervals *i, const struct parse *p, uint64_t from_ns,
		       uint64_t to_ns, bool at_end)
{
	for (size_t nr = 0; nr < p->model.nr_disks; nr++) {
		struct xblk_interval to = {.from_ns = from_ns, .to_ns = to_ns};
		const struct disk *d = p->model.all_disks[nr];
		struct in_flight in;

		if (!has_interval(i, d))
			continue;
		in = at_end ? disk_at(i, nr)->left : in_flight_of(d);
		tell_disk(i, p, nr, &to, &in);
		disk_at(i, nr)->over = d->gone;
	}
}

static void tell_idle(struct intervals *i, uint64_t nr)
{
	const struct xblk_interval to = {
		.from_ns = i->next_ns - i->length_ns,
		.to_ns = i->next_ns + (nr - 1) * i->length_ns,
		.disk = XBLK_NO_DISK_NR,
		.idle = nr,
	};

	i->fn(i->user, &to);
}

void intervals_advance(struct intervals *i, const struct parse *p, uint64_t now_ns)
{
	if (!i->length_ns)
		return;
	if (!i->next_ns)
		i->next_ns = add_sat(p->join.start_ns, i->length_ns);
	if (now_ns < i->next_ns)
		return;
	tell_disks(i, p, i->next_ns - i->length_ns, i->next_ns, false);
	i->next_ns = add_sat(i->next_ns, i->length_ns);
	/* A stretch without anything is told of once, not in each of its intervals. */
	if (now_ns >= i->next_ns) {
		uint64_t idle = (now_ns - i->next_ns) / i->length_ns + 1;

		if (idle > 1)
			tell_idle(i, idle);
		else
			tell_disks(i, p, i->next_ns - i->length_ns, i->next_ns, false);
		i->next_ns += idle * i->length_ns;
	}
}

void intervals_end(struct intervals *i, const struct parse *p)
{
	intervals_advance(i, p, p->now_ns);
	for (size_t nr = 0; i->length_ns && nr < p->model.nr_disks; nr++) {
		if (has_interval(i, p->model.all_disks[nr]))
			disk_at(i, nr)->left = in_flight_of(p->model.all_disks[nr]);
	}
}

void intervals_finish(struct intervals *i, const struct parse *p)
{
	uint64_t begin_ns = i->next_ns - i->length_ns;

	if (i->next_ns && p->now_ns > begin_ns)
		tell_disks(i, p, begin_ns, p->now_ns, true);
}
