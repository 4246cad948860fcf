// SPDX-License-Identifier: GPL-2.0-only
/* A tap that does not read, or is gone: it costs nobody else anything. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../xblktrace/tap.h"
#include "tapped_capture.h"
#include "tapping.h"

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* It loses, which is told and counted, and the capture does not. */
static void test_slow(void **state)
{
	struct bytes b = {0};
	struct content tap;
	int fd = begin_tap(TAP_3);
	const char *lost;

	(void)state;
	wait_for_bytes(paths.trace, (TAP_BLOCKS + 8) << 21);
	lost = strstr(strstr(status(), " taps since "), "records, ");
	assert_false(strncmp(lost, "records, 0 lost", 15) == 0);
	read_on(fd, &b, (TAP_BLOCKS + 4) << 20);
	shutdown(fd, SHUT_WR);
	read_out(fd, &b, &tap, true);
	end_capture();
	check_tap(&tap, 3);
	assert_in_range(content_counter(&tap, 3, "lost"), 1, UINT64_MAX);
	assert_in_range(content_counter(&tap, 0, "lost"), 1, UINT64_MAX);
	check_whole();
	content_forget(&tap);
}

/* Nor does one that never reads keep it from ending. */
static void test_stalled(void **state)
{
	int fd = begin_tap(TAP_3), other = begin_tap(TAP_4);
	double began;

	(void)state;
	wait_for_bytes(paths.trace, (TAP_BLOCKS + 4) << 21);
	began = seconds();
	end_capture();
	assert_true(seconds() - began < 2.5);
	check_whole();
	close(fd);
	close(other);
}

/* Who asked is killed, or wants to end and does not read. */
static void test_gone(void **state)
{
	struct bytes b = {0};
	int fd, i;

	(void)state;
	for (i = 0; i < 2 * TAP_MAX; i++) {
		fd = begin_tap(TAP_3);
		read_on(fd, &b, 100000);
		close(fd);
		wait_without_taps();
	}
	end_capture();
	check_whole();
	free(b.data);
}

static double cpu_of(pthread_t thread)
{
	struct timespec ts;
	clockid_t id;

	assert_int_equal(pthread_getcpuclockid(thread, &id), 0);
	assert_int_equal(clock_gettime(id, &ts), 0);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* It has ended, its peer does not read, and has nothing more to say: no reason to look. */
static void test_silent_peer(void **state)
{
	int fd = begin_tap("tap 1\nduration 200000000\ndomain all\n\n");
	double before;

	(void)state;
	wait_for_bytes(paths.trace, 1 << 20);
	sleep(1);
	shutdown(fd, SHUT_WR);
	before = cpu_of(capture_thread);
	sleep(1);
	assert_true(cpu_of(capture_thread) - before < 0.1);
	close(fd);
	end_capture();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start_capture, stop_capture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_slow),
		TEST(test_stalled),
		TEST(test_gone),
		TEST(test_silent_peer),
	};

	return cmocka_run_group_tests(tests, begin_paths, end_paths);
}
