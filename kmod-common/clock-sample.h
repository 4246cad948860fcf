/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arithmetic of the clock, also for user space, where it is tested.
 *
 * Xen's time is taken to be a line over another clock: sched_clock() plus an offset, or
 * the time-stamp counter times a slope.  It is not known when it ceases to be the same
 * line, so it is measured again and again.
 */
#ifndef XBLK_CLOCK_SAMPLE_H
#define XBLK_CLOCK_SAMPLE_H

#ifdef __KERNEL__
#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/types.h>
#include "compat.h"
#else
#include <stdbool.h>
#include <stdint.h>
typedef uint64_t u64;
typedef int64_t s64;
typedef uint32_t u32;
#define S64_MAX			     INT64_MAX
#define S64_MIN			     INT64_MIN
#define U32_MAX			     UINT32_MAX
#define min(a, b)		     ((a) < (b) ? (a) : (b))
#define max(a, b)		     ((a) > (b) ? (a) : (b))
#define likely(cond)		     __builtin_expect(!!(cond), 1)
#define READ_ONCE(at)		     (*(volatile __typeof__(at) *)&(at))
#define WRITE_ONCE(at, val)	     ((at) = (val))
#define mul_u64_u64_div_u64(a, b, d) ((u64)((unsigned __int128)(a) * (b) / (d)))

/* As the kernel's rdtsc_ordered(). */
static inline u64 xblk_tsc(void)
{
#ifdef __x86_64__
	u32 low, high;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (u64)high << 32 | low;
#else
	return 0;
#endif
}
#endif
#include "xblk/record.h"

/**
 * struct xblk_clock - how Xen's time is known
 * @offset:		what is added to sched_clock(), ns; while the counter is
 *			read, what would have been at the last measurement
 * @drift:		what @offset lacked at the last measurement, ns
 * @jumps:		measurements at which it was off by more than XBLK_CLOCK_BOUND
 * @uncertainty:	no measurement since the clock was calibrated leaves it possible
 *			that it was off by more, ns
 */
struct xblk_clock {
	u64 offset;
	s64 drift;
	u64 jumps;
	u32 uncertainty;
};

/**
 * struct xblk_clock_sample - one measurement
 * @lo:	the offset is not less
 * @hi:	nor more
 */
struct xblk_clock_sample {
	s64 lo;
	s64 hi;
};

/* Nothing is known. */
static inline void xblk_clock_begin(struct xblk_clock_sample *sample)
{
	sample->lo = S64_MIN;
	sample->hi = S64_MAX;
}

/* Xen's time was @xen at some time between two readings of sched_clock(). */
static inline void xblk_clock_narrow(struct xblk_clock_sample *sample, u64 before,
				     u64 xen, u64 after)
{
	s64 least = xen - after, most = xen - before;

	sample->lo = max(sample->lo, least);
	sample->hi = min(sample->hi, most);
}

/*
 * Readings that contradict each other mean that the processors' clocks differ; the gap
 * between them is then what is known of the offset.
 */
static inline void xblk_clock_narrowed(struct xblk_clock_sample *sample)
{
	s64 lo = sample->lo;

	if (lo <= sample->hi)
		return;
	sample->lo = sample->hi;
	sample->hi = lo;
}

static inline s64 xblk_clock_middle(const struct xblk_clock_sample *sample)
{
	return sample->lo + (sample->hi - sample->lo) / 2;
}

/* How far the offset can be from @at, ns. */
static inline u32 xblk_clock_farthest(const struct xblk_clock_sample *sample, u64 at)
{
	s64 above = sample->hi - at, below = at - sample->lo;
	s64 most = max(above, below);

	return min(most + 1, (s64)U32_MAX);
}

/* The clock is set to what was measured, in the middle of a watch. */
static inline void xblk_clock_step(struct xblk_clock *clock,
				   const struct xblk_clock_sample *sample)
{
	WRITE_ONCE(clock->offset, xblk_clock_middle(sample));
	clock->drift = 0;
}

/* What it was before does not count any more. */
static inline void xblk_clock_set(struct xblk_clock *clock,
				  const struct xblk_clock_sample *sample)
{
	xblk_clock_step(clock, sample);
	clock->uncertainty = xblk_clock_farthest(sample, clock->offset);
}

/**
 * xblk_clock_check() - hold the clock against a new measurement
 * @clock:	what it says of itself is brought up to date
 * @sample:	the measurement
 *
 * Return: whether the clock is off by more than XBLK_CLOCK_BOUND, however inexact the
 * measurement is.
 */
static inline bool xblk_clock_check(struct xblk_clock *clock,
				    const struct xblk_clock_sample *sample)
{
	u32 farthest = xblk_clock_farthest(sample, clock->offset);
	s64 offset = clock->offset;

	clock->drift = xblk_clock_middle(sample) - offset;
	clock->uncertainty = max(clock->uncertainty, farthest);
	if (sample->lo - offset <= XBLK_CLOCK_BOUND &&
	    offset - sample->hi <= XBLK_CLOCK_BOUND)
		return false;
	clock->jumps++;
	return true;
}

/* --- the time-stamp counter's line --------------------------------------------------- */

/* A slope is in ns for so many ticks: 2^40. */
#define XBLK_SLOPE_SHIFT 40

