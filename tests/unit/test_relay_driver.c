// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reader in a driver domain, number 1, that serves domains 3 and 5.  XenStore shows
 * it nothing but what is its own and the channels that domain 0 has opened to it, tells
 * it of no domain that goes, and says of all else that it is closed, also of what is
 * not there.
 */
#include <errno.h>
#include <poll.h>

#include "played_guest.h"

#define CHANNELS "/local/domain/3/data/xenrelay"
#define BACKEND	 "/local/domain/1/backend"

static bool let_in;

static bool below(const char *path, const char *dir)
{
	return !strncmp(path, dir, strlen(dir));
}

static bool closed(const char *path)
{
	return strcmp(path, "domid") && !below(path, "/local/domain/1") &&
	       !(let_in && below(path, CHANNELS));
}

static int setup_driver(void **state)
{
	setup(state);
	xenrelay_reader_close(reader);
	fake.watching = 0;
	let_in = false;
	fake.closed = closed;
	fake_write("domid", "1");
	fake_write(CHANNELS, "");
	fake_write(BACKEND "/vbd", "");
	fake_write(BACKEND "/vbd/3", "");
	fake_write(BACKEND "/vbd/5", "");
	fake_write(BACKEND "/vbd/nonsense", "");
	fake_write(BACKEND "/vif", "");
	fake_write(BACKEND "/vif/5", "");
	return xenrelay_reader_open(&reader);
}

#define DRIVER_TEST(f) cmocka_unit_test_setup_teardown(f, setup_driver, teardown)

static void test_domains(void **state)
{
	unsigned int *domids;

	(void)state;
	assert_int_equal(xenrelay_list_domains(reader, NULL), -EINVAL);
	assert_int_equal(xenrelay_list_domains(reader, &domids), 2);
	assert_int_equal(domids[0], 3);
	assert_int_equal(domids[1], 5);
	free(domids);

	/* Domain 0 sees all but itself, whomever it serves. */
	fake.closed = NULL;
	fake_write("/local/domain/12", "");
	fake_write("/local/domain/1", "");
	assert_int_equal(xenrelay_list_domains(reader, &domids), 2);
	assert_int_equal(domids[0], 3);
	assert_int_equal(domids[1], 12);
	free(domids);
}

static void expect_hint(void)
{
	if (!strstr(xenrelay_strerror(reader), "run 'xblk-allow 3 1' in domain 0"))
		fail_msg("\"%s\" gives no hint", xenrelay_strerror(reader));
}

static void test_not_let_in(void **state)
{
	uint32_t oldest, newest;
	char **names;

	(void)state;
	assert_false(xenrelay_domain_exists(reader, 3));
	assert_int_equal(xenrelay_list(reader, 3, &names), -EACCES);
	expect_hint();
	assert_int_equal(xenrelay_get_versions(reader, 3, "xblk", &oldest, &newest),
			 -EACCES);
	expect_hint();
	expect_failure(-EACCES, "closed");
	expect_hint();
}

static void test_let_in(void **state)
{
	struct xenrelay_channel *ch;
	char **names;

	(void)state;
	let_in = true;
	assert_true(xenrelay_domain_exists(reader, 3));
	assert_false(xenrelay_domain_exists(reader, 5));
	assert_int_equal(xenrelay_list(reader, 3, &names), 1);
	xenrelay_list_free(names, 1);
	assert_int_equal(connect_quick(&ch), 0);
	assert_int_equal(domid_given, 1);
	assert_int_equal(xenrelay_disconnect(ch, 50), 0);
	xenrelay_release(ch);
	assert_int_equal(releases, 1);
}

static bool happens(int what, int timeout_ms)
{
	struct pollfd pfd = {.fd = xenrelay_fd(reader), .events = POLLIN};
	int i, ret;

	for (i = 0; i < 10 && poll(&pfd, 1, timeout_ms) == 1; i++) {
		ret = xenrelay_dispatch(reader);
		assert_true(ret >= 0);
		if (ret & what)
			return true;
	}
	return false;
}

static void expect_offer(bool present)
{
	struct xenrelay_offer offer = {.size = sizeof(offer)};

	assert_int_equal(xenrelay_next_offer(reader, &offer), 1);
	assert_string_equal(offer.channel, "xblk");
	assert_int_equal(offer.domid, 3);
	assert_int_equal(offer.present, present);
	assert_int_equal(xenrelay_next_offer(reader, &offer), 0);
}

