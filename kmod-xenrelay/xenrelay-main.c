// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>
#include <linux/workqueue.h>
#include <xen/xen.h>
#include "../kmod-common/resume.h"
#include "channel.h"
#include "xblk/version.h"

/* Looks into XenStore, which takes a process, and waits until XenStore answers again. */
static void look_at_channels(struct work_struct *work)
{
	xenrelay_channels_resumed();
}
static DECLARE_WORK(resume_work, look_at_channels);

/* After a migration or restore, and also after a cancelled suspend. */
static void resumed(void)
{
	schedule_work(&resume_work);
}

struct workqueue_struct *xenrelay_wq;

static int __init xenrelay_init(void)
{
	if (!xen_domain()) {
		pr_err("not a Xen guest\n");
		return -ENODEV;
	}
	/* Ending a connection waits for readers, so it takes no turn of other modules'
	 * work. */
	xenrelay_wq = alloc_workqueue("xenrelay", WQ_UNBOUND, 0);
	if (!xenrelay_wq)
		return -ENOMEM;
	xblk_resume_register(resumed);
	return 0;
}

static void __exit xenrelay_exit(void)
{
	xblk_resume_unregister();
	cancel_work_sync(&resume_work);
	destroy_workqueue(xenrelay_wq);
}

module_init(xenrelay_init);
module_exit(xenrelay_exit);

MODULE_DESCRIPTION(
	"Xenrelay: trace data from a guest's kernel to another domain's user space");
MODULE_VERSION(XBLK_VERSION);
MODULE_LICENSE("GPL");
