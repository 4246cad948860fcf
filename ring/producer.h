/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The producer's end of one ring.  Plain C over include/xblk/ordering.h, so
 * that the tests run this very code in user space against the reading end.
 *
 * One producer: the caller keeps everything else on this CPU out (interrupts
 * off) from reserve to commit.
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
#include "xblk/ordering.h"
#include "xblk/xenrelay.h"

/**
 * struct xenrelay_ring - the producer's private state
 * @head:	items written so far
 * @full_at:	the head at which the ring is full, as far as is known
 * @next:	where item @head goes
 * @end:	behind the last item's place
 * @data:	the ring's pages, contiguous
 * @producer:	its line in the producer page
 * @item_size:	bytes of an item
 * @capacity:	items that fit
 * @overwrite:	the mode
 * @suspended:	discard: items are being lost, until the reader has taken all
 * @losses:	its line in the loss page
 * @consumer:	its line in the consumer page, which the reader may fill with
 *		anything at any time
 * @lost:	items that found no room so far
 * @spans:	loss spans begun so far
 *
 * One cache line is all that an item needs of it, and no other vCPU's ring is on it.
 */
struct xenrelay_ring {
	uint64_t head;
	uint64_t full_at;
	char *next;
	char *end;
	char *data;
	union xenrelay_producer_line *producer;
	uint32_t item_size;
	uint32_t capacity;
	bool overwrite;
	bool suspended;
	struct xenrelay_loss_line *losses;
	const union xenrelay_consumer_line *consumer;
	uint64_t lost;
	uint64_t spans;
} __attribute__((aligned(XENRELAY_LINE_SIZE)));

static inline void xenrelay_ring_init(struct xenrelay_ring *ring, void *data,
				      size_t bytes, uint32_t item_size, bool overwrite,
				      union xenrelay_producer_line *producer,
				      struct xenrelay_loss_line *losses,
				      const union xenrelay_consumer_line *consumer)
{
	*ring = (struct xenrelay_ring){
		.data = (char *)data,
		.producer = producer,
		.losses = losses,
		.consumer = consumer,
		.item_size = item_size,
		.capacity = (uint32_t)(bytes / item_size),
		.overwrite = overwrite,
	};
	ring->next = ring->data;
	ring->end = ring->data + (size_t)ring->capacity * item_size;
	ring->full_at = overwrite ? ~0ull : ring->capacity;
}

/*
 * A position that a reader could not have reached leaves the ring full: it
 * costs items, nothing else.
 */
static inline bool xenrelay_ring_find_room(struct xenrelay_ring *ring)
{
	/* Pairs with the reader's store-release of its tail. */
	uint64_t unread = ring->head - xblk_load_acquire(&ring->consumer->ring.tail);

	if (ring->suspended ? unread != 0 : unread >= ring->capacity)
		return false;
	ring->suspended = false;
	ring->full_at = ring->head - unread + ring->capacity;
	return true;
}

/* Whether it has, as far as is known: else it may have by now. */
static inline bool xenrelay_ring_has_room(const struct xenrelay_ring *ring)
{
	return ring->head != ring->full_at;
}

/**
 * xenrelay_ring_reserve() - room for one item
 *
 * The reader's position is looked at only when the ring seems full, so that
 * its cache line moves between the two processors once for many items.
 *
 * Return: where to put the item, or NULL: the caller counts it with
 * xenrelay_ring_lose().
 */
static inline void *xenrelay_ring_reserve(struct xenrelay_ring *ring)
{
	if (!xenrelay_ring_has_room(ring) && !xenrelay_ring_find_room(ring))
		return NULL;
	/* Overwrite: the head is seen before the item that it gives up changes. */
	xblk_wmb();
	return ring->next;
}

/**
 * xenrelay_ring_commit() - publish the item that was reserved
 */
static inline void xenrelay_ring_commit(struct xenrelay_ring *ring)
{
	ring->next += ring->item_size;
	if (ring->next == ring->end)
		ring->next = ring->data;
	/* Pairs with the reader's load-acquire of the head. */
	xblk_store_release(&ring->producer->ring.head, ++ring->head);
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
