// SPDX-License-Identifier: GPL-2.0-only
/* The command line: what is taken, with which meaning, and what is refused. */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../xblktrace/options.h"
#include "said.h"

static struct options opts;
static struct said err;

/* Parse a command line given as one string; what it says of it is in @err. */
static int parse(const char *line)
{
	static char copy[256];
	static char *argv[32];
	static struct said out;
	int argc = 0, status;
	char *rest = copy, *word;

	strcpy(copy, line);
	argv[argc++] = "xblktrace";
	while ((word = strsep(&rest, " ")))
		if (*word)
			argv[argc++] = word;
	argv[argc] = NULL;
	optind = 0; /* getopt_long() begins anew */

	said_begin(&out, STDOUT_FILENO);
	said_begin(&err, STDERR_FILENO);
	status = options_parse(&opts, argc, argv);
	said_end(&err);
	said_end(&out);
	return status;
}

static void test_defaults(void **state)
{
	(void)state;
	assert_int_equal(parse("-d 3"), -1);
	assert_int_equal(opts.nr_domains, 1);
	assert_string_equal(opts.domains[0], "3");
	assert_int_equal(opts.nr_disks, 0);
	assert_null(opts.output);
	assert_int_equal(opts.duration_ns, 0);
	assert_int_equal(opts.subbuf_kib, 256);
	assert_int_equal(opts.nr_subbufs, 8);
	assert_false(opts.sized);
	assert_int_equal(opts.compress_level, 0);
	assert_false(opts.follow);
	assert_false(opts.overwrite);
	assert_int_equal(opts.doorbell_percent, 0);
	assert_false(opts.verbose);
	options_free(&opts);
}

static void test_all_options(void **state)
{
	(void)state;
	assert_int_equal(parse("-d a -D xvda -d b -D 3:xvdb -o - -w 2.5 -b 64 -n 4 -v"),
			 -1);
	assert_int_equal(opts.nr_domains, 2);
	assert_string_equal(opts.domains[1], "b");
	assert_int_equal(opts.nr_disks, 2);
	assert_string_equal(opts.disks[1], "3:xvdb");
	assert_string_equal(opts.output, "-");
	assert_true(opts.duration_ns == 2500000000ull);
	assert_int_equal(opts.subbuf_kib, 64);
	assert_int_equal(opts.nr_subbufs, 4);
	assert_true(opts.sized);
	assert_true(opts.verbose);
	options_free(&opts);

	assert_int_equal(parse("--domain=all --disk=xvda --output=x --stopwatch=1 "
			       "--buffer-size=64 --num-sub-buffers=4 --verbose"),
			 -1);
	assert_string_equal(opts.domains[0], "all");
	assert_true(opts.duration_ns == 1000000000ull);
	options_free(&opts);

	assert_int_equal(parse("-z -d 3"), -1);
	assert_int_equal(opts.compress_level, 1);
	assert_string_equal(opts.domains[0], "3");
	options_free(&opts);
	assert_int_equal(parse("-d 3 -z9"), -1);
	assert_int_equal(opts.compress_level, 9);
	options_free(&opts);
	assert_int_equal(parse("-d 3 --compress=19"), -1);
	assert_int_equal(opts.compress_level, 19);
	options_free(&opts);

	assert_int_equal(parse("-d 3 --overwrite"), -1);
	assert_true(opts.overwrite);
	options_free(&opts);
	assert_int_equal(parse("-d 3 --doorbell"), -1);
	assert_int_equal(opts.doorbell_percent, 25);
	options_free(&opts);
	assert_int_equal(parse("-d 3 --doorbell=100"), -1);
	assert_int_equal(opts.doorbell_percent, 100);
	options_free(&opts);
}

static void test_help_and_version(void **state)
{
	static const char *const lines[] = {"-h", "--help", "-V", "--version", "-d 3 -h"};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(parse(lines[i]), 0);
		options_free(&opts);
	}
}

static void test_wrong_usage(void **state)
{
	static const char *const lines[] = {
		"",
		"-w 3",
		"-d",
		"-d 3 stray",
		"-d 3 -x",
		"-d 3 --no-such",
		"-d 3 -w 0",
		"-d 3 -w -1",
		"-d 3 -w 1s",
		"-d 3 -w nan",
		"-d 3 -w inf",
		"-d 3 -w 0x10",
		"-d 3 -w 1e3",
		"-d 3 -w 1.2.3",
		"-d 3 -w .",
		"-d 3 -w 99999999999",
		"-d 3 -b 3",
		"-d 3 -b -64",
		"-d 3 -b 64k",
		"-d 3 -b 4294967360",
		"-d 3 -n 1",
		"-d 3 -n 0",
		"-d 3 -n four",
		"-d 3 -b 65536 -n 5",
		"-d 3 -b 262144 -n 262144",
		"-d 3 --output=",
		"-d 3 --overwrite=1",
		"-d 3 --doorbell=0",
		"-d 3 --doorbell=101",
		"-d 3 --doorbell 50",
		"-d 3 --doorbell --overwrite",
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (parse(lines[i]) != 2)
			fail_msg("not refused: %s", lines[i]);
		options_free(&opts);
	}
}

/* Whichever limit was passed, both are told. */
static void test_limits(void **state)
{
	static const struct {
		const char *line, *says;
	} wrong[] = {
		{"-d 3 -n 1", "-n 1: not a number from 2 to 262144"},
		{"-d 3 -n 300000", "-n 300000: not a number from 2 to 262144"},
		{"-d 3 -b 3", "-b 3: not a number from 4 to 262144"},
		{"-d 3 -b 262145", "-b 262145: not a number from 4 to 262144"},
		{"-d 3 -z0", "0: not a number from 1 to 19"},
		{"-d 3 --compress=20", "20: not a number from 1 to 19"},
		{"-d 3 --doorbell=0", "--doorbell=0: not a number from 1 to 100"},
		{"-d 3 --doorbell=101", "--doorbell=101: not a number from 1 to 100"},
		{"-d 3 -w 0",
		 "-w 0: not a number of seconds from 0.000000001 to 1000000000"},
		{"-d 3 -w 1000000001", "seconds from 0.000000001 to 1000000000"},
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(parse(wrong[i].line), 2);
		if (!strstr(err.text, wrong[i].says))
			fail_msg("%s: said: %s", wrong[i].line, err.text);
		options_free(&opts);
	}
	assert_int_equal(parse("-d 3 -b 4 -n 65536"), -1);
	options_free(&opts);
	assert_int_equal(parse("-d 3 -b 262144 -n 2"), 2);
	options_free(&opts);
	assert_int_equal(parse("-d 3 -w 1000000000"), -1);
	options_free(&opts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all_options),
		cmocka_unit_test(test_help_and_version),
		cmocka_unit_test(test_wrong_usage),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
