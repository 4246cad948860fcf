// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks and guests that come and go during a capture: what is done about each, and
 * in which order.  XenStore is played; what the capture, the module in dom0 and the
 * guests are asked for is written down as text.
 *
 * Domain 3 ("web") is traced from the start, with the disk xvda.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../xblktrace/connect.h"
#include "../../xblktrace/describe.h"
#include "../../xblktrace/disks.h"
#include "../../xblktrace/clock.h"
#include "../../xblktrace/ending.h"
#include "../../xblktrace/gone.h"
#include "../../xblktrace/guest-connect.h"
#include "../../xblktrace/hotplug.h"
#include "../../xblktrace/state.h"
#include "fake_xen.h"
#include "msg.h"
#include "xblk/control.h"
#include "xenrelay-reader.h"

static struct capture c;
static struct xenrelay_reader *reader;
static struct options opts;
static struct backing_table backing;
static struct domain_table table;
static struct guest guests[MAX_DOMAINS];
static struct xenrelay_channel *const a_channel = (void *)guests;

static uint64_t clock_ns;
static char done[1024];
static int connect_result, describe_result;
static bool rounds_wanted, rounds_done;

/* After one that did not answer. */
#define NO_ANSWER_NS 30000000000ull

static void note(const char *fmt, ...)
{
	size_t used = strlen(done);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(done + used, sizeof(done) - used, fmt, ap);
	va_end(ap);
}

uint64_t monotonic_ns(void)
{
	return clock_ns;
}

void capture_fail(struct capture *capture, const char *reason)
{
	capture->reason = reason;
	note("fail;");
}

bool capture_is_to_end(const struct capture *capture)
{
	return capture->reason;
}

void drain_want_rounds(struct drain *d, unsigned int nr)
{
	(void)d;
	assert_int_equal(nr, 2);
	rounds_wanted = true;
}

bool drain_rounds_are_done(struct drain *d)
{
	(void)d;
	assert_true(rounds_wanted);
	return rounds_done;
}

int describe_news(struct capture *capture)
{
	unsigned int i;

	if (describe_result)
		return describe_result;
	rounds_wanted = false;
	note("describe");
	for (i = 0; i < capture->facts.nr_guests; i++)
		note(" %u", table.entries[i].domid);
	note(";");
	return 0;
}

/* Here no guest has anything to tell of its end. */
void gone_turn(struct capture *capture)
{
	(void)capture;
}

void connect_start(struct capture *capture, struct guest *guest)
{
	note("connect %u;", guest->domain->domid);
	guest->expected = false;
	if (connect_result) {
		changes_add(&capture->changes, guest->domain->domid);
		backoff(&guest->again, clock_ns, NO_ANSWER_NS);
	} else {
		guest->channel = a_channel;
	}
}

int dom0_add(struct dom0 *dom0, const struct backing_table *table, unsigned int first,
	     const struct domain *new, unsigned int nr_new)
{
	(void)dom0;
	for (; first < table->nr; first++)
		note("device %u;", table->entries[first].minor);
	for (; nr_new; nr_new--)
		note("domain %u;", new ++->domid);
	return 0;
}

void guest_tell_disks(struct guest *guest)
{
	unsigned int i;

	note("tell %u:", guest->domain->domid);
	for (i = 0; i < guest->domain->nr_disks; i++)
		if (!guest->domain->disks[i].gone && !guest->domain->disks[i].left_out)
			note(" %s=%u", guest->domain->disks[i].name, i);
	note(";");
}

int backing_add(struct backing_table *table, const char *root, unsigned int major,
		unsigned int minor, uint64_t *start_sector)
{
	unsigned int i;

	(void)root;
	*start_sector = 0;
	for (i = 0; i < table->nr; i++)
		if (table->entries[i].minor == minor)
			return i;
	table->entries =
		reallocarray(table->entries, table->nr + 1, sizeof(*table->entries));
	table->entries[table->nr] = (struct backing){.major = major, .minor = minor};
	return table->nr++;
}

/* So many more lie below the first. */
static unsigned int more_below;

