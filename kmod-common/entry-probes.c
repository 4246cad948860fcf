// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each probe has ftrace_ops of its own, so that the kernel gives it a trampoline which
 * calls it without a look-up.  A kprobe on the same place goes through ftrace, too, but
 * saves all registers, finds itself in a hash, and is passed over while another kprobe
 * runs on its CPU.
 *
 * A probe needs no guard against recursion: it calls none of the probed functions.
 */
#include <linux/container_of.h>
#include <linux/errno.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/string.h>
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

/* Also one against the other: attaching and detaching, and a module that changes. */
static DEFINE_MUTEX(lock);

static int attach(struct xblk_entry_probe *probe)
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

static int detach(struct xblk_entry_probe *probe)
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

/*
 * A module that is coming has its functions where ftrace finds them, and has run none of
 * them: load_module() calls ftrace_module_enable() before it tells of
 * MODULE_STATE_COMING. One that goes runs none any more, but ftrace goes on with what was
 * probed in it, by address; and another module may come there: delete_module() tells of
 * MODULE_STATE_GOING before ftrace_release_mod().
 */
static int module_changed(struct notifier_block *nb, unsigned long action, void *data)
{
	struct xblk_entry_probes *probes = container_of(nb, struct xblk_entry_probes, nb);
	const struct module *module = data;
	int i;

	if (action != MODULE_STATE_COMING && action != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	if (strcmp(probes->module, module->name))
		return NOTIFY_DONE;
	mutex_lock(&lock);
	probes->gone = action == MODULE_STATE_GOING;
	for (i = 0; i < probes->n; i++) {
		/* One that is on already is on another function of that name. */
		detach(&probes->table[i]);
		if (!probes->gone && probes->table[i].wanted)
			attach(&probes->table[i]);
	}
	mutex_unlock(&lock);
	return NOTIFY_OK;
}

/**
 * xblk_entry_probes_init() - at module load, with none attached
 * @probes:	module, table and n; all else is filled in
 *
 * Context: process.  Return: 0 or a negative errno.
 */
int xblk_entry_probes_init(struct xblk_entry_probes *probes)
{
	probes->nb.notifier_call = module_changed;
	return register_module_notifier(&probes->nb);
}

/**
 * xblk_entry_probes_exit() - with none attached
 * @probes:	after xblk_entry_probes_init()
 *
 * Context: process.
 */
void xblk_entry_probes_exit(struct xblk_entry_probes *probes)
{
	unregister_module_notifier(&probes->nb);
}

/**
 * xblk_entry_probe_attach() - where this kernel has the function, and ftrace finds it
 * @probes:	the table
 * @i:		which of it
 *
 * If its module comes later, it is attached then; it is taken off before the module goes.
 * So the function that runs is the module's, and the arguments are what they are there,
 * where no other function has that name: ftrace finds a function by nothing else.
 *
 * Context: process, may sleep.  Return: 0, also if it is attached already; or what ftrace
 * said, which is in the log.
 */
int xblk_entry_probe_attach(struct xblk_entry_probes *probes, int i)
{
	int err = -ENOENT;

	mutex_lock(&lock);
	probes->table[i].wanted = true;
	if (!probes->gone)
		err = attach(&probes->table[i]);
	mutex_unlock(&lock);
	return err;
}

/**
 * xblk_entry_probe_detach() - if it is attached; nor will it be
 * @probes:	the table
 * @i:		which of it
 *
 * Ftrace refuses that when it has found its own tables wrong and given up
 * (ftrace_kill()). What it patched into the function then stays, and may call the probe:
 * this module is not unloaded any more, unless its unloading is what led here.
 *
 * Context: process, may sleep.  Return: 0: it does not run any more; or what ftrace said,
 * which is in the log: then what the probe uses must stay.
 */
int xblk_entry_probe_detach(struct xblk_entry_probes *probes, int i)
{
	int err;

	mutex_lock(&lock);
	probes->table[i].wanted = false;
	err = detach(&probes->table[i]);
	mutex_unlock(&lock);
	return err;
}
