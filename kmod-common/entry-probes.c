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
#include <linux/printk.h>
#include <linux/string.h>
#include "entry-probes.h"

/**
 * xblk_entry_probe_attach() - if this kernel has the function, where ftrace finds it
 * @probe:	name and func; all else is filled in
 *
 * Functions of that name are probed in every module that is loaded by now.  A module may
 * go while it is probed, and another come to where it was: so a probe may be called
 * with anything for arguments, and must not follow them.
 *
 * Context: process, may sleep.  Return: 0, or what ftrace said, which is in the log.
 */
int xblk_entry_probe_attach(struct xblk_entry_probe *probe)
{
	int err;

	probe->ops = (struct ftrace_ops){
		.func = probe->func,
		/* Else kernel.ftrace_enabled=0 would silence it unnoticed. */
		.flags = FTRACE_OPS_FL_PERMANENT,
	};
	err = ftrace_set_filter(&probe->ops, (unsigned char *)probe->name,
				strlen(probe->name), 1);
	if (!err)
		err = register_ftrace_function(&probe->ops);
	probe->attached = !err;
	if (err) {
		pr_info("no probe on %s: %s (%d)\n", probe->name,
			err == -EBUSY ? "kernel.ftrace_enabled is 0"
				      : "this kernel has none that can be probed",
			err);
		ftrace_free_filter(&probe->ops);
	}
	return err;
}

/**
 * xblk_entry_probe_detach() - if it is attached; it does not run any more on return
 * @probe:	which was attached, or not
 *
 * Context: process, may sleep.
 */
void xblk_entry_probe_detach(struct xblk_entry_probe *probe)
{
	if (!probe->attached)
		return;
	unregister_ftrace_function(&probe->ops);
	ftrace_free_filter(&probe->ops);
	probe->attached = false;
}
