// SPDX-License-Identifier: GPL-2.0-only
/* The index: what a reader has to know of each row, and where the rows are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "written.h"

/* What a reader has to know of a row it finds in the index, and nothing else. */
static void test_index_flags(void **state)
{
	static const struct xblk_record name = {.event = XBLK_EV_PROCESS, .aux = 7},
					other = {.event = XBLK_EV_PROCESS,
						 .aux = 7,
						 .comm = "other"},
					read = {.event = XBLK_EV_QUEUE, .aux = 7},
					lost = {.event = XBLK_EV_LOST};
	struct xblk_record ring = {.event = XBLK_EV_RING, .id = 9, .aux = 77};
	struct xblk_record flush = {.event = XBLK_EV_ISSUE, .op = XBLK_OP_FLUSH, .id = 5};
	const struct index *index;
	struct writer w;

	(void)state;
	begin_writing(&w, written_path);
	index = &w.index;
	assert_int_equal(writer_header(&w, 0, 0), 0);
	put_one(&w, 0, read, 1);
	/* That rings are told of. */
	assert_int_equal(index->entries[0].flags, XBLK_INDEX_RINGS);
	w.index.entries[0].flags = 0;
	put_one(&w, 0, name, 2);
	assert_int_equal(index->entries[0].flags, XBLK_INDEX_NAMES);
	w.index.entries[0].flags = 0;
	/* It is known, by whichever CPU it is told. */
	put_one(&w, 1, name, 3);
	assert_int_equal(index->entries[0].flags, 0);
	put_one(&w, 1, other, 4);
	assert_int_equal(index->entries[0].flags, XBLK_INDEX_NAMES);
	w.index.entries[0].flags = 0;
	put_one(&w, 0, name, 5);
	assert_int_equal(index->entries[0].flags, XBLK_INDEX_NAMES);
	put_one(&w, 0, lost, 6);
	assert_int_equal(index->entries[0].flags, XBLK_INDEX_NAMES | XBLK_INDEX_LOSSES);
	w.index.entries[0].flags = 0;
	put_one(&w, 0, flush, 7);
	assert_int_equal(index->entries[0].flags, XBLK_INDEX_FLUSHES);
	w.index.entries[0].flags = 0;
	put_one(&w, 0, flush, 8);
	assert_int_equal(index->entries[0].flags, 0);
	/* On another CPU, by another request, of a disk that may be another one. */
	put_one(&w, 1, flush, 9);
	assert_int_equal(index->entries[0].flags, XBLK_INDEX_FLUSHES);
	w.index.entries[0].flags = 0;
	flush.id++;
	put_one(&w, 0, flush, 10);
	assert_int_equal(index->entries[0].flags, XBLK_INDEX_FLUSHES);
	assert_int_equal(writer_chunk(&w, XBLK_CHUNK_META, "{}", 2, 11), 0);
	assert_int_equal(writer_sync(&w, -1), 0);
	w.index.entries[0].flags = 0;
	put_one(&w, 0, flush, 12);
	assert_int_equal(index->entries[0].flags, XBLK_INDEX_FLUSHES);
	w.index.entries[0].flags = 0;
	put_one(&w, 0, ring, 13);
	assert_int_equal(index->entries[0].flags, XBLK_INDEX_RINGS);
	w.index.entries[0].flags = 0;
	put_one(&w, 1, ring, 14);
	assert_int_equal(index->entries[0].flags, 0);
	/* Another ring has the identity now. */
	ring.aux++;
	put_one(&w, 0, ring, 15);
	assert_int_equal(index->entries[0].flags, XBLK_INDEX_RINGS);
	assert_int_equal(index->nr, 1);
	assert_int_equal(writer_close(&w), 0);
}

static uint32_t flags_of(unsigned int event, unsigned int op)
{
	if (event == XBLK_EV_PROCESS)
		return XBLK_INDEX_NAMES;
	if (event == XBLK_EV_LOST)
		return XBLK_INDEX_LOSSES;
	if (event == XBLK_EV_RING)
		return XBLK_INDEX_RINGS;
	return event == XBLK_EV_ISSUE && op % 8 == XBLK_OP_FLUSH ? XBLK_INDEX_FLUSHES : 0;
}

/* A guest's events and operations may be anything; each is found among others. */
static void test_index_anything(void **state)
{
	struct xblk_record records[3] = {{.event = XBLK_EV_QUEUE}};
	struct index index;
	unsigned int i;

	(void)state;
	assert_int_equal(index_init(&index), 0);
	for (i = 0; i < 1 << 16; i++) {
		unsigned int event = i >> 8, op = i & 0xff;

		records[i % 3] =
			(struct xblk_record){.event = event, .op = op, .id = i, .aux = i};
		assert_int_equal(index_records(&index, 3, 0, records, 3),
				 event == XBLK_EV_PROCESS);
		assert_int_equal(index_take_flags(&index), flags_of(event, op));
		records[i % 3] = (struct xblk_record){.event = XBLK_EV_QUEUE};
	}
	index_deinit(&index);
}

/* Some of the chunks are of the time of the one before, and do not begin a row. */
static uint64_t time_of(uint64_t chunk)
{
	return chunk - chunk / 7;
}

/* Its size has an end; each row is still where it says. */
static void test_index_full(void **state)
{
	struct xblk_index_entry *e;
	struct index index;
	size_t i, n = 5 * XBLK_INDEX_MAX;

	(void)state;
	assert_int_equal(index_init(&index), 0);
	for (i = 0; i < n; i++) {
		index_written(&index, 64 + i * INDEX_ROW, time_of(i), time_of(i),
			      i == n / 2 ? XBLK_INDEX_META : 0);
	}
	assert_in_range(index.nr, XBLK_INDEX_MAX / 2, XBLK_INDEX_MAX);
	for (e = index.entries; e < index.entries + index.nr; e++) {
		uint64_t of = (e->offset - 64) / INDEX_ROW;
		uint64_t end = e + 1 < index.entries + index.nr
				       ? (e[1].offset - 64) / INDEX_ROW
				       : n;

		assert_true((e->offset - 64) % INDEX_ROW == 0);
		assert_true(e->time == time_of(of));
		assert_int_equal(e->flags & ~(of ? 0 : XBLK_INDEX_RINGS),
				 of <= n / 2 && n / 2 < end ? XBLK_INDEX_META : 0);
		assert_true(!of || time_of(of) > time_of(of - 1));
	}
	index_deinit(&index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_index_flags),
		cmocka_unit_test(test_index_anything),
		cmocka_unit_test(test_index_full),
	};

	return cmocka_run_group_tests_name("plain", tests, begin_plain, end_file) +
	       cmocka_run_group_tests_name("compressed", tests, begin_compressed,
					   end_file);
}
