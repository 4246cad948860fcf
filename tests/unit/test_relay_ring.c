// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reading end of a ring on plain memory.  The producer is played by hand:
 * it writes items, spans and positions, honestly or not.  Item n holds bytes
 * that depend on n, so that an item out of place, torn or repeated is seen.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../ring/consumer.h"

#define MAX_BYTES  4096
#define LEN(array) (sizeof(array) / sizeof((array)[0]))

enum mode {
	DISCARD,
	OVERWRITE
};

struct fixture {
	union xenrelay_producer_line producer;
	struct xenrelay_loss_line losses;
	union xenrelay_consumer_line consumer;
	unsigned char *data; /* exactly the ring's items: ASan sees one byte more */
	uint32_t item_size;
	uint64_t written;
	struct xr_ring ring;
};

static void begin(struct fixture *f, uint64_t bytes, uint32_t item_size, enum mode mode)
{
	uint64_t capacity = xr_capacity(bytes, item_size);

	memset(f, 0, sizeof(*f));
	f->data = malloc(capacity * item_size);
	assert_non_null(f->data);
	f->item_size = item_size;
	f->consumer.ring.tail = 99;
	xr_ring_init(&f->ring, f->data, capacity, item_size, mode == OVERWRITE,
		     &f->producer, &f->losses, &f->consumer);
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

/* A span before the next item; its times follow from its number. */
static void lose(struct fixture *f, uint64_t count)
{
	uint64_t k = ++f->producer.ring.spans;

	f->losses.spans[k % 2] = (struct xenrelay_span){
		.position = f->written,
		.count = count,
		.first_ns = k * 1000,
		.last_ns = k * 1000 + count,
	};
}

/*
 * Read up to @max, expect the loss of @lost items at position @at, and then
 * @n items.  All that was read or lost before is in the ring's own counters.
 */
static void expect_loss(struct fixture *f, size_t max, uint64_t lost, uint64_t at,
			size_t n)
{
	unsigned char *buf = malloc(max * f->item_size);
	uint64_t spans = f->ring.spans, first = f->ring.tail, read = f->ring.read;
	uint64_t already_lost = f->ring.lost;
	struct xenrelay_span loss;
	size_t k;
	uint32_t i;

	assert_non_null(buf);
	assert_int_equal(xr_ring_read(&f->ring, buf, max, &loss), n);
	assert_int_equal(loss.count, lost);
	assert_int_equal(f->ring.lost, already_lost + lost);
	assert_int_equal(f->ring.read, read + n);
	if (lost)
		assert_int_equal(loss.position, at);
	if (f->ring.overwrite) {
		first += lost;
		assert_int_equal(loss.first_ns | loss.last_ns, 0);
		assert_int_equal(f->ring.spans, 0);
	} else if (lost) {
		assert_int_equal(f->ring.spans, spans + 1);
		assert_int_equal(loss.first_ns, (spans + 1) * 1000);
		assert_int_equal(loss.last_ns, (spans + 1) * 1000 + lost);
	}
	for (k = 0; k < n; k++)
		for (i = 0; i < f->item_size; i++)
			assert_int_equal(buf[k * f->item_size + i],
					 item_byte(first + k, i));
	assert_int_equal(f->ring.tail, first + n);
	assert_int_equal(f->consumer.ring.tail, first + n);
	assert_null(f->ring.broken);
	free(buf);
}

/* Read up to @max, expect @n items that begin with item @first, and no loss. */
static void expect(struct fixture *f, size_t max, uint64_t first, size_t n)
{
	assert_int_equal(f->ring.tail, first);
	expect_loss(f, max, 0, 0, n);
}

static void test_empty(void **state)
{
	enum mode mode;

	(void)state;
	for (mode = DISCARD; mode <= OVERWRITE; mode++) {
		struct fixture f;

		begin(&f, MAX_BYTES, 32, mode);
		assert_int_equal(f.ring.capacity, 128);
		expect(&f, 128, 0, 0);
		expect(&f, 128, 0, 0);
		end(&f);
	}
}

static void test_full_at_once(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MAX_BYTES, 32, DISCARD);
	produce(&f, 128);
	assert_int_equal(xr_ring_level(&f.ring), 128);
	expect(&f, 1000, 0, 128);
	assert_int_equal(xr_ring_level(&f.ring), 0);
	expect(&f, 1000, 128, 0);
	/* A head that is not true, before it is found out. */
	f.producer.ring.head = 3;
	assert_int_equal(xr_ring_level(&f.ring), 128);
	f.producer.ring.head = 128;
	end(&f);
}

