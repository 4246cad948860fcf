// SPDX-License-Identifier: GPL-2.0-only
/* Numbers and words of a line, as printf() would have them. */
#include <inttypes.h>
#include <math.h>

#include "printed.h"
#include "sinks/table.h"

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

/* Where digits come from, two and three at a time: all of these, at each place. */
static void digits(void **ctx)
{
	(void)ctx;
	for (unsigned int n = 0; n < 10000; n++) {
		char line[LINE_SIZE];

		is(line, put_digits(line, n * 10000 + 9999 - n, 8), "%04u%04u", n,
		   9999 - n);
		is(line, put_u64(line, n), "%u", n);
	}
	for (unsigned int n = 0; n < 1000; n++) {
		uint64_t same = n * 1001001001001001001ull;
		char line[LINE_SIZE];

		for (uint64_t unit = 1; unit <= 1000000000000000; unit *= 1000)
			is(line, put_u64(line, n * unit), "%" PRIu64, n * unit);
		is(line, put_u64(line, same), "%" PRIu64, same);
	}
}

static void time_is(struct times *times, uint64_t ns)
{
	char line[LINE_SIZE];

	is(line, put_since(line, times, ns), "%" PRId64, (int64_t)(ns - times->start_ns));
}

/* Near the last one and far from it, to either side, and before the start. */
static void since(void **ctx)
{
	static const uint64_t starts[] = {0, 1000, 987654321, INT64_MAX, UINT64_MAX};
	static const uint64_t steps[] = {0, 1, 999, 1000, 999999, 1000000, 1000001};

	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		struct times times;

		times_init(&times, starts[i]);
		for (uint64_t ns = 1, n = 0; n < 20; ns *= 10, n++) {
			for (size_t k = 0; k < ARRAY_SIZE(steps); k++) {
				time_is(&times, starts[i] + ns + steps[k]);
				time_is(&times, starts[i] + ns - steps[k]);
				time_is(&times, starts[i] - ns - steps[k]);
			}
		}
		time_is(&times, starts[i] + INT64_MAX - 999999);
		time_is(&times, starts[i] + INT64_MAX);
		time_is(&times, starts[i] + (uint64_t)INT64_MIN);
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

/* A value of a table, and a share, as printf() rounds them. */
static void value(double v)
{
	char want[128];
	struct printed p;

	snprintf(want, sizeof(want), " %9.*f%7.2f%%",
		 v >= 99.95    ? 0
		 : v >= 9.995  ? 1
		 : v >= 0.9995 ? 2
			       : 3,
		 v, v);
	printed_init(&p);
	print_value(p.out, v);
	print_percent(p.out, v);
	printed_is(&p, want);
}

/* Halfway between two numbers, just beside that, and where there are other digits. */
static void values(void **ctx)
{
	static const double edges[] = {0.9995, 9.995, 99.95, 999.5, 0x1p53};

	(void)ctx;
	for (unsigned int n = 0; n < 20000; n++) {
		value(n / 2000.0);
		value(n / 64.0);
		value(nextafter(n / 64.0, 0));
		value(nextafter(n / 64.0, INFINITY));
	}
	for (double v = 1e-30; v < 1e15; v *= 1.37)
		value(v);
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		value(edges[i]);
		value(nextafter(edges[i], 0));
		value(nextafter(edges[i], INFINITY));
	}
}

static void titles(void **ctx)
{
	struct printed p;

	(void)ctx;
	printed_init(&p);
	print_title(p.out, "p50", "\u00b5s");
	print_title(p.out, "in Q2C", "");
	print_title(p.out, "guest's share", "ms");
	printed_is(&p, "    p50 \u00b5s    in Q2C guest's share ms");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers), cmocka_unit_test(digits),
		cmocka_unit_test(since),   cmocka_unit_test(words),
		cmocka_unit_test(values),  cmocka_unit_test(titles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
