// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings that are too large, for the guest, for this host or for what the reader accepts:
 * they are asked for smaller, and what was given for the larger ones is given back.
 */
#include <errno.h>

#include "played_guest.h"

static void test_larger_than_wanted(void **state)
{
	const struct xenrelay_options opts = {.size = sizeof(opts),
					      .max_kib = NR_RINGS * RING_PAGES * 4 - 1};
	struct xenrelay_channel *ch;

	(void)state;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts, &ch), -E2BIG);
	assert_int_equal(releases, 1);
}

/* 64 KiB are 16 pages: what the guest gives, and what the reader can map. */
static unsigned int pages_given, fails_above_kib;

static void answer_with_size(const char *path, const char *value)
{
	uint32_t *refs = fake_page(DIR_REF);
	unsigned int i;

	if (strncmp(value, "connect", 7)) {
		honest(path, value);
		return;
	}
	sscanf(value, "connect %u %u %u", &session, &domid_given, &kib_given);
	connects++;
	if (fails_above_kib && (!kib_given || kib_given > fails_above_kib)) {
		set_state("failed %u 28 no free grants", session);
		return;
	}
	make_pages();
	pages_given = (kib_given ? kib_given : 1024) / 4;
	info()->ring_pages = pages_given;
	for (i = 0; i < NR_RINGS * pages_given; i++)
		refs[i] = 310 + i % 64;
	set_state("ready %u %u", session, INFO_REF);
}

static void expect_size(unsigned int wanted, unsigned int kib, unsigned int kib_wanted)
{
	const struct xenrelay_options opts = {.size = sizeof(opts), .ring_kib = wanted};
	struct xenrelay_properties p = {.size = sizeof(p)};
	struct xenrelay_channel *ch;

	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts, &ch), 0);
	xenrelay_get_properties(ch, &p);
	assert_int_equal(p.ring_kib, kib);
	assert_int_equal(p.ring_kib_wanted, kib_wanted);
	xenrelay_release(ch);
	assert_int_equal(fake.mapped, 0);
	assert_string_equal(fake_read(DIR "/state"), "open");
}

/* Halves until it fits; every grant of a try that failed has been given back. */
static void test_less_room_here(void **state)
{
	static const int errs[] = {ENOMEM, ENOSPC, EINVAL};
	unsigned int i;

	(void)state;
	fake.written = answer_with_size;
	fails_above_kib = 0;
	for (i = 0; i < 3; i++) {
		fake.room = 3 + NR_RINGS * 32;
		fake.room_errno = errs[i];
		connects = releases = 0;
		expect_size(512, 128, 512);
		assert_int_equal(connects, 3);
		assert_int_equal(releases, 3);
		/* The guest's own choice is known once it has shown it. */
		expect_size(0, 128, 1024);
	}
	fake.room_errno = EACCES;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk",
					  &(struct xenrelay_options){
						  .size = sizeof(struct xenrelay_options),
						  .ring_kib = 512},
					  &(struct xenrelay_channel *){NULL}),
			 -EACCES);
}

static void test_less_room_there(void **state)
{
	struct xenrelay_channel *ch;

	(void)state;
	fake.written = answer_with_size;
	fails_above_kib = 200;
	expect_size(1024, 128, 1024);
	fails_above_kib = 64;
	expect_size(0, 64, 64);

	/* Even the least is too much: it says so, and ends. */
	fails_above_kib = 63;
	connects = 0;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", NULL, &ch), -ECONNREFUSED);
	assert_non_null(strstr(xenrelay_strerror(reader), "no free grants"));
	assert_in_range(connects, 2, 8);
}

/* The bound on all rings together is kept by smaller ones, too. */
static void test_less_than_the_bound(void **state)
{
	const struct xenrelay_options opts = {
		.size = sizeof(opts), .ring_kib = 512, .max_kib = 300};
	const struct xenrelay_options tight = {
		.size = sizeof(tight), .ring_kib = 512, .max_kib = 100};
	struct xenrelay_properties p = {.size = sizeof(p)};
	struct xenrelay_channel *ch;

	(void)state;
	fake.written = answer_with_size;
	fails_above_kib = connects = 0;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts, &ch), 0);
	xenrelay_get_properties(ch, &p);
	assert_int_equal(p.ring_kib, 128);
	assert_int_equal(connects, 2);
	xenrelay_release(ch);
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &tight, &ch), -E2BIG);
	assert_string_equal(xenrelay_strerror(reader),
			    "domain 3, channel xblk: its 2 rings of 64 KiB are larger, "
			    "all together, than the 100 KiB that this reader accepts");
}

/* Answers the first request alone. */
static void answer_once(const char *path, const char *value)
{
	if (!connects || strncmp(value, "connect", 7))
		answer_with_size(path, value);
}

/* A guest that is too slow for a second request: why the first was not granted is said,
 * too. */
static void test_no_time_for_less(void **state)
{
	const struct xenrelay_options large = {.size = sizeof(large),
					       .ring_kib = 512,
					       .max_kib = 300,
					       .timeout_ms = 100};
	const struct xenrelay_options any = {.size = sizeof(any), .timeout_ms = 100};
	struct xenrelay_channel *ch;

	(void)state;
	fake.written = answer_once;
	fails_above_kib = connects = 0;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &large, &ch), -ETIMEDOUT);
	assert_non_null(strstr(xenrelay_strerror(reader), "larger, all together"));
	assert_non_null(strstr(xenrelay_strerror(reader), "no answer in time"));
	fails_above_kib = 63;
	connects = 0;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &any, &ch), -ETIMEDOUT);
	assert_non_null(strstr(xenrelay_strerror(reader), "no free grants"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_less_room_here),	TEST(test_less_room_there),
		TEST(test_less_than_the_bound), TEST(test_no_time_for_less),
		TEST(test_larger_than_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
