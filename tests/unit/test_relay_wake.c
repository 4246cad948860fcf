// SPDX-License-Identifier: GPL-2.0-only
/*
 * What wakes a reader that sleeps on its descriptor: channels that come and go,
 * and doorbells; and what a guest that overdoes it can cost.
 */
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "played_guest.h"

#define PARENT "/local/domain/3/data/xenrelay"

static bool readable(int timeout_ms)
{
	struct pollfd pfd = {.fd = xenrelay_fd(reader), .events = POLLIN};

	return poll(&pfd, 1, timeout_ms) == 1;
}

/* As a loop would: until a dispatch reports one of @what, or nothing happens for so long.
 */
static bool happens(int what, int timeout_ms)
{
	int i, ret;

	for (i = 0; i < 10 && readable(timeout_ms); i++) {
		ret = xenrelay_dispatch(reader);
		assert_true(ret >= 0);
		if (ret & what)
			return true;
	}
	return false;
}

static bool wait_for(int what)
{
	return happens(what, 3000);
}

static void quiet(void)
{
	while (readable(0))
		assert_true(xenrelay_dispatch(reader) >= 0);
}

static void expect_offer(unsigned int domid, const char *name, bool present)
{
	struct xenrelay_offer offer = {.size = sizeof(offer)};

	assert_int_equal(xenrelay_next_offer(reader, &offer), 1);
	assert_string_equal(offer.channel, name);
	assert_int_equal(offer.domid, domid);
	assert_int_equal(offer.present, present);
}

static void expect_no_offer(void)
{
	struct xenrelay_offer offer = {.size = sizeof(offer)};

	assert_int_equal(xenrelay_next_offer(reader, &offer), 0);
}

static void expect_node(const char *node)
{
	char path[XENRELAY_NODE_SIZE];

	assert_int_equal(xenrelay_next_node(reader, path, sizeof(path)), 1);
	assert_string_equal(path, node);
}

static void expect_no_node(void)
{
	char path[XENRELAY_NODE_SIZE];

	assert_int_equal(xenrelay_next_node(reader, path, sizeof(path)), 0);
}

static void test_nodes(void **state)
{
	char path[XENRELAY_NODE_SIZE];

	(void)state;
	expect_no_node();
	assert_int_equal(xenrelay_watch_nodes(reader, "", 2), -EINVAL);
	assert_int_equal(xenrelay_watch_nodes(NULL, "/x", 2), -EINVAL);
	assert_int_equal(xenrelay_watch_nodes(reader, "/backend/vbd", 2), 0);
	assert_int_equal(xenrelay_next_node(NULL, path, sizeof(path)), -EINVAL);
	assert_int_equal(xenrelay_next_node(reader, NULL, sizeof(path)), -EINVAL);
	assert_int_equal(xenrelay_next_node(reader, path, sizeof(path) - 1), -EINVAL);
	/* A new watch fires at once. */
	assert_true(wait_for(XENRELAY_CHANGED_NODES));
	expect_node("/backend/vbd");
	expect_no_node();
	quiet();
	fake_write("/backend/vbd/3/51712/state", "4");
	assert_true(wait_for(XENRELAY_CHANGED_NODES));
	expect_node("/backend/vbd/3/51712");
	expect_no_node();
	fake_write("/elsewhere", "");
	assert_false(happens(XENRELAY_CHANGED_NODES, 100));

	/* Each once, in order, and no deeper than was asked for. */
	fake_write("/backend/vbd/3/51712/state", "5");
	fake_write("/backend/vbd/4", "");
	fake_write("/backend/vbd/3/51712/params/a/b", "x");
	fake_write("/backend/vbd/3/51728", "");
	fake_write("/backend/vbd/4", "x");
	assert_true(wait_for(XENRELAY_CHANGED_NODES));
	expect_node("/backend/vbd/3/51712");
	expect_node("/backend/vbd/4");
	expect_node("/backend/vbd/3/51728");
	expect_no_node();

	/* The same path as the beginning of another's name is not it. */
	fake_write("/backend/vbd/3/5", "");
	fake_write("/backend/vbd/3/51", "");
	assert_true(wait_for(XENRELAY_CHANGED_NODES));
	expect_node("/backend/vbd/3/5");
	expect_node("/backend/vbd/3/51");
	expect_no_node();
}

