// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's side of the block tracer: one client of Xenrelay, which writes
 * the guest's block events while a reader is connected.
 */
#include <linux/blkdev.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <xen/xen.h>
#include <xen/xenbus.h>
#include "../kmod-common/blk-probes.h"
#include "../kmod-common/clock.h"
#include "../kmod-common/disks.h"
#include "../kmod-common/emit.h"
#include "../kmod-common/flush-probes.h"
#include "../kmod-common/resume.h"
#include "xblk/guest.h"
#include "xblk/record.h"
#include "xblk/version.h"
#include "blkfront-probes.h"
#include "../kmod-xenrelay/xenrelay.h"

#define DISKS_UNWANTED 256 /* as many others are looked up as fast */

static unsigned int ring_kib = 2048;
module_param(ring_kib, uint, 0444);
MODULE_PARM_DESC(ring_kib, "KiB of trace ring for each vCPU where the reader names none");

static unsigned int max_ring_kib = 16384;
module_param(max_ring_kib, uint, 0444);
MODULE_PARM_DESC(max_ring_kib,
		 "the most KiB of trace ring for each vCPU that a reader may "
		 "ask for");

struct xenrelay_channel *xblk_channel;

/* Return: the record's place, or 0. */
unsigned long xblk_sink_reserve_slowly(void)
{
	struct xenrelay_slot slot;

	return xenrelay_reserve_irqoff(xblk_channel, &slot) ? 0
							    : (unsigned long)slot.room;
}
XBLK_RARE(xblk_sink_reserve_slowly);

unsigned long xblk_sink_committed(struct xenrelay_ring *ring)
{
	xenrelay_committed(xblk_channel, ring);
	return 0;
}
XBLK_RARE(xblk_sink_committed);

/**
 * struct wanted_disk - a disk that the reader wants
 * @devid:	its device id in XenStore
 * @index:	the index that it is to have
 * @key:	which disk has got it: the first one that was met with that id.  0: none
 *		yet.  Another disk may have the same id later
 */
struct wanted_disk {
	u32 devid;
	u16 index;
	u64 key;
};

/**
 * struct traced_disks - which disks are traced, by the reader's last word
 * @seen:	disks that were looked at, by their diskseq
 * @events:	the last event that the reader knows
 * @ops:	operations that are recorded, by enum xblk_op; 0: all
 * @no_merges:	merges are not recorded
 * @nr_wanted:	disks in @wanted
 * @wanted:	what it said
 */
struct traced_disks {
	struct xblk_disks *seen;
	unsigned int events;
	u8 ops;
	bool no_merges;
	unsigned int nr_wanted;
	struct wanted_disk wanted[];
};

/* NULL: none is traced, whatever probes are attached. */
static struct traced_disks __rcu *traced;

/*
 * The device id of a disk of blkfront's: its parent is the xenbus device
 * "device/vbd/<devid>".
 */
static bool blkfront_devid(struct gendisk *disk, u32 *devid)
{
	struct device *parent = disk_to_dev(disk)->parent;

	return parent && parent->bus && !strcmp(parent->bus->name, "xen") &&
	       sscanf(to_xenbus_device(parent)->nodename, "device/vbd/%u", devid) == 1;
}

static int wanted_index(struct traced_disks *disks, u64 key, u32 devid)
{
	unsigned int i;

	for (i = 0; i < disks->nr_wanted; i++) {
		struct wanted_disk *wanted = &disks->wanted[i];
		u64 has;

		if (wanted->devid != devid)
			continue;
		has = cmpxchg(&wanted->key, 0, key);
		if (!has || has == key)
			return wanted->index;
	}
	return XBLK_DISK_IGNORED;
}

/* A disk that is traced lies on none that is. */
int xblk_dev_index(dev_t dev)
{
	return -1;
}

/* A disk is looked at once, when its first event comes. */
static int meet_disk(struct gendisk *disk)
{
	struct traced_disks *disks = rcu_dereference_sched(traced);
	u32 devid;
	int index = XBLK_DISK_IGNORED;

	/* Of a disk that was taken away the parent may be gone. */
	if (!disks || test_bit(GD_DEAD, &disk->state))
		return index;
	if (blkfront_devid(disk, &devid))
		index = wanted_index(disks, disk->diskseq, devid);
	xblk_disks_add(disks->seen, disk->diskseq, index);
	return index;
}

static void free_disks(struct traced_disks *disks)
{
	if (disks)
		kvfree(disks->seen);
	kvfree(disks);
}

