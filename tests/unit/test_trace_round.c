// SPDX-License-Identifier: GPL-2.0-only
/* What a round takes from a guest is bounded by its rings, whatever it says. */
#define ITEM_SIZE   32
#define NR_RINGS    1
#define RING_PAGES  16 /* as many records as a slice: with losses between they are more */
#define DATA_REF(n) (400 + (n) % 32)
#include "played_guest.h"

#include <unistd.h>

#include "connecting.h"

static char path[] = "/tmp/test_trace_round.XXXXXX";
static struct disk disk = {.devid = 51712};
static struct domain domain = {.domid = 3, .name = "g", .disks = &disk, .nr_disks = 1};
static struct options opts;
static struct writer writer;
static struct guest guest;

static void begin(bool overwrite)
{

	strcpy(path + sizeof(path) - 7, "XXXXXX");
	close(mkstemp(path));
	assert_int_equal(writer_open(&writer, path), 0);
	assert_int_equal(writer_header(&writer, 0, 0), 0);
	fake_write(DIR "/features", "overwrite doorbell");
	fake.written = grants_the_mode;
	opts = (struct options){.overwrite = overwrite};
	guest = (struct guest){.domain = &domain};
	assert_int_equal(connect_wholly(&guest, reader, &opts, 1024 * 1024, 1024 * 1024),
			 0);
	guest.asked_at = 0;
	assert_int_equal(guest_begin(&guest, &writer), 0);
	assert_int_equal(guest.properties.capacity, CAPACITY);
	assert_int_equal(CAPACITY, GUEST_SLICE);
}

static void end(void)
{
	guest_end(&guest);
	assert_int_equal(writer_close(&writer), 0);
	unlink(path);
	guest_free(&guest);
}

/* Whatever has been taken, the ring is full again. */
static void fill(void)
{
	producer(1)->ring.head = consumer(1)->ring.tail + CAPACITY;
}

/* It has written @head items, it says once. */
static int64_t taken_in_a_round(uint64_t head)
{
	unsigned int turns, permille = 0;
	int64_t n, records = 0;

	producer(1)->ring.head = head;
	guest_begin_round(&guest, 1, &permille);
	assert_in_range(permille, 0, 1000);
	fill();
	for (turns = 0; guest_behind(&guest); turns++) {
		assert_true(turns < 100);
		n = guest_drain(&guest, &writer, 1);
		assert_true(n > 0);
		records += n;
		fill();
	}
	return records;
}

static void test_says_too_much(void **state)
{
	(void)state;
	begin(false);
	/* It is not let go of: the reader itself looks when it tells the truth. */
	assert_in_range(taken_in_a_round(1ull << 62), CAPACITY, CAPACITY + GUEST_SLICE);
	assert_in_range(taken_in_a_round(~0ull), CAPACITY, CAPACITY + GUEST_SLICE);
	assert_false(guest.failed);
	end();
}

static void test_says_too_much_overwriting(void **state)
{
	(void)state;
	begin(true);
	assert_in_range(taken_in_a_round(1ull << 62), CAPACITY, CAPACITY + GUEST_SLICE);
	end();
}

/* What was there is taken, and no more than a slice of what came meanwhile. */
static void test_says_the_truth(void **state)
{
	(void)state;
	begin(false);
	assert_in_range(taken_in_a_round(100), 100, GUEST_SLICE);
	assert_in_range(taken_in_a_round(consumer(1)->ring.tail + CAPACITY), CAPACITY,
			CAPACITY + GUEST_SLICE);
	end();
}

/* Losses are records of the trace, too, and cost no item its place in the round. */
static void test_losses_between(void **state)
{
	unsigned int permille = 0, i, k;
	uint64_t tail = 0, spans = 0;

	(void)state;
	begin(false);
	srand(1);
	for (i = 0; i < 50; i++) {
		for (k = 1; k <= 2; k++) {
			span_of(0, ++spans)->position =
				tail + rand() % (CAPACITY / 2) + (k - 1) * CAPACITY / 2;
			span_of(0, spans)->count = 5;
		}
		producer(1)->ring.spans = spans;
		fill();
		guest_begin_round(&guest, 1, &permille);
		while (guest_behind(&guest))
			assert_true(guest_drain(&guest, &writer, 1) >= 0);
		tail += CAPACITY;
		assert_int_equal(consumer(1)->ring.tail, tail);
		assert_int_equal(guest.rings[0].stream.marks, spans);
	}
	end();
}

/* What its rings hold, in the longest time that they were not looked at. */
static void test_rate(void **state)
{
	unsigned int permille = 0;

	(void)state;
	begin(false);
	assert_int_equal(guest_safe_rate(&guest), 0);
	guest_begin_round(&guest, 5000000000, &permille);
	assert_int_equal(guest_safe_rate(&guest), 0);
	producer(1)->ring.head = CAPACITY / 2;
	guest_begin_round(&guest, 5250000000, &permille);
	assert_int_equal(guest_safe_rate(&guest), 4 * CAPACITY);
	producer(1)->ring.head = 0;
	guest_begin_round(&guest, 5350000000, &permille);
	assert_int_equal(guest_safe_rate(&guest), 4 * CAPACITY);
	guest_begin_round(&guest, 5850000000, &permille);
	assert_int_equal(guest_safe_rate(&guest), 2 * CAPACITY);
	assert_int_equal(guest.fullest, 500);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_says_too_much),  TEST(test_says_too_much_overwriting),
		TEST(test_says_the_truth), TEST(test_losses_between),
		TEST(test_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
