// SPDX-License-Identifier: GPL-2.0-only
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include "../kmod-common/blk-probes.h"
#include "../kmod-common/flush-probes.h"
#include "../kmod-common/tracepoints.h"
#include "blkback-probes.h"
#include "dm-probes.h"
#include "probes.h"
#include "xblk/control.h"

/* A flush whose Q is seen has its queue told: what tells it comes before Q, goes after. */
static int block_attach(void)
{
	int err;

	xblk_flush_probes_attach();
	err = xblk_blk_probes_attach(true);
	if (err)
		xblk_flush_probes_detach();
	return err;
}

static void block_show(struct seq_file *s, bool attached)
{
	if (attached)
		xblk_blk_probes_show(s);
}

static const struct probe_group block_group = {
	.init = xblk_blk_probes_find,
	.attach = block_attach,
	.detach = xblk_blk_probes_detach,
	.show = block_show,
};

static const struct probe_group flush_group = {
	.detach = xblk_flush_probes_detach,
	.show = xblk_flush_probes_show,
};

/*
 * In the order of attaching and of detaching: those that take up to a second to detach
 * from their functions, in which nobody reads, come last.
 */
static const struct probe_group *const groups[] = {
	&block_group,
	&dm_group,
	&flush_group,
	&blkback_group,
};

static DEFINE_MUTEX(probes_lock); /* a session, against who looks at it */
static bool attached;

static int group_attach(const struct probe_group *group)
{
	int err = group->attach ? group->attach() : 0;

	if (err)
		return err;
	err = xblk_tracepoints_attach(group->tracepoints, group->nr_tracepoints);
	if (err && group->detach)
		group->detach();
	return err;
}

static void group_detach(const struct probe_group *group)
{
	if (group->nr_tracepoints)
		xblk_tracepoints_detach(group->tracepoints, group->nr_tracepoints);
	if (group->detach)
		group->detach();
}

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
		err = group_attach(groups[i]);
	/* The last one that was called has unwound itself. */
	for (i -= 2; err && i >= 0; i--)
		group_detach(groups[i]);
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
		group_detach(groups[i]);
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
	seq_puts(s, XBLK_CONTROL_STAT_PROBES);
	for (i = 0; i < ARRAY_SIZE(groups); i++)
		groups[i]->show(s, true);
	seq_puts(s, "\n" XBLK_CONTROL_STAT_MISSING);
	for (i = 0; i < ARRAY_SIZE(groups); i++)
		groups[i]->show(s, false);
	seq_putc(s, '\n');
	for (i = 0; i < ARRAY_SIZE(groups); i++)
		if (groups[i]->show_counters)
			groups[i]->show_counters(s);
	mutex_unlock(&probes_lock);
}

static int __init group_init(const struct probe_group *group)
{
	int err = xblk_tracepoints_find(group->tracepoints, group->nr_tracepoints);

	if (!err && group->init)
		err = group->init();
	return err;
}

static void groups_exit(int n)
{
	while (n--)
		if (groups[n]->exit)
			groups[n]->exit();
}

/**
 * probes_init() - at module load.  Context: process.
 */
int __init probes_init(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		err = group_init(groups[i]);
		if (err) {
			groups_exit(i);
			return err;
		}
	}
	return 0;
}

/**
 * probes_exit() - with none attached.  Context: process.
 */
void probes_exit(void)
{
	groups_exit(ARRAY_SIZE(groups));
}
