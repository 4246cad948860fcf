// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's side of the block tracer: one client of Xenrelay, which writes
 * the guest's block events while a reader is connected.
 */
#include <linux/atomic.h>
#include <linux/blkdev.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/string.h>
#include <xen/xen.h>
#include <xen/xen-ops.h>
#include <xen/xenbus.h>
#include "../kmod-common/blk-probes.h"
#include "../kmod-common/clock.h"
#include "../kmod-common/disks.h"
#include "../kmod-common/emit.h"
#include "xblk/record.h"
#include "blkfront-probes.h"
#include "xenrelay.h"

#define RECORD_VERSION 1

static unsigned int ring_kib = 2048;
module_param(ring_kib, uint, 0444);
MODULE_PARM_DESC(ring_kib, "KiB of trace ring for each vCPU where the reader names none");

static unsigned int max_ring_kib = 16384;
module_param(max_ring_kib, uint, 0444);
MODULE_PARM_DESC(max_ring_kib,
		 "the most KiB of trace ring for each vCPU that a reader may "
		 "ask for");

static struct xenrelay_channel *channel;
static struct xblk_disks disks;

/* XenStore device ids of the disks to trace, in the reader's order. */
static u32 wanted[XBLK_MAX_DISKS];
static unsigned int nr_wanted;

bool xblk_sink(const struct xblk_record *rec)
{
	return !xenrelay_write(channel, rec);
}

/*
 * The device id of a disk of blkfront's: its parent is the xenbus device
 * "device/vbd/<devid>".
 */
static bool blkfront_devid(struct gendisk *disk, u32 *devid)
{
	struct device *parent = disk_to_dev(disk)->parent;

	/* Of a disk that was taken away the parent may be gone. */
	if (test_bit(GD_DEAD, &disk->state))
		return false;
	return parent && parent->bus && !strcmp(parent->bus->name, "xen") &&
	       sscanf(to_xenbus_device(parent)->nodename, "device/vbd/%u", devid) == 1;
}

static int wanted_index(struct gendisk *disk)
{
	unsigned int i;
	u32 devid;

	if (blkfront_devid(disk, &devid))
		for (i = 0; i < nr_wanted; i++)
			if (wanted[i] == devid)
				return i;
	return XBLK_DISK_IGNORED;
}

int xblk_dev_index(dev_t dev)
{
	int index = xblk_disks_find(&disks, dev);

	return index == XBLK_DISK_IGNORED ? -1 : index;
}

/* A disk is looked at once, when its first event comes. */
int xblk_disk_index(struct gendisk *disk)
{
	int index = xblk_disks_find(&disks, disk_devt(disk));

	if (unlikely(index < 0)) {
		index = wanted_index(disk);
		xblk_disks_add(&disks, disk_devt(disk), index);
	}
	return index == XBLK_DISK_IGNORED ? -1 : index;
}

/* "disks=51712,51728": which disks, and the order of their indices. */
static int parse_config(const char *config)
{
	int len;

	nr_wanted = 0;
	if (strncmp(config, "disks=", 6))
		return -EINVAL;
	for (config += 6; nr_wanted < XBLK_MAX_DISKS; config += len + 1) {
		if (sscanf(config, "%u%n", &wanted[nr_wanted], &len) != 1)
			return -EINVAL;
		nr_wanted++;
		if (config[len] != ',')
			return config[len] ? -EINVAL : 0;
	}
	return -E2BIG;
}

static int reader_connect(struct xenrelay_channel *chan, void *priv, const char *config)
{
	int err = parse_config(config);
	struct xenrelay_stats stats;

	if (err) {
		pr_warn("cannot use the reader's configuration \"%.64s\"\n", config);
		return err;
	}
	channel = chan;
	memset(&disks, 0, sizeof(disks));
	xenrelay_get_stats(chan, &stats);
	xblk_emit_reset(stats.mode == XENRELAY_OVERWRITE ? stats.ring_items / 4 : 0);
	err = xblk_blk_probes_attach(false);
	if (!err)
		blkfront_probes_attach();
	return err;
}

static void reader_disconnect(void *priv)
{
	blkfront_probes_detach();
	xblk_blk_probes_detach();
}

static int resumed(struct notifier_block *nb, unsigned long action, void *data)
{
	static atomic_t generation = ATOMIC_INIT(0);
	struct xblk_record rec = {
		.id = atomic_inc_return(&generation),
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_CLOCK,
	};
	unsigned long flags;

	local_irq_save(flags);
	rec.time = xblk_clock_now();
	xblk_emit(&rec);
	local_irq_restore(flags);
	xblk_clock_calibrate();
	return NOTIFY_OK;
}

static struct notifier_block resume_notifier = {
	.notifier_call = resumed,
};

static int __init xblk_guest_init(void)
{
	const struct xenrelay_params params = {
		.name = "xblk",
		.item_size = sizeof(struct xblk_record),
		.ring_items = min(ring_kib, max_ring_kib) * (1024 / XBLK_RECORD_SIZE),
		.max_ring_items = max_ring_kib * (1024 / XBLK_RECORD_SIZE),
		.reader = XENRELAY_ANY_READER,
		.client_version = RECORD_VERSION,
		.clock_ns = &xblk_clock_uncertainty,
		.clock = xblk_clock_now,
		.connect = reader_connect,
		.disconnect = reader_disconnect,
	};
	int err;

	if (!xen_domain()) {
		pr_err("not a Xen guest\n");
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
	channel = xenrelay_open(&params);
	if (IS_ERR(channel)) {
		err = PTR_ERR(channel);
		pr_err("cannot announce the channel: %d\n", err);
		goto err_emit;
	}
	xen_resume_notifier_register(&resume_notifier);
	return 0;

err_emit:
	xblk_emit_exit();
	return err;
}

static void __exit xblk_guest_exit(void)
{
	xen_resume_notifier_unregister(&resume_notifier);
	xenrelay_close(channel);
	xblk_emit_exit();
}

module_init(xblk_guest_init);
module_exit(xblk_guest_exit);

MODULE_DESCRIPTION("Block I/O tracer for a Xen guest, read from dom0 by xblktrace");
MODULE_LICENSE("GPL");