/* Names that do not fit are told by what is above them. */
static void test_long_nodes(void **state)
{
	char path[300] = "/backend/vbd/3/";

	(void)state;
	assert_int_equal(xenrelay_watch_nodes(reader, "/backend/vbd", 3), 0);
	quiet();
	expect_node("/backend/vbd");
	memset(path + strlen(path), 'x', 200);
	fake_write(path, "");
	assert_true(wait_for(XENRELAY_CHANGED_NODES));
	expect_node("/backend/vbd/3");
	path[XENRELAY_NODE_SIZE - 1] = '\0';
	fake_write(path, "");
	assert_true(wait_for(XENRELAY_CHANGED_NODES));
	expect_node(path);
	expect_no_node();
}

/* More than are kept, by many watches that are each within their bounds. */
static void test_too_many_nodes(void **state)
{
	char path[XENRELAY_NODE_SIZE];
	unsigned int i, k;

	(void)state;
	for (i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/w%u", i);
		assert_int_equal(xenrelay_watch_nodes(reader, path, 1), 0);
	}
	quiet();
	while (xenrelay_next_node(reader, path, sizeof(path)) == 1)
		;
	for (i = 0; i < 8; i++) {
		for (k = 0; k < 200; k++) {
			snprintf(path, sizeof(path), "/w%u/%u", i, k);
			fake_fire(path);
		}
	}
	assert_true(wait_for(XENRELAY_CHANGED_NODES));
	assert_int_equal(xenrelay_next_node(reader, path, sizeof(path)), -EOVERFLOW);
	expect_no_node();
	fake_fire("/w3/7");
	assert_true(wait_for(XENRELAY_CHANGED_NODES));
	expect_node("/w3/7");
	expect_no_node();
}

/* What was written while the watch was taken back is told by the watched node. */
static void test_muted_nodes(void **state)
{
	unsigned int i;

	(void)state;
	assert_int_equal(xenrelay_watch_nodes(reader, "/backend", 2), 0);
	quiet();
	expect_node("/backend");
	for (i = 0; i < 400; i++)
		fake_write("/backend/vbd/3", "");
	assert_true(wait_for(XENRELAY_CHANGED_NODES));
	expect_node("/backend/vbd/3");
	expect_no_node();
	fake_write("/backend/vbd/4", "");
	assert_true(wait_for(XENRELAY_CHANGED_NODES));
	expect_node("/backend");
	expect_no_node();
}

static void test_channels_come_and_go(void **state)
{
	(void)state;
	expect_no_offer();
	assert_int_equal(xenrelay_watch_channels(reader, 3), 0);
	assert_int_equal(xenrelay_watch_channels(reader, 3), 0);
	expect_offer(3, "xblk", true);
	expect_no_offer();
	quiet();

	/* A directory is no channel yet; its state is what the guest writes last. */
	fake_write(PARENT "/net", "");
	fake_write(PARENT "/net/version", "1");
	assert_false(happens(XENRELAY_CHANGED_OFFERS, 400));
	fake_write(PARENT "/net/state", "open");
	assert_true(wait_for(XENRELAY_CHANGED_OFFERS));
	expect_offer(3, "net", true);

	fake_remove(DIR "/state");
	assert_true(wait_for(XENRELAY_CHANGED_OFFERS));
	expect_offer(3, "xblk", false);
	expect_no_offer();
	fake_write(DIR "/state", "open");
	assert_true(wait_for(XENRELAY_CHANGED_OFFERS));
	expect_offer(3, "xblk", true);

	fake.domain_gone = true;
	fake_fire("@releaseDomain");
	assert_true(wait_for(XENRELAY_CHANGED_OFFERS));
	expect_offer(3, "net", false);
	expect_offer(3, "xblk", false);
	expect_no_offer();

	assert_int_equal(xenrelay_unwatch_channels(reader), 0);
	assert_int_equal(fake.watching, 1);
}

/* It is not told that one comes and goes between two looks, nor one that stays. */
static void test_differences_only(void **state)
{
	(void)state;
	assert_int_equal(xenrelay_watch_channels(reader, 3), 0);
	quiet();
	fake_remove(DIR "/state");
	happens(XENRELAY_CHANGED_OFFERS, 400);
	fake_write(DIR "/state", "open");
	happens(XENRELAY_CHANGED_OFFERS, 400);
	quiet();
	expect_offer(3, "xblk", true);
	expect_no_offer();
}