static void test_bound_of_one_read(void **state)
{
	enum mode mode;

	(void)state;
	for (mode = DISCARD; mode <= OVERWRITE; mode++) {
		struct fixture f;

		begin(&f, MAX_BYTES, 32, mode);
		produce(&f, 100);
		expect(&f, 0, 0, 0);
		expect(&f, 1, 0, 1);
		expect(&f, 60, 1, 60);
		expect(&f, 60, 61, 39);
		end(&f);
	}
}

/* Every phase of the wrap, with sizes that leave padding at the ring's end. */
static void test_wrap(void **state)
{
	static const uint32_t sizes[] = {8, 12, 26, 32, 33, 100, 1365, 2048, 4096};
	enum mode mode;
	unsigned int s;

	(void)state;
	for (s = 0; s < 2 * LEN(sizes); s++) {
		uint64_t first = 0, most, n;
		struct fixture f;

		mode = s % 2 ? OVERWRITE : DISCARD;
		if (mode == OVERWRITE && sizes[s / 2] == MAX_BYTES)
			continue;
		begin(&f, MAX_BYTES, sizes[s / 2], mode);
		assert_int_equal(f.ring.capacity, MAX_BYTES / sizes[s / 2]);
		/* In overwrite mode one is always being given up. */
		most = f.ring.capacity - (mode == OVERWRITE);
		for (n = 1; first < 3 * f.ring.capacity; n = n % most + 1) {
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
	begin(&f, MAX_BYTES, MAX_BYTES - 1, DISCARD);
	assert_int_equal(f.ring.capacity, 1);
	for (i = 0; i < 5; i++) {
		produce(&f, 1);
		lose(&f, i + 1);
		expect_loss(&f, 10, i, i, 1);
	}
	end(&f);
}

/* Positions stay exact far beyond 32 bits. */
static void test_large_positions(void **state)
{
	const uint64_t start = (1ull << 40) * 100 + 5;
	enum mode mode;

	(void)state;
	for (mode = DISCARD; mode <= OVERWRITE; mode++) {
		struct fixture f;

		begin(&f, MAX_BYTES, 40, mode);
		f.ring.head = f.ring.tail = f.written = f.producer.ring.head = start;
		produce(&f, 101);
		expect(&f, 200, start, 101);
		produce(&f, mode == OVERWRITE ? 1000 : 1);
		expect_loss(&f, 200, mode == OVERWRITE ? 1000 - 101 : 0, start + 101,
			    mode == OVERWRITE ? 101 : 1);
		end(&f);
	}
}

static void test_loss_is_told_at_its_place(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MAX_BYTES, 32, DISCARD);
	produce(&f, 128);
	lose(&f, 7);
	/* Items before it, and it is not final while it may grow. */
	expect(&f, 100, 0, 100);
	expect(&f, 100, 100, 28);
	expect(&f, 100, 128, 0);
	f.losses.spans[1].count++;
	f.losses.spans[1].last_ns++;
	expect(&f, 100, 128, 0);
	/* Room was found again: the next item ends it. */
	produce(&f, 1);
	expect(&f, 0, 128, 0);
	expect_loss(&f, 100, 8, 128, 1);
	expect(&f, 100, 129, 0);
	end(&f);
}

static void test_two_losses_ahead(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MAX_BYTES, 32, DISCARD);
	produce(&f, 10);
	lose(&f, 1);
	produce(&f, 20);
	lose(&f, 2);
	produce(&f, 30);
	expect(&f, 100, 0, 10);
	expect_loss(&f, 5, 1, 10, 5);
	expect(&f, 100, 15, 15);
	/* The first one's line is free again. */
	lose(&f, 3);
	produce(&f, 1);
	expect_loss(&f, 100, 2, 30, 30);
	expect_loss(&f, 100, 3, 60, 1);
	end(&f);
}

