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
 *
 * A bio of blkback's carries what blkback knows its request by (bi_private), and the same
 * pointer comes back in the data of the callback that unmaps the request's pages, which
 * then calls make_response(): so it is told which bios a response is for.
 */
#include <linux/atomic.h>
#include <linux/blkdev.h>
#include <linux/hash.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <xen/grant_table.h>
#include <xen/interface/io/blkif.h>
#include "../kmod-common/blk-probes.h"
#include "../kmod-common/clock.h"
#include "../kmod-common/emit.h"
#include "../kmod-common/entry-probes.h"
#include "../kmod-common/this-run.h"
#include "blkback-probes.h"
#include "traced.h"
#include "xblk/control.h"

/*
 * Room for the rings of a session, far more than a host has: with 12,000 of them less
 * than one in 100,000 finds no free slot.
 */
#define RINGS_BITS  16
#define RINGS_PROBE 8

/* The traced rings, by address: each in one of the slots behind its hash. */
struct ring {
	const void *ring;
	u32 pid;
};

/* Not NULL while probes are attached. */
static struct ring *rings;

u32 blkback_threads[BLKBACK_THREADS];

/* From the callback to make_response(): the request. */
static DEFINE_PER_CPU(struct xblk_this_run, this_run);

static atomic_t rings_dropped = ATOMIC_INIT(0);

static __always_inline struct ring *ring_slot(const void *ring, unsigned int i)
{
	return &rings[(hash_ptr(ring, RINGS_BITS) + i) % (1 << RINGS_BITS)];
}

/* One that is not in its own slot, or NULL. */
unsigned long blkback_ring_find_on(const void *ring)
{
	unsigned int i;

	for (i = 1; i < RINGS_PROBE; i++)
		if (READ_ONCE(ring_slot(ring, i)->ring) == ring)
			return (unsigned long)ring_slot(ring, i);
	return 0;
}
XBLK_RARE(blkback_ring_find_on);

static __always_inline struct ring *ring_find(const void *ring)
{
	struct ring *slot = ring_slot(ring, 0);

	return likely(READ_ONCE(slot->ring) == ring)
		       ? slot
		       : (void *)xblk_rarely1(blkback_ring_find_on, ring);
}

/*
 * A ring for which there is no room has its stages, but not their parts.  It is met, and
 * counted, again with each of its requests.
 */
static struct ring *ring_add(const void *ring)
{
	unsigned int i;

	for (i = 0; i < RINGS_PROBE; i++)
		if (!cmpxchg(&ring_slot(ring, i)->ring, NULL, ring))
			return ring_slot(ring, i);
	atomic_inc(&rings_dropped);
	return NULL;
}

/* The current thread goes about a request of the ring. */
static __always_inline void thread_event(const void *ring)
{
	struct xblk_place place = {};
	unsigned long flags;
	u64 now;

	WRITE_ONCE(blkback_threads[(u32)current->pid % BLKBACK_THREADS], ~current->pid);
	local_irq_save(flags);
	now = xblk_clock_now();
	if (likely(xblk_emit_begin_pid(&place, now))) {
		*place.rec = (struct xblk_record){
			.time = now,
			.id = xblk_id(ring),
			.aux = current->pid,
			.disk = XBLK_NO_DISK,
			.event = XBLK_EV_RING,
		};
		xblk_emit_end(&place);
	}
	local_irq_restore(flags);
}

/* A ring that is new, or has another thread than it had, or is not traced. */
static noinline void meet_ring(const void *address, struct ring *ring)
{
	unsigned int domid;

	if (!(current->flags & PF_KTHREAD) || sscanf(current->comm, "%u.", &domid) != 1 ||
	    !traced_domain(domid)) {
		/* The memory of a ring that has gone, now another domain's. */
		if (ring)
			WRITE_ONCE(ring->ring, NULL);
		return;
	}
	if (!ring)
		ring = ring_add(address);
	if (ring) {
		WRITE_ONCE(ring->pid, current->pid);
		thread_event(address);
	}
}

static void map_entered(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			struct ftrace_regs *regs)
{
	const void *address = (const void *)xblk_entry_argument(regs, 0);
	struct ring *ring = ring_find(address);

	if (likely(ring && READ_ONCE(ring->pid) == current->pid))
		thread_event(address);
	else
		meet_ring(address, ring);
}

static void interrupt_entered(unsigned long ip, unsigned long parent,
			      struct ftrace_ops *ops, struct ftrace_regs *regs)
{
	/* xen_blkif_be_int(int irq, void *ring) */
	const void *ring = (const void *)xblk_entry_argument(regs, 1);
	struct xblk_place place = {};
	unsigned long flags;
	u64 now;

	if (!ring_find(ring))
		return;
	local_irq_save(flags);
	now = xblk_clock_now();
	if (likely(xblk_emit_begin(&place, now))) {
		*place.rec = (struct xblk_record){
			.time = now,
			.aux = xblk_id(ring),
			.disk = XBLK_NO_DISK,
			.event = XBLK_EV_INTERRUPT,
		};
		xblk_emit_end(&place);
	}
	local_irq_restore(flags);
}

