// SPDX-License-Identifier: GPL-2.0-only
/* What a file holds that has been written. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "written.h"

static void test_whole_file(void **state)
{
	struct found found;
	struct writer w;

	(void)state;
	begin_writing(&w, written_path);
	assert_int_equal(writer_header(&w, 1000, 2000), 0);
	assert_int_equal(writer_chunk(&w, XBLK_CHUNK_META, "{\"a\":1}", 7, 5), 0);
	assert_true(put_records(&w, 0, 1, 10));
	assert_true(put_records(&w, 1, 100, 10));
	writer_commit(&w, &written_streams[0], 0, 10); /* no chunk */
	assert_int_equal(writer_chunk(&w, XBLK_CHUNK_ROUND, NULL, 0, 10), 0);
	assert_int_equal(writer_last_chunk(&w, XBLK_CHUNK_END, "{\"b\":2}", 7, 11), 0);
	assert_int_equal(writer_close(&w), 0);

	check_file(&found);
	assert_int_equal(found.types[XBLK_CHUNK_META], 1);
	assert_int_equal(found.types[XBLK_CHUNK_DATA], 2);
	assert_int_equal(found.types[XBLK_CHUNK_ROUND], 1);
	assert_int_equal(found.types[XBLK_CHUNK_END], 1);
	assert_int_equal(found.types[XBLK_CHUNK_PACK], written_level ? 1 : 0);
	assert_int_equal(found.types[XBLK_CHUNK_INDEX], 1);
	assert_int_equal(found.rows, 1);
	assert_true(found.flags & XBLK_INDEX_META);
	assert_int_equal(found.records[0], 1);
	assert_int_equal(found.records[1], 100);
	assert_string_equal(found.json, "{\"b\":2}");
	assert_int_equal(found.last_time, 11);
}

/* Chunks of every size up to the largest, over many fills of the buffer. */
static void test_large(void **state)
{
	struct found found;
	struct writer w;
	size_t n, sum = 0;

	(void)state;
	begin_writing(&w, written_path);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	for (n = 1; n < 200000; n = n * 3 + 1) {
		assert_true(put_records(&w, n % 2, n, n));
		sum += n;
	}
	assert_int_equal(writer_close(&w), 0);
	check_file(&found);
	assert_int_equal(found.records[0] + found.records[1], sum);
	assert_int_equal(found.records[0], written_streams[0].records);
	assert_int_equal(found.records[1], written_streams[1].records);
}

/* A domain is let go of when what it wrote is out; another one has its number then. */
static void test_domain_ends(void **state)
{
	static const struct xblk_record name = {.event = XBLK_EV_PROCESS, .aux = 7};
	struct writer_stream other = {.domid = 4}, again = {.domid = 3};
	const struct index *index;
	uint64_t position;
	struct writer w;

	(void)state;
	begin_writing(&w, written_path);
	index = &w.index;
	writer_add_stream(&w, &other);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	put_one(&w, 0, name, 1);
	assert_true(put_records(&w, 1, 100, 2));
	position = writer_position(&w);
	assert_false(writer_is_out(&w, position));
	assert_int_equal(writer_sync(&w, -1), 0);
	assert_true(writer_is_out(&w, position));
	assert_true(put_records(&w, 1, 1, 3));
	assert_true(writer_is_out(&w, position));
	assert_false(writer_is_out(&w, writer_position(&w)));
	assert_int_equal(writer_sync(&w, -1), 0);

	writer_remove_streams(&w, 3);
	assert_ptr_equal(w.streams, &other);
	assert_null(other.next);
	writer_add_stream(&w, &again);
	written_streams[0].records = 0;
	put_one(&w, 0, name, INDEX_ROW);
	/* That name is news, as of another domain. */
	assert_true(index->flags & XBLK_INDEX_NAMES ||
		    index->entries[index->nr - 1].flags & XBLK_INDEX_NAMES);
	assert_int_equal(writer_close(&w), 0);
}

static void test_too_large_payload(void **state)
{
	char *json = calloc(1, XBLK_CHUNK_MAX_PAYLOAD + 1);
	struct writer w;

	(void)state;
	begin_writing(&w, written_path);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	assert_int_equal(
		writer_chunk(&w, XBLK_CHUNK_META, json, XBLK_CHUNK_MAX_PAYLOAD, 0), 0);
	assert_int_equal(writer_chunk(&w, XBLK_CHUNK_META, json,
				      XBLK_CHUNK_MAX_PAYLOAD + 1, 0),
			 -EFBIG);
	assert_int_equal(writer_close(&w), 0);
	free(json);
}

/* What repeats itself gets small, and what does not is written nevertheless. */
static void test_compression(void **state)
{
	struct found found;
	int level_of_all = written_level;
	struct writer w;
	uint64_t *to;
	size_t max, i;

	(void)state;
	written_level = 3;
	begin_writing(&w, written_path);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	to = writer_reserve(&w, &max);
	memset(to, 0, max * 32);
	writer_commit(&w, &written_streams[0], max, 1);
	assert_int_equal(writer_sync(&w, -1), 0);
	assert_in_range(writer_bytes_out(&w), 64 + 64 + 32, 4096);
	assert_int_equal(writer_close(&w), 0);

	begin_writing(&w, written_path);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	to = writer_reserve(&w, &max);
	for (i = 0; i < max * 4; i++)
		to[i] = record_word(0, i / 4, i % 4);
	writer_commit(&w, &written_streams[0], max, 1);
	assert_int_equal(writer_sync(&w, -1), 0);
	assert_true(writer_bytes_out(&w) > max * 32);
	assert_int_equal(writer_close(&w), 0);
	check_file(&found);
	assert_int_equal(found.records[0], max);
	written_level = level_of_all;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_file),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_domain_ends),
		cmocka_unit_test(test_too_large_payload),
		cmocka_unit_test(test_compression),
	};

	return cmocka_run_group_tests_name("plain", tests, begin_plain, end_file) +
	       cmocka_run_group_tests_name("compressed", tests, begin_compressed,
					   end_file);
}