static struct traced_disks *alloc_disks(unsigned int nr)
{
	struct traced_disks *disks = kvzalloc(struct_size(disks, wanted, nr), GFP_KERNEL);

	if (!disks)
		return NULL;
	disks->seen = xblk_disks_alloc(nr + DISKS_UNWANTED);
	if (disks->seen) {
		disks->seen->meet = meet_disk;
		return disks;
	}
	free_disks(disks);
	return NULL;
}

/* "51712:0,51728:1": which disks, and their indices; or none.  xblk/guest.h has more. */
static int parse_disks(struct traced_disks *disks, const char *list)
{
	unsigned int devid, index;
	int len;

	for (; *list; list += len) {
		if (sscanf(list, "%u:%u%n", &devid, &index, &len) != 2 ||
		    index >= XBLK_DISK_IGNORED)
			return -EINVAL;
		if (devid == XBLK_GUEST_EVENTS) {
			disks->events = index;
		} else if (devid == XBLK_GUEST_OPS) {
			if (index > U8_MAX)
				return -EINVAL;
			disks->ops = index;
		} else if (devid == XBLK_GUEST_MERGES) {
			disks->no_merges = !index;
		} else {
			disks->wanted[disks->nr_wanted].devid = devid;
			disks->wanted[disks->nr_wanted++].index = index;
		}
		if (list[len] == ',' && list[len + 1])
			len++;
		else if (list[len])
			return -EINVAL;
	}
	return 0;
}

static struct traced_disks *parse_config(const char *config)
{
	struct traced_disks *disks;
	unsigned int nr = 1;
	const char *c;
	int err;

	if (!strstarts(config, XBLK_GUEST_DISKS))
		return ERR_PTR(-EINVAL);
	for (c = config; *c; c++)
		nr += *c == ',';
	/* Three pairs are no disks. */
	if (nr > XBLK_MAX_DISKS + 3)
		return ERR_PTR(-E2BIG);
	disks = alloc_disks(nr);
	if (!disks)
		return ERR_PTR(-ENOMEM);
	disks->events = XBLK_GUEST_FIRST_EVENTS;
	err = parse_disks(disks, config + strlen(XBLK_GUEST_DISKS));
	if (!err)
		return disks;
	free_disks(disks);
	return ERR_PTR(err);
}

/* Disks that were met under an index keep it, as long as it is among those wanted. */
static void carry_over(struct traced_disks *to, const struct traced_disks *from)
{
	unsigned int i, j;

	for (i = 0; i < from->nr_wanted; i++) {
		const struct wanted_disk *old = &from->wanted[i];
		u64 key = READ_ONCE(old->key);

		for (j = 0; key && j < to->nr_wanted; j++) {
			if (to->wanted[j].index != old->index)
				continue;
			to->wanted[j].key = key;
			xblk_disks_add(to->seen, key, old->index);
			break;
		}
	}
}

/* What the reader wants, not traced yet, or an error. */
static struct traced_disks *read_config(const char *config)
{
	struct traced_disks *disks = parse_config(config);

	if (IS_ERR(disks))
		pr_warn_ratelimited("cannot use the reader's configuration \"%*pE\"\n",
				    (int)strnlen(config, 64), config);
	return disks;
}

/* From now on these are traced. */
static void trace_disks(struct traced_disks *disks)
{
	/* The channel calls its client from one place at a time. */
	struct traced_disks *old = rcu_dereference_protected(traced, true);

	if (old)
		carry_over(disks, old);
	rcu_assign_pointer(traced, disks);
	xblk_disks_trace(disks->seen);
	synchronize_rcu();
	free_disks(old);
}

/* Nothing is recorded of any disk from now on. */
static void forget_disks(void)
{
	struct traced_disks *old = rcu_dereference_protected(traced, true);

	xblk_disks_trace(NULL);
	RCU_INIT_POINTER(traced, NULL);
	synchronize_rcu();
	free_disks(old);
}

static void reader_configure(void *priv, const char *config)
{
	struct traced_disks *disks = read_config(config);

	if (!IS_ERR(disks))
		trace_disks(disks);
}

/* Nothing else of the guest runs, and the clock is still the old one. */
static void mark_clock(u32 generation)
{
	u64 now = xblk_clock_now();
	struct xblk_place place = {};

	if (unlikely(!xblk_emit_begin(&place, now)))
		return;
	*place.rec = (struct xblk_record){
		.time = now,
		.id = generation,
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_CLOCK,
	};
	xblk_emit_end(&place);
}

