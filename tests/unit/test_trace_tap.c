// SPDX-License-Identifier: GPL-2.0-only
/*
 * A capture, and others that tap it: what they get is what the capture has of their
 * guests in their time.  XBLKPARSE judges their traces.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../xblktrace/tap.h"
#include "fake_xen.h"
#include "tapped_capture.h"
#include "tapping.h"

static void test_window(void **state)
{
	struct bytes b = {0};
	struct content tap;
	int fd = begin_tap(TAP_3);

	(void)state;
	read_on(fd, &b, 2000000);
	assert_non_null(strstr(status(), " taps since "));
	assert_non_null(strstr(status(), " domains 3: "));
	shutdown(fd, SHUT_WR);
	read_out(fd, &b, &tap, false);
	wait_without_taps();
	end_capture();
	assert_string_equal(content_reason(&tap), "interrupted");
	check_tap(&tap, 3);
	assert_int_equal(content_counter(&tap, 3, "lost"), 0);
	check_whole();
	content_forget(&tap);
}

static void test_two(void **state)
{
	struct bytes b[2] = {{0}};
	struct content taps[2];
	int fds[2] = {begin_tap(TAP_3), 0};

	(void)state;
	read_on(fds[0], &b[0], 500000);
	fds[1] = begin_tap(TAP_4);
	read_on(fds[1], &b[1], 500000);
	shutdown(fds[0], SHUT_WR);
	read_out(fds[0], &b[0], &taps[0], false);
	read_on(fds[1], &b[1], 1000000);
	/* The other one ends with the capture. */
	kill(getpid(), SIGINT);
	read_out(fds[1], &b[1], &taps[1], false);
	join_capture();
	check_tap(&taps[0], 3);
	check_tap(&taps[1], 4);
	assert_string_equal(content_reason(&taps[1]), "interrupted");
	check_whole();
	content_forget(&taps[0]);
	content_forget(&taps[1]);
}

static void test_duration(void **state)
{
	struct bytes b = {0};
	struct content tap;
	int fd = begin_tap("tap 1\nduration 200000000\ndomain all\n\n");

	(void)state;
	read_out(fd, &b, &tap, false);
	end_capture();
	assert_non_null(tap.end);
	assert_string_equal(content_reason(&tap), "timeout");
	assert_in_range(tap.streams[4].nr, 1, ~0u);
	assert_in_range(tap.streams[3].nr, 1, ~0u);
	content_forget(&tap);
}

static void test_disk(void **state)
{
	struct bytes b = {0};
	struct content tap;
	int fd = begin_tap("tap 1\ndomain guest1\ndisk guest1:xvdb\n\n");

	(void)state;
	/* Now also with a loss. */
	wait_for_bytes(paths.trace, (TAP_BLOCKS + 8) << 21);
	read_on(fd, &b, (TAP_BLOCKS + 4) << 20);
	shutdown(fd, SHUT_WR);
	read_out(fd, &b, &tap, true);
	end_capture();
	check_tap_of(&tap, 3, 1);
	assert_in_range(content_counter(&tap, 3, "lost"), 1, UINT64_MAX);
	assert_non_null(strstr(tap.meta, "xvdb"));
	assert_null(strstr(tap.meta, "xvda"));
	content_forget(&tap);
}

/* A guest that comes is in it from its beginning on. */
static void test_guest_comes(void **state)
{
	struct bytes b = {0};
	struct content tap, whole;
	int fd = begin_tap("tap 1\ndomain all\n\n");
	size_t before;

	(void)state;
	read_on(fd, &b, 500000);
	fake_hold();
	player_connect(&players[1]);
	fake_release();
	before = b.len;
	read_on(fd, &b, before + 2000000);
	kill(getpid(), SIGINT);
	read_out(fd, &b, &tap, false);
	join_capture();
	content_of_file(&whole, paths.trace);
	assert_non_null(strstr(tap.meta, "guest2"));
	assert_in_range(tap.streams[4].nr, 1000, ~0u);
	assert_int_equal(tap.streams[4].nr, whole.streams[4].nr);
	assert_int_equal(content_counter(&tap, 4, "written"), tap.streams[4].nr);
	content_forget(&tap);
	content_forget(&whole);
}

/* Its guest goes, and the capture goes on with the other one. */
static void test_guest_goes(void **state)
{
	struct bytes b = {0};
	struct content tap;
	int fd = begin_tap(TAP_4);

	(void)state;
	read_on(fd, &b, 500000);
	fake_hold();
	player_stop(&players[1]);
	fake_release();
	read_out(fd, &b, &tap, false);
	end_capture();
	check_tap(&tap, 4);
	assert_string_equal(content_reason(&tap), "tracer unloaded");
	check_whole();
	content_forget(&tap);
}

/* What it has goes on where a file of the capture ends. */
static void test_rotating(void **state)
{
	struct bytes b = {0};
	struct content tap;
	int fd = begin_tap(TAP_3);

	(void)state;
	read_on(fd, &b, 6000000);
	shutdown(fd, SHUT_WR);
	read_out(fd, &b, &tap, false);
	end_capture();
	assert_int_equal(access(paths.rotated, F_OK), 0);
	assert_int_equal(content_counter(&tap, 0, "marks"), 2 * NR_DISKS);
	assert_int_equal(content_counter(&tap, 3, "marks"), 0);
	content_forget(&tap);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start_capture, stop_capture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_window),
		TEST(test_two),
		TEST(test_duration),
		TEST(test_disk),
		cmocka_unit_test_setup_teardown(test_guest_comes, start_with_one,
						stop_capture),
		TEST(test_guest_goes),
		cmocka_unit_test_setup_teardown(test_rotating, start_rotating,
						stop_capture),
	};

	return cmocka_run_group_tests(tests, begin_paths, end_paths);
}
