// SPDX-License-Identifier: GPL-2.0-only
/* Comma-separated values; xblkparse(1) describes every column. */
#include "output.h"

#include <inttypes.h>
#include <stdbool.h>

#include "base/op.h"
#include "base/util.h"
#include "requests.h"
#include "sink.h"
#include "text.h"

/* What a character of a cell means beyond itself, a bit each. */
enum special {
	ENDS = 1 << 0,	  /* there is no other one behind it */
	QUOTED = 1 << 1,  /* the cell has to be quoted */
	FORMULA = 1 << 2, /* as the first one: a spreadsheet would take it for one */
};

static const uint8_t special[256] = {
	['\0'] = ENDS,	  [','] = QUOTED,   ['"'] = QUOTED,   ['\n'] = QUOTED,
	['='] = FORMULA,  ['+'] = FORMULA,  ['-'] = FORMULA,  ['@'] = FORMULA,
	['\''] = FORMULA, ['\t'] = FORMULA, ['\r'] = FORMULA,
};

/* A leading apostrophe is doubled so that a program can undo it for certain. */
static char *put_apostrophe(char *to, const char *s)
{
	return special[(uint8_t)*s] & FORMULA ? put_char(to, '\'') : to;
}

static __attribute__((noinline)) char *put_quoted(char *to, const char *s)
{
	to = put_apostrophe(put_char(to, '"'), s);
	for (; *s; s++) {
		if (*s == '"')
			to = put_char(to, '"');
		to = put_char(to, *s);
	}
	return put_char(to, '"');
}

/*
 * Quoted where it has to be, and the comma behind it.  A formula gets the apostrophe
 * in front by which all spreadsheets know a cell of text; names are a guest's choice.
 */
static char *put_cell(char *to, const char *s)
{
	char *from = to;
	size_t len = 0;

	to = put_apostrophe(to, s);
	for (; !(special[(uint8_t)s[len]] & (ENDS | QUOTED)); len++)
		to[len] = s[len];
	if (unlikely(s[len]))
		return put_char(put_quoted(from, s), ',');
	return put_char(to + len, ',');
}

/* What put_cell() makes of a name, at most. */
#define CELL_SIZE(name_size) (2 * (name_size) + 3)

/* Columns that mostly have what they had in the row before. */
enum column {
	GUEST,
	DISK,
	PROCESS,
	BIN,
	UUID,
	BACKEND_PROCESS,
	LOWEST_DISK,
	COLUMNS
};

_Static_assert(COLUMNS <= KEPT_PARTS && CELL_SIZE(LABEL_LEN) <= KEPT_SIZE,
	       "their cells can be kept");

static __attribute__((noinline)) void make_cell(struct kept *cell, const char *name,
						uint64_t names)
{
	cell->of = name;
	cell->names = names;
	cell->len = put_cell(cell->text, name) - cell->text;
}

#define SHORT_CELL 16

static inline char *put_name_cell(char *to, struct kept *cell, const char *name,
				  const struct xblk_request *r)
{
	if (unlikely(cell->of != name || cell->names != r->names))
		make_cell(cell, name, r->names);
	memcpy(to, cell->text, SHORT_CELL);
	if (unlikely(cell->len > SHORT_CELL))
		memcpy(to + SHORT_CELL, cell->text + SHORT_CELL, cell->len - SHORT_CELL);
	return to + cell->len;
}

/* A number, and the comma behind it. */
static inline char *put_count(char *to, uint64_t n)
{
	if (n >= 10)
		return put_char(put_long_u64(to, n), ',');
	to[0] = '0' + n;
	to[1] = ',';
	return to + 2;
}

/* What is not known is empty. */
static inline char *put_time(char *to, struct times *times, uint64_t ns)
{
	if (ns)
		to = put_since(to, times, ns);
	return put_char(to, ',');
}

