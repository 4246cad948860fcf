// SPDX-License-Identifier: GPL-2.0-only
/*
 * Three hours and 100 GiB of trace: a request a second, and between them chunks of a
 * kind that a later version may write, which are passed over.  It is made as it is
 * read, so it takes no room.
 */
#include "test_parse_util.h"

#include <stdlib.h>

#define SECONDS	 (3 * 3600)
#define SECOND	 1000000000ull
#define FILLERS	 10 /* between two requests, of 1 MiB each */
#define NEW_TYPE 99
#define LOST	 0xfffffff0u /* records a second */

struct long_trace {
	struct gen g; /* a second's chunks; the streams go on */
	struct gen filler;
	const uint8_t *part; /* where to read on */
	size_t left;
	unsigned int fillers, seconds;
	uint64_t bytes;
};

static void make_second(struct gen *out, uint64_t ns)
{
	struct gen g = *out;

	g.len = 0;
	GUEST(ns, QUEUE, READ, 64, 8, 1, 500);
	GUEST(ns + 10, ISSUE, READ, 64, 8, 100, 1);
	DOM0(ns + 110, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(ns + 1110, ISSUE, READ, 64, 8, 200, 2);
	DOM0(ns + 2110, COMPLETE, READ, 64, 8, 200, 0);
	GUEST(ns + 3110, COMPLETE, READ, 64, 8, 100, 0);
	gen_lost(&g, GEN_GUEST, 0, ns + 4000, ns + 5000, LOST);
	gen_round(&g, ns + 9000);
	*out = g;
}

/* Nothing that can be used, and the end. */
static void make_end(struct gen *g)
{
	g->len = 0;
	gen_append(g, NULL, 64);
	gen_end(g, SECONDS * SECOND);
}

static bool next_part(struct long_trace *s)
{
	const struct gen *from = &s->g;

	if (s->seconds > SECONDS)
		return false;
	if (s->fillers) {
		s->fillers--;
		from = &s->filler;
	} else if (s->seconds == SECONDS) {
		make_end(&s->g);
		s->seconds++;
	} else {
		make_second(&s->g, s->seconds++ * SECOND + 1000);
		s->fillers = FILLERS;
	}
	s->part = from->data;
	s->left = from->len;
	return true;
}

static ssize_t read_source(void *ctx, void *buf, size_t size)
{
	struct long_trace *s = ctx;

	if (!s->left && !next_part(s))
		return 0;
	if (size > s->left)
		size = s->left;
	memcpy(buf, s->part, size);
	s->part += size;
	s->left -= size;
	s->bytes += size;
	return size;
}

static void source_init(struct long_trace *s)
{
	void *payload = calloc(1, XBLK_CHUNK_MAX_PAYLOAD);

	memset(s, 0, sizeof(*s));
	gen_init(&s->g);
	s->part = s->g.data;
	s->left = s->g.len;
	gen_init_bare(&s->filler);
	s->filler.len = 0;
	gen_chunk(&s->filler, NEW_TYPE, 0, 0, 0, 0, payload, XBLK_CHUNK_MAX_PAYLOAD);
	free(payload);
}

static void three_hours(void **ctx)
{
	struct long_trace s;
	struct parse p;
	struct account a;
	struct disk_stats *st;

	(void)ctx;
	msg_silent = true;
	source_init(&s);
	parse_init(&p, read_source, &s);
	parse_run(&p);
	assert_true(s.bytes > 100ull << 30);
	assert_int_equal(p.reader.offset, s.bytes);
	assert_int_equal(p.reader.damaged, 1);
	assert_int_equal(p.reader.damaged_bytes, 64);
	assert_true(p.ended);
	assert_int_equal(p.duration_ns, SECONDS * SECOND);

	st = stats_of(domain_disk(model_domain(&p.model, GEN_GUEST), 0));
	assert_int_equal(st->requests, SECONDS);
	assert_int_equal(st->bins[BIN_JOINED], SECONDS);
	assert_int_equal(hist_quantile(st->stages[STAGE_Q2C], 0.5), 3110);
	parse_account(&p, model_domain(&p.model, GEN_GUEST), &a);
	assert_int_equal(a.lost, (uint64_t)SECONDS * LOST);
	assert_int_equal(a.invalid, 0);
	assert_int_equal(a.late, 0);

	parse_deinit(&p);
	gen_deinit(&s.g);
	gen_deinit(&s.filler);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_hours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