int backing_update(struct backing_table *table, const char *root)
{
	uint64_t start;
	int i;

	(void)root;
	for (; more_below; more_below--) {
		i = backing_add(table, "", 8, 5000 + more_below, &start);
		table->entries[i].part_of = 0;
	}
	return 0;
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

static void domain_comes(unsigned int domid, const char *name)
{
	node("", "/local/domain/%u", domid);
	node(name, "/local/domain/%u/name", domid);
}

static void tracer_comes(unsigned int domid)
{
	node("", "/local/domain/%u/data/xenrelay/xblk", domid);
	node("open", "/local/domain/%u/data/xenrelay/xblk/state", domid);
}

static void disk_state(unsigned int domid, unsigned int devid, const char *state)
{
	node(state, "/local/domain/0/backend/vbd/%u/%u/state", domid, devid);
}

static void attach(unsigned int domid, unsigned int devid, const char *dev,
		   unsigned int minor)
{
	char device[32];

	snprintf(device, sizeof(device), "8:%x", minor);
	node("", "/local/domain/0/backend/vbd/%u/%u", domid, devid);
	node(dev, "/local/domain/0/backend/vbd/%u/%u/dev", domid, devid);
	node(device, "/local/domain/0/backend/vbd/%u/%u/physical-device", domid, devid);
	disk_state(domid, devid, "4");
}

static void detach(unsigned int domid, unsigned int devid)
{
	char path[80];

	snprintf(path, sizeof(path), "/local/domain/0/backend/vbd/%u/%u", domid, devid);
	fake_remove(path);
}

/* What is done now, in a turn of the capture, or as soon as it can be. */
static const char *look(void)
{
	done[0] = '\0';
	hotplug_changed(&c, xenrelay_dispatch(reader));
	hotplug_turn(&c);
	if (rounds_wanted)
		hotplug_turn(&c);
	return done;
}

/* The same, after all that may have to be waited for. */
static const char *look_later(void)
{
	clock_ns += 1000000000;
	return look();
}

static void start(const char **args, unsigned int nr)
{
	unsigned int i;

	opts.domains = args;
	opts.nr_domains = nr;
	assert_int_equal(domains_select(reader, &opts, &backing, &table), 0);
	c.facts.nr_guests = table.nr;
	for (i = 0; i < MAX_DOMAINS; i++)
		guests[i] = (struct guest){
			.domain = &table.entries[i],
			.channel = i < table.nr ? a_channel : NULL,
			.backend_told = i < table.nr,
		};
	c.domains = &table;
	c.nr_told = backing.nr;
	assert_int_equal(hotplug_watch(&c), 0);
	assert_string_equal(look_later(), "");
}

static const char *all[] = {"all"};

static void test_disks(void **state)
{
	(void)state;
	start(all, 1);
	attach(3, 51728, "xvdb", 2);
	assert_string_equal(look_later(), "describe 3;device 2;tell 3: xvda=0 xvdb=1;");
	assert_string_equal(look_later(), "");
	detach(3, 51728);
	assert_string_equal(look_later(), "describe 3;tell 3: xvda=0;");
	/* Another disk of the same name has an index of its own. */
	attach(3, 51728, "xvdb", 1);
	assert_string_equal(look_later(), "describe 3;tell 3: xvda=0 xvdb=2;");
	/* Also when it takes the place between two looks. */
	detach(3, 51728);
	attach(3, 51728, "xvdb", 3);
	assert_string_equal(look_later(), "describe 3;device 3;tell 3: xvda=0 xvdb=3;");
}

/* So often that the reader of channels would listen to it once a second. */
static const char *look_at_3(void)
{
	changes_add(&c.changes, 3);
	return look_later();
}

/* Any number of disks can come and go; an index is given again when all have been. */
static void test_many_disks_in_a_row(void **state)
{
	unsigned int i;

	(void)state;
	start(all, 1);
	msg_silent = true;
	for (i = 1; i < XBLK_MAX_DISKS; i++) {
		attach(3, 51728, "xvdb", 2 + i % 2);
		look_at_3();
		detach(3, 51728);
		look_at_3();
		assert_int_equal(table.entries[0].nr_disks, i + 1);
	}
	attach(3, 51728, "xvdb", 2);
	assert_string_equal(look_at_3(), "describe 3;tell 3: xvda=0 xvdb=1;");
	attach(3, 51744, "xvdc", 3);
	assert_string_equal(look_at_3(), "describe 3;tell 3: xvda=0 xvdb=1 xvdc=2;");
	detach(3, 51728);
	look_at_3();
	attach(3, 51728, "xvdb", 2);
	assert_string_equal(look_at_3(), "describe 3;tell 3: xvda=0 xvdc=2 xvdb=3;");
	assert_int_equal(table.entries[0].nr_disks, XBLK_MAX_DISKS);
	assert_int_equal(backing.nr, 3);
	msg_silent = false;
}

/* A disk counts once both sides are connected. */
static void test_slow_disk(void **state)
{
	(void)state;
	start(all, 1);
	attach(3, 51728, "xvdb", 2);
	disk_state(3, 51728, "2");
	assert_string_equal(look_later(), "");
	disk_state(3, 51728, "4");
	assert_string_equal(look_later(), "describe 3;device 2;tell 3: xvda=0 xvdb=1;");
}

static void test_unwanted_disk(void **state)
{
	static const char *wanted[] = {"xvda"};

	(void)state;
	opts.disks = wanted;
	opts.nr_disks = 1;
	start(all, 1);
	attach(3, 51728, "xvdb", 2);
	assert_string_equal(look_later(), "");
}

static void test_guest(void **state)
{
	(void)state;
	start(all, 1);
	domain_comes(7, "db");
	assert_string_equal(look_later(), "");
	tracer_comes(7);
	assert_string_equal(look_later(), "");
	attach(7, 51712, "xvda", 5);
	assert_string_equal(look_later(), "describe 3 7;device 5;domain 7;connect 7;");
}

static void tracer_goes(unsigned int domid)
{
	char path[80];

	snprintf(path, sizeof(path), "/local/domain/%u/data/xenrelay/xblk", domid);
	fake_remove(path);
}

/* As the capture does it when a guest has been read to its end. */
static void ends(struct guest *guest)
{
	guest->channel = NULL;
	changes_add(&c.changes, guest->domain->domid);
}

/* The guest's module is unloaded; when it is loaded again the guest is connected to
 * again. */
static void test_again(void **state)
{
	unsigned int calls = 0;
	int i;

	(void)state;
	start(all, 1);
	tracer_goes(3);
	ends(&guests[0]);
	assert_string_equal(look_later(), "");
	assert_string_equal(look_later(), "");
	tracer_comes(3);
	detach(3, 51712);
	attach(3, 51712, "xvda", 4);
	/* It was looked after a second and three seconds after it had gone, and then four
	 * later. */
	assert_string_equal(look_later(), "");
	clock_ns += 2000000000;
	assert_string_equal(look_later(), "describe 3;device 4;connect 3;");
	assert_string_equal(look_later(), "");

	/* The more often that is, the longer the pauses, but not for ever. */
	for (i = 0; i < 1000; i++) {
		ends(&guests[0]);
		clock_ns += 9000000000;
		calls += *look_later() != '\0';
	}
	assert_in_range(calls, 14, 24);

	/* What broke the protocol has had its chance. */
	ends(&guests[0]);
	guests[0].failed = true;
	clock_ns += 700000000000;
	assert_string_equal(look_later(), "");
	assert_false(guests[0].gone);
	guests[0].failed = false;
	fake_remove("/local/domain/3");
	fake_fire("@releaseDomain");
	assert_string_equal(look_later(), "");
	assert_true(guests[0].gone);
}

/* One that does not answer is asked once more, later. */
static void test_dumb_guest(void **state)
{
	(void)state;
	start(all, 1);
	connect_result = -1;
	domain_comes(7, "db");
	attach(7, 51712, "xvda", 5);
	tracer_comes(7);
	assert_string_equal(look_later(), "describe 3 7;device 5;domain 7;connect 7;");
	attach(7, 51728, "xvdb", 6);
	assert_string_equal(look_later(), "");
	clock_ns += 27000000000;
	assert_string_equal(look_later(), "");
	connect_result = 0;
	assert_string_equal(look_later(), "describe 3 7;device 6;connect 7;");
}

static void test_names(void **state)
{
	static const char *names[] = {"web", "9"};

	(void)state;
	opts.follow = true;
	start(names, 2);
	domain_comes(7, "db");
	attach(7, 51712, "xvda", 5);
	tracer_comes(7);
	assert_string_equal(look_later(), "");
	/* "web" was started again, and has another number. */
	domain_comes(8, "web");
	attach(8, 51712, "xvda", 1);
	tracer_comes(8);
	assert_string_equal(look_later(), "describe 3 8;domain 8;connect 8;");
	domain_comes(9, "mail");
	attach(9, 51712, "xvda", 1);
	tracer_comes(9);
	assert_string_equal(look_later(), "describe 3 8 9;domain 9;connect 9;");
}

/* However often something changes, XenStore is looked at four times a second. */
static void test_rate(void **state)
{
	unsigned int i, looks = 0;

	(void)state;
	start(all, 1);
	clock_ns += 1000000000;
	for (i = 0; i < 50; i++) {
		clock_ns += 20000000;
		attach(3, 51728, "xvdb", 2 + i);
		looks += *look() != '\0';
	}
	assert_in_range(looks, 3, 5);
}

/* Devices beyond the module's table are left out, and the rest goes on. */
static void test_many_devices(void **state)
{
	uint64_t start_sector;
	unsigned int i;

	(void)state;
	for (i = 0; i < XBLK_MAX_DISKS - 2; i++)
		backing_add(&backing, "", 8, 100 + i, &start_sector);
	start(all, 1);
	attach(3, 51744, "xvdc", 50);
	attach(3, 51760, "xvdd", 51);
	assert_string_equal(look_later(), "describe 3;device 50;tell 3: xvda=0 xvdc=1;");
	assert_int_equal(backing.nr, XBLK_MAX_DISKS);
	assert_true(table.entries[0].disks[2].left_out);
	assert_string_equal(look_later(), "");
	/* There is room for one that lies on a device that is traced. */
	attach(3, 51728, "xvdb", 1);
	assert_string_equal(look_later(), "describe 3;tell 3: xvda=0 xvdc=1 xvdb=3;");
}

static void test_below(void **state)
{
	uint64_t start_sector;
	unsigned int i;

	(void)state;
	start(all, 1);
	assert_string_equal(look_later(), "");
	more_below = 1;
	assert_string_equal(look_later(), "describe 3;device 5001;");
	/* Not so soon again. */
	more_below = 2;
	clock_ns -= 900000000;
	assert_string_equal(look_later(), "");
	assert_string_equal(look_later(), "describe 3;device 5002;");

	/* No more than can be. */
	for (i = backing.nr; i < XBLK_MAX_DISKS - 1; i++)
		backing_add(&backing, "", 8, 100 + i, &start_sector);
	c.nr_told = backing.nr;
	more_below = 4;
	assert_string_equal(look_later(), "describe 3;device 5004;");
	assert_int_equal(backing.nr, XBLK_MAX_DISKS);
	more_below = 6;
	assert_string_equal(look_later(), "");
	assert_int_equal(backing.nr, XBLK_MAX_DISKS);
}

/* Also at the start what is too much is left out, and the rest traced. */
static void test_too_many_at_the_start(void **state)
{
	unsigned int i, left_out = 0;

	(void)state;
	for (i = 1; i < MAX_GUEST_DISKS + 2; i++)
		attach(3, 51712 + 16 * i, "xvd", 1);
	start(all, 1);
	for (i = 0; i < table.entries[0].nr_disks; i++)
		left_out += table.entries[0].disks[i].left_out;
	assert_int_equal(left_out, 2);
}

static void test_too_many_devices_at_the_start(void **state)
{
	uint64_t start_sector;
	unsigned int i;

	(void)state;
	for (i = 0; i < XBLK_MAX_DISKS - 1; i++)
		backing_add(&backing, "", 8, 100 + i, &start_sector);
	attach(3, 51728, "xvdb", 50);
	start(all, 1);
	assert_int_equal(backing.nr, XBLK_MAX_DISKS);
	assert_int_equal(table.entries[0].nr_disks, 2);
	assert_true(table.entries[0].disks[0].left_out ^
		    table.entries[0].disks[1].left_out);
}

/* A device was found for a disk that is too many: it has an index all the same. */
static void test_left_out_device(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 1; i < MAX_GUEST_DISKS; i++)
		attach(3, 51712 + 16 * i, "xvd", 1);
	start(all, 1);
	attach(3, 60000, "xvdz", 50);
	assert_string_equal(look_later(), "describe 3;device 50;");
	detach(3, 51728);
	attach(3, 51728, "xvdb", 51);
	look_later();
	assert_non_null(strstr(done, "describe 3;device 51;tell 3:"));
	assert_string_equal(look_later(), "");
}

