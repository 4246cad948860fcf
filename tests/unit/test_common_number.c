// SPDX-License-Identifier: GPL-2.0-only
/* Numbers in text: which are taken, what they are, and what is said of the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "number.h"

#define KEPT 77 /* what a result is that nothing has set */

static const char *const no_numbers[] = {
	"",
	" ",
	"-",
	"-1",
	"+1",
	" 1",
	"1 ",
	"1x",
	"x",
	"0x10",
	"1e3",
	"nan",
	"inf",
	".",
	"1.2.3",
	"1,5",
	"18446744073709551616",
	"99999999999999999999999999",
};

static void test_u64(void **state)
{
	uint64_t v = KEPT;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(no_numbers) / sizeof(no_numbers[0]); i++) {
		assert_string_equal(number_u64(no_numbers[i], 0, UINT64_MAX, &v),
				    "not a number from 0 to 18446744073709551615");
	}
	assert_non_null(number_u64("1.5", 0, UINT64_MAX, &v));
	assert_string_equal(number_u64("4", 5, 9, &v), "not a number from 5 to 9");
	assert_string_equal(number_u64("10", 5, 9, &v), "not a number from 5 to 9");
	assert_int_equal(v, KEPT);
	assert_null(number_u64("5", 5, 9, &v));
	assert_int_equal(v, 5);
	assert_null(number_u64("009", 5, 9, &v));
	assert_int_equal(v, 9);
	assert_null(number_u64("18446744073709551615", 0, UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
}

static void test_uint(void **state)
{
	unsigned int v = KEPT;

	(void)state;
	assert_string_equal(number_uint("4294967296", 0, UINT32_MAX, &v),
			    "not a number from 0 to 4294967295");
	assert_int_equal(v, KEPT);
	assert_null(number_uint("4294967295", 0, UINT32_MAX, &v));
	assert_true(v == UINT32_MAX);
}

static void test_size(void **state)
{
	static const char why[] = "not a size from 64K to 2G";
	const uint64_t min = 64 << 10, max = 2ull << 30;
	uint64_t v = KEPT;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(no_numbers) / sizeof(no_numbers[0]); i++)
		assert_string_equal(number_size(no_numbers[i], min, max, &v), why);
	assert_string_equal(number_size("65535", min, max, &v), why);
	assert_string_equal(number_size("63K", min, max, &v), why);
	assert_string_equal(number_size("2097153K", min, max, &v), why);
	assert_string_equal(number_size("64KK", min, max, &v), why);
	assert_string_equal(number_size("64k", min, max, &v), why);
	assert_string_equal(number_size("M", min, max, &v), why);
	assert_string_equal(number_size("1T", min, max, &v), why);
	/* 2^64 and some: what is left of it would be a size. */
	assert_string_equal(number_size("17179869185G", 0, UINT64_MAX, &v),
			    "not a size from 0 to 18446744073709551615");
	assert_int_equal(v, KEPT);
	assert_null(number_size("65536", min, max, &v));
	assert_int_equal(v, min);
	assert_null(number_size("64K", min, max, &v));
	assert_int_equal(v, min);
	assert_null(number_size("3M", min, max, &v));
	assert_int_equal(v, 3 << 20);
	assert_null(number_size("2G", min, max, &v));
	assert_true(v == max);
	assert_null(number_size("0", 0, 10, &v));
	assert_int_equal(v, 0);
}

static void test_seconds(void **state)
{
	static const char why[] = "not a number of seconds from 0.25 to 10";
	uint64_t v = KEPT;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(no_numbers) / sizeof(no_numbers[0]); i++)
		assert_string_equal(
			number_seconds(no_numbers[i], 250000000, 10000000000, &v), why);
	assert_string_equal(number_seconds("0.24", 250000000, 10000000000, &v), why);
	assert_string_equal(number_seconds("10.1", 250000000, 10000000000, &v), why);
	assert_string_equal(number_seconds("x", 1, 1500000000, &v),
			    "not a number of seconds from 0.000000001 to 1.5");
	assert_int_equal(v, KEPT);
	assert_null(number_seconds("0.25", 250000000, 10000000000, &v));
	assert_int_equal(v, 250000000);
	assert_null(number_seconds("10.", 0, 10000000000, &v));
	assert_true(v == 10000000000);
	assert_null(number_seconds(".5", 0, 10000000000, &v));
	assert_int_equal(v, 500000000);
	assert_null(number_seconds("1000000000", 0, NUMBER_MAX_NS, &v));
	assert_true(v == NUMBER_MAX_NS);
}

static void test_time(void **state)
{
	static const char why[] = "not a time from 0 to 1000000000s, as 500us, 2ms or 1s";
	static const struct {
		const char *text;
		uint64_t ns;
	} good[] = {
		{"0", 0},	   {"1.5", 1500},    {"7ns", 7},
		{"500us", 500000}, {"2ms", 2000000}, {"1.25s", 1250000000},
	};
	uint64_t v = KEPT;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(no_numbers) / sizeof(no_numbers[0]); i++)
		assert_string_equal(number_time(no_numbers[i], &v), why);
	assert_string_equal(number_time("5m", &v), why);
	assert_string_equal(number_time("5 ms", &v), why);
	assert_string_equal(number_time("s", &v), why);
	assert_string_equal(number_time("1000000001s", &v), why);
	assert_int_equal(v, KEPT);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_null(number_time(good[i].text, &v));
		assert_true(v == good[i].ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),  cmocka_unit_test(test_uint),
		cmocka_unit_test(test_size), cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
