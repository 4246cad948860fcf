// SPDX-License-Identifier: GPL-2.0-only
/* The file's bytes: cut off, damaged, of another make.  Never a crash. */
#include "test_parse_util.h"

#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

static void io(struct gen *out, uint64_t ns, uint32_t id)
{
	struct gen g = *out;

	GUEST(ns + 1000, QUEUE, READ, 64, 8, id, 500);
	GUEST(ns + 1010, ISSUE, READ, 64, 8, 100 + id, id);
	DOM0(ns + 1110, QUEUE, READ, 64, 8, id, GEN_KTHREAD);
	DOM0(ns + 2110, ISSUE, READ, 64, 8, 200 + id, id);
	DOM0(ns + 3110, COMPLETE, READ, 64, 8, 200 + id, 0);
	GUEST(ns + 4110, COMPLETE, READ, 64, 8, 100 + id, 0);
	*out = g;
}

/* Three rounds with a request each. */
static void small_trace(struct gen *g)
{
	gen_init(g);
	for (unsigned int i = 0; i < 3; i++) {
		io(g, 10000 * i, 1 + i);
		gen_round(g, 10000 * i + 9000);
	}
	gen_end(g, 40000);
}

/* The offset of the @nr-th chunk of the type. */
static size_t find_chunk(const struct gen *g, unsigned int type, unsigned int nr)
{
	size_t at = sizeof(struct xblk_trace_header);

	while (at < g->len) {
		struct xblk_chunk c;

		memcpy(&c, g->data + at, sizeof(c));
		if (c.type == type && !nr--)
			return at;
		at += sizeof(c) + ((c.payload + 31) & ~31u);
	}
	fail();
	return 0;
}

static void cut_at_every_byte(void **ctx)
{
	struct gen g;
	struct outcome o;
	uint64_t last = 0;

	(void)ctx;
	small_trace(&g);
	for (size_t len = 0; len < g.len; len++) {
		uint8_t *copy = malloc(len ? len : 1); /* so that ASan sees its end */

		memcpy(copy, g.data, len);
		run(&o, copy, len);
		/* Only the padding at the very end may be missing. */
		assert_true(o.parse.problems || g.len - len < 32);
		assert_true(o.parse.join.records >= last);
		last = o.parse.join.records;
		parse_deinit(&o.parse);
		free(copy);
	}
	run(&o, g.data, g.len);
	assert_false(o.parse.problems);
	assert_int_equal(o.parse.join.records, last);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 3);
	done(&o, &g);
}

/* A pipe gives what it has; the result is the same. */
static void small_reads(void **ctx)
{
	static const size_t sizes[] = {1, 7, 31, 64, 100};
	struct gen g;
	struct outcome o;

	(void)ctx;
	small_trace(&g);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		outcome_init(&o, g.data, g.len);
		o.bytes.most = sizes[i];
		parse_run(&o.parse);
		assert_false(o.parse.problems);
		assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 3);
		parse_deinit(&o.parse);
	}
	gen_deinit(&g);
}

/* Any one byte changed: what is before and behind is still used. */
static void every_byte_changed(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	small_trace(&g);
	for (size_t at = 0; at < g.len; at++) {
		g.data[at] ^= 0x41;
		run(&o, g.data, g.len);
		/* Padding is not covered by a checksum, nor does it matter. */
		if (!o.parse.problems)
			assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 3);
		parse_deinit(&o.parse);
		g.data[at] ^= 0x41;
	}
	gen_deinit(&g);
}

static void damaged_chunk(void **ctx)
{
	struct gen g;
	struct outcome o;
	size_t at;

	(void)ctx;
	small_trace(&g);
	/* the second round's data of the guest */
	at = find_chunk(&g, XBLK_CHUNK_DATA, 3);
	g.data[at + sizeof(struct xblk_chunk) + 5] ^= 1;
	run(&o, g.data, g.len);
	assert_true(o.parse.problems);
	assert_int_equal(o.parse.reader.damaged, 1);
	assert_non_null(strstr(o.parse.reader.damage_what, "domain 3, cpu 0"));
	assert_int_equal(o.parse.reader.damage_offset, at);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 2);
	assert_true(o.parse.ended);
	done(&o, &g);
}

/* The length is wrong: the next chunk is found by its checksum. */
static void damaged_length(void **ctx)
{
	static const uint32_t lengths[] = {0, 64, 4096, XBLK_CHUNK_MAX_PAYLOAD,
					   UINT32_MAX};
	struct gen g;
	struct outcome o;

	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		size_t at;

		small_trace(&g);
		at = find_chunk(&g, XBLK_CHUNK_DATA, 3);
		memcpy(g.data + at + offsetof(struct xblk_chunk, payload), &lengths[i],
		       4);
		run(&o, g.data, g.len);
		assert_true(o.parse.problems);
		assert_int_equal(o.parse.reader.damaged, 1);
		assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 2);
		assert_true(o.parse.ended);
		done(&o, &g);
	}
}

