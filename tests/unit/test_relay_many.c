// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest of so many vCPUs that its rings' positions do not fit onto one page of each
 * kind: every ring's own lines are read and written, and a lie costs nothing but itself.
 */
#include <errno.h>

static unsigned int nr_rings;

/* One page for each ring; above 200 rings share them, for there is no more memory. */
#define NR_RINGS    nr_rings
#define RING_PAGES  1
#define DATA_REF(n) (511 - (n) % 200)
#include "played_guest.h"

static int setup_many(void **state)
{
	nr_rings = 200;
	return setup(state);
}

static unsigned char *item(unsigned int ring, unsigned int n)
{
	return (unsigned char *)fake_page(DATA_REF(ring)) + (size_t)n * ITEM_SIZE;
}

/* So that two rings' numbers of items differ; each has lost ring + 1 behind its first. */
static unsigned int items_of(unsigned int ring)
{
	return ring % 7 + 1;
}

static void write_items(unsigned int ring)
{
	unsigned int n;

	for (n = 0; n < items_of(ring); n++)
		memset(item(ring, n), ring + n, ITEM_SIZE);
	*span_of(ring, 1) = (struct xenrelay_span){1, ring + 1, 5, 6};
	producer(1 + ring)->ring.spans = 1;
	producer(1 + ring)->ring.lost = ring + 1;
	producer(1 + ring)->ring.lost_nmi = 2 * ring;
	producer(1 + ring)->ring.head = items_of(ring);
}

static void read_items(struct xenrelay_channel *ch, unsigned int ring)
{
	unsigned char buf[8 * ITEM_SIZE], expected[ITEM_SIZE];
	struct xenrelay_ring_stats stats = {.size = sizeof(stats)};
	struct xenrelay_loss loss;
	unsigned int n;

	assert_int_equal(xenrelay_ring_level(ch, ring), items_of(ring));
	assert_int_equal(xenrelay_read(ch, ring, buf, 8, &loss), 1);
	assert_int_equal(loss.count, 0);
	assert_int_equal(xenrelay_read(ch, ring, buf + ITEM_SIZE, 7, &loss),
			 items_of(ring) - 1);
	/* What is lost behind the last item is told when there is one more, or none to
	 * come. */
	assert_int_equal(loss.count, items_of(ring) > 1 ? ring + 1 : 0);
	for (n = 0; n < items_of(ring); n++) {
		memset(expected, ring + n, ITEM_SIZE);
		assert_memory_equal(buf + n * ITEM_SIZE, expected, ITEM_SIZE);
	}
	assert_int_equal(consumer(1 + ring)->ring.tail, items_of(ring));
	assert_int_equal(xenrelay_get_ring_stats(ch, ring, &stats), 0);
	assert_int_equal(stats.produced, items_of(ring));
	assert_int_equal(stats.lost, ring + 1);
	assert_int_equal(stats.lost_nmi, 2 * ring);
	assert_int_equal(stats.read, items_of(ring));
}

static void test_each_ring(void **state)
{
	struct xenrelay_properties p = {.size = sizeof(p)};
	struct xenrelay_channel *ch;
	unsigned int ring;

	(void)state;
	assert_int_equal(connect_quick(&ch), 0);
	assert_string_equal(words_given, "version=1 rings=1024");
	xenrelay_get_properties(ch, &p);
	assert_int_equal(p.nr_rings, 200);
	/* Three kinds of four pages, and the rings. */
	assert_int_equal(fake.mapped, 3 * 4 + 200);
	assert_int_equal(consumer(0)->channel.attached, 1);

	for (ring = 0; ring < nr_rings; ring++)
		write_items(ring);
	for (ring = 0; ring < nr_rings; ring++)
		read_items(ch, ring);
	assert_int_equal(xenrelay_read(ch, nr_rings, NULL, 0, NULL), -EINVAL);
	assert_int_equal(xenrelay_disconnect(ch, 100), 0);
	xenrelay_release(ch);
	assert_int_equal(consumer(0)->channel.attached, 0);
	assert_int_equal(releases, 1);
}

