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
 *
 * Some domains have another sched_clock(): a time-stamp counter, scaled by Linux, where
 * Xen does not offer XENFEAT_hvm_safe_pvclock (xen_hvm_init_time_ops() in the same file).
 * It drifts.  So the offset is measured again while records are written, and where it is
 * too far off a new generation of the clock begins.  The clock is not bent to follow:
 * that would cost each record a second load and a multiplication, for domains that are
 * few, and a new generation costs them the requests in flight at that time.
 */
#include <linux/cache.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/printk.h>
#include <linux/stop_machine.h>
#include <linux/workqueue.h>
#include <xen/interface/xen.h>
#include <asm/xen/hypercall.h>
#include "clock.h"

/* Xen's public/hvm/hvm_op.h; Linux's copy of that header lacks it. */
#define HVMOP_get_time 10
struct hvm_get_time {
	u64 now;
};

#define SANDWICHES 64
#define PERIOD	   (2 * HZ)
/* The whole domain stands still for at most so long, so that its time does not go back. */
#define LONGEST_WAIT 10000000 /* ns */

struct xblk_clock xblk_clock __read_mostly;

static unsigned int times_set;
static u32 generation;
static void (*mark_generation)(u32 generation);
static bool told;

static int measure(struct xblk_clock_sample *sample)
{
	int i;

	xblk_clock_begin(sample);
	for (i = 0; i < SANDWICHES; i++) {
		struct hvm_get_time xen = {};
		unsigned long flags;
		u64 before, after;
		int err;

		local_irq_save(flags);
		before = sched_clock();
		err = HYPERVISOR_hvm_op(HVMOP_get_time, &xen);
		after = sched_clock();
		local_irq_restore(flags);
		if (err)
			return err;
		xblk_clock_narrow(sample, before, xen.now, after);
	}
	xblk_clock_narrowed(sample);
	return 0;
}

/* A measurement that a resume came between says nothing. */
static bool set_clock(const struct xblk_clock_sample *sample, unsigned int when)
{
	unsigned long flags;
	bool same;

	local_irq_save(flags);
	same = when == times_set;
	if (same) {
		times_set++;
		xblk_clock_set(&xblk_clock, sample);
	}
	local_irq_restore(flags);
	return same;
}

/**
 * xblk_clock_calibrate() - find the offset from sched_clock() to Xen's time
 *
 * To be called at load, before any other function here, and by one at a time.
 *
 * Context: any but NMI.
 * Return: 0, or what the hypervisor said.
 */
int xblk_clock_calibrate(void)
{
	struct xblk_clock_sample sample;
	unsigned int when;
	int err;

	do {
		when = READ_ONCE(times_set);
		err = measure(&sample);
		if (err)
			return err;
	} while (!set_clock(&sample, when));
	return 0;
}

static void begin_generation(void)
{
	generation++;
	if (mark_generation)
		mark_generation(generation);
}

/**
 * xblk_clock_resumed() - the domain goes on after a suspend: begin a new generation
 *
 * The time may have gone on by any amount.  For xblk_resume_register().
 *
 * Context: interrupts off, and nothing else of the domain runs.
 */
void xblk_clock_resumed(void)
{
	begin_generation();
	xblk_clock_calibrate();
}

/*
 * Nothing else of the domain runs, as in a resume, so no record comes between the mark
 * and the new offset.  A clock that was ahead stands still until the right time has come,
 * so that no record, on whatever CPU, is earlier than the mark: who merges the streams
 * puts it on the right side of that.
 */
static int begin_generation_stopped(void *data)
{
	const struct xblk_clock_sample *sample = data;
	u64 offset = xblk_clock_middle(sample);
	u64 last;

	begin_generation();
	last = xblk_clock_now();
	if ((s64)(last - sched_clock() - offset) <= LONGEST_WAIT) {
		while ((s64)(last - sched_clock() - offset) > 0)
			cpu_relax();
	}
	xblk_clock_step(&xblk_clock, sample);
	return 0;
}

static void look_at_clock(struct work_struct *work);
static DECLARE_DELAYED_WORK(clock_work, look_at_clock);

/* A suspend waits until work of this queue has ended, and holds what has not begun. */
static void look_later(void)
{
	queue_delayed_work(system_freezable_wq, &clock_work, PERIOD);
}

static void look_at_clock(struct work_struct *work)
{
	struct xblk_clock_sample sample;

	if (!measure(&sample) && xblk_clock_check(&xblk_clock, &sample)) {
		if (!told)
			pr_warn("the clock is off Xen's by %lld ns\n", xblk_clock.drift);
		told = true;
		if (mark_generation)
			stop_machine(begin_generation_stopped, &sample, NULL);
	}
	pr_debug("clock: drift %lld ns, known to %u ns, off %llu times\n",
		 xblk_clock.drift, xblk_clock.uncertainty, xblk_clock.jumps);
	look_later();
}

/**
 * xblk_clock_watch() - calibrate the clock, and measure it every two seconds from now on
 * @mark:	writes that a new generation of the clock begins; NULL: the clock stays as
 *		it is, and only &struct xblk_clock and the log tell
 *
 * @mark is called at a resume, and when the clock was found to be off by more than
 * XBLK_CLOCK_BOUND: with interrupts off, nothing else of the domain running, and
 * xblk_clock_now() still by the old generation.
 *
 * To be called before records are written, by one at a time.
 *
 * Context: process, may sleep.
 * Return: 0, or what the hypervisor said; then nothing is to be undone.
 */
int xblk_clock_watch(void (*mark)(u32 generation))
{
	int err = xblk_clock_calibrate();

	if (err)
		return err;
	told = false;
	mark_generation = mark;
	look_later();
	return 0;
}

/**
 * xblk_clock_unwatch() - end that, and leave the clock calibrated
 *
 * To be called when no record is written any more.
 *
 * Context: process, may sleep.
 */
void xblk_clock_unwatch(void)
{
	cancel_delayed_work_sync(&clock_work);
	mark_generation = NULL;
	xblk_clock_calibrate();
}
