// SPDX-License-Identifier: GPL-2.0-only
/*
 * A whole capture and its user's terminal: which is closed, or stopped, or on which the
 * user has had enough before anything was captured.
 */
#include <fcntl.h>

#include "lying_capture.h"
#include "msg.h"

/* A terminal that is closed ends it in good order, as Ctrl-C does. */
static void test_hangup(void **state)
{
	(void)state;
	end_signal = SIGHUP;
	run(counters, 0, NULL);
	end_signal = SIGINT;
}

/* What nohup has started goes on when its terminal is closed. */
static void test_nohup(void **state)
{
	struct content content;
	sigset_t hangup;

	(void)state;
	/* As it is for a program that begins: others here have blocked it. */
	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	sigprocmask(SIG_UNBLOCK, &hangup, NULL);
	signal(SIGHUP, SIG_IGN);
	end_signal = SIGHUP;
	duration_ns = 2000000000;
	run(counters, 0, NULL);
	duration_ns = 0;
	end_signal = SIGINT;
	signal(SIGHUP, SIG_DFL);
	content_of_file(&content, trace);
	assert_string_equal(content_reason(&content), "timeout");
	content_forget(&content);
}

/* A terminal that was stopped takes none of its messages. */
static int run_unheard(struct played *p)
{
	int fds[2], kept = dup(STDERR_FILENO), ret;
	char full[4096] = "";

	if (pipe2(fds, O_NONBLOCK))
		abort();
	while (write(fds[1], full, sizeof(full)) > 0)
		;
	fcntl(fds[1], F_SETFL, 0);
	dup2(fds[1], STDERR_FILENO);
	msg_set_patience(1000);
	ret = capture_run(&p->capture);
	msg_set_patience(-1);
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(fds[0]);
	close(fds[1]);
	return ret;
}

static void test_stopped_terminal(void **state)
{
	time_t began = time(NULL);

	(void)state;
	run_capture = run_unheard;
	lie = head_far;
	assert_int_equal(capture_two(), -1);
	run_capture = played_run;
	assert_in_range(time(NULL) - began, 0, 6);
	check_trace();
	assert_true(guests[1].failed);
	assert_int_equal(guest_records(&guests[0]), players[0].written);
	assert_int_equal(fake.mapped, 0);
}

/* No guest answers, and the user has had enough. */
static void silent(const char *path, const char *value)
{
	if (strstr(path, "/reader") && !strncmp(value, "connect", 7))
		kill(getpid(), SIGINT);
}

/* What an earlier capture has left stays, where there is none to take its place. */
static void test_interrupted_before(void **state)
{
	size_t len;
	char *text;
	FILE *f;

	(void)state;
	f = fopen(trace, "w");
	assert_non_null(f);
	fputs("an earlier trace", f);
	fclose(f);
	fake.written = silent;
	assert_int_equal(capture_two(), 0);
	played_check_said(&played, "nothing is kept");
	assert_null(strstr(played.said.text, trace));
	text = slurp(trace, &len);
	assert_int_equal(len, strlen("an earlier trace"));
	assert_memory_equal(text, "an earlier trace", len);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_interrupted_before),
		TEST(test_hangup),
		TEST(test_nohup),
		TEST(test_stopped_terminal),
	};

	return cmocka_run_group_tests(tests, captures_setup, captures_teardown);
}
