// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>
#include <linux/notifier.h>
#include <xen/xen.h>
#include <xen/xen-ops.h>
#include "channel.h"

/* Called after a migration or restore, and also after a cancelled suspend. */
static int resumed(struct notifier_block *nb, unsigned long action, void *data)
{
	xenrelay_channels_resumed();
	return NOTIFY_OK;
}

static struct notifier_block resume_notifier = {
	.notifier_call = resumed,
};

static int __init xenrelay_init(void)
{
	if (!xen_domain()) {
		pr_err("not a Xen guest\n");
		return -ENODEV;
	}
	xen_resume_notifier_register(&resume_notifier);
	return 0;
}

static void __exit xenrelay_exit(void)
{
	xen_resume_notifier_unregister(&resume_notifier);
}

module_init(xenrelay_init);
module_exit(xenrelay_exit);

MODULE_DESCRIPTION(
	"Xenrelay: trace data from a guest's kernel to another domain's user space");
MODULE_LICENSE("GPL");
