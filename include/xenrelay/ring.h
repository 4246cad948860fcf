/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an item passes on its way into a ring, for the clients of Xenrelay to have inline:
 * xenrelay_reserve() and xenrelay_commit() are made of it.  ring/producer.h has the rest
 * of the producer's end.
 */
#ifndef XENRELAY_RING_H
#define XENRELAY_RING_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stdint.h>
#endif
#include "ordering.h"
#include "wire.h"

/**
 * struct xenrelay_ring - the producer's private state
 * @head:	items whose room has been taken
 * @stop_at:	the head from which on there may be no room, as far as is known, or the
 *		items' places begin anew
 * @base:	item n's place is n * @item_size bytes behind it, up to @lap_end
 * @published:	the head up to which items have been published; less than @head while
 *		one of those behind it is being written, whose writer publishes all
 * @tell_at:	the head from which on its owner is told of each item that was committed
 * @producer:	its line in the producer page
 * @item_size:	bytes of an item
 * @capacity:	items that fit
 * @lap_end:	the item whose place is the first one again
 * @data:	the ring's pages, contiguous
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
	uint64_t stop_at;
	uintptr_t base;
	uint64_t published;
	uint64_t tell_at;
	union xenrelay_producer_line *producer;
	uint32_t item_size;
	uint32_t capacity;
	uint64_t lap_end;
	char *data;
	bool overwrite;
	bool suspended;
	struct xenrelay_loss_line *losses;
	const union xenrelay_consumer_line *consumer;
	uint64_t lost;
	uint64_t spans;
} __attribute__((aligned(XENRELAY_LINE_SIZE)));

static inline void *xenrelay_ring_place(uintptr_t base, uint64_t n, uint32_t item_size)
{
	return (void *)(base + n * item_size);
}

/* With no look at the reader's position; if not, xenrelay_ring_find_room() may find some.
 */
static inline bool xenrelay_ring_has_room(const struct xenrelay_ring *ring)
{
	return ring->head != ring->stop_at;
}

/* The next item's place, where there is room. */
static inline void *xenrelay_ring_next(const struct xenrelay_ring *ring,
				       uint32_t item_size)
{
	const uint64_t nth = ring->head;

	/* Overwrite: the head is seen before the item that it gives up changes. */
	xblk_wmb();
	return xenrelay_ring_place(ring->base, nth, item_size);
}

/**
 * xenrelay_ring_commit() - publish the item that was reserved
 *
 * In the middle of somebody's xenrelay_ring_put_small() this is left to that one.
 *
 * Return: whether the owner is to be told.
 */
static inline bool xenrelay_ring_commit(struct xenrelay_ring *ring)
{
	const uint64_t nth = ring->head, head = nth + 1;

	ring->head = head;
	if (ring->published == nth) {
		ring->published = head;
		/* Pairs with the reader's load-acquire of the head. */
		xblk_store_release(&ring->producer->ring.head, head);
	}
	return head >= xblk_load_once(&ring->tell_at);
}

#endif /* XENRELAY_RING_H */