/* On both sides of each bound of the position pages and of the directory. */
static void test_numbers(void **state)
{
	static const unsigned int numbers[] = {1,   62,	 63,  64,   65,	  127,	128,
					       129, 511, 512, 1007, 1008, 1023, 1024};
	struct xenrelay_channel *ch;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		nr_rings = numbers[i];
		assert_int_equal(connect_quick(&ch), 0);
		assert_int_equal(fake.mapped, 3 * (nr_rings / 64 + 1) + nr_rings);
		write_items(nr_rings - 1);
		read_items(ch, nr_rings - 1);
		xenrelay_release(ch);
		assert_int_equal(fake.mapped, 0);
	}
}

static void test_every_mapping_may_fail(void **state)
{
	(void)state;
	nr_rings = 1000;
	/* Info, two pages of directory, positions: all of the consumer's but the first. */
	expect_failing_maps(7 + NR_RINGS);
}

/* What is wrong with the guest's answer. */
static void (*lie)(void);

static void answer_with_lie(const char *path, const char *value)
{
	honest(path, value);
	if (!strncmp(value, "connect", 7))
		lie();
}

static void too_many(void)
{
	info()->nr_rings = XENRELAY_MAX_RINGS + 1;
}
static void wild_number(void)
{
	info()->nr_rings = UINT32_MAX;
}
/* Its lines' bytes are 2^36, which is 0 in 32 bits. */
static void number_that_wraps(void)
{
	info()->nr_rings = 1u << 30;
	info()->nr_dir_pages = 1;
}
static void no_losses(void)
{
	info()->loss_ref = 0;
}
static void short_directory(void)
{
	info()->nr_rings = 1024;
	info()->nr_dir_pages = 1;
}
static void huge_rings(void)
{
	info()->nr_rings = 1024;
	info()->ring_pages = XENRELAY_MAX_RING_PAGES;
	info()->nr_dir_pages = 64 * 1024 + 1;
}
static void large_rings(void)
{
	info()->nr_rings = 1024;
	info()->ring_pages = 900;
	info()->nr_dir_pages = 901;
}

static void expect_lie(void (*what)(void), int err, const char *word)
{
	lie = what;
	releases = 0;
	fake.written = answer_with_lie;
	expect_failure(err, word);
	assert_in_range(releases, 1, 16);
	assert_int_equal(consumer(0)->channel.attached, 0);
}

static void test_lies(void **state)
{
	(void)state;
	expect_lie(too_many, -EPROTO, "number of rings");
	expect_lie(wild_number, -EPROTO, "number of rings");
	expect_lie(number_that_wraps, -EPROTO, "number of rings");
	expect_lie(no_losses, -EPROTO, "without a loss page");
	expect_lie(short_directory, -EPROTO, "number of directory pages");
	expect_lie(huge_rings, -EPROTO, "does not fit into the info page");
	expect_lie(large_rings, -E2BIG, "larger, all together");
}

static unsigned int bad_ref;

static void ref_nowhere(void)
{
	((uint32_t *)fake_page(DIR_REF))[bad_ref] = 1u << 31;
}

/* Each reference that is not of a ring is one of its own kind. */
static void test_bad_references(void **state)
{
	static const char *const kinds[] = {"the producer page", "the loss page",
					    "the further consumer pages"};

	(void)state;
	for (bad_ref = 0; bad_ref < 9; bad_ref++)
		expect_lie(ref_nowhere, -EINVAL, kinds[bad_ref / 3]);
	expect_lie(ref_nowhere, -EINVAL, "a ring");
}

/* A guest that knows of no further pages, or finds that its reader does not, refuses. */
static void refuse(const char *path, const char *value)
{
	silent(path, value);
	if (!strncmp(value, "connect", 7))
		set_state(
			"failed %u 95 80 vCPUs are possible here, a channel has 63 rings",
			session);
}

static void test_refused(void **state)
{
	(void)state;
	fake.written = refuse;
	expect_failure(-ECONNREFUSED,
		       "80 vCPUs are possible here, a channel has 63 rings");
}

#undef TEST
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_many, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_ring),
		TEST(test_numbers),
		TEST(test_every_mapping_may_fail),
		TEST(test_lies),
		TEST(test_bad_references),
		TEST(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
