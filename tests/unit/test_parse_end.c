// SPDX-License-Identifier: GPL-2.0-only
/*
 * What has not come back is as old as the capture is, whatever was recorded last; the
 * running report shows it while it hangs.
 */
#include <stdio.h>
#include <stdlib.h>

#include "select/filter.h"
#include "sinks/live.h"
#include "test_parse_util.h"

#define SECOND 1000000000ull
#define OTHER  4 /* a second guest, whose disk is the same one of dom0's */

static void two_guests(struct gen *g)
{
	static const char meta[] =
		"{\"host\": \"host\", \"backend\": {\"domid\": 0,"
		"  \"disks\": [{\"index\": 0, \"dev\": \"259:0\", \"name\": \"nvme0n1\"}]},"
		" \"guests\": [{\"domid\": 3, \"name\": \"guest1\", \"disks\":"
		"   [{\"index\": 0, \"devid\": 51712, \"name\": \"xvda\","
		"     \"backend_disk\": 0}]},"
		"  {\"domid\": 4, \"name\": \"guest2\", \"disks\":"
		"   [{\"index\": 0, \"devid\": 51712, \"name\": \"xvda\","
		"     \"backend_disk\": 0}]}]}";

	gen_init_bare(g);
	gen_chunk(g, XBLK_CHUNK_META, 0, 0, 0, 0, meta, strlen(meta));
	gen_process(g, 0, 0, 0, GEN_KTHREAD, "3.xvda-0", XBLK_PROCESS_KTHREAD);
}

/* A read that dom0's disk never gives back. */
static void hang(struct gen *g, uint64_t ns)
{
	gen_event(g, GEN_GUEST, 0, ns, XBLK_EV_QUEUE, XBLK_OP_READ, 64, 8, 1, 500);
	gen_event(g, GEN_GUEST, 0, ns + 1000, XBLK_EV_ISSUE, XBLK_OP_READ, 64, 8, 100, 1);
	gen_event(g, 0, 0, ns + 2000, XBLK_EV_QUEUE, XBLK_OP_READ, 64, 8, 2, GEN_KTHREAD);
	gen_event(g, 0, 0, ns + 3000, XBLK_EV_ISSUE, XBLK_OP_READ, 64, 8, 200, 2);
}

static const struct slow *oldest(struct outcome *o)
{
	const struct analysis *a = disk_stats(o, GEN_GUEST, 0)->analysis;

	assert_non_null(a);
	assert_int_equal(a->oldest.nr, 1);
	return &a->oldest.heap[0];
}

/* Silence is time, too: rounds and the end say that it passed. */
static void hung_disk(void **ctx)
{
	struct filter slow = {.min_latency_ns = 10 * SECOND};
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	hang(&g, SECOND);
	for (unsigned int i = 2; i <= 31; i++)
		gen_round(&g, i * SECOND);
	gen_end(&g, 31 * SECOND);
	msg_silent = true;
	outcome_init(&o, g.data, g.len);
	o.parse.tally.filter = &slow;
	parse_run(&o.parse);
	assert_int_equal(disk_stats(&o, GEN_GUEST, 0)->bins[BIN_IN_FLIGHT], 1);
	assert_int_equal(oldest(&o)->age_ns, 30 * SECOND);
	assert_int_equal(oldest(&o)->request.reached, STAGE_0_D2C);
	done(&o, &g);
}

/* A capture that was cut off has come as far as its last chunk. */
static void without_an_end(void **ctx)
{
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	hang(&g, SECOND);
	gen_round(&g, 2 * SECOND);
	gen_round(&g, 5 * SECOND);
	run(&o, g.data, g.len);
	assert_int_equal(oldest(&o)->age_ns, 4 * SECOND);
	done(&o, &g);
}

/* Counters that END had no room for: META has them before it. */
static void counters_before_the_end(void **ctx)
{
	static const char counters[] =
		"{\"backend\": {\"domid\": 0}, \"counters\": {\"streams\":"
		"  [{\"domid\": 3, \"cpu\": 0, \"produced\": 9, \"written\": 2, \"lost\": 7}],"
		"  \"events_sent\": [{\"domid\": 3, \"events\": 5}]}}";
	static const char end[] =
		"{\"reason\": \"interrupted\", \"duration_ns\": 1, \"streams\": [],"
		" \"events_sent\": []}";
	const struct stream *s;
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	hang(&g, SECOND);
	gen_round(&g, 2 * SECOND);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 3 * SECOND, counters, strlen(counters));
	gen_chunk(&g, XBLK_CHUNK_END, 0, 0, 0, 3 * SECOND, end, strlen(end));
	run(&o, g.data, g.len);
	assert_false(o.parse.problems);
	s = merge_find(&o.parse.merge, GEN_GUEST, 0);
	assert_true(s->has_end);
	assert_int_equal(stream_lost(s), 7);
	assert_int_equal(o.parse.events_sent, 5);
	assert_true(parse_conserved(&o.parse));
	done(&o, &g);
}