/* C17: closed and opened again between two looks, it is another channel. */
static void test_opened_anew(void **state)
{
	struct xenrelay_offer offer = {.size = sizeof(offer)};

	(void)state;
	fake_write(DIR "/generation", "18446744073709551615");
	assert_int_equal(xenrelay_watch_channels(reader, 3), 0);
	assert_int_equal(xenrelay_next_offer(reader, &offer), 1);
	assert_true(offer.present);
	assert_int_equal(offer.generation, UINT64_MAX);
	expect_no_offer();
	quiet();

	fake_remove(DIR "/state");
	fake_remove(DIR "/generation");
	fake_write(DIR "/generation", "7");
	fake_write(DIR "/state", "open");
	assert_true(wait_for(XENRELAY_CHANGED_OFFERS));
	assert_int_equal(xenrelay_next_offer(reader, &offer), 1);
	assert_false(offer.present);
	assert_int_equal(offer.generation, UINT64_MAX);
	assert_int_equal(xenrelay_next_offer(reader, &offer), 1);
	assert_true(offer.present);
	assert_int_equal(offer.generation, 7);
	expect_no_offer();
	assert_false(happens(XENRELAY_CHANGED_OFFERS, 400));

	/* Gone before it was asked: then only that. */
	fake_write(DIR "/generation", "8");
	happens(XENRELAY_CHANGED_OFFERS, 400);
	fake_remove(DIR "/state");
	happens(XENRELAY_CHANGED_OFFERS, 400);
	expect_offer(3, "xblk", false);
	expect_no_offer();

	/* What is no number is as good as none, and changes nothing. */
	fake_write(DIR "/generation", "9x");
	fake_write(DIR "/state", "open");
	assert_true(wait_for(XENRELAY_CHANGED_OFFERS));
	assert_int_equal(xenrelay_next_offer(reader, &offer), 1);
	assert_int_equal(offer.generation, 0);
	fake_write(DIR "/generation", "18446744073709551616");
	assert_false(happens(XENRELAY_CHANGED_OFFERS, 400));
	expect_no_offer();
}

static void test_every_domain(void **state)
{
	(void)state;
	fake_write("/local/domain/0", "");
	fake_write("/local/domain/0/data/xenrelay/own", "");
	fake_write("/local/domain/0/data/xenrelay/own/state", "open");
	fake_write("/local/domain/x7", "");
	fake_write("/local/domain/99999", "");
	assert_int_equal(xenrelay_watch_channels(reader, XENRELAY_EVERY_DOMAIN), 0);
	expect_offer(3, "xblk", true);
	expect_no_offer();
	quiet();

	fake_write("/local/domain/12", "");
	fake_fire("@introduceDomain");
	assert_false(happens(XENRELAY_CHANGED_OFFERS, 400));
	fake_write("/local/domain/12/data/xenrelay/xblk", "");
	fake_write("/local/domain/12/data/xenrelay/xblk/state", "open");
	assert_true(wait_for(XENRELAY_CHANGED_OFFERS));
	expect_offer(12, "xblk", true);

	fake_remove("/local/domain/12");
	fake_remove("/local/domain/12/data/xenrelay/xblk");
	fake_remove("/local/domain/12/data/xenrelay/xblk/state");
	fake_fire("@releaseDomain");
	assert_true(wait_for(XENRELAY_CHANGED_OFFERS));
	expect_offer(12, "xblk", false);
	happens(XENRELAY_CHANGED_OFFERS, 400);
	/* "@releaseDomain", "@introduceDomain" and domain 3's. */
	assert_int_equal(fake.watching, 3);
}

