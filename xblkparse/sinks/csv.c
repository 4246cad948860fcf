// SPDX-License-Identifier: GPL-2.0-only
/* Comma-separated values; xblkparse(1) describes every column. */
#include "output.h"

#include <inttypes.h>
#include <stdbool.h>

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
	static const bool formula[256] = {
		['='] = true,  ['+'] = true,  ['-'] = true,  ['@'] = true,
		['\''] = true, ['\t'] = true, ['\r'] = true,
	};
	static const bool quoted[256] = {[','] = true, ['"'] = true, ['\n'] = true};
	const char *end = s;

	/* A leading apostrophe is doubled so that a program can undo it for certain. */
	if (formula[(uint8_t)*s])
		text_char(t, '\'');
	while (*end && !quoted[(uint8_t)*end])
		end++;
	if (!*end) {
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
	fputs(",guest_flush_wait_ns,backend_flush_wait_ns,guest_uuid,ring,slot,"
	      "first_issued_ns,requeued_ns,interrupt_ns,backend_request,backend_pid,"
	      "backend_process,backend_failed,backend_queued_ns,backend_issued_ns,"
	      "backend_completed_ns,backend_interrupt_ns,backend_thread_ns,response_ns,"
	      "lowest_disk,lowest_queued_ns,lowest_completed_ns,lowest_requeued_ns,"
	      "lowest_requeues,clones,first_clone_ns,why,reached,guest_lost_from_ns,"
	      "guest_lost_to_ns,backend_lost_from_ns,backend_lost_to_ns\n",
	      out);
}

/* What the backend did for a request, all of which was seen. */
static void add_backend(struct text *t, uint64_t start_ns, const struct xblk_request *r)
{
	if (r->backend_request)
		text_u64(t, r->backend_request);
	text_char(t, ',');
	add_u64(t, r->backend_pid);
	add_name(t, r->backend_process);
	text_char(t, ',');
	add_u64(t, r->backend_failed);
	add_since(t, start_ns, r->backend_q_ns);
	add_since(t, start_ns, r->backend_d_ns);
	add_since(t, start_ns, r->backend_c_ns);
	add_since(t, start_ns, r->backend_interrupt_ns);
	add_since(t, start_ns, r->backend_thread_ns);
	add_since(t, start_ns, r->response_ns);
	add_name(t, r->lowest_disk);
	text_char(t, ',');
	add_since(t, start_ns, r->lowest_q_ns);
	add_since(t, start_ns, r->lowest_c_ns);
	add_u64(t, r->lowest_requeued_ns);
	add_u64(t, r->lowest_requeues);
	add_u64(t, r->nr_clones);
	add_since(t, start_ns, r->first_clone_ns);
}

/* The end of a loss may be that of the trace: then it is not known. */
static void add_lost(struct text *t, uint64_t start_ns, uint64_t from_ns, uint64_t to_ns)
{
	add_since(t, start_ns, from_ns);
	if (to_ns && to_ns != UINT64_MAX)
		text_i64(t, (int64_t)(to_ns - start_ns));
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
	text_char(&t, ',');
	add_name(&t, r->uuid);
	text_char(&t, ',');
	if (r->ring >= 0) {
		add_u64(&t, r->ring);
		add_u64(&t, r->slot);
	} else {
		text_string(&t, ",,");
	}
	add_since(&t, start_ns, r->first_d_ns);
	add_u64(&t, r->requeued_ns);
	add_since(&t, start_ns, r->interrupt_ns);
	if (r->measured)
		add_backend(&t, start_ns, r);
	else
		text_string(&t, ",,,,,,,,,,,,,,,,,");
	text_string(&t, r->why);
	text_char(&t, ',');
	if (r->bin == BIN_IN_FLIGHT)
		text_string(&t, stage_names[r->reached]);
	text_char(&t, ',');
	add_lost(&t, start_ns, r->guest_lost_from_ns, r->guest_lost_to_ns);
	text_char(&t, ',');
	add_lost(&t, start_ns, r->backend_lost_from_ns, r->backend_lost_to_ns);
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
