// SPDX-License-Identifier: GPL-2.0-only
/*
 * A channel's whole life against a guest that is played here: it answers what
 * the reader writes to XenStore, or does not, or lies.  Whatever happens,
 * nothing may stay mapped, and a guest that gave memory must hear of the end.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../libxenrelay/xenrelay-reader.h"
#include "fake_xen.h"
#include "xblk/xenrelay.h"

#define DIR	   "/local/domain/3/data/xenrelay/xblk"
#define NR_RINGS   2
#define RING_PAGES 3
#define ITEM_SIZE  40 /* does not divide a page: items cross pages, padding at the end */
#define CAPACITY   (RING_PAGES * 4096 / ITEM_SIZE)

/* Page numbers, which are the grants: not in order, as in a real guest. */
#define INFO_REF     10
#define PRODUCER_REF 4
#define CONSUMER_REF 300
#define DIR_REF	     200
#define DATA_REF(n)  (490 - 7 * (n))

static struct xenrelay_reader *reader;
static unsigned int session, releases, disconnects;
static unsigned int idle_calls, act_at;

static union xenrelay_producer_line *producer(unsigned int line)
{
	return (union xenrelay_producer_line *)fake_page(PRODUCER_REF) + line;
}

static union xenrelay_consumer_line *consumer(unsigned int line)
{
	return (union xenrelay_consumer_line *)fake_page(CONSUMER_REF) + line;
}

static struct xenrelay_info *info(void)
{
	return fake_page(INFO_REF);
}

static void make_pages(void)
{
	uint32_t *refs = fake_page(DIR_REF);
	uint32_t dir_ref = DIR_REF;
	unsigned int i;

	memset(fake.memory, 0, FAKE_PAGES * 4096);
	*info() = (struct xenrelay_info){
		.magic = XENRELAY_MAGIC,
		.version = XENRELAY_VERSION,
		.info_size = sizeof(struct xenrelay_info),
		.item_size = ITEM_SIZE,
		.nr_rings = NR_RINGS,
		.ring_pages = RING_PAGES,
		.producer_ref = PRODUCER_REF,
		.consumer_ref = CONSUMER_REF,
		.nr_dir_pages = 1,
		.session = session,
		.clock_ns = 250,
		.client_version = 1,
	};
	memcpy(info() + 1, &dir_ref, sizeof(dir_ref));
	for (i = 0; i < NR_RINGS * RING_PAGES; i++)
		refs[i] = DATA_REF(i);
	producer(0)->channel.state = XENRELAY_RUNNING;
}

