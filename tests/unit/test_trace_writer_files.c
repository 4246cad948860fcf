// SPDX-License-Identifier: GPL-2.0-only
/* File after file, as with a size and a number of them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "written.h"

/* One file: records of both streams until it is full, a loss, and its end. */
static void fill_file(struct writer *w, uint64_t *records, uint64_t *lost)
{
	unsigned int i;

	writer_chunk(w, XBLK_CHUNK_META, "{\"m\":1}", 7, 1);
	for (i = 0; !writer_full(w); i++)
		assert_true(put_records(w, i % 2, 3000 + i, i + 2));
	for (i = 0; i < 2; i++) {
		written_streams[i].lost = *lost += 10 + i;
		written_streams[i].marks += 3;
		records[i] += written_streams[i].records;
	}
	assert_int_equal(writer_last_chunk(w, XBLK_CHUNK_END, "{}", 2, 1000), 0);
}

/* Each is a whole trace, and together they have each record of the newest once. */
static void test_rotation(void **state)
{
	uint64_t records[2] = {0}, sum[2] = {0}, lost = 0, before;
	char names[4][sizeof(written_path) + 2];
	struct found found;
	struct writer w;
	int i;

	(void)state;
	begin_writing(&w, written_path);
	assert_int_equal(writer_rotate(&w, 1 << 20, 4), 0);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	for (i = 0; i < 6; i++) {
		/* Those that are gone in the end. */
		if (i == 2)
			memset(records, 0, sizeof(records));
		before = written_streams[1].produced_before -
			 written_streams[1].lost_before;
		fill_file(&w, records, &lost);
		if (i == 5)
			break;
		before += written_streams[1].records - 3;
		assert_int_equal(writer_next_file(&w, i, i), 0);
		assert_int_equal(written_streams[1].produced_before, before + lost);
		assert_true(written_streams[1].lost_before == lost);
		assert_int_equal(written_streams[1].records, 0);
	}
	assert_int_equal(writer_close(&w), 0);
	for (i = 0; i < 4; i++) {
		snprintf(names[i], sizeof(names[i]), i ? "%s.%d" : "%s", written_path, i);
		check_named(names[i], &found);
		assert_int_equal(found.types[XBLK_CHUNK_META], 1);
		assert_int_equal(found.types[XBLK_CHUNK_END], 1);
		assert_in_range(found.rows, 1, 100);
		assert_true(found.flags & XBLK_INDEX_META);
		sum[0] += found.records[0];
		sum[1] += found.records[1];
	}
	for (i = 1; i < 4; i++)
		assert_int_equal(unlink(names[i]), 0);
	assert_int_equal(sum[0], records[0]);
	assert_int_equal(sum[1], records[1]);
	snprintf(names[0], sizeof(names[0]), "%s.4", written_path);
	assert_int_equal(access(names[0], F_OK), -1);
}

/* The owner may know of more marks than have been moved: the others are the next file's. */
static void test_marks_ahead(void **state)
{
	struct found found;
	struct writer w;

	(void)state;
	begin_writing(&w, written_path);
	assert_int_equal(writer_rotate(&w, 1 << 20, 1), 0);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	assert_true(put_records(&w, 0, 3, 1));
	written_streams[0].marks = 5;
	assert_int_equal(writer_marks(&written_streams[0]), 3);
	assert_int_equal(writer_last_chunk(&w, XBLK_CHUNK_END, "{}", 2, 1), 0);
	assert_int_equal(writer_next_file(&w, 2, 2), 0);
	assert_int_equal(written_streams[0].produced_before, 0);
	assert_int_equal(written_streams[0].records_before, 3);
	assert_int_equal(written_streams[0].marks, 2);
	assert_true(put_records(&w, 0, 4, 2));
	assert_int_equal(writer_marks(&written_streams[0]), 2);
	assert_int_equal(writer_last_chunk(&w, XBLK_CHUNK_END, "{}", 2, 3), 0);
	assert_int_equal(w.nr_ended, 1);
	assert_true(w.bytes_ended > 64);
	assert_int_equal(writer_close(&w), 0);
	check_file(&found);
	assert_int_equal(found.records[0], 4);
}

/* The one that is whole stays so, and nothing else. */
static void test_next_file_fails(void **state)
{
	uint64_t records[2] = {0}, lost = 0;
	char name[sizeof(written_path) + 2];
	struct found found;
	struct writer w;

	(void)state;
	snprintf(name, sizeof(name), "%s.1", written_path);
	assert_int_equal(mkdir(name, 0700), 0);
	begin_writing(&w, written_path);
	assert_int_equal(writer_rotate(&w, 1 << 20, 2), 0);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	fill_file(&w, records, &lost);
	assert_int_equal(writer_next_file(&w, 0, 0), -EISDIR);
	assert_null(writer_reserve(&w, &(size_t){0}));
	assert_int_equal(writer_close(&w), -EISDIR);
	assert_int_equal(rmdir(name), 0);
	check_file(&found);
	assert_int_equal(found.records[0], records[0]);
	assert_int_equal(found.types[XBLK_CHUNK_END], 1);
}

/* There is nothing to call the next one. */
static void test_no_rotation(void **state)
{
	struct writer w;

	(void)state;
	begin_writing(&w, "/dev/null");
	assert_int_equal(writer_rotate(&w, 1 << 20, 2), -EINVAL);
	assert_false(writer_full(&w));
	assert_int_equal(writer_close(&w), 0);
}

/* It is found out while the file is written, and when it ends, however soon. */
static void test_name_lost(void **state)
{
	char other[sizeof(written_path) + 6];
	struct writer w;

	(void)state;
	snprintf(other, sizeof(other), "%s.other", written_path);
	begin_writing(&w, written_path);
	assert_int_equal(writer_rotate(&w, 1 << 20, 1), 0);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	assert_int_equal(writer_sync(&w, -1), 0);
	assert_int_equal(rename(written_path, other), 0);
	usleep(1100000);
	assert_int_equal(writer_name(&w), OUTPUT_NAMED);
	assert_true(put_records(&w, 0, 10, 1));
	assert_int_equal(writer_sync(&w, -1), 0);
	assert_int_equal(writer_name(&w), OUTPUT_RENAMED);
	assert_int_equal(writer_last_chunk(&w, XBLK_CHUNK_END, "{}", 2, 9), 0);

	assert_int_equal(writer_next_file(&w, 0, 0), 0);
	assert_int_equal(writer_name(&w), OUTPUT_NAMED);
	assert_int_equal(unlink(written_path), 0);
	assert_int_equal(writer_last_chunk(&w, XBLK_CHUNK_END, "{}", 2, 9), 0);
	assert_int_equal(writer_name(&w), OUTPUT_REMOVED);
	assert_int_equal(writer_close(&w), 0);
	assert_int_equal(rename(other, written_path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_marks_ahead),
		cmocka_unit_test(test_next_file_fails),
		cmocka_unit_test(test_no_rotation),
		cmocka_unit_test(test_name_lost),
	};

	return cmocka_run_group_tests_name("plain", tests, begin_plain, end_file) +
	       cmocka_run_group_tests_name("compressed", tests, begin_compressed,
					   end_file);
}
