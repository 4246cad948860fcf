// SPDX-License-Identifier: GPL-2.0-only
/* Names of threads: each is told again as it was told last, and memory is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../../xblktrace/names.h"

static struct names names;

static struct xblk_record naming(uint32_t pid, const char *comm, uint8_t op)
{
	struct xblk_record r = {
		.time = 7,
		.aux = pid,
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_PROCESS,
		.op = op,
	};

	memcpy(r.comm, comm, strnlen(comm, sizeof(r.comm)));
	return r;
}

static void note(uint32_t pid, const char *comm, uint8_t op)
{
	struct xblk_record r = naming(pid, comm, op);

	names_note(&names, &r, 1);
}

static int teardown(void **state)
{
	(void)state;
	names_free(&names);
	return 0;
}

static void test_nothing(void **state)
{
	struct xblk_record r;
	size_t pos = 0;

	(void)state;
	assert_int_equal(names_tell(&names, &pos, &r, 1, 1), 0);
	names_note(&names, NULL, 0);
	assert_int_equal(names_tell(&names, &pos, &r, 1, 1), 0);
}

/* Among other records, and the last word counts. */
static void test_last_word(void **state)
{
	struct xblk_record batch[] = {
		naming(1, "first", 0),
		{.event = XBLK_EV_QUEUE, .aux = 9},
		naming(0, "swapper/0", XBLK_PROCESS_KTHREAD),
		{.event = XBLK_EV_LOST, .lost = {.count = 3}},
		naming(1, "sixteen letters!", 0),
	};
	struct xblk_record told[4], want;
	size_t pos = 0, i;

	(void)state;
	names_note(&names, batch, 5);
	assert_int_equal(names_tell(&names, &pos, told, 4, 99), 2);
	assert_int_equal(names_tell(&names, &pos, told + 2, 2, 99), 0);
	for (i = 0; i < 2; i++) {
		want = batch[told[i].aux ? 4 : 2];
		want.time = 99;
		assert_memory_equal(&told[i], &want, sizeof(want));
	}
	assert_int_not_equal(told[0].aux, told[1].aux);
}

/* What a host has, process numbers in a row or not: each once, however it is asked for. */
static void test_many(void **state)
{
	static const uint32_t steps[] = {1, 2, 64, 4096, 32768};
	static unsigned char seen[1000];
	struct xblk_record told[7];
	char comm[XBLK_COMM_LEN];
	size_t pos, n, sum;
	uint32_t i, s;

	for (s = 0; s < 5; s++) {
		names_free(&names);
		memset(seen, 0, sizeof(seen));
		for (i = 0; i < 1000; i++) {
			snprintf(comm, sizeof(comm), "n%u", i);
			note(i * steps[s], comm, 0);
		}
		for (pos = sum = 0; (n = names_tell(&names, &pos, told, 7, 1)); sum += n)
			for (i = 0; i < n; i++) {
				snprintf(comm, sizeof(comm), "n%u",
					 told[i].aux / steps[s]);
				assert_string_equal(told[i].comm, comm);
				assert_false(seen[told[i].aux / steps[s]]++);
			}
		assert_int_equal(sum, 1000);
	}
	(void)state;
}

/* A guest that makes them up: the memory is bounded, and the last name is there. */
static void test_full(void **state)
{
	static struct xblk_record told[NAMES_MAX];
	size_t pos = 0, i, nr;
	uint32_t pid;

	(void)state;
	for (pid = 0; pid < 20 * NAMES_MAX; pid++)
		note(pid, "made up", 0);
	note(123456789, "the last", 0);
	nr = names_tell(&names, &pos, told, NAMES_MAX, 1);
	assert_int_equal(names_tell(&names, &pos, told, NAMES_MAX, 1), 0);
	assert_in_range(nr, NAMES_MAX / 2, NAMES_MAX);
	assert_int_equal(names.size, NAMES_MAX);
	for (i = 0; i < nr && told[i].aux != 123456789; i++)
		;
	assert_true(i < nr);
	assert_string_equal(told[i].comm, "the last");
}

static size_t fill(struct names *to)
{
	uint32_t pid;

	for (pid = 0; pid < 20 * NAMES_MAX; pid++) {
		struct xblk_record r = naming(pid, "made up", 0);

		names_note(to, &r, 1);
	}
	return to->size;
}

/* Guests that make them up: each has its own, and what another one leaves of the rest. */
static void test_shared(void **state)
{
	struct names_pool pool = {.left = NAMES_MAX};
	struct names first = {.pool = &pool}, second = first, third = first;

	(void)state;
	assert_int_equal(fill(&first), NAMES_MAX);
	assert_int_equal(pool.left, NAMES_OWN);
	/* Tables get twice as large at a time. */
	assert_int_equal(fill(&second), 2 * NAMES_OWN);
	assert_int_equal(pool.left, 0);
	assert_int_equal(fill(&third), NAMES_OWN);
	names_free(&first);
	assert_null(first.pool);
	assert_int_equal(fill(&third), NAMES_MAX);
	names_free(&second);
	names_free(&third);
	assert_int_equal(pool.left, NAMES_MAX);
}

/* Numbers that all have the same place. */
static void test_one_row(void **state)
{
	static struct xblk_record told[NAMES_MAX];
	size_t pos = 0;
	uint64_t n;

	(void)state;
	/* 0x0e8b2f51 times the factor is 1: so the product is what is wanted. */
	for (n = 0; n < 100000; n++)
		note((uint32_t)n % 65536 * 0x0e8b2f51u, "same", 0);
	assert_in_range(names_tell(&names, &pos, told, NAMES_MAX, 1), 1, 8);
	assert_true(names.size <= NAMES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_nothing, teardown),
		cmocka_unit_test_teardown(test_last_word, teardown),
		cmocka_unit_test_teardown(test_many, teardown),
		cmocka_unit_test_teardown(test_full, teardown),
		cmocka_unit_test_teardown(test_one_row, teardown),
		cmocka_unit_test_teardown(test_shared, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