static void garbage_between(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	io(&g, 0, 1);
	gen_flush(&g, 9000);
	g.room = g.len + 96;
	g.data = realloc(g.data, g.room);
	memset(g.data + g.len, 0x5a, 96);
	g.len += 96;
	io(&g, 10000, 2);
	gen_end(&g, 20000);
	run(&o, g.data, g.len);
	assert_int_equal(o.parse.reader.damaged, 1);
	assert_int_equal(o.parse.reader.damaged_bytes, 96);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 2);
	done(&o, &g);
}

/*
 * A guest's records that look like a chunk of dom0's, in a chunk whose
 * checksum is wrong: they are stepped over, not taken for one.
 */
static void forged_chunk(void **ctx)
{
	struct xblk_record r = {
		.time = GEN_START + 10, .event = XBLK_EV_QUEUE, .nr_sectors = 8};
	struct gen g, forged;
	struct outcome o;
	size_t at;

	(void)ctx;
	memset(&forged, 0, sizeof(forged));
	gen_chunk(&forged, XBLK_CHUNK_DATA, 0, 7, 0, 100, &r, sizeof(r));
	gen_init(&g);
	at = g.len;
	gen_chunk(&g, XBLK_CHUNK_DATA, 3, 0, 0, 100, forged.data, forged.len);
	g.data[at + offsetof(struct xblk_chunk, checksum)] ^= 1;
	io(&g, 10000, 1);
	gen_end(&g, 20000);
	run(&o, g.data, g.len);
	assert_int_equal(o.parse.reader.damaged, 1);
	for (unsigned int i = 0; i < o.parse.merge.nr_streams; i++)
		assert_int_not_equal(o.parse.merge.streams[i]->cpu, 7);
	gen_deinit(&forged);
	done(&o, &g);
}

static void change_header(size_t offset, uint32_t value, bool usable)
{
	struct gen g;
	struct outcome o;

	small_trace(&g);
	memcpy(g.data + offset, &value, sizeof(value));
	run(&o, g.data, g.len);
	assert_int_equal(o.parse.began, usable);
	assert_true(o.parse.problems);
	done(&o, &g);
}

static void other_headers(void **ctx)
{
	(void)ctx;
	change_header(offsetof(struct xblk_trace_header, magic), 0, false);
	change_header(offsetof(struct xblk_trace_header, version), XBLK_TRACE_VERSION + 1,
		      false);
	change_header(offsetof(struct xblk_trace_header, endian), 0x04030201, false);
	change_header(offsetof(struct xblk_trace_header, wall_ns), 1, false);
}

/* A later writer may have kinds of chunks that do not matter to us. */
static void unknown_chunk(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	gen_chunk(&g, 99, 0, 0, 0, 100, "whatever", 8);
	io(&g, 0, 1);
	run_gen(&o, &g);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 1);
	done(&o, &g);
}

/* Nothing says whose disks these are: no record of it can be used, which is told. */
static void no_metadata(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init_bare(&g);
	io(&g, 0, 1);
	gen_end(&g, 1000000000);
	run(&o, g.data, g.len);
	assert_true(o.parse.problems);
	assert_int_equal(o.parse.join.records, 0);
	assert_int_equal(o.parse.merge.streams[0]->invalid, 3);
	done(&o, &g);
}

/* Metadata that is no JSON, or not what it should be. */
static void bad_metadata(void **ctx)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{\"backend\": 7}",
		"{\"backend\": {\"domid\": -1}}",
		"{\"backend\": {\"domid\": 0, \"disks\": [{\"index\": 99999}]}}",
		"{\"backend\": {\"domid\": 0, \"disks\": {\"index\": 1}}, \"guests\": 1}",
		"{\"backend\": {\"domid\": 3}, \"guests\": [{\"domid\": 3}]}",
		"{\"backend\": {\"domid\": 0}, \"guests\": [{\"domid\": 70000}]}",
		("{\"backend\": {\"domid\": 0}, \"guests\": [{\"domid\": 3,"
		 " \"disks\": [{\"name\": \"xvda\"}]}]}"),
	};

	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct gen g;
		struct outcome o;

		gen_init_bare(&g);
		gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, texts[i], strlen(texts[i]));
		io(&g, 0, 1);
		gen_chunk(&g, XBLK_CHUNK_END, 0, 0, 0, 9, texts[i], strlen(texts[i]));
		run(&o, g.data, g.len);
		done(&o, &g);
	}
}

