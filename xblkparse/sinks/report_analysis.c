// SPDX-License-Identifier: GPL-2.0-only
/* The tables of what is analysed of a disk's requests. */
#include "report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "name.h"
#include "table.h"
#include "base/util.h"

/* As many lines as a screen shows of a table over time. */
#define TIME_ROWS 32

static void row_titles(FILE *out, const char *what, const char *unit)
{
	fprintf(out, "  %-18s %10s %8s", what, "count", "KiB");
	for (int i = 0; i < STAGE_MAX; i++)
		print_title(out, stage_names[i], unit);
	print_title(out, "p50", unit);
	print_title(out, "p99", unit);
	print_title(out, "max", unit);
	fputc('\n', out);
}

static void print_row(FILE *out, const char *name, const struct row *r, struct unit unit)
{
	uint64_t n = r->q2c->count;

	fputs("  ", out);
	print_name(out, name, 18);
	fprintf(out, " %10" PRIu64 " %8.1f", n, r->sectors / 2.0 / n);
	for (int i = 0; i < STAGE_PARTS; i++)
		print_value(out, r->sum[i] / unit.ns / n);
	print_value(out, hist_mean(r->q2c) / unit.ns);
	print_quantile(out, r->q2c, 500, unit);
	print_quantile(out, r->q2c, 990, unit);
	print_value(out, r->q2c->max / unit.ns);
	fputc('\n', out);
}

static void print_ops(FILE *out, const struct breakdown *b, struct unit unit)
{
	struct row r;

	row_titles(out, "operation (means)", unit.name);
	for (unsigned int i = 0; i < OP_CLASSES; i++) {
		if (!breakdown_op(b, i, &r))
			continue;
		if (op_names[i])
			print_row(out, op_names[i], &r, unit);
		row_deinit(&r);
	}
}

static const char *size_name(unsigned int class)
{
	static char name[32];

	if (size_class_from(class) == size_class_to(class))
		snprintf(name, sizeof(name), "%u", size_class_from(class));
	else
		snprintf(name, sizeof(name), "%u-%u", size_class_from(class),
			 size_class_to(class));
	return name;
}

static void print_sizes(FILE *out, const struct breakdown *b, struct unit unit)
{
	struct row r;

	row_titles(out, "sectors (means)", unit.name);
	for (unsigned int i = 0; i < SIZE_CLASSES; i++) {
		if (!breakdown_size(b, i, &r))
			continue;
		print_row(out, size_name(i), &r, unit);
		row_deinit(&r);
	}
	if (breakdown_size(b, SIZE_FURTHER, &r))
		print_row(out, "all further ones", &r, unit);
	row_deinit(&r);
}

/* What merging made of the bios, on both sides; also of what is not joined. */
static void print_issued(FILE *out, const struct disk_counts *counts)
{
	fprintf(out, "  %-18s %10s %10s\n", "issued, sectors", "guest", "dom0");
	for (unsigned int i = 0; i < SIZE_CLASSES; i++) {
		if (counts->guest.issued_sizes[i] || counts->backend.issued_sizes[i])
			fprintf(out, "  %-18s %10" PRIu64 " %10" PRIu64 "\n",
				size_name(i), counts->guest.issued_sizes[i],
				counts->backend.issued_sizes[i]);
	}
}