/* What it costs that a domain comes does not depend on how many there are. */
static void test_one_comes(void **state)
{
	unsigned int domid, calls;
	char path[64];

	(void)state;
	for (domid = 20; domid < 220; domid++) {
		snprintf(path, sizeof(path), "/local/domain/%u", domid);
		fake_write(path, "");
	}
	assert_int_equal(xenrelay_watch_channels(reader, XENRELAY_EVERY_DOMAIN), 0);
	expect_offer(3, "xblk", true);
	/* Each is looked at again when its watch has fired. */
	while (readable(300))
		assert_true(xenrelay_dispatch(reader) >= 0);

	/* Its nodes are there before it is. */
	fake.domain_gone = true;
	calls = fake.calls;
	fake_write("/local/domain/12", "");
	fake_write("/local/domain/12/data/xenrelay/xblk", "");
	fake_write("/local/domain/12/data/xenrelay/xblk/state", "open");
	fake_fire("@introduceDomain");
	assert_false(happens(XENRELAY_CHANGED_OFFERS, 400));
	fake.domain_gone = false;
	fake_fire("@introduceDomain");
	assert_true(wait_for(XENRELAY_CHANGED_OFFERS));
	expect_offer(12, "xblk", true);
	assert_in_range(fake.calls - calls, 1, 20);
}

static void test_hostile_names(void **state)
{
	static const char *const names[] = {
		"a b",
		"..",
		"\033[2J",
		"\xff\xfe",
		"%s%n",
		"x\ny",
		"0123456789012345678901234567890123456789",
	};
	struct xenrelay_watch_stats stats = {.size = sizeof(stats)};
	char path[128];
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), PARENT "/%s", names[i]);
		fake_write(path, "");
		snprintf(path, sizeof(path), PARENT "/%s/state", names[i]);
		fake_write(path, "open");
	}
	assert_int_equal(xenrelay_watch_channels(reader, 3), 0);
	expect_offer(3, "xblk", true);
	expect_no_offer();
	xenrelay_get_watch_stats(reader, &stats);
	assert_int_equal(stats.bad_names, i);
}

static void offer_many(unsigned int nr)
{
	char path[128];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), PARENT "/c%u", i);
		fake_write(path, "");
		snprintf(path, sizeof(path), PARENT "/c%u/state", i);
		fake_write(path, "open");
	}
}

/* More channels than are looked at: the rest is counted, and gets its turn. */
static void test_too_many_channels(void **state)
{
	struct xenrelay_watch_stats stats = {.size = sizeof(stats)};
	struct xenrelay_offer offer = {.size = sizeof(offer)};
	char path[128], **names;
	unsigned int i, told = 0;

	(void)state;
	offer_many(80);
	assert_int_equal(xenrelay_list(reader, 3, &names), XENRELAY_MAX_CHANNELS);
	xenrelay_list_free(names, XENRELAY_MAX_CHANNELS);
	assert_int_equal(xenrelay_watch_channels(reader, 3), 0);
	while (xenrelay_next_offer(reader, &offer) == 1)
		told++;
	assert_int_equal(told, XENRELAY_MAX_CHANNELS);
	xenrelay_get_watch_stats(reader, &stats);
	assert_int_equal(stats.left_out, 81 - XENRELAY_MAX_CHANNELS);

	for (i = 0; i < 40; i++) {
		snprintf(path, sizeof(path), PARENT "/c%u", i);
		fake_remove(path);
	}
	assert_true(wait_for(XENRELAY_CHANGED_OFFERS));
	for (i = 0; i < 10 && told != 80 - 40 + 1; i++) {
		while (xenrelay_next_offer(reader, &offer) == 1)
			told += offer.present ? 1 : -1;
		happens(XENRELAY_CHANGED_OFFERS, 400);
	}
	assert_int_equal(told, 80 - 40 + 1);
}

/* Thousands of events: a bounded number is taken in, and the last word is heard. */
static void test_storm(void **state)
{
	struct xenrelay_watch_stats stats = {.size = sizeof(stats)};
	unsigned int i;

	(void)state;
	assert_int_equal(xenrelay_watch_channels(reader, 3), 0);
	expect_offer(3, "xblk", true);
	quiet();
	for (i = 0; i < 4000; i++)
		fake_write(DIR "/config", "x");
	assert_true(xenrelay_dispatch(reader) >= 0);
	xenrelay_get_watch_stats(reader, &stats);
	assert_int_equal(stats.muted, 1);
	assert_in_range(stats.events, 256, 300);

	/* Nothing that it writes now wakes anybody, but for the looks that are due. */
	for (i = 0; i < 4000; i++)
		fake_write(DIR "/config", "x");
	assert_false(happens(XENRELAY_CHANGED_OFFERS, 400));
	fake_remove(DIR "/state");
	assert_true(wait_for(XENRELAY_CHANGED_OFFERS));
	expect_offer(3, "xblk", false);
	xenrelay_get_watch_stats(reader, &stats);
	assert_in_range(stats.events, 256, 310);
	assert_in_range(stats.looks, 1, 8);
}

