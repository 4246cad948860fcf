// SPDX-License-Identifier: GPL-2.0-only
/* What ends a capture while it goes on in its next file: those before are whole. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "busy_day.h"
#include "recording_module.h"

/* While the control goes on in the third file. */
static bool third(void)
{
	return day.running->writer->nr_ended == 2;
}

static void end_it(void)
{
	if (third() && !day.running->reason)
		kill(getpid(), SIGTERM);
}

static void test_ended_meanwhile(void **state)
{
	(void)state;
	module.at_read_stats = end_it;
	assert_int_equal(capture_day(NR_FILES, 0), 0);
	assert_in_range(count_files(), 3, 4);
	for (unsigned int nr = count_files(); nr--;)
		verify_file(nr);
}

static void kill_it(void)
{
	if (third())
		kill(getpid(), SIGKILL);
}

/* Nothing ends what was under way, but what was ended is whole. */
static void test_killed_meanwhile(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid) {
		module.at_read_stats = kill_it;
		capture_day(NR_FILES, 0);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(count_files(), 3);
	verify_file(1);
	verify_file(2);
}

static void fill_disk(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = writer_bytes_out(day.running->writer);
	if (third())
		setrlimit(RLIMIT_FSIZE, &limit);
}

/* Neither index nor END has room. */
static void test_full_meanwhile(void **state)
{
	struct rlimit limit;

	(void)state;
	getrlimit(RLIMIT_FSIZE, &limit);
	module.at_read_stats = fill_disk;
	assert_int_equal(capture_day(NR_FILES, 0), -1);
	setrlimit(RLIMIT_FSIZE, &limit);
	played_check_said(&played, "File too large: the capture ends here");
	assert_int_equal(count_files(), 3);
	verify_file(1);
	verify_file(2);
}

static void move_away(void)
{
	char away[sizeof(day_dir) + 5];

	snprintf(away, sizeof(away), "%s.away", day_dir);
	if (third())
		rename(day_dir, away);
}

static void test_folder_gone(void **state)
{
	char away[sizeof(day_dir) + 5];

	(void)state;
	snprintf(away, sizeof(away), "%s.away", day_dir);
	module.at_read_stats = move_away;
	assert_int_equal(capture_day(NR_FILES, 0), -1);
	assert_int_equal(rename(away, day_dir), 0);
	played_check_said(&played, "No such file or directory: the capture ends here");
	assert_int_equal(count_files(), 3);
	for (unsigned int nr = 0; nr < 3; nr++)
		verify_file(nr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROTATION(test_ended_meanwhile),
		ROTATION(test_killed_meanwhile),
		ROTATION(test_full_meanwhile),
		ROTATION(test_folder_gone),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
