// SPDX-License-Identifier: GPL-2.0-only
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include "../kmod-common/blk-probes.h"
#include "blkback-probes.h"
#include "dm-probes.h"
#include "probes.h"

static int block_attach(void)
{
	return xblk_blk_probes_attach(true);
}

static void block_show(struct seq_file *s, bool attached)
{
	if (attached)
		xblk_blk_probes_show(s);
}

static const struct probe_group block_group = {
	.find = xblk_blk_probes_find,
	.attach = block_attach,
	.detach = xblk_blk_probes_detach,
	.show = block_show,
};

/*
 * In the order of attaching and of detaching: those that take up to a second to detach
 * from their functions, in which nobody reads, come last.
 */
static const struct probe_group *const groups[] = {
	&block_group,
	&dm_group,
	&blkback_group,
};

static DEFINE_MUTEX(probes_lock); /* a session, against modules that come */
static bool attached;

/**
 * probes_attach() - records come from now on
 *
 * Context: process.  Return: 0, or the first error: then none is attached.
 */
int probes_attach(void)
{
	int i, err = 0;

	mutex_lock(&probes_lock);
	for (i = 0; !err && i < ARRAY_SIZE(groups); i++)
		err = groups[i]->attach();
	/* The last one that was called has unwound itself. */
	for (i -= 2; err && i >= 0; i--)
		groups[i]->detach();
	attached = !err;
	mutex_unlock(&probes_lock);
	return err;
}

/**
 * probes_forget() - the domains that were traced are no more.  Context: process.
 */
void probes_forget(void)
{
	int i;

	mutex_lock(&probes_lock);
	for (i = 0; attached && i < ARRAY_SIZE(groups); i++)
		if (groups[i]->forget)
			groups[i]->forget();
	mutex_unlock(&probes_lock);
}

/**
 * probes_detach() - none runs any more on return.  Context: process.
 */
void probes_detach(void)
{
	int i;

	mutex_lock(&probes_lock);
	for (i = 0; attached && i < ARRAY_SIZE(groups); i++)
		groups[i]->detach();
	attached = false;
	mutex_unlock(&probes_lock);
}

/**
 * probes_show() - those that are attached, those that are not, and what they counted
 * @s:	where to
 */
void probes_show(struct seq_file *s)
{
	int i;

	mutex_lock(&probes_lock);
	seq_puts(s, "probes");
	for (i = 0; i < ARRAY_SIZE(groups); i++)
		groups[i]->show(s, true);
	seq_puts(s, "\nmissing");
	for (i = 0; i < ARRAY_SIZE(groups); i++)
		groups[i]->show(s, false);
	seq_putc(s, '\n');
	for (i = 0; i < ARRAY_SIZE(groups); i++)
		if (groups[i]->show_counters)
			groups[i]->show_counters(s);
	mutex_unlock(&probes_lock);
}

/*
 * A module that is coming has its functions where ftrace finds them, and has run none of
 * them: load_module() calls ftrace_module_enable() before it tells of MODULE_STATE_COMING.
 */
static int module_changed(struct notifier_block *nb, unsigned long action, void *data)
{
	const struct module *module = data;
	int i;

	if (action != MODULE_STATE_COMING)
		return NOTIFY_DONE;
	mutex_lock(&probes_lock);
	for (i = 0; attached && i < ARRAY_SIZE(groups); i++)
		if (groups[i]->module && !strcmp(groups[i]->module, module->name))
			groups[i]->module_came();
	mutex_unlock(&probes_lock);
	return NOTIFY_OK;
}

static struct notifier_block module_notifier = {
	.notifier_call = module_changed,
};

/**
 * probes_init() - at module load.  Context: process.
 */
int __init probes_init(void)
{
	int i, err = 0;

	for (i = 0; !err && i < ARRAY_SIZE(groups); i++)
		err = groups[i]->find();
	return err ?: register_module_notifier(&module_notifier);
}

/**
 * probes_exit() - with none attached.  Context: process.
 */
void probes_exit(void)
{
	unregister_module_notifier(&module_notifier);
}
