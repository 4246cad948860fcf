// SPDX-License-Identifier: GPL-2.0-only
/*
 * The backend's side of the block tracer, as include/xblk/control.h has it: a device that
 * xblktrace writes to, because a kernel that is locked down lets nobody write to debugfs,
 * and files in debugfs that it reads, which may be read even then: they have mode 0400 or
 * 0444 and neither mmap nor ioctl (debugfs_locked_down() in fs/debugfs/file.c).
 *
 *   stats     version of the protocol, clock, probes and counters, as text
 *   now       Xen system time, ns, then how many records wait in the fullest buffer, of
 * at least those that are older; poll() tells when a buffer has got a part fuller since
 *   trace*    the records, one relay file for each CPU, in a session
 */
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <xen/xen.h>
#include "../kmod-common/clock.h"
#include "../kmod-common/emit.h"
#include "probes.h"
#include "session.h"
#include "xblk/control.h"
#include "xblk/version.h"

static struct dentry *dir;
static atomic_t control_opened = ATOMIC_INIT(0);

static int control_open(struct inode *inode, struct file *file)
{
	int err;

	if (atomic_cmpxchg(&control_opened, 0, 1))
		return -EBUSY;
	/* A backend's records have no generations of the clock. */
	err = xblk_clock_watch(NULL);
	if (err) {
		atomic_set(&control_opened, 0);
		return err;
	}
	return nonseekable_open(inode, file);
}

static int control_release(struct inode *inode, struct file *file)
{
	session_end();
	xblk_clock_unwatch();
	atomic_set(&control_opened, 0);
	return 0;
}

static ssize_t control_write(struct file *file, const char __user *buf, size_t len,
			     loff_t *pos)
{
	char *command;
	int err;

	if (len > XBLK_CONTROL_MAX_LINE)
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

static struct miscdevice control = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = XBLK_CONTROL_DEVICE,
	.mode = 0600,
	.fops = &control_fops,
};

static int stats_show(struct seq_file *s, void *unused)
{
	seq_printf(s, XBLK_CONTROL_STAT_VERSION " %u\n", XBLK_CONTROL_VERSION);
	seq_printf(s, XBLK_CONTROL_STAT_UNCERTAINTY " %u\n", xblk_clock.uncertainty);
	seq_printf(s, XBLK_CONTROL_STAT_DRIFT " %lld\n", xblk_clock.drift);
	seq_printf(s, XBLK_CONTROL_STAT_JUMPS " %llu\n", xblk_clock.jumps);
	seq_printf(s, XBLK_CONTROL_STAT_CLOCK " %s\n", xblk_clock_source());
	probes_show(s);
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
	err = xblk_emit_init();
	if (err)
		return err;
	err = probes_init();
	if (err)
		goto err_emit;
	dir = debugfs_create_dir(XBLK_CONTROL_DIR, NULL);
	if (IS_ERR(dir)) {
		err = PTR_ERR(dir);
		pr_err("cannot use debugfs: %d\n", err);
		goto err_probes;
	}
	debugfs_create_file(XBLK_CONTROL_STATS, 0400, dir, NULL, &stats_fops);
	debugfs_create_file(XBLK_CONTROL_NOW, 0400, dir, NULL, &now_fops);
	err = misc_register(&control);
	if (err) {
		pr_err("cannot make the device " XBLK_CONTROL_DEVICE ": %d\n", err);
		goto err_dir;
	}
	return 0;

err_dir:
	debugfs_remove(dir);
err_probes:
	probes_exit();
err_emit:
	xblk_emit_exit();
	return err;
}

static void __exit xblk_dom0_exit(void)
{
	/* An open device holds the module, so no session is left here. */
	misc_deregister(&control);
	debugfs_remove(dir);
	probes_exit();
	xblk_emit_exit();
}

module_init(xblk_dom0_init);
module_exit(xblk_dom0_exit);

MODULE_DESCRIPTION("Block I/O tracer for a Xen backend domain, read by xblktrace");
MODULE_VERSION(XBLK_VERSION);
MODULE_LICENSE("GPL");
