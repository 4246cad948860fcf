// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clock's arithmetic against a Xen whose time goes faster or slower than
 * sched_clock() by a known rate, or jumps, measured as the modules do: many readings
 * between two of sched_clock(), every two seconds; and the line over a counter whose
 * rate is not quite what it is taken to be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
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

/* --- the counter's line
 * ----------------------------------------------------------------- */

static struct {
	double hz; /* by Xen's time */
	uint64_t took;
	uint64_t tsc;
	uint64_t slope;
	struct xblk_line line;
	struct xblk_clock clock;
} l;

static uint64_t xen_by(uint64_t tsc)
{
	return AHEAD + (uint64_t)((__int128)(tsc - START) * SECOND / (int64_t)l.hz);
}

static struct xblk_clock_sample measure_line(void)
{
	struct xblk_clock_sample sample;

	xblk_clock_begin(&sample);
	for (int i = 0; i < 64; i++) {
		uint64_t before = l.tsc, at = before + noise(l.took);

		l.tsc = at + noise(l.took);
		xblk_clock_narrow(&sample, xblk_line_at(&l.line, before), xen_by(at),
				  xblk_line_at(&l.line, l.tsc));
	}
	xblk_clock_narrowed(&sample);
	return sample;
}

/* @wrong: by how much the slope is wrong at first, 1e-9 */
static void begin_line(double hz, uint64_t took, int64_t wrong)
{
	memset(&l, 0, sizeof(l));
	l.hz = hz;
	l.took = took;
	l.tsc = START;
	t.noise = 1;
	assert_true(xblk_line_slope((uint64_t)hz, SECOND, &l.slope));
	l.slope += (int64_t)((__int128)l.slope * wrong / SECOND);
	l.line = (struct xblk_line){
		.tsc = l.tsc,
		.span = (uint64_t)(hz * PERIOD / SECOND),
		.ns = xen_by(l.tsc),
		.before = l.slope,
		.after = l.slope,
		.beyond = l.slope,
	};
}

/* As bend_line() does, and who reads the one or the other line sees no time go back. */
static void bend(uint64_t ahead, uint64_t period)
{
	struct xblk_clock_sample sample = measure_line();
	uint64_t at = l.tsc + ahead, ns, last = 0;
	struct xblk_line old = l.line;

	assert_false(xblk_clock_check(&l.clock, &sample));
	l.line =
		xblk_line_bend(&old, at, &l.slope, xblk_clock_behind(&sample, 0), period);
	for (int64_t i = -1000; i < 1000; i++) {
		uint64_t tsc = at + i * (int64_t)ahead / 1000;

		ns = xblk_line_at(&l.line, tsc);
		assert_true(ns >= last);
		last = ns;
		if (i <= 0)
			assert_in_range(ns - xblk_line_at(&old, tsc), 0, 2);
	}
}

/* It stays where it is known to be, and says so, however wrong it was about the rate. */
static void follows(void **ctx)
{
	static const double rates[] = {1e6, 24e6, 999999937., 2893000000., 5.7e9};
	static const int64_t wrong[] = {0, 300, -300, 20000, -20000};

	(void)ctx;
	for (size_t i = 0; i < LEN(rates) * LEN(wrong) * 3; i++) {
		uint64_t took = (uint64_t[]){0, 300, 20000}[i / LEN(wrong) / LEN(rates)];
		double hz = rates[i / LEN(wrong) % LEN(rates)];
		uint64_t period = (uint64_t)(hz * PERIOD / SECOND);
		uint64_t most = took + 2000000000 / (uint64_t)hz + 10;
		int64_t off;

		begin_line(hz, (uint64_t)((double)took * hz / SECOND),
			   wrong[i % LEN(wrong)]);
		for (int n = 0; n < 1000; n++) {
			l.tsc += period;
			off = (int64_t)(xblk_line_at(&l.line, l.tsc) - xen_by(l.tsc));
			assert_in_range(llabs(off), 0,
					n < 30 ? 41000 + 3 * most : 3 * most);
			bend((uint64_t)hz / 1000, period);
			assert_in_range(llabs(off), 0, l.clock.uncertainty + most);
		}
	}
}

/*
 * Measurements come late, always or once: as where a processor is kept busy, or the whole
 * domain is paused.
 */
