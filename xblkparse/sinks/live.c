// SPDX-License-Identifier: GPL-2.0-only
#include "live.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/util.h"
#include "name.h"
#include "sink.h"
#include "table.h"

/* Titles again after so many lines. */
#define TITLES_EVERY 24

static void print_titles(FILE *out)
{
	fprintf(out, "%10s %-14s", "time s", "disk");
	print_title(out, "reads/s", "");
	print_title(out, "MB/s", "");
	print_title(out, "writes/s", "");
	print_title(out, "MB/s", "");
	print_title(out, "others/s", "");
	for (int i = 0; i < STAGE_MAX; i++)
		print_title(out, stage_names[i], microseconds());
	print_title(out, "p99", microseconds());
	fprintf(out, " %8s %8s %8s", "lost", "queued", "inflight");
	print_title(out, "oldest", microseconds());
	fputs(" in\n", out);
}

/* Without any, a disk is idle; else the oldest one says for how long nothing came. */
static void print_in_flight(FILE *out, const struct xblk_interval *i)
{
	fprintf(out, " %8" PRIu64 " %8" PRIu64, i->queued, i->in_flight);
	if (i->in_flight) {
		print_value(out, i->oldest_ns / 1e3);
		fprintf(out, " %s\n", stage_names[i->reached]);
	} else {
		fprintf(out, " %9s -\n", "-");
	}
}

static void print_stage(FILE *out, bool known, uint64_t ns)
{
	if (known)
		print_value(out, ns / 1e3);
	else
		fprintf(out, " %9s", "-");
}

static void print_interval(FILE *out, const struct xblk *x, const struct xblk_disk *d,
			   const struct xblk_interval *i)
{
	double seconds = (i->to_ns - i->from_ns) / 1e9;
	const struct io_count *done = i->done;
	char name[LABEL_LEN + 16];

	snprintf(name, sizeof(name), "%u:%s", d->domid, d->label);
	fprintf(out, "%10.3f ", (double)(int64_t)(i->to_ns - xblk_start_ns(x)) / 1e9);
	print_name(out, name, 14);
	print_value(out, done[KIND_READ].ios / seconds);
	print_value(out, done[KIND_READ].sectors * 512 / seconds / 1e6);
	print_value(out, done[KIND_WRITE].ios / seconds);
	print_value(out, done[KIND_WRITE].sectors * 512 / seconds / 1e6);
	print_value(out, (done[KIND_FLUSH].ios + done[KIND_DISCARD].ios +
			  done[KIND_OTHER].ios) /
				 seconds);
	for (int s = 0; s < STAGE_MAX; s++)
		print_stage(out, i->joined, i->mean_ns[s]);
	print_stage(out, i->p99_ns, i->p99_ns);
	fprintf(out, " %8" PRIu64, i->lost);
	print_in_flight(out, i);
}

void live_print(FILE *out, struct live *l, const struct xblk *x, const struct filter *f,
		const struct xblk_interval *i)
{
	size_t at = i->disk;
	struct xblk_disk d;

	if (i->idle) {
		fprintf(out, "%10s %" PRIu64 " intervals without an event of dom0\n", "",
			i->idle);
	} else if (xblk_next_disk(x, &at, &d) && filter_disk(f, &d)) {
		if (l->lines++ % TITLES_EVERY == 0)
			print_titles(out);
		print_interval(out, x, &d, i);
	}
	/* Whoever reads it waits for this. */
	fflush(out);
}

static void *new_state(void)
{
	return xcalloc(1, sizeof(struct live));
}

static void print(struct output *to, const struct xblk *x, const struct xblk_interval *i)
{
	live_print(to->out, to->state, x, to->options->filter, i);
}

static void silence(struct output *to, unsigned int seconds)
{
	fprintf(to->out, "%10s nothing from the capture for %u s\n", "", seconds);
	fflush(to->out);
}

const struct sink live_sink = {
	.new_state = new_state,
	.free_state = free,
	.interval = print,
	.silence = silence,
};
