/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The producer's end of one ring.  Plain C over include/xblk/ordering.h, so
 * that the tests run this very code in user space against the reading end.
 *
 * One producer: the caller keeps everything else on this CPU out (interrupts
 * off) from reserve to commit.
 */
#ifndef XENRELAY_RING_H
#define XENRELAY_RING_H

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
 * @data:	the ring's pages, contiguous
 * @producer:	its line in the producer page
 * @consumer:	its line in the consumer page, which the reader may fill with
 *		anything at any time
 * @item_size:	bytes of an item
 * @capacity:	items that fit
 * @slot:	where item @head goes: @head % @capacity
 * @head:	items written so far
 * @tail:	the consumer's position when last looked at
 * @lost:	items that found no room so far
 */
struct xenrelay_ring {
	char *data;
	union xenrelay_producer_line *producer;
	const union xenrelay_consumer_line *consumer;
	uint32_t item_size;
	uint32_t capacity;
	uint32_t slot;
	uint64_t head;
	uint64_t tail;
	uint64_t lost;
};

static inline void xenrelay_ring_init(struct xenrelay_ring *ring, void *data,
				      size_t bytes, uint32_t item_size,
				      union xenrelay_producer_line *producer,
				      const union xenrelay_consumer_line *consumer)
{
	*ring = (struct xenrelay_ring){
		.data = (char *)data,
		.producer = producer,
		.consumer = consumer,
		.item_size = item_size,
		.capacity = (uint32_t)(bytes / item_size),
	};
}

/**
 * xenrelay_ring_reserve() - room for one item
 *
 * The reader's position is looked at only when the ring seems full, so that
 * its cache line moves between the two processors once for many items.  A
 * position that a reader could not have reached leaves the ring full: it
 * costs items, nothing else.
 *
 * Return: where to put the item, or NULL with the loss counted.
 */
static inline void *xenrelay_ring_reserve(struct xenrelay_ring *ring)
{
	if (ring->head - ring->tail >= ring->capacity) {
		/* Pairs with the reader's store-release of its tail. */
		ring->tail = xblk_load_acquire(&ring->consumer->ring.tail);
		if (ring->head - ring->tail >= ring->capacity) {
			xblk_store_once(&ring->producer->ring.lost, ++ring->lost);
			return NULL;
		}
	}
	return ring->data + (size_t)ring->slot * ring->item_size;
}

/**
 * xenrelay_ring_commit() - publish the item that was reserved
 */
static inline void xenrelay_ring_commit(struct xenrelay_ring *ring)
{
	if (++ring->slot == ring->capacity)
		ring->slot = 0;
	/* Pairs with the reader's load-acquire of the head. */
	xblk_store_release(&ring->producer->ring.head, ++ring->head);
}

#endif /* XENRELAY_RING_H */
