/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XBLK_CLOCK_H
#define XBLK_CLOCK_H

#include <linux/compiler.h>
#include <linux/types.h>
#include "clock-sample.h"
#include "compat.h"

extern struct xblk_clock xblk_clock;
/* NULL: sched_clock() is used.  One that has been replaced stays as it is for a long
 * time. */
extern const struct xblk_line *xblk_clock_line;

int xblk_clock_calibrate(void);
void xblk_clock_resumed(void);
int xblk_clock_watch(void (*mark)(u32 generation));
void xblk_clock_unwatch(void);
const char *xblk_clock_source(void);
unsigned long xblk_clock_rarely(void);

/**
 * xblk_clock_now() - Xen system time, ns since the hypervisor booted
 *
 * The same in every domain, to within the sum of the two domains'
 * &struct xblk_clock.uncertainty.  Any context.
 */
static __always_inline u64 xblk_clock_now(void)
{
	u64 now;

	if (likely(xblk_line_read(&xblk_clock_line, &now)))
		return now;
	return xblk_rarely0(xblk_clock_rarely);
}

#endif /* XBLK_CLOCK_H */
