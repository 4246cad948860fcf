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
 *
 * sched_clock() takes more than all else of a record, and its CPUs share a cache line
 * that each reading writes to (pvclock_clocksource_read()).  So where the time-stamp
 * counter is invariant and Xen does not trap it, the counter is read instead, and Xen's
 * time is a line over it, which is bent at each measurement so that it is right at the
 * next.  Before that it is measured on each CPU, as their counters may differ; and where
 * it is found off for certain all the same, it is sched_clock() from then on.
 */
#include <linux/cache.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/sched/clock.h>
#include <linux/smp.h>
#include <linux/stop_machine.h>
#include <linux/string.h>
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
#define PERIOD_MS  2000
/* From the first measurement of the counter's rate to the next, at least. */
#define RATE_MS 1000
/* From when a line is made to where it bends. */
#define BEND_MS 1
#define LINES	16 /* a CPU that has one in its hands is through with it by 16 periods */
/* With counters that differ by more sched_clock() is better, which Xen sets for each CPU.
 */
#define SPREAD 20000 /* ns */
/* The whole domain stands still for at most so long, so that its time does not go back. */
#define LONGEST_WAIT 10000000 /* ns */

static char *clock = "auto";
module_param(clock, charp, 0444);
MODULE_PARM_DESC(
	clock, "What times records: the time-stamp counter where it is invariant (auto), "
	       "wherever Xen does not trap it (tsc), or never (xen)");

struct xblk_clock xblk_clock __read_mostly;
const struct xblk_line *xblk_clock_line __read_mostly;

static unsigned int times_set;
static u32 generation;
static void (*mark_generation)(u32 generation);
static bool told;

/* Xen's time was @xen when the counter was between @tsc and @tsc + @width. */
struct reading {
	u64 tsc;
	u64 xen;
	u64 width;
};

static struct xblk_line lines[LINES];
static unsigned int lines_made;
static struct reading first; /* since the domain was resumed; @width 0: none */
static u64 slope;
static u64 ticks_per_ms;

/* What is measured. */
static u64 measured_clock(void)
{
	u64 now;

	return xblk_line_read_all(&xblk_clock_line, &now) ? now : sched_clock();
}

static void shift(struct xblk_clock_sample *sample, s64 by)
{
	sample->lo += by;
	sample->hi += by;
}

/* Of sched_clock()'s offset; by the counter's line it is off as that is. */

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
		before = measured_clock();
		err = HYPERVISOR_hvm_op(HVMOP_get_time, &xen);
		after = measured_clock();
		local_irq_restore(flags);
		if (err)
			return err;
		xblk_clock_narrow(sample, before, xen.now, after);
	}
	xblk_clock_narrowed(sample);
	if (xblk_clock_line)
		shift(sample, xblk_clock.offset);
	return 0;
}

struct there {
	struct xblk_clock_sample sample;
	int err;
};

static cpumask_t measured_cpus; /* by measure_everywhere() */

static void measure_there(void *data)
{
	struct there *there = data;

	there->err = measure(&there->sample);
}

/* The CPUs are kept from going.  Return: as measure(). */
static int measure_on(unsigned int cpu, struct xblk_clock_sample *sample)
{
	struct there there = {};
	int err = smp_call_function_single(cpu, measure_there, &there, 1);

	*sample = there.sample;
	return err ?: there.err;
}

/* What no CPU's measurement is beyond: their counters may differ. */
static int measure_everywhere(struct xblk_clock_sample *all)
{
	struct xblk_clock_sample sample;
	int cpu, err = 0;

	*all = (struct xblk_clock_sample){.lo = S64_MAX, .hi = S64_MIN};
	cpus_read_lock();
	cpumask_copy(&measured_cpus, cpu_online_mask);
	for_each_online_cpu (cpu) {
		err = measure_on(cpu, &sample);
		if (err)
			break;
		all->lo = min(all->lo, sample.lo);
		all->hi = max(all->hi, sample.hi);
	}
	cpus_read_unlock();
	return err;
}

static bool counters_differ(const struct xblk_clock_sample *all)
{
	if (all->hi - all->lo <= SPREAD)
		return false;
	pr_notice(
		"time-stamp counters of CPUs may differ by %lld ns: they are not used\n",
		all->hi - all->lo);
	return true;
}

