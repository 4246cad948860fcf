// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an end asks of XenStore, which other guests may keep busy: of two guests that are
 * traced one has channels and disks that come and go without end, and a third one does
 * not answer.  Wherever the control is when the capture is to end, a few requests later
 * this domain's tracer is told to stop.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "fake_xen.h"
#include "played_capture.h"
#include "silent_module.h"
#include "xenrelay-reader.h"

#define FLAPS_IN      4
#define COMES	      5
#define NR_CHANNELS   63 /* beside the one that is traced */
#define NR_DISKS      40
#define ROUNDS_A_FLAP 20 /* or XenStore's watches would be taken back */

/*
 * Each guest is told to stop in a transaction of four requests; that it is let go of it
 * hears while this domain's tracer stops.  One that has not answered is let go of before
 * that, in another one, and its watch is taken back.  What was in hand is brought to its
 * next step: at most a look whether each domain is there and which channels it has, at
 * one channel of the one and four of the other.
 */
#define PER_GUEST    4
#define PER_UNTRACED 5
#define IN_HAND	     16

static struct xenrelay_reader *reader;
static struct domain_table table;
static struct guest guests[MAX_DOMAINS];
static struct played played;

static void (*end)(void);
/* Its place: so many requests after @counted; 0: it comes otherwise. */
static unsigned int end_after, requests;
static bool from_start, counted;
static unsigned int calls_then, calls_until_stop;
static unsigned int rounds;

