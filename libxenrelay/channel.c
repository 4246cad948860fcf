// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A channel: reading it, its counters, its end. */
#include <errno.h>
#include <stdlib.h>

#include "xenrelay/ordering.h"
#include "channel.h"
#include "domains.h"
#include "doorbell.h"
#include "events.h"
#include "fail.h"
#include "map.h"
#include "nodes.h"
#include "objects.h"
#include "sized.h"

/* How often to look at the producer page while XenStore says nothing. */
#define STOP_POLL_MS 20

void xenrelay_set_user(struct xenrelay_channel *ch, void *user)
{
	if (ch)
		ch->user = user;
}

void *xenrelay_get_user(const struct xenrelay_channel *ch)
{
	return ch ? ch->user : NULL;
}

int xenrelay_get_properties(const struct xenrelay_channel *ch,
			    struct xenrelay_properties *properties)
{
	struct xenrelay_properties now = {0};

	if (!ch)
		return -EINVAL;
	if (ch->not_connected)
		return xr_give(properties, &now, sizeof(now)) ?: ch->not_connected;
	now = (struct xenrelay_properties){
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
	return xr_give(properties, &now, sizeof(now));
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
	if (ring >= ch->nr_mapped)
		return xr_fail_read(ch, -EINVAL, "it has no ring %u", ring);
	if (!buf && max_items)
		return xr_fail_read(ch, -EINVAL, "no buffer to read into");
	/*
	 * Only what the caller has been told; else the rest could come as a surprise.
	 * Pairs with end(): what came before the end is there.
	 */
	ch->rings[ring].stopped = xblk_load_acquire(&ch->ended);
	n = xr_ring_read(&ch->rings[ring], buf ? buf : &nothing, max_items, &span);
	if (n < 0)
		return xr_fail_read(ch, n, "ring %u: %s", ring, ch->rings[ring].broken);
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
	if (ch && ring < ch->nr_mapped && buf &&
	    xr_ring_take_small(&ch->rings[ring], buf, max_items))
		return max_items;
	return look_and_read(ch, ring, buf, max_items, loss);
}

int64_t xenrelay_ring_level(const struct xenrelay_channel *ch, unsigned int ring)
{
	if (!ch || ring >= ch->nr_mapped)
		return -EINVAL;
	return xr_ring_level(&ch->rings[ring]);
}

static void add_ring_stats(const struct xr_ring *r, struct xenrelay_ring_stats *sum)
{
	const char *broken = xblk_load_once(&r->broken);

	sum->produced += xblk_load_once(&r->producer->ring.head);
	sum->lost += r->overwrite ? xblk_load_once(&r->lost)
				  : xblk_load_once(&r->producer->ring.lost);
	sum->lost_nmi += xblk_load_once(&r->producer->ring.lost_nmi);
	sum->read += xblk_load_once(&r->read);
	sum->met += xblk_load_once(&r->lost);
	sum->level += xr_ring_level(r);
	if (!sum->broken)
		sum->broken = broken;
}

int xenrelay_get_ring_stats(const struct xenrelay_channel *ch, unsigned int ring,
			    struct xenrelay_ring_stats *stats)
{
	bool all = ring == XENRELAY_EVERY_RING;
	struct xenrelay_ring_stats sum = {0};
	unsigned int n = all ? 0 : ring;
	unsigned int end = ch ? ch->nr_mapped : 0;
	int err = n < end || (ch && all) ? 0 : -EINVAL;

	for (; n < end; n++) {
		add_ring_stats(&ch->rings[n], &sum);
		if (!all)
			break;
	}
	return xr_give(stats, &sum, sizeof(sum)) ?: err;
}

int xenrelay_get_channel_stats(const struct xenrelay_channel *ch,
			       struct xenrelay_channel_stats *stats)
{
	struct xenrelay_channel_stats now;
	unsigned int n;

	if (!ch)
		return -EINVAL;
	now = (struct xenrelay_channel_stats){
		.events_sent = xenrelay_events_sent(ch),
		.rang = ch->times_rung,
		.vain = ch->vain,
		.muted = ch->watch.muted,
		.senseless = ch->senseless,
	};
	for (n = 0; n < ch->nr_mapped; n++)
		now.broken_rings += xblk_load_once(&ch->rings[n].broken) != NULL;
	return xr_give(stats, &now, sizeof(now));
}

uint64_t xenrelay_events_sent(const struct xenrelay_channel *ch)
{
	return ch && !ch->not_connected ? xblk_load_once(&ch->producer[0].channel.events)
					: 0;
}

static bool end(struct xenrelay_channel *ch)
{
	xblk_store_release(&ch->ended, true);
	return true;
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
	return found == -ENOTCONN || found == -ENOENT || found == -EPROTO ||
			       found == -EACCES
		       ? end(ch)
		       : false;
}

static void add_news(struct xenrelay_channel *ch)
{
	ch->reader->changed |= XENRELAY_CHANGED_CHANNEL;
	if (ch->is_news)
		return;
	ch->is_news = true;
	ch->next_news = ch->reader->news;
	ch->reader->news = ch;
}

void xr_channel_changed(struct xenrelay_channel *ch)
{
	ch->changed = true;
	add_news(ch);
}

static void remove_news(struct xenrelay_channel **link)
{
	struct xenrelay_channel *ch = *link;

	*link = ch->next_news;
	ch->is_news = false;
}

struct xenrelay_channel *xenrelay_next_changed(struct xenrelay_reader *reader)
{
	struct xenrelay_channel *ch = xr_check_reader(reader) ? NULL : reader->news;

	if (ch)
		remove_news(&reader->news);
	return ch;
}

void xr_domains_changed(struct xenrelay_reader *reader)
{
	struct xenrelay_channel *ch;

	reader->changed |= XENRELAY_CHANGED_DOMAIN;
	for (ch = reader->channels; ch; ch = ch->next) {
		/* The nodes of one that is connected are watched. */
		ch->may_have_gone = true;
		ch->changed |= ch->not_connected != 0;
		add_news(ch);
	}
}

bool xenrelay_stopped(struct xenrelay_channel *ch)
{
	if (!ch || ch->ended)
		return true;
	/* What has changed is xenrelay_connect_poll()'s. */
	if (ch->not_connected)
		return ch->not_connected != -EINPROGRESS;
	/* Pairs with the producer's store-release of state behind its last head. */
	if (xblk_load_acquire(&ch->producer[0].channel.state) == XENRELAY_STOPPED)
		return end(ch);
	if (!ch->changed && !ch->may_have_gone)
		return false;

	if (ch->changed && is_end(ch, xr_check_connected(ch)))
		return true;
	ch->changed = ch->may_have_gone = false;
	/* Of a directory that was removed the watch on "state", which was in it, tells. */
	return !xr_domain_introduced(ch->reader, ch->domid) && end(ch);
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
	if (ch->not_connected)
		return ch_fail(ch, -ENOTCONN, "it is not connected");
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
	if (ch->claimed)
		xr_tell_release(ch);
	xr_watch_stop(ch->reader, &ch->watch);

	for (link = &ch->reader->channels; *link != ch; link = &(*link)->next)
		;
	*link = ch->next;
	if (ch->is_news) {
		for (link = &ch->reader->news; *link != ch; link = &(*link)->next_news)
			;
		remove_news(link);
	}
	free(ch->connecting);
	pthread_mutex_destroy(&ch->bell_lock);
	free(ch);
}
