// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each probe has ftrace_ops of its own, so that the kernel gives it a trampoline which
 * calls it without a look-up.  A kprobe on the same place goes through ftrace, too, but
 * saves all registers, finds itself in a hash, and is passed over while another kprobe
 * runs on its CPU.
 *
 * A probe needs no guard against recursion: it calls none of the probed functions.
 */
#include <linux/errno.h>
#include <linux/module.h>
#include <linux/printk.h>
#include "entry-probes.h"

static const char *why_not(int err)
{
	switch (err) {
	case -EBUSY:
		return "kernel.ftrace_enabled is 0";
	case -EOPNOTSUPP:
		return "this kernel is built without function tracing";
	default:
		return "this kernel has none that can be probed";
	}
}

/**
 * xblk_entry_probe_attach() - if this kernel has the function, where ftrace finds it
 * @probe:	name and func; all else is filled in
 *
 * Functions of that name are probed in every module that is loaded by now.  A module may
 * go while it is probed, and another come to where it was: so a probe may be called
 * with anything for arguments, and must not follow them.
 *
 * Context: process, may sleep.  Return: 0, also if it is attached already; or what ftrace
 * said, which is in the log.
 */
int xblk_entry_probe_attach(struct xblk_entry_probe *probe)
{
	int err;

	if (probe->attached)
		return 0;
	err = xblk_entry_register(&probe->ops, probe->name, probe->func);
	probe->attached = !err;
	if (err)
		pr_info("no probe on %s: %s (%d)\n", probe->name, why_not(err), err);
	return err;
}

/**
 * xblk_entry_probe_detach() - if it is attached
 * @probe:	which was attached, or not
 *
 * Ftrace refuses that when it has found its own tables wrong and given up
 * (ftrace_kill()). What it patched into the function then stays, and may call the probe:
 * this module is not unloaded any more.
 *
 * Context: process, may sleep.  Return: 0: it does not run any more; or what ftrace said,
 * which is in the log: then what the probe uses must stay.
 */
int xblk_entry_probe_detach(struct xblk_entry_probe *probe)
{
	int err;

	if (!probe->attached)
		return 0;
	err = xblk_entry_unregister(&probe->ops);
	if (err) {
		pr_err("cannot take the probe off %s (%d): this module stays until the next boot\n",
		       probe->name, err);
		__module_get(THIS_MODULE);
		return err;
	}
	probe->attached = false;
	return 0;
}