/* It waits for nothing: neither for the rounds before a description, nor for room for it.
 */
static void test_waiting(void **state)
{
	(void)state;
	start(all, 1);
	rounds_done = false;
	attach(3, 51728, "xvdb", 2);
	assert_string_equal(look_later(), "");
	assert_true(rounds_wanted);
	/* What comes meanwhile has its turn afterwards. */
	domain_comes(7, "db");
	attach(7, 51712, "xvda", 5);
	tracer_comes(7);
	assert_string_equal(look_later(), "");
	rounds_done = true;
	describe_result = -EAGAIN;
	assert_string_equal(look(), "");
	assert_string_equal(look(), "");
	describe_result = 0;
	assert_string_equal(look(), "describe 3;device 2;tell 3: xvda=0 xvdb=1;");
	assert_string_equal(look_later(), "describe 3 7;device 5;domain 7;connect 7;");
	assert_null(c.reason);

	describe_result = -1;
	attach(7, 51728, "xvdb", 6);
	assert_string_equal(look_later(), "fail;");
}

/* Whatever the reader of channels still has to look at, which keeps a time of its own. */
static void settle(void)
{
	struct pollfd pfd = {.fd = xenrelay_fd(reader), .events = POLLIN};

	do
		look_later();
	while (poll(&pfd, 1, 300) == 1);
}

