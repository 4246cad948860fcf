// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Reading one ring whose other end is not trusted. */
#include <errno.h>
#include <string.h>

#include "xblk/ordering.h"
#include "ring.h"

/* A position is read in one access: what is checked is what is used. */
_Static_assert(sizeof(void *) == 8, "64-bit machines only");

void xr_ring_init(struct xr_ring *ring, const void *data, uint64_t bytes,
		  uint32_t item_size, const union xenrelay_producer_line *producer,
		  union xenrelay_consumer_line *consumer)
{
	*ring = (struct xr_ring){
		.data = data,
		.producer = producer,
		.consumer = consumer,
		.capacity = xr_capacity(bytes, item_size),
		.item_size = item_size,
	};
	xblk_store_release(&consumer->ring.tail, 0);
}

static ssize_t give_up(struct xr_ring *ring, const char *why)
{
	ring->broken = why;
	return -EPROTO;
}

ssize_t xr_ring_read(struct xr_ring *ring, void *buf, size_t max_items)
{
	uint64_t head, n, at, first;

	if (ring->broken)
		return -EPROTO;

	/* Pairs with the producer's store-release of head behind its items. */
	head = xblk_load_acquire(&ring->producer->ring.head);
	if (head < ring->head)
		return give_up(ring, "the guest's write position went backwards");
	if (head - ring->tail > ring->capacity)
		return give_up(ring, "the guest's write position is beyond the ring");
	ring->head = head;

	n = head - ring->tail;
	if (n > max_items)
		n = max_items;
	if (!n)
		return 0;

	at = ring->tail % ring->capacity;
	first = ring->capacity - at;
	if (first > n)
		first = n;
	memcpy(buf, ring->data + at * ring->item_size, first * ring->item_size);
	memcpy((unsigned char *)buf + first * ring->item_size, ring->data,
	       (n - first) * ring->item_size);

	ring->tail += n;
	/* Pairs with the producer's load-acquire of tail before it reuses the room. */
	xblk_store_release(&ring->consumer->ring.tail, ring->tail);
	return n;
}
