// SPDX-License-Identifier: GPL-2.0-only
/*
 * The path of an item, from a client to its vCPU's ring, and the counters.
 *
 * A writer stays on its CPU, and by that is in the read-side section in which a
 * connection's buffers stay.
 */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>
#include <linux/string.h>
#include "../ring/copy.h"
#include "buffers.h"
#include "channel.h"
#include "xenrelay.h"

/*
 * For the client, which has all else inline: where the ring seems full, where there is
 * none, and in NMI.
 */
struct xenrelay_room xenrelay_reserve_slowly(struct xenrelay_channel *chan)
{
	const struct channel *own = own_channel(chan);
	struct xenrelay_buffers *bufs = rcu_dereference_sched(own->open_bufs);
	struct xenrelay_room found = {.room = ERR_PTR(-ENOTCONN)};

	if (unlikely(!bufs))
		return found;
	found.ring = &bufs->rings[smp_processor_id()];
	if (unlikely(in_nmi())) {
		u64 lost = this_cpu_inc_return(*bufs->lost_nmi);

		/* The NMI may have come in the middle of a write: own counter. */
		xblk_store_once(&found.ring->producer->ring.lost_nmi, lost);
		found.room = ERR_PTR(-EBUSY);
		return found;
	}
	found.room = xenrelay_ring_reserve(found.ring);
	if (likely(found.room))
		return found;
	xenrelay_ring_lose(found.ring, own->params.clock ? own->params.clock() : 0);
	found.room = ERR_PTR(-ENOSPC);
	return found;
}
EXPORT_SYMBOL_GPL(xenrelay_reserve_slowly);

/* For the client: the ring is to be told of.  Interrupts are off. */
void xenrelay_committed(struct xenrelay_channel *chan, struct xenrelay_ring *ring)
{
	struct xenrelay_buffers *bufs =
		rcu_dereference_sched(own_channel(chan)->open_bufs);

	/* Who shuts it at this moment tells the reader himself. */
	if (likely(bufs))
		xenrelay_doorbell_check(&bufs->doorbell, ring);
}
EXPORT_SYMBOL_GPL(xenrelay_committed);

/* All that write_small() leaves, and every failure. */
static noinline int write_exclusively(struct xenrelay_channel *chan, const void *item)
{
	struct xenrelay_slot slot;
	void *room = xenrelay_reserve(chan, &slot);

	if (IS_ERR(room))
		return PTR_ERR(room);
	memcpy(room, item, slot.ring->item_size);
	xenrelay_commit(&slot);
	return 0;
}

/*
 * A small item into a ring that has room, which nobody waits for.  This calls nothing, so
 * that its caller need not save registers for it, and leaves interrupts as they are.
 */
static __always_inline bool write_small(struct xenrelay_channel *chan, const void *item)
{
	struct xenrelay_ring *ring = xenrelay_ring(chan);

	if (unlikely(!ring))
		return false;
	/* Pairs with the store-release of the ring, behind what this connection wants. */
	virt_rmb();
	if (unlikely(!READ_ONCE(own_channel(chan)->small) || in_nmi()))
		return false;
	return xenrelay_ring_put_small(ring, item);
}

int xenrelay_write(struct xenrelay_channel *chan, const void *item)
{
	preempt_disable_notrace();
	if (likely(write_small(chan, item))) {
		preempt_enable_notrace();
		return 0;
	}
	preempt_enable_notrace();
	return write_exclusively(chan, item);
}
EXPORT_SYMBOL_GPL(xenrelay_write);

static void add_ring_stats(struct xenrelay_stats *stats,
			   const struct xenrelay_buffers *bufs, unsigned int i)
{
	const union xenrelay_producer_line *producer = &xenrelay_producer(bufs)[1 + i];
	const union xenrelay_consumer_line *consumer = &xenrelay_consumer(bufs)[1 + i];
	u64 head = xblk_load_once(&producer->ring.head);

	stats->written += head;
	stats->lost += xblk_load_once(&producer->ring.lost);
	stats->lost_nmi += xblk_load_once(&producer->ring.lost_nmi);
	/* The reader's word, so whatever it is, no more than there can be. */
	stats->unread += min3(head - xblk_load_once(&consumer->ring.tail), head,
			      (u64)stats->ring_items);
}

void xenrelay_get_stats(struct xenrelay_channel *chan, struct xenrelay_stats *stats)
{
	const struct xenrelay_buffers *bufs;
	unsigned int i;

	memset(stats, 0, sizeof(*stats));
	rcu_read_lock_sched();
	bufs = rcu_dereference_sched(own_channel(chan)->open_bufs);
	if (bufs) {
		stats->connected = true;
		stats->mode = bufs->rings[0].overwrite ? XENRELAY_OVERWRITE
						       : XENRELAY_DISCARD;
		stats->nr_rings = bufs->nr_rings;
		stats->ring_items = bufs->rings[0].capacity;
		stats->events = atomic64_read(&bufs->doorbell.events);
		for (i = 0; i < bufs->nr_rings; i++)
			add_ring_stats(stats, bufs, i);
	}
	rcu_read_unlock_sched();
}
EXPORT_SYMBOL_GPL(xenrelay_get_stats);
