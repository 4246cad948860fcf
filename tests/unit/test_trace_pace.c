// SPDX-License-Identifier: GPL-2.0-only
/* The sleep between two rounds, against buffers that fill at given rates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../xblktrace/pace.h"

#define CAPACITY 65536 /* records in 2 MiB */

/* One sleep, during which @rate records a ms came. Return: how full it got, permille. */
static unsigned int sleep_once(struct pace *pace, unsigned int permille,
			       uint64_t *elapsed, uint64_t rate)
{
	*elapsed = pace_next(pace, permille, *elapsed);
	return *elapsed * rate * 1000 / CAPACITY;
}

static void test_idle_sleeps_long(void **state)
{
	struct pace pace = {0};
	uint64_t elapsed = 1;
	int i;

	(void)state;
	for (i = 0; i < 10; i++)
		assert_int_equal(sleep_once(&pace, 0, &elapsed, 0), 0);
	assert_int_equal(elapsed, PACE_MAX_MS);
}

/* When a burst has woken the reader, after a millisecond, it sleeps no longer than that
 * allows. */
static void test_burst(void **state)
{
	struct pace pace = {.sleep_ms = PACE_MAX_MS};
	uint64_t elapsed = 1;
	unsigned int permille = 31;
	int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		permille = sleep_once(&pace, permille, &elapsed, 2000);
		assert_in_range(permille, 0, PACE_AIM_PERMILLE);
	}
}

/* A load that goes on is met at about a third of the buffer, with the sleep that gives
 * that. */
static void test_steady_load(void **state)
{
	static const uint64_t rates[] = {1, 10, 82, 200, 400};
	struct pace pace = {0};
	size_t r;
	int i;

	(void)state;
	for (r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
		uint64_t elapsed = 1;
		unsigned int permille = 0;

		for (i = 0; i < 20; i++)
			permille = sleep_once(&pace, permille, &elapsed, rates[r]);
		assert_in_range(permille, 0, PACE_AIM_PERMILLE);
		assert_true(elapsed == PACE_MAX_MS ||
			    permille >= PACE_AIM_PERMILLE * 9 / 10);
	}
}

/* Below that it is a millisecond at least, also where none has passed. */
static void test_shortest_sleep(void **state)
{
	struct pace pace = {0};

	(void)state;
	assert_int_equal(pace_next(&pace, 30, 1), 1);
	assert_int_equal(pace_next(&pace, 332, 0), 1);
	assert_int_equal(pace_next(&pace, 334, 1), 0);
	assert_int_equal(pace_next(&pace, 30, 0), 1);
}

/* A buffer that is half full, or has lost something, is read again at once. */
static void test_full(void **state)
{
	struct pace pace = {.sleep_ms = PACE_MAX_MS};

	(void)state;
	assert_int_equal(pace_next(&pace, 500, PACE_MAX_MS), 0);
	assert_int_equal(pace_next(&pace, 1000, 1), 0);
	assert_int_equal(pace_next(&pace, 0, 1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle_sleeps_long),
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_steady_load),
		cmocka_unit_test(test_shortest_sleep),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