/*
 * However many channels a domain has, a turn takes few requests: whether it is there, its
 * list, and two nodes of each of 4 channels.  Until all have been looked at nothing is
 * told.
 */
static void test_turns(void **state)
{
	struct xenrelay_offer offer = {.size = sizeof(offer)};
	unsigned int calls, turns = 0, came = 0, gone = 0;

	(void)state;
	offer_many(60);
	assert_int_equal(xenrelay_watch_channels(reader, 3), 0);
	while (xenrelay_next_offer(reader, &offer) == 1)
		assert_true(offer.present);
	happens(XENRELAY_CHANGED_OFFERS, 400);
	fake_remove(PARENT "/c59/state");
	fake_write(PARENT "/d", "");
	fake_write(PARENT "/d/state", "open");
	while (!(came && gone) && readable(400)) {
		calls = fake.calls;
		assert_true(xenrelay_dispatch(reader) >= 0);
		assert_in_range(fake.calls - calls, 0, 3 + 2 * 4);
		turns += fake.calls != calls;
		while (xenrelay_next_offer(reader, &offer) == 1) {
			assert_string_equal(offer.channel, offer.present ? "d" : "c59");
			came += offer.present;
			gone += !offer.present;
		}
	}
	assert_int_equal(came, 1);
	assert_int_equal(gone, 1);
	assert_in_range(turns, 61 / 4, 61);
}

/* Then channels and nodes are looked at no more, also where a look was under way. */
static void test_wind_down(void **state)
{
	struct xenrelay_channel *ch;
	unsigned int i, calls;

	(void)state;
	assert_int_equal(connect_quick(&ch), 0);
	offer_many(60);
	assert_int_equal(xenrelay_watch_nodes(reader, "/backend", 2), 0);
	assert_int_equal(xenrelay_watch_channels(reader, XENRELAY_EVERY_DOMAIN), 0);
	while (happens(~0, 400))
		;
	fake_write(PARENT "/c0/state", "closed");
	fake_write("/backend/vbd", "");
	fake_fire("@introduceDomain");
	assert_true(readable(0));
	assert_true(xenrelay_dispatch(reader) >= 0);

	calls = fake.calls;
	assert_int_equal(xenrelay_wind_down(reader), 0);
	fake_write(PARENT "/d/state", "open");
	fake_write("/backend/vbd", "x");
	fake_fire("@introduceDomain");
	for (i = 0; i < 8; i++)
		assert_false(
			happens(XENRELAY_CHANGED_OFFERS | XENRELAY_CHANGED_NODES, 200));
	assert_int_equal(fake.calls, calls);
	/* Whoever writes without end is not listened to any more. */
	for (i = 0; i < 400; i++)
		fake_write(PARENT "/c0/state", "open");
	assert_true(xenrelay_dispatch(reader) >= 0);
	assert_int_equal(fake.calls, calls + 1);
	fake_write(PARENT "/c0/state", "open");
	assert_false(readable(1200));
	assert_int_equal(fake.calls, calls + 1);

	/* What happens to a channel is heard. */
	producer(0)->channel.state = XENRELAY_STOPPED;
	set_state("stopped %u", session);
	assert_true(wait_for(XENRELAY_CHANGED_CHANNEL));
	assert_true(xenrelay_stopped(ch));
	xenrelay_release(ch);
	assert_int_equal(releases, 1);
}

/* XenStore takes watches back itself when the reader is closed. */
static void test_close(void **state)
{
	unsigned int calls;

	(void)state;
	assert_int_equal(xenrelay_watch_nodes(reader, "/backend", 2), 0);
	assert_int_equal(xenrelay_watch_channels(reader, XENRELAY_EVERY_DOMAIN), 0);
	calls = fake.calls;
	xenrelay_reader_close(reader);
	assert_int_equal(fake.calls, calls);
	assert_int_equal(xenrelay_reader_open(&reader), 0);
}

