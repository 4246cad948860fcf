// SPDX-License-Identifier: GPL-2.0-only
/* The command line: what is refused says both limits; what is taken has its meaning. */
#include <getopt.h>
#include <stdlib.h>

#include "options.h"
#include "said.h"
#include "test_parse_util.h"

static struct said err;

/* A command line given as one string; what it says of it is in @err. */
static int parse(struct options *o, const char *line)
{
	static char copy[2048];
	char *argv[80] = {"xblkparse"}, *rest = copy;
	int argc = 1, status;

	memset(o, 0, sizeof(*o));
	strcpy(copy, line);
	while (rest)
		argv[argc++] = strsep(&rest, " ");
	optind = 0; /* getopt_long() begins anew */
	said_begin(&err, STDERR_FILENO);
	status = options_parse(o, argc, argv);
	said_end(&err);
	options_deinit(o);
	return status;
}

static void limits(void **ctx)
{
	static const struct {
		const char *line, *says;
	} wrong[] = {
		{"--top 0", "not a number from 1 to 100000"},
		{"--top 100001", "not a number from 1 to 100000"},
		{"-i 0.009", "not a number of seconds from 0.01 to 1000000000"},
		{"-i 1000000001", "not a number of seconds from 0.01 to 1000000000"},
		{"-d 65536", "not a number from 0 to 65535"},
		{"-p 4294967296", "not a number from 0 to 4294967295"},
		{"--sectors 9-8", "not a number from 9 to 18446744073709551615"},
		{"-w 3:3", "not a number of seconds from 3.000000001 to 1000000000"},
		{"-w :1000000001",
		 "not a number of seconds from 0.000000001 to 1000000000"},
		{"--min-latency 1000000001s", "not a time from 0 to 1000000000s"},
	};
	struct options o;
	size_t i;

	(void)ctx;
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(parse(&o, wrong[i].line), 2);
		if (!strstr(err.text, wrong[i].says))
			fail_msg("%s: said: %s", wrong[i].line, err.text);
	}
}

static void meaning(void **ctx)
{
	struct options o;

	(void)ctx;
	assert_int_equal(parse(&o, "--top 100000 -i 0.01 -d 65535 trace"), -1);
	assert_int_equal(o.top, 100000);
	assert_true(o.report.slowest && o.filter.guests.nr == 1);
	assert_int_equal(o.interval_ns, 10000000);
	assert_null(o.filter.guests.of[0].name);
	assert_int_equal(o.filter.guests.of[0].number, 65535);
	assert_string_equal(o.input, "trace");
	assert_int_equal(parse(&o, "-p 4294967295 -w 1.5: --sectors 5- --min-latency 2"),
			 -1);
	assert_int_equal(o.filter.processes.nr, 1);
	assert_null(o.filter.processes.of[0].name);
	assert_int_equal(o.filter.processes.of[0].number, UINT32_MAX);
	assert_true(o.filter.from_ns == 1500000000 && o.filter.to_ns == UINT64_MAX);
	assert_true(o.filter.first_sector == 5 && o.filter.last_sector == UINT64_MAX);
	assert_int_equal(o.filter.min_latency_ns, 2000);
	assert_int_equal(parse(&o, "-p 7zip -w : --sectors 5"), -1);
	assert_string_equal(o.filter.processes.of[0].name, "7zip");
	assert_true(!o.filter.from_ns && o.filter.to_ns == UINT64_MAX);
	assert_true(o.filter.first_sector == 5 && o.filter.last_sector == 5);
}

