// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which guests and disks -d and -D select, from XenStore trees as a toolstack
 * and guests (also lying ones) leave them.  Domain 3 has two phy: disks, one
 * that QEMU serves and one of another backend domain, 7; domain 5 has one disk;
 * domain 6 has no tracer loaded.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../xblktrace/domains.h"
#include "fake_xen.h"
#include "msg.h"
#include "xenrelay-reader.h"

static struct xenrelay_reader *reader;
static char said[4096]; /* all messages since the test began */
static bool follow;

static void vsay(const char *fmt, va_list ap)
{
	size_t used = strlen(said);

	vsnprintf(said + used, sizeof(said) - used, fmt, ap);
	strncat(said, "\n", sizeof(said) - strlen(said) - 1);
}

int msg_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
	return -1;
}

void msg_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
}

/* Devices 8:*, partitions of one disk, are known; nothing else is. */
int backing_add(struct backing_table *table, const char *root, unsigned int major,
		unsigned int minor, uint64_t *start_sector)
{
	(void)table, (void)root;
	*start_sector = minor * 100;
	return major == 8 ? 0 : -ENODEV;
}

static void node(const char *value, const char *fmt, ...)
{
	char path[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	fake_write(path, value);
}

static void add_domain(unsigned int domid, const char *name, bool tracer)
{
	node("", "/local/domain/%u", domid);
	node(name, "/local/domain/%u/name", domid);
	if (tracer)
		node("", "/local/domain/%u/data/xenrelay/xblk", domid);
}

static void add_disk(const char *kind, unsigned int domid, unsigned int devid,
		     const char *dev, const char *device)
{
	char dir[128];

	snprintf(dir, sizeof(dir), "/local/domain/0/backend/%s/%u/%u", kind, domid,
		 devid);
	node("", "%s", dir);
	node(dev, "%s/dev", dir);
	node("/dev/x", "%s/params", dir);
	node("4", "%s/state", dir);
	if (device)
		node(device, "%s/physical-device", dir);
}

static int setup(void **state)
{
	(void)state;
	fake_begin();
	said[0] = '\0';
	follow = false;
	node("0", "domid");
	add_domain(0, "Domain-0", false);
	add_domain(3, "web", true);
	node("/vm/1-2-3", "/local/domain/3/vm");
	add_disk("vbd", 3, 51712, "xvda", "8:1");
	add_disk("vbd", 3, 51728, "xvdb", "8:1f");
	add_disk("qdisk", 3, 51744, "xvdc", NULL);
	node("", "/local/domain/3/device/vbd/51760");
	node("7", "/local/domain/3/device/vbd/51760/backend-id");
	node("store", "/local/domain/7/name");
	node("xvdd", "/local/domain/7/backend/vbd/3/51760/dev");
	add_domain(5, "db", true);
	add_disk("vbd", 5, 51712, "xvda", "8:2");
	add_domain(6, "bare", false);
	add_disk("vbd", 6, 51712, "xvda", "8:3");
	return xenrelay_reader_open(&reader);
}

static int teardown(void **state)
{
	(void)state;
	xenrelay_reader_close(reader);
	fake_end();
	return 0;
}

static struct domain_table table;

static int choose(const char *d1, const char *d2, const char *disk)
{
	const char *d[] = {d1, d2};
	struct backing_table backing = {0};
	struct options opts = {
		.domains = d,
		.nr_domains = d2 ? 2 : 1,
		.disks = &disk,
		.nr_disks = disk ? 1 : 0,
		.follow = follow,
	};

	said[0] = '\0';
	return domains_select(reader, &opts, &backing, &table);
}

static void forget(void)
{
	domains_free(&table);
	table = (struct domain_table){0};
}

static void expect_said(const char *text)
{
	if (!strstr(said, text))
		fail_msg("\"%s\" does not say \"%s\"", said, text);
}

static void expect_refused(const char *d, const char *disk, const char *text)
{
	assert_int_equal(choose(d, NULL, disk), -1);
	expect_said(text);
	forget();
}

static void test_by_number(void **state)
{
	(void)state;
	assert_int_equal(choose("3", NULL, NULL), 0);
	assert_int_equal(table.nr, 1);
	assert_int_equal(table.entries[0].domid, 3);
	assert_string_equal(table.entries[0].name, "web");
	assert_string_equal(table.entries[0].uuid, "1-2-3");
	assert_true(table.entries[0].named);
	assert_int_equal(table.entries[0].nr_disks, 2);
	assert_int_equal(table.entries[0].disks[0].devid, 51712);
	assert_int_equal(table.entries[0].disks[1].devid, 51728);
	assert_string_equal(table.entries[0].disks[1].name, "xvdb");
	assert_string_equal(table.entries[0].disks[1].params, "/dev/x");
	/* XenStore's numbers are hexadecimal. */
	assert_int_equal(table.entries[0].disks[1].minor, 0x1f);
	assert_int_equal(table.entries[0].disks[1].start_sector, 0x1f * 100);
	expect_said("disk xvdc: served by a process");
	expect_said("disk xvdd: served by domain 7 (store): run 'xblk-allow 3 7' here");
	forget();
}

static void test_by_name_and_twice(void **state)
{
	(void)state;
	assert_int_equal(choose("db", "5", NULL), 0);
	assert_int_equal(table.nr, 1);
	assert_int_equal(table.entries[0].domid, 5);
	forget();
}

static void test_all(void **state)
{
	(void)state;
	assert_int_equal(choose("all", NULL, NULL), 0);
	assert_int_equal(table.nr, 2);
	assert_false(table.entries[0].named);
	expect_said("domain 6 (bare): the tracer is not loaded in that guest");
	assert_null(strstr(said, "Domain-0"));
	forget();
}

static void test_refusals(void **state)
{
	(void)state;
	expect_refused("4711", NULL, "no such domain");
	expect_refused("nobody", NULL, "no such domain");
	expect_refused("-3", NULL, "no such domain");
	expect_refused("0", NULL, "this is the domain that serves the disks");
	expect_refused("Domain-0", NULL, "this is the domain that serves the disks");
	expect_refused("bare", NULL, "modprobe xblk-guest");
}

static void test_one_disk(void **state)
{
	static const char *const names[] = {"xvdb", "51728", "3:xvdb", "web:51728"};
	unsigned int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		assert_int_equal(choose("all", NULL, names[i]), 0);
		assert_int_equal(table.nr, 1);
		assert_int_equal(table.entries[0].nr_disks, 1);
		assert_int_equal(table.entries[0].disks[0].devid, 51728);
		/* Nothing is said of disks and guests that nobody asked for. */
		assert_null(strstr(said, "xvdc"));
		assert_null(strstr(said, "db)"));
		forget();
	}
	expect_refused("3", "xvdq", "it has no disk that -D names");
	expect_refused("3", "5:xvda", "it has no disk that -D names");
	expect_refused("all", "xvdq", "-D xvdq: no such disk");
	expect_refused("3", "xvdc", "served by a process");
}

