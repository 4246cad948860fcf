// SPDX-License-Identifier: GPL-2.0-only
/* Messages: whose they are, what is left of what they are given, and when there are none.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <fcntl.h>
#include <termios.h>
#include <time.h>

#include "msg.h"
#include "said.h"

static struct said said;
static char program[] = "a program";

static int setup(void **state)
{
	(void)state;
	program_invocation_short_name = program;
	return 0;
}

static void test_a_line_each(void **state)
{
	(void)state;
	said_begin(&said, STDERR_FILENO);
	assert_int_equal(msg_error("%s: %d", "what", 3), -1);
	msg_say("more");
	assert_string_equal(said_end(&said), "a program: what: 3\na program: more\n");
}

static void test_nothing_for_a_terminal(void **state)
{
	static char hostile[] = "\033]0;x\a";

	(void)state;
	program_invocation_short_name = hostile;
	said_begin(&said, STDERR_FILENO);
	msg_say("a\nb\r\033[2J%s\x9b\x7f", "\x01");
	assert_string_equal(said_end(&said), "?]0;x?: a?b??[2J???\n");
}

/* The line ends where there is no more room, and still is a line. */
static void test_long(void **state)
{
	static char name[3000], text[6000];
	const char *line;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	memset(text, 't', sizeof(text) - 1);
	program_invocation_short_name = name;
	said_begin(&said, STDERR_FILENO);
	msg_say("%s", text);
	line = said_end(&said);
	assert_true(strlen(line) > 4000 && strlen(line) < 6000);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_non_null(strstr(line, "n: ttt"));
}

static void test_verbose(void **state)
{
	(void)state;
	said_begin(&said, STDERR_FILENO);
	msg_verbose("not asked for");
	msg_set_verbose(true);
	msg_verbose("asked for");
	msg_set_verbose(false);
	assert_string_equal(said_end(&said), "a program: asked for\n");
}

static void test_silent(void **state)
{
	(void)state;
	said_begin(&said, STDERR_FILENO);
	msg_silent = true;
	msg_say("what is tried");
	assert_int_equal(msg_error("what fails"), -1);
	msg_silent = false;
	assert_string_equal(said_end(&said), "");
}

/* A message takes the place of the line that shows how far it is; no terminal, no line. */
static void test_progress(void **state)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY), slave, saved;
	static const char expected[] = "\r\033[K50 %?"
				       "\r\033[Ka program: half\r\na program: of it\r\n"
				       "\r\033[K99 %\r\033[K";
	char text[256];
	ssize_t got;
	size_t n;

	(void)state;
	said_begin(&said, STDERR_FILENO);
	msg_progress("no terminal");
	msg_progress_end();
	assert_string_equal(said_end(&said), "");

	assert_true(terminal >= 0 && !grantpt(terminal) && !unlockpt(terminal));
	slave = open(ptsname(terminal), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	saved = dup(STDERR_FILENO);
	dup2(slave, STDERR_FILENO);
	msg_progress("50 %%\n");
	msg_say("half");
	msg_say("of it");
	msg_progress("99 %%");
	msg_progress_end();
	msg_progress_end();
	dup2(saved, STDERR_FILENO);
	close(saved);
	/* It comes through the kernel's queue, and so perhaps in parts. */
	for (n = 0; n < strlen(expected); n += got) {
		got = read(terminal, text + n, sizeof(text) - 1 - n);
		assert_true(got > 0);
	}
	text[n] = '\0';
	assert_string_equal(text, expected);
	close(slave);
	close(terminal);
}

/* Stopped by Ctrl-S, a terminal holds nobody up for longer than is wished. */
static void test_stopped_terminal(void **state)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY), slave, saved;
	char text[512] = "";
	time_t began = time(NULL);
	size_t n = 0;
	int i;

	(void)state;
	assert_true(terminal >= 0 && !grantpt(terminal) && !unlockpt(terminal));
	slave = open(ptsname(terminal), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	saved = dup(STDERR_FILENO);
	dup2(slave, STDERR_FILENO);
	msg_set_patience(200);
	tcflow(slave, TCOOFF);
	for (i = 0; i < 100; i++)
		msg_say("not to be seen");
	msg_progress("nor this");
	tcflow(slave, TCOON);
	msg_say("seen");
	msg_set_patience(-1);
	dup2(saved, STDERR_FILENO);
	close(saved);
	assert_in_range(time(NULL) - began, 0, 10);
	while (!strstr(text, "seen\r\n")) {
		ssize_t got = read(terminal, text + n, sizeof(text) - 1 - n);

		assert_true(got > 0);
		n += got;
	}
	assert_string_equal(text, "a program: messages that could not be shown: 100\r\n"
				  "a program: seen\r\n");
	close(slave);
	close(terminal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_line_each, setup),
		cmocka_unit_test_setup(test_nothing_for_a_terminal, setup),
		cmocka_unit_test_setup(test_long, setup),
		cmocka_unit_test_setup(test_verbose, setup),
		cmocka_unit_test_setup(test_silent, setup),
		cmocka_unit_test_setup(test_progress, setup),
		cmocka_unit_test_setup(test_stopped_terminal, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