#define NODES "data/xenrelay/" XBLK_GUEST_CHANNEL

/* For the reader to tell; without it records come all the same. */
static void say_nodes(const struct traced_disks *disks, const char *names)
{
	xenbus_printf(XBT_NIL, NODES, XBLK_GUEST_NODE_PROBES, "%s%s", names,
		      xblk_flush_probes_name());
	xenbus_printf(XBT_NIL, NODES, XBLK_GUEST_NODE_OPS, "%u", disks->ops);
	xenbus_printf(XBT_NIL, NODES, XBLK_GUEST_NODE_MERGES, "%u", !disks->no_merges);
	xenbus_write(XBT_NIL, NODES, XBLK_GUEST_NODE_CLOCK, xblk_clock_source());
}

/*
 * Probes take a second to attach and to detach where the machine is busy.  What is traced
 * is none while they do: of all kinds the records begin, and end, at a time.
 */
static int reader_connect(struct xenrelay_channel *chan, void *priv, const char *config)
{
	struct traced_disks *disks = read_config(config);
	struct xenrelay_stats stats;
	const char *names;
	int err;

	if (IS_ERR(disks))
		return PTR_ERR(disks);
	xblk_channel = chan;
	xenrelay_get_stats(chan, &stats);
	xblk_emit_reset(stats.mode == XENRELAY_OVERWRITE ? stats.ring_items / 4 : 0);
	err = xblk_clock_watch(mark_clock);
	if (err)
		goto err_disks;
	xblk_choose_ops(disks->ops);
	xblk_choose_merges(!disks->no_merges);
	err = xblk_blk_probes_attach(false);
	if (err)
		goto err_clock;
	names = blkfront_probes_attach(disks->events >= XBLK_EV_ORDER);
	if (disks->events >= XBLK_EV_FLUSH_QUEUE)
		xblk_flush_probes_attach();
	trace_disks(disks);
	say_nodes(disks, names);
	return 0;

err_clock:
	xblk_clock_unwatch();
err_disks:
	free_disks(disks);
	return err;
}

static void reader_disconnect(void *priv)
{
	xenbus_rm(XBT_NIL, NODES, XBLK_GUEST_NODE_PROBES);
	xenbus_rm(XBT_NIL, NODES, XBLK_GUEST_NODE_OPS);
	xenbus_rm(XBT_NIL, NODES, XBLK_GUEST_NODE_MERGES);
	xenbus_rm(XBT_NIL, NODES, XBLK_GUEST_NODE_CLOCK);
	forget_disks();
	xblk_blk_probes_detach();
	blkfront_probes_detach();
	xblk_flush_probes_detach();
	xblk_clock_unwatch();
}

static int __init xblk_guest_init(void)
{
	const struct xenrelay_params params = {
		.name = XBLK_GUEST_CHANNEL,
		.item_size = sizeof(struct xblk_record),
		.ring_items = min(ring_kib, max_ring_kib) * (1024 / XBLK_RECORD_SIZE),
		.max_ring_items = max_ring_kib * (1024 / XBLK_RECORD_SIZE),
		.reader = XENRELAY_ANY_READER,
		.client_version = XBLK_GUEST_VERSION,
		.clock_ns = &xblk_clock.uncertainty,
		.clock = xblk_clock_now,
		.connect = reader_connect,
		.configure = reader_configure,
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
	err = blkfront_probes_init();
	if (err)
		return err;
	err = xblk_emit_init();
	if (err)
		goto err_probes;
	xblk_channel = xenrelay_open(&params);
	if (IS_ERR(xblk_channel)) {
		err = PTR_ERR(xblk_channel);
		pr_err("cannot announce the channel: %d\n", err);
		goto err_emit;
	}
	xblk_resume_register(xblk_clock_resumed);
	return 0;

err_emit:
	xblk_emit_exit();
err_probes:
	blkfront_probes_exit();
	return err;
}

static void __exit xblk_guest_exit(void)
{
	xblk_resume_unregister();
	xenrelay_close(xblk_channel);
	xblk_emit_exit();
	blkfront_probes_exit();
}

module_init(xblk_guest_init);
module_exit(xblk_guest_exit);

MODULE_DESCRIPTION("Block I/O tracer for a Xen guest, read from dom0 by xblktrace");
MODULE_VERSION(XBLK_VERSION);
MODULE_LICENSE("GPL");