/* Whatever a guest writes on its side decides nothing. */
static void test_guest_lies(void **state)
{
	(void)state;
	node("/local/domain/0/backend/vbd/3/51712",
	     "/local/domain/5/device/vbd/51712/backend");
	node("", "/local/domain/5/device/vbd/1/../../x");
	node("999999999999", "/local/domain/5/device/vbd/1/backend-id");
	assert_int_equal(choose("5", NULL, NULL), 0);
	assert_int_equal(table.entries[0].nr_disks, 1);
	assert_int_equal(table.entries[0].disks[0].minor, 2);
	forget();
}

static void test_disks_not_ready(void **state)
{
	(void)state;
	node("2", "/local/domain/0/backend/vbd/5/51712/state");
	expect_refused("5", NULL, "not connected");
	node("4", "/local/domain/0/backend/vbd/5/51712/state");
	node("8:zz", "/local/domain/0/backend/vbd/5/51712/physical-device");
	expect_refused("5", NULL, "no device in this domain yet");
	node("9:1", "/local/domain/0/backend/vbd/5/51712/physical-device");
	expect_refused("5", NULL, "does not know its device");
}

/* Names may end on a terminal. */
static void test_names_are_printable(void **state)
{
	(void)state;
	node("\033]0;x\007", "/local/domain/5/name");
	assert_int_equal(choose("5", NULL, NULL), 0);
	assert_string_equal(table.entries[0].name, "?]0;x?");
	forget();
}