/**
 * struct xblk_line - Xen's time by the counter
 * @tsc:	where the line bends
 * @span:	for so many ticks from there on its slope is @after
 * @after:	which mends what was found wrong
 * @ns:		Xen's time at @tsc
 * @before:	its slope up to there, which is that of the line before it
 * @beyond:	its slope behind @span, with nothing to be mended: so it does not matter
 *		when the next line comes
 *
 * It bends a little after it has taken the place of the one before, so that it does not
 * matter when a CPU gets to see it: up to the bend both are the same.
 */
struct xblk_line {
	u64 tsc;
	u64 span;
	u64 after;
	u64 ns;
	u64 before;
	u64 beyond;
};

/* @since times @slope, and no variable of 16 bytes, for which the stack would be aligned.
 */
static inline __attribute__((always_inline)) u64 xblk_line_ns(s64 since, s64 slope)
{
#ifdef __x86_64__
	u64 low = since, high;

	__asm__("imulq %2\n\tshrdq %3, %1, %0"
		: "+a"(low), "=&d"(high)
		: "rm"(slope), "i"(XBLK_SLOPE_SHIFT)
		: "cc");
	return low;
#else
	return (u64)((__int128)since * slope >> XBLK_SLOPE_SHIFT);
#endif
}

/* On a processor whose counter is a little behind another's it may be before the bend. */
static inline u64 xblk_line_at(const struct xblk_line *line, u64 tsc)
{
	s64 since = tsc - line->tsc, beyond = since - (s64)line->span;

	if (since < 0)
		return line->ns + xblk_line_ns(since, line->before);
	if (beyond <= 0)
		return line->ns + xblk_line_ns(since, line->after);
	return line->ns + xblk_line_ns(line->span, line->after) +
	       xblk_line_ns(beyond, line->beyond);
}

/*
 * By the line that is at @at, which is replaced by its successors.  Return: false if
 * there is none, or the counter is not in its span, or another line came meanwhile.
 */
static inline __attribute__((always_inline)) bool
xblk_line_read(const struct xblk_line *const *at, u64 *now)
{
	const struct xblk_line *line = READ_ONCE(*at);
	u64 since;

	if (!likely(line))
		return false;
	since = xblk_tsc() - line->tsc;
	/* Behind the next one's bend this one holds no more: had it come by then? */
	if (!likely(READ_ONCE(*at) == line && since <= line->span))
		return false;
	*now = line->ns + xblk_line_ns(since, line->after);
	return true;
}

/* The same wherever the counter is.  Return: false if there is no line. */
static inline bool xblk_line_read_all(const struct xblk_line *const *at, u64 *now)
{
	const struct xblk_line *line = READ_ONCE(*at), *seen;

	while (line) {
		*now = xblk_line_at(line, xblk_tsc());
		seen = READ_ONCE(*at);
		if (seen == line)
			return true;
		line = seen;
	}
	return false;
}

/* By two readings.  Return: whether it is that of a counter of 1 MHz to 1 THz. */
static inline bool xblk_line_slope(u64 ticks, u64 ns, u64 *slope)
{
	if (ticks < ns / 1000 || ticks / 1000 > ns || !ticks)
		return false;
	*slope = mul_u64_u64_div_u64(ns, 1ULL << XBLK_SLOPE_SHIFT, ticks);
	return true;
}

/* How far the offset is above @at for certain, ns; below it, if it is negative. */
static inline s64 xblk_clock_behind(const struct xblk_clock_sample *sample, u64 at)
{
	s64 least = sample->lo - at, most = sample->hi - at;

	return least > 0 ? least : min(most, (s64)0);
}

/* Whether the line's slope changes by itself from @from on, up to @to. */
static inline bool xblk_line_ends(const struct xblk_line *line, u64 from, u64 to)
{
	u64 end = line->tsc + line->span;

	return (s64)(end - from) >= 0 && (s64)(to - end) >= 0;
}

/**
 * xblk_line_bend() - the line that comes after another one
 * @old:	that one
 * @at:		where it bends, behind @old's bend, and not near the end of its span
 * @slope:	what the slope is taken to be; a fourth of what is found wrong with it is
 *		mended
 * @behind:	how far @old is behind, ns, at most XBLK_CLOCK_BOUND
 * @ticks:	until the next measurement; then it is to be right
 */
static inline struct xblk_line xblk_line_bend(const struct xblk_line *old, u64 at,
					      u64 *slope, s64 behind, u64 ticks)
{
	s64 most = XBLK_CLOCK_BOUND;
	s64 wrong = max(-most, min(behind, most)) * (1LL << XBLK_SLOPE_SHIFT);
	u64 since = at - old->tsc;
	struct xblk_line line = {
		.tsc = at,
		/* A measurement is seldom later by more; then it is a fourth too much. */
		.span = ticks + ticks / 4,
		.after = *slope + wrong / (s64)ticks,
		/* Rounded down before it and behind it: so it is nowhere below @old. */
		.ns = xblk_line_at(old, at) + 1,
		.before = since <= old->span ? old->after : old->beyond,
	};

	/* It took that long to be so wrong. */
	*slope += wrong / (s64)max(ticks, since) / 4;
	line.beyond = *slope;
	return line;
}

#endif /* XBLK_CLOCK_SAMPLE_H */