static void test_loss_before_the_first_item(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MAX_BYTES, 32, DISCARD);
	lose(&f, 5);
	expect(&f, 100, 0, 0);
	produce(&f, 2);
	expect_loss(&f, 100, 5, 0, 2);
	end(&f);
}

/* One with no item behind it is told when none will come. */
static void test_loss_at_the_end(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MAX_BYTES, 32, DISCARD);
	produce(&f, 128);
	lose(&f, 9);
	f.ring.stopped = true;
	expect(&f, 1000, 0, 128);
	expect_loss(&f, 1000, 9, 128, 0);
	expect(&f, 1000, 128, 0);
	end(&f);
}

static void test_overwritten(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MAX_BYTES, 32, OVERWRITE);
	produce(&f, 127);
	expect(&f, 1000, 0, 127);
	/* The one that is being given up is not read, complete as it may be. */
	produce(&f, 128);
	expect_loss(&f, 1000, 1, 127, 127);
	produce(&f, 100000);
	expect_loss(&f, 50, 100000 - 127, 255, 50);
	expect(&f, 1000, 255 + 100000 - 77, 77);
	/* What nobody reads is lost, too, and told once. */
	produce(&f, 200);
	expect_loss(&f, 0, 200 - 127, 100255, 0);
	expect(&f, 1000, 100255 + 73, 127);
	end(&f);
}

/* Asks for more than the guest has said, so that it is listened to. */
static void expect_broken(struct fixture *f)
{
	const size_t max = MAX_BYTES / f->item_size;
	unsigned char buf[MAX_BYTES], before[MAX_BYTES];
	uint64_t tail = f->consumer.ring.tail, read = f->ring.read;
	struct xenrelay_span loss;

	memset(buf, 0x5a, sizeof(buf));
	memcpy(before, buf, sizeof(buf));
	assert_null(f->ring.broken);
	assert_int_equal(xr_ring_read(&f->ring, buf, max, &loss), -EPROTO);
	assert_non_null(f->ring.broken);
	assert_memory_equal(buf, before, sizeof(buf));

	/* For good, even if the guest tells the truth from now on. */
	f->producer.ring.head = f->ring.head;
	f->producer.ring.spans = f->ring.spans;
	assert_int_equal(xr_ring_read(&f->ring, buf, max, &loss), -EPROTO);
	assert_int_equal(loss.count, 0);
	assert_memory_equal(buf, before, sizeof(buf));
	assert_int_equal(f->consumer.ring.tail, tail);
	assert_int_equal(f->ring.read, read);
}

/*
 * What is known to be there is read without a look at the guest's pages, up to the
 * ring's end or the next loss; then what the guest says counts again.
 */
static void test_taken_without_a_look(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MAX_BYTES, 32, DISCARD);
	produce(&f, 100);
	expect(&f, 90, 0, 90);
	produce(&f, 100);
	lose(&f, 3);
	produce(&f, 10);
	expect(&f, 2, 90, 2);
	f.producer.ring.head = 0;
	expect(&f, 1, 92, 1);
	expect(&f, 7, 93, 7);
	f.producer.ring.head = f.written;
	expect(&f, 1, 100, 1);
	f.producer.ring.head = 0;
	/* Item 127 is the last before the ring's end. */
	expect(&f, 27, 101, 27);
	f.producer.ring.head = f.written;
	expect(&f, 70, 128, 70);
	f.producer.ring.spans = 7;
	expect(&f, 2, 198, 2);
	f.producer.ring.spans = 1;
	expect_loss(&f, 1, 3, 200, 1);
	f.producer.ring.head = 0;
	expect(&f, 9, 201, 9);
	expect_broken(&f);
	end(&f);
}

