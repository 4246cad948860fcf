// SPDX-License-Identifier: GPL-2.0-only
/* What the rings of many guests take together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fake_xen.h"
#include "many_guests.h"

static struct capture *const c = &played.capture;

#define TAKERS 64
#define VCPUS  4

static uint64_t most_kib, least_share;
static unsigned int nr_traced, turns;

static void takers_turn(void)
{
	uint64_t sum = 0, kib;
	unsigned int i;

	skip_ms(100);
	turns = c->started ? turns + 1 : 0;
	nr_traced = 0;
	least_share = many.max_kib;
	for (i = 0; i < table.nr; i++) {
		kib = guest_mapped_kib(&guests[i]);
		sum += kib;
		nr_traced += !!kib;
		if (kib && kib < least_share)
			least_share = kib;
	}
	/* By what the capture knows, and by what the host has mapped for it. */
	if (sum > most_kib)
		most_kib = sum;
	if (fake.mapped * 4 > most_kib + nr_traced * 4 * 4)
		abort();
	/* One more when all others are there; and time to try once more. */
	if (turns == 100)
		comes(TAKERS + 1);
	many.ends = turns == 500;
}

static void take(uint64_t kib)
{
	unsigned int i;

	many.max_kib = kib;
	many.anew = true;
	many.nr_rings = VCPUS;
	many.ring_pages = 128;
	most_kib = 0;
	for (i = 1; i <= TAKERS; i++)
		comes(i);
	many.output = "/dev/null";
	assert_int_equal(run(takers_turn), 0);
	print_message("%u guests have %llu of %llu KiB, none less than %llu\n", nr_traced,
		      (unsigned long long)most_kib, (unsigned long long)many.max_kib,
		      (unsigned long long)least_share);
	assert_in_range(most_kib, kib / 4, kib);
	many.max_kib = 1024 * 1024;
	many.anew = false;
	many.nr_rings = 1;
	many.ring_pages = MANY_RING_PAGES;
}

/* C4: they want four times what there is, and get their shares, also who comes late. */
static void test_shares(void **state)
{
	const uint64_t kib = TAKERS * VCPUS * 512 / 4;

	(void)state;
	take(kib);
	assert_int_equal(nr_traced, TAKERS + 1);
	/* Rings halve in size until they fit. */
	assert_in_range(least_share, kib / (TAKERS + 2) / 4, kib);
}

/* They offer what they like: no more of them are traced than there is room for. */
static void test_stubborn(void **state)
{
	const uint64_t kib = TAKERS * VCPUS * 512 / 4;

	(void)state;
	many.stubborn = true;
	take(kib);
	many.stubborn = false;
	assert_in_range(nr_traced, 1, TAKERS / 4);
	assert_int_equal(least_share, VCPUS * 512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_shares),
		TEST(test_stubborn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
