// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's doorbell wakes a reader that sleeps on its descriptor; and what a guest that
 * overdoes it can cost.
 */
#include <errno.h>
#include <time.h>

#include "waking.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_doorbell),	       TEST(test_bell_without_end),
		TEST(test_bell_in_vain),       TEST(test_no_bell),
		TEST(test_bell_while_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
