// SPDX-License-Identifier: GPL-2.0-only
/* Numbers and words of a line, as printf() would have them. */
#include <inttypes.h>

#include "sinks/text.h"
#include "test_parse_util.h"

/* What was put from @line to @to is what printf() makes of the rest. */
__attribute__((format(printf, 3, 4))) static void is(const char *line, const char *to,
						     const char *fmt, ...)
{
	char want[LINE_SIZE], got[LINE_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(want, sizeof(want), fmt, args);
	va_end(args);
	snprintf(got, sizeof(got), "%.*s", (int)(to - line), line);
	assert_string_equal(got, want);
}

static void number(uint64_t n)
{
	char line[LINE_SIZE];

	is(line, put_u64(line, n), "%" PRIu64, n);
	is(line, put_i64(line, (int64_t)n), "%" PRId64, (int64_t)n);
	for (unsigned int width = 0; width <= 24; width++)
		is(line, put_right_u64(line, n, width), "%*" PRIu64, (int)width, n);
	is(line, put_digits(line, n % 1000, 3), "%03" PRIu64, n % 1000);
	is(line, put_digits(line, n % 100000000, 8), "%08" PRIu64, n % 100000000);
	is(line, put_digits(line, n % 1000000000, 9), "%09" PRIu64, n % 1000000000);
}

/* Around each power of ten, and with each digit at each place. */
static void numbers(void **ctx)
{
	(void)ctx;
	for (uint64_t n = 1, i = 0; i < 20; n *= 10, i++) {
		for (unsigned int digit = 1; digit <= 9; digit++) {
			number(digit * n - 1);
			number(digit * n);
			number(digit * n + 1);
			number(-(digit * n));
		}
	}
	number(0);
	number(INT64_MAX);
	number((uint64_t)INT64_MIN);
	number(UINT64_MAX);
}

/* Where eight digits come from: all of the fours, in both halves. */
static void digits(void **ctx)
{
	(void)ctx;
	for (unsigned int n = 0; n < 10000; n++) {
		char line[LINE_SIZE];

		is(line, put_digits(line, n * 10000 + 9999 - n, 8), "%04u%04u", n,
		   9999 - n);
		is(line, put_u64(line, n), "%u", n);
	}
}

static void words(void **ctx)
{
	char line[LINE_SIZE], *to;

	(void)ctx;
	is(line, put_string_right(line, "ab", 4), "  ab");
	is(line, put_string_right(line, "abcde", 4), "abcde");
	is(line, put_string_left(line, "ab", 4), "ab  ");
	is(line, put_string_left(line, "abcde", 4), "abcde");
	is(line, put_disk(line, 3, "xvda"), "      3:xvda");
	is(line, put_disk(line, 4294967295, "xvda#10"), "4294967295:xvda#10");
	to = put_string(line, "a12");
	is(line, put_right(line + 1, to, 2, 5), "a   12");
	to = put_string(line, "a12");
	is(line, put_right(line + 1, to, 2, 2), "a12");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(digits),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