static void honest_with_bell(const char *path, const char *value)
{
	honest(path, value);
	if (strncmp(value, "connect", 7))
		return;
	info()->flags |= XENRELAY_F_DOORBELL;
	info()->doorbell_port = 17;
}

static struct xenrelay_channel *connect_with_bell(void)
{
	const struct xenrelay_options opts = {.size = sizeof(opts),
					      .doorbell_percent = 50};
	struct xenrelay_channel *ch;

	fake.written = honest_with_bell;
	fake_write(DIR "/features", "doorbell");
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts, &ch), 0);
	quiet();
	return ch;
}

static void test_doorbell(void **state)
{
	struct xenrelay_channel_stats stats = {.size = sizeof(stats)};
	struct xenrelay_properties p = {.size = sizeof(p)};
	unsigned char item[ITEM_SIZE];
	struct xenrelay_channel *ch;
	uint32_t number;

	(void)state;
	fake.bell_port = 17;
	ch = connect_with_bell();
	xenrelay_get_properties(ch, &p);
	assert_int_equal(p.doorbell, 1);

	/* The number differs each time; an item that is there already forbids sleep. */
	assert_int_equal(xenrelay_arm(ch), 0);
	number = consumer(0)->channel.armed;
	producer(2)->ring.head = 1;
	assert_int_equal(xenrelay_arm(ch), 1);
	assert_int_not_equal(consumer(0)->channel.armed, number);
	assert_int_equal(xenrelay_read(ch, 1, item, 1, NULL), 1);
	assert_int_equal(xenrelay_arm(ch), 0);
	assert_int_equal(consumer(0)->channel.attached, 1);

	assert_false(readable(0));
	assert_false(xenrelay_rang(ch));
	fake_ring_bell();
	assert_true(readable(0));
	assert_true(xenrelay_dispatch(reader) & XENRELAY_RANG);
	assert_true(xenrelay_rang(ch));
	assert_false(xenrelay_rang(ch));
	assert_false(readable(0));

	xenrelay_get_channel_stats(ch, &stats);
	assert_int_equal(stats.rang, 1);
	xenrelay_release(ch);
	assert_false(fake.bound);
}

