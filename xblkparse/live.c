// SPDX-License-Identifier: GPL-2.0-only
#include "live.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "table.h"
#include "util.h"

/* Titles again after so many lines. */
#define TITLES_EVERY 24

/* Of a disk, when the running interval began. */
struct live_disk {
	struct io_count done[KIND_MAX];
	uint64_t lost;
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
	fprintf(l->out, " %8s\n", "lost");
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
		       double seconds)
{
	const struct disk *d = p->model.all_disks[nr];
	const struct disk_stats *st = &d->stats;
	struct live_disk *was = disk_at(l, nr);
	uint64_t ios[KIND_MAX], sectors[KIND_MAX], lost = lost_for(p, d);
	char name[LABEL_LEN + 16];

	for (int k = 0; k < KIND_MAX; k++) {
		ios[k] = st->done[k].ios - was->done[k].ios;
		sectors[k] = st->done[k].sectors - was->done[k].sectors;
		was->done[k] = st->done[k];
	}
	snprintf(name, sizeof(name), "%u:%s", d->dom->domid, d->label);
	fprintf(l->out, "%10.3f %-14s",
		(double)(int64_t)(end_ns - p->join.start_ns) / 1e9, name);
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
	fprintf(l->out, " %8" PRIu64 "\n", sub_sat(lost, was->lost));
	was->lost = lost;
	for (int i = 0; i < STAGE_MAX; i++) {
		if (st->window[i])
			memset(st->window[i], 0, sizeof(*st->window[i]));
	}
}

static void print_interval(struct live *l, const struct parse *p, uint64_t end_ns,
			   uint64_t length_ns)
{
	for (size_t i = 0; i < p->model.nr_disks; i++) {
		const struct disk *d = p->model.all_disks[i];

		if (d->gone || !filter_disk(l->filter, d))
			continue;
		if (l->lines++ % TITLES_EVERY == 0)
			print_titles(l);
		print_disk(l, p, i, end_ns, length_ns / 1e9);
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
	print_interval(l, p, l->next_ns, l->interval_ns);
	l->next_ns = add_sat(l->next_ns, l->interval_ns);
	/* A stretch without anything is shown once, not in each of its intervals. */
	if (now_ns >= l->next_ns) {
		uint64_t idle = (now_ns - l->next_ns) / l->interval_ns + 1;

		if (idle > 1)
			fprintf(l->out,
				"%10s %" PRIu64 " intervals without an event of dom0\n",
				"", idle);
		else
			print_interval(l, p, l->next_ns, l->interval_ns);
		l->next_ns += idle * l->interval_ns;
	}
}

void live_finish(struct live *l, const struct parse *p)
{
	uint64_t begin_ns = l->next_ns - l->interval_ns;

	if (l->next_ns && p->join.last_ns > begin_ns)
		print_interval(l, p, p->join.last_ns, p->join.last_ns - begin_ns);
}
