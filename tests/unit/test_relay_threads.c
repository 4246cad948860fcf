// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two ends of a ring as two threads: the guest's own producer code against
 * the reading end, as they run in two domains.  Under TSan a missing barrier
 * is a reported race; without it, a wrong item.
 *
 * Each item carries its number in every word, and the producer's clock tells
 * that number, so every loss has one right place, count and time.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../ring/producer.h"
#include "../../ring/consumer.h"

#define ATTEMPTS 300000

enum producer {
	HASTY,	 /* what finds no room is lost */
	PATIENT, /* waits for room: nothing is lost */
	SMALL,	 /* likewise, by xenrelay_ring_put_small() where it does */
	SMALL_HASTY,
	OVERWRITE, /* never waits: the oldest are lost */
};

struct shared {
	union xenrelay_producer_line producer __attribute__((aligned(64)));
	struct xenrelay_loss_line losses __attribute__((aligned(64)));
	union xenrelay_consumer_line consumer __attribute__((aligned(64)));
	void *data;
	size_t bytes;
	uint32_t item_size;
	enum producer kind;
	bool done;
};

static bool is_patient(const struct shared *s)
{
	return s->kind == PATIENT || s->kind == SMALL;
}

static bool put_small(const struct shared *s, struct xenrelay_ring *ring, uint64_t n)
{
	uint64_t item[XR_COPY_SMALL / sizeof(n)], i;

	if (s->kind != SMALL && s->kind != SMALL_HASTY)
		return false;
	for (i = 0; i < s->item_size / sizeof(*item); i++)
		item[i] = n;
	return xenrelay_ring_put_small(ring, item);
}

static void write_item(const struct shared *s, struct xenrelay_ring *ring, uint64_t n)
{
	uint64_t *item, i;

	if (put_small(s, ring, n))
		return;
	item = xenrelay_ring_reserve(ring);
	while (!item && is_patient(s)) {
		sched_yield();
		item = xenrelay_ring_reserve(ring);
	}
	if (!item) {
		xenrelay_ring_lose(ring, n);
		return;
	}
	for (i = 0; i < s->item_size / sizeof(*item); i++)
		if (s->kind == OVERWRITE)
			xblk_store_once(&item[i], n);
		else
			item[i] = n; /* TSan is to see a race */
	xenrelay_ring_commit(ring);
}

static void *produce(void *arg)
{
	struct shared *s = arg;
	struct xenrelay_ring ring;
	uint64_t n;

	xenrelay_ring_init(&ring, s->data, s->bytes, s->item_size, s->kind == OVERWRITE,
			   &s->producer, &s->losses, &s->consumer);
	for (n = 1; n <= ATTEMPTS; n++) {
		write_item(s, &ring, n);
		/* So that the reader has a chance, and the producer the advantage. */
		if (!is_patient(s) && n % 512 == 0)
			sched_yield();
	}
	__atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
	return NULL;
}

struct progress {
	uint64_t last; /* the number of the last item that was read or lost */
	uint64_t read, lost, losses;
};

static void check_loss(const struct shared *s, const struct xenrelay_span *loss,
		       struct progress *p)
{
	if (!loss->count)
		return;
	if (s->kind == OVERWRITE) {
		assert_int_equal(loss->position, p->last);
		assert_int_equal(loss->first_ns | loss->last_ns, 0);
	} else {
		assert_int_equal(loss->position, p->read);
		assert_int_equal(loss->first_ns, p->last + 1);
		assert_int_equal(loss->last_ns, p->last + loss->count);
	}
	p->last += loss->count;
	p->lost += loss->count;
	p->losses++;
}

