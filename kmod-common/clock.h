/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XBLK_CLOCK_H
#define XBLK_CLOCK_H

#include <linux/sched/clock.h>
#include <linux/types.h>

extern u64 xblk_clock_offset;
extern u32 xblk_clock_uncertainty;

int xblk_clock_calibrate(void);

/**
 * xblk_clock_now() - Xen system time, ns since the hypervisor booted
 *
 * The same in every domain, to within the sum of the two domains'
 * xblk_clock_uncertainty.  Any context.
 */
static inline u64 xblk_clock_now(void)
{
	return sched_clock() + READ_ONCE(xblk_clock_offset);
}

#endif /* XBLK_CLOCK_H */
