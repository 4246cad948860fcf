// SPDX-License-Identifier: GPL-2.0-only
/* Comma-separated values; xblkparse(1) describes every column. */
#include "output.h"

#include <inttypes.h>
#include <string.h>

#include "util.h"

/*
 * Quoted where it has to be.  What a spreadsheet would take for a formula gets the
 * apostrophe in front by which all of them know a cell of text; names are a guest's
 * choice.
 */
static void print_text(FILE *out, const char *s)
{
	/* A leading apostrophe is doubled so that a program can undo it for certain. */
	if (*s && strchr("=+-@'\t\r", *s))
		fputc('\'', out);
	if (!strpbrk(s, ",\"\n")) {
		fputs(s, out);
		return;
	}
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"')
			fputc('"', out);
		fputc(*s, out);
	}
	fputc('"', out);
}

/* "U-Q2D" as a part of a column's name: "u_q2d". */
static void print_stage_column(FILE *out, int stage)
{
	for (const char *s = stage_names[stage]; *s; s++)
		fputc(*s == '-'		       ? '_'
		      : *s >= 'A' && *s <= 'Z' ? *s - 'A' + 'a'
					       : *s,
		      out);
}

void csv_request_titles(FILE *out)
{
	fputs("domid,guest,disk,op,sector,sectors,queued_ns,issued_ns,completed_ns,pid,"
	      "process,bios,backend_bios,requeues,error,bin",
	      out);
	for (int i = 0; i < STAGE_MAX; i++) {
		fputc(',', out);
		print_stage_column(out, i);
		fputs("_ns", out);
	}
	fputs(",guest_flush_wait_ns,backend_flush_wait_ns\n", out);
}

void csv_request_print(FILE *out, const struct parse *p, const struct filter *f,
		       const struct rq *rq, enum bin bin, const int64_t stages[STAGE_MAX])
{
	const struct domain *dom = rq->disk->dom;
	bool queued = !(rq->flags & RQ_NO_Q);
	uint64_t start_ns = p->join.start_ns;
	char op[16];

	if (!filter_disk(f, rq->disk))
		return;
	op_letters(op, rq->op, rq->nr_sectors);
	fprintf(out, "%u,", dom->domid);
	print_text(out, rq->disk->guest);
	fputc(',', out);
	print_text(out, rq->disk->label);
	fprintf(out, ",%s,%" PRIu64 ",%u,", op, rq->sector, rq->nr_sectors);
	if (queued)
		fprintf(out, "%" PRId64, (int64_t)(rq->q_ns - start_ns));
	/* What has only a completion has no D either. */
	fputc(',', out);
	if (rq->d_ns != rq->c_ns || queued)
		fprintf(out, "%" PRId64, (int64_t)(rq->d_ns - start_ns));
	fputc(',', out);
	if (rq->flags & RQ_COMPLETED)
		fprintf(out, "%" PRId64, (int64_t)(rq->c_ns - start_ns));
	fprintf(out, ",%u,", rq->pid);
	print_text(out, rq->pid ? process_name(dom, rq->pid) : "");
	fprintf(out, ",%u,%u,%u,%u,%s", rq->nr_bios, rq->nr_backend_bios, rq->requeues,
		rq->error, bin_names[bin]);
	for (int i = 0; i < STAGE_MAX; i++) {
		fputc(',', out);
		if (stages)
			fprintf(out, "%" PRId64, stages[i]);
	}
	if (stages && rq->chain.disk)
		fprintf(out, ",%" PRIu64 ",%" PRIu64 "\n",
			flush_times_overlap(rq->disk->flush_times, rq->q_ns, rq->d_ns),
			flush_times_overlap(rq->chain.disk->flush_times, rq->chain.q_ns,
					    rq->chain.d_ns));
	else
		fputs(",,\n", out);
}

void csv_summary(FILE *out, const struct parse *p, const struct filter *f)
{
	fputs("domid,guest,disk,stage,count,mean_ns,min_ns,p50_ns,p90_ns,p99_ns,p999_ns,"
	      "max_ns,share\n",
	      out);
	for (size_t i = 0; i < p->model.nr_disks; i++) {
		const struct disk *d = p->model.all_disks[i];

		if (!filter_disk(f, d) || !d->stats.stages[STAGE_Q2C])
			continue;
		for (int s = 0; s < STAGE_MAX; s++) {
			const struct hist *h = d->stats.stages[s],
					  *all = d->stats.stages[STAGE_Q2C];

			fprintf(out, "%u,", d->dom->domid);
			print_text(out, d->guest);
			fputc(',', out);
			print_text(out, d->label);
			fprintf(out,
				",%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
				",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%.9f\n",
				stage_names[s], h->count, hist_mean(h), h->min,
				hist_quantile(h, 500), hist_quantile(h, 900),
				hist_quantile(h, 990), hist_quantile(h, 999), h->max,
				all->sum ? (double)h->sum / (double)all->sum : 0);
		}
	}
}
