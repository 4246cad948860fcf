/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Reading one ring: positions, bounds and copies, on plain memory.
 *
 * Nothing here knows of Xen, so that the unit tests and fuzzers run the very
 * code that faces a guest.
 */
#ifndef XR_RING_H
#define XR_RING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "xblk/xenrelay.h"

/**
 * struct xr_ring - the reading end of one ring
 * @data:	the ring's bytes, capacity * item_size of them in use
 * @producer:	the ring's line of the producer page; untrusted, may change any time
 * @consumer:	the ring's line of the consumer page
 * @capacity:	items that the ring holds
 * @item_size:	bytes of an item
 * @head:	the highest write position seen (private: the guest cannot reach it)
 * @tail:	items read (private; the shared one is written, never read)
 * @broken:	NULL, or why the ring may not be read any more
 */
struct xr_ring {
	const unsigned char *data;
	const union xenrelay_producer_line *producer;
	union xenrelay_consumer_line *consumer;
	uint64_t capacity;
	uint32_t item_size;
	uint64_t head;
	uint64_t tail;
	const char *broken;
};

/* Items that @bytes of ring hold; what is left over is padding. */
static inline uint64_t xr_capacity(uint64_t bytes, uint32_t item_size)
{
	return bytes / item_size;
}

/**
 * xr_ring_init - describe a ring that nobody has read from yet
 *
 * All pointers stay the caller's and must outlive the ring.  @bytes must hold
 * at least one item.  Publishes a read position of 0.
 */
void xr_ring_init(struct xr_ring *ring, const void *data, uint64_t bytes,
		  uint32_t item_size, const union xenrelay_producer_line *producer,
		  union xenrelay_consumer_line *consumer);

/**
 * xr_ring_read - take items out of a ring
 * @ring:	the ring
 * @buf:	where to copy to, @max_items * item_size bytes
 * @max_items:	the most to take: the bound of the work done for one guest
 *
 * Return: items copied, 0 if there are none; -EPROTO if the guest's write
 * position cannot be true.  Then @ring->broken says why, and so does every
 * later call.
 */
ssize_t xr_ring_read(struct xr_ring *ring, void *buf, size_t max_items);

#endif /* XR_RING_H */
