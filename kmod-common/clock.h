/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XBLK_CLOCK_H
#define XBLK_CLOCK_H

#include <linux/sched/clock.h>
#include <linux/types.h>
#include "clock-sample.h"

extern struct xblk_clock xblk_clock;

int xblk_clock_calibrate(void);
void xblk_clock_resumed(void);
int xblk_clock_watch(void (*mark)(u32 generation));
void xblk_clock_unwatch(void);

/**
 * xblk_clock_now() - Xen system time, ns since the hypervisor booted
 *
 * The same in every domain, to within the sum of the two domains'
 * &struct xblk_clock.uncertainty.  Any context.
 */
static inline u64 xblk_clock_now(void)
{
	return sched_clock() + READ_ONCE(xblk_clock.offset);
}

#endif /* XBLK_CLOCK_H */
