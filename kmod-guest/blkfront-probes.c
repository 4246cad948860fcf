// SPDX-License-Identifier: GPL-2.0-only
/*
 * What blkfront does around a request: probes on its own functions, where this kernel has
 * them by that name.
 *
 * blkif_interrupt() is when the backend's event reaches the guest: it parts the way back
 * (0-T) into notification and what the guest does then.
 *
 * get_id_from_freelist() is called for each slot of a ring that is filled, under the
 * ring's lock, so its calls are in the order in which the backend finds the requests,
 * which that of D is not where two vCPUs share a ring.  It is given the ring alone.  The
 * request is the one whose D was the last in the same run: blkif_queue_rq(), which calls
 * it, calls blk_mq_start_request() first.
 */
#include <linux/atomic.h>
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/hash.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "../kmod-common/blk-probes.h"
#include "../kmod-common/clock.h"
#include "../kmod-common/disks.h"
#include "../kmod-common/emit.h"
#include "../kmod-common/entry-probes.h"
#include "../kmod-common/this-run.h"
#include "blkfront-probes.h"

/* Room for the rings of 128 disks with 32 queues each; 64 KiB. */
#define RINGS_BITS  12
#define RINGS_PROBE 8

/* How many slots of a ring were filled, by the ring's address. */
struct ring {
	const void *ring;
	u32 filled;
};

/* Not NULL while probes are attached. */
static struct ring *rings;
static atomic_t no_room; /* times that a request had no order for want of it */
DEFINE_PER_CPU(struct xblk_this_run, blkfront_this_run);

static void interrupt_entered(unsigned long ip, unsigned long parent,
			      struct ftrace_ops *ops, struct ftrace_regs *regs)
{
	struct xblk_place place = {};
	unsigned long flags;
	u64 now;

	local_irq_save(flags);
	now = xblk_clock_now();
	if (likely(xblk_emit_begin(&place, now))) {
		*place.rec = (struct xblk_record){
			.time = now,
			/* blkif_interrupt(int irq, void *ring_info) */
			.aux = xblk_id((const void *)xblk_entry_argument(regs, 1)),
			.disk = XBLK_NO_DISK,
			.event = XBLK_EV_INTERRUPT,
		};
		xblk_emit_end(&place);
	}
	local_irq_restore(flags);
}

static __always_inline struct ring *ring_slot(const void *address, unsigned int i)
{
	return &rings[(hash_ptr(address, RINGS_BITS) + i) % (1 << RINGS_BITS)];
}

/* One that is met the first time, or is not in its own slot. */
unsigned long blkfront_meet_ring(const void *address)
{
	unsigned int i;

	for (i = 0; i < RINGS_PROBE; i++) {
		struct ring *ring = ring_slot(address, i);
		const void *old = READ_ONCE(ring->ring);

		if (!old)
			old = cmpxchg(&ring->ring, NULL, address);
		if (!old || old == address)
			return (unsigned long)ring;
	}
	atomic_inc(&no_room);
	return 0;
}
XBLK_RARE(blkfront_meet_ring);

/*
 * Under the ring's lock.  A ring that finds no room has no order to tell: its requests
 * have all else, and are counted.
 */
static __always_inline void tell_order(const void *address)
{
	struct ring *ring = ring_slot(address, 0);
	const struct xblk_left *issued;
	const struct request *rq;
	struct xblk_place place = {};
	u32 ordinal;
	u64 now;

	if (unlikely(READ_ONCE(ring->ring) != address)) {
		ring = (void *)xblk_rarely1(blkfront_meet_ring, address);
		if (!ring)
			return;
	}
	ordinal = ring->filled++;
	/* Not taken: a request may fill two slots. */
	issued = xblk_run_look(this_cpu_ptr(&blkfront_this_run));
	if (unlikely(!issued))
		return;
	rq = issued->what;
	now = xblk_clock_now();
	if (unlikely(!xblk_emit_begin(&place, now)))
		return;
	*place.rec = (struct xblk_record){
		.time = now,
		.sector = xblk_id(address),
		.nr_sectors = rq->mq_hctx->queue_num,
		.id = xblk_id(rq),
		.aux = ordinal,
		.disk = issued->more,
		.event = XBLK_EV_ORDER,
	};
	xblk_emit_end(&place);
}

static void slot_entered(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			 struct ftrace_regs *regs)
{
	unsigned long flags;

	/* get_id_from_freelist(struct blkfront_ring_info *) */
	local_irq_save(flags);
	tell_order((const void *)xblk_entry_argument(regs, 0));
	local_irq_restore(flags);
}

enum {
	INTERRUPT,
	SLOT,
};

static struct xblk_entry_probe entries[] = {
	[INTERRUPT] = {"blkif_interrupt", interrupt_entered},
	[SLOT] = {"get_id_from_freelist", slot_entered},
};

static struct xblk_entry_probes entry_probes = {
	.module = "xen_blkfront",
	.table = entries,
	.n = ARRAY_SIZE(entries),
};

static void order_detach(void)
{
	bool stay = xblk_entry_probe_detach(&entry_probes, SLOT) != 0;
	unsigned int without = atomic_xchg(&no_room, 0);

	if (without)
		pr_notice(
			"%u requests had no order on their ring: too many rings have come and gone\n",
			without);
	if (stay)
		return;
	kvfree(rings);
	rings = NULL;
}

/* Return: whether it is. */
static bool order_attach(void)
{
	if (!rings)
		rings = kvcalloc(1 << RINGS_BITS, sizeof(*rings), GFP_KERNEL);
	xblk_run_forget(&blkfront_this_run);
	if (rings && !xblk_entry_probe_attach(&entry_probes, SLOT))
		return true;
	order_detach();
	return false;
}

/**
 * blkfront_probes_init() - at module load, before one is attached
 *
 * Context: process.  Return: 0 or a negative errno.
 */
int blkfront_probes_init(void)
{
	return xblk_entry_probes_init(&entry_probes);
}

/**
 * blkfront_probes_exit() - with none attached.  Context: process.
 */
void blkfront_probes_exit(void)
{
	xblk_entry_probes_exit(&entry_probes);
}

/**
 * blkfront_probes_attach() - where this kernel lets it.  Process context.
 * @order:	also those for the order of requests on a ring
 *
 * Return: the names of the functions that are probed, with spaces between them; valid
 * until the next call.
 */
const char *blkfront_probes_attach(bool order)
{
	static char names[64];

	names[0] = '\0';
	if (!xblk_entry_probe_attach(&entry_probes, INTERRUPT))
		strscpy(names, entries[INTERRUPT].name, sizeof(names));
	if (order && order_attach())
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
			 *names ? " " : "", entries[SLOT].name);
	return names;
}

/**
 * blkfront_probes_detach() - they do not run any more on return.  Process context.
 */
void blkfront_probes_detach(void)
{
	xblk_entry_probe_detach(&entry_probes, INTERRUPT);
	order_detach();
}
