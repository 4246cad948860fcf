// SPDX-License-Identifier: GPL-2.0-only
/* --requests: a line a guest request, as it ends. */
#include "requests.h"

#include "base/op.h"
#include "text.h"

void request_titles(FILE *out)
{
	fprintf(out, "#%11s %4s %12s %6s %14s %5s %3s %3s %-13s", "disk", "op", "sector",
		"nr", "queued_s", "bios", "0-b", "rq", "bin");
	for (int i = 0; i < STAGE_MAX; i++)
		fprintf(out, " %7s_us", stage_names[i]);
	fputc('\n', out);
}

/* At the right of @width columns, with @digits of them behind the point. */
static void add_decimal(struct text *t, int64_t n, unsigned int digits, size_t width)
{
	uint64_t abs_n = n < 0 ? -(uint64_t)n : (uint64_t)n, unit = 1;
	size_t from = t->len;

	for (unsigned int i = 0; i < digits; i++)
		unit *= 10;
	if (n < 0)
		text_char(t, '-');
	text_u64(t, abs_n / unit);
	text_char(t, '.');
	text_number(t, abs_n % unit, digits, '0');
	text_right(t, from, t->len - from, width);
}

static void add_number(struct text *t, uint64_t n, size_t width)
{
	text_char(t, ' ');
	text_number(t, n, width, ' ');
}

void request_print(FILE *out, uint64_t start_ns, const struct xblk_request *r)
{
	struct text t;
	size_t columns;
	char op[16];

	t.len = 0;
	text_u64(&t, r->domid);
	text_char(&t, ':');
	columns = t.len;
	columns += text_name(&t, r->label);
	text_right(&t, 0, columns, 12);
	op_letters(op, r->op, r->nr_sectors);
	text_char(&t, ' ');
	text_string_right(&t, op, 4);
	add_number(&t, r->sector, 12);
	add_number(&t, r->nr_sectors, 6);
	text_char(&t, ' ');
	if (r->q_ns)
		add_decimal(&t, (int64_t)(r->q_ns - start_ns), 9, 14);
	else
		text_string_right(&t, "-", 14);
	add_number(&t, r->nr_bios, 5);
	add_number(&t, r->nr_backend_bios, 3);
	add_number(&t, r->requeues, 3);
	text_char(&t, ' ');
	text_left(&t, bin_names[r->bin], 13);
	for (int i = 0; i < STAGE_MAX; i++) {
		text_char(&t, ' ');
		if (r->measured)
			add_decimal(&t, r->stages[i], 3, 10);
		else
			text_string_right(&t, "-", 10);
	}
	text_char(&t, '\n');
	text_write(&t, out);
}