static void behind_the_end(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	small_trace(&g);
	gen_round(&g, 50000);
	run(&o, g.data, g.len);
	assert_true(o.parse.problems);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 3);
	done(&o, &g);
}

/* The capture says that it wrote more than there is. */
static void conservation(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	io(&g, 0, 1);
	g.streams[0].produced++;
	gen_end(&g, 40000);
	run(&o, g.data, g.len);
	assert_true(o.parse.problems);
	done(&o, &g);
}

/* Nothing but headers, each of a chunk of 1 MiB: not all of them are hashed. */
static void false_chunks(void **ctx)
{
	const size_t len = 8u << 20;
	struct xblk_chunk c = {
		.magic = XBLK_CHUNK_MAGIC,
		.type = XBLK_CHUNK_DATA,
		.payload = XBLK_CHUNK_MAX_PAYLOAD - 32,
	};
	struct gen g;
	struct outcome o;

	(void)ctx;
	small_trace(&g);
	g.room = g.len + len;
	g.data = realloc(g.data, g.room);
	for (size_t at = 0; at < len; at += sizeof(c))
		memcpy(g.data + g.len + at, &c, sizeof(c));
	run(&o, g.data, g.len + len);
	assert_true(o.parse.problems);
	assert_true(o.parse.reader.wasted < 2ull << 30);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 3);
	done(&o, &g);
}

/* Disks that replace each other again and again are an end of the metadata. */
static void too_many_disks(void **ctx)
{
	struct gen g;
	struct outcome o;
	char text[256];

	(void)ctx;
	gen_init(&g);
	for (unsigned int i = 0; i < 2 * MAX_ALL_DISKS; i++) {
		int len = snprintf(text, sizeof(text),
				   "{\"backend\": {\"domid\": 0, \"disks\":"
				   " [{\"index\": 7, \"name\": \"sd%u\"}]}}",
				   i);

		gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, text, len);
	}
	gen_end(&g, 1000);
	run(&o, g.data, g.len);
	assert_true(o.parse.problems);
	assert_int_equal(o.parse.model.nr_disks, MAX_ALL_DISKS);
	done(&o, &g);
}

/* small_trace() with its rounds in packs of two chunks and more. */
static void packed_trace(struct gen *g)
{
	gen_init(g);
	for (unsigned int i = 0; i < 3; i++) {
		size_t at = g->len;

		io(g, 10000 * i, 1 + i);
		gen_round(g, 10000 * i + 9000);
		gen_pack(g, at);
	}
	gen_end(g, 40000);
}

static void packed(void **ctx)
{
	struct gen g;
	struct outcome o;

	(void)ctx;
	packed_trace(&g);
	for (size_t most = 0; most < 200; most += 50) {
		outcome_init(&o, g.data, g.len);
		o.bytes.most = most;
		parse_run(&o.parse);
		assert_false(o.parse.problems);
		assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 3);
		parse_deinit(&o.parse);
	}
	for (size_t len = 0; len < g.len - 32; len++) {
		run(&o, g.data, len);
		assert_true(o.parse.problems);
		parse_deinit(&o.parse);
	}
	gen_deinit(&g);
}

/* One chunk of a request of three is made unusable: its records are missing, and no
 * others. */
static void one_bad_chunk(struct gen *g, const char *why)
{
	struct outcome o;

	run(&o, g->data, g->len);
	assert_true(o.parse.problems);
	assert_int_equal(o.parse.reader.damaged, 1);
	assert_non_null(strstr(o.parse.reader.damage_what, why));
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 2);
	assert_true(o.parse.ended);
	done(&o, g);
}

/* Its checksum is right: it was made so. */
static void unpacked_length(void **ctx)
{
	static const struct {
		int64_t add;
		const char *why;
	} lengths[] = {
		{32, "not what it says"},
		{-32, "cannot be unpacked"},
		{XBLK_CHUNK_MAX_PAYLOAD, "out of bounds"},
		{UINT32_MAX - 4096, "out of bounds"},
	};

	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct xblk_chunk *c;
		struct gen g;
		size_t at;

		packed_trace(&g);
		at = find_chunk(&g, XBLK_CHUNK_PACK, 1);
		c = (struct xblk_chunk *)(g.data + at);
		c->unpacked += lengths[i].add;
		gen_fix_checksum(&g, at);
		one_bad_chunk(&g, lengths[i].why);
	}
}

