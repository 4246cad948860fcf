// SPDX-License-Identifier: GPL-2.0-only
/* --requests: a line a guest request, as it ends. */
#include "requests.h"

#include "base/op.h"
#include "sink.h"
#include "text.h"

void request_titles(FILE *out)
{
	fprintf(out, "#%11s %4s %12s %6s %14s %5s %3s %3s %-13s", "disk", "op", "sector",
		"nr", "queued_s", "bios", "0-b", "rq", "bin");
	for (int i = 0; i < STAGE_MAX; i++)
		fprintf(out, " %7s_us", stage_names[i]);
	fputc('\n', out);
}

static char *put_column(char *to, uint64_t n, size_t width)
{
	return put_right_u64(put_char(to, ' '), n, width);
}

void request_print(struct text *t, uint64_t start_ns, const struct xblk_request *r)
{
	char *to = text_line(t);

	to = put_disk(to, r->domid, r->label);
	to = put_op(put_char(to, ' '), r->op, r->nr_sectors);
	to = put_column(to, r->sector, 12);
	to = put_column(to, r->nr_sectors, 6);
	to = put_char(to, ' ');
	if (r->q_ns)
		to = put_decimal(to, (int64_t)(r->q_ns - start_ns), 9, 14);
	else
		to = put_string_right(to, "-", 14);
	to = put_column(to, r->nr_bios, 5);
	to = put_column(to, r->nr_backend_bios, 3);
	to = put_column(to, r->requeues, 3);
	to = put_string_left(put_char(to, ' '), bin_names[r->bin], 13);
	for (int i = 0; i < STAGE_MAX; i++) {
		to = put_char(to, ' ');
		if (r->measured)
			to = put_decimal(to, r->stages[i], 3, 10);
		else
			to = put_string_right(to, "-", 10);
	}
	text_end_line(t, to);
}

static void begin(struct output *to)
{
	request_titles(to->out);
}

static void print(struct output *to, const struct xblk *x, const struct xblk_request *r)
{
	request_print(&to->text, xblk_start_ns(x), r);
}

const struct sink requests_sink = {.begin = begin, .request = print};
