/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Xenrelay for tracers in the guest's kernel: a channel of fixed-size items to
 * a reader in another domain's user space.
 *
 *	chan = xenrelay_open(&params);
 *	...
 *	xenrelay_write(chan, &item);		any number of times, any CPU
 *	...
 *	xenrelay_close(chan);
 *
 * or, without a copy,
 *
 *	item = xenrelay_reserve(chan, &slot);
 *	if (!IS_ERR(item)) {
 *		...fill in item_size bytes...
 *		xenrelay_commit(&slot);
 *	}
 *
 * which is inline: how a ring is laid out is part of what a client is built
 * against, so it is built with the header of the xenrelay.ko that it is loaded with.
 *
 * An open channel holds no memory until a reader connects.  A module may open
 * as many channels as it likes.
 */
#ifndef XENRELAY_H
#define XENRELAY_H

#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/types.h>
#include <xen/interface/xen.h>
#include "xenrelay/ring.h"

/**
 * struct xenrelay_channel - what the path of an item needs of a channel
 * @ring:	each CPU's, while items are taken; else NULL
 *
 * For the functions here, not for who calls them.
 */
struct xenrelay_channel {
	struct xenrelay_ring *__percpu *ring;
};

/* What happens when a ring is full: see include/xenrelay/wire.h. */
enum xenrelay_mode {
	XENRELAY_DISCARD,   /* new items are lost, until the reader has taken all */
	XENRELAY_OVERWRITE, /* the oldest are lost: a flight recorder */
};

/* &xenrelay_params.reader: whichever domain the toolstack lets write to XenStore. */
#define XENRELAY_ANY_READER DOMID_INVALID

/**
 * struct xenrelay_params - what a tracer says when it opens a channel
 * @name:	name in XenStore: 1 to 31 of a-z, 0-9, '-' and '_'
 * @item_size:	bytes of every item, XENRELAY_MIN_ITEM_SIZE to
 *		XENRELAY_MAX_ITEM_SIZE
 * @ring_items:	items of each vCPU's ring, where the reader asks for nothing
 * @max_ring_items: the most that a reader gets, whatever it asks for; a ring is at
 *		most XENRELAY_MAX_RING_PAGES large
 * @mode:	the mode, where the reader asks for none
 * @fixed_mode:	a reader that asks for another is refused
 * @reader:	the one domain that may read, 0 for dom0, or XENRELAY_ANY_READER
 * @client_version: version of the items' format, for the reader
 * @clock_ns:	see &struct xenrelay_info.clock_ns; read at each connection, when
 *		@connect has returned; NULL for 0
 * @clock:	the time of a loss, ns, in the items' own clock; NULL if they have
 *		none.  Called with interrupts off, from wherever an item is written.
 * @connect:	a reader has come, items may be written to @chan, perhaps before
 *		xenrelay_open() has returned it; @config is what the reader left
 *		for the client, "" if nothing.  An error refuses it.
 * @configure:	the reader has left another @config; NULL: it may not
 * @disconnect:	the reader has gone or wants no more.  Items written after
 *		this has returned are refused.
 * @priv:	passed to all three
 *
 * The callbacks run in process context, never at the same time, and may sleep.
 */
struct xenrelay_params {
	const char *name;
	u32 item_size;
	u32 ring_items;
	u32 max_ring_items;
	enum xenrelay_mode mode;
	bool fixed_mode;
	domid_t reader;
	u32 client_version;
	const u32 *clock_ns;
	u64 (*clock)(void);
	int (*connect)(struct xenrelay_channel *chan, void *priv, const char *config);
	void (*configure)(void *priv, const char *config);
	void (*disconnect)(void *priv);
	void *priv;
};

/**
 * xenrelay_open() - announce a channel in XenStore
 * @params:	copied, but for the name and clock_ns, which must stay
 *
 * Context: process, may sleep.
 * Return: the channel, or ERR_PTR: -EINVAL (a parameter out of its bounds),
 * -EEXIST (name taken), -ENOMEM, or what XenStore said.
 */
struct xenrelay_channel *xenrelay_open(const struct xenrelay_params *params);

/**
 * xenrelay_write() - write one item
 * @chan:	an open channel
 * @item:	item_size bytes
 *
 * Never waits: no lock, no hypercall, no event.  (With a doorbell that the reader
 * asked for, an event is sent behind the caller's back, from an interrupt.)
 *
 * Interrupts need not be off, and who comes with one may write, too: the reader sees what
 * he wrote when the interrupted item is there.  For a vCPU's items to be in the order of
 * the times in them, interrupts are off from when the time is taken.
 *
 * Context: process, softirq or hardirq.  From NMI the item is refused and
 * counted as lost.
 * Return: 0; -ENOSPC (ring full, loss counted), -ENOTCONN (no reader; not
 * counted), -EBUSY (NMI, loss counted).
 */
int xenrelay_write(struct xenrelay_channel *chan, const void *item);

/* Between xenrelay_reserve() and xenrelay_commit() or xenrelay_cancel(). */
struct xenrelay_slot {
	struct xenrelay_channel *chan;
	struct xenrelay_ring *ring;
	void *room;
	unsigned long flags;
};

