// SPDX-License-Identifier: GPL-2.0-only
#include "live.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "join/inflight.h"
#include "name.h"
#include "output.h"
#include "table.h"
#include "base/util.h"

/* Titles again after so many lines. */
#define TITLES_EVERY 24

/* Of a disk, when the running interval began. */
struct live_disk {
	struct io_count done[KIND_MAX];
	uint64_t lost;
	struct in_flight left; /* at the trace's end */
};

void live_init(struct live *l, FILE *out, const struct filter *f, uint64_t interval_ns)
{
	memset(l, 0, sizeof(*l));
	l->out = out;
	l->filter = f;
	l->interval_ns = interval_ns;
}

void live_deinit(struct live *l)
{
	free(l->disks);
}

/* A disk shows up with a metadata, and what was not there was zero. */
static struct live_disk *disk_at(struct live *l, size_t i)
{
	if (i >= l->nr_disks) {
		l->disks = xrealloc(l->disks, (i + 1) * sizeof(*l->disks));
		memset(l->disks + l->nr_disks, 0,
		       (i + 1 - l->nr_disks) * sizeof(*l->disks));
		l->nr_disks = i + 1;
	}
	return &l->disks[i];
}

static void print_titles(struct live *l)
{
	fprintf(l->out, "%10s %-14s", "time s", "disk");
	print_title(l->out, "reads/s", "");
	print_title(l->out, "MB/s", "");
	print_title(l->out, "writes/s", "");
	print_title(l->out, "MB/s", "");
	print_title(l->out, "others/s", "");
	for (int i = 0; i < STAGE_MAX; i++)
		print_title(l->out, stage_names[i], microseconds());
	print_title(l->out, "p99", microseconds());
	fprintf(l->out, " %8s %8s %8s", "lost", "queued", "inflight");
	print_title(l->out, "oldest", microseconds());
	fputs(" in\n", l->out);
}

/* Without any, a disk is idle; else the oldest one says for how long nothing came. */
static void print_in_flight(FILE *out, const struct in_flight *in, uint64_t end_ns)
{
	fprintf(out, " %8" PRIu64 " %8" PRIu64, in->bios, in->requests);
	if (in->requests) {
		print_value(out, sub_sat(end_ns, in->oldest_ns) / 1e3);
		fprintf(out, " %s\n", stage_names[in->reached]);
	} else {
		fprintf(out, " %9s -\n", "-");
	}
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

static void print_disk(struct live *l, const struct parse *p, size_t nr, uint64_t end_ns,
		       double seconds, const struct in_flight *in)
{
	const struct disk *d = p->model.all_disks[nr];
	const struct disk_counts *counts = counts_of(d);
	const struct disk_stats *st = stats_of(d);
	struct live_disk *was = disk_at(l, nr);
	uint64_t ios[KIND_MAX], sectors[KIND_MAX], lost = lost_for(p, d);
	char name[LABEL_LEN + 16];

	for (int k = 0; k < KIND_MAX; k++) {
		ios[k] = counts->done[k].ios - was->done[k].ios;
		sectors[k] = counts->done[k].sectors - was->done[k].sectors;
		was->done[k] = counts->done[k];
	}
	snprintf(name, sizeof(name), "%u:%s", d->dom->domid, d->label);
	fprintf(l->out, "%10.3f ", (double)(int64_t)(end_ns - p->join.start_ns) / 1e9);
	print_name(l->out, name, 14);
	print_value(l->out, ios[KIND_READ] / seconds);
	print_value(l->out, sectors[KIND_READ] * 512 / seconds / 1e6);
	print_value(l->out, ios[KIND_WRITE] / seconds);
	print_value(l->out, sectors[KIND_WRITE] * 512 / seconds / 1e6);
	print_value(l->out,
		    (ios[KIND_FLUSH] + ios[KIND_DISCARD] + ios[KIND_OTHER]) / seconds);
	for (int i = 0; i < STAGE_MAX; i++) {
		if (st->window[i] && st->window[i]->count)
			print_value(l->out, hist_mean(st->window[i]) / 1e3);
		else
			fprintf(l->out, " %9s", "-");
	}
	if (st->window[STAGE_Q2C] && st->window[STAGE_Q2C]->count)
		print_value(l->out, hist_quantile(st->window[STAGE_Q2C], 990) / 1e3);
	else
		fprintf(l->out, " %9s", "-");
	fprintf(l->out, " %8" PRIu64, sub_sat(lost, was->lost));
	print_in_flight(l->out, in, end_ns);
	was->lost = lost;
	for (int i = 0; i < STAGE_MAX; i++) {
		if (st->window[i])
			memset(st->window[i], 0, sizeof(*st->window[i]));
	}
}

static void print_interval(struct live *l, const struct parse *p, uint64_t end_ns,
			   uint64_t length_ns, bool at_end)
{
	for (size_t i = 0; i < p->model.nr_disks; i++) {
		const struct disk *d = p->model.all_disks[i];

		struct in_flight in;

		if (d->gone || !filter_disk(l->filter, d))
			continue;
		if (l->lines++ % TITLES_EVERY == 0)
			print_titles(l);
		in = at_end ? disk_at(l, i)->left : in_flight_of(d);
		print_disk(l, p, i, end_ns, length_ns / 1e9, &in);
	}
	/* Whoever reads it waits for this. */
	fflush(l->out);
}

void live_advance(struct live *l, const struct parse *p, uint64_t now_ns)
{
	if (!l->next_ns)
		l->next_ns = add_sat(p->join.start_ns, l->interval_ns);
	if (now_ns < l->next_ns)
		return;
	print_interval(l, p, l->next_ns, l->interval_ns, false);
	l->next_ns = add_sat(l->next_ns, l->interval_ns);
	/* A stretch without anything is shown once, not in each of its intervals. */
	if (now_ns >= l->next_ns) {
		uint64_t idle = (now_ns - l->next_ns) / l->interval_ns + 1;

		if (idle > 1)
			fprintf(l->out,
				"%10s %" PRIu64 " intervals without an event of dom0\n",
				"", idle);
		else
			print_interval(l, p, l->next_ns, l->interval_ns, false);
		l->next_ns += idle * l->interval_ns;
	}
}

void live_end(struct live *l, const struct parse *p)
{
	live_advance(l, p, p->now_ns);
	for (size_t i = 0; i < p->model.nr_disks; i++) {
		const struct disk *d = p->model.all_disks[i];

		if (!d->gone && filter_disk(l->filter, d))
			disk_at(l, i)->left = in_flight_of(d);
	}
}

void live_finish(struct live *l, const struct parse *p)
{
	uint64_t begin_ns = l->next_ns - l->interval_ns;

	if (l->next_ns && p->now_ns > begin_ns)
		print_interval(l, p, p->now_ns, p->now_ns - begin_ns, true);
}