static void set_state(const char *fmt, ...)
{
	char text[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fake_write(DIR "/state", text);
}

static void ready(void)
{
	make_pages();
	set_state("ready %u %u", session, INFO_REF);
}

static unsigned int domid_given, kib_given;

/* What an honest guest does with the reader's wishes. */
static void honest(const char *path, const char *value)
{
	unsigned int n;

	if (strcmp(path, DIR "/reader"))
		return;
	if (sscanf(value, "connect %u %u %u", &session, &domid_given, &kib_given) == 3) {
		ready();
	} else if (sscanf(value, "disconnect %u", &n) == 1 && n == session) {
		disconnects++;
		producer(0)->channel.state = XENRELAY_STOPPED;
		set_state("stopped %u", session);
	} else if (sscanf(value, "release %u", &n) == 1 && n == session) {
		releases++;
		set_state("open");
	}
}

/* One that remembers the session and else only listens. */
static void silent(const char *path, const char *value)
{
	unsigned int n;

	if (strcmp(path, DIR "/reader"))
		return;
	if (sscanf(value, "connect %u", &n) == 1)
		session = n;
	else if (sscanf(value, "release %u", &n) == 1 && n == session)
		releases++;
}

static int setup(void **state)
{
	(void)state;
	fake_begin();
	session = releases = disconnects = idle_calls = act_at = 0;
	fake_write("domid", "0");
	fake_write("/local/domain/3", "");
	fake_write("/local/domain/3/data/xenrelay/xblk", "");
	fake_write(DIR "/version", "1");
	fake_write(DIR "/state", "open");
	fake_write(DIR "/reader", "");
	fake.written = honest;
	return xenrelay_reader_open(&reader);
}

static int teardown(void **state)
{
	(void)state;
	xenrelay_reader_close(reader);
	assert_int_equal(fake.mapped, 0);
	fake_end();
	return 0;
}

static const struct xenrelay_options quick = {.timeout_ms = 60, .busy_ms = 60};

static int connect_quick(struct xenrelay_channel **ch)
{
	return xenrelay_connect(reader, 3, "xblk", &quick, ch);
}

static void expect_failure(int err, const char *word)
{
	struct xenrelay_channel *ch;

	assert_int_equal(connect_quick(&ch), err);
	assert_null(ch);
	assert_int_equal(fake.mapped, 0);
	if (!strstr(xenrelay_strerror(reader), word))
		fail_msg("\"%s\" does not say \"%s\"", xenrelay_strerror(reader), word);
}

static void put_item(unsigned int ring, uint64_t n, unsigned char value)
{
	size_t at = n % CAPACITY * ITEM_SIZE, i;

	for (i = 0; i < ITEM_SIZE; i++) {
		size_t byte = at + i;
		unsigned int page = ring * RING_PAGES + byte / 4096;

		((unsigned char *)fake_page(DATA_REF(page)))[byte % 4096] = value;
	}
	producer(1 + ring)->ring.head = n + 1;
}

static void test_life(void **state)
{
	const struct xenrelay_options opts = {.ring_kib = 12, .config = "disks=51712"};
	unsigned char buf[CAPACITY][ITEM_SIZE];
	struct xenrelay_ring_stats stats;
	struct xenrelay_properties p;
	struct xenrelay_channel *ch;
	uint64_t n, i, done = 0;

	(void)state;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts, &ch), 0);
	assert_string_equal(fake_read(DIR "/config"), "disks=51712");
	assert_int_equal(domid_given, 0);
	assert_int_equal(kib_given, 12);
	assert_int_equal(consumer(0)->channel.attached, 1);
	/* The position pages and the rings; info and directory were only copied. */
	assert_int_equal(fake.mapped, 2 + NR_RINGS * RING_PAGES);
	xenrelay_get_properties(ch, &p);
	assert_int_equal(p.nr_rings, NR_RINGS);
	assert_int_equal(p.capacity, CAPACITY);
	assert_int_equal(p.session, session);
	assert_int_equal(p.clock_ns, 250);

	for (n = 0; n < 3 * CAPACITY; n++) {
		put_item(1, n, n);
		if (n % 200 && n != 3 * CAPACITY - 1)
			continue;
		assert_int_equal(xenrelay_read(ch, 0, buf, CAPACITY), 0);
		assert_int_equal(xenrelay_read(ch, 1, buf, CAPACITY), n + 1 - done);
		for (i = 0; done <= n; done++, i++) {
			assert_int_equal(buf[i][0], done & 0xff);
			assert_int_equal(buf[i][ITEM_SIZE - 1], done & 0xff);
		}
		assert_int_equal(consumer(2)->ring.tail, n + 1);
	}
	assert_int_equal(xenrelay_read(ch, NR_RINGS, buf, 1), -EINVAL);

	put_item(0, 0, 77);
	producer(1)->ring.lost = 5;
	producer(1)->ring.lost_nmi = 6;
	producer(0)->channel.events = 7;
	xenrelay_get_ring_stats(ch, 0, &stats);
	assert_int_equal(stats.produced, 1);
	assert_int_equal(stats.lost, 5);
	assert_int_equal(stats.lost_nmi, 6);
	assert_int_equal(stats.read, 0);
	assert_int_equal(xenrelay_events_sent(ch), 7);

	assert_false(xenrelay_stopped(ch));
	assert_int_equal(xenrelay_disconnect(ch, 1000), 0);
	assert_int_equal(xenrelay_disconnect(ch, 1000), 0);
	assert_int_equal(disconnects, 1);
	assert_true(xenrelay_stopped(ch));
	/* What was left can still be read. */
	assert_int_equal(xenrelay_read(ch, 0, buf, CAPACITY), 1);
	assert_int_equal(buf[0][0], 77);
	assert_int_equal(buf[0][ITEM_SIZE - 1], 77);

	xenrelay_release(ch);
	assert_int_equal(fake.mapped, 0);
	assert_int_equal(consumer(0)->channel.attached, 0);
	assert_int_equal(releases, 1);
	assert_string_equal(fake_read(DIR "/state"), "open");
}

