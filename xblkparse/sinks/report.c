// SPDX-License-Identifier: GPL-2.0-only
#include "report.h"

#include <inttypes.h>
#include <string.h>

#include "msg.h"
#include "name.h"
#include "sink.h"
#include "table.h"
#include "base/util.h"

#define COLUMNS 6

static const char *const titles[COLUMNS] = {"mean", "p50", "p90", "p99", "p99.9", "max"};

static void print_row(FILE *out, const char *name, const struct hist *h,
		      const struct hist *all, struct unit unit, const char *begin,
		      const char *end)
{
	static const unsigned int permille[] = {500, 900, 990, 999};

	fprintf(out, "  %-8s %10" PRIu64, name, h->count);
	print_value(out, hist_mean(h) / unit.ns);
	for (unsigned int i = 0; i < ARRAY_SIZE(permille); i++)
		print_quantile(out, h, permille[i], unit);
	print_value(out, h->max / unit.ns);
	putc(' ', out);
	fputs(begin, out);
	print_percent(out, all->sum ? 100.0 * (double)h->sum / (double)all->sum : 0.0);
	fputs(end, out);
	putc('\n', out);
}

static void print_substages(FILE *out, const struct disk_stats *st, enum stage of,
			    struct unit unit)
{
	char name[16];

	for (int i = 0; i < SUB_MAX; i++) {
		if (substage_of[i] != of || !st->substages[i])
			continue;
		snprintf(name, sizeof(name), " %s", substage_names[i]);
		print_row(out, name, st->substages[i], st->stages[STAGE_Q2C], unit, "",
			  "");
	}
}

static void print_stages(FILE *out, const struct disk_stats *st,
			 const struct paint *paint)
{
	const struct hist *all = st->stages[STAGE_Q2C];
	struct unit unit = unit_for(hist_mean(all));
	int most = 0;

	for (int s = 0; s < STAGE_PARTS; s++)
		most = st->stages[s]->sum > st->stages[most]->sum ? s : most;
	fprintf(out, "  %-8s %10s", "stage", "count");
	for (int i = 0; i < COLUMNS; i++)
		print_title(out, titles[i], unit.name);
	fprintf(out, " %8s\n", "share");
	for (int s = 0; s < STAGE_MAX; s++) {
		print_row(out, stage_names[s], st->stages[s], all, unit,
			  s == most ? paint->most : "", s == most ? paint->off : "");
		print_substages(out, st, s, unit);
	}
}

/* @unknown: how much was merged was not recorded. */
static void print_merges(FILE *out, const char *side, const struct merge_count *m,
			 bool unknown)
{
	fprintf(out, "  %-6s %" PRIu64 " bios, ", side, m->bios);
	if (unknown)
		fputs("- merged, - requests merged", out);
	else
		fprintf(out,
			"%" PRIu64 " merged (%" PRIu64 " back, %" PRIu64
			" front), %" PRIu64 " requests merged",
			m->back + m->front, m->back, m->front, m->requests);
	if (m->splits)
		fprintf(out, ", %" PRIu64 " splits", m->splits);
	if (m->ended)
		fprintf(out, ", %" PRIu64 " ended without a request", m->ended);
	if (m->requeues)
		fprintf(out, ", %" PRIu64 " requeues", m->requeues);
	fprintf(out, "; %" PRIu64 " issued", m->issued);
	if (m->issued)
		fprintf(out, " of %.1f KiB", m->issued_sectors / 2.0 / m->issued);
	fputc('\n', out);
}

static void print_done(FILE *out, const struct disk_counts *counts)
{
	const char *sep = "";

	fputs("  done   ", out);
	for (int i = 0; i < KIND_MAX; i++) {
		const struct io_count *c = &counts->done[i];

		if (!c->ios)
			continue;
		fprintf(out, "%s%" PRIu64 " %s", sep, c->ios, kind_names[i]);
		if (c->sectors)
			fprintf(out, " (%" PRIu64 " sectors)", c->sectors);
		sep = ", ";
	}
	if (!*sep)
		fputs("nothing", out);
	if (counts->errors)
		fprintf(out, "; %" PRIu64 " with an error", counts->errors);
	fputc('\n', out);
}

static void print_bins(FILE *out, const struct disk_stats *st,
		       const struct disk_counts *counts)
{
	const char *sep = "";

	fputs("  bins   ", out);
	for (int i = 0; i < BIN_MAX; i++) {
		if (!st->bins[i] && i != BIN_JOINED)
			continue;
		fprintf(out, "%s%" PRIu64 " %s", sep, st->bins[i], bin_names[i]);
		sep = ", ";
	}
	if (counts->backend_unmatched)
		fprintf(out, "; %" PRIu64 " bios of blkback's fit no request",
			counts->backend_unmatched);
	fputc('\n', out);
}