/* It rings without end: once for each time that it is armed, a bounded number a second. */
static void test_bell_without_end(void **state)
{
	struct xenrelay_channel *ch;
	unsigned int rang = 0, i;
	struct timespec begin, end;

	(void)state;
	fake.bell_port = 17;
	ch = connect_with_bell();
	for (i = 0; i < 1000; i++) {
		fake_ring_bell();
		rang += xenrelay_dispatch(reader) == XENRELAY_RANG;
	}
	assert_int_equal(rang, 1);
	assert_false(readable(20));

	/* Armed too soon, it has to wait, and is then heard by itself. */
	assert_true(xenrelay_arm(ch) >= 0);
	assert_true(wait_for(XENRELAY_RANG));
	clock_gettime(CLOCK_MONOTONIC, &begin);
	fake.unmasked = 0;
	for (i = 0; i < 1000; i++) {
		fake_ring_bell();
		assert_true(xenrelay_arm(ch) >= 0);
		xenrelay_dispatch(reader);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_in_range(fake.unmasked, 0,
			(end.tv_sec - begin.tv_sec) * 1000 +
				(end.tv_nsec - begin.tv_nsec) / 1000000 + 2);
	xenrelay_release(ch);
}

/* For nothing, it is heard less and less; with a reason it is heard at once again. */
static void test_bell_in_vain(void **state)
{
	struct xenrelay_channel_stats stats = {.size = sizeof(stats)};
	unsigned char items[CAPACITY * ITEM_SIZE];
	struct xenrelay_channel *ch;
	struct timespec begin, end;
	unsigned int i;

	(void)state;
	fake.bell_port = 17;
	ch = connect_with_bell();
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (i = 1; i <= 7; i++) {
		fake_ring_bell();
		assert_true(xenrelay_arm(ch) >= 0);
		assert_true(wait_for(XENRELAY_RANG));
		xenrelay_get_channel_stats(ch, &stats);
		assert_int_equal(stats.vain, i);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_in_range((end.tv_sec - begin.tv_sec) * 1000 +
				(end.tv_nsec - begin.tv_nsec) / 1000000,
			2 + 4 + 8 + 16 + 32 + 64 - 6, 100000);

	/* Not quite the half of a ring that it is to ring at, and then so much. */
	producer(1)->ring.head = CAPACITY / 2 - 1;
	fake_ring_bell();
	xenrelay_arm(ch);
	assert_true(wait_for(XENRELAY_RANG));
	xenrelay_get_channel_stats(ch, &stats);
	assert_int_equal(stats.vain, 8);
	producer(1)->ring.head = CAPACITY / 2;
	fake_ring_bell();
	xenrelay_arm(ch);
	assert_true(wait_for(XENRELAY_RANG));
	xenrelay_get_channel_stats(ch, &stats);
	assert_int_equal(stats.vain, 0);
	assert_int_equal(xenrelay_read(ch, 0, items, CAPACITY, NULL), CAPACITY / 2);
	xenrelay_release(ch);
}

/* Without a doorbell the channel is as good, and only has to be polled. */
static void test_no_bell(void **state)
{
	struct xenrelay_properties p = {.size = sizeof(p)};
	struct xenrelay_channel *ch;

	(void)state;
	/* The port that the guest names is not one. */
	ch = connect_with_bell();
	xenrelay_get_properties(ch, &p);
	assert_int_equal(p.doorbell, -EINVAL);
	assert_int_equal(xenrelay_arm(ch), -EOPNOTSUPP);
	xenrelay_release(ch);

	/* It offers one and grants none. */
	fake.written = honest;
	ch = NULL;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk",
					  &(struct xenrelay_options){
						  .size = sizeof(struct xenrelay_options),
						  .doorbell_percent = 1},
					  &ch),
			 0);
	assert_string_equal(words_given, "version=1 rings=1024 doorbell=1");
	xenrelay_get_properties(ch, &p);
	assert_int_equal(p.doorbell, -EOPNOTSUPP);
	xenrelay_release(ch);
}

/* A bell that nobody hears does not hold up a wait for something else. */
static void test_bell_while_waiting(void **state)
{
	struct xenrelay_channel *ch;

	(void)state;
	fake.bell_port = 17;
	ch = connect_with_bell();
	fake_ring_bell();
	fake.written = silent;
	assert_int_equal(xenrelay_disconnect(ch, 50), -ETIMEDOUT);
	assert_true(wait_for(XENRELAY_RANG));
	xenrelay_release(ch);
}

static void test_bad_arguments(void **state)
{
	struct xenrelay_watch_stats stats = {.size = sizeof(stats)};
	struct xenrelay_offer offer = {.size = sizeof(offer)};

	(void)state;
	assert_int_equal(xenrelay_watch_channels(NULL, 3), -EINVAL);
	assert_int_equal(xenrelay_watch_channels(reader, 0x7ff0), -EINVAL);
	assert_int_equal(xenrelay_unwatch_channels(NULL), -EINVAL);
	assert_int_equal(xenrelay_wind_down(NULL), -EINVAL);
	assert_int_equal(xenrelay_unwatch_channels(reader), 0);
	assert_int_equal(xenrelay_next_offer(NULL, &offer), -EINVAL);
	assert_int_equal(xenrelay_next_offer(reader, NULL), -EINVAL);
	assert_int_equal(xenrelay_get_watch_stats(NULL, &stats), -EINVAL);
	assert_int_equal(xenrelay_get_watch_stats(reader, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nodes),
		TEST(test_long_nodes),
		TEST(test_too_many_nodes),
		TEST(test_muted_nodes),
		TEST(test_channels_come_and_go),
		TEST(test_differences_only),
		TEST(test_opened_anew),
		TEST(test_every_domain),
		TEST(test_one_comes),
		TEST(test_hostile_names),
		TEST(test_too_many_channels),
		TEST(test_storm),
		TEST(test_turns),
		TEST(test_wind_down),
		TEST(test_close),
		TEST(test_doorbell),
		TEST(test_bell_without_end),
		TEST(test_bell_in_vain),
		TEST(test_no_bell),
		TEST(test_bell_while_waiting),
		TEST(test_bad_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
