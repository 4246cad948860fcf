// SPDX-License-Identifier: GPL-2.0-only
/* Lies about a ring's positions and losses. */
#include <linux/delay.h>
#include <linux/random.h>
#include "xr-hostile.h"

static void set_head(u64 head)
{
	xblk_store_release(&line()->ring.head, head);
}

static void head_far(void)
{
	set_head(ring()->head + 2 * ring()->capacity);
}

/* Once the reader has been there: before, 0 is where it begins. */
static void head_back(void)
{
	if (xblk_load_acquire(&ring()->consumer->ring.tail))
		set_head(0);
	else
		put_request();
}

static void head_huge(void)
{
	set_head(~0ull);
}

/* All that there could ever be at one load, the truth at the next; of a full ring. */
static void head_endless(void)
{
	put_request();
	set_head(1ull << 62);
	udelay(20);
	set_head(ring()->head);
	udelay(20);
}

static void head_wild(void)
{
	set_head(get_random_u64());
}

/*
 * Never more than the ring holds ahead of the reader, so that only the direction betrays
 * it, as soon as a look finds less than the one before.  Not from where the reader is at
 * each turn: it has read all that it saw by then, and nothing is less than that.
 */
static void head_shaking(void)
{
	static u64 from;

	if (peer.turns == 1)
		from = xblk_load_acquire(&ring()->consumer->ring.tail);
	set_head(from + get_random_u32() % ring()->capacity);
}

static struct xenrelay_span *span(u64 n)
{
	return &xenrelay_losses(peer.bufs)[1].spans[n % 2];
}

static void set_spans(u64 n)
{
	xblk_store_release(&line()->ring.spans, n);
}

static void spans_many(void)
{
	set_spans(1000);
}

static void spans_far(void)
{
	span(1)->position = ring()->head + 10 * ring()->capacity;
	span(1)->count = 1;
	set_spans(1);
}

/* Of a reader that has not read yet, too. */
static void spans_behind(void)
{
	span(1)->position = xblk_load_acquire(&ring()->consumer->ring.tail) - 1;
	span(1)->count = 1;
	set_spans(1);
}

/* Once, for the reader to come upon: a place that moves on is one that it never meets. */
static void spans_empty(void)
{
	if (!line()->ring.spans) {
		span(1)->position = ring()->head;
		span(1)->count = 0;
		set_spans(1);
	}
	put_request();
}

static void spans_twice(void)
{
	if (!line()->ring.spans) {
		span(1)->position = ring()->head;
		span(1)->count = 1;
		*span(2) = *span(1);
		set_spans(2);
	}
	put_request();
}

/* Lies that the reader cannot see through: the loss is the guest's word. */
void spans_absurd(void)
{
	static u64 n;

	if (!line()->ring.spans)
		n = 0;
	if (n == 3)
		return;
	/* Of a reader that has not met the one before, it would be one too many. */
	if (n && xblk_load_acquire(&ring()->consumer->ring.tail) <= span(n)->position)
		return;
	n++;
	span(n)->position = ring()->head;
	span(n)->count = ~0ull / 2;
	span(n)->first_ns = ~0ull;
	span(n)->last_ns = n;
	ring()->spans = n;
	set_spans(n);
	put_request();
}

/* A loss behind the last item, and one more each time that it has been met. */
static void spans_endless(void)
{
	u64 n = line()->ring.spans + 1;

	span(n)->position = xblk_load_acquire(&ring()->consumer->ring.tail);
	span(n)->count = 1;
	xblk_store_release(&xenrelay_producer(peer.bufs)[0].channel.state,
			   XENRELAY_STOPPED);
	set_spans(n);
}

void counters_wild(void)
{
	xblk_store_once(&line()->ring.lost, get_random_u64());
	xblk_store_once(&line()->ring.lost_nmi, get_random_u64());
	xblk_store_once(&xenrelay_producer(peer.bufs)[0].channel.events,
			get_random_u64());
	put_request();
}

const struct attack hostile_positions[] = {
	{"head-far", .turn = head_far},
	{"head-back", .turn = head_back},
	{"head-huge", .turn = head_huge},
	{"head-endless", .turn = head_endless, .busy = true},
	{"head-wild", .turn = head_wild, .busy = true},
	{"head-shaking", .turn = head_shaking, .busy = true},
	{"spans-many", .turn = spans_many},
	{"spans-far", .turn = spans_far},
	{"spans-behind", .turn = spans_behind},
	{"spans-empty", .turn = spans_empty},
	{"spans-twice", .turn = spans_twice},
	{"spans-endless", .turn = spans_endless, .busy = true},
	{},
};
