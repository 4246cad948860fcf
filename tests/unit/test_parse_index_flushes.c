// SPDX-License-Identifier: GPL-2.0-only
/*
 * -w of a file with an index: what a flush was for, and what waited for one, is known of
 * a span as of the whole, though it may rest on what was long before.
 */
#include "span_reading.h"

static void flush_begins(struct gen *out, uint64_t ns)
{
	struct gen g = *out;

	GUEST(ns, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	GUEST(ns + MS, ISSUE, FLUSH, 0, 0, 2, 0);
	*out = g;
}

/*
 * A flush that is outstanding when the span begins holds up what is of it.  That it
 * may be for long, the read beside it shows.
 */
static void flush(void **ctx)
{
	struct gen g;

	(void)ctx;
	for (int long_ago = 0; long_ago < 2; long_ago++) {
		begin(&g);
		requests(&g, 0, 57);
		if (long_ago) {
			flush_begins(&g, 57 * SEC);
			issue(&g, 57 * SEC, 4, 501);
		}
		requests(&g, 57, 59);
		if (!long_ago)
			flush_begins(&g, 60 * SEC - 500 * MS);
		for (unsigned int i = 4; i; i--)
			gen_round(&g, 60 * SEC - i * 100 * MS);
		if (long_ago)
			complete(&g, 60 * SEC - 50 * MS, 4);
		GUEST(60 * SEC + 10 * MS, QUEUE, READ, 64 * 3, 8, 3, 500);
		GUEST(60 * SEC + 20 * MS, COMPLETE, FLUSH, 0, 0, 2, 0);
		GUEST(60 * SEC + 30 * MS, ISSUE, READ, 64 * 3, 8, 3, 3);
		DOM0(60 * SEC + 30 * MS, QUEUE, READ, 64 * 3, 8, 3, GEN_KTHREAD);
		DOM0(60 * SEC + 30 * MS, ISSUE, READ, 64 * 3, 8, 3, 3);
		complete(&g, 60 * SEC + 40 * MS, 3);
		gen_round(&g, 60 * SEC + 50 * MS);
		requests(&g, 61, 100);
		gen_end_indexed(&g, 100 * SEC, 1);
		check_span(&g, "60:60.1", 25);
		gen_deinit(&g);
	}
}

/* Queued on one vCPU, and issued by the request of its queue on another one. */
static void flush_by(struct gen *g, uint64_t ns, unsigned int queued, unsigned int issued)
{
	gen_event(g, GEN_GUEST, queued, ns, XBLK_EV_QUEUE,
		  XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500 + queued);
	gen_event(g, GEN_GUEST, issued, ns + 100, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0,
		  1 + issued / 2, 0);
}

static void flush_done(struct gen *out, uint64_t ns, unsigned int issued)
{
	struct gen g = *out;

	DOM0(ns, QUEUE, FLUSH, 0, 0, 5, GEN_KTHREAD);
	DOM0(ns + 10, ISSUE, FLUSH, 0, 0, 6, 0);
	DOM0(ns + 20, COMPLETE, FLUSH, 0, 0, 6, 0);
	gen_event(&g, GEN_GUEST, issued, ns + 100, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0,
		  1 + issued / 2, 0);
	*out = g;
}

/*
 * Two queues of two vCPUs each, and a flush of both at once: which is whose is known
 * only by what each vCPU has issued before, be it long ago.
 */
static void rare_flushes(void **ctx)
{
	struct gen g;

	(void)ctx;
	for (int both_seen = 0; both_seen < 2; both_seen++) {
		begin(&g);
		requests(&g, 0, 10);
		for (unsigned int cpu = 0; cpu < 4; cpu++) {
			flush_by(&g, 10 * SEC + cpu * MS, cpu, cpu);
			flush_done(&g, 10 * SEC + cpu * MS + 1000, cpu);
		}
		requests(&g, 11, 60);
		for (unsigned int cpu = 0; cpu < 4 && both_seen; cpu += 2) {
			flush_by(&g, 60 * SEC + cpu * MS, cpu, cpu);
			flush_done(&g, 60 * SEC + cpu * MS + 1000, cpu);
		}
		flush_by(&g, 60 * SEC + 50 * MS, 3, 2);
		flush_by(&g, 60 * SEC + 50 * MS + 50, 1, 0);
		flush_done(&g, 60 * SEC + 51 * MS, 2);
		flush_done(&g, 60 * SEC + 52 * MS, 0);
		requests(&g, 61, 100);
		gen_end_indexed(&g, 100 * SEC, 4096);
		check_span(&g, "60:60.1", 10);
		gen_deinit(&g);
	}
}

/* What becomes of a flush: two may be queued, of which one may come too late for it. */
enum {
	FLUSH_QUEUED,
	FLUSH_QUEUED_TOO,
	FLUSH_ISSUED,
	FLUSH_COMPLETED,
	FLUSH_STEPS
};

struct step {
	uint64_t ns;
	unsigned int queue, what, cpu;
};

static int by_time(const void *a, const void *b)
{
	const struct step *x = a, *y = b;

	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

static uint32_t random_below(uint32_t *state, uint32_t n)
{
	*state = *state * 1664525 + 1013904223;
	return (uint64_t)*state * n >> 32;
}

static void play(struct gen *out, const struct step *s)
{
	struct gen g = *out;

	switch (s->what) {
	case FLUSH_ISSUED:
		gen_event(&g, GEN_GUEST, s->cpu, s->ns, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0,
			  0, 1 + s->queue, 0);
		DOM0(s->ns, QUEUE, FLUSH, 0, 0, 3 + s->queue, GEN_KTHREAD);
		DOM0(s->ns, ISSUE, FLUSH, 0, 0, 5, 0);
		DOM0(s->ns, COMPLETE, FLUSH, 0, 0, 5, 0);
		break;
	case FLUSH_COMPLETED:
		gen_event(&g, GEN_GUEST, s->cpu, s->ns, XBLK_EV_COMPLETE, XBLK_OP_FLUSH,
			  0, 0, 1 + s->queue, 0);
		gen_event(&g, GEN_GUEST, s->cpu, s->ns, XBLK_EV_COMPLETE, XBLK_OP_WRITE,
			  0, 0, 3 + s->queue, 0);
		break;
	default:
		gen_event(&g, GEN_GUEST, s->cpu, s->ns, XBLK_EV_QUEUE,
			  XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500 + s->cpu);
	}
	*out = g;
}

/* One of each vCPU, one after the other. */
static void first_flushes(struct gen *g)
{
	for (unsigned int i = 0; i < 16; i++) {
		if (i % 4 != FLUSH_QUEUED_TOO)
			play(g, &(struct step){(1 + i) * MS, i / 8, i % 4, i / 4});
	}
	gen_round(g, 50 * MS);
}

/* At most one of each queue, from any of its vCPUs. */
static void random_flushes(struct gen *g, uint64_t from, unsigned int seldom,
			   uint32_t *state)
{
	struct step steps[2 * FLUSH_STEPS];
	size_t nr = 0;

	for (unsigned int queue = 0; queue < 2; queue++) {
		uint64_t ns = from + random_below(state, 500);

		if (random_below(state, seldom))
			continue;
		for (unsigned int i = random_below(state, 2); i < FLUSH_STEPS; i++) {
			ns += 1 + random_below(state, 300);
			steps[nr++] = (struct step){ns, queue, i,
						    2 * queue + random_below(state, 2)};
		}
	}
	qsort(steps, nr, sizeof(*steps), by_time);
	for (size_t i = 0; i < nr; i++)
		play(g, &steps[i]);
}

/* However seldom, and whatever their order: where all is known, so it is of a span. */
static void any_flushes(void **ctx)
{
	uint32_t state = 7;
	struct gen g;

	(void)ctx;
	for (unsigned int i = 0; i < 20; i++) {
		unsigned int seldom = 1 + random_below(&state, 10);

		begin(&g);
		first_flushes(&g);
		for (unsigned int second = 1; second < 100; second++) {
			requests(&g, second, second + 1);
			random_flushes(&g, (second + 1) * SEC - 1500000, seldom, &state);
		}
		gen_end_indexed(&g, 100 * SEC, 4096);
		for (unsigned int k = 0; k < 4; k++) {
			unsigned int from = 20 + random_below(&state, 70);
			char span[32];

			snprintf(span, sizeof(span), "%u.5:%u.5", from, from + 2);
			check_span(&g, span, 30);
		}
		gen_deinit(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flush),
		cmocka_unit_test(rare_flushes),
		cmocka_unit_test(any_flushes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
