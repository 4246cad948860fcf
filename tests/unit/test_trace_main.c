// SPDX-License-Identifier: GPL-2.0-only
/* What the program itself says of its output before a capture begins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

int program(int argc, char **argv);

#define main program
#include "../../xblktrace/main.c"
#undef main

#include <sys/stat.h>

#include "said.h"

static char dir[] = "/tmp/test_trace_main.XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* With --max-size.  Return: whether it may be; what is said is in @said. */
static bool rotates(const char *output, struct said *said)
{
	struct run run = {
		.opts = {.output = output, .max_size = 8 << 20, .nr_files = 2},
		.writer = {.out = {.fd = -1}},
	};
	int ret;

	said_begin(said, STDERR_FILENO);
	ret = open_output(&run);
	said_end(said);
	writer_close(&run.writer);
	return !ret;
}

static void refuse(const char *output)
{
	struct said said;
	char says[256];

	assert_false(rotates(output, &said));
	snprintf(says, sizeof(says),
		 "%s: --max-size is not for a pipe, a device, standard output or what is "
		 "reached through a link: name a file\n",
		 output);
	if (!strstr(said.text, says))
		fail_msg("said: %s", said.text);
}

static void test_max_size(void **state)
{
	struct said said;

	(void)state;
	assert_true(rotates(in_dir("trace"), &said));
	assert_string_equal(said.text, "");
	refuse("/dev/null");
	assert_int_equal(symlink("/dev/null", in_dir("link")), 0);
	refuse(in_dir("link"));
	unlink(in_dir("link"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_max_size),
	};
	int ret;

	if (!mkdtemp(dir))
		return 1;
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return ret;
}
