// SPDX-License-Identifier: GPL-2.0-only
/* The disk gets full: what is in the file is whole, and counted. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "written.h"

/* META, six DATA chunks of 5 to 10 records, END.  @taken: records of each stream, or NULL
 */
static void put_all_kinds(struct writer *w, size_t taken[2])
{
	unsigned int i;

	writer_header(w, 0, 0);
	writer_chunk(w, XBLK_CHUNK_META, "{\"x\":1}", 7, 1);
	for (i = 0; i < 6; i++) {
		if (put_records(w, i % 2, 5 + i, i) && taken)
			taken[i % 2] += 5 + i;
		if (i % 3 == 2)
			writer_flush(w);
	}
	writer_last_chunk(w, XBLK_CHUNK_END, "{}", 2, 9);
}

/*
 * The disk is full after any number of bytes: in the header, in a chunk's
 * header, payload or padding, between chunks, in a later buffer.
 */
static void test_full_disk_anywhere(void **state)
{
	struct rlimit before, limit;
	const size_t index = 64 + 32; /* which nothing fails for want of */
	unsigned int with_end = 0;
	struct writer first;
	size_t room, all;

	(void)state;
	begin_writing(&first, written_path);
	put_all_kinds(&first, NULL);
	all = writer_bytes_out(&first);
	assert_int_equal(writer_close(&first), 0);
	if (!written_level)
		assert_int_equal(all, 64 + 96 + 6 * 64 + 45 * 32 + index + 96);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	for (room = 0; room < all + 64; room += 8) {
		size_t taken[2] = {0};
		struct found found;
		struct writer w;
		int err;

		limit = before;
		limit.rlim_cur = room;
		begin_writing(&w, written_path);
		setrlimit(RLIMIT_FSIZE, &limit);
		put_all_kinds(&w, taken);
		setrlimit(RLIMIT_FSIZE, &before);
		err = writer_error(&w);
		assert_int_equal(err, room < all - index ? -EFBIG : 0);
		assert_int_equal(writer_close(&w), err);

		check_file(&found);
		assert_int_equal(found.records[0], written_streams[0].records);
		assert_int_equal(found.records[1], written_streams[1].records);
		assert_int_equal(found.records[0] + written_streams[0].unwritten,
				 taken[0]);
		assert_int_equal(found.records[1] + written_streams[1].unwritten,
				 taken[1]);
		assert_int_equal(found.rows, room < all ? 0 : 1);
		with_end += err && found.types[XBLK_CHUNK_END];
	}
	/* Where a large chunk did not fit, the small last one often did. */
	assert_in_range(with_end, 10, all / 8);
}

/* The disk gets full while many blocks wait: what follows the first is taken back, too. */
static void test_full_with_queue(void **state)
{
	struct rlimit before, limit;
	struct found found;
	struct writer w;
	int i;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 2500000;
	setrlimit(RLIMIT_FSIZE, &limit);
	begin_writing(&w, written_path);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	for (i = 0; i < 60; i++) {
		put_records(&w, i % 2, 10000 + i, i);
		writer_flush(&w);
	}
	writer_last_chunk(&w, XBLK_CHUNK_END, "{}", 2, 99);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(writer_error(&w), -EFBIG);
	assert_int_equal(writer_close(&w), -EFBIG);
	check_file(&found);
	assert_true(found.records[0] > 20000);
	assert_int_equal(found.records[0], written_streams[0].records);
	assert_int_equal(found.records[1], written_streams[1].records);
	assert_int_equal(found.types[XBLK_CHUNK_END], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_disk_anywhere),
		cmocka_unit_test(test_full_with_queue),
	};

	return cmocka_run_group_tests_name("plain", tests, begin_plain, end_file) +
	       cmocka_run_group_tests_name("compressed", tests, begin_compressed,
					   end_file);
}
