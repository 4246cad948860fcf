// SPDX-License-Identifier: GPL-2.0-only
/* The command line: what is taken, with which meaning, and what is refused. */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../xblktrace/actions.h"
#include "../../xblktrace/options.h"
#include "said.h"
#include "xblk/record.h"

static struct options opts;
static struct said out, err;

/* Parse a command line given as one string; what it says of it is in @err, or @out. */
static int parse(const char *line)
{
	static char copy[256];
	static char *argv[32];
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
	assert_int_equal(opts.max_size, 0);
	assert_int_equal(opts.nr_files, 0);
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
	assert_false(opts.no_merges);
	assert_int_equal(parse("-d 3 --no-merges"), -1);
	assert_true(opts.no_merges);
	options_free(&opts);
	assert_int_equal(parse("-d 3 --doorbell"), -1);
	assert_int_equal(opts.doorbell_percent, 25);
	options_free(&opts);
	assert_int_equal(parse("-d 3 --doorbell=100"), -1);
	assert_int_equal(opts.doorbell_percent, 100);
	options_free(&opts);
	assert_int_equal(parse("-d 3 --max-size 8M"), -1);
	assert_int_equal(opts.max_size, 8 << 20);
	assert_int_equal(opts.nr_files, 2);
	options_free(&opts);
	assert_int_equal(parse("-d 3 --files=1 --max-size=1G"), -1);
	assert_int_equal(opts.max_size, 1 << 30);
	assert_int_equal(opts.nr_files, 1);
	options_free(&opts);
}

static void test_lists(void **state)
{
	(void)state;
	assert_int_equal(parse("-d a,b,3 -d all -D xvda,xvdb --disk=3:xvdc"), -1);
	assert_int_equal(opts.nr_domains, 4);
	assert_string_equal(opts.domains[0], "a");
	assert_string_equal(opts.domains[1], "b");
	assert_string_equal(opts.domains[2], "3");
	assert_string_equal(opts.domains[3], "all");
	assert_int_equal(opts.nr_disks, 3);
	assert_string_equal(opts.disks[0], "xvda");
	assert_string_equal(opts.disks[1], "xvdb");
	assert_string_equal(opts.disks[2], "3:xvdc");
	/* The trace tells the command line as it was typed. */
	assert_string_equal(opts.argv[2], "a,b,3");
	options_free(&opts);
}

#define OPS(line, ops_are, names)                                     \
	do {                                                          \
		assert_int_equal(parse("-d 3 " line), -1);            \
		assert_int_equal(opts.ops, ops_are);                  \
		assert_string_equal(actions_text(opts.ops), (names)); \
		options_free(&opts);                                  \
	} while (0)

/* What blktrace takes, and means by it. */
static void test_actions(void **state)
{
	const unsigned int reads = 1 << XBLK_OP_READ, flushes = 1 << XBLK_OP_FLUSH;
	const unsigned int writes = 1 << XBLK_OP_WRITE | 1 << XBLK_OP_WRITE_ZEROES;
	const unsigned int discards = 1 << XBLK_OP_DISCARD | 1 << XBLK_OP_SECURE_DISCARD;

	(void)state;
	OPS("", 0, "");
	OPS("-a read", reads, "read");
	OPS("-a write,flush", writes | flushes, "write flush");
	OPS("-a flush -a read", reads | flushes, "read flush");
	OPS("--act-mask=WRITE", writes, "write");
	OPS("-a barrier", flushes, "flush");
	OPS("-a discard", discards, "discard");
	OPS("-A 2", writes, "write");
	OPS("-A 0x2005", reads | flushes | discards, "read flush discard");
	OPS("-A 2007", reads | writes | flushes | discards, "read write flush discard");
	/* -A sets what -a adds to. */
	OPS("-a read --set-mask=4", flushes, "flush");
	OPS("-A 4 -a read", reads | flushes, "read flush");
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
	/* A capture needs a domain; what is asked of one that runs does not. */
	assert_int_equal(parse("-h"), 0);
	options_free(&opts);
	assert_ptr_equal(strstr(out.text, "Usage: xblktrace -d DOMAIN"), out.text);
	assert_non_null(
		strstr(out.text, "\n       xblktrace --list[=json] | --status | -k\n"));
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
		"-d ,",
		"-d a,",
		"-d ,a",
		"-d a,,b",
		"-d 3 -D xvda,",
		"-d 3 -a",
		"-d 3 -a read,",
		"-d 3 -a reads",
		"-d 3 -a r",
		"-d 3 -a read,issue",
		"-d 3 -A",
		"-d 3 -A 0",
		"-d 3 -A g",
		"-d 3 -A -2",
		"-d 3 -A 2x",
		"-d 3 -A 10000",
		"-d 3 -A 100000000000000002",
		"-d 3 -A read",
		"-d 3 -A ffff",
		"-d 3 --no-merges=1",
		"-d 3 --output=",
		"-d 3 --overwrite=1",
		"-d 3 --doorbell=0",
		"-d 3 --doorbell=101",
		"-d 3 --doorbell 50",
		"-d 3 --doorbell --overwrite",
		"-d 3 --max-size 8191K",
		"-d 3 --max-size 10T",
		"-d 3 --max-size 10M --files 0",
		"-d 3 --max-size 10M --files 1001",
		"-d 3 --files 3",
		"-d 3 --max-size 10M --overwrite",
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (parse(lines[i]) != 2)
			fail_msg("not refused: %s", lines[i]);
		options_free(&opts);
	}
}

