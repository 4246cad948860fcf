// SPDX-License-Identifier: GPL-2.0-only
/* The running report. */

#include "printed.h"
#include "sinks/live.h"

struct running {
	struct live live;
	struct xblk *x;
	size_t flushed[8]; /* bytes of output by the end of each round */
	unsigned int rounds;
	struct printed *printed;
};

static void on_interval(void *user, const struct xblk_interval *i)
{
	static const struct filter one_disk = {.disks = {1, {{"xvda"}}}};
	struct running *l = user;

	live_print(l->printed->out, &l->live, l->x, &one_disk, i);
}

static void on_progress(void *user, const struct xblk_trace *t)
{
	struct running *l = user;

	(void)t;
	/* open_memstream() tells a length only of what was flushed */
	if (l->rounds < 8)
		l->flushed[l->rounds++] = l->printed->len;
}

static void show_running(struct running *l, const struct gen *g)
{
	l->x = open_handle((struct xblk_options){.user = l,
						 .on_interval = on_interval,
						 .interval_ns = 1000000000,
						 .on_progress = on_progress});
	feed_all(l->x, g->data, g->len);
	xblk_close(l->x);
}

/* Lines come as the trace's time goes on, also where nothing happens. */
static void live(void **ctx)
{
	struct printed p = {0};
	struct running l = {.printed = &p};
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
	printed_init(&p);
	show_running(&l, &g);
	printed_has(&p, "\n     1.000 3:xvda              1.00     0.004     0.000");
	printed_has(
		&p,
		"\n     2.000 3:xvda             0.000     0.000      2.00      2.10");
	printed_has(&p, "\n     3.000 3:xvda             0.000     0.000     0.000");
	/* each sorts what is before the last */
	assert_int_equal(l.rounds, 3);
	assert_int_equal(l.flushed[0], 0);
	assert_true(l.flushed[1] > 0);
	assert_true(l.flushed[2] > l.flushed[1]);
	printed_deinit(&p);
	gen_deinit(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