/* Nobody is asked where nothing has changed, also not after one that has no tracer now. */
static void test_nothing_new(void **state)
{
	unsigned int calls, i;

	(void)state;
	start(all, 1);
	domain_comes(7, "db");
	attach(7, 51712, "xvda", 5);
	tracer_goes(3);
	ends(&guests[0]);
	settle();
	for (i = 0; i < 10; i++)
		look_later();
	calls = fake.calls;
	for (i = 0; i < 100; i++) {
		clock_ns += 60000000000;
		assert_string_equal(look_later(), "");
	}
	assert_int_equal(fake.calls, calls);

	attach(7, 51728, "xvdb", 6);
	assert_string_equal(look_later(), "");
	assert_in_range(fake.calls - calls, 1, 5);
}

static int setup(void **state)
{
	(void)state;
	fake_begin();
	node("0", "domid");
	domain_comes(3, "web");
	tracer_comes(3);
	attach(3, 51712, "xvda", 1);
	clock_ns = 0;
	connect_result = describe_result = 0;
	rounds_wanted = false;
	rounds_done = true;
	more_below = 0;
	opts = (struct options){0};
	c = (struct capture){
		.facts = {.opts = &opts},
		.guests = guests,
		.backing = &backing,
	};
	assert_int_equal(xenrelay_reader_open(&reader), 0);
	c.reader = reader;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	domains_free(&table);
	table = (struct domain_table){0};
	free(backing.entries);
	backing = (struct backing_table){0};
	xenrelay_reader_close(reader);
	fake_end();
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_disks),
		TEST(test_many_disks_in_a_row),
		TEST(test_slow_disk),
		TEST(test_unwanted_disk),
		TEST(test_guest),
		TEST(test_again),
		TEST(test_dumb_guest),
		TEST(test_names),
		TEST(test_rate),
		TEST(test_many_devices),
		TEST(test_below),
		TEST(test_left_out_device),
		TEST(test_too_many_at_the_start),
		TEST(test_too_many_devices_at_the_start),
		TEST(test_waiting),
		TEST(test_nothing_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
