/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arithmetic of the clock, also for user space, where it is tested.
 *
 * Xen's time is taken to be sched_clock() plus an offset.  It is not known when the
 * offset ceases to be the same, so it is measured again and again.
 */
#ifndef XBLK_CLOCK_SAMPLE_H
#define XBLK_CLOCK_SAMPLE_H

#ifdef __KERNEL__
#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stdint.h>
typedef uint64_t u64;
typedef int64_t s64;
typedef uint32_t u32;
#define S64_MAX		    INT64_MAX
#define S64_MIN		    INT64_MIN
#define U32_MAX		    UINT32_MAX
#define min(a, b)	    ((a) < (b) ? (a) : (b))
#define max(a, b)	    ((a) > (b) ? (a) : (b))
#define WRITE_ONCE(at, val) ((at) = (val))
#endif
#include "xblk/record.h"

/**
 * struct xblk_clock - how Xen's time is known
 * @offset:		what is added to sched_clock(), ns
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

#endif /* XBLK_CLOCK_SAMPLE_H */
