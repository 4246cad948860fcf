// SPDX-License-Identifier: GPL-2.0-only
/* The histogram against sorted values: never off by more than 1/64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyse/hist.h"

#define NR 20000

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t state = 88172645463325252ull;

static uint64_t random64(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void check_quantiles(uint64_t *values, size_t nr)
{
	static const unsigned int permille[] = {0, 1, 500, 900, 990, 999, 1000};
	unsigned __int128 sum = 0;
	struct hist *h = NULL;

	for (size_t i = 0; i < nr; i++) {
		hist_add(&h, values[i], NULL);
		sum += values[i];
	}
	qsort(values, nr, sizeof(*values), compare);
	assert_int_equal(h->count, nr);
	assert_int_equal(h->min, values[0]);
	assert_int_equal(h->max, values[nr - 1]);
	assert_int_equal(hist_mean(h), (uint64_t)((sum + nr / 2) / nr));
	for (size_t i = 0; i < sizeof(permille) / sizeof(*permille); i++) {
		size_t rank = (nr * permille[i] + 999) / 1000;
		uint64_t want = values[rank ? rank - 1 : 0];
		uint64_t got = hist_quantile(h, permille[i]);
		uint64_t off = got > want ? got - want : want - got;

		assert_true(off <= want / 64);
	}
	hist_free(h, NULL);
}

static void quantiles_uniform(void **ctx)
{
	uint64_t *v = malloc(NR * sizeof(*v));

	(void)ctx;
	for (size_t i = 0; i < NR; i++)
		v[i] = random64() % 1000000;
	check_quantiles(v, NR);
	free(v);
}

/* Every octave up to the largest number there is. */
static void quantiles_all_sizes(void **ctx)
{
	uint64_t *v = malloc(NR * sizeof(*v));

	(void)ctx;
	for (size_t i = 0; i < NR; i++)
		v[i] = random64() >> (random64() % 64);
	v[0] = UINT64_MAX;
	v[1] = 0;
	check_quantiles(v, NR);
	free(v);
}

static void few_values(void **ctx)
{
	uint64_t one[] = {123456789}, two[] = {7, 1000000};

	(void)ctx;
	check_quantiles(one, 1);
	check_quantiles(two, 2);
}

static void empty(void **ctx)
{
	(void)ctx;
	assert_int_equal(hist_quantile(NULL, 500), 0);
	assert_int_equal(hist_mean(NULL), 0);
}

/* The lower bounds rise, and each value lies between its bucket's and the next. */
static void bounds(void **ctx)
{
	(void)ctx;
	for (size_t i = 1; i < HIST_BUCKETS; i++)
		assert_true(hist_lower(i) > hist_lower(i - 1));
	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		struct hist *h = NULL;

		hist_add(&h, hist_lower(i), NULL);
		assert_int_equal(hist_at(h, i), 1);
		hist_free(h, NULL);
	}
}

static void assert_same(const struct hist *a, const struct hist *b)
{
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->min, b->min);
	assert_int_equal(a->max, b->max);
	assert_true(a->sum == b->sum);
	for (size_t i = 0; i < HIST_BUCKETS; i++)
		assert_int_equal(hist_at(a, i), hist_at(b, i));
}

/* Two halves merged are the whole. */
static void merging(void **ctx)
{
	struct hist *all = NULL, *half[2] = {NULL, NULL}, *none = NULL;

	(void)ctx;
	for (size_t i = 0; i < NR; i++) {
		uint64_t v = random64() % 1000000000;

		hist_add(&all, v, NULL);
		hist_add(&half[i % 3 == 0], v, NULL);
	}
	hist_merge(&half[0], half[1]);
	assert_same(half[0], all);
	hist_merge(&half[0], NULL);
	assert_same(half[0], all);
	hist_merge(&none, all);
	assert_same(none, all);
	hist_free(none, NULL);
	hist_free(all, NULL);
	hist_free(half[0], NULL);
	hist_free(half[1], NULL);
}