static void node(const char *value, const char *fmt, ...)
{
	char path[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	fake_write(path, value);
}

static void comes(unsigned int domid)
{
	node("", "/local/domain/%u", domid);
	node("", "/local/domain/%u/data/xenrelay/xblk", domid);
	node("1", "/local/domain/%u/data/xenrelay/xblk/version", domid);
	node("", "/local/domain/%u/data/xenrelay/xblk/reader", domid);
	node("open", "/local/domain/%u/data/xenrelay/xblk/state", domid);
}

static void has_disk(unsigned int domid, unsigned int devid)
{
	const char *dir = "/local/domain/0/backend/vbd";

	node("", "%s/%u/%u", dir, domid, devid);
	node("xvda", "%s/%u/%u/dev", dir, domid, devid);
	node("8:0", "%s/%u/%u/physical-device", dir, domid, devid);
	node("4", "%s/%u/%u/state", dir, domid, devid);
}

static void flap(void)
{
	static unsigned int n;

	node(n % 2 ? "open" : "", "/local/domain/%u/data/xenrelay/other%u/state",
	     FLAPS_IN, n % NR_CHANNELS);
	node("4", "/local/domain/0/backend/vbd/%u/%u/state", FLAPS_IN, n % NR_DISKS);
	n++;
}

/* --- the module in dom0 --- */

int dom0_look(struct dom0 *dom0, uint64_t *ns, uint64_t *level)
{
	(void)dom0;
	usleep(500);
	fake_hold();
	*ns = ++rounds * 1000000ull;
	*level = 0;
	if (rounds % ROUNDS_A_FLAP == 0)
		flap();
	fake_release();
	return 0;
}

int dom0_start(struct dom0 *dom0, unsigned int own_domid, const struct options *opts,
	       const struct backing_table *backing, const struct domain *domains,
	       unsigned int nr_domains)
{
	(void)dom0, (void)own_domid, (void)opts, (void)backing, (void)domains,
		(void)nr_domains;
	counted = from_start;
	return 0;
}

int dom0_add(struct dom0 *dom0, const struct backing_table *backing, unsigned int first,
	     const struct domain *domains, unsigned int nr_domains)
{
	(void)dom0, (void)backing, (void)first, (void)domains, (void)nr_domains;
	return 0;
}

void dom0_stop_begin(struct dom0 *dom0)
{
	(void)dom0;
	calls_until_stop = fake.calls - calls_then;
}

int dom0_stop(struct dom0 *dom0)
{
	(void)dom0;
	return 0;
}

int backing_add(struct backing_table *backing, const char *sysfs, unsigned int major,
		unsigned int minor, uint64_t *start_sector)
{
	(void)backing, (void)sysfs, (void)major, (void)minor;
	*start_sector = 0;
	return 0;
}

int backing_update(struct backing_table *backing, const char *sysfs)
{
	(void)backing, (void)sysfs;
	return 0;
}

/* --- the end --- */

static void by_signal(void)
{
	kill(getpid(), SIGINT);
}

static void by_time(void)
{
	played.capture.end_at = 1;
}

static void end_now(void)
{
	calls_then = fake.calls;
	end();
}

static void request_made(void)
{
	counted |= played.capture.started;
	if (counted && ++requests == end_after)
		end_now();
}

/* It does not answer. */
static void end_at_connect(const char *path, const char *value)
{
	unsigned int domid;

	players_answer(path, value);
	if (sscanf(path, "/local/domain/%u/", &domid) == 1 && domid == COMES &&
	    !strncmp(value, "connect", 7))
		end_now();
}

static void capture(void)
{
	static const char *all[] = {"all"};
	struct options opts = {.domains = all, .nr_domains = 1};
	struct backing entries[1] = {{.major = 8, .name = "sda", .part_of = -1}};

	requests = counted = 0;
	calls_until_stop = ~0u;
	played_begin(&played, reader, &table, guests, MAX_DOMAINS);
	played.opts.domains = opts.domains;
	played.opts.nr_domains = opts.nr_domains;
	played.backing = (struct backing_table){.entries = entries, .nr = 1};
	played.dom0.nr_cpus = 0;
	assert_int_equal(writer_open(&played.writer, "/dev/null"), 0);
	assert_int_equal(played_run(&played), 0);
	assert_int_equal(writer_close(&played.writer), 0);
	played_end(&played);
	assert_int_equal(fake.mapped, 0);
}

static void begin(void)
{
	struct options opts = {.domains = (const char *[]){"all"}, .nr_domains = 1};
	struct backing_table backing = {0};
	unsigned int i;

	fake_begin();
	rounds = 0;
	fake_write("domid", "0");
	players_begin();
	fake.called = request_made;
	for (i = 0; i < 2; i++) {
		comes(players[i].domid);
		has_disk(players[i].domid, 0);
	}
	for (i = 0; i < NR_DISKS; i++)
		has_disk(FLAPS_IN, i);
	for (i = 0; i < NR_CHANNELS; i++) {
		node("", "/local/domain/%u/data/xenrelay/other%u", FLAPS_IN, i);
		node("open", "/local/domain/%u/data/xenrelay/other%u/state", FLAPS_IN, i);
	}
	assert_int_equal(xenrelay_reader_open(&reader), 0);
	end_after = 0;
	assert_int_equal(domains_select(reader, &opts, &backing, &table), 0);
	assert_int_equal(table.nr, 2);
}

static void finish(void)
{
	guest_free(&guests[0]);
	guest_free(&guests[1]);
	domains_free(&table);
	table = (struct domain_table){0};
	xenrelay_reader_close(reader);
	fake_end();
}

static unsigned int ends_after(unsigned int nr)
{
	begin();
	end_after = nr;
	capture();
	finish();
	return calls_until_stop;
}

/* In the middle of a look at disks, of one at channels, and of what comes between. */
static void ends_anywhere(void)
{
	static const unsigned int places[] = {1,   2,	4,   7,	  16,  29,  56, 92,
					      137, 154, 172, 211, 232, 254, 290};
	unsigned int i, most = 0;

	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		unsigned int nr = ends_after(places[i]);

		assert_in_range(nr, 2 * PER_GUEST, ~0u);
		if (nr > most)
			most = nr;
	}
	print_message("it stops after at most %u requests\n", most);
	assert_in_range(most, 0, 2 * PER_GUEST + IN_HAND);
}

static void test_signal(void **state)
{
	(void)state;
	end = by_signal;
	ends_anywhere();
}

static void test_timeout(void **state)
{
	(void)state;
	end = by_time;
	ends_anywhere();
}

/* While those that are there at the start are being connected to. */
static void test_start(void **state)
{
	unsigned int i, most = 0;

	(void)state;
	end = by_signal;
	from_start = true;
	for (i = 1; i < 16; i++) {
		unsigned int nr = ends_after(i);

		if (nr > most)
			most = nr;
	}
	from_start = false;
	print_message("it stops after at most %u requests\n", most);
	assert_in_range(most, 0, 2 * PER_GUEST + IN_HAND);
}

/* One that has been asked for its channel and has not answered when the end comes. */
static void test_connecting(void **state)
{
	(void)state;
	end = by_signal;
	begin();
	fake.written = end_at_connect;
	comes(COMES);
	has_disk(COMES, 0);
	capture();
	finish();
	print_message("it stops after %u requests\n", calls_until_stop);
	assert_in_range(calls_until_stop, 2 * PER_GUEST + PER_UNTRACED,
			2 * PER_GUEST + PER_UNTRACED + IN_HAND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signal),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_connecting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
