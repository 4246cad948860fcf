// SPDX-License-Identifier: GPL-2.0-only
/* -w: a trace is read until what is asked for is complete, and no further. */
#include "filter-args.h"
#include "test_parse_util.h"

#include "span.h"

#define MS 1000000ull

static struct filter filter;

static bool goes_on(void *ctx, const struct parse *p)
{
	(void)ctx;
	return !span_over(p, &filter);
}

static void parse_span(struct outcome *o, const struct gen *g, const char *span)
{
	msg_silent = true;
	memset(&filter, 0, sizeof(filter));
	assert_null(filter_parse_time(&filter, span));
	outcome_init(o, g->data, g->len);
	o->parse.on_progress = goes_on;
	o->parse.ctx = o;
	o->parse.tally.filter = &filter;
	parse_run(&o->parse);
	check_bins(o);
	assert_false(o->parse.problems);
}

/* A request that is queued at @ns and back at @until. */
static void io(struct gen *out, uint64_t ns, uint64_t until, uint32_t id)
{
	struct gen g = *out;

	GUEST(ns, QUEUE, READ, 64 * id, 8, id, 500);
	GUEST(ns + 10, ISSUE, READ, 64 * id, 8, 100 + id, id);
	DOM0(ns + 110, QUEUE, READ, 64 * id, 8, id, GEN_KTHREAD);
	DOM0(ns + 210, ISSUE, READ, 64 * id, 8, 200 + id, id);
	gen_round(&g, ns + 1000);
	DOM0(until - 100, COMPLETE, READ, 64 * id, 8, 200 + id, 0);
	GUEST(until, COMPLETE, READ, 64 * id, 8, 100 + id, 0);
	*out = g;
}

/* One request a ms. */
static void row(struct gen *g, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++) {
		io(g, i * MS, i * MS + MS / 2, 2 + i);
		gen_round(g, (i + 1) * MS);
	}
}

static void ends_early(void **ctx)
{
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	row(&g, 0, 50);
	gen_end(&g, 50 * MS);

	parse_span(&o, &g, "0.002:0.006");
	assert_true(o.parse.stopped);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 4);
	assert_in_range(o.parse.merge.round_ns, GEN_START + 6 * MS, GEN_START + 10 * MS);
	parse_deinit(&o.parse);

	parse_span(&o, &g, "0.002:");
	assert_false(o.parse.stopped);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 48);
	done(&o, &g);
}

/* One of the span takes until long behind it: it is waited for. */
static void waits_for_the_last(void **ctx)
{
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	GUEST(3 * MS, QUEUE, READ, 32, 8, 1, 500);
	GUEST(3 * MS + 10, ISSUE, READ, 32, 8, 100, 1);
	DOM0(3 * MS + 20, QUEUE, READ, 32, 8, 90, GEN_KTHREAD);
	DOM0(3 * MS + 30, ISSUE, READ, 32, 8, 190, 90);
	gen_round(&g, 4 * MS);
	row(&g, 4, 20);
	DOM0(20 * MS + 10, COMPLETE, READ, 32, 8, 190, 0);
	GUEST(20 * MS + 20, COMPLETE, READ, 32, 8, 100, 0);
	gen_round(&g, 21 * MS);
	row(&g, 21, 50);
	gen_end(&g, 50 * MS);

	parse_span(&o, &g, "0.006");
	assert_true(o.parse.stopped);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 3);
	assert_int_equal(o.results[o.nr - 1].stages[STAGE_0_D2C], 17 * MS - 20);
	assert_in_range(o.parse.merge.round_ns, GEN_START + 20 * MS, GEN_START + 25 * MS);
	done(&o, &g);
}

/* It never comes back: the whole trace is read, and it is in flight at the end. */
static void waits_until_the_end(void **ctx)
{
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	GUEST(3 * MS, QUEUE, READ, 32, 8, 1, 500);
	GUEST(3 * MS + 10, ISSUE, READ, 32, 8, 100, 1);
	gen_round(&g, 4 * MS);
	row(&g, 4, 50);
	gen_end(&g, 50 * MS);

	parse_span(&o, &g, "0.006");
	assert_false(o.parse.stopped);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 2);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_IN_FLIGHT], 1);
	done(&o, &g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_early),
		cmocka_unit_test(waits_for_the_last),
		cmocka_unit_test(waits_until_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