/* On one after the other, as a counter may begin to go otherwise. */
static int measure_next(struct xblk_clock_sample *sample)
{
	static unsigned int cpu;
	int err;

	cpus_read_lock();
	cpu = cpumask_next(cpu, cpu_online_mask);
	if (cpu >= nr_cpu_ids)
		cpu = cpumask_first(cpu_online_mask);
	err = measure_on(cpu, sample);
	cpus_read_unlock();
	return err;
}

/* The narrowest of many. */
static int read_counter(struct reading *narrowest)
{
	int i;

	narrowest->width = U64_MAX;
	for (i = 0; i < SANDWICHES; i++) {
		struct hvm_get_time xen = {};
		struct reading this;
		unsigned long flags;
		int err;

		local_irq_save(flags);
		this.tsc = xblk_tsc();
		err = HYPERVISOR_hvm_op(HVMOP_get_time, &xen);
		this.width = xblk_tsc() - this.tsc;
		local_irq_restore(flags);
		if (err)
			return err;
		this.xen = xen.now;
		if (this.width < narrowest->width)
			*narrowest = this;
	}
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
 * From then on sched_clock() is used, and the counter's rate can be found.
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

	WRITE_ONCE(xblk_clock_line, NULL);
	if (!first.width)
		read_counter(&first);
	do {
		when = READ_ONCE(times_set);
		err = measure(&sample);
		if (err)
			return err;
	} while (!set_clock(&sample, when));
	return 0;
}

/*
 * xblk_clock_now() where the counter is not read, or not in the span of its line.  Not
 * inlined: see XBLK_RARE.
 */
unsigned long xblk_clock_rarely(void)
{
	u64 now;

	if (xblk_line_read_all(&xblk_clock_line, &now))
		return now;
	return sched_clock() + READ_ONCE(xblk_clock.offset);
}
XBLK_RARE(xblk_clock_rarely);

/**
 * xblk_clock_source() - what is read: XBLK_CLOCK_TSC or XBLK_CLOCK_XEN
 */
const char *xblk_clock_source(void)
{
	return READ_ONCE(xblk_clock_line) ? XBLK_CLOCK_TSC : XBLK_CLOCK_XEN;
}

static bool counter_is_good(void)
{
	if (!strcmp(clock, XBLK_CLOCK_XEN) || xblk_tsc_emulated())
		return false;
	return !strcmp(clock, XBLK_CLOCK_TSC) || xblk_tsc_invariant();
}

/* Return: @lines' next, which is nobody's. */
static struct xblk_line *next_line(void)
{
	return &lines[lines_made++ % LINES];
}

/*
 * No record is written.  The rate is that since the module was loaded, or the domain
 * resumed: known the better, the longer that is ago.
 */
static void use_counter(void)
{
	unsigned int when = READ_ONCE(times_set);
	struct xblk_clock_sample sample;
	struct reading from = first, to;
	struct xblk_line *line;
	unsigned long flags;
	u64 wrong;

	if (!counter_is_good() || !from.width || read_counter(&to))
		return;
	if (to.xen - from.xen < RATE_MS * NSEC_PER_MSEC) {
		msleep(RATE_MS);
		if (read_counter(&to))
			return;
	}
	/* Else a resume came between; or it is no clock. */
	if (!xblk_line_slope(to.tsc - from.tsc, to.xen - from.xen, &slope))
		return;
	ticks_per_ms = (NSEC_PER_MSEC << XBLK_SLOPE_SHIFT) / slope;
	line = next_line();
	*line = (struct xblk_line){
		.tsc = to.tsc + to.width / 2,
		.span = PERIOD_MS * ticks_per_ms,
		.ns = to.xen,
		.before = slope,
		.after = slope,
		.beyond = slope,
	};

	local_irq_save(flags);
	if (when == times_set)
		smp_store_release(&xblk_clock_line, line);
	local_irq_restore(flags);
	if (when != times_set || measure_everywhere(&sample))
		goto no;
	if (counters_differ(&sample))
		goto no;
	/*
	 * By how much the rate may make it wrong until it is measured again: by the
	 * widths of what it is known by, which may be two CPUs'.
	 */
	wrong = mul_u64_u64_div_u64(from.width + to.width, NSEC_PER_MSEC, ticks_per_ms) +
		(sample.hi - sample.lo);
	wrong = mul_u64_u64_div_u64(wrong, PERIOD_MS * NSEC_PER_MSEC, to.xen - from.xen);
	local_irq_save(flags);
	if (when == times_set) {
		line->ns += xblk_clock_middle(&sample) - xblk_clock.offset;
		xblk_clock.drift = 0;
		xblk_clock.uncertainty = min(
			xblk_clock_farthest(&sample, xblk_clock_middle(&sample)) + wrong,
			(u64)U32_MAX);
	}
	local_irq_restore(flags);
	if (when == times_set)
		return;
no:
	WRITE_ONCE(xblk_clock_line, NULL);
}