/* The same option again adds to what it chooses. */
static void several(void **ctx)
{
	static char line[2048];
	struct options o;

	(void)ctx;
	assert_int_equal(parse(&o, "-d 3 -d guest1 -D xvda -D sdb -p 500 -p dd"), -1);
	assert_int_equal(o.filter.guests.nr, 2);
	assert_int_equal(o.filter.guests.of[0].number, 3);
	assert_string_equal(o.filter.guests.of[1].name, "guest1");
	assert_int_equal(o.filter.disks.nr, 2);
	assert_string_equal(o.filter.disks.of[1].name, "sdb");
	assert_int_equal(o.filter.processes.nr, 2);
	assert_int_equal(o.filter.processes.of[0].number, 500);
	assert_string_equal(o.filter.processes.of[1].name, "dd");
	for (unsigned int i = 0; i < FILTER_LIST_MAX; i++)
		strcat(line, "-d3 ");
	strcat(line, "-d4");
	assert_int_equal(parse(&o, line), 2);
	assert_non_null(strstr(err.text, "more than 64"));
}

static void says(const char *line, const char *want)
{
	struct options o;

	assert_int_equal(parse(&o, line), 2);
	if (!strstr(err.text, want))
		fail_msg("%s: said: %s", line, err.text);
	assert_ptr_equal(strchr(err.text, '\n'), err.text + strlen(err.text) - 1);
}

/* What has one value is not given another one, nor the same again. */
static void once(void **ctx)
{
	struct options o;

	(void)ctx;
	says("--sectors 8 --sectors 8-15", "--sectors=8-15: there is one already");
	says("-w 1: -w :2", "-w :2: there is one already");
	says("-w : --time :", "-w :: there is one already");
	says("--min-latency 1ms --min-latency 0",
	     "--min-latency=0: there is one already");
	says("--min-latency 0 --min-latency 1ms",
	     "--min-latency=1ms: there is one already");
	says("--top 5 --top 6", "--top=6: there is one already");
	says("-i 1 --interval 2", "-i 2: there is one already");
	says("--events -f %a -f %S", "-f %S: there is one already");
	says("-o a -o b", "-o b: there is one already");
	says("--by op --by none", "--by=none: there is one already");
	assert_int_equal(parse(&o, "--op read --op write --color never --color auto"),
			 -1);
	assert_int_equal(o.filter.ops, 3);
}

/* What has a file of its own, and what takes the place of the tables. */
static void formats(void **ctx)
{
	static const char *const wrong[] = {
		"--csv --json",
		"--json --csv=-",
		"--json -i 1",
		"--csv --events",
		"--requests --json",
		"--verify --csv",
		"--verify --csv=a --op read",
		"--verify -w 1 -J a",
		"--json=a -J b",
		"--csv --csv=a",
		"--requests --events",
		"--requests --csv --events",
		"--requests --csv=- -i 1",
		"--requests --csv=a --events --verify",
		"--requests --csv=a --events --json",
		"--requests --csv=a --verify --op read",
	};
	struct options o;

	(void)ctx;
	assert_int_equal(parse(&o, "-J - -o - -"), -1);
	assert_true(option_to_main(&o.json) && !o.output && !o.input);
	assert_int_equal(parse(&o, "--csv=a --json=b -o c d"), -1);
	assert_string_equal(o.csv.file, "a");
	assert_string_equal(o.json.file, "b");
	assert_string_equal(o.output, "c");
	assert_string_equal(o.input, "d");
	assert_int_equal(parse(&o, "--requests --csv=a --json"), -1);
	assert_int_equal(parse(&o, "--verify --csv=a -J b"), -1);
	assert_int_equal(parse(&o, "--verify --csv=a -d 3"), -1);
	assert_int_equal(parse(&o, "--verify -w 1"), -1);
	assert_int_equal(parse(&o, "--csv -J b"), -1);
	assert_int_equal(parse(&o, "--requests --csv=a --events"), -1);
	assert_int_equal(parse(&o, "--requests --csv=a -i 1 -J b"), -1);
	assert_int_equal(parse(&o, "--requests --csv=a --verify"), -1);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(parse(&o, wrong[i]), 2);
	says("-J a --json", "usage: --json: there is one already");
	says("--csv= trace", "--csv=: no file name");
	says("--json= trace", "--json=: no file name");
	says("--output= trace", "-o : no file name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits),  cmocka_unit_test(meaning),
		cmocka_unit_test(several), cmocka_unit_test(formats),
		cmocka_unit_test(once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