/* The limit is told that holds here: how many sub-buffers there may be -b decides. */
static void test_limits(void **state)
{
	static const struct {
		const char *line, *says;
	} wrong[] = {
		{"-d 3 -n 1", "-n 1: not a number from 2 to 1024 (with -b 256)"},
		{"-d 3 -n 300000",
		 "-n 300000: not a number from 2 to 1024 (with -b 256)"},
		{"-d 3 -n 99999999999999999999 -b 4",
		 "-n 99999999999999999999: not a number from 2 to 65536 (with -b 4)"},
		{"-d 3 -n four", "-n four: not a number from 2 to 1024 (with -b 256)"},
		{"-d 3 -b 3", "-b 3: not a number from 4 to 131072"},
		{"-d 3 -b 131073", "-b 131073: not a number from 4 to 131072"},
		{"-d 3 -b 300000", "-b 300000: not a number from 4 to 131072"},
		{"-d 3 -b 1024 -n 60000",
		 "-n 60000: not a number from 2 to 256 (with -b 1024)"},
		{"-d 3 -n 60000 -b 1024",
		 "-n 60000: not a number from 2 to 256 (with -b 1024)"},
		{"-d 3 -n 4096", "-n 4096: not a number from 2 to 1024 (with -b 256)"},
		{"-d 3 -b 131072",
		 "-b 131072: more than 262144 KiB for each CPU: with this -b, -n is 2 at "
		 "most, and 8 if not said"},
		{"-k -n 4", "no capture is begun with --list, --status or --kill"},
		{"-d a,,b", "-d a,,b: a name is missing"},
		{"-d 3 -a reads",
		 "-a reads: no such operation: choose by read, write, flush "
		 "or discard"},
		{"-d 3 -a read,issue",
		 "issue: all events of a request are kept: choose by read,"},
		{"-d 3 -a sync", "sync: a guest's request does not keep it on its way"},
		{"-d 3 -A 42", "-A 42: issue: all events of a request are kept"},
		{"-d 3 -A 0", "-A 0: not a hexadecimal sum of 1 (read), 2 (write)"},
		{"-d 3 -z0", "0: not a number from 1 to 19"},
		{"-d 3 --compress=20", "20: not a number from 1 to 19"},
		{"-d 3 --doorbell=0", "--doorbell=0: not a number from 1 to 100"},
		{"-d 3 --doorbell=101", "--doorbell=101: not a number from 1 to 100"},
		{"-d 3 --max-size 1M", "1M: not a size from 8M to 1048576G"},
		{"-d 3 --files 3", "--files: say how large each may get with --max-size"},
		{"-d 3 -w 0",
		 "-w 0: not a number of seconds from 0.000000001 to 1000000000"},
		{"-d 3 -w 1000000001", "seconds from 0.000000001 to 1000000000"},
		{"--status -k", "--list, --status and --kill: one at a time"},
		{"--list -k", "--list, --status and --kill: one at a time"},
		{"--status --list=json", "--list, --status and --kill: one at a time"},
		{"--list -d 3", "no capture is begun with --list, --status or --kill"},
		{"--list=csv", "--list=csv: not a format: only json is one"},
		{"--list=", "--list=: not a format: only json is one"},
		{"--status -d 3", "no capture is begun with --list, --status or --kill"},
		{"--status -o x", "no capture is begun with --list, --status or --kill"},
		{"-k -w 3", "no capture is begun with --list, --status or --kill"},
		{"-k -b 256", "no capture is begun with --list, --status or --kill"},
		{"-k -F", "no capture is begun with --list, --status or --kill"},
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(parse(wrong[i].line), 2);
		if (!strstr(err.text, wrong[i].says))
			fail_msg("%s: said: %s", wrong[i].line, err.text);
		options_free(&opts);
	}
	assert_int_equal(parse("--status -v"), -1);
	options_free(&opts);
	assert_int_equal(parse("-k -v"), -1);
	options_free(&opts);
	assert_int_equal(parse("--list -v"), -1);
	assert_true(opts.list);
	assert_false(opts.list_json);
	options_free(&opts);
	assert_int_equal(parse("--list=json"), -1);
	assert_true(opts.list && opts.list_json);
	options_free(&opts);
	assert_int_equal(parse("-d 3 -b 4 -n 65536"), -1);
	options_free(&opts);
	assert_int_equal(parse("-d 3 -b 131072 -n 2"), -1);
	options_free(&opts);
	assert_int_equal(parse("-d 3 -w 1000000000"), -1);
	options_free(&opts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all_options),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_help_and_version),
		cmocka_unit_test(test_wrong_usage),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
