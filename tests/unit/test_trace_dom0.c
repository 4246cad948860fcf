// SPDX-License-Identifier: GPL-2.0-only
/*
 * What xblktrace tells the module xblk-dom0, and how it takes what the module says of
 * itself: thousands of guests and disks, in lines that the module takes; a module of
 * another version.  The module is files in a folder made for the test, and what is
 * written to its device is kept.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static ssize_t take_command(int fd, const void *text, size_t len);

#define XBLK_DOM0_DIR	 "dir"
#define XBLK_DOM0_DEVICE "device"
#define write		 take_command
#include "../../xblktrace/dom0.c"
#undef write

#include "said.h"

#define MANY 4096

static char folder[] = "/tmp/test_trace_dom0.XXXXXX";
static struct dom0 dom0;
static unsigned int nr_lines, nr_domids, nr_disks, last_domid, last_minor;
static char last_line[XBLK_CONTROL_MAX_LINE + 1];
static bool older_module; /* which knows no operations */
static unsigned int stop_takes_us;
static int stop_fails;

static void take_items(char *arg)
{
	char *items = arg, *item;
	const char *key = strsep(&items, "=");
	unsigned long long seq;
	unsigned int major;

	assert_non_null(items);
	while ((item = strsep(&items, ","))) {
		if (!strcmp(key, "domids")) {
			assert_int_equal(sscanf(item, "%u", &last_domid), 1);
			nr_domids++;
			continue;
		}
		assert_string_equal(key, "disks");
		assert_int_equal(sscanf(item, "%u:%u@%llu", &major, &last_minor, &seq),
				 3);
		assert_int_equal(seq, last_minor + 1000);
		nr_disks++;
	}
}