/* A ring that has stopped, and one more loss each time that one has been met. */
static void test_losses_without_end(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MAX_BYTES, 32, DISCARD);
	produce(&f, 10);
	lose(&f, 1);
	f.ring.stopped = true;
	expect(&f, 100, 0, 10);
	expect_loss(&f, 100, 1, 10, 0);
	lose(&f, 1);
	expect_broken(&f);
	end(&f);
}

static void test_head_too_far(void **state)
{
	static const uint64_t heads[] = {129, 130, 1ull << 32, 1ull << 63, UINT64_MAX};
	unsigned int i;

	(void)state;
	for (i = 0; i < LEN(heads); i++) {
		struct fixture f;

		begin(&f, MAX_BYTES, 32, DISCARD);
		f.producer.ring.head = heads[i];
		expect_broken(&f);
		end(&f);
	}
}

/* In overwrite mode any jump forward may be true, and no more than the ring is read. */
static void test_head_far_ahead_overwrite(void **state)
{
	static const uint64_t heads[] = {129, 1ull << 32, 1ull << 63, UINT64_MAX};
	unsigned char buf[MAX_BYTES];
	unsigned int i;

	(void)state;
	for (i = 0; i < LEN(heads); i++) {
		struct xenrelay_span loss;
		struct fixture f;

		begin(&f, MAX_BYTES, 32, OVERWRITE);
		memset(f.data, 0, MAX_BYTES);
		f.producer.ring.head = heads[i];
		assert_int_equal(xr_ring_read(&f.ring, buf, 128, &loss), 127);
		assert_int_equal(loss.position, 0);
		assert_int_equal(loss.count, heads[i] - 127);
		assert_int_equal(f.ring.read + f.ring.lost, heads[i]);
		end(&f);
	}
}

static void test_head_one_beyond_after_some(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MAX_BYTES, 32, DISCARD);
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
	for (i = 0; i < 2 * LEN(heads); i++) {
		struct fixture f;

		begin(&f, MAX_BYTES, 32, i % 2 ? OVERWRITE : DISCARD);
		produce(&f, 50);
		expect(&f, 30, 0, 30);
		/* Below what was seen, also where it is not below what was read. */
		f.producer.ring.head = heads[i / 2];
		expect_broken(&f);
		end(&f);
	}
}

/* Behind the read position, where no span can be, and beyond what the ring holds. */
static void test_span_out_of_bounds(void **state)
{
	static const uint64_t positions[] = {0,	  29,	      30 + 129,
					     200, 1ull << 63, UINT64_MAX};
	unsigned int i;

	(void)state;
	for (i = 0; i < LEN(positions); i++) {
		struct fixture f;

		begin(&f, MAX_BYTES, 32, DISCARD);
		produce(&f, 50);
		expect(&f, 30, 0, 30);
		lose(&f, 1);
		f.losses.spans[1].position = positions[i];
		expect_broken(&f);
		end(&f);
	}
}

/* The farthest honest place: a full ring behind the read position. */
static void test_span_at_the_bound(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MAX_BYTES, 32, DISCARD);
	produce(&f, 30);
	expect(&f, 30, 0, 30);
	produce(&f, 128);
	lose(&f, 4);
	expect(&f, 1000, 30, 128);
	produce(&f, 1);
	expect_loss(&f, 1000, 4, 158, 1);
	end(&f);
}

