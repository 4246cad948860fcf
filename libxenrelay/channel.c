// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A connected channel: reading it, its counters, its end. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xblk/ordering.h"
#include "internal.h"

/* How often to look at the producer page while XenStore says nothing. */
#define STOP_POLL_MS 20

void xenrelay_get_properties(const struct xenrelay_channel *ch,
			     struct xenrelay_properties *properties)
{
	*properties = (struct xenrelay_properties){
		.nr_rings = ch->layout.nr_rings,
		.item_size = ch->layout.item_size,
		.capacity = ch->layout.capacity,
		.ring_kib = (uint64_t)ch->layout.ring_pages * XENRELAY_PAGE_SIZE / 1024,
		.contiguous = ch->layout.flags & XENRELAY_F_CONTIGUOUS,
		.overwrite = ch->layout.flags & XENRELAY_F_OVERWRITE,
		.clock_ns = ch->layout.clock_ns,
		.client_version = ch->layout.client_version,
		.session = ch->session,
	};
}

ssize_t xenrelay_read(struct xenrelay_channel *ch, unsigned int ring, void *buf,
		      size_t max_items, struct xenrelay_loss *loss)
{
	struct xenrelay_span span;
	ssize_t n;

	if (ring >= ch->layout.nr_rings)
		return xr_fail(ch->reader, -EINVAL, "the channel has no ring %u", ring);
	/* Only what the caller has been told; else the rest could come as a surprise. */
	ch->rings[ring].stopped = ch->ended;
	n = xr_ring_read(&ch->rings[ring], buf, max_items, &span);
	if (loss)
		*loss = (struct xenrelay_loss){span.position, span.count, span.first_ns,
					       span.last_ns};
	if (n < 0)
		xr_fail(ch->reader, n, "domain %u, channel %s, ring %u: %s", ch->domid,
			ch->name, ring, ch->rings[ring].broken);
	return n;
}

void xenrelay_get_ring_stats(const struct xenrelay_channel *ch, unsigned int ring,
			     struct xenrelay_ring_stats *stats)
{
	const union xenrelay_producer_line *line;

	memset(stats, 0, sizeof(*stats));
	if (ring >= ch->layout.nr_rings)
		return;
	line = &ch->producer[1 + ring];
	stats->produced = xblk_load_once(&line->ring.head);
	stats->lost = ch->rings[ring].overwrite ? ch->rings[ring].lost
						: xblk_load_once(&line->ring.lost);
	stats->lost_nmi = xblk_load_once(&line->ring.lost_nmi);
	stats->read = ch->rings[ring].read;
}

uint64_t xenrelay_events_sent(const struct xenrelay_channel *ch)
{
	return xblk_load_once(&ch->producer[0].channel.events);
}

bool xenrelay_stopped(struct xenrelay_channel *ch)
{
	struct xr_state state;
	int err;

	if (ch->ended)
		return true;
	/* Pairs with the producer's store-release of state behind its last head. */
	if (xblk_load_acquire(&ch->producer[0].channel.state) == XENRELAY_STOPPED)
		return ch->ended = true;
	if (!ch->changed)
		return false;

	ch->changed = false;
	err = xr_read_state(ch, &state);
	if (!err)
		/* Whatever else it shows than our "ready", it is ours no more. */
		ch->ended = state.kind != XR_READY || state.session != ch->session;
	else
		/* An unreadable state is the guest's fault: end this channel. */
		ch->ended = err == -ENOENT || err == -EPROTO;
	if (!ch->ended && !xenrelay_domain_exists(ch->reader, ch->domid))
		ch->ended = true;
	return ch->ended;
}

int xenrelay_disconnect(struct xenrelay_channel *ch, unsigned int timeout_ms)
{
	uint64_t now = xr_now_ms(), deadline = now + timeout_ms;
	char text[32];
	int ret;

	if (!ch->asked && !xenrelay_stopped(ch)) {
		snprintf(text, sizeof(text), "disconnect %" PRIu32, ch->session);
		ret = xr_write(ch, XBT_NULL, "reader", text);
		if (ret)
			return ret;
		ch->asked = true;
	}
	while (!xenrelay_stopped(ch)) {
		if (!timeout_ms)
			return -EINPROGRESS;
		if (now >= deadline)
			return xr_fail(ch->reader, -ETIMEDOUT,
				       "domain %u, channel %s: the guest did not stop in "
				       "%u ms",
				       ch->domid, ch->name, timeout_ms);
		ret = xr_wait_events(ch->reader, now + STOP_POLL_MS < deadline
							 ? now + STOP_POLL_MS
							 : deadline);
		if (ret < 0)
			return ret;
		now = xr_now_ms();
	}
	return 0;
}

void xenrelay_release(struct xenrelay_channel *ch)
{
	struct xenrelay_channel **link;

	if (!ch)
		return;
	xr_unmap(ch);
	/* Into the directory of a domain that is gone nothing may be created. */
	if (ch->claimed && xenrelay_domain_exists(ch->reader, ch->domid))
		xr_write_release(ch);
	if (ch->watched)
		xs_unwatch(ch->reader->xs, ch->state_path, ch->token);

	for (link = &ch->reader->channels; *link != ch; link = &(*link)->next)
		;
	*link = ch->next;
	free(ch);
}