/* Each map call fails once: everything before it is undone, the guest told. */
static void test_every_mapping_may_fail(void **state)
{
	struct xenrelay_channel *ch;
	unsigned int n;

	(void)state;
	for (n = 1;; n++) {
		fake.maps = 0;
		fake.fail_map = n;
		if (!connect_quick(&ch))
			break;
		assert_non_null(strstr(xenrelay_strerror(reader), "mapping"));
		assert_int_equal(fake.mapped, 0);
		assert_int_equal(releases, n);
		assert_int_equal(consumer(0)->channel.attached, 0);
	}
	/* Info, producer, consumer, directory and the rings. */
	assert_int_equal(n, 1 + 4 + NR_RINGS);
	xenrelay_release(ch);
}

static void test_no_channel(void **state)
{
	struct xenrelay_channel *ch;
	unsigned int nodes = fake_nr_nodes();

	(void)state;
	assert_int_equal(xenrelay_connect(reader, 3, "other", &quick, &ch), -ENOENT);
	assert_int_equal(xenrelay_connect(reader, 9, "xblk", &quick, &ch), -ENOENT);
	assert_int_equal(xenrelay_connect(reader, 3, "../x", &quick, &ch), -EINVAL);
	/* Writing "release" would have created nodes in another's directory. */
	assert_int_equal(fake_nr_nodes(), nodes);
}

static void test_other_version(void **state)
{
	(void)state;
	fake_write(DIR "/version", "2");
	expect_failure(-EPROTO, "another version");
	assert_string_equal(fake_read(DIR "/reader"), "");
}

static void test_guest_silent(void **state)
{
	(void)state;
	fake.written = silent;
	fake.idle = NULL;
	expect_failure(-ETIMEDOUT, "did not answer");
	assert_int_equal(releases, 1);
}

static void answer_failed(const char *path, const char *value)
{
	silent(path, value);
	if (!strncmp(value, "connect", 7))
		set_state("failed %u 12 no memory for rings", session);
}

static void test_guest_fails(void **state)
{
	struct xenrelay_channel *ch;

	(void)state;
	fake.written = answer_failed;
	expect_failure(-ECONNREFUSED, "no memory for rings");

	/* A failure leaves the channel free for the next attempt. */
	fake.written = honest;
	assert_int_equal(connect_quick(&ch), 0);
	xenrelay_release(ch);
}

static void test_busy(void **state)
{
	(void)state;
	set_state("ready 5 10");
	fake.written = silent;
	expect_failure(-EBUSY, "another reader");
	assert_string_equal(fake_read(DIR "/reader"), "");
}

static void act(void)
{
	if (++idle_calls == act_at)
		set_state("open");
}

/* A killed reader's channel becomes free while we wait. */
static void test_busy_for_a_while(void **state)
{
	struct xenrelay_channel *ch;

	(void)state;
	set_state("stopped 5");
	fake.idle = act;
	act_at = 2;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", NULL, &ch), 0);
	fake.idle = NULL;
	xenrelay_release(ch);
}

static void answer_other(const char *path, const char *value)
{
	silent(path, value);
	if (!strncmp(value, "connect", 7))
		set_state("ready %u %u", session ^ 1, INFO_REF);
}

/* Two readers at once: the other's channel must not be released by us. */
static void test_other_reader_faster(void **state)
{
	(void)state;
	fake.written = answer_other;
	expect_failure(-EBUSY, "faster");
	assert_int_equal(releases, 0);
}

static void answer_nonsense(const char *path, const char *value)
{
	silent(path, value);
	if (!strncmp(value, "connect", 7))
		set_state("ready %u -1", session);
}

static void test_nonsense_state(void **state)
{
	(void)state;
	fake.written = answer_nonsense;
	expect_failure(-EPROTO, "makes no sense");
	assert_int_equal(releases, 1);
}

static void answer_bad_info(const char *path, const char *value)
{
	honest(path, value);
	if (!strncmp(value, "connect", 7))
		info()->nr_dir_pages = 1000;
}

static void test_bad_info_page(void **state)
{
	(void)state;
	fake.written = answer_bad_info;
	expect_failure(-EPROTO, "directory");
	assert_int_equal(releases, 1);
}

/* A grant that does not exist, in the directory of an otherwise sound channel. */
static void answer_bad_directory(const char *path, const char *value)
{
	honest(path, value);
	if (!strncmp(value, "connect", 7))
		((uint32_t *)fake_page(DIR_REF))[NR_RINGS * RING_PAGES - 1] = 1u << 31;
}

static void test_bad_directory(void **state)
{
	(void)state;
	fake.written = answer_bad_directory;
	expect_failure(-EINVAL, "mapping a ring");
	assert_int_equal(releases, 1);
}

