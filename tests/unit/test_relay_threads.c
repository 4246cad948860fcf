// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two ends of a ring as two threads: the guest's own producer code against
 * the reading end, as they run in two domains.  Under TSan a missing barrier
 * is a reported race; without it, a wrong item.
 *
 * Each item carries its number in every word.  The producer goes on when the
 * ring is full, so that items are lost: the numbers read must grow, and
 * what was read and what was counted as lost must sum to what was tried.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../kmod-guest/ring.h"
#include "../../libxenrelay/ring.h"

#define ATTEMPTS 300000

struct shared {
	union xenrelay_producer_line producer __attribute__((aligned(64)));
	union xenrelay_consumer_line consumer __attribute__((aligned(64)));
	void *data;
	size_t bytes;
	uint32_t item_size;
	bool patient; /* wait for room: nothing may be lost then */
	bool done;
};

static void *produce(void *arg)
{
	struct shared *s = arg;
	struct xenrelay_ring ring;
	uint64_t n, i;

	xenrelay_ring_init(&ring, s->data, s->bytes, s->item_size, &s->producer,
			   &s->consumer);
	for (n = 1; n <= ATTEMPTS; n++) {
		uint64_t *item = xenrelay_ring_reserve(&ring);

		while (!item && s->patient) {
			sched_yield();
			item = xenrelay_ring_reserve(&ring);
		}
		if (!item)
			continue;
		for (i = 0; i < s->item_size / sizeof(*item); i++)
			item[i] = n;
		xenrelay_ring_commit(&ring);
	}
	__atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void run(size_t bytes, uint32_t item_size, size_t max_items, bool patient)
{
	struct shared s = {.bytes = bytes, .item_size = item_size, .patient = patient};
	const size_t words = item_size / sizeof(uint64_t);
	uint64_t last = 0, items = 0;
	struct xr_ring ring;
	pthread_t producer;
	uint64_t *buf;
	bool done;
	ssize_t n, k;
	size_t w;

	s.data = malloc(bytes);
	buf = malloc(max_items * item_size);
	assert_non_null(s.data);
	assert_non_null(buf);
	xr_ring_init(&ring, s.data, bytes, item_size, &s.producer, &s.consumer);
	assert_int_equal(pthread_create(&producer, NULL, produce, &s), 0);
	do {
		/* First: what is read after "done" was seen is the rest. */
		done = __atomic_load_n(&s.done, __ATOMIC_ACQUIRE);
		while ((n = xr_ring_read(&ring, buf, max_items)) > 0) {
			for (k = 0; k < n; k++) {
				const uint64_t *item = buf + k * words;

				assert_true(item[0] > last);
				for (w = 1; w < words; w++)
					assert_true(item[w] == item[0]);
				last = item[0];
			}
			items += n;
		}
		assert_int_equal(n, 0);
		sched_yield();
	} while (!done);
	pthread_join(producer, NULL);

	assert_int_equal(items, s.producer.ring.head);
	if (patient) {
		assert_int_equal(items, ATTEMPTS);
		assert_int_equal(last, ATTEMPTS);
	} else {
		assert_int_equal(items + s.producer.ring.lost, ATTEMPTS);
	}
	free(buf);
	free(s.data);
}

static void test_records(void **state)
{
	(void)state;
	run(4096, 32, 64, false);
	run(64 * 1024, 32, 4096, false);
}

static void test_nothing_lost_with_patience(void **state)
{
	(void)state;
	run(4096, 32, 128, true);
}

/* 4096 / 56 leaves 8 bytes of padding. */
static void test_padding(void **state)
{
	(void)state;
	run(4096, 56, 100, true);
}

/* One item fits: each side waits for the other's every step. */
static void test_single_slot(void **state)
{
	(void)state;
	run(96, 64, 1, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_nothing_lost_with_patience),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_single_slot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