/*
 * Return: false if this CPU was away for so long meanwhile that others may have read the
 * old line behind the new one's bend.
 */
static bool bend_line(s64 behind)
{
	const struct xblk_line *old = xblk_clock_line;
	struct xblk_line *line = next_line();
	u64 ahead = BEND_MS * ticks_per_ms, from, at;
	unsigned long flags;
	bool in_time;

	local_irq_save(flags);
	from = xblk_tsc() - ahead;
	at = max(xblk_tsc(), old->tsc) + ahead;
	if (xblk_line_ends(old, from, at)) {
		/* What is wrong is found again at the next measurement. */
		local_irq_restore(flags);
		return true;
	}
	*line = xblk_line_bend(old, at, &slope, behind, PERIOD_MS * ticks_per_ms);
	smp_store_release(&xblk_clock_line, line);
	in_time = xblk_tsc() < at;
	/* Else the step that follows is from the line that was measured. */
	if (in_time)
		xblk_clock.offset = measured_clock() - sched_clock();
	local_irq_restore(flags);
	return in_time;
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
	/* The counter may be another host's. */
	WRITE_ONCE(xblk_clock_line, NULL);
	begin_generation();
	first.width = 0;
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
	struct xblk_clock_sample *sample = data;
	u64 offset, last;

	begin_generation();
	last = xblk_clock_now();
	if (xblk_clock_line) {
		shift(sample, measured_clock() - sched_clock() - xblk_clock.offset);
		WRITE_ONCE(xblk_clock_line, NULL);
	}
	offset = xblk_clock_middle(sample);
	if ((s64)(last - sched_clock() - offset) <= LONGEST_WAIT) {
		while ((s64)(last - sched_clock() - offset) > 0)
			cpu_relax();
	}
	xblk_clock_step(&xblk_clock, sample);
	return 0;
}

static void look_at_clock(struct work_struct *work);
static DECLARE_DELAYED_WORK(clock_work, look_at_clock);

/*
 * A suspend waits until work of this queue has ended, and holds what has not begun.  Not
 * for a certain CPU: that may go, or have no time for it.
 */
static void look_later(void)
{
	queue_delayed_work(system_freezable_wq, &clock_work, msecs_to_jiffies(PERIOD_MS));
}

static void look_at_clock(struct work_struct *work)
{
	struct xblk_clock_sample sample;
	bool off, counter = xblk_clock_line;

	if (counter && !cpumask_subset(cpu_online_mask, &measured_cpus)) {
		if (measure_everywhere(&sample))
			goto later;
		off = counters_differ(&sample);
	} else {
		if (measure_next(&sample))
			goto later;
		off = false;
	}
	off |= xblk_clock_check(&xblk_clock, &sample);
	if (off && !told) {
		pr_warn("the clock is off Xen's by %lld ns%s\n", xblk_clock.drift,
			counter ? ": the time-stamp counter is not used any more" : "");
		told = true;
	}
	if (counter && !off &&
	    !bend_line(xblk_clock_behind(&sample, xblk_clock.offset))) {
		pr_notice(
			"a vCPU was away: the time-stamp counter is not used any more\n");
		off = true;
	}
	if (off && (counter || mark_generation))
		stop_machine(begin_generation_stopped, &sample, NULL);
	pr_debug("clock: %s, drift %lld ns, known to %u ns, off %llu times\n",
		 xblk_clock_source(), xblk_clock.drift, xblk_clock.uncertainty,
		 xblk_clock.jumps);
later:
	look_later();
}

/**
 * xblk_clock_watch() - calibrate the clock, and measure it every two seconds from now on
 * @mark:	writes that a new generation of the clock begins; NULL: a clock that is
 *		sched_clock()'s stays as it is, and only &struct xblk_clock and the log
 *		tell
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
	use_counter();
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