static void test_larger_than_wanted(void **state)
{
	const struct xenrelay_options opts = {.max_kib = NR_RINGS * RING_PAGES * 4 - 1};
	struct xenrelay_channel *ch;

	(void)state;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts, &ch), -E2BIG);
	assert_int_equal(releases, 1);
}

static void test_lying_head(void **state)
{
	unsigned char buf[CAPACITY][ITEM_SIZE];
	struct xenrelay_channel *ch;

	(void)state;
	assert_int_equal(connect_quick(&ch), 0);
	put_item(0, 0, 1);
	producer(2)->ring.head = CAPACITY + 1;
	assert_int_equal(xenrelay_read(ch, 1, buf, CAPACITY), -EPROTO);
	assert_non_null(strstr(xenrelay_strerror(reader), "ring 1"));
	/* The other ring is none the worse. */
	assert_int_equal(xenrelay_read(ch, 0, buf, CAPACITY), 1);
	xenrelay_release(ch);
}

static void test_guest_does_not_stop(void **state)
{
	struct xenrelay_channel *ch;

	(void)state;
	assert_int_equal(connect_quick(&ch), 0);
	fake.written = silent;
	assert_int_equal(xenrelay_disconnect(ch, 0), -EINPROGRESS);
	assert_int_equal(xenrelay_disconnect(ch, 50), -ETIMEDOUT);
	xenrelay_release(ch);
	assert_int_equal(releases, 1);
}

/* The module is unloaded, the state changes hands, the domain goes. */
static void test_ends_of_the_other_side(void **state)
{
	struct xenrelay_channel *ch;

	(void)state;
	assert_int_equal(connect_quick(&ch), 0);
	assert_false(xenrelay_stopped(ch));
	fake_remove(DIR "/state");
	assert_int_equal(xenrelay_dispatch(reader) & XENRELAY_CHANGED_CHANNEL,
			 XENRELAY_CHANGED_CHANNEL);
	assert_true(xenrelay_stopped(ch));
	xenrelay_release(ch);
	assert_int_equal(releases, 0); /* nobody is there to hear it */

	set_state("open");
	assert_int_equal(connect_quick(&ch), 0);
	set_state("ready 1 1");
	xenrelay_dispatch(reader);
	assert_true(xenrelay_stopped(ch));
	xenrelay_release(ch);

	set_state("open");
	assert_int_equal(connect_quick(&ch), 0);
	xenrelay_dispatch(reader);
	assert_false(xenrelay_stopped(ch));
	fake.domain_gone = true;
	fake_fire("@releaseDomain");
	assert_int_equal(xenrelay_dispatch(reader) & XENRELAY_CHANGED_DOMAIN,
			 XENRELAY_CHANGED_DOMAIN);
	assert_true(xenrelay_stopped(ch));
	assert_int_equal(xenrelay_disconnect(ch, 1000), 0);
	xenrelay_release(ch);
	assert_false(xenrelay_domain_exists(reader, 3));
}

/* Closing the reader alone is a safe end. */
static void test_close_without_release(void **state)
{
	struct xenrelay_channel *ch;

	(void)state;
	assert_int_equal(connect_quick(&ch), 0);
	xenrelay_reader_close(reader);
	reader = NULL;
	assert_int_equal(fake.mapped, 0);
	assert_int_equal(releases, 1);
}

static void test_list(void **state)
{
	char **names;

	(void)state;
	fake_write("/local/domain/3/data/xenrelay/a b", "");
	fake_write("/local/domain/3/data/xenrelay/\033[2J", "");
	fake_write("/local/domain/3/data/xenrelay/second", "");
	assert_int_equal(xenrelay_list(reader, 3, &names), 2);
	assert_string_equal(names[0], "xblk");
	assert_string_equal(names[1], "second");
	xenrelay_list_free(names, 2);
	assert_int_equal(xenrelay_list(reader, 4, &names), 0);
	xenrelay_list_free(names, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_life),
		TEST(test_every_mapping_may_fail),
		TEST(test_no_channel),
		TEST(test_other_version),
		TEST(test_guest_silent),
		TEST(test_guest_fails),
		TEST(test_busy),
		TEST(test_busy_for_a_while),
		TEST(test_other_reader_faster),
		TEST(test_nonsense_state),
		TEST(test_bad_info_page),
		TEST(test_bad_directory),
		TEST(test_larger_than_wanted),
		TEST(test_lying_head),
		TEST(test_guest_does_not_stop),
		TEST(test_ends_of_the_other_side),
		TEST(test_close_without_release),
		TEST(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
