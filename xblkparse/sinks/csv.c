// SPDX-License-Identifier: GPL-2.0-only
/* Comma-separated values; xblkparse(1) describes every column. */
#include "output.h"

#include <inttypes.h>
#include <string.h>

#include "base/op.h"
#include "requests.h"
#include "text.h"

/*
 * Quoted where it has to be.  What a spreadsheet would take for a formula gets the
 * apostrophe in front by which all of them know a cell of text; names are a guest's
 * choice.
 */
static void add_name(struct text *t, const char *s)
{
	/* A leading apostrophe is doubled so that a program can undo it for certain. */
	if (*s && strchr("=+-@'\t\r", *s))
		text_char(t, '\'');
	if (!strpbrk(s, ",\"\n")) {
		text_string(t, s);
		return;
	}
	text_char(t, '"');
	for (; *s; s++) {
		if (*s == '"')
			text_char(t, '"');
		text_char(t, *s);
	}
	text_char(t, '"');
}

/* A field, and the comma behind it. */
static void add_u64(struct text *t, uint64_t n)
{
	text_u64(t, n);
	text_char(t, ',');
}

static void add_since(struct text *t, uint64_t start_ns, uint64_t ns)
{
	if (ns)
		text_i64(t, (int64_t)(ns - start_ns));
	text_char(t, ',');
}

static void add_disk(struct text *t, unsigned int domid, const char *guest,
		     const char *label)
{
	add_u64(t, domid);
	add_name(t, guest);
	text_char(t, ',');
	add_name(t, label);
	text_char(t, ',');
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

void csv_request_print(FILE *out, uint64_t start_ns, const struct xblk_request *r)
{
	struct text t;
	char op[16];

	t.len = 0;
	add_disk(&t, r->domid, r->guest, r->label);
	op_letters(op, r->op, r->nr_sectors);
	text_string(&t, op);
	text_char(&t, ',');
	add_u64(&t, r->sector);
	add_u64(&t, r->nr_sectors);
	add_since(&t, start_ns, r->q_ns);
	add_since(&t, start_ns, r->d_ns);
	add_since(&t, start_ns, r->c_ns);
	add_u64(&t, r->pid);
	add_name(&t, r->pid ? r->process : "");
	text_char(&t, ',');
	add_u64(&t, r->nr_bios);
	add_u64(&t, r->nr_backend_bios);
	add_u64(&t, r->requeues);
	add_u64(&t, r->error);
	text_string(&t, bin_names[r->bin]);
	for (int i = 0; i < STAGE_MAX; i++) {
		text_char(&t, ',');
		if (r->measured)
			text_i64(&t, r->stages[i]);
	}
	text_char(&t, ',');
	if (r->measured)
		text_u64(&t, r->guest_flush_ns);
	text_char(&t, ',');
	if (r->measured)
		text_u64(&t, r->backend_flush_ns);
	text_char(&t, '\n');
	text_write(&t, out);
}

void csv_summary(FILE *out, const struct xblk *x, const struct filter *f)
{
	struct xblk_disk d;
	size_t at = 0;

	fputs("domid,guest,disk,stage,count,mean_ns,min_ns,p50_ns,p90_ns,p99_ns,p999_ns,"
	      "max_ns,share\n",
	      out);
	while (xblk_next_disk(x, &at, &d)) {
		const struct disk_stats *st = xblk_stats(x, d.nr);

		if (!filter_disk(f, &d) || !st->stages[STAGE_Q2C])
			continue;
		for (int s = 0; s < STAGE_MAX; s++) {
			const struct hist *h = st->stages[s],
					  *all = st->stages[STAGE_Q2C];
			struct text t;

			t.len = 0;
			add_disk(&t, d.domid, d.guest, d.label);
			text_write(&t, out);
			fprintf(out,
				"%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
				",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%.9f\n",
				stage_names[s], h->count, hist_mean(h), h->min,
				hist_quantile(h, 500), hist_quantile(h, 900),
				hist_quantile(h, 990), hist_quantile(h, 999), h->max,
				all->sum ? (double)h->sum / (double)all->sum : 0);
		}
	}
}
