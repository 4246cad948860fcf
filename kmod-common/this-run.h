/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one probe leaves for the next one in the same context: a function is probed that
 * knows one half, and soon after another function, called by the first, that knows the
 * other.
 *
 * It is left with the CPU, for the context there (task, softirq or hardirq), together
 * with how often the task has been switched away from.  Is that number the same when it
 * is taken, on the same CPU, then nothing but that task and what interrupted it has run
 * since, and an interrupt has a place of its own.  Otherwise nothing is known, and
 * nothing is given.
 */
#ifndef XBLK_THIS_RUN_H
#define XBLK_THIS_RUN_H

#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/string.h>

#define XBLK_RUN_LEVELS 3

struct xblk_left {
	const struct task_struct *task;
	unsigned long switches;
	const void *what;
	int more;
};

/**
 * struct xblk_this_run - of one CPU, to be defined with DEFINE_PER_CPU()
 * @left:	by the context that left it
 */
struct xblk_this_run {
	struct xblk_left left[XBLK_RUN_LEVELS];
};

/**
 * xblk_run_forget() - what was left on any CPU
 * @run:	as DEFINE_PER_CPU() has it
 *
 * For when the probes that leave and take are not attached.
 */
static inline void xblk_run_forget(struct xblk_this_run __percpu *run)
{
	int cpu;

	for_each_possible_cpu (cpu)
		memset(per_cpu_ptr(run, cpu), 0, sizeof(*run));
}

static __always_inline unsigned int xblk_run_level(void)
{
	if (in_hardirq())
		return 2;
	/* With PREEMPT_RT a softirq is switched away from as a task is. */
	return in_serving_softirq() && !IS_ENABLED(CONFIG_PREEMPT_RT) ? 1 : 0;
}

static inline unsigned long xblk_run_switches(void)
{
	return current->nvcsw + current->nivcsw;
}

/**
 * xblk_run_leave() - in the place of what was left before
 * @run:	this CPU's
 * @what:	not NULL
 * @more:	to go with it
 *
 * Context: preemption off, not NMI.
 */
static __always_inline void xblk_run_leave(struct xblk_this_run *run, const void *what,
					   int more)
{
	run->left[xblk_run_level()] = (struct xblk_left){
		.task = current,
		.switches = xblk_run_switches(),
		.what = what,
		.more = more,
	};
}

/**
 * xblk_run_look() - what was left in this very run, or NULL
 * @run:	this CPU's
 *
 * It may be NULL though something was left: when the task has slept, or was preempted.
 *
 * Context: preemption off, not NMI.
 */
static __always_inline const struct xblk_left *
xblk_run_look(const struct xblk_this_run *run)
{
	const struct xblk_left *left = &run->left[xblk_run_level()];

	return left->what && left->task == current &&
			       left->switches == xblk_run_switches()
		       ? left
		       : NULL;
}

/**
 * xblk_run_take() - what was left, or NULL, and it is left no more
 * @run:	this CPU's
 *
 * Context: preemption off, not NMI.
 */
static __always_inline const void *xblk_run_take(struct xblk_this_run *run)
{
	struct xblk_left *left = &run->left[xblk_run_level()];
	const void *what = left->what;

	left->what = NULL;
	return left->task == current && left->switches == xblk_run_switches() ? what
									      : NULL;
}

/**
 * xblk_run_drop() - what was left is left no more
 * @run:	as DEFINE_PER_CPU() has it
 *
 * Context: any but NMI.  Who is moved to another CPU in the middle of it has been
 * switched away from, as has who left something there: both find nothing anyway.
 */
#define xblk_run_drop(run) this_cpu_write((run).left[xblk_run_level()].what, NULL)

#endif /* XBLK_THIS_RUN_H */