/* What a guest had in flight when it ended gets no older. */
static void guest_that_ended(void **ctx)
{
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	hang(&g, SECOND);
	gen_gone(&g, GEN_GUEST, 3 * SECOND);
	gen_round(&g, 20 * SECOND);
	gen_end(&g, 20 * SECOND);
	run(&o, g.data, g.len);
	assert_false(o.parse.problems);
	/* its domain is another one by now */
	for (size_t i = 0; i < o.parse.model.nr_disks; i++) {
		const struct analysis *a = stats_of(o.parse.model.all_disks[i])->analysis;

		if (a && a->oldest.nr)
			assert_in_range(a->oldest.heap[0].age_ns, 2 * SECOND,
					2 * SECOND + 1000000);
	}
	done(&o, &g);
}

/* One guest's wrong time makes no other guest's requests older. */
static void time_of_another_guest(void **ctx)
{
	struct outcome o;
	struct gen g;

	(void)ctx;
	two_guests(&g);
	hang(&g, SECOND);
	gen_event(&g, OTHER, 0, SECOND + 8500000000ull, XBLK_EV_QUEUE, XBLK_OP_READ, 0, 8,
		  1, 500);
	gen_round(&g, 2 * SECOND);
	gen_end(&g, 2 * SECOND);
	run(&o, g.data, g.len);
	assert_int_equal(oldest(&o)->age_ns, SECOND);
	done(&o, &g);
}

struct running {
	struct live live;
	struct xblk *x;
	char *text;
	size_t len;
	FILE *out;
};

static void on_interval(void *user, const struct xblk_interval *i)
{
	static const struct filter one_disk = {.disks = {1, {{"xvda"}}},
					       .guests = {1, {{NULL, 3}}}};
	struct running *l = user;

	live_print(l->out, &l->live, l->x, &one_disk, i);
}

/* The running report of @g, ended. */
static void show(struct running *l, struct gen *g)
{
	*l = (struct running){0};
	l->out = open_memstream(&l->text, &l->len);
	l->x = open_handle((struct xblk_options){
		.user = l, .on_interval = on_interval, .interval_ns = SECOND});
	feed_all(l->x, g->data, g->len);
	fclose(l->out);
	xblk_close(l->x);
	gen_deinit(g);
}

/* The line of a second, from its column "queued" on. */
static void line_ends(const struct running *l, const char *at, const char *want)
{
	const char *line = strstr(l->text, at), *end;

	if (!line)
		fail_msg("no line of %s in:\n%s", at, l->text);
	end = strchrnul(line + 1, '\n');
	assert_true((size_t)(end - line) > strlen(want));
	if (strncmp(end - strlen(want), want, strlen(want)))
		fail_msg("no \"%s\" in:\n%s", want, l->text);
}

static void running_report(void **ctx)
{
	struct running l;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	hang(&g, 1500000000);
	for (unsigned int i = 1; i <= 5; i++)
		gen_round(&g, i * SECOND);
	gen_end(&g, 7500000000);
	show(&l, &g);
	line_ends(&l, "\n     1.000 3:xvda", "       0        0         - -");
	line_ends(&l, "\n     2.000 3:xvda", "       0        1    500000 0-D2C");
	line_ends(&l, "\n     3.000 3:xvda", "       0        1   1500000 0-D2C");
	/* silence at the end is no longer interval, but more of them */
	line_ends(&l, "\n     5.000 3:xvda", "       0        1   3500000 0-D2C");
	assert_non_null(strstr(l.text, "2 intervals without an event of dom0"));
	line_ends(&l, "\n     7.500 3:xvda", "       0        1   6000000 0-D2C");
	free(l.text);
}

/* The last interval is as long as the capture was. */
static void last_interval(void **ctx)
{
	struct running l;
	struct gen g;

	(void)ctx;
	two_guests(&g);
	hang(&g, SECOND / 2);
	gen_event(&g, OTHER, 0, SECOND + 8500000000ull, XBLK_EV_QUEUE, XBLK_OP_READ, 0, 8,
		  1, 500);
	gen_round(&g, 1100000000);
	gen_round(&g, 1200000000);
	gen_end(&g, 1500000000);
	show(&l, &g);
	line_ends(&l, "\n     1.500 3:xvda", "       0        1   1000000 0-D2C");
	free(l.text);
}

