// SPDX-License-Identifier: GPL-2.0-only
/* Outputs that are no file of the trace alone, and those that cannot be written to. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "written.h"

static void test_unwritable(void **state)
{
	struct writer w;

	(void)state;
	assert_int_equal(writer_open(&w, "/nowhere/file"), -ENOENT);
	writer_close(&w);
	assert_int_equal(writer_open(&w, "/"), -EISDIR);
	writer_close(&w);
	begin_writing(&w, "/dev/full");
	writer_header(&w, 0, 0);
	assert_int_equal(writer_sync(&w, -1), -ENOSPC);
	assert_true(writer_ready(&w));
	assert_null(writer_reserve(&w, &(size_t){0}));
	assert_int_equal(writer_last_chunk(&w, XBLK_CHUNK_END, "{}", 2, 9), -ENOSPC);
	assert_int_equal(writer_close(&w), -ENOSPC);
}

static void test_terminal(void **state)
{
	struct writer w;
	int master, slave;

	(void)state;
	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) || unlockpt(master))
		skip();
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	assert_int_equal(open_as_stdout(&w, slave), -ENOTTY);
	writer_close(&w);
	close(slave);
	close(master);
}

/* `-o - >>file`: behind what is there, and cut back to it, not to zero. */
static void test_stdout_is_a_file(void **state)
{
	struct writer w;
	char head[6] = "";
	int fd;

	(void)state;
	fd = open(written_path, O_RDWR | O_TRUNC);
	assert_int_equal(write(fd, "before", 6), 6);
	assert_int_equal(open_as_stdout(&w, fd), 0);
	assert_true(w.out.regular);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	assert_int_equal(writer_close(&w), 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), 6 + 64);
	assert_int_equal(pread(fd, head, 6, 0), 6);
	assert_memory_equal(head, "before", 6);
	close(fd);
}

/* The pipe closes in mid-chunk: what came through is whole but for its end. */
static void test_broken_pipe(void **state)
{
	unsigned char bytes[65536];
	struct found found;
	struct writer w;
	int fds[2];
	ssize_t n;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(open_as_stdout(&w, fds[1]), 0);
	close(fds[1]);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	n = read(fds[0], bytes, sizeof(bytes));
	assert_int_equal(n, 64);
	close(fds[0]);
	put_records(&w, 0, 10, 1);
	assert_int_equal(writer_sync(&w, -1), -EPIPE);
	assert_int_equal(writer_close(&w), -EPIPE);
	assert_int_equal(written_streams[0].records, 0);
	check_bytes(bytes, n, &found, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unwritable),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_stdout_is_a_file),
		cmocka_unit_test(test_broken_pipe),
	};

	return cmocka_run_group_tests_name("plain", tests, begin_plain, end_file) +
	       cmocka_run_group_tests_name("compressed", tests, begin_compressed,
					   end_file);
}