static void bad_frame(void **ctx)
{
	struct gen g;
	size_t at;

	(void)ctx;
	packed_trace(&g);
	at = find_chunk(&g, XBLK_CHUNK_PACK, 1);
	memset(g.data + at + sizeof(struct xblk_chunk), 0x5a, 16);
	gen_fix_checksum(&g, at);
	one_bad_chunk(&g, "cannot be unpacked");

	packed_trace(&g);
	at = find_chunk(&g, XBLK_CHUNK_PACK, 1);
	g.data[at + sizeof(struct xblk_chunk) + 16] ^= 1;
	one_bad_chunk(&g, "checksum");
}

/* What unpacks well but is no row of chunks: none of it is used. */
static void bad_chunks_in_a_pack(void **ctx)
{
	(void)ctx;
	for (unsigned int kind = 0; kind < 5; kind++) {
		struct xblk_chunk *c;
		struct gen g;
		size_t at;

		gen_init(&g);
		io(&g, 0, 1);
		gen_round(&g, 9000);
		at = g.len;
		io(&g, 10000, 2);
		gen_round(&g, 19000);
		c = (struct xblk_chunk *)(g.data + at);
		if (kind == 0)
			c->magic ^= 1;
		else if (kind == 1)
			c->payload = UINT32_MAX;
		else if (kind == 2)
			c->payload = g.len - at;
		else if (kind == 3)
			c->flags = 1;
		else
			gen_pack(&g, at);
		gen_pack(&g, at);
		io(&g, 20000, 3);
		gen_end(&g, 40000);
		one_bad_chunk(&g, "not whole chunks");
	}
}

/* 1 GiB of nothing in 32 KiB: no more of it is written than fits a pack. */
static void bomb(void **ctx)
{
	const size_t size = 1u << 30;
	void *zeroes = calloc(1, size), *frame = malloc(1u << 20);
	size_t len = ZSTD_compress(frame, 1u << 20, zeroes, size, 1);
	struct xblk_chunk *c;
	struct outcome o;
	struct gen g;
	size_t at;

	(void)ctx;
	free(zeroes);
	assert_false(ZSTD_isError(len));
	gen_init(&g);
	io(&g, 0, 1);
	gen_flush(&g, 9000);
	at = g.len;
	gen_chunk(&g, XBLK_CHUNK_PACK, 0, 0, 0, 9000, frame, len);
	c = (struct xblk_chunk *)(g.data + at);
	c->unpacked = XBLK_CHUNK_MAX_PAYLOAD;
	gen_fix_checksum(&g, at);
	gen_end(&g, 40000);
	run(&o, g.data, g.len);
	assert_int_equal(o.parse.reader.damaged, 1);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 1);
	done(&o, &g);
	free(frame);
}

/* A flag says that a reader which does not know it would go wrong. */
static void unknown_flag(void **ctx)
{
	struct xblk_chunk *c;
	struct gen g;
	size_t at;

	(void)ctx;
	small_trace(&g);
	at = find_chunk(&g, XBLK_CHUNK_DATA, 3);
	c = (struct xblk_chunk *)(g.data + at);
	c->flags = 1;
	gen_fix_checksum(&g, at);
	one_bad_chunk(&g, "newer format");
}

/* Counters and times near their ends: sums saturate, and nothing wraps. */
static void large_counters(void **ctx)
{
	const uint64_t far = 3ull * 3600 * 1000000000;
	const uint64_t sequence = (1ull << 63) - 2;
	struct gen g;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	io(&g, 0, 1);
	gen_round(&g, 10000);
	for (unsigned int i = 0; i < g.nr_streams; i++) {
		g.streams[i].sequence = sequence + i;
		g.streams[i].produced = sequence + i;
	}
	io(&g, far, 2);
	gen_round(&g, far + 20000);
	run(&o, g.data, g.len);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 2);
	for (unsigned int i = 0; i < o.parse.merge.nr_streams; i++)
		assert_true(o.parse.merge.streams[i]->missing > 1ull << 62);
	done(&o, &g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(small_reads),
		cmocka_unit_test(every_byte_changed),
		cmocka_unit_test(damaged_chunk),
		cmocka_unit_test(damaged_length),
		cmocka_unit_test(garbage_between),
		cmocka_unit_test(forged_chunk),
		cmocka_unit_test(other_headers),
		cmocka_unit_test(unknown_chunk),
		cmocka_unit_test(no_metadata),
		cmocka_unit_test(bad_metadata),
		cmocka_unit_test(behind_the_end),
		cmocka_unit_test(conservation),
		cmocka_unit_test(false_chunks),
		cmocka_unit_test(too_many_disks),
		cmocka_unit_test(large_counters),
		cmocka_unit_test(packed),
		cmocka_unit_test(unpacked_length),
		cmocka_unit_test(bad_frame),
		cmocka_unit_test(bad_chunks_in_a_pack),
		cmocka_unit_test(bomb),
		cmocka_unit_test(unknown_flag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