static void unmap_entered(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			  struct ftrace_regs *regs)
{
	/* xen_blkbk_unmap_and_respond_callback(int, struct gntab_unmap_queue_data *) */
	const struct gntab_unmap_queue_data *unmap =
		(const void *)xblk_entry_argument(regs, 1);

	/* What interrupts this has a place of its own. */
	preempt_disable_notrace();
	xblk_run_leave(this_cpu_ptr(&this_run), unmap->data, 0);
	preempt_enable_notrace();
}

/*
 * By what is in the response: of a barrier that is the same for a flush and for a write.
 * It is told of all that is not left out, as a reader gives a response to the last
 * request that ended on its CPU.
 */
static bool response_left_out(unsigned short operation)
{
	switch (operation) {
	case BLKIF_OP_READ:
		return xblk_op_left_out(REQ_OP_READ, 1);
	case BLKIF_OP_WRITE:
		return xblk_op_left_out(REQ_OP_WRITE, 1);
	case BLKIF_OP_FLUSH_DISKCACHE:
		return xblk_op_left_out(REQ_OP_FLUSH, 0);
	case BLKIF_OP_DISCARD:
		return xblk_op_left_out(REQ_OP_DISCARD, 1);
	default:
		return xblk_op_left_out(REQ_OP_WRITE, 1) &&
		       xblk_op_left_out(REQ_OP_FLUSH, 0);
	}
}

static void response_entered(unsigned long ip, unsigned long parent,
			     struct ftrace_ops *ops, struct ftrace_regs *regs)
{
	/* make_response(ring, u64 id, unsigned short op, int status) */
	const void *ring = (const void *)xblk_entry_argument(regs, 0);
	const void *request;
	struct xblk_place place = {};
	unsigned long flags;
	u64 now;

	local_irq_save(flags);
	request = xblk_run_take(this_cpu_ptr(&this_run));
	if (!ring_find(ring) || (static_branch_unlikely(&xblk_ops_chosen) &&
				 response_left_out(xblk_entry_argument(regs, 2))))
		goto out;
	now = xblk_clock_now();
	if (likely(xblk_emit_begin(&place, now))) {
		*place.rec = (struct xblk_record){
			.time = now,
			.nr_sectors = request ? xblk_id(request) : 0,
			.id = (u32)xblk_entry_argument(regs, 1),
			.aux = xblk_id(ring),
			.disk = XBLK_NO_DISK,
			.event = XBLK_EV_RESPONSE,
			.op = (u8)xblk_entry_argument(regs, 2),
		};
		xblk_emit_end(&place);
	}
out:
	local_irq_restore(flags);
}

static struct xblk_entry_probe entries[] = {
	{"xen_blkbk_map", map_entered},
	{"xen_blkif_be_int", interrupt_entered},
	{"make_response", response_entered},
	{"xen_blkbk_unmap_and_respond_callback", unmap_entered},
};

static struct xblk_entry_probes entry_probes = {
	.module = "xen_blkback",
	.table = entries,
	.n = ARRAY_SIZE(entries),
};

static int init_entries(void)
{
	return xblk_entry_probes_init(&entry_probes);
}

static void exit_entries(void)
{
	xblk_entry_probes_exit(&entry_probes);
}

static void detach(void)
{
	bool stay = false;
	int i;

	for (i = 0; i < ARRAY_SIZE(entries); i++)
		stay |= xblk_entry_probe_detach(&entry_probes, i) != 0;
	if (stay)
		return;
	kvfree(rings);
	rings = NULL;
}

static void forget(void)
{
	int i;

	for (i = 0; i < 1 << RINGS_BITS; i++)
		WRITE_ONCE(rings[i].ring, NULL);
	for (i = 0; i < BLKBACK_THREADS; i++)
		WRITE_ONCE(blkback_threads[i], 0);
}

/* As many as this kernel has. */
static int attach(void)
{
	int i;

	if (!rings)
		rings = kvcalloc(1 << RINGS_BITS, sizeof(*rings), GFP_KERNEL);
	if (!rings)
		return -ENOMEM;
	forget();
	atomic_set(&rings_dropped, 0);
	xblk_run_forget(&this_run);
	for (i = 0; i < ARRAY_SIZE(entries); i++)
		xblk_entry_probe_attach(&entry_probes, i);
	return 0;
}

static void show(struct seq_file *s, bool attached)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(entries); i++)
		if (READ_ONCE(entries[i].attached) == attached)
			seq_printf(s, " %s", entries[i].name);
}

static void show_counters(struct seq_file *s)
{
	seq_printf(s, XBLK_CONTROL_STAT_RINGS_DROPPED " %u\n",
		   atomic_read(&rings_dropped));
}

const struct probe_group blkback_group = {
	.init = init_entries,
	.exit = exit_entries,
	.attach = attach,
	.detach = detach,
	.forget = forget,
	.show = show,
	.show_counters = show_counters,
};
