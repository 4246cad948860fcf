// SPDX-License-Identifier: GPL-2.0-only
/* The tables that a person reads. */
#include "output.h"

#include <inttypes.h>
#include <string.h>

#define COLUMNS 6

static const char *const titles[COLUMNS] = {"mean", "p50", "p90", "p99", "p99.9", "max"};

struct unit {
	const char *name;
	double ns;
};

/* One for a table, so that its numbers compare at a glance. */
static struct unit unit_for(uint64_t ns)
{
	if (ns < 10000000)
		return (struct unit){"\u00b5s", 1e3};
	if (ns < 10000000000)
		return (struct unit){"ms", 1e6};
	return (struct unit){"s", 1e9};
}

static uint64_t column(const struct hist *h, int i)
{
	static const unsigned int permille[COLUMNS] = {0, 500, 900, 990, 999, 1000};

	return i ? hist_quantile(h, permille[i]) : hist_mean(h);
}

/* Three digits that mean something. */
static void print_value(FILE *out, double v)
{
	fprintf(out, " %9.*f", v >= 99.95 ? 0 : v >= 9.995 ? 1 : v >= 0.9995 ? 2 : 3, v);
}

/* Right-aligned; printf counts bytes, and a micro sign has two. */
static void print_title(FILE *out, const char *title, const char *unit)
{
	int width = strlen(title) + 1 + (unit[0] == 's' || unit[0] == '\0' ? 1 : 2);

	fprintf(out, " %*s%s %s", width < 9 ? 9 - width : 0, "", title, unit);
}

static void print_stages(FILE *out, const struct disk_stats *st)
{
	const struct hist *all = st->stages[STAGE_Q2C];
	struct unit unit = unit_for(hist_mean(all));

	fprintf(out, "  %-6s %10s", "stage", "count");
	for (int i = 0; i < COLUMNS; i++)
		print_title(out, titles[i], unit.name);
	fprintf(out, " %8s\n", "share");
	for (int s = 0; s < STAGE_MAX; s++) {
		const struct hist *h = st->stages[s];

		fprintf(out, "  %-6s %10" PRIu64, stage_names[s], h->count);
		for (int i = 0; i < COLUMNS; i++)
			print_value(out, column(h, i) / unit.ns);
		fprintf(out, " %7.2f%%\n",
			all->sum ? 100.0 * (double)h->sum / (double)all->sum : 0.0);
	}
}

static void print_merges(FILE *out, const char *side, const struct merge_count *m)
{
	fprintf(out,
		"  %-6s %" PRIu64 " bios, %" PRIu64 " merged (%" PRIu64 " back, %" PRIu64
		" front), %" PRIu64 " requests merged",
		side, m->bios, m->back + m->front, m->back, m->front, m->requests);
	if (m->splits)
		fprintf(out, ", %" PRIu64 " splits", m->splits);
	if (m->requeues)
		fprintf(out, ", %" PRIu64 " requeues", m->requeues);
	fprintf(out, "; %" PRIu64 " issued", m->issued);
	if (m->issued)
		fprintf(out, " of %.1f KiB", m->issued_sectors / 2.0 / m->issued);
	fputc('\n', out);
}

static void print_done(FILE *out, const struct disk_stats *st)
{
	const char *sep = "";

	fputs("  done   ", out);
	for (int i = 0; i < KIND_MAX; i++) {
		const struct io_count *c = &st->done[i];

		if (!c->ios)
			continue;
		fprintf(out, "%s%" PRIu64 " %s", sep, c->ios, kind_names[i]);
		if (c->sectors)
			fprintf(out, " (%" PRIu64 " sectors)", c->sectors);
		sep = ", ";
	}
	if (!*sep)
		fputs("nothing", out);
	if (st->errors)
		fprintf(out, "; %" PRIu64 " with an error", st->errors);
	fputc('\n', out);
}

static void print_bins(FILE *out, const struct disk_stats *st)
{
	const char *sep = "";

	fputs("  bins   ", out);
	for (int i = 0; i < BIN_MAX; i++) {
		if (!st->bins[i] && i != BIN_JOINED)
			continue;
		fprintf(out, "%s%" PRIu64 " %s", sep, st->bins[i], bin_names[i]);
		sep = ", ";
	}
	if (st->backend_unmatched)
		fprintf(out, "; %" PRIu64 " bios of blkback's fit no request",
			st->backend_unmatched);
	fputc('\n', out);
}

static void print_disk(FILE *out, const struct disk *d, bool colour)
{
	const struct disk_stats *st = &d->stats;
	uint64_t joined = st->bins[BIN_JOINED];

	fprintf(out,
		"%s%s (%u) %s on %s: %" PRIu64 " requests, %" PRIu64
		" joined (%.2f%%)%s\n",
		colour ? "\033[1m" : "", d->dom->name, d->dom->domid, d->name,
		d->backing ? d->backing->name : "a backend that is not traced",
		st->requests, joined, st->requests ? 100.0 * joined / st->requests : 0.0,
		colour ? "\033[0m" : "");
	if (!st->requests && !st->guest.bios && !st->backend.bios)
		return;
	if (joined)
		print_stages(out, st);
	print_merges(out, "guest", &st->guest);
	print_merges(out, "dom0", &st->backend);
	print_done(out, st);
	print_bins(out, st);
}

static void print_losses(FILE *out, const struct parse *p, const struct filter *f)
{
	for (unsigned int i = 0; i < p->model.nr_domains; i++) {
		const struct domain *dom = p->model.domains[i];
		struct account a;

		if (!dom->backend && !filter_domain(f, dom))
			continue;
		parse_account(p, dom, &a);
		if (!a.found && !a.lost && !dom->described)
			continue;
		fprintf(out, "%s (%u): %" PRIu64 " records, %" PRIu64 " lost",
			!dom->backend ? dom->name
			: dom->domid  ? "driver domain"
				      : "dom0",
			dom->domid, a.found, a.lost);
		if (a.invalid)
			fprintf(out, ", %" PRIu64 " invalid", a.invalid);
		if (a.late)
			fprintf(out, ", %" PRIu64 " late", a.late);
		if (dom->evicted_bios + dom->evicted_rqs)
			fprintf(out, ", %" PRIu64 " evicted",
				dom->evicted_bios + dom->evicted_rqs);
		fputc('\n', out);
	}
}

static void print_clock(FILE *out, const struct disk_stats *all, uint64_t uncertainty)
{
	if (!all->clock_checked)
		return;
	fprintf(out,
		"clock: smallest U-T %" PRId64 " ns, smallest 0-T %" PRId64
		" ns; %" PRIu64 " violations of causality; the clocks agree to %" PRIu64
		" ns\n",
		all->min_u_t, all->min_0_t, all->bins[BIN_CAUSALITY], uncertainty);
	fprintf(out,
		"the five stages add up to Q2C to the nanosecond for %" PRIu64
		" of %" PRIu64 " joined requests\n",
		all->sum_checked - all->sum_failed, all->sum_checked);
}

void report_print(FILE *out, const struct parse *p, const struct filter *f, bool colour)
{
	struct disk_stats all;
	bool any = false;

	for (size_t i = 0; i < p->model.nr_disks; i++) {
		const struct disk *d = p->model.all_disks[i];

		if (!filter_disk(f, d))
			continue;
		fputs(any ? "\n" : "", out);
		print_disk(out, d, colour);
		any = true;
	}
	fputs(any ? "\n" : "no guest disk to report on\n", out);
	total_stats(p, f, &all);
	print_losses(out, p, f);
	print_clock(out, &all, total_uncertainty(p, f));
	stats_deinit(&all);
}
