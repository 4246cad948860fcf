// SPDX-License-Identifier: GPL-2.0-only
/*
 * One clock for all domains.
 *
 * Xen gives its system time to every domain's pvclock without an offset of the
 * domain's own, and under Xen sched_clock() is that time minus a constant
 * which Linux fixes at boot and again at resume (arch/x86/xen/time.c,
 * xen_sched_clock_offset).  The constant is not exported, so it is measured:
 * a hypercall that returns Xen's system time is made between two readings of
 * sched_clock(), and many such sandwiches are intersected.
 */
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <xen/interface/xen.h>
#include <asm/xen/hypercall.h>
#include "clock.h"

/* Xen's public/hvm/hvm_op.h; Linux's copy of that header lacks it. */
#define HVMOP_get_time 10
struct hvm_get_time {
	u64 now;
};

#define SAMPLES 64

u64 xblk_clock_offset;
/* Half of the interval in which the offset lies, ns. */
u32 xblk_clock_uncertainty;

/**
 * xblk_clock_calibrate() - find the offset from sched_clock() to Xen's time
 *
 * To be called at load and after a resume.
 *
 * Context: any but NMI.
 * Return: 0, or what the hypervisor said.
 */
int xblk_clock_calibrate(void)
{
	s64 lo = S64_MIN, hi = S64_MAX;
	int i;

	for (i = 0; i < SAMPLES; i++) {
		struct hvm_get_time xen = {};
		unsigned long flags;
		u64 before, after;
		s64 least, most;
		int err;

		local_irq_save(flags);
		before = sched_clock();
		err = HYPERVISOR_hvm_op(HVMOP_get_time, &xen);
		after = sched_clock();
		local_irq_restore(flags);
		if (err)
			return err;
		/* before + offset <= xen <= after + offset */
		least = xen.now - after;
		most = xen.now - before;
		lo = max(lo, least);
		hi = min(hi, most);
	}
	/*
	 * Sandwiches that contradict each other mean that the processors' clocks
	 * differ; the gap between them is then what is known of the offset.
	 */
	if (lo > hi)
		swap(lo, hi);
	WRITE_ONCE(xblk_clock_offset, lo + (hi - lo) / 2);
	xblk_clock_uncertainty = min_t(s64, (hi - lo) / 2 + 1, U32_MAX);
	pr_debug("clock offset known to %u ns\n", xblk_clock_uncertainty);
	return 0;
}