/* As if so many values had been the one that is there. */
static void add_many(struct hist *h, uint64_t ns, uint32_t more)
{
	h->counts[hist_index(hist_part(h, hist_bucket(ns)), hist_bucket(ns))] += more;
	h->count += more;
}

/* More in one bucket than its count holds. */
static void counts_carry(void **ctx)
{
	struct hist *h = NULL, *sum = NULL;

	(void)ctx;
	hist_add(&h, 40, NULL);
	hist_add(&h, 50, NULL);
	add_many(h, 50, UINT32_MAX - 1);
	assert_int_equal(hist_at(h, hist_bucket(50)), UINT32_MAX);
	hist_add(&h, 50, NULL);
	hist_add(&h, 50, NULL);
	assert_int_equal(hist_at(h, hist_bucket(50)), (1ull << 32) + 1);
	assert_int_equal(hist_at(h, hist_bucket(40)), 1);
	assert_int_equal(h->count, (1ull << 32) + 2);
	assert_int_equal(hist_quantile(h, 0), 40);
	assert_int_equal(hist_quantile(h, 500), 50);
	add_many(h, 50, UINT32_MAX - 1);
	hist_add(&h, 50, NULL);
	assert_int_equal(hist_at(h, hist_bucket(50)), 2ull << 32);
	hist_merge(&sum, h);
	assert_same(sum, h);
	hist_add(&sum, 60, NULL);
	add_many(sum, 60, UINT32_MAX - 1);
	hist_add(&h, 60, NULL);
	hist_merge(&sum, h);
	assert_int_equal(hist_at(sum, hist_bucket(50)), 4ull << 32);
	assert_int_equal(hist_at(sum, hist_bucket(60)), 1ull << 32);
	assert_int_equal(hist_at(sum, hist_bucket(40)), 2);
	hist_free(h, NULL);
	hist_free(sum, NULL);
}

/* Few parts of an octave are worth few bytes, wherever they are. */
static void of_few_parts(void **ctx)
{
	struct hist *h = NULL;

	(void)ctx;
	for (uint64_t ns = 1000; ns < 1000000000; ns *= 1000)
		hist_add(&h, ns, NULL);
	assert_int_equal(h->parts.nr, 2);
	assert_true(h->parts.room <= 2);
	hist_free(h, NULL);
}

/* What a disk has beyond its own room others have not, until it is given back. */
static void room_is_shared(void **ctx)
{
	struct hist *first = NULL, *second = NULL;
	unsigned int shared = 3;
	struct room mine = {.used = ROOM_OWN - 2, .shared = &shared},
		    other = {.used = ROOM_OWN, .shared = &shared};

	(void)ctx;
	for (unsigned int i = 0; i < 5; i++)
		hist_add(&first, 1000ull << 2 * i, &mine);
	assert_int_equal(mine.used, ROOM_OWN + 2);
	assert_int_equal(shared, 1);
	for (unsigned int i = 0; i < 3; i++)
		hist_add(&second, 1000ull << 2 * i, &other);
	assert_int_equal(shared, 0);
	assert_false(first->beyond);
	assert_true(second->beyond);
	assert_int_equal(hist_quantile(second, 500), 0);
	assert_int_equal(hist_mean(second), 7000);
	assert_int_equal(second->max, 16000);
	hist_free(first, &mine);
	assert_int_equal(shared, 2);
	assert_int_equal(mine.used, ROOM_OWN - 2);
	hist_free(second, &other);
	assert_int_equal(shared, 3);
	hist_free(NULL, &mine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_uniform),
		cmocka_unit_test(quantiles_all_sizes),
		cmocka_unit_test(few_values),
		cmocka_unit_test(empty),
		cmocka_unit_test(bounds),
		cmocka_unit_test(merging),
		cmocka_unit_test(counts_carry),
		cmocka_unit_test(room_is_shared),
		cmocka_unit_test(of_few_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