/* The one first whose requests took most of the time. */
static int compare_processes(const void *a, const void *b)
{
	const struct process_row *x = a, *y = b;

	if (x->row->q2c->sum != y->row->q2c->sum)
		return x->row->q2c->sum < y->row->q2c->sum ? 1 : -1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void print_processes(FILE *out, const struct breakdown *b, struct unit unit)
{
	struct process_row rows[PROCESS_ROWS];
	char name[32];

	for (unsigned int i = 0; i < b->nr_processes; i++)
		rows[i] = b->processes[i];
	qsort(rows, b->nr_processes, sizeof(*rows), compare_processes);
	row_titles(out, "process (means)", unit.name);
	for (unsigned int i = 0; i < b->nr_processes; i++) {
		if (rows[i].pid)
			snprintf(name, sizeof(name), "%s %u", rows[i].name, rows[i].pid);
		else
			snprintf(name, sizeof(name), "not known");
		print_row(out, name, rows[i].row, unit);
	}
	if (b->others)
		print_row(out, "all further ones", b->others, unit);
}

static void print_bands(FILE *out, const struct disk_stats *st, struct unit unit,
			const struct paint *paint)
{
	struct band bands[BANDS];

	if (!bands_known(&st->analysis->bands, st->stages[STAGE_Q2C])) {
		fputs("  slowness   not known: there was no room for all times\n", out);
		return;
	}
	bands_fold(&st->analysis->bands, st->stages[STAGE_Q2C], bands);
	fprintf(out, "  %-10s %10s", "slowness", "count");
	print_title(out, "from", unit.name);
	print_title(out, "to", unit.name);
	for (int i = 0; i < STAGE_PARTS; i++)
		fprintf(out, " %8s", stage_names[i]);
	fputs("  where the time went\n", out);
	for (int i = 0; i < BANDS; i++) {
		double sum = 0;
		int most = 0;

		if (!bands[i].count)
			continue;
		for (int s = 0; s < STAGE_PARTS; s++) {
			sum += bands[i].sum[s];
			most = bands[i].sum[s] > bands[i].sum[most] ? s : most;
		}
		fprintf(out, "  %-10s %10" PRIu64, band_names[i], bands[i].count);
		print_value(out, bands[i].from_ns / unit.ns);
		print_value(out, bands[i].to_ns / unit.ns);
		for (int s = 0; s < STAGE_PARTS; s++) {
			putc(' ', out);
			fputs(s == most ? paint->most : "", out);
			print_percent(out, sum > 0 ? 100 * bands[i].sum[s] / sum : 0);
			fputs(s == most ? paint->off : "", out);
		}
		fprintf(out, "  most in %s\n", stage_names[most]);
	}
}

static void print_interval(FILE *out, const struct timeline *t, unsigned int i,
			   uint64_t start_ns, double depth[SIDE_MAX][STATE_MAX],
			   struct unit unit)
{
	const struct interval *in = &t->intervals[i];
	double seconds = (double)timeline_width(t, i) / 1e9;

	fprintf(out, "  %12.6f",
		(double)(t->start_ns - start_ns + ((uint64_t)i << t->shift)) / 1e9);
	for (int side = 0; side < SIDE_MAX; side++) {
		print_value(out, in->side[side].ios / seconds);
		print_value(out, in->side[side].sectors * 512 / seconds / 1e6);
		print_value(out, depth[side][STATE_Q2C]);
		print_value(out, depth[side][STATE_D2C]);
	}
	for (int s = 0; s < STAGE_PARTS; s++) {
		if (in->joined)
			print_value(out, in->sum[s] / unit.ns / in->joined);
		else
			fprintf(out, " %9s", "-");
	}
	print_value(out, in->max_q2c / unit.ns);
	fputc('\n', out);
}

static void print_timeline(FILE *out, const struct timeline *fine, uint64_t start_ns,
			   struct unit unit)
{
	double depth[SIDE_MAX][STATE_MAX][TIME_ROWS], here[SIDE_MAX][STATE_MAX];
	struct timeline t;

	timeline_copy(&t, fine);
	timeline_coarsen(&t, TIME_ROWS);
	for (int k = 0; k < SIDE_MAX * STATE_MAX; k++)
		timeline_depth(&t, k / STATE_MAX, k % STATE_MAX,
			       depth[k / STATE_MAX][k % STATE_MAX]);
	fprintf(out, "  %12s", "time s");
	for (int side = 0; side < SIDE_MAX; side++) {
		print_title(out, side == SIDE_GUEST ? "guest/s" : "dom0/s", "");
		print_title(out, "MB/s", "");
		print_title(out, "in Q2C", "");
		print_title(out, "in D2C", "");
	}
	for (int s = 0; s < STAGE_PARTS; s++)
		print_title(out, stage_names[s], unit.name);
	print_title(out, "max", unit.name);
	fputc('\n', out);
	for (unsigned int i = 0; i < t.nr; i++) {
		for (int k = 0; k < SIDE_MAX * STATE_MAX; k++)
			here[k / STATE_MAX][k % STATE_MAX] =
				depth[k / STATE_MAX][k % STATE_MAX][i];
		print_interval(out, &t, i, start_ns, here, unit);
	}
	timeline_deinit(&t);
}

static void print_slow_head(FILE *out, const struct slow *s, uint64_t start_ns)
{
	char op[16], process[40];

	op_letters(op, s->request.op, s->request.nr_sectors);
	snprintf(process, sizeof(process), "%s %u", s->process, s->request.pid);
	fprintf(out, "  %14.9f %4s %12" PRIu64 " %6u ",
		(double)(int64_t)(s->request.q_ns - start_ns) / 1e9, op,
		s->request.sector, s->request.nr_sectors);
	print_name(out, process, 20);
}

static void print_slowest(FILE *out, const struct slowest *list, uint64_t start_ns,
			  struct unit unit, const struct paint *paint)
{
	fprintf(out, "  %14s %4s %12s %6s %-20s", "slowest: at s", "op", "sector", "nr",
		"process");
	for (int k = 0; k < STAGE_MAX; k++)
		print_title(out, stage_names[k], unit.name);
	fputc('\n', out);
	for (unsigned int i = 0; i < list->nr; i++) {
		const struct slow *s = &list->heap[i];
		int most = 0;

		print_slow_head(out, s, start_ns);
		for (int k = 0; k < STAGE_PARTS; k++)
			most = s->request.stages[k] > s->request.stages[most] ? k : most;
		for (int k = 0; k < STAGE_MAX; k++) {
			fputs(k == most ? paint->most : "", out);
			print_value(out, s->request.stages[k] / unit.ns);
			fputs(k == most ? paint->off : "", out);
		}
		if (s->request.requeues)
			fprintf(out, "  %u requeues", s->request.requeues);
		if (s->request.guest_flush_ns)
			fprintf(out, "  %.0f %s behind a flush",
				s->request.guest_flush_ns / unit.ns, unit.name);
		if (s->request.backend_flush_ns)
			fprintf(out, "  %.0f %s behind a flush in dom0",
				s->request.backend_flush_ns / unit.ns, unit.name);
		if (s->request.error)
			fprintf(out, "  error %u", s->request.error);
		fputc('\n', out);
	}
}

static void print_waits(FILE *out, const struct disk_stats *st, const struct paint *paint)
{
	static const enum stage stage[SIDE_MAX] = {STAGE_U_Q2D, STAGE_0_Q2D};

	for (int side = 0; side < SIDE_MAX; side++) {
		const struct flush_wait *w = &st->analysis->waits[side];
		const struct hist *h = st->stages[stage[side]];

		if (!w->requests)
			continue;
		fprintf(out,
			"  flush  %s%" PRIu64 " requests waited in %s while a flush was "
			"outstanding%s, %.3f ms in all: %.2f%% of that stage\n",
			paint->most, w->requests, stage_names[stage[side]], paint->off,
			w->ns / 1e6, h->sum ? 100.0 * w->ns / (double)h->sum : 0.0);
	}
}

static void print_in_flight(FILE *out, const struct xblk *x, const struct xblk_disk *d,
			    const struct paint *paint)
{
	const struct analysis *a = xblk_stats(x, d->nr)->analysis;
	const char *sep = "";

	if (!xblk_counts(x, d->nr)->queued_bios && (!a || !a->oldest.nr))
		return;
	fprintf(out, "  %sopen%s   at the end: ", paint->most, paint->off);
	for (int i = 0; a && i < STAGE_PARTS; i++) {
		if (!a->reached[i])
			continue;
		fprintf(out, "%s%" PRIu64 " requests in %s", sep, a->reached[i],
			stage_names[i]);
		sep = ", ";
	}
	if (xblk_counts(x, d->nr)->queued_bios)
		fprintf(out, "%s%" PRIu64 " bios in no issued request", sep,
			xblk_counts(x, d->nr)->queued_bios);
	if (!a || !a->oldest.nr) {
		fputc('\n', out);
		return;
	}
	fputs("; the oldest requests:\n", out);
	for (unsigned int i = 0; i < a->oldest.nr; i++) {
		const struct slow *s = &a->oldest.heap[i];

		print_slow_head(out, s, xblk_start_ns(x));
		fprintf(out, " in %s, queued %.3f ms before the end\n",
			stage_names[s->request.reached], s->age_ns / 1e6);
	}
}

void report_analysis(FILE *out, const struct xblk *x, const struct xblk_disk *d,
		     const struct report_options *o)
{
	const struct disk_stats *st = xblk_stats(x, d->nr);
	const struct analysis *a = st->analysis;
	struct paint paint = paint_for(o->colour);
	struct unit unit;

	if (st->bins[BIN_JOINED]) {
		unit = unit_for(hist_mean(st->stages[STAGE_Q2C]));
		if (o->by & REPORT_BAND)
			print_bands(out, st, unit, &paint);
		if (o->by & REPORT_OP)
			print_ops(out, &a->breakdown, unit);
		if (o->by & REPORT_SIZE)
			print_sizes(out, &a->breakdown, unit);
		if (o->by & REPORT_PROCESS)
			print_processes(out, &a->breakdown, unit);
		if (o->by & REPORT_TIME)
			print_timeline(out, &a->timeline, xblk_start_ns(x), unit);
		if (o->slowest)
			print_slowest(out, &a->slowest, xblk_start_ns(x), unit, &paint);
		print_waits(out, st, &paint);
	}
	if (o->by & REPORT_SIZE)
		print_issued(out, xblk_counts(x, d->nr));
	print_in_flight(out, x, d, &paint);
}
