// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clock's arithmetic against a Xen whose time goes faster or slower than
 * sched_clock() by a known rate, or jumps, measured as the modules do: many readings
 * between two of sched_clock(), every two seconds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../kmod-common/clock-sample.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define SECOND	   1000000000LL
#define PERIOD	   (2 * SECOND)
#define START	   (777 * SECOND + 123456789)
#define AHEAD	   (5000 * SECOND) /* Xen was started so long before the domain */

static struct {
	int64_t ppb; /* by which Xen's time is faster */
	int64_t jumped;
	int64_t took; /* a reading of Xen's time, at least */
	uint64_t noise;
	uint64_t sched;
	struct xblk_clock clock;
} t;

static uint64_t xen_at(uint64_t sched)
{
	__int128 since = sched - START;

	return sched + AHEAD + t.jumped + (int64_t)(since * t.ppb / SECOND);
}

static uint64_t noise(uint64_t most)
{
	t.noise = t.noise * 6364136223846793005 + 1442695040888963407;
	return (t.noise >> 33) % (most + 1);
}

static struct xblk_clock_sample measure(void)
{
	struct xblk_clock_sample sample;

	xblk_clock_begin(&sample);
	for (int i = 0; i < 64; i++) {
		uint64_t before = t.sched, at = before + noise(t.took);

		t.sched = at + noise(t.took);
		xblk_clock_narrow(&sample, before, xen_at(at), t.sched);
	}
	xblk_clock_narrowed(&sample);
	return sample;
}

/* How far the clock is off in truth. */
static int64_t off(void)
{
	return llabs((int64_t)(t.sched + t.clock.offset - xen_at(t.sched)));
}

static void begin(int64_t ppb, int64_t took)
{
	struct xblk_clock_sample sample;

	t.ppb = ppb;
	t.jumped = 0;
	t.took = took;
	t.noise = 1;
	t.sched = START;
	t.clock.jumps = 0;
	sample = measure();
	xblk_clock_set(&t.clock, &sample);
}

/* A watched clock goes on until its next measurement; what it says of itself is true. */
static bool next(void)
{
	struct xblk_clock_sample sample;
	uint64_t before = t.clock.jumps;
	bool jumped;

	t.sched += PERIOD;
	sample = measure();
	jumped = xblk_clock_check(&t.clock, &sample);
	/* The truth moves on a little while it is measured. */
	if (t.clock.uncertainty < U32_MAX)
		assert_in_range(off(), 0, t.clock.uncertainty + 50);
	assert_int_equal(t.clock.jumps, before + jumped);
	if (jumped)
		xblk_clock_step(&t.clock, &sample);
	return jumped;
}

/* Xen's pvclock: however inexact measurements are, nothing is to be done, ever. */
static void no_drift(void **ctx)
{
	(void)ctx;
	for (int64_t took = 0; took < 10000000; took = took * 10 + 1) {
		begin(0, took);
		for (int i = 0; i < 5000; i++) {
			assert_false(next());
			assert_in_range(llabs(t.clock.drift), 0, 2 * took);
			assert_in_range(t.clock.uncertainty, 0, 4 * took + 2);
		}
	}
}

/* It is told how far it is off, and a generation begins when that is too much. */
static void drifts(void **ctx)
{
	static const int64_t rates[] = {1000, 20000, 200000, 500000};

	(void)ctx;
	for (size_t i = 0; i < 2 * LEN(rates); i++) {
		int64_t ppb = i % 2 ? -rates[i / 2] : rates[i / 2];
		int64_t each = rates[i / 2] * PERIOD / SECOND;
		unsigned int n = 0;

		begin(ppb, 300);
		for (int j = 0; j < 5000; j++) {
			int64_t drift = ppb * (j + 1) * PERIOD / SECOND;
			bool jumped = next();

			n += jumped;
			if (!n)
				assert_in_range(llabs(t.clock.drift - drift), 0, 1000);
			assert_in_range(off(), 0, jumped ? 600 : XBLK_CLOCK_BOUND + 600);
		}
		/* Each as soon as it could be seen. */
		each *= (XBLK_CLOCK_BOUND + 600) / each + 1;
		assert_in_range(n, llabs(ppb) * 5000 * 2 / each, 5000);
		assert_in_range(n, 1,
				llabs(ppb) * 5000 * 2 / (XBLK_CLOCK_BOUND - 600) + 1);
	}
}

static void jumps(void **ctx)
{
	static const int64_t by[] = {101000, -101000, 3600 * SECOND, -3600 * SECOND};

	(void)ctx;
	for (size_t i = 0; i < LEN(by); i++) {
		begin(0, 300);
		assert_false(next());
		t.jumped = by[i];
		assert_true(next());
		assert_in_range(off(), 0, 600);
		/* What was written before the step was off by so much. */
		assert_in_range(t.clock.uncertainty, min(llabs(by[i]), (int64_t)U32_MAX),
				U32_MAX);
		assert_int_equal(t.clock.drift, 0);
		assert_false(next());
	}
}

/* One that does not follow says so at each measurement, and how far it is off. */
static void left_alone(void **ctx)
{
	struct xblk_clock_sample sample;

	(void)ctx;
	begin(0, 300);
	t.jumped = -250000;
	for (unsigned int i = 1; i < 5; i++) {
		sample = measure();
		assert_true(xblk_clock_check(&t.clock, &sample));
		assert_int_equal(t.clock.jumps, i);
		assert_in_range(-t.clock.drift, 249000, 251000);
		assert_in_range(t.clock.uncertainty, 250000, 252000);
	}
	/* The next capture begins with another. */
	sample = measure();
	xblk_clock_set(&t.clock, &sample);
	assert_in_range(t.clock.uncertainty, 0, 600);
}

/* Processors whose clocks differ by less than the bound: the gap is what is known. */
static void contradiction(void **ctx)
{
	struct xblk_clock_sample sample;
	struct xblk_clock clock = {.jumps = 0};

	(void)ctx;
	xblk_clock_begin(&sample);
	xblk_clock_narrow(&sample, 1000, 51000, 1100);
	xblk_clock_narrow(&sample, 2000, 42000, 2100);
	xblk_clock_narrowed(&sample);
	assert_int_equal(sample.lo, 40000);
	assert_int_equal(sample.hi, 49900);
	xblk_clock_set(&clock, &sample);
	assert_int_equal(clock.offset, 44950);
	assert_int_equal(clock.uncertainty, 4951);
	/* To the last ns. */
	sample.lo = sample.hi = 44950 + XBLK_CLOCK_BOUND;
	assert_false(xblk_clock_check(&clock, &sample));
	sample.lo = sample.hi = 44950 - XBLK_CLOCK_BOUND;
	assert_false(xblk_clock_check(&clock, &sample));
	sample.lo = sample.hi = 44950 + XBLK_CLOCK_BOUND + 1;
	assert_true(xblk_clock_check(&clock, &sample));
	sample.lo = sample.hi = 44950 - XBLK_CLOCK_BOUND - 1;
	assert_true(xblk_clock_check(&clock, &sample));
	/* An inexact measurement that leaves it possible that all is well. */
	sample.lo = 44950 - 900000;
	sample.hi = 44950 + XBLK_CLOCK_BOUND - 1;
	assert_false(xblk_clock_check(&clock, &sample));
	assert_int_equal(clock.uncertainty, 900001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_drift),	 cmocka_unit_test(drifts),
		cmocka_unit_test(jumps),	 cmocka_unit_test(left_alone),
		cmocka_unit_test(contradiction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