static void test_too_many_spans(void **state)
{
	static const uint64_t spans[] = {4, 1000, 1ull << 63, UINT64_MAX, 0};
	unsigned int i;

	(void)state;
	for (i = 0; i < LEN(spans); i++) {
		struct fixture f;

		begin(&f, MAX_BYTES, 32, DISCARD);
		lose(&f, 1);
		produce(&f, 10);
		expect_loss(&f, 5, 1, 0, 5);
		/* Three more, many more, or fewer than there were. */
		f.losses.spans[0].position = 7;
		f.producer.ring.spans = spans[i];
		expect_broken(&f);
		end(&f);
	}
}

static void test_two_spans_in_one_place(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MAX_BYTES, 32, DISCARD);
	produce(&f, 10);
	lose(&f, 1);
	lose(&f, 2);
	produce(&f, 1);
	expect(&f, 100, 0, 10);
	expect_broken(&f);
	end(&f);

	/* Also if the second comes later than the first was told. */
	begin(&f, MAX_BYTES, 32, DISCARD);
	lose(&f, 1);
	produce(&f, 1);
	expect_loss(&f, 1, 1, 0, 1);
	lose(&f, 1);
	f.losses.spans[0].position = 0;
	expect_broken(&f);
	end(&f);
}

static void test_empty_span(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MAX_BYTES, 32, DISCARD);
	lose(&f, 0);
	expect(&f, 100, 0, 0);
	produce(&f, 1);
	expect_broken(&f);
	end(&f);
}

/* What was looked at once may be another thing when it is looked at again. */
static void test_span_changes_between_reads(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MAX_BYTES, 32, DISCARD);
	produce(&f, 10);
	lose(&f, 1);
	produce(&f, 10);
	expect(&f, 5, 0, 5);
	f.losses.spans[1].position = 7;
	expect(&f, 100, 5, 2);
	f.losses.spans[1].position = 6;
	expect_broken(&f);
	end(&f);

	/* A span that was announced and is not there any more. */
	begin(&f, MAX_BYTES, 32, DISCARD);
	produce(&f, 10);
	lose(&f, 1);
	produce(&f, 10);
	expect(&f, 100, 0, 10);
	f.producer.ring.spans = 0;
	expect(&f, 100, 10, 10);
	end(&f);
}

/* The loss line says nothing in overwrite mode, whatever is in it. */
static void test_spans_are_ignored_overwrite(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MAX_BYTES, 32, OVERWRITE);
	memset(&f.losses, 0xff, sizeof(f.losses));
	f.producer.ring.spans = UINT64_MAX;
	produce(&f, 10);
	expect(&f, 100, 0, 10);
	end(&f);
}

/* The reader's own position is private: a guest that writes it gains nothing. */
static void test_shared_tail_is_not_believed(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MAX_BYTES, 32, DISCARD);
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
		cmocka_unit_test(test_taken_without_a_look),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_one_item_ring),
		cmocka_unit_test(test_large_positions),
		cmocka_unit_test(test_loss_is_told_at_its_place),
		cmocka_unit_test(test_two_losses_ahead),
		cmocka_unit_test(test_loss_before_the_first_item),
		cmocka_unit_test(test_loss_at_the_end),
		cmocka_unit_test(test_overwritten),
		cmocka_unit_test(test_head_too_far),
		cmocka_unit_test(test_head_far_ahead_overwrite),
		cmocka_unit_test(test_head_one_beyond_after_some),
		cmocka_unit_test(test_head_backwards),
		cmocka_unit_test(test_span_out_of_bounds),
		cmocka_unit_test(test_span_at_the_bound),
		cmocka_unit_test(test_too_many_spans),
		cmocka_unit_test(test_two_spans_in_one_place),
		cmocka_unit_test(test_empty_span),
		cmocka_unit_test(test_span_changes_between_reads),
		cmocka_unit_test(test_spans_are_ignored_overwrite),
		cmocka_unit_test(test_losses_without_end),
		cmocka_unit_test(test_shared_tail_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
