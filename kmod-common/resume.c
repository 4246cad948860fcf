// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is to be done first when the domain goes on after a suspend.
 *
 * Xen's suspend (drivers/xen/manage.c) calls syscore_suspend(), the hypercall and
 * syscore_resume() in one stop_machine().  So the callback runs whether the domain was
 * restored, migrated or its suspend was cancelled, after Linux has set its clocks, and
 * before anything else of the domain: the other vCPUs still wait with interrupts off.
 * Xen's resume notifiers and a device's thaw_noirq or restore_noirq are called behind
 * that, when work items and timers, which nobody has frozen, run again.
 *
 * Linux 7.2 has no xen_resume_notifier_unregister().  The functions used here are
 * exported by all kernels, in one of two shapes.
 */
#include <linux/syscore_ops.h>
#include "resume.h"

static void (*resumed)(void);

#ifdef XBLK_HAVE_STRUCT_SYSCORE
static void syscore_resumed(void *data)
{
	resumed();
}

static const struct syscore_ops ops = {
	.resume = syscore_resumed,
};

static struct syscore syscore = {
	.ops = &ops,
};
#else
static void syscore_resumed(void)
{
	resumed();
}

static struct syscore_ops syscore = {
	.resume = syscore_resumed,
};

#define register_syscore   register_syscore_ops
#define unregister_syscore unregister_syscore_ops
#endif

/**
 * xblk_resume_register() - have a function called at each resume
 * @callback: called on the only CPU that runs, with interrupts off: it must neither
 *	      sleep nor wait for anything, and XenStore does not answer yet.  One for
 *	      each module.
 *
 * Context: process, may sleep.
 */
void xblk_resume_register(void (*callback)(void))
{
	resumed = callback;
	register_syscore(&syscore);
}

/**
 * xblk_resume_unregister() - no call comes after this
 *
 * No suspend is under way either: processes are frozen before the first step of one.
 *
 * Context: process, may sleep.
 */
void xblk_resume_unregister(void)
{
	unregister_syscore(&syscore);
}