/* It learns that it is let in, that its guest closes and opens, and that it goes. */
static void test_watch(void **state)
{
	struct xenrelay_offer offer = {.size = sizeof(offer)};

	(void)state;
	assert_int_equal(xenrelay_watch_channels(reader, XENRELAY_EVERY_DOMAIN), 0);
	assert_int_equal(xenrelay_watch_channels(reader, XENRELAY_EVERY_DOMAIN), 0);
	assert_int_equal(xenrelay_next_offer(reader, &offer), 0);
	assert_false(happens(XENRELAY_CHANGED_OFFERS, 400));

	let_in = true;
	fake_fire(CHANNELS);
	assert_true(happens(XENRELAY_CHANGED_OFFERS, 3000));
	expect_offer(true);
	fake_remove(DIR "/state");
	assert_true(happens(XENRELAY_CHANGED_OFFERS, 3000));
	expect_offer(false);
	fake_write(DIR "/state", "open");
	assert_true(happens(XENRELAY_CHANGED_OFFERS, 3000));
	expect_offer(true);

	let_in = false;
	fake_remove(BACKEND "/vbd/3");
	assert_true(happens(XENRELAY_CHANGED_OFFERS, 3000));
	expect_offer(false);
	happens(0, 400);
	/* "@releaseDomain", "@introduceDomain", the backends and domain 5's. */
	assert_int_equal(fake.watching, 4);
	assert_int_equal(xenrelay_unwatch_channels(reader), 0);
	assert_int_equal(fake.watching, 1);
}

/* Nothing is told of a guest's nodes once they are gone; its backend goes, too. */
static void test_guest_gone(void **state)
{
	struct xenrelay_channel *ch;

	(void)state;
	let_in = true;
	assert_int_equal(xenrelay_watch_channels(reader, XENRELAY_EVERY_DOMAIN), 0);
	assert_int_equal(connect_quick(&ch), 0);
	happens(0, 100);
	assert_false(xenrelay_stopped(ch));
	let_in = false;
	fake_remove(DIR "/state");
	assert_false(happens(XENRELAY_CHANGED_CHANNEL, 100));
	fake_remove(BACKEND "/vbd/3");
	assert_true(happens(XENRELAY_CHANGED_DOMAIN, 1000));
	assert_true(xenrelay_stopped(ch));
	assert_false(xenrelay_domain_exists(reader, 3));
	xenrelay_release(ch);
	assert_int_equal(releases, 0);
}

static void go(void)
{
	fake.idle = NULL;
	let_in = false;
	fake_remove(DIR "/state");
	fake_remove(BACKEND "/vbd/3");
}

/* The same is seen without a dispatch. */
static void test_guest_goes_while_waited_for(void **state)
{
	struct xenrelay_channel *ch;

	(void)state;
	let_in = true;
	assert_int_equal(xenrelay_watch_channels(reader, XENRELAY_EVERY_DOMAIN), 0);
	assert_int_equal(connect_quick(&ch), 0);
	fake.written = silent;
	fake.idle = go;
	assert_int_equal(xenrelay_disconnect(ch, 5000), 0);
	assert_false(xenrelay_domain_exists(reader, 3));
	xenrelay_release(ch);
	assert_int_equal(releases, 0);
}

static unsigned int calls;

static void count_call(void)
{
	calls++;
}

/*
 * A guest that writes to the nodes of its backend as often as its watch allows: the
 * domains are listed, and the channels looked at, a few times only.
 */
static void test_busy_backend(void **state)
{
	struct xenrelay_channel *ch;
	unsigned int i;

	(void)state;
	let_in = true;
	assert_int_equal(xenrelay_watch_channels(reader, XENRELAY_EVERY_DOMAIN), 0);
	assert_int_equal(connect_quick(&ch), 0);
	happens(0, 300);
	fake.called = count_call;
	for (i = 0; i < 200; i++) {
		fake_write(BACKEND "/vbd/3/51712/state", i % 2 ? "4" : "3");
		assert_true(xenrelay_dispatch(reader) >= 0);
		assert_false(xenrelay_stopped(ch));
	}
	assert_in_range(calls, 1, 50);
	/* The last of them is heard, too. */
	calls = 0;
	assert_true(happens(XENRELAY_CHANGED_DOMAIN, 1000));
	assert_in_range(calls, 1, 50);
	fake.called = NULL;
	xenrelay_release(ch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DRIVER_TEST(test_domains),
		DRIVER_TEST(test_not_let_in),
		DRIVER_TEST(test_let_in),
		DRIVER_TEST(test_watch),
		DRIVER_TEST(test_guest_gone),
		DRIVER_TEST(test_guest_goes_while_waited_for),
		DRIVER_TEST(test_busy_backend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
