// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A connected channel: reading it, its counters, its end. */
#include <errno.h>
#include <stdlib.h>

#include "xenrelay/ordering.h"
#include "channel.h"
#include "doorbell.h"
#include "events.h"
#include "fail.h"
#include "map.h"
#include "nodes.h"
#include "objects.h"

/* How often to look at the producer page while XenStore says nothing. */
#define STOP_POLL_MS 20

int xenrelay_get_properties(const struct xenrelay_channel *ch,
			    struct xenrelay_properties *properties)
{
	if (!ch || !properties)
		return -EINVAL;
	*properties = (struct xenrelay_properties){
		.nr_rings = ch->layout.nr_rings,
		.item_size = ch->layout.item_size,
		.capacity = ch->layout.capacity,
		.ring_kib = (uint64_t)ch->layout.ring_pages * KIB_PER_PAGE,
		.ring_kib_wanted = ch->ring_kib_wanted,
		.contiguous = ch->layout.flags & XENRELAY_F_CONTIGUOUS,
		.overwrite = ch->layout.flags & XENRELAY_F_OVERWRITE,
		.clock_ns = ch->layout.clock_ns,
		.client_version = ch->layout.client_version,
		.session = ch->session,
		.version = ch->version,
		.doorbell = ch->doorbell,
		.places_losses = ch->layout.loss_ref,
	};
	return 0;
}

/* Not inlined: the short way through xenrelay_read() would save registers for it. */
__attribute__((noinline)) static ssize_t look_and_read(struct xenrelay_channel *ch,
						       unsigned int ring, void *buf,
						       size_t max_items,
						       struct xenrelay_loss *loss)
{
	struct xenrelay_span span;
	char nothing;
	ssize_t n;

	if (!ch)
		return -EINVAL;
	if (ring >= ch->layout.nr_rings)
		return ch_fail(ch, -EINVAL, "it has no ring %u", ring);
	if (!buf && max_items)
		return ch_fail(ch, -EINVAL, "no buffer to read into");
	/* Only what the caller has been told; else the rest could come as a surprise. */
	ch->rings[ring].stopped = ch->ended;
	n = xr_ring_read(&ch->rings[ring], buf ? buf : &nothing, max_items, &span);
	if (n < 0)
		return ch_fail(ch, n, "ring %u: %s", ring, ch->rings[ring].broken);
	if (loss)
		*loss = (struct xenrelay_loss){span.position, span.count, span.first_ns,
					       span.last_ns};
	return n;
}

ssize_t xenrelay_read(struct xenrelay_channel *ch, unsigned int ring, void *buf,
		      size_t max_items, struct xenrelay_loss *loss)
{
	if (loss)
		*loss = (struct xenrelay_loss){0};
	/* The short way, for who reads a few small items at a time. */
	if (ch && ring < ch->layout.nr_rings && buf &&
	    xr_ring_take_small(&ch->rings[ring], buf, max_items))
		return max_items;
	return look_and_read(ch, ring, buf, max_items, loss);
}

int64_t xenrelay_ring_level(const struct xenrelay_channel *ch, unsigned int ring)
{
	if (!ch || ring >= ch->layout.nr_rings)
		return -EINVAL;
	return xr_ring_level(&ch->rings[ring]);
}

int xenrelay_get_ring_stats(const struct xenrelay_channel *ch, unsigned int ring,
			    struct xenrelay_ring_stats *stats)
{
	const struct xr_ring *r;

	if (stats)
		*stats = (struct xenrelay_ring_stats){0};
	if (!ch || !stats || ring >= ch->layout.nr_rings)
		return -EINVAL;
	r = &ch->rings[ring];
	*stats = (struct xenrelay_ring_stats){
		.produced = xblk_load_once(&r->producer->ring.head),
		.lost = r->overwrite ? r->lost : xblk_load_once(&r->producer->ring.lost),
		.lost_nmi = xblk_load_once(&r->producer->ring.lost_nmi),
		.read = r->read,
		.met = r->lost,
		.level = xenrelay_ring_level(ch, ring),
		.broken = r->broken,
	};
	return 0;
}

int xenrelay_get_channel_stats(const struct xenrelay_channel *ch,
			       struct xenrelay_channel_stats *stats)
{
	struct xenrelay_ring_stats ring, *sum;
	unsigned int n;