/* Why most of a disk's requests may be in a bin, and what to do. */
static const char *const remedies[BIN_MAX] = {
	[BIN_BEFORE_TRACE] = "they began before the trace; trace for longer",
	[BIN_LOST] = "records were lost; trace with larger buffers (xblktrace -b, -n)",
	[BIN_NO_BACKEND_IO] = "dom0 queued no I/O for them; see what serves the disk",
	[BIN_NOT_SERVED] = "no traced blkback serves it; trace the domain that does",
	[BIN_INCOMPLETE] = "dom0 does not show how their I/O ended; see what is below",
	[BIN_CAUSALITY] = "the clocks disagree; see the line of the clock in the tables",
	[BIN_CLOCK_CHANGE] = "a clock was set anew meanwhile; trace again",
	[BIN_EVICTED] = "more were in flight than are kept; trace fewer disks",
	[BIN_AMBIGUOUS] = "others were at the same place; see the probes not offered",
	[BIN_MALFORMED] = "the guest's records contradict each other; see its module",
};

#define FEW_OF 10 /* requests that came back: of less nothing is said */

static bool any_of_backend(const struct xblk *x)
{
	struct xblk_domain dom;

	for (size_t at = 0; xblk_next_domain(x, &at, &dom);) {
		if (dom.backend && dom.records)
			return true;
	}
	return false;
}

#define FEW_TOLD 5 /* disks, beside the tables */
#define FEW_SIZE 160

/* Why few of a disk's requests are joined; NULL: they are not few. */
static const char *few_joined(const struct xblk *x, const struct disk_stats *st,
			      char text[FEW_SIZE])
{
	uint64_t back = st->requests - st->bins[BIN_IN_FLIGHT];
	enum bin most = BIN_BEFORE_TRACE;

	if (back < FEW_OF || st->bins[BIN_JOINED] >= back / 2)
		return NULL;
	if (!any_of_backend(x))
		return "none is joined: the trace has no record of dom0, and what it did "
		       "is not known";
	for (int i = 0; i < BIN_MAX; i++) {
		if (remedies[i] && st->bins[i] > st->bins[most])
			most = i;
	}
	snprintf(text, FEW_SIZE, "few are joined, of the others most are %s: %s",
		 bin_names[most], remedies[most]);
	return text;
}

static void print_few_joined(FILE *out, const struct xblk *x, const struct disk_stats *st)
{
	char text[FEW_SIZE];
	const char *why = few_joined(x, st, text);

	if (why)
		fprintf(out, "  %s\n", why);
}

void report_tell_few(const struct xblk *x, const struct filter *f)
{
	unsigned int nr = 0;
	struct xblk_trace t;
	struct xblk_disk d;

	/* One side alone has been told of. */
	xblk_get_trace(x, &t);
	if (t.problems && !any_of_backend(x))
		return;
	for (size_t at = 0; xblk_next_disk(x, &at, &d);) {
		char text[FEW_SIZE];
		const char *why = NULL;

		if (filter_disk(f, &d))
			why = few_joined(x, xblk_stats(x, d.nr), text);
		if (why && nr++ < FEW_TOLD)
			msg_say("%s (%u) %s: %s", d.guest, d.domid, d.label, why);
	}
	if (nr > FEW_TOLD)
		msg_say("few or none are joined of %u more disks, too", nr - FEW_TOLD);
}

static void print_disk(FILE *out, const struct xblk *x, const struct xblk_disk *d,
		       const struct report_options *o)
{
	const struct disk_counts *counts = xblk_counts(x, d->nr);
	const struct disk_stats *st = xblk_stats(x, d->nr);
	uint64_t joined = st->bins[BIN_JOINED];
	struct paint paint = paint_for(o->colour);
	struct xblk_disk backing = {.label = "a backend that is not traced"};
	size_t at = d->backing;

	xblk_next_disk(x, &at, &backing);
	fputs(paint.title, out);
	print_name(out, d->guest, 0);
	fprintf(out, " (%u) ", d->domid);
	print_name(out, d->label, 0);
	fputs(" on ", out);
	print_name(out, backing.label, 0);
	fprintf(out, ": %" PRIu64 " requests, %" PRIu64 " joined (%.2f%%)%s\n",
		st->requests, joined, st->requests ? 100.0 * joined / st->requests : 0.0,
		paint.off);
	if (st->not_chosen)
		fprintf(out,
			"  chosen are %" PRIu64 " of %" PRIu64
			" requests; the lines guest, dom0 and done are of all\n",
			st->requests, st->requests + st->not_chosen);
	if (!st->requests && !counts->guest.bios && !counts->backend.bios)
		return;
	if (joined)
		print_stages(out, st, &paint);
	report_analysis(out, x, d, o);
	print_merges(out, "guest", &counts->guest, d->no_merges);
	print_merges(out, "dom0", &counts->backend, d->backing_no_merges);
	print_done(out, counts);
	print_bins(out, st, counts);
	print_few_joined(out, x, st);
}

static void print_domain(FILE *out, const struct xblk_domain *dom)
{
	print_name(out,
		   !dom->backend ? dom->name
		   : dom->domid	 ? "driver domain"
				 : "dom0",
		   0);
	fprintf(out, " (%u)", dom->domid);
}

