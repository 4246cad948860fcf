// SPDX-License-Identifier: GPL-2.0-only
/* What cannot be had of a capture is refused, by name; and the capture goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../xblktrace/tap.h"
#include "../../xblktrace/tap-request.h"
#include "tapped_capture.h"
#include "tapping.h"

static void expect(const char *request, size_t len, const char *word)
{
	int fd = connect_to();
	const char *line = ask(fd, request, len);

	if (strncmp(line, "error ", 6) || !strstr(line, word))
		fail_msg("\"%s\" does not say \"%s\"", line, word);
	close(fd);
}

static void expect_text(const char *request, const char *word)
{
	expect(request, strlen(request), word);
}

static void test_refused(void **state)
{
	static char huge[2 * TAP_REQUEST_MAX];
	int fds[TAP_MAX], i, fd;

	(void)state;
	for (i = 0; i < TAP_MAX; i++)
		fds[i] = begin_tap(TAP_3);
	expect_text(TAP_3, "try again when one has ended");
	close(fds[0]);
	usleep(300000);
	expect_text("tap 1\ndomain 9\n\n", "domain 9: is not traced");
	expect_text("tap 1\ndomain 9\n\n", "xblktrace -k");
	expect_text("tap 1\ndomain 3\ndomain web\n\n", "domain web: is not traced");
	expect_text("tap 1\ndomain 3\ndisk guest2:xvda\n\n",
		    "disk guest2:xvda: the capture");
	expect_text("tap 1\ndomain 3\ndisk xvdc\n\n", "disk xvdc: the capture");
	expect_text("tap 2\ndomain 3\n\n", "another version");
	expect_text("tap 1\n\n", "names no domain");
	expect_text("tap 1\ndomain\n\n", "has no value");
	expect_text("tap 1\nlevel 99\ndomain 3\n\n", "not a number from 1 to");
	expect_text("tap 1\nduration -1\ndomain 3\n\n", "not a number");
	expect_text("tap 1\nwish 3\n\n", "not known here");
	memset(huge, 'a', sizeof(huge));
	memcpy(huge, "tap 1\n", 6);
	expect(huge, TAP_REQUEST_MAX, "too long");
	/* What is no request is not answered. */
	fd = connect_to();
	assert_string_equal(ask(fd, "tap 1\0\n\n", 8), "");
	close(fd);
	fd = connect_to();
	assert_string_equal(ask(fd, huge + 6, sizeof(huge) - 6), "");
	close(fd);
	/* In pieces it is one all the same. */
	fd = connect_to();
	send(fd, TAP_3, 9, MSG_NOSIGNAL);
	usleep(50000);
	assert_int_equal(strncmp(ask_text(fd, &TAP_3[9]), "ok ", 3), 0);
	close(fd);
	for (i = 1; i < TAP_MAX; i++)
		close(fds[i]);
	end_capture();
	check_whole();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start_capture, stop_capture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_refused),
	};

	return cmocka_run_group_tests(tests, begin_paths, end_paths);
}
