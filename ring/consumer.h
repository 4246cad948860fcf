/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Reading one ring: positions, bounds and copies, on plain memory.
 *
 * Nothing here knows of Xen, so that the unit tests and fuzzers run the very
 * code that faces a guest; and it builds in the kernel, so that xblk-dom0's
 * buffers are read by the same rules.
 */
#ifndef XENRELAY_CONSUMER_H
#define XENRELAY_CONSUMER_H

#ifdef __KERNEL__
#include <linux/string.h>
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#endif

#include "copy.h"
#include "xenrelay/ordering.h"
#include "xenrelay/wire.h"

/**
 * struct xr_ring - the reading end of one ring
 * @data:	the ring's bytes, capacity * item_size of them in use
 * @producer:	the ring's line of the producer page; untrusted, may change any time
 * @losses:	the ring's line of the loss page; untrusted likewise
 * @consumer:	the ring's line of the consumer page
 * @capacity:	items that the ring holds
 * @item_size:	bytes of an item
 * @overwrite:	the mode
 * @stopped:	the producer writes no more: set by the owner, after it has seen that
 * @head:	the highest write position seen (private: the guest cannot reach it)
 * @tail:	the read position (private; the shared one is written, never read)
 * @run:	items from the read position on that were seen to be there, one behind
 *		the other and with no loss between; 0 in overwrite mode
 * @next:	where the first of them is
 * @read:	items read
 * @lost:	items whose loss was met at its place
 * @spans:	loss spans that are behind the read position
 * @lost_at:	where the last of them was; ~0 before the first
 * @broken:	NULL, or why the ring may not be read any more
 * @looked_at:	when a read looked at @producer, by the processor's counter; 0 if the
 *		next look need not keep away from that one
 *
 * One thread reads a ring.  Others may look at @tail, @read, @lost and @broken
 * meanwhile, which are written in one access each.
 */
struct xr_ring {
	const unsigned char *data;
	const union xenrelay_producer_line *producer;
	const struct xenrelay_loss_line *losses;
	union xenrelay_consumer_line *consumer;
	uint64_t capacity;
	uint32_t item_size;
	bool overwrite;
	bool stopped;
	uint64_t head;
	uint64_t tail;
	uint64_t run;
	const unsigned char *next;
	uint64_t read;
	uint64_t lost;
	uint64_t spans;
	uint64_t lost_at;
	const char *broken;
	uint64_t looked_at;
};

/* Items that @bytes of ring hold; what is left over is padding. */
static inline uint64_t xr_capacity(uint64_t bytes, uint32_t item_size)
{
	return bytes / item_size;
}

/**
 * xr_ring_init - describe a ring that nobody has read from yet
 *
 * All pointers stay the caller's and must outlive the ring.  @capacity items
 * must lie at @data, one at least, two in overwrite mode.  Publishes a read
 * position of 0.
 */
void xr_ring_init(struct xr_ring *ring, const void *data, uint64_t capacity,
		  uint32_t item_size, bool overwrite,
		  const union xenrelay_producer_line *producer,
		  const struct xenrelay_loss_line *losses,
		  union xenrelay_consumer_line *consumer);

static inline void xr_ring_publish(struct xr_ring *ring, uint64_t n)
{
	xblk_store_once(&ring->read, ring->read + n);
	/* Behind the look at head that it follows from: see xr_ring_level(). */
	xblk_store_release(&ring->tail, ring->tail + n);
	/* Pairs with the producer's load-acquire of tail before it reuses the room. */
	xblk_store_release(&ring->consumer->ring.tail, ring->tail);
}

/* Whether so many items, one at least, are known to be there with no loss before them. */
static inline bool xr_ring_has_run(const struct xr_ring *ring, size_t items)
{
	/* None is never few enough. */
	return items - 1 < ring->run;
}

/* They have been copied. */
static inline void xr_ring_took(struct xr_ring *ring, size_t items, size_t bytes)
{
	ring->next += bytes;
	ring->run -= items;
	xr_ring_publish(ring, items);
}

/**
 * xr_ring_take_small - take items that are known to be there
 *
 * What xr_ring_read() would do, for readers of a few small items at a time: calls
 * nothing.
 *
 * Return: whether @max_items were taken; else nothing was done, as no item, more than
 * is known or more than XR_COPY_SMALL bytes were asked for.
 */
static inline bool xr_ring_take_small(struct xr_ring *ring, void *buf, size_t max_items)
{
	size_t bytes;

	if (!xr_ring_has_run(ring, max_items))
		return false;
	bytes = max_items * ring->item_size;
	if (bytes > XR_COPY_SMALL)
		return false;
	xr_copy_small(buf, ring->next, bytes);
	xr_ring_took(ring, max_items, bytes);
	return true;
}

/**
 * xr_ring_read - take items out of a ring
 * @ring:	the ring
 * @buf:	where to copy to, @max_items * item_size bytes
 * @max_items:	the most to take: the bound of the work done for one guest
 * @loss:	set to the loss that comes before the items that are returned,
 *		count 0 where there was none.  Its times are 0 where they are
 *		not known: of overwritten items, and from a client without clock.
 *
 * A loss lies between two items, so a read ends before it, and the next one
 * begins with it.  One with no item behind it is told once the ring has stopped
 * (with 0 items).
 *
 * What the guest says is looked at when more is asked for than it has said before.
 * A look costs the producer.  So a caller that found nothing, or has taken one by one
 * what a look found, and comes back at once, is held up until 8192 cycles of the
 * processor's counter have passed since that look, 2 to 8 us; in a ring of fewer than
 * 2048 items, 4 cycles for each.  What came meanwhile is returned.
 *
 * Return: items copied, 0 if there are none; -EPROTO if what the guest says
 * cannot be true.  Then @ring->broken says why, and so does every later call.
 */
ssize_t xr_ring_read(struct xr_ring *ring, void *buf, size_t max_items,
		     struct xenrelay_span *loss);

/*
 * Items that are there to be read, and may have been lost by the time that they are.
 * At most the ring's capacity, whatever the guest says.  Another thread than the one
 * that reads may ask, too.
 */
uint64_t xr_ring_level(const struct xr_ring *ring);

#endif /* XENRELAY_CONSUMER_H */