/* A read of the guest's first disk, done. */
static void read_done(struct gen *out, uint64_t ns)
{
	struct gen g = *out;

	hang(&g, ns);
	DOM0(ns + 4000, COMPLETE, READ, 64, 8, 200, 0);
	GUEST(ns + 5000, COMPLETE, READ, 64, 8, 100, 0);
	*out = g;
}

static unsigned int nr_lines(const struct running *l)
{
	unsigned int nr = 0;

	for (const char *at = l->text; (at = strstr(at, " 3:xvda ")); at++)
		nr++;
	return nr;
}

static void has_text(const struct running *l, const char *text)
{
	if (!strstr(l->text, text))
		fail_msg("no \"%s\" in:\n%s", text, l->text);
}

/* In the interval in which a guest ends there is what it did before; then there is no
 * more of it. */
static void interval_of_the_end(void **ctx)
{
	struct running l;
	struct gen g;

	(void)ctx;
	two_guests(&g);
	read_done(&g, 1100000000);
	hang(&g, 1200000000);
	gen_gone(&g, GEN_GUEST, 1500000000);
	for (unsigned int i = 2; i <= 5; i++)
		gen_event(&g, 0, 0, i * SECOND - 1000, XBLK_EV_QUEUE, XBLK_OP_READ, 0, 8,
			  9, 1);
	gen_round(&g, 5 * SECOND);
	gen_end(&g, 5500000000);
	show(&l, &g);
	has_text(
		&l,
		"\n     2.000 3:xvda              1.00     0.004     0.000     0.000     "
		"0.000      1.00");
	line_ends(&l, "\n     2.000 3:xvda", "       0        0         - -");
	assert_int_equal(nr_lines(&l), 2);
	free(l.text);
}

/* The same at the trace's end. */
static void last_interval_of_the_end(void **ctx)
{
	struct running l;
	struct gen g;

	(void)ctx;
	two_guests(&g);
	read_done(&g, 1100000000);
	gen_gone(&g, GEN_GUEST, 1500000000);
	gen_end(&g, 1600000000);
	show(&l, &g);
	has_text(&l, "\n     1.600 3:xvda              1.67 ");
	assert_int_equal(nr_lines(&l), 2);
	free(l.text);
}

/* A disk that is detached: the stages of its last request may show a little later. */
static void interval_of_a_detached_disk(void **ctx)
{
	static const char other[] =
		"{\"backend\": {\"domid\": 0}, \"guests\": [{\"domid\": 3,"
		"  \"name\": \"guest1\", \"disks\": [{\"index\": 0, \"devid\": 51728,"
		"  \"name\": \"xvdb\"}]}]}";
	struct running l;
	struct gen g;

	(void)ctx;
	two_guests(&g);
	/* Where one came back, another one may have, too, in a loss that is told late. */
	GUEST(100, QUEUE, READ, 640, 8, 5, 500);
	GUEST(200, ISSUE, READ, 640, 8, 105, 5);
	GUEST(300, REQUEUE, READ, 640, 8, 105, 5);
	read_done(&g, 1800000000);
	gen_round(&g, 1900000000);
	gen_round(&g, 1900000000);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 1900000000, other, strlen(other));
	for (unsigned int i = 2; i <= 5; i++)
		gen_round(&g, i * SECOND + 1000);
	gen_end(&g, 5500000000);
	show(&l, &g);
	has_text(
		&l,
		"\n     2.000 3:xvda              1.00     0.004     0.000     0.000     "
		"0.000         -");
	has_text(
		&l,
		"\n     3.000 3:xvda             0.000     0.000     0.000     0.000     "
		"0.000      1.00");
	assert_int_equal(nr_lines(&l), 3);
	free(l.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hung_disk),
		cmocka_unit_test(without_an_end),
		cmocka_unit_test(counters_before_the_end),
		cmocka_unit_test(guest_that_ended),
		cmocka_unit_test(time_of_another_guest),
		cmocka_unit_test(running_report),
		cmocka_unit_test(last_interval),
		cmocka_unit_test(interval_of_the_end),
		cmocka_unit_test(last_interval_of_the_end),
		cmocka_unit_test(interval_of_a_detached_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
