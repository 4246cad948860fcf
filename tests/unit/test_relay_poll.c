// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connecting by start and poll: to any number of channels at once, at no guest's pace,
 * and at no cost while nothing happens.
 */
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "played_guest.h"

#define NR_OTHERS 40

static unsigned int calls;

static void count_call(void)
{
	calls++;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

static void dispatch_when_readable(int timeout_ms)
{
	struct pollfd pfd = {.fd = xenrelay_fd(reader), .events = POLLIN};

	poll(&pfd, 1, timeout_ms);
	assert_true(xenrelay_dispatch(reader) >= 0);
}

/* As a loop would: sleep, and ask the channels that are told of. */
static int finish(struct xenrelay_channel *ch)
{
	struct xenrelay_channel *changed;
	int i, err;

	for (i = 0; i < 100; i++) {
		dispatch_when_readable(3000);
		while ((changed = xenrelay_next_changed(reader))) {
			assert_ptr_equal(changed, ch);
			err = xenrelay_connect_poll(ch);
			if (err != -EINPROGRESS)
				return err;
		}
	}
	return -EINPROGRESS;
}

static void test_start_and_poll(void **state)
{
	struct xenrelay_properties p = {.size = sizeof(p)};
	struct xenrelay_channel *ch;
	char item[ITEM_SIZE];

	(void)state;
	fake.written = silent;
	assert_int_equal(xenrelay_connect_start(reader, 3, "xblk", NULL, &ch), 0);
	dispatch_when_readable(1000);
	assert_int_equal(xenrelay_connect_poll(ch), -EINPROGRESS);

	/* It has no rings yet, and nothing that there is to ask of it does harm. */
	assert_int_equal(xenrelay_get_properties(ch, &p), -EINPROGRESS);
	assert_int_equal(p.nr_rings, 0);
	assert_int_equal(xenrelay_read(ch, 0, item, 1, NULL), -EINVAL);
	assert_int_equal(xenrelay_ring_level(ch, 0), -EINVAL);
	assert_int_equal(xenrelay_events_sent(ch), 0);
	assert_int_equal(xenrelay_arm(ch), -EOPNOTSUPP);
	assert_int_equal(xenrelay_configure(ch, ""), -ENOTCONN);
	assert_int_equal(xenrelay_disconnect(ch, 10), -ENOTCONN);
	assert_false(xenrelay_stopped(ch));

	/* While the guest is silent it costs nothing to ask. */
	dispatch_when_readable(0);
	xenrelay_connect_poll(ch);
	calls = 0;
	fake.called = count_call;
	for (int i = 0; i < 100; i++)
		assert_int_equal(xenrelay_connect_poll(ch), -EINPROGRESS);
	assert_int_equal(calls, 0);
	fake.called = NULL;

	ready();
	assert_int_equal(finish(ch), 0);
	assert_int_equal(xenrelay_connect_poll(ch), 0);
	assert_int_equal(xenrelay_get_properties(ch, &p), 0);
	assert_int_equal(p.nr_rings, NR_RINGS);
	assert_int_equal(xenrelay_read(ch, 0, item, 1, NULL), 0);

	/* And the end is told in the same way. */
	set_state("stopped %u", session);
	dispatch_when_readable(1000);
	assert_ptr_equal(xenrelay_next_changed(reader), ch);
	assert_null(xenrelay_next_changed(reader));
	assert_true(xenrelay_stopped(ch));
	xenrelay_release(ch);
	assert_int_equal(releases, 1);
	assert_null(xenrelay_next_changed(NULL));
	assert_int_equal(xenrelay_connect_poll(NULL), -EINVAL);
}

/* Which failed stays as it is until it is released, and its text until the next error. */
static void test_failure(void **state)
{
	struct xenrelay_channel *ch;
	char item[ITEM_SIZE];

	(void)state;
	fake.written = silent;
	assert_int_equal(xenrelay_connect_start(reader, 3, "xblk", &quick, &ch), 0);
	assert_int_equal(finish(ch), -ETIMEDOUT);
	assert_int_equal(xenrelay_connect_poll(ch), -ETIMEDOUT);
	assert_int_equal(xenrelay_read(ch, 0, item, 1, NULL), -EINVAL);
	assert_true(xenrelay_stopped(ch));
	fake.fail_ends = 3;
	xenrelay_release(ch);
	assert_non_null(strstr(xenrelay_strerror(reader), "did not answer in time"));
	assert_int_equal(releases, 1);
	assert_int_equal(xenrelay_connect_start(reader, 3, "other", &quick, &ch),
			 -ENOENT);
	assert_null(ch);
}

/* Given up half way: the guest hears of it if it had been asked, and only then. */
static void test_given_up(void **state)
{
	struct xenrelay_channel *ch;

	(void)state;
	assert_int_equal(xenrelay_connect_start(reader, 3, "xblk", NULL, &ch), 0);
	xenrelay_release(ch);
	assert_int_equal(releases, 0);
	assert_null(xenrelay_next_changed(reader));

	fake.written = silent;
	assert_int_equal(xenrelay_connect_start(reader, 3, "xblk", NULL, &ch), 0);
	assert_int_equal(xenrelay_connect_poll(ch), -EINPROGRESS);
	ready();
	dispatch_when_readable(1000);
	xenrelay_release(ch);
	assert_int_equal(releases, 1);
	assert_null(xenrelay_next_changed(reader));
}

/* C10: guests that do not answer take no longer together than one, and hold up none. */
static void test_many_at_once(void **state)
{
	const struct xenrelay_options opts = {.size = sizeof(opts), .timeout_ms = 500};
	struct xenrelay_channel *others[NR_OTHERS], *ch, *changed;
	unsigned int i, connected_at = 0, failed = 0;
	uint64_t begin = now_ms();
	char path[128];

	(void)state;
	xenrelay_set_user(NULL, path);
	assert_null(xenrelay_get_user(NULL));
	for (i = 0; i < NR_OTHERS; i++) {
		snprintf(path, sizeof(path),
			 "/local/domain/%u/data/xenrelay/xblk/version", 10 + i);
		fake_write(path, "1");
		strcpy(strrchr(path, '/'), "/reader");
		fake_write(path, "");
		strcpy(strrchr(path, '/'), "/state");
		fake_write(path, "open");
		assert_int_equal(xenrelay_connect_start(reader, 10 + i, "xblk", &opts,
							&others[i]),
				 0);
		assert_null(xenrelay_get_user(others[i]));
		xenrelay_set_user(others[i], &others[i]);
	}
	assert_int_equal(xenrelay_connect_start(reader, 3, "xblk", &opts, &ch), 0);
	while (failed < NR_OTHERS) {
		dispatch_when_readable(3000);
		while ((changed = xenrelay_next_changed(reader))) {
			int err = xenrelay_connect_poll(changed);

			if (changed == ch && !err && !connected_at)
				connected_at = 1 + failed;
			if (err != -ETIMEDOUT)
				continue;
			assert_ptr_equal(*(void **)xenrelay_get_user(changed), changed);
			failed++;
		}
	}
	assert_int_equal(connected_at, 1);
	assert_in_range(now_ms() - begin, 400, 3000);
	for (i = 0; i < NR_OTHERS; i++)
		xenrelay_release(others[i]);
	xenrelay_release(ch);
}

/* A guest that writes its state without end gets no more time than another. */
static void flap(const char *path, const char *value)
{
	silent(path, value);
	for (int i = 0; i < 300; i++)
		set_state(i % 2 ? "open" : "failed 1 5");
}

static void test_flapping(void **state)
{
	struct xenrelay_channel *ch;
	uint64_t begin = now_ms();

	(void)state;
	fake.written = flap;
	assert_int_equal(xenrelay_connect_start(reader, 3, "xblk", &quick, &ch), 0);
	assert_int_equal(finish(ch), -ETIMEDOUT);
	assert_in_range(now_ms() - begin, 50, 2000);
	xenrelay_release(ch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_start_and_poll), TEST(test_failure),	TEST(test_given_up),
		TEST(test_many_at_once),   TEST(test_flapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
