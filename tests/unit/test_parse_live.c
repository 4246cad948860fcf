// SPDX-License-Identifier: GPL-2.0-only
/* The running report. */

#include "printed.h"
#include "sinks/live.h"

struct running {
	struct live live;
	struct parse *parse;
	size_t flushed[8]; /* bytes of output by the end of each chunk */
	unsigned int chunks;
	struct printed *printed;
};

static void on_live_event(void *ctx, struct stream *s, const struct xblk_record *r)
{
	struct running *l = ctx;

	if (s->dom->backend)
		live_advance(&l->live, l->parse, r->time);
}

static bool on_live_chunk(void *ctx, const struct parse *p)
{
	struct running *l = ctx;

	live_advance(&l->live, p, p->join.now_ns);
	/* open_memstream() tells a length only of what was flushed */
	if (l->chunks < 8)
		l->flushed[l->chunks++] = l->printed->len;
	return true;
}

/* Lines come as the trace's time goes on, also where nothing happens. */
static void live(void **ctx)
{
	static const struct filter all = {.disks = {1, {{"xvda"}}}};
	struct printed p = {0};
	struct running l;
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	one(&g, 500000000, XBLK_OP_READ, 64, 8);
	one(&g, 1500000000, XBLK_OP_WRITE, 64, 2048);
	one(&g, 1600000000, XBLK_OP_WRITE, 64, 2048);
	gen_round(&g, 2100000000);
	gen_round(&g, 3100000000);
	gen_round(&g, 4100000000);
	gen_end(&g, 4200000000);
	msg_silent = true;
	outcome_init(&o, g.data, g.len);
	printed_init(&p);
	live_init(&l.live, p.out, &all, 1000000000);
	l.parse = &o.parse;
	l.chunks = 0;
	l.printed = &p;
	o.parse.tally.windows = true;
	o.parse.on_event = on_live_event;
	o.parse.on_chunk = on_live_chunk;
	o.parse.ctx = &l;
	parse_run(&o.parse);
	live_finish(&l.live, &o.parse);
	printed_has(&p, "\n     1.000 3:xvda              1.00     0.004     0.000");
	printed_has(
		&p,
		"\n     2.000 3:xvda             0.000     0.000      2.00      2.10");
	printed_has(&p, "\n     3.000 3:xvda             0.000     0.000     0.000");
	/* metadata, two chunks of records, three rounds (each sorts what is before the
	 * last), end */
	assert_int_equal(l.chunks, 7);
	assert_int_equal(l.flushed[3], 0);
	assert_true(l.flushed[4] > 0);
	assert_true(l.flushed[5] > l.flushed[4]);
	live_deinit(&l.live);
	printed_deinit(&p);
	done(&o, &g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
