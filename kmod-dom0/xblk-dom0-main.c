// SPDX-License-Identifier: GPL-2.0-only
/*
 * The backend's side of the block tracer.  It is driven through debugfs by
 * xblktrace:
 *
 *   xblk-dom0/control   opened by one process at a time; takes commands (see
 *                       session.c); closing it, or dying, ends the session
 *   xblk-dom0/stats     clock, probes and counters, as text
 *   xblk-dom0/now       Xen system time, ns, then how many records wait in the
 *                       fullest buffer, of at least those that are older; poll()
 *                       tells when a buffer has got a 48th fuller since
 *   xblk-dom0/trace*    the records, one relay file for each CPU, in a session
 */
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <xen/xen.h>
#include "../kmod-common/blk-probes.h"
#include "../kmod-common/clock.h"
#include "../kmod-common/emit.h"
#include "blkback-probes.h"
#include "session.h"

#define COMMAND_MAX 4096

static struct dentry *dir;
static atomic_t control_opened = ATOMIC_INIT(0);

static int control_open(struct inode *inode, struct file *file)
{
	if (atomic_cmpxchg(&control_opened, 0, 1))
		return -EBUSY;
	return nonseekable_open(inode, file);
}

static int control_release(struct inode *inode, struct file *file)
{
	session_end();
	atomic_set(&control_opened, 0);
	return 0;
}

static ssize_t control_write(struct file *file, const char __user *buf, size_t len,
			     loff_t *pos)
{
	char *command;
	int err;

	if (len > COMMAND_MAX)
		return -E2BIG;
	command = memdup_user_nul(buf, len);
	if (IS_ERR(command))
		return PTR_ERR(command);
	err = session_command(strim(command), dir);
	kfree(command);
	return err ?: len;
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.open = control_open,
	.release = control_release,
	.write = control_write,
};

static int stats_show(struct seq_file *s, void *unused)
{
	seq_printf(s, "clock_uncertainty_ns %u\n", xblk_clock_uncertainty);
	blkback_probes_show(s);
	session_show(s);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int now_show(struct seq_file *s, void *unused)
{
	u64 now = xblk_clock_now();

	seq_printf(s, "%llu %llu\n", now, session_level());
	return 0;
}

static int now_open(struct inode *inode, struct file *file)
{
	return single_open(file, now_show, NULL);
}

static const struct file_operations now_fops = {
	.owner = THIS_MODULE,
	.open = now_open,
	.read = seq_read,
	.poll = session_poll,
	.llseek = seq_lseek,
	.release = single_release,
};

static int __init xblk_dom0_init(void)
{
	int err;

	if (!xen_domain()) {
		pr_err("not a Xen domain\n");
		return -ENODEV;
	}
	err = xblk_clock_calibrate();
	if (err) {
		pr_err("the hypervisor does not tell its time: %d\n", err);
		return err;
	}
	err = xblk_blk_probes_find();
	if (err)
		return err;
	err = xblk_emit_init();
	if (err)
		return err;
	dir = debugfs_create_dir("xblk-dom0", NULL);
	if (IS_ERR(dir)) {
		err = PTR_ERR(dir);
		pr_err("cannot use debugfs: %d\n", err);
		goto err_emit;
	}
	debugfs_create_file("control", 0200, dir, NULL, &control_fops);
	debugfs_create_file("stats", 0444, dir, NULL, &stats_fops);
	debugfs_create_file("now", 0444, dir, NULL, &now_fops);
	return 0;

err_emit:
	xblk_emit_exit();
	return err;
}

static void __exit xblk_dom0_exit(void)
{
	/* An open control file holds the module, so no session is left here. */
	debugfs_remove(dir);
	xblk_emit_exit();
}

module_init(xblk_dom0_init);
module_exit(xblk_dom0_exit);

MODULE_DESCRIPTION("Block I/O tracer for a Xen backend domain, read by xblktrace");
MODULE_LICENSE("GPL");