static char *put_disk_cells(char *to, unsigned int domid, const char *guest,
			    const char *label)
{
	return put_cell(put_cell(put_count(to, domid), guest), label);
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

static char *put_stages(char *to, const struct xblk_request *r)
{
	for (int i = 0; i < STAGE_MAX; i++)
		to = put_char(put_long_i64(to, r->stages[i]), ',');
	to = put_count(to, r->guest_flush_ns);
	return put_count(to, r->backend_flush_ns);
}

/* As many commas as put_stages() has. */
static char *put_no_stages(char *to)
{
	return (char *)memset(to, ',', STAGE_MAX + 2) + STAGE_MAX + 2;
}

/* What the backend did for a request, or has done so far. */
static char *put_backend(char *to, struct text *t, const struct xblk_request *r)
{
	struct times *times = &t->times;

	if (r->backend_request)
		to = put_u64(to, r->backend_request);
	to = put_char(to, ',');
	to = put_count(to, r->backend_pid);
	to = put_name_cell(to, &t->kept[BACKEND_PROCESS], r->backend_process, r);
	to = put_count(to, r->backend_failed);
	to = put_time(to, times, r->backend_q_ns);
	to = put_time(to, times, r->backend_d_ns);
	to = put_time(to, times, r->backend_c_ns);
	to = put_time(to, times, r->backend_interrupt_ns);
	to = put_time(to, times, r->backend_thread_ns);
	to = put_time(to, times, r->response_ns);
	to = put_name_cell(to, &t->kept[LOWEST_DISK], r->lowest_disk, r);
	to = put_time(to, times, r->lowest_q_ns);
	to = put_time(to, times, r->lowest_c_ns);
	to = put_count(to, r->lowest_requeued_ns);
	to = put_count(to, r->lowest_requeues);
	to = put_count(to, r->nr_clones);
	return put_time(to, times, r->first_clone_ns);
}

/* The end of a loss may be that of the trace: then it is not known. */
static char *put_lost(char *to, struct times *times, uint64_t from_ns, uint64_t to_ns)
{
	to = put_time(to, times, from_ns);
	if (to_ns && to_ns != UINT64_MAX)
		to = put_since(to, times, to_ns);
	return to;
}

/* Two names of a guest, of its disk and the backend's, and of two processes; other texts
 * are a few words. */
_Static_assert(2 * CELL_SIZE(NAME_LEN) + 2 * CELL_SIZE(LABEL_LEN) +
			       2 * CELL_SIZE(COMM_SIZE) + 48 * (NUMBER_SIZE + 1) + 200 <
		       LINE_SIZE,
	       "a row fits");

void csv_request_print(struct text *t, uint64_t start_ns, const struct xblk_request *r)
{
	struct times *times = &t->times;
	char *to = text_line(t);

	if (unlikely(times->start_ns != start_ns))
		times_init(times, start_ns);
	to = put_count(to, r->domid);
	to = put_name_cell(to, &t->kept[GUEST], r->guest, r);
	to = put_name_cell(to, &t->kept[DISK], r->label, r);
	to = put_char(op_letters(to, r->op, r->nr_sectors), ',');
	to = put_count(to, r->sector);
	to = put_count(to, r->nr_sectors);
	to = put_time(to, times, r->q_ns);
	to = put_time(to, times, r->d_ns);
	to = put_time(to, times, r->c_ns);
	to = put_count(to, r->pid);
	to = put_name_cell(to, &t->kept[PROCESS], r->pid ? r->process : "", r);
	to = put_count(to, r->nr_bios);
	to = put_count(to, r->nr_backend_bios);
	to = put_count(to, r->requeues);
	to = put_count(to, r->error);
	to = put_name_cell(to, &t->kept[BIN], bin_names[r->bin], r);
	to = r->measured ? put_stages(to, r) : put_no_stages(to);
	to = put_name_cell(to, &t->kept[UUID], r->uuid, r);
	if (r->ring >= 0)
		to = put_count(put_count(to, r->ring), r->slot);
	else
		to = put_string(to, ",,");
	to = put_time(to, times, r->first_d_ns);
	to = put_count(to, r->requeued_ns);
	to = put_time(to, times, r->interrupt_ns);
	to = r->backend_q_ns ? put_backend(to, t, r)
			     : put_string(to, ",,,,,,,,,,,,,,,,,");
	if (*r->why)
		to = put_string(to, r->why);
	to = put_char(to, ',');
	if (r->bin == BIN_IN_FLIGHT)
		to = put_string(to, stage_names[r->reached]);
	to = put_char(to, ',');
	to = put_lost(to, times, r->guest_lost_from_ns, r->guest_lost_to_ns);
	to = put_char(to, ',');
	to = put_lost(to, times, r->backend_lost_from_ns, r->backend_lost_to_ns);
	text_end_line(t, to);
}

/* Empty where there was no room for all of the times. */
static void put_quantiles(FILE *out, const struct hist *h)
{
	static const unsigned int permille[] = {500, 900, 990, 999};

	for (unsigned int i = 0; i < ARRAY_SIZE(permille); i++) {
		if (!h->beyond)
			fprintf(out, "%" PRIu64, hist_quantile(h, permille[i]));
		fputc(',', out);
	}
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
			char line[LINE_SIZE], *to;

			to = put_disk_cells(line, d.domid, d.guest, d.label);
			fwrite(line, 1, to - line, out);
			fprintf(out, "%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",",
				stage_names[s], h->count, hist_mean(h), h->min);
			put_quantiles(out, h);
			fprintf(out, "%" PRIu64 ",%.9f\n", h->max,
				all->sum ? (double)h->sum / (double)all->sum : 0);
		}
	}
}

static void begin_requests(struct output *to)
{
	csv_request_titles(to->out);
}

static void print_request(struct output *to, const struct xblk *x,
			  const struct xblk_request *r)
{
	csv_request_print(&to->text, xblk_start_ns(x), r);
}

const struct sink csv_requests_sink = {.begin = begin_requests, .request = print_request};

static void ask(struct xblk_analysis *a, const struct sink_options *o)
{
	(void)o;
	a->latencies = true;
}

static bool end(struct output *to, const struct xblk *x)
{
	csv_summary(to->out, x, to->options->filter);
	return true;
}

const struct sink csv_sink = {.ask = ask, .end = end};
