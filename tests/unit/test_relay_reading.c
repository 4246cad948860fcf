// SPDX-License-Identifier: GPL-2.0-only
/*
 * One thread reads a channel and arms its doorbell while another dispatches, configures
 * it, connects to others, looks at the counters and disconnects.  The guest is played by
 * a third.  Under TSan what both touch without an order is a reported race.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>

#include "xenrelay/ordering.h"
#include "played_guest.h"

#define ITEMS 20000

static bool produced, stopped;

static void *produce(void *arg)
{
	uint64_t head = 0, tail;

	(void)arg;
	while (head < ITEMS) {
		tail = xblk_load_acquire(&consumer(1)->ring.tail);
		if (head - tail == CAPACITY) {
			sched_yield();
			continue;
		}
		xblk_store_release(&producer(1)->ring.head, ++head);
		if (head % 100 == 0)
			fake_ring_bell();
	}
	xblk_store_release(&produced, true);
	return NULL;
}

static void *read_and_arm(void *arg)
{
	struct xenrelay_channel *ch = arg;
	unsigned char items[64][ITEM_SIZE];
	struct xenrelay_ring_stats stats = {.size = sizeof(stats)};
	struct xenrelay_loss loss;
	bool last;

	do {
		last = xblk_load_acquire(&stopped);
		while (xenrelay_read(ch, 0, items, 64, &loss) > 0 || loss.count)
			;
		assert_in_range(xenrelay_arm(ch), 0, 1);
		assert_in_range(xenrelay_ring_level(ch, 0), 0, CAPACITY);
		/* An error of its own, with a text of its own. */
		assert_int_equal(xenrelay_read(ch, 99, items, 1, NULL), -EINVAL);
		assert_non_null(strstr(xenrelay_channel_strerror(ch), "no ring 99"));
		sched_yield();
	} while (!last);
	assert_int_equal(xenrelay_get_ring_stats(ch, 0, &stats), 0);
	assert_int_equal(stats.read, ITEMS);
	return NULL;
}

static void honest_with_bell(const char *path, const char *value)
{
	honest(path, value);
	if (strncmp(value, "connect", 7))
		return;
	info()->flags |= XENRELAY_F_DOORBELL;
	info()->doorbell_port = 17;
}

static void do_all_the_rest(struct xenrelay_channel *ch)
{
	struct xenrelay_channel_stats stats = {.size = sizeof(stats)};
	struct xenrelay_ring_stats sum = {.size = sizeof(sum)};
	struct xenrelay_channel *other;

	assert_true(xenrelay_dispatch(reader) >= 0);
	assert_false(xenrelay_stopped(ch));
	assert_int_equal(xenrelay_configure(ch, "x=1"), 0);
	xenrelay_rang(ch);
	/* Between two looks the reading thread goes on: never less than nothing waits. */
	assert_in_range(xenrelay_ring_level(ch, 0), 0, CAPACITY);
	assert_int_equal(xenrelay_get_channel_stats(ch, &stats), 0);
	assert_int_equal(xenrelay_get_ring_stats(ch, XENRELAY_EVERY_RING, &sum), 0);
	assert_in_range(sum.read, 0, ITEMS);
	assert_int_equal(xenrelay_connect(reader, 5, "xblk", &quick, &other), -ENOENT);
	assert_non_null(strstr(xenrelay_strerror(reader), "domain 5"));
}

static void test_one_reads(void **state)
{
	const struct xenrelay_options opts = {.size = sizeof(opts),
					      .doorbell_percent = 50};
	struct pollfd pfd = {.events = POLLIN};
	pthread_t guest, reading;
	struct xenrelay_channel *ch;
	unsigned int turns = 0;

	(void)state;
	fake.bell_port = 17;
	fake.written = honest_with_bell;
	fake_write(DIR "/features", "doorbell configure");
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts, &ch), 0);
	assert_int_equal(xenrelay_watch_channels(reader, XENRELAY_EVERY_DOMAIN), 0);
	assert_int_equal(pthread_create(&reading, NULL, read_and_arm, ch), 0);
	assert_int_equal(pthread_create(&guest, NULL, produce, NULL), 0);
	pfd.fd = xenrelay_fd(reader);
	while (!xblk_load_acquire(&produced) || turns < 100) {
		poll(&pfd, 1, 1);
		do_all_the_rest(ch);
		turns++;
	}
	pthread_join(guest, NULL);
	assert_int_equal(xenrelay_disconnect(ch, 1000), 0);
	assert_true(xenrelay_stopped(ch));
	xblk_store_release(&stopped, true);
	pthread_join(reading, NULL);
	xenrelay_release(ch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