static ssize_t take_command(int fd, const void *text, size_t len)
{
	char copy[XBLK_CONTROL_MAX_LINE + 1], *args = copy, *arg;

	(void)fd;
	assert_in_range(len, 1, XBLK_CONTROL_MAX_LINE);
	snprintf(copy, sizeof(copy), "%.*s", (int)len, (const char *)text);
	strcpy(last_line, copy);
	nr_lines++;
	if (!strcmp(copy, "stop"))
		usleep(stop_takes_us);
	if (!strcmp(copy, "stop") && stop_fails) {
		errno = stop_fails;
		return -1;
	}
	if (older_module && (strstr(copy, "ops=") || strstr(copy, "merges="))) {
		errno = EINVAL;
		return -1;
	}
	if (!strcmp(strsep(&args, " "), "add"))
		while ((arg = strsep(&args, " ")))
			take_items(arg);
	return len;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int open_with_stats(const char *stats)
{
	put("dir/stats", stats);
	return dom0_open(&dom0);
}

static void test_many(void **state)
{
	static struct backing entries[MANY];
	static struct domain domains[MANY];
	struct backing_table backing = {.entries = entries, .nr = MANY};
	struct options opts = {.subbuf_kib = 256, .nr_subbufs = 8};
	unsigned int i;

	(void)state;
	for (i = 0; i < MANY; i++) {
		domains[i].domid = 28000 + i;
		entries[i] = (struct backing){
			.major = 4095,
			.minor = 1000000 + i,
			.diskseq = 1001000 + i,
		};
	}
	put("dir/trace0", "");
	assert_int_equal(open_with_stats("version 1\n"), 0);
	assert_int_equal(dom0_start(&dom0, 0, &opts, &backing, domains, MANY), 0);
	assert_int_equal(nr_domids, MANY);
	assert_int_equal(last_domid, 28000 + MANY - 1);
	assert_int_equal(nr_disks, MANY);
	assert_int_equal(last_minor, 1000000 + MANY - 1);
	assert_in_range(nr_lines, 20, 40);
	assert_string_equal(last_line,
			    "start version=1 subbuf_kb=256 nr_subbufs=8 mode=discard");

	/* One more of each; then nothing, which is no command. */
	nr_lines = 0;
	assert_int_equal(dom0_add(&dom0, &backing, MANY - 1, domains, 1), 0);
	assert_string_equal(last_line, "add domids=28000 disks=4095:1004095@1005095");
	assert_int_equal(dom0_add(&dom0, &backing, MANY, domains, 0), 0);
	assert_int_equal(nr_lines, 1);
}

/* What is to be recorded is said when there is a choice: an older module refuses it. */
static void test_operations(void **state)
{
	struct options opts = {
		.subbuf_kib = 256,
		.nr_subbufs = 8,
		.ops = XBLK_OP_BIT(WRITE) | XBLK_OP_BIT(WRITE_ZEROES),
	};
	struct backing_table backing = {.nr = 0};
	struct said err;

	(void)state;
	put("dir/trace0", "");
	assert_int_equal(open_with_stats("version 1\n"), 0);
	assert_int_equal(dom0_start(&dom0, 0, &opts, &backing, NULL, 0), 0);
	assert_string_equal(last_line, "start version=1 subbuf_kb=256 nr_subbufs=8 "
				       "mode=discard ops=34");
	dom0_close(&dom0);

	assert_int_equal(open_with_stats("version 1\n"), 0);
	older_module = true;
	said_begin(&err, STDERR_FILENO);
	assert_int_equal(dom0_start(&dom0, 0, &opts, &backing, NULL, 0), -1);
	said_end(&err);
	older_module = false;
	assert_non_null(strstr(err.text, "xblk-dom0 that is loaded is older than this"));
}

/* That merges are not wanted is said likewise: an older module records them then. */
static void test_merges(void **state)
{
	struct options opts = {.subbuf_kib = 256, .nr_subbufs = 8, .no_merges = true};
	struct backing_table backing = {.nr = 0};
	struct said err;

	(void)state;
	put("dir/trace0", "");
	assert_int_equal(open_with_stats("version 1\n"), 0);
	assert_int_equal(dom0_start(&dom0, 0, &opts, &backing, NULL, 0), 0);
	assert_string_equal(last_line, "start version=1 subbuf_kb=256 nr_subbufs=8 "
				       "mode=discard merges=0");
	assert_true(dom0.no_merges);
	dom0_close(&dom0);

	assert_int_equal(open_with_stats("version 1\n"), 0);
	older_module = true;
	said_begin(&err, STDERR_FILENO);
	assert_int_equal(dom0_start(&dom0, 0, &opts, &backing, NULL, 0), 0);
	said_end(&err);
	assert_string_equal(last_line,
			    "start version=1 subbuf_kb=256 nr_subbufs=8 mode=discard");
	assert_false(dom0.no_merges);
	assert_non_null(strstr(err.text, "an older one, which records merges"));
	dom0_close(&dom0);

	/* Of operations it knows nothing either. */
	opts.ops = XBLK_OP_BIT(WRITE);
	assert_int_equal(open_with_stats("version 1\n"), 0);
	said_begin(&err, STDERR_FILENO);
	assert_int_equal(dom0_start(&dom0, 0, &opts, &backing, NULL, 0), -1);
	said_end(&err);
	older_module = false;
	assert_non_null(strstr(err.text, "xblk-dom0 that is loaded is older than this"));
}

static void test_versions(void **state)
{
	(void)state;
	assert_int_equal(open_with_stats("version 1\nclock_uncertainty_ns 7\n"), 0);
	assert_int_equal(dom0.clock_uncertainty_ns, 7);
	dom0_close(&dom0);
	assert_int_equal(open_with_stats("version 2\n"), -1);
	dom0_close(&dom0);
	assert_int_equal(open_with_stats("clock_uncertainty_ns 7\n"), -1);
}

/* Probes that are missing may come later; a line that is not known is left alone. */
static void test_stats(void **state)
{
	(void)state;
	assert_int_equal(open_with_stats("version 1\nprobes a b\nmissing c\nother 3\n"),
			 0);
	assert_string_equal(dom0.clock, "");
	assert_string_equal(dom0.probes, "a b");
	assert_string_equal(dom0.missing, "c");
	put("dir/stats",
	    "version 1\nprobes a b c\nmissing\nrings_dropped 2\nclock tsc\n");
	assert_int_equal(dom0_read_stats(&dom0), 0);
	assert_string_equal(dom0.probes, "a b c");
	assert_string_equal(dom0.missing, "");
	assert_int_equal(dom0.rings_dropped, 2);
	assert_string_equal(dom0.clock, XBLK_CLOCK_TSC);
}

/* A clock that drifts is told of, once it has. */
static void test_clock_off(void **state)
{
	(void)state;
	assert_int_equal(open_with_stats("version 1\nclock_uncertainty_ns 100000\n"), 0);
	assert_false(dom0.clock_off_said);
	put("dir/stats", "version 1\nclock_uncertainty_ns 100001\n");
	assert_int_equal(dom0_read_stats(&dom0), 0);
	assert_true(dom0.clock_off_said);
}

static int setup(void **state)
{
	(void)state;
	nr_lines = nr_domids = nr_disks = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dom0_close(&dom0);
	return 0;
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chdir(folder) || mkdir("dir", 0700))
		return -1;
	put("device", "");
	put("dir/now", "1 0\n");
	return 0;
}

static int remove_folder(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

/* Once, whether it was begun before it is waited for or not; what fails is told then. */
static void test_stop(void **state)
{
	struct said err;

	(void)state;
	assert_int_equal(open_with_stats("version 1\n"), 0);
	stop_takes_us = 100000;
	dom0_stop_begin(&dom0);
	assert_int_equal(dom0_stop(&dom0), 0);
	assert_string_equal(last_line, "stop");
	assert_int_equal(nr_lines, 1);
	assert_int_equal(dom0_stop(&dom0), 0);
	assert_int_equal(nr_lines, 2);

	stop_fails = EIO;
	said_begin(&err, 2);
	dom0_stop_begin(&dom0);
	assert_int_equal(dom0_stop(&dom0), -1);
	assert_non_null(strstr(said_end(&err), "cannot stop"));
	stop_takes_us = stop_fails = 0;
}

/* Who has it open is not known: one that goes without the lock is another xblktrace. */
static void test_busy(void **state)
{
	struct said err;

	(void)state;
	said_begin(&err, 2);
	assert_int_equal(fail_control(EBUSY), -1);
	said_end(&err);
	assert_non_null(strstr(err.text, "another program is tracing with xblk-dom0"));
	assert_non_null(strstr(err.text, "'xblktrace --status' shows it"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_many),  TEST(test_operations), TEST(test_versions),
		TEST(test_stats), TEST(test_clock_off),	 TEST(test_stop),
		TEST(test_busy),  TEST(test_merges),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