static void late(void **ctx)
{
	static const int seconds[] = {3, 4, 6, 8, 12, 60};
	const double hz = 2893000000.;
	const uint64_t period = (uint64_t)(hz * PERIOD / SECOND);
	const uint64_t took = 300, most = took + 10;

	(void)ctx;
	for (size_t i = 0; i < LEN(seconds); i++) {
		begin_line(hz, (uint64_t)((double)took * hz / SECOND), 1000);
		for (int n = 0; n < 200; n++) {
			int64_t off;

			l.tsc += (uint64_t)(hz * seconds[i]);
			off = (int64_t)(xblk_line_at(&l.line, l.tsc) - xen_by(l.tsc));
			/* 1000 times 1e-9 of that at first. */
			assert_in_range(llabs(off), 0,
					n < 30 ? (uint64_t)seconds[i] * 1000 + 3 * most
					       : 3 * most);
			bend((uint64_t)hz / 1000, period);
		}
	}
	begin_line(hz, (uint64_t)((double)took * hz / SECOND), 1000);
	for (int n = 0; n < 100; n++) {
		l.tsc += period;
		bend((uint64_t)hz / 1000, period);
	}
	/* Ten minutes: as exact as the rate is known by then. */
	l.tsc += (uint64_t)(hz * 600);
	assert_in_range(llabs((int64_t)(xblk_line_at(&l.line, l.tsc) - xen_by(l.tsc))), 0,
			50000);
}

/* Which of a line's parts are read at once, and that nothing is where there is none. */
static void reading(void **ctx)
{
	struct xblk_line line = {.after = 1ULL << XBLK_SLOPE_SHIFT, .beyond = 1};
	const struct xblk_line *current = NULL;
	uint64_t tsc = xblk_tsc(), now = 0;

	(void)ctx;
	if (!tsc)
		skip();
	assert_false(xblk_line_read(&current, &now));
	assert_false(xblk_line_read_all(&current, &now));
	current = &line;
	line.tsc = tsc;
	line.span = 1ULL << 62;
	assert_true(xblk_line_read(&current, &now));
	assert_in_range(now, 1, xblk_tsc() - tsc);
	assert_true(xblk_line_read_all(&current, &now));
	line.tsc = tsc + (1ULL << 60);
	assert_false(xblk_line_read(&current, &now));
	line.tsc = tsc - 2;
	line.span = 1;
	assert_false(xblk_line_read(&current, &now));
	assert_true(xblk_line_read_all(&current, &now));
	assert_int_equal(now, 1);
}

/* A counter that stops, or that no processor has. */
static void no_counter(void **ctx)
{
	uint64_t slope;

	(void)ctx;
	assert_false(xblk_line_slope(0, SECOND, &slope));
	assert_false(xblk_line_slope(0, 0, &slope));
	assert_false(xblk_line_slope(SECOND / 10000, SECOND, &slope));
	assert_false(xblk_line_slope(-1000000ULL, SECOND, &slope));
	assert_false(xblk_line_slope(SECOND, -5ULL, &slope));
	assert_true(xblk_line_slope(SECOND, SECOND, &slope));
	assert_int_equal(slope, 1ULL << XBLK_SLOPE_SHIFT);
}

/* Far from where it bends. */
static void far(void **ctx)
{
	const uint64_t one = 1ULL << XBLK_SLOPE_SHIFT;
	const struct xblk_line line = {
		.tsc = 1ULL << 62,
		.span = 1ULL << 60,
		.ns = 1ULL << 61,
		.before = one / 2,
		.after = one / 4,
		.beyond = one / 8,
	};

	(void)ctx;
	assert_int_equal(xblk_line_at(&line, (1ULL << 62) + (1ULL << 60)),
			 (1ULL << 61) + (1ULL << 58));
	assert_int_equal(xblk_line_at(&line, 3ULL << 61),
			 (1ULL << 61) + (1ULL << 58) + (1ULL << 57));
	assert_true(xblk_line_ends(&line, line.tsc + 1, line.tsc + line.span));
	assert_true(
		xblk_line_ends(&line, line.tsc + line.span, line.tsc + line.span + 5));
	assert_false(xblk_line_ends(&line, line.tsc, line.tsc + line.span - 1));
	assert_false(xblk_line_ends(&line, line.tsc + line.span + 1,
				    line.tsc + line.span + 5));
	assert_int_equal(xblk_line_at(&line, 1ULL << 61), (1ULL << 61) - (1ULL << 60));
	assert_int_equal(xblk_line_at(&line, (1ULL << 62) - 1), (1ULL << 61) - 1);
	assert_int_equal(xblk_line_at(&line, (1ULL << 62) + 3), 1ULL << 61);
}

static void behind(void **ctx)
{
	const struct xblk_clock_sample above = {100, 200}, below = {-300, -100},
				       about = {-5, 7};

	(void)ctx;
	assert_int_equal(xblk_clock_behind(&above, 0), 100);
	assert_int_equal(xblk_clock_behind(&above, 50), 50);
	assert_int_equal(xblk_clock_behind(&above, 300), -100);
	assert_int_equal(xblk_clock_behind(&below, 0), -100);
	assert_int_equal(xblk_clock_behind(&about, 0), 0);
	assert_int_equal(xblk_clock_behind(&about, 7), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_drift),	 cmocka_unit_test(drifts),
		cmocka_unit_test(jumps),	 cmocka_unit_test(left_alone),
		cmocka_unit_test(contradiction), cmocka_unit_test(follows),
		cmocka_unit_test(no_counter),	 cmocka_unit_test(far),
		cmocka_unit_test(behind),	 cmocka_unit_test(late),
		cmocka_unit_test(reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
