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
 * exported by all kernels.
 */
#include "compat.h"
#include "resume.h"

static void (*resumed)(void);

static void call_resumed(void)
{
	resumed();
}

XBLK_SYSCORE_RESUME(at_resume, call_resumed);

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
	register_syscore(&at_resume);
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
	unregister_syscore(&at_resume);
}
