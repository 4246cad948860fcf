// SPDX-License-Identifier: GPL-2.0-only
/*
 * How often the reading end looks at the producer's line.  The processor's counter is
 * played: each look takes LOOK cycles, each turn of a wait PAUSE.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../ring/consumer.h"
#include "../../ring/cycles.h"

#define ITEM_SIZE    8
#define MAX_CAPACITY 16384
#define LOOK	     20
#define PAUSE	     50
#define MILLISECOND  2000000ull /* at 2 GHz */
#define APART	     8192

enum mode {
	DISCARD,
	OVERWRITE
};

static struct {
	union xenrelay_producer_line producer;
	struct xenrelay_loss_line losses;
	union xenrelay_consumer_line consumer;
	unsigned char data[MAX_CAPACITY * ITEM_SIZE];
	struct xr_ring ring;
	uint64_t cycles, looks, pauses;
	uint64_t cycles_an_item; /* the producer writes one so often; 0: not by itself */
	uint64_t left;		 /* cycles that are not enough for an item */
	bool was_full;
	bool no_counter;
} t;

static void pass(uint64_t cycles)
{
	const uint64_t room = t.ring.tail + t.ring.capacity - t.producer.ring.head;
	uint64_t items;

	t.cycles += cycles;
	if (!t.cycles_an_item)
		return;
	t.left += cycles;
	items = t.left / t.cycles_an_item;
	t.left %= t.cycles_an_item;
	t.was_full |= items >= room;
	t.producer.ring.head += items < room ? items : room;
}

static uint64_t cycles(void)
{
	return t.no_counter ? 0 : t.cycles;
}

static void look(const void *at)
{
	if (at != &t.producer.ring.head)
		return;
	t.looks++;
	pass(LOOK);
}

static void relax(void)
{
	t.pauses++;
	pass(PAUSE);
}

#undef xr_cycles
#undef xr_relax
#undef xblk_load_acquire
#define xr_cycles()	       cycles()
#define xr_relax()	       relax()
#define xblk_load_acquire(ptr) (look(ptr), __atomic_load_n(ptr, __ATOMIC_ACQUIRE))
#include "../../ring/consumer.c"

static void begin(uint64_t capacity, enum mode mode)
{
	memset(&t, 0, sizeof(t));
	t.cycles = MILLISECOND;
	xr_ring_init(&t.ring, t.data, capacity, ITEM_SIZE, mode == OVERWRITE, &t.producer,
		     &t.losses, &t.consumer);
}

static uint64_t items[MAX_CAPACITY];

static ssize_t read_items(size_t max)
{
	struct xenrelay_span loss;
	ssize_t n = xr_ring_read(&t.ring, items, max, &loss);

	assert_int_equal(loss.count, 0);
	return n;
}

/* Return: looks, while items, as fast as they may come, are read @max at a time. */
static uint64_t spin(uint64_t cycles_an_item, size_t max)
{
	const uint64_t end = t.cycles + MILLISECOND;

	t.cycles_an_item = cycles_an_item;
	while (t.cycles < end)
		assert_true(read_items(max) >= 0);
	return t.looks;
}

/* One by one, or all that there is, whereupon a second look shows that this was all. */
static void test_spinning(void **state)
{
	const uint64_t looks = MILLISECOND / APART + 2;

	(void)state;
	begin(MAX_CAPACITY, DISCARD);
	assert_in_range(spin(0, 1), 2, looks);
	begin(MAX_CAPACITY, DISCARD);
	assert_in_range(spin(0, 512), 2, looks);
	/* One more at the ring's end, each time. */
	begin(MAX_CAPACITY, DISCARD);
	assert_in_range(spin(10, 1), 2, looks + MILLISECOND / 10 / MAX_CAPACITY);
	begin(MAX_CAPACITY, DISCARD);
	assert_in_range(spin(1000, 1), 2, looks);
	begin(MAX_CAPACITY, DISCARD);
	assert_in_range(spin(1000, 512), 2, 2 * looks);
	begin(MAX_CAPACITY, DISCARD);
	assert_in_range(spin(100000, 512), 2, 2 * looks);
	begin(MAX_CAPACITY, OVERWRITE);
	assert_in_range(spin(0, 512), 2, looks);
	/* Each read that finds something looks behind its copy as well. */
	begin(MAX_CAPACITY, OVERWRITE);
	assert_in_range(spin(1000, 512), 2, 4 * looks);
}

