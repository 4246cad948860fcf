// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reader that sleeps on its descriptor is told of channels that come and go; and what a
 * guest that overdoes it can cost.
 */
#include <errno.h>

#include "waking.h"

#define PARENT "/local/domain/3/data/xenrelay"

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
		TEST(test_bad_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
