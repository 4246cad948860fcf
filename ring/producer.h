/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The producer's end of one ring, beside what each item passes, which is in
 * include/xenrelay/ring.h.  Plain C over include/xenrelay/ordering.h, so that the tests
 * run this very code in user space against the reading end.
 *
 * One producer: one CPU, on which the writer stays while it writes.  There are two ways:
 *
 * - exclusively, xenrelay_ring_reserve() and _commit() or _lose(): the caller keeps
 *   everything else on this CPU out (interrupts off) from the one to the other.
 * - xenrelay_ring_put_small(): interrupts may be on, and who comes in between may write
 *   as well, either way; he has finished when the interrupted writer goes on.  So an
 *   item's room is taken by one instruction, and the outermost writer publishes the
 *   items, when all are there.
 */
#ifndef XENRELAY_PRODUCER_H
#define XENRELAY_PRODUCER_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif
#include "copy.h"
#include "xenrelay/ordering.h"
#include "xenrelay/ring.h"
#include "xenrelay/wire.h"

static inline void xenrelay_ring_init(struct xenrelay_ring *ring, void *data,
				      size_t bytes, uint32_t item_size, bool overwrite,
				      union xenrelay_producer_line *producer,
				      struct xenrelay_loss_line *losses,
				      const union xenrelay_consumer_line *consumer)
{
	const uint32_t capacity = (uint32_t)(bytes / item_size);

	*ring = (struct xenrelay_ring){
		.stop_at = capacity,
		.tell_at = ~0ull,
		.base = (uintptr_t)data,
		.producer = producer,
		.item_size = item_size,
		.capacity = capacity,
		.lap_end = capacity,
		.data = (char *)data,
		.overwrite = overwrite,
		.losses = losses,
		.consumer = consumer,
	};
}

/*
 * Discard: up to where there is room; the head, if there is none.
 *
 * A position that a reader could not have reached leaves the ring full: it costs items,
 * nothing else.
 */
static inline uint64_t xenrelay_ring_full_at(struct xenrelay_ring *ring)
{
	/* Pairs with the reader's store-release of its tail. */
	uint64_t unread = ring->head - xblk_load_acquire(&ring->consumer->ring.tail);

	if (ring->suspended ? unread != 0 : unread >= ring->capacity)
		return ring->head;
	if (unread < ring->head - xblk_load_once(&ring->producer->ring.head))
		return ring->head;
	ring->suspended = false;
	return ring->head - unread + ring->capacity;
}

/*
 * Only where @head is @stop_at: so a writer that was interrupted after it had read the old
 * @stop_at has found it reached, and takes no room, or finds another @head than it read,
 * and tries again.  Who takes room has read @stop_at and @base as they are.
 */
static inline bool xenrelay_ring_find_room(struct xenrelay_ring *ring)
{
	const uint64_t full_at = ring->overwrite ? ~0ull : xenrelay_ring_full_at(ring);

	if (full_at == ring->head)
		return false;
	if (ring->head == ring->lap_end) {
		ring->lap_end += ring->capacity;
		xblk_store_once(&ring->base,
				(uintptr_t)ring->data - ring->head * ring->item_size);
	}
	xblk_store_once(&ring->stop_at,
			full_at < ring->lap_end ? full_at : ring->lap_end);
	return true;
}

/**
 * xenrelay_ring_reserve() - room for one item
 *
 * The reader's position is looked at only when the ring seems full and once in
 * each lap, so that its cache line moves between the two processors once for many items.
 *
 * Return: where to put the item, or NULL: the caller counts it with
 * xenrelay_ring_lose().
 */
static inline void *xenrelay_ring_reserve(struct xenrelay_ring *ring)
{
	if (!xenrelay_ring_has_room(ring) && !xenrelay_ring_find_room(ring))
		return NULL;
	return xenrelay_ring_next(ring, ring->item_size);
}

/**
 * xenrelay_ring_put_small() - write one item, interrupts on or off
 * @item:	item_size bytes, XR_COPY_SMALL at most
 *
 * In discard mode only: a ring that is being overwritten shows its reader by its head
 * which item is being given up, so there must not be two of them at a time.
 *
 * Return: whether it was written; else xenrelay_ring_reserve() knows more.
 */
static inline bool xenrelay_ring_put_small(struct xenrelay_ring *ring, const void *item)
{
	const uint32_t item_size = ring->item_size;
	uint64_t nth, head;
	uintptr_t base;

	do {
		nth = xblk_load_once(&ring->head);
		if (nth == xblk_load_once(&ring->stop_at))
			return false;
		base = xblk_load_once(&ring->base);
	} while (xblk_cmpxchg_local(&ring->head, nth, nth + 1) != nth);
	xr_copy_small(xenrelay_ring_place(base, nth, item_size), item, item_size);

	/* Of an item before it that is not there yet, the writer publishes both. */
	if (xblk_load_once(&ring->published) != nth)
		return true;
	do {
		head = xblk_load_once(&ring->head);
		/* Pairs with the reader's load-acquire of the head. */
		xblk_store_release(&ring->producer->ring.head, head);
		xblk_store_once(&ring->published, head);
		/* Who came before that has left his items to this writer. */
	} while (xblk_load_once(&ring->head) != head &&
		 xblk_load_once(&ring->published) == head);
	return true;
}

/**
 * xenrelay_ring_lose() - count an item that found no room
 * @now:	its time
 *
 * The line of the span before last may be reused: writing has been resumed
 * since the last one began, so the reader is past the one before it.
 */
static inline void xenrelay_ring_lose(struct xenrelay_ring *ring, uint64_t now)
{
	struct xenrelay_span *span;

	if (!ring->suspended) {
		ring->suspended = true;
		span = &ring->losses->spans[++ring->spans % 2];
		xblk_store_once(&span->position, ring->head);
		xblk_store_once(&span->count, 0);
		xblk_store_once(&span->first_ns, now);
		/* Pairs with the reader's load-acquire of spans. */
		xblk_store_release(&ring->producer->ring.spans, ring->spans);
	}
	span = &ring->losses->spans[ring->spans % 2];
	xblk_store_once(&span->count, span->count + 1);
	xblk_store_once(&span->last_ns, now);
	xblk_store_once(&ring->producer->ring.lost, ++ring->lost);
}

#endif /* XENRELAY_PRODUCER_H */
