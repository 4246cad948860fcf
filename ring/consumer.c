// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Reading one ring whose other end is not trusted. */
#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/math64.h>
#else
#include <errno.h>
#endif

#include "consumer.h"
#include "cycles.h"

/* A position is read in one access: what is checked is what is used. */
_Static_assert(sizeof(void *) == 8, "64-bit machines only");

/* How often to try for items before a producer that is faster than the copy. */
#define MAX_LAPS 8

/*
 * Cycles from one look to the next of a caller that has nothing else to do: 4 us at
 * 2 GHz.  A look takes the producer's line from its processor, which waits for it at the
 * next item; and to read items as they are written takes their lines, too.
 */
#define LOOK_CYCLES 8192

/* Fewer than any producer needs for an item, so that meanwhile no ring becomes full. */
#define ITEM_CYCLES 4

void xr_ring_init(struct xr_ring *ring, const void *data, uint64_t capacity,
		  uint32_t item_size, bool overwrite,
		  const union xenrelay_producer_line *producer,
		  const struct xenrelay_loss_line *losses,
		  union xenrelay_consumer_line *consumer)
{
	*ring = (struct xr_ring){
		.data = data,
		.producer = producer,
		.losses = losses,
		.consumer = consumer,
		.capacity = capacity,
		.item_size = item_size,
		.overwrite = overwrite,
		.lost_at = ~0ull,
	};
	xblk_store_release(&consumer->ring.tail, 0);
}

static int give_up(struct xr_ring *ring, const char *why)
{
	xblk_store_once(&ring->broken, why);
	ring->run = 0;
	return -EPROTO;
}

/* Before a look, if all that was seen by the one just now has been taken. */
static void let_burst_pass(struct xr_ring *ring)
{
	const uint64_t apart = ring->capacity < LOOK_CYCLES / ITEM_CYCLES
				       ? ring->capacity * ITEM_CYCLES
				       : LOOK_CYCLES;

	if (ring->tail == ring->head && ring->looked_at)
		while (xr_cycles() - ring->looked_at < apart)
			xr_relax();
	ring->looked_at = xr_cycles();
}

static int look_at_head(struct xr_ring *ring)
{
	/* Pairs with the producer's store-release of head behind its items. */
	uint64_t head = xblk_load_acquire(&ring->producer->ring.head);

	if (head < ring->head)
		return give_up(ring, "the guest's write position went backwards");
	if (!ring->overwrite && head - ring->tail > ring->capacity)
		return give_up(ring, "the guest's write position is beyond the ring");
	ring->head = head;
	return 0;
}

static void copy(const struct xr_ring *ring, unsigned char *to, const unsigned char *from,
		 size_t size)
{
#ifdef __SANITIZE_THREAD__
	/* Items that change meanwhile are thrown away: no race, but in this mode only. */
	if (ring->overwrite) {
		while (size--)
			*to++ = xblk_load_once(from++);
		return;
	}
#endif
	(void)ring;
	memcpy(to, from, size);
}

/* Copy the items from number @from on, which may go round the ring's end. */
static void copy_items(const struct xr_ring *ring, void *buf, uint64_t from, uint64_t n)
{
	uint64_t at = from % ring->capacity;
	uint64_t first = ring->capacity - at;

	if (first > n)
		first = n;
	copy(ring, buf, ring->data + at * ring->item_size, first * ring->item_size);
	copy(ring, (unsigned char *)buf + first * ring->item_size, ring->data,
	     (n - first) * ring->item_size);
}

/* Of @n items that are left, those before the ring's end can be had for the taking. */
static void begin_run(struct xr_ring *ring, uint64_t n)
{
	uint64_t at;

	ring->run = 0;
	if (!n)
		return;
	at = ring->tail % ring->capacity;
	ring->next = ring->data + at * ring->item_size;
	ring->run = n < ring->capacity - at ? n : ring->capacity - at;
}

/*
 * The loss at the read position, if there is one and it is final, and how many
 * items come before the next one: at most *@n.
 */
