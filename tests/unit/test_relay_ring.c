// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reading end of a ring on plain memory.  The producer is played by hand:
 * it writes items and moves its head, honestly or not.  Item n holds bytes that
 * depend on n, so that an item out of place, torn or repeated is seen.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../ring/consumer.h"

#define MAX_BYTES 4096

struct fixture {
	union xenrelay_producer_line producer;
	union xenrelay_consumer_line consumer;
	unsigned char *data; /* exactly the ring's bytes: ASan sees one more */
	uint32_t item_size;
	uint64_t written;
	struct xr_ring ring;
};

static void begin(struct fixture *f, uint64_t bytes, uint32_t item_size)
{
	memset(f, 0, sizeof(*f));
	f->data = malloc(bytes);
	assert_non_null(f->data);
	f->item_size = item_size;
	f->consumer.ring.tail = 99;
	xr_ring_init(&f->ring, f->data, bytes, item_size, &f->producer, &f->consumer);
	assert_int_equal(f->consumer.ring.tail, 0);
}

static void end(struct fixture *f)
{
	free(f->data);
}

static unsigned char item_byte(uint64_t n, uint32_t i)
{
	return n * 131 + i * 7 + 1;
}

static void produce(struct fixture *f, uint64_t n)
{
	for (; n--; f->written++) {
		unsigned char *item =
			f->data + f->written % f->ring.capacity * f->item_size;
		uint32_t i;

		for (i = 0; i < f->item_size; i++)
			item[i] = item_byte(f->written, i);
	}
	f->producer.ring.head = f->written;
}

/* Read up to @max, expect @n items that begin with item @first. */
static void expect(struct fixture *f, size_t max, uint64_t first, size_t n)
{
	unsigned char *buf = malloc(max ? max * f->item_size : 1);
	size_t k;
	uint32_t i;

	assert_non_null(buf);
	assert_int_equal(xr_ring_read(&f->ring, buf, max), n);
	for (k = 0; k < n; k++)
		for (i = 0; i < f->item_size; i++)
			assert_int_equal(buf[k * f->item_size + i],
					 item_byte(first + k, i));
	assert_int_equal(f->consumer.ring.tail, first + n);
	free(buf);
}

static void test_empty(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MAX_BYTES, 32);
	assert_int_equal(f.ring.capacity, 128);
	expect(&f, 128, 0, 0);
	expect(&f, 128, 0, 0);
	end(&f);
}

static void test_full_at_once(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MAX_BYTES, 32);
	produce(&f, 128);
	expect(&f, 1000, 0, 128);
	expect(&f, 1000, 128, 0);
	end(&f);
}

static void test_bound_of_one_read(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MAX_BYTES, 32);
	produce(&f, 100);
	expect(&f, 0, 0, 0);
	expect(&f, 1, 0, 1);
	expect(&f, 60, 1, 60);
	expect(&f, 60, 61, 39);
	end(&f);
}

/* Every phase of the wrap, with sizes that leave padding at the ring's end. */
static void test_wrap(void **state)
{
	static const uint32_t sizes[] = {8, 12, 26, 32, 33, 100, 1365, 4096};
	unsigned int s;

	(void)state;
	for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		uint64_t first = 0, n;
		struct fixture f;

		begin(&f, MAX_BYTES, sizes[s]);
		assert_int_equal(f.ring.capacity, MAX_BYTES / sizes[s]);
		for (n = 1; first < 3 * f.ring.capacity; n = n % f.ring.capacity + 1) {
			produce(&f, n);
			expect(&f, n, first, n);
			first += n;
		}
		end(&f);
	}
}

static void test_one_item_ring(void **state)
{
	struct fixture f;
	uint64_t i;

	(void)state;
	begin(&f, MAX_BYTES, MAX_BYTES - 1);
	assert_int_equal(f.ring.capacity, 1);
	for (i = 0; i < 5; i++) {
		produce(&f, 1);
		expect(&f, 10, i, 1);
	}
	end(&f);
}

/* Positions stay exact far beyond 32 bits. */
static void test_large_positions(void **state)
{
	const uint64_t start = (1ull << 40) * 100 + 5;
	struct fixture f;

	(void)state;
	begin(&f, MAX_BYTES, 40);
	f.ring.head = f.ring.tail = f.written = f.producer.ring.head = start;
	produce(&f, 102);
	expect(&f, 200, start, 102);
	end(&f);
}

static void expect_broken(struct fixture *f)
{
	unsigned char buf[MAX_BYTES], before[MAX_BYTES];
	uint64_t tail = f->consumer.ring.tail;

	memset(buf, 0x5a, sizeof(buf));
	memcpy(before, buf, sizeof(buf));
	assert_int_equal(xr_ring_read(&f->ring, buf, 1), -EPROTO);
	assert_non_null(f->ring.broken);
	assert_memory_equal(buf, before, sizeof(buf));
	assert_int_equal(f->consumer.ring.tail, tail);

	/* For good, even if the guest tells the truth from now on. */
	f->producer.ring.head = f->ring.head;
	assert_int_equal(xr_ring_read(&f->ring, buf, 1), -EPROTO);
}

static void test_head_too_far(void **state)
{
	static const uint64_t heads[] = {129, 130, 1ull << 32, 1ull << 63, UINT64_MAX};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct fixture f;

		begin(&f, MAX_BYTES, 32);
		f.producer.ring.head = heads[i];
		expect_broken(&f);
		end(&f);
	}
}

static void test_head_one_beyond_after_some(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MAX_BYTES, 32);
	produce(&f, 50);
	expect(&f, 20, 0, 20);
	f.producer.ring.head = 20 + 129;
	expect_broken(&f);
	end(&f);
}

static void test_head_backwards(void **state)
{
	static const uint64_t heads[] = {0, 1, 29, 49};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct fixture f;

		begin(&f, MAX_BYTES, 32);
		produce(&f, 50);
		expect(&f, 30, 0, 30);
		/* Below what was seen, also where it is not below what was read. */
		f.producer.ring.head = heads[i];
		expect_broken(&f);
		end(&f);
	}
}

/* The reader's own position is private: a guest that writes it gains nothing. */
static void test_shared_tail_is_not_believed(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MAX_BYTES, 32);
	produce(&f, 10);
	f.consumer.ring.tail = 1ull << 60;
	expect(&f, 100, 0, 10);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_full_at_once),
		cmocka_unit_test(test_bound_of_one_read),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_one_item_ring),
		cmocka_unit_test(test_large_positions),
		cmocka_unit_test(test_head_too_far),
		cmocka_unit_test(test_head_one_beyond_after_some),
		cmocka_unit_test(test_head_backwards),
		cmocka_unit_test(test_shared_tail_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