/* Of those that are shown. */
static bool next_domain(const struct xblk *x, const struct filter *f, size_t *at,
			struct xblk_domain *dom)
{
	while (xblk_next_domain(x, at, dom)) {
		if (dom->backend || filter_domain(f, dom->domid, dom->name))
			return true;
	}
	return false;
}

static void print_losses(FILE *out, const struct xblk *x, const struct filter *f,
			 const struct paint *paint)
{
	struct xblk_domain dom;
	size_t at = 0;

	while (next_domain(x, f, &at, &dom)) {
		if (!dom.records && !dom.lost && !dom.described)
			continue;
		print_domain(out, &dom);
		fprintf(out, ": %" PRIu64 " records, %s%" PRIu64 " lost%s", dom.records,
			dom.lost ? paint->bad : "", dom.lost, dom.lost ? paint->off : "");
		if (dom.invalid)
			fprintf(out, ", %" PRIu64 " invalid", dom.invalid);
		if (dom.late)
			fprintf(out, ", %" PRIu64 " late", dom.late);
		if (dom.evicted)
			fprintf(out, ", %" PRIu64 " evicted", dom.evicted);
		if (dom.clock_changes)
			fprintf(out, ", %sclock set anew%s (generation %u)", paint->bad,
				paint->off, dom.clock_changes);
		fputc('\n', out);
	}
}

/* @before: what is printed first; a comma then */
static void list_probes_of(FILE *out, const struct xblk_domain *dom, bool there,
			   const char **before)
{
	bool any = false;

	for (int p = 0; p < PROBE_MAX; p++) {
		if (!probe_is_of(p, dom->backend) || (dom->probes >> p & 1) != there)
			continue;
		if (!any) {
			fputs(*before, out);
			print_domain(out, dom);
		}
		fprintf(out, " %s", probe_names[p]);
		any = true;
		*before = ", ";
	}
}

/* Those that the kernels offer, or those that they do not; false: nobody told. */
static bool list_probes(FILE *out, const struct xblk *x, const struct filter *f,
			bool there, const char **before)
{
	struct xblk_domain dom;
	bool told = false;
	size_t at = 0;

	while (next_domain(x, f, &at, &dom)) {
		if (!dom.probes_told)
			continue;
		list_probes_of(out, &dom, there, before);
		told = true;
	}
	return told;
}

/* Which substages there can be. */
static void print_probes(FILE *out, const struct xblk *x, const struct filter *f)
{
	const char *offered = "probes: ", *before = offered;

	if (!list_probes(out, x, f, true, &before))
		return;
	if (before == offered)
		fprintf(out, "%snone", offered);
	before = "; not offered: ";
	list_probes(out, x, f, false, &before);
	fputc('\n', out);
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
}

bool report_parse_by(unsigned int *by, const char *arg)
{
	static const struct {
		const char *name;
		unsigned int by;
	} tables[] = {
		{"band", REPORT_BAND},
		{"op", REPORT_OP},
		{"size", REPORT_SIZE},
		{"process", REPORT_PROCESS},
		{"time", REPORT_TIME},
		{"all",
		 REPORT_BAND | REPORT_OP | REPORT_SIZE | REPORT_PROCESS | REPORT_TIME},
		{"none", 0},
	};

	*by = 0;
	do {
		size_t len = strcspn(arg, ","), i;

		for (i = 0; i < ARRAY_SIZE(tables); i++) {
			if (strlen(tables[i].name) == len &&
			    !strncmp(tables[i].name, arg, len))
				break;
		}
		if (i == ARRAY_SIZE(tables))
			return false;
		*by |= tables[i].by;
		arg += len + (arg[len] == ',');
	} while (*arg);
	return true;
}

void report_print(FILE *out, const struct xblk *x, const struct filter *f,
		  const struct report_options *o)
{
	struct paint paint = paint_for(o->colour);
	struct disk_stats all;
	struct xblk_trace t;
	struct xblk_disk d;
	bool any = false;
	size_t at = 0;

	xblk_get_trace(x, &t);
	while (xblk_next_disk(x, &at, &d)) {
		if (!filter_disk(f, &d))
			continue;
		fputs(any ? "\n" : "", out);
		print_disk(out, x, &d, o);
		any = true;
	}
	fputs(any ? "\n" : "no guest disk to report on\n", out);
	total_stats(x, f, &all);
	if (*t.recorded) {
		fputs("recorded: only ", out);
		print_name(out, t.recorded, 0);
		fputc('\n', out);
	}
	print_losses(out, x, f, &paint);
	print_probes(out, x, f);
	print_clock(out, &all, total_uncertainty(x, f));
	stats_deinit(&all);
}

static void ask(struct xblk_analysis *a, const struct sink_options *o)
{
	a->latencies = true;
	if (o->report.by & REPORT_TIME)
		a->timeline = true;
	if (o->report.by & REPORT_PROCESS)
		a->processes = true;
}

static bool end(struct output *to, const struct xblk *x)
{
	report_print(to->out, x, to->options->filter, &to->options->report);
	return true;
}

const struct sink tables_sink = {.tells_few = true, .ask = ask, .end = end};
