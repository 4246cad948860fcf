// SPDX-License-Identifier: GPL-2.0-only
/* Numbers and words of a line, as printf() would have them. */
#include <inttypes.h>

#include "sinks/text.h"
#include "test_parse_util.h"

static void numbers_by_hand(void **ctx)
{
	static const int64_t numbers[] = {0, 9, 10, -1, -10, INT64_MAX, INT64_MIN};
	char expected[64], got[64];
	struct text t = {0};

	(void)ctx;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		t.len = 0;
		text_i64(&t, numbers[i]);
		text_char(&t, ',');
		text_u64(&t, (uint64_t)numbers[i]);
		snprintf(got, sizeof(got), "%.*s", (int)t.len, t.line);
		snprintf(expected, sizeof(expected), "%" PRId64 ",%" PRIu64, numbers[i],
			 (uint64_t)numbers[i]);
		assert_string_equal(got, expected);
	}
	t.len = 0;
	text_char(&t, '-');
	text_number(&t, 12, 5, '0');
	text_right(&t, 0, t.len, 7);
	text_right(&t, 0, t.len, 3);
	assert_int_equal(t.len, 7);
	assert_memory_equal(t.line, " -00012", 7);
	for (uint64_t n = 1, i = 0; i < 20; n *= 10, i++) {
		t.len = 0;
		text_u64(&t, n - 1);
		text_char(&t, ',');
		text_u64(&t, n);
		snprintf(got, sizeof(got), "%.*s", (int)t.len, t.line);
		snprintf(expected, sizeof(expected), "%" PRIu64 ",%" PRIu64, n - 1, n);
		assert_string_equal(got, expected);
	}
	/* A line that is full stays as it is. */
	t.len = TEXT_SIZE - 2;
	text_u64(&t, 1234);
	assert_int_equal(t.len, TEXT_SIZE - 2);
	text_print(&t, "%d", 12);
	text_right(&t, t.len, 0, 3);
	assert_int_equal(t.len, TEXT_SIZE - 2);
	text_string(&t, "abc");
	assert_int_equal(t.len, TEXT_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
