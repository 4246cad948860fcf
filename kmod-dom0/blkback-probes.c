// SPDX-License-Identifier: GPL-2.0-only
/*
 * What blkback does around a bio: probes on its own functions, where this
 * kernel has them.  Each is optional; without it the stages are the same and
 * only their parts are missing.
 *
 * A ring's thread is named "<domid>.<disk>-<ring>" (xen_update_blkif_status()
 * in drivers/block/xen-blkback/xenbus.c), and xen_blkbk_map() runs in it with
 * the ring as its first argument: this is how a ring gets its thread, without
 * a look into blkback's structures, and when the thread began with a request.
 */
#include <linux/hash.h>
#include <linux/irqflags.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include "../kmod-common/blk-probes.h"
#include "../kmod-common/clock.h"
#include "../kmod-common/disks.h"
#include "../kmod-common/emit.h"
#include "../kmod-common/entry-probes.h"
#include "blkback-probes.h"
#include "session.h"

#define RINGS_BITS  8
#define RINGS_PROBE 8

/* The traced rings, by address: each in one of the slots behind its hash. */
static struct ring {
	const void *ring;
	u32 pid;
} rings[1 << RINGS_BITS];

static struct ring *ring_slot(const void *ring, unsigned int i)
{
	return &rings[(hash_ptr(ring, RINGS_BITS) + i) % ARRAY_SIZE(rings)];
}

static struct ring *ring_find(const void *ring)
{
	unsigned int i;

	for (i = 0; i < RINGS_PROBE; i++)
		if (READ_ONCE(ring_slot(ring, i)->ring) == ring)
			return ring_slot(ring, i);
	return NULL;
}

/* A ring for which there is no room has its stages, but not their parts. */
static struct ring *ring_add(const void *ring)
{
	unsigned int i;

	for (i = 0; i < RINGS_PROBE; i++)
		if (!cmpxchg(&ring_slot(ring, i)->ring, NULL, ring))
			return ring_slot(ring, i);
	return NULL;
}

static void ring_event(struct xblk_record *rec, bool pid)
{
	unsigned long flags;

	local_irq_save(flags);
	rec->time = xblk_clock_now();
	if (pid)
		xblk_emit_pid(rec);
	else
		xblk_emit(rec);
	local_irq_restore(flags);
}

static void map_entered(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			struct ftrace_regs *regs)
{
	const void *address = (const void *)ftrace_regs_get_argument(regs, 0);
	struct ring *ring = ring_find(address);
	struct xblk_record rec = {
		.id = xblk_id(address),
		.aux = current->pid,
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_RING,
	};
	unsigned int domid;

	if (likely(ring && READ_ONCE(ring->pid) == current->pid)) {
		ring_event(&rec, true);
		return;
	}
	if (!(current->flags & PF_KTHREAD) || sscanf(current->comm, "%u.", &domid) != 1 ||
	    !session_traces_domain(domid)) {
		/* The memory of a ring that has gone, now another domain's. */
		if (ring)
			WRITE_ONCE(ring->ring, NULL);
		return;
	}
	if (!ring)
		ring = ring_add(address);
	if (ring) {
		WRITE_ONCE(ring->pid, current->pid);
		ring_event(&rec, true);
	}
}

static void interrupt_entered(unsigned long ip, unsigned long parent,
			      struct ftrace_ops *ops, struct ftrace_regs *regs)
{
	/* xen_blkif_be_int(int irq, void *ring) */
	const void *ring = (const void *)ftrace_regs_get_argument(regs, 1);
	struct xblk_record rec = {
		.aux = xblk_id(ring),
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_INTERRUPT,
	};

	if (ring_find(ring))
		ring_event(&rec, false);
}

static void response_entered(unsigned long ip, unsigned long parent,
			     struct ftrace_ops *ops, struct ftrace_regs *regs)
{
	/* make_response(ring, u64 id, unsigned short op, int status) */
	const void *ring = (const void *)ftrace_regs_get_argument(regs, 0);
	struct xblk_record rec = {
		.id = (u32)ftrace_regs_get_argument(regs, 1),
		.aux = xblk_id(ring),
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_RESPONSE,
		.op = (u8)ftrace_regs_get_argument(regs, 2),
	};

	if (ring_find(ring))
		ring_event(&rec, false);
}

static struct xblk_entry_probe probes[] = {
	{"xen_blkbk_map", map_entered},
	{"xen_blkif_be_int", interrupt_entered},
	{"make_response", response_entered},
};

/**
 * blkback_probes_attach() - as many as this kernel has.  Process context.
 */
void blkback_probes_attach(void)
{
	int i;

	memset(rings, 0, sizeof(rings));
	for (i = 0; i < ARRAY_SIZE(probes); i++)
		xblk_entry_probe_attach(&probes[i]);
}

/**
 * blkback_probes_forget_rings() - of domains that are traced no more
 *
 * No record comes of them, but for what is on its way.  Context: process.
 */
void blkback_probes_forget_rings(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(rings); i++)
		WRITE_ONCE(rings[i].ring, NULL);
}

/**
 * blkback_probes_detach() - none runs any more on return.  Process context.
 */
void blkback_probes_detach(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		xblk_entry_probe_detach(&probes[i]);
}

static void show(struct seq_file *s, bool attached)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (probes[i].attached == attached)
			seq_printf(s, " %s", probes[i].name);
}

/**
 * blkback_probes_show() - the lines of probes that are attached and that are not
 * @s:	where to
 */
void blkback_probes_show(struct seq_file *s)
{
	seq_puts(s, "probes");
	xblk_blk_probes_show(s);
	show(s, true);
	seq_puts(s, "\nmissing");
	show(s, false);
	seq_putc(s, '\n');
}