/* What is rare of the functions below, for them alone.  @room may be an ERR_PTR. */
struct xenrelay_room {
	struct xenrelay_ring *ring;
	void *room;
};
struct xenrelay_room xenrelay_reserve_slowly(struct xenrelay_channel *chan);
void xenrelay_committed(struct xenrelay_channel *chan, struct xenrelay_ring *ring);

/* This CPU's, or NULL.  As long as it is not left, the ring stays. */
static __always_inline struct xenrelay_ring *
xenrelay_ring(const struct xenrelay_channel *chan)
{
	return this_cpu_read(*chan->ring);
}

/* By value, so that a slot has an address, and its place on the stack, for nobody. */
static __always_inline int xenrelay_have_room(struct xenrelay_slot *slot,
					      struct xenrelay_room found)
{
	slot->ring = found.ring;
	slot->room = found.room;
	return PTR_ERR_OR_ZERO(found.room);
}

/**
 * xenrelay_reserve_irqoff() - room for one item, where interrupts are off already
 * @chan:	an open channel
 * @slot:	the caller's, on its stack
 *
 * On success @slot->room is room for item_size bytes, with an old item's bytes in it, and
 * either xenrelay_commit_irqoff() must follow, before interrupts are on again, or
 * nothing, and there is no item; in between no other item may be written to this channel.
 *
 * Calls nothing, unless the ring seems full, as it does once in a lap.
 *
 * Context: interrupts off, not NMI.
 * Return: 0, or the errors of xenrelay_write().
 */
static __always_inline int xenrelay_reserve_irqoff(struct xenrelay_channel *chan,
						   struct xenrelay_slot *slot)
{
	slot->chan = chan;
	slot->ring = xenrelay_ring(chan);
	if (likely(slot->ring && xenrelay_ring_has_room(slot->ring))) {
		slot->room = xenrelay_ring_next(slot->ring, slot->ring->item_size);
		return 0;
	}
	return xenrelay_have_room(slot, xenrelay_reserve_slowly(chan));
}

/* As xenrelay_commit(), with interrupts off before and behind it. */
static __always_inline void xenrelay_commit_irqoff(struct xenrelay_slot *slot)
{
	if (unlikely(xenrelay_ring_commit(slot->ring)))
		xenrelay_committed(slot->chan, slot->ring);
}

/**
 * xenrelay_reserve() - room for one item, to be filled in place
 * @chan:	an open channel
 * @slot:	the caller's, on its stack
 *
 * On success interrupts are off until xenrelay_commit() or xenrelay_cancel(), which
 * must follow soon on the same CPU; in between no other item may be written.  On
 * failure nothing must follow.  The room holds an old item's bytes.
 *
 * Context: as for xenrelay_write().
 * Return: item_size bytes, aligned as the item size allows, or ERR_PTR with the
 * errors of xenrelay_write().
 */
static __always_inline void *xenrelay_reserve(struct xenrelay_channel *chan,
					      struct xenrelay_slot *slot)
{
	int err;

	local_irq_save(slot->flags);
	/* Which refuses an NMI. */
	err = unlikely(in_nmi()) ? xenrelay_have_room(slot, xenrelay_reserve_slowly(chan))
				 : xenrelay_reserve_irqoff(chan, slot);
	if (likely(!err))
		return slot->room;
	local_irq_restore(slot->flags);
	return ERR_PTR(err);
}

/* Publish the item, or leave that to a xenrelay_write() that was interrupted. */
static __always_inline void xenrelay_commit(struct xenrelay_slot *slot)
{
	xenrelay_commit_irqoff(slot);
	local_irq_restore(slot->flags);
}

/* Forget the room: there is no item, and none is lost. */
static __always_inline void xenrelay_cancel(struct xenrelay_slot *slot)
{
	local_irq_restore(slot->flags);
}

/**
 * struct xenrelay_stats - a channel's counters since its reader connected
 * @connected:	a reader is there and items are taken; if false all else is 0
 * @mode:	the mode of this connection
 * @nr_rings:	rings, one for each possible CPU
 * @ring_items:	items that a ring holds
 * @written:	items written, over all rings
 * @lost:	items that found a ring full (discard)
 * @lost_nmi:	items refused from NMI context
 * @unread:	items that the reader has not taken, by its word; in overwrite mode
 *		those that it has not overtaken, at most what the rings hold
 * @events:	events sent
 */
struct xenrelay_stats {
	bool connected;
	enum xenrelay_mode mode;
	unsigned int nr_rings;
	u32 ring_items;
	u64 written;
	u64 lost;
	u64 lost_nmi;
	u64 unread;
	u64 events;
};

/**
 * xenrelay_get_stats() - read a channel's counters
 * @chan:	an open channel
 * @stats:	filled in; not one moment's, for items go on being written
 *
 * Context: any but NMI.
 */
void xenrelay_get_stats(struct xenrelay_channel *chan, struct xenrelay_stats *stats);

/**
 * xenrelay_close() - end a channel
 * @chan:	an open channel, or NULL or ERR_PTR, which is ignored
 *
 * A connected reader is told, and given a moment to read what is left.  Pages
 * that it keeps mapped are freed once it lets go.
 * The caller makes sure that nobody writes any more.
 *
 * Context: process, may sleep for seconds; not from a callback of the channel.
 */
void xenrelay_close(struct xenrelay_channel *chan);

#endif /* XENRELAY_H */