/* What came in the wait is in the read that waited. */
static void test_what_came_meanwhile(void **state)
{
	uint64_t pauses;
	ssize_t n;
	int i;

	(void)state;
	begin(MAX_CAPACITY, DISCARD);
	t.cycles_an_item = 100;
	for (i = 0; i < 100; i++) {
		pauses = t.pauses;
		n = read_items(MAX_CAPACITY);
		assert_in_range(n, (t.pauses - pauses) * PAUSE / 100, APART / 100 + 1);
		assert_int_equal(t.ring.tail, t.producer.ring.head);
		while (read_items(MAX_CAPACITY))
			;
	}
	assert_in_range(t.pauses, 99 * (APART - 2 * LOOK) / PAUSE,
			100 * (APART / PAUSE + 1));
}

/* Nor does a small ring become full in the wait. */
static void test_small_rings(void **state)
{
	uint64_t capacity;

	(void)state;
	for (capacity = 64; capacity <= MAX_CAPACITY; capacity *= 2) {
		begin(capacity, DISCARD);
		spin(5, 1);
		assert_true(t.pauses > 0);
		assert_false(t.was_full);
	}
	begin(1, DISCARD);
	spin(0, 1);
	assert_int_equal(t.pauses, 0);
}

/* Neither who comes once in a while waits, nor who then reads until there is nothing. */
static void test_polling(void **state)
{
	enum {
		POLLS = 1000
	};
	const uint64_t pauses[] = {APART, MILLISECOND / 100, MILLISECOND};
	size_t k;
	int i;

	(void)state;
	for (k = 0; k < sizeof(pauses) / sizeof(*pauses); k++) {
		begin(MAX_CAPACITY, DISCARD);
		for (i = 0; i < POLLS; i++) {
			t.producer.ring.head += 100;
			assert_int_equal(read_items(1000), 100);
			t.producer.ring.head += 1;
			assert_int_equal(read_items(1000), 1);
			assert_int_equal(read_items(1000), 0);
			pass(pauses[k]);
			t.producer.ring.head += 100;
			assert_int_equal(read_items(100), 100);
			pass(pauses[k]);
		}
		assert_int_equal(t.looks, 4 * POLLS);
		assert_int_equal(t.pauses, 0);
	}
}

/* What is known to be there is had at once: in this mode without a look, either. */
static void test_known_items(void **state)
{
	int i;

	(void)state;
	begin(MAX_CAPACITY, DISCARD);
	for (i = 0; i < 3; i++)
		assert_int_equal(read_items(1), 0);
	t.producer.ring.head = 100;
	t.pauses = 0;
	assert_int_equal(read_items(1), 1);
	assert_true(t.pauses > 0);
	t.pauses = t.looks = 0;
	for (i = 1; i < 50; i++)
		assert_int_equal(read_items(1), 1);
	for (; i < 100; i++)
		assert_true(xr_ring_take_small(&t.ring, items, 1));
	assert_int_equal(t.pauses, 0);
	assert_int_equal(t.looks, 0);
}

/* In this one each read has to look. */
static void test_known_items_overwrite(void **state)
{
	int i;

	(void)state;
	begin(MAX_CAPACITY, OVERWRITE);
	t.producer.ring.head = 100;
	for (i = 0; i < 100; i++)
		assert_int_equal(read_items(1), 1);
	assert_int_equal(t.pauses, 0);
	assert_int_equal(read_items(1), 0);
	assert_true(t.pauses > 0);
}

/* Whatever the guest says: a broken ring is neither looked at nor waited for. */
static void test_broken(void **state)
{
	int i;

	(void)state;
	begin(128, DISCARD);
	t.producer.ring.head = 129;
	for (i = 0; i < 10; i++)
		assert_int_equal(read_items(1), -EPROTO);
	assert_int_equal(t.looks, 1);
	assert_int_equal(t.pauses, 0);
}

/* The counter goes back when a domain is migrated; a processor may have none. */
static void test_counter(void **state)
{
	int i;

	(void)state;
	begin(MAX_CAPACITY, DISCARD);
	for (i = 0; i < 4; i++)
		assert_int_equal(read_items(1), 0);
	t.pauses = 0;
	t.cycles = 5;
	assert_int_equal(read_items(1), 0);
	assert_int_equal(t.pauses, 0);

	begin(MAX_CAPACITY, DISCARD);
	t.no_counter = true;
	for (i = 0; i < 10; i++) {
		t.producer.ring.head++;
		assert_int_equal(read_items(1), 1);
	}
	assert_int_equal(t.pauses, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spinning),
		cmocka_unit_test(test_what_came_meanwhile),
		cmocka_unit_test(test_small_rings),
		cmocka_unit_test(test_polling),
		cmocka_unit_test(test_known_items),
		cmocka_unit_test(test_known_items_overwrite),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_counter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