static void run(size_t bytes, uint32_t item_size, size_t max_items, enum producer kind)
{
	struct shared s = {.bytes = bytes, .item_size = item_size, .kind = kind};
	const size_t words = item_size / sizeof(uint64_t);
	struct progress p = {0};
	struct xenrelay_span loss;
	struct xr_ring ring;
	pthread_t producer;
	uint64_t *buf;
	ssize_t n, k;
	size_t w;

	s.data = calloc(1, bytes);
	buf = malloc(max_items * item_size);
	assert_non_null(s.data);
	assert_non_null(buf);
	xr_ring_init(&ring, s.data, xr_capacity(bytes, item_size), item_size,
		     kind == OVERWRITE, &s.producer, &s.losses, &s.consumer);
	assert_int_equal(pthread_create(&producer, NULL, produce, &s), 0);
	do {
		/* First: what is read after "done" was seen is the rest. */
		ring.stopped = __atomic_load_n(&s.done, __ATOMIC_ACQUIRE);
		do {
			n = xr_ring_read(&ring, buf, max_items, &loss);
			assert_true(n >= 0);
			check_loss(&s, &loss, &p);
			for (k = 0; k < n; k++)
				for (w = 0; w < words; w++)
					assert_int_equal(buf[k * words + w],
							 p.last + 1 + k);
			p.last += n;
			p.read += n;
		} while (n || loss.count);
		sched_yield();
	} while (!ring.stopped);
	pthread_join(producer, NULL);

	assert_int_equal(p.last, ATTEMPTS);
	assert_int_equal(p.read + p.lost, ATTEMPTS);
	assert_int_equal(ring.read, p.read);
	assert_int_equal(ring.lost, p.lost);
	switch (kind) {
	case HASTY:
	case SMALL_HASTY:
		assert_int_equal(s.producer.ring.head, p.read);
		assert_int_equal(s.producer.ring.lost, p.lost);
		assert_int_equal(s.producer.ring.spans, p.losses);
		break;
	case PATIENT:
	case SMALL:
		assert_int_equal(p.read, ATTEMPTS);
		break;
	case OVERWRITE:
		assert_int_equal(s.producer.ring.head, ATTEMPTS);
		assert_int_equal(s.producer.ring.lost, 0);
		break;
	}
	print_message("%zu bytes, items of %u: %lu read, %lu lost in %lu places\n", bytes,
		      item_size, p.read, p.lost, p.losses);
	free(buf);
	free(s.data);
}

static void test_records(void **state)
{
	(void)state;
	run(4096, 32, 64, HASTY);
	run(4096, 32, 64, SMALL_HASTY);
	run(64 * 1024, 32, 4096, HASTY);
}

static void test_nothing_lost_with_patience(void **state)
{
	(void)state;
	run(4096, 32, 128, PATIENT);
	run(4096, 32, 128, SMALL);
}

/* 4096 / 56 leaves 8 bytes of padding. */
static void test_padding(void **state)
{
	(void)state;
	run(4096, 56, 100, PATIENT);
	run(4096, 56, 100, SMALL);
	run(4096, 56, 100, HASTY);
	run(4096, 56, 100, OVERWRITE);
}

/* One item fits: each side waits for the other's every step. */
static void test_single_slot(void **state)
{
	(void)state;
	run(96, 64, 1, PATIENT);
	run(96, 64, 1, SMALL);
	run(96, 64, 1, HASTY);
	run(96, 64, 1, SMALL_HASTY);
}

static void test_overwrite(void **state)
{
	(void)state;
	run(4096, 32, 64, OVERWRITE);
	run(64 * 1024, 32, 4096, OVERWRITE);
}

/* Two items fit, of which one is always being given up. */
static void test_overwrite_two_slots(void **state)
{
	(void)state;
	run(128, 64, 1, OVERWRITE);
}

/* Large items, read while most of them change. */
static void test_overwrite_large_items(void **state)
{
	(void)state;
	run(16 * 4096, 4096, 16, OVERWRITE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_nothing_lost_with_patience),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_single_slot),
		cmocka_unit_test(test_overwrite),
		cmocka_unit_test(test_overwrite_two_slots),
		cmocka_unit_test(test_overwrite_large_items),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
