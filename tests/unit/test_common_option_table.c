// SPDX-License-Identifier: GPL-2.0-only
/* A table of options: what is taken from a command line, the usage, and what is refused. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <cmocka.h>

#include "option-table.h"
#include "said.h"

struct options {
	bool flag;
	const char *text, *level;
	int levels;
};

static const char *set_level(void *to, const char *arg)
{
	struct options *o = to;

	o->level = arg;
	if (++o->levels > 3)
		return "more than three";
	return arg && strcmp(arg, "9") ? "not 9" : NULL;
}

static const struct option_row rows[] = {
	{.help = "Some:"},
	{'f', "flag", NULL, "a flag", option_set_flag, offsetof(struct options, flag)},
	{'t', "text", "=TEXT", "a text\nin two lines", option_set_text,
	 offsetof(struct options, text)},
	{.help = "Others:"},
	{0, "level", "[=N]", "a level", set_level, 0},
	{'l', NULL, "[=N]", "the same", set_level, 0},
	{0, "must", " N", "likewise", set_level, 0},
	{'h', "help", NULL, "this", NULL, 0},
	{'V', "version", NULL, "that", NULL, 0},
	{0},
};

static const struct option_table table = {
	.before = "Usage: it\n",
	.after = "The end.\n",
	.version = "it 1.0",
	.column = 20,
	.rows = rows,
};

static struct options opts;
static struct said out, err;

/* One that is given as a string; what it says is in @out and @err then. */
static int take(const char *line)
{
	static char name[] = "it", copy[256];
	char *argv[16] = {name}, *rest = copy;
	int argc = 1, status;

	memset(&opts, 0, sizeof(opts));
	program_invocation_short_name = name;
	strcpy(copy, line);
	while (rest)
		argv[argc++] = strsep(&rest, " ");
	optind = 0; /* getopt_long() begins anew */
	said_begin(&out, STDOUT_FILENO);
	said_begin(&err, STDERR_FILENO);
	status = option_table_read(&table, argc, argv, &opts);
	said_end(&err);
	said_end(&out);
	return status;
}

static void test_taken(void **state)
{
	(void)state;
	assert_int_equal(take("-f -t x --level a b"), -1);
	assert_true(opts.flag);
	assert_string_equal(opts.text, "x");
	assert_int_equal(opts.levels, 1);
	assert_null(opts.level);
	/* "a" was no argument of --level. */
	assert_int_equal(optind, 5);

	assert_int_equal(take("--flag --text=y --level=9"), -1);
	assert_true(opts.flag);
	assert_string_equal(opts.text, "y");
	assert_string_equal(opts.level, "9");

	assert_int_equal(take("a --text y -l9 -l --must 9 -- -f"), -1);
	assert_false(opts.flag);
	assert_string_equal(opts.text, "y");
	assert_int_equal(opts.levels, 3);
	assert_string_equal(opts.level, "9");
	assert_string_equal(err.text, "");
	assert_string_equal(out.text, "");
}

static void test_usage(void **state)
{
	(void)state;
	assert_int_equal(take("--help"), 0);
	assert_string_equal(out.text, "Usage: it\n"
				      "Some:\n"
				      "  -f, --flag        a flag\n"
				      "  -t, --text=TEXT   a text\n"
				      "                    in two lines\n"
				      "Others:\n"
				      "      --level[=N]   a level\n"
				      "  -l[=N]            the same\n"
				      "      --must N      likewise\n"
				      "  -h, --help        this\n"
				      "  -V, --version     that\n"
				      "The end.\n");
	/* The rest is not looked at. */
	assert_int_equal(take("-hx"), 0);
	assert_int_equal(take("-f -V -x"), 0);
	assert_string_equal(out.text, "it 1.0\n");
	assert_string_equal(err.text, "");
}

/* Nobody has seen it then. */
static void test_full_output(void **state)
{
	int full = open("/dev/full", O_WRONLY), before = dup(STDOUT_FILENO), status;
	char *argv[] = {"it", "--help", NULL};

	(void)state;
	said_begin(&err, STDERR_FILENO);
	dup2(full, STDOUT_FILENO);
	optind = 0;
	status = option_table_read(&table, 2, argv, &opts);
	__fpurge(stdout);
	clearerr(stdout);
	dup2(before, STDOUT_FILENO);
	said_end(&err);
	close(before);
	close(full);
	assert_int_equal(status, 1);
	assert_string_equal(err.text, "it: standard output: No space left on device\n");
}

static void test_refused(void **state)
{
	static const struct {
		const char *line, *says;
	} bad[] = {
		{"-x", "no such option, or not with an argument: -x"},
		{"-fx", "no such option, or not with an argument: -x"},
		{"--flag -xf", "no such option, or not with an argument: -x"},
		{"--flag --text", "--text needs an argument"},
		{"--none", "no such option, or not with an argument: --none"},
		{"--flag=1", "no such option, or not with an argument: --flag=1"},
		{"--ve\033[2J", "no such option, or not with an argument: --ve?[2J"},
		{"-t", "-t needs an argument"},
		{"--text", "--text needs an argument"},
		{"--must", "--must needs an argument"},
		{"-l8", "-l8: not 9"},
		{"--level=8", "--level=8: not 9"},
		{"--must 8\n", "--must=8?: not 9"},
		{"--level --level --level --level", "--level: more than three"},
		{"-l -l -l -l", "-l: more than three"},
	};
	char line[256];
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(take(bad[i].line), 2);
		snprintf(line, sizeof(line), "it: usage: %s; see it --help\n",
			 bad[i].says);
		assert_string_equal(err.text, line);
		assert_string_equal(out.text, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_full_output),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