/* What is not there yet is waited for; what is there is traced. */
static void test_follow(void **state)
{
	(void)state;
	follow = true;
	assert_int_equal(choose("web", "mail", NULL), 0);
	assert_int_equal(table.nr, 1);
	expect_said("domain mail: it is not there yet: waiting for it");
	forget();
	assert_int_equal(choose("bare", NULL, NULL), 0);
	assert_int_equal(table.nr, 0);
	expect_said("the tracer is not loaded in that guest");
	forget();
	assert_int_equal(choose("all", NULL, "xvdq"), 0);
	assert_int_equal(table.nr, 0);
	forget();
	expect_refused("0", NULL, "name one of its guests");
}

static bool let_in;

/* What the driver domain may not read: all but its own, and what it was let into. */
static bool closed(const char *path)
{
	static const char *const opened[] = {"/local/domain/3/name",
					     "/local/domain/3/data/xenrelay"};
	unsigned int i;

	for (i = 0; let_in && i < 2; i++)
		if (!strncmp(path, opened[i], strlen(opened[i])))
			return false;
	return strcmp(path, "domid") && strncmp(path, "/local/domain/7/", 16);
}

/* Domain 7 itself: it can trace its disk of domain 3 once domain 0 lets it. */
static void test_driver_domain(void **state)
{
	(void)state;
	xenrelay_reader_close(reader);
	let_in = false;
	fake.closed = closed;
	node("7", "domid");
	node("", "/local/domain/7/backend/vbd");
	node("", "/local/domain/7/backend/vbd/3");
	node("", "/local/domain/7/backend/vbd/3/51760");
	node("4", "/local/domain/7/backend/vbd/3/51760/state");
	node("8:4", "/local/domain/7/backend/vbd/3/51760/physical-device");
	assert_int_equal(xenrelay_reader_open(&reader), 0);

	expect_refused("3", NULL, "run 'xblk-allow 3 7' in domain 0");
	expect_refused("web", NULL, "'xblk-allow web 7' in domain 0");
	expect_refused("all", NULL, "run 'xblk-allow 3 7' in domain 0");
	expect_refused("5", NULL, "knows of no such domain");
	expect_refused("7", NULL, "this is the domain that serves the disks");
	expect_refused("store", NULL, "this is the domain that serves the disks");

	let_in = true;
	assert_int_equal(choose("web", NULL, NULL), 0);
	assert_int_equal(table.nr, 1);
	assert_int_equal(table.entries[0].domid, 3);
	assert_string_equal(table.entries[0].name, "web");
	assert_int_equal(table.entries[0].nr_disks, 1);
	assert_string_equal(table.entries[0].disks[0].name, "xvdd");
	forget();
	assert_int_equal(choose("all", NULL, NULL), 0);
	assert_int_equal(table.nr, 1);
	forget();
}

static int add(unsigned int domid)
{
	static const char *all[] = {"all"};
	struct backing_table backing = {0};
	struct options opts = {.domains = all, .nr_domains = 1};

	said[0] = '\0';
	return domains_add(reader, &opts, &backing, &table, domid, NULL);
}

/* There is a limit of those that are there at once, and none of those that were. */
static void test_room(void **state)
{
	unsigned int i;

	(void)state;
	assert_int_equal(choose("3", NULL, NULL), 0);
	for (i = 1; i < MAX_DOMAINS; i++) {
		table.entries[i].domid = 1000 + i;
		table.by_domid[1000 + i] = i + 1;
	}
	table.nr = MAX_DOMAINS;
	assert_int_equal(add(5), 0);
	expect_said("domain 5 (db): left out: 1024 guests are traced");
	assert_int_equal(add(5), 0);
	assert_string_equal(said, "");
	assert_null(domains_find(&table, 5));

	domains_remove(&table, domains_find(&table, 1500));
	assert_null(domains_find(&table, 1500));
	assert_int_equal(add(5), 1);
	assert_ptr_equal(domains_find(&table, 5), &table.entries[500]);
	assert_string_equal(table.entries[500].name, "db");
	assert_int_equal(table.nr, MAX_DOMAINS);
	table.left_out = false;
	domains_remove(&table, domains_find(&table, 3));
	assert_int_equal(add(3), 1);
	assert_ptr_equal(domains_find(&table, 3), &table.entries[0]);
	forget();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_by_number),
		TEST(test_by_name_and_twice),
		TEST(test_all),
		TEST(test_follow),
		TEST(test_refusals),
		TEST(test_one_disk),
		TEST(test_guest_lies),
		TEST(test_disks_not_ready),
		TEST(test_names_are_printable),
		TEST(test_driver_domain),
		TEST(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