static int meet_spans(struct xr_ring *ring, uint64_t *n, struct xenrelay_span *loss)
{
	/* Pairs with the producer's store-release behind the span's position. */
	uint64_t spans = xblk_load_acquire(&ring->producer->ring.spans);

	while (spans != ring->spans) {
		const struct xenrelay_span *span =
			&ring->losses->spans[(ring->spans + 1) % 2];
		/* Underflows, too, to what is out of bounds. */
		uint64_t ahead = xblk_load_once(&span->position) - ring->tail;

		if (spans - ring->spans > 2 || ahead > ring->capacity)
			return give_up(ring, "the guest's loss spans are out of bounds");
		if (ahead) {
			if (ahead < *n)
				*n = ahead;
			return 0;
		}
		/* Else a ring that has stopped could go on telling of losses forever. */
		if (ring->lost_at == ring->tail)
			return give_up(ring,
				       "two of the guest's loss spans are in one place");
		/* Behind an item, or the ring's end, no more is added to it. */
		if (!*n && !ring->stopped)
			return 0;
		*loss = (struct xenrelay_span){
			.position = ring->tail,
			.count = xblk_load_once(&span->count),
			.first_ns = xblk_load_once(&span->first_ns),
			.last_ns = xblk_load_once(&span->last_ns),
		};
		if (!loss->count)
			return give_up(ring, "a loss span of the guest's is empty");
		xblk_store_once(&ring->lost, ring->lost + loss->count);
		ring->lost_at = ring->tail;
		ring->spans++;
	}
	return 0;
}

static ssize_t read_discard(struct xr_ring *ring, void *buf, size_t max_items,
			    struct xenrelay_span *loss)
{
	uint64_t there = max_items ? ring->head - ring->tail : 0;
	uint64_t n;

	if (meet_spans(ring, &there, loss))
		return -EPROTO;
	n = there < max_items ? there : max_items;
	copy_items(ring, buf, ring->tail, n);
	xr_ring_publish(ring, n);
	begin_run(ring, there - n);
	return n;
}

/* The oldest item that is not being overwritten while head is as seen. */
static uint64_t oldest(const struct xr_ring *ring)
{
	return ring->head < ring->capacity ? 0 : ring->head - (ring->capacity - 1);
}

static ssize_t read_overwrite(struct xr_ring *ring, void *buf, size_t max_items,
			      struct xenrelay_span *loss)
{
	uint64_t from = ring->tail, n = 0, gone;
	int laps;

	for (laps = 0; !n && ring->head != from && laps < MAX_LAPS; laps++) {
		if (from < oldest(ring))
			from = oldest(ring);
		n = ring->head - from;
		if (n > max_items)
			n = max_items;
		copy_items(ring, buf, from, n);
		/* Pairs with the producer's write barrier before it stores items. */
		xblk_rmb();
		if (look_at_head(ring))
			return -EPROTO;
		gone = from < oldest(ring) ? oldest(ring) - from : 0;
		if (gone > n)
			gone = n;
		n -= gone;
		from += gone;
		if (gone)
			memmove(buf, (char *)buf + gone * ring->item_size,
				n * ring->item_size);
		if (!max_items)
			break;
	}
	if (from != ring->tail) {
		*loss = (struct xenrelay_span){
			.position = ring->tail,
			.count = from - ring->tail,
		};
		xblk_store_once(&ring->lost, ring->lost + loss->count);
		xblk_store_release(&ring->tail, from);
	}
	xr_ring_publish(ring, n);
	return n;
}

ssize_t xr_ring_read(struct xr_ring *ring, void *buf, size_t max_items,
		     struct xenrelay_span *loss)
{
	ssize_t n;

	*loss = (struct xenrelay_span){0};
	if (xr_ring_has_run(ring, max_items)) {
		memcpy(buf, ring->next, max_items * ring->item_size);
		xr_ring_took(ring, max_items, max_items * ring->item_size);
		return max_items;
	}
	if (ring->broken)
		return -EPROTO;
	let_burst_pass(ring);
	if (look_at_head(ring))
		return -EPROTO;
	n = ring->overwrite ? read_overwrite(ring, buf, max_items, loss)
			    : read_discard(ring, buf, max_items, loss);
	/* Who gets less than was asked for may try at once whether that was all. */
	if ((size_t)n < max_items && (n || loss->count))
		ring->looked_at = 0;
	return n;
}

uint64_t xr_ring_level(const struct xr_ring *ring)
{
	/* In this order: a tail that is read behind the head may have overtaken it. */
	uint64_t tail = xblk_load_acquire(&ring->tail);
	uint64_t level = xblk_load_acquire(&ring->producer->ring.head) - tail;

	return level < ring->capacity ? level : ring->capacity;
}
