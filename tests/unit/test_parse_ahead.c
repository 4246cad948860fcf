// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packs that a thread unpacks ahead: whatever the trace, all comes out as it does
 * without that thread.  Also run under TSan.
 */
#include "test_parse_util.h"

#include <stdlib.h>

#define PACKS 12

static struct gen g;

static void request(uint64_t ns, uint32_t id)
{
	GUEST(ns + 1000, QUEUE, READ, 64, 8, id, 500);
	GUEST(ns + 1010, ISSUE, READ, 64, 8, 100 + id, id);
	DOM0(ns + 1110, QUEUE, READ, 64, 8, id, GEN_KTHREAD);
	DOM0(ns + 2110, ISSUE, READ, 64, 8, 200 + id, id);
	DOM0(ns + 3110, COMPLETE, READ, 64, 8, 200 + id, 0);
	GUEST(ns + 4110, COMPLETE, READ, 64, 8, 100 + id, 0);
}

/* Packs of a few chunks each; behind every fourth one a request that is not packed. */
static void make_trace(void)
{
	gen_init(&g);
	for (unsigned int i = 0; i < PACKS; i++) {
		size_t offset = g.len;

		for (unsigned int k = 0; k < 3; k++) {
			request(100000 * i + 10000 * k, 1 + k);
			gen_round(&g, 100000 * i + 10000 * k + 9000);
		}
		gen_pack(&g, offset);
		if (i % 4 == 3) {
			request(100000 * i + 50000, 1);
			gen_round(&g, 100000 * i + 59000);
		}
	}
	gen_end(&g, 100000 * PACKS);
}

struct stop {
	uint64_t after_chunks;
};

static bool goes_on(void *ctx, const struct parse *p)
{
	const struct stop *stop = ctx;

	return p->chunks < stop->after_chunks;
}

static void read_all(struct outcome *o, size_t len, bool go_ahead, struct stop *stop)
{
	msg_silent = true;
	outcome_init(o, g.data, len);
	o->parse.reader.go_ahead = go_ahead;
	if (stop) {
		o->parse.on_progress = goes_on;
		o->parse.ctx = stop;
	}
	parse_run(&o->parse);
	check_bins(o);
	/* It has to be what this is about. */
	if (go_ahead && o->parse.began)
		assert_non_null(o->parse.reader.ahead);
}

/* The first @len bytes of the trace, with and without the thread. */
static void compare(size_t len, struct stop *stop)
{
	struct outcome one, two;
	const struct reader *a = &one.parse.reader, *b = &two.parse.reader;

	read_all(&one, len, false, stop);
	read_all(&two, len, true, stop);
	assert_int_equal(one.parse.chunks, two.parse.chunks);
	assert_int_equal(one.parse.join.records, two.parse.join.records);
	assert_int_equal(one.parse.problems, two.parse.problems);
	assert_int_equal(one.parse.ended, two.parse.ended);
	assert_int_equal(a->offset, b->offset);
	assert_int_equal(a->damaged, b->damaged);
	assert_int_equal(a->damaged_bytes, b->damaged_bytes);
	assert_int_equal(one.nr, two.nr);
	assert_memory_equal(one.results, two.results, sizeof(one.results));
	parse_deinit(&one.parse);
	parse_deinit(&two.parse);
}

static void whole(void **ctx)
{
	struct outcome o;

	(void)ctx;
	make_trace();
	compare(g.len, NULL);
	read_all(&o, g.len, true, NULL);
	assert_false(o.parse.problems);
	assert_int_equal(disk_stats(&o, GEN_GUEST, 0)->bins[BIN_JOINED],
			 3 * PACKS + PACKS / 4);
	done(&o, &g);
}

static void cut_off(void **ctx)
{
	(void)ctx;
	make_trace();
	for (size_t len = sizeof(struct xblk_trace_header); len < g.len; len += 61)
		compare(len, NULL);
	gen_deinit(&g);
}

static void stopped(void **ctx)
{
	(void)ctx;
	make_trace();
	for (struct stop stop = {1}; stop.after_chunks < 10 * PACKS; stop.after_chunks++)
		compare(g.len, &stop);
	gen_deinit(&g);
}

static void damaged(void **ctx)
{
	(void)ctx;
	make_trace();
	for (size_t at = sizeof(struct xblk_trace_header); at < g.len; at += 37) {
		g.data[at] ^= 0x10;
		compare(g.len, NULL);
		g.data[at] ^= 0x10;
	}
	gen_deinit(&g);
}

/* The checksum is right, the rest is not. */
static void nonsense(void **ctx)
{
	(void)ctx;
	make_trace();
	for (size_t at = sizeof(struct xblk_trace_header); at < g.len;) {
		struct xblk_chunk c, bad;

		memcpy(&c, g.data + at, sizeof(c));
		if (c.type == XBLK_CHUNK_PACK) {
			bad = c;
			bad.unpacked += 32;
			memcpy(g.data + at, &bad, sizeof(bad));
			gen_fix_checksum(&g, at);
			compare(g.len, NULL);
			memcpy(g.data + at, &c, sizeof(c));
			g.data[at + sizeof(c) + c.payload / 2] ^= 0x10;
			gen_fix_checksum(&g, at);
			compare(g.len, NULL);
			g.data[at + sizeof(c) + c.payload / 2] ^= 0x10;
			memcpy(g.data + at, &c, sizeof(c));
		}
		at += chunk_size(c.payload);
	}
	gen_deinit(&g);
}

/* A pack in the bytes of another one is found only where that one is damaged. */
static void pack_in_pack(void **ctx)
{
	struct gen inner;
	struct xblk_chunk c;
	size_t at;

	(void)ctx;
	make_trace();
	inner = g;
	gen_init(&g);
	at = g.len;
	gen_chunk(&g, XBLK_CHUNK_PACK, 0, 0, 0, 0, inner.data + at, inner.len - at);
	memcpy(&c, g.data + at, sizeof(c));
	c.unpacked = 64;
	memcpy(g.data + at, &c, sizeof(c));
	gen_fix_checksum(&g, at);
	/* Of a version that has packs. */
	memcpy(g.data, inner.data, sizeof(struct xblk_trace_header));
	gen_end(&g, 100000 * PACKS);
	compare(g.len, NULL);
	g.data[at] ^= 0x10;
	compare(g.len, NULL);
	gen_deinit(&inner);
	gen_deinit(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),    cmocka_unit_test(cut_off),
		cmocka_unit_test(stopped),  cmocka_unit_test(damaged),
		cmocka_unit_test(nonsense), cmocka_unit_test(pack_in_pack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