	if (!ch || !stats)
		return -EINVAL;
	*stats = (struct xenrelay_channel_stats){
		.events_sent = xenrelay_events_sent(ch),
		.rang = ch->times_rung,
		.vain = ch->vain,
		.muted = ch->watch.muted,
		.senseless = ch->senseless,
	};
	sum = &stats->sum;
	for (n = 0; n < ch->layout.nr_rings; n++) {
		xenrelay_get_ring_stats(ch, n, &ring);
		sum->produced += ring.produced;
		sum->lost += ring.lost;
		sum->lost_nmi += ring.lost_nmi;
		sum->read += ring.read;
		sum->met += ring.met;
		sum->level += ring.level;
		if (!ring.broken)
			continue;
		if (!stats->broken_rings++)
			sum->broken = ring.broken;
	}
	return 0;
}

uint64_t xenrelay_events_sent(const struct xenrelay_channel *ch)
{
	return ch ? xblk_load_once(&ch->producer[0].channel.events) : 0;
}

/*
 * Whether what a look at the channel's nodes found is its end.  A state that cannot be
 * read is the guest's fault, and to a driver domain all of a domain that has gone is
 * closed, not missing.
 */
static bool is_end(struct xenrelay_channel *ch, int found)
{
	ch->senseless = found == -EPROTO;
	/* Whatever else it shows than our "ready", it is ours no more. */
	ch->ended = found == -ENOTCONN || found == -ENOENT || found == -EPROTO ||
		    found == -EACCES;
	return ch->ended;
}

void xr_domains_changed(struct xenrelay_reader *reader)
{
	struct xenrelay_channel *ch;

	reader->changed |= XENRELAY_CHANGED_DOMAIN;
	for (ch = reader->channels; ch; ch = ch->next)
		ch->changed = true;
}

bool xenrelay_stopped(struct xenrelay_channel *ch)
{
	if (!ch || ch->ended)
		return true;
	/* Pairs with the producer's store-release of state behind its last head. */
	if (xblk_load_acquire(&ch->producer[0].channel.state) == XENRELAY_STOPPED)
		return ch->ended = true;
	if (!ch->changed)
		return false;

	ch->changed = false;
	if (!is_end(ch, xr_check_connected(ch)) &&
	    !xenrelay_domain_exists(ch->reader, ch->domid))
		ch->ended = true;
	return ch->ended;
}

/* Return: 0, also if it has ended instead, or keeps us from asking: then once more. */
static int ask_to_stop(struct xenrelay_channel *ch)
{
	int err;

	if (ch->asked || xenrelay_stopped(ch))
		return 0;
	err = xr_request(ch, "disconnect", NULL);
	ch->asked = !err;
	return err == -EAGAIN || is_end(ch, err) ? 0 : err;
}

int xenrelay_disconnect(struct xenrelay_channel *ch, unsigned int timeout_ms)
{
	uint64_t now = xr_now_ms(), deadline = now + timeout_ms;
	int ret;

	if (!ch)
		return -EINVAL;
	for (;;) {
		ret = ask_to_stop(ch);
		if (ret)
			return ret;
		if (xenrelay_stopped(ch))
			return 0;
		if (!timeout_ms)
			return -EINPROGRESS;
		if (now >= deadline)
			return ch_fail(ch, -ETIMEDOUT, "the guest did not stop in %u ms",
				       timeout_ms);
		ret = xr_wait_for_guest(ch, now + STOP_POLL_MS < deadline
						    ? now + STOP_POLL_MS
						    : deadline);
		if (ret < 0)
			return ret;
		now = xr_now_ms();
	}
}

void xenrelay_release(struct xenrelay_channel *ch)
{
	struct xenrelay_channel **link;

	if (!ch)
		return;
	xr_doorbell_unbind(ch);
	xr_unmap(ch);
	/* Into the directory of a domain that is gone nothing may be created. */
	if (ch->claimed && xenrelay_domain_exists(ch->reader, ch->domid))
		xr_tell_release(ch);
	xr_watch_stop(ch->reader, &ch->watch);

	for (link = &ch->reader->channels; *link != ch; link = &(*link)->next)
		;
	*link = ch->next;
	free(ch);
}
