// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The doorbell: an event channel of the guest's, bound here.
 *
 * An event channel that has fired is masked until it is unmasked.  That is done
 * only when the caller arms the bell again, and a while after it rang, so that a
 * guest that rings without end wakes nobody more often.  The while gets longer each
 * time that it rang for nothing.
 *
 * The thread that reads the channel arms, another one hears the bell.
 */
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>

#include "xenrelay/ordering.h"
#include "doorbell.h"
#include "events.h"
#include "fail.h"
#include "objects.h"

#define MIN_PERIOD_MS 1
#define MAX_DOUBLINGS 10 /* of that: about a second */
#define MAX_RINGS \
	64 /* bells taken in at a turn; the rest keeps the descriptor readable */

static int open_events(struct xenrelay_reader *reader)
{
	struct epoll_event event = {.events = EPOLLIN};

	if (reader->xce)
		return 0;
	reader->xce = xenevtchn_open(NULL, 0);
	if (!reader->xce)
		return errno ? -errno : -ENXIO;
	if (epoll_ctl(reader->epoll_fd, EPOLL_CTL_ADD, xenevtchn_fd(reader->xce),
		      &event)) {
		int err = -errno;

		xenevtchn_close(reader->xce);
		reader->xce = NULL;
		return err;
	}
	return 0;
}

void xr_doorbell_bind(struct xenrelay_channel *ch, unsigned int percent)
{
	xenevtchn_port_or_error_t port;
	int err;

	if (!(ch->layout.flags & XENRELAY_F_DOORBELL)) {
		ch->doorbell = -EOPNOTSUPP;
		return;
	}
	err = open_events(ch->reader);
	if (err) {
		ch->doorbell = err;
		return;
	}
	port = xenevtchn_bind_interdomain(ch->reader->xce, ch->domid,
					  ch->layout.doorbell_port);
	if (port < 0) {
		ch->doorbell = errno ? -errno : -EINVAL;
		return;
	}
	ch->port = port;
	ch->doorbell = 1;
	/* As the guest reckons it. */
	ch->mark = ch->layout.capacity * percent / 100;
	if (!ch->mark)
		ch->mark = 1;
}

void xr_doorbell_unbind(struct xenrelay_channel *ch)
{
	if (ch->doorbell == 1)
		xenevtchn_unbind(ch->reader->xce, ch->port);
	ch->doorbell = 0;
}

static bool has_reason(const struct xenrelay_channel *ch)
{
	unsigned int n;

	for (n = 0; n < ch->layout.nr_rings; n++)
		if (xr_ring_level(&ch->rings[n]) >= ch->mark)
			return true;
	return false;
}

static void ring(struct xenrelay_reader *reader, evtchn_port_t port)
{
	struct xenrelay_channel *ch;
	uint64_t doublings;

	for (ch = reader->channels; ch; ch = ch->next) {
		if (ch->doorbell != 1 || ch->port != port)
			continue;
		ch->vain = has_reason(ch) ? 0 : ch->vain + 1;
		ch->times_rung++;
		doublings = ch->vain < MAX_DOUBLINGS ? ch->vain : MAX_DOUBLINGS;
		pthread_mutex_lock(&ch->bell_lock);
		ch->rang = ch->masked = true;
		ch->armed = false;
		ch->unmask_at = xr_now_ms() + (MIN_PERIOD_MS << doublings);
		pthread_mutex_unlock(&ch->bell_lock);
		reader->changed |= XENRELAY_RANG;
	}
}

/* With the lock held. */
static void unmask(struct xenrelay_channel *ch, uint64_t now)
{
	if (!ch->masked || !ch->armed)
		return;
	if (now < ch->unmask_at) {
		xr_timer(ch->reader, ch->unmask_at);
		return;
	}
	ch->masked = false;
	xenevtchn_unmask(ch->reader->xce, ch->port);
}

void xr_doorbell_dispatch(struct xenrelay_reader *reader)
{
	struct xenrelay_channel *ch;
	uint64_t now;
	int n;

	if (!reader->xce)
		return;
	for (n = 0; n < MAX_RINGS; n++) {
		/* The device may block although it is not to: ask it first. */
		struct pollfd pfd = {.fd = xenevtchn_fd(reader->xce), .events = POLLIN};
		xenevtchn_port_or_error_t port;

		if (poll(&pfd, 1, 0) != 1)
			break;
		port = xenevtchn_pending(reader->xce);
		if (port < 0)
			break;
		ring(reader, port);
	}
	now = xr_now_ms();
	for (ch = reader->channels; ch; ch = ch->next) {
		pthread_mutex_lock(&ch->bell_lock);
		unmask(ch, now);
		pthread_mutex_unlock(&ch->bell_lock);
	}
}

int xenrelay_arm(struct xenrelay_channel *ch)
{
	unsigned int n;

	if (!ch)
		return -EINVAL;
	if (ch->doorbell != 1)
		return xr_fail_read(ch, -EOPNOTSUPP, "it has no doorbell");
	pthread_mutex_lock(&ch->bell_lock);
	ch->armed = true;
	unmask(ch, xr_now_ms());
	pthread_mutex_unlock(&ch->bell_lock);
	xblk_store_once(&ch->consumer[0].channel.armed, ++ch->arm_number);
	/*
	 * Pairs with the barrier between the guest's write of head and its look at
	 * the number: either it rings, or the item is seen here.
	 */
	xblk_mb();
	for (n = 0; n < ch->layout.nr_rings; n++)
		if (!ch->rings[n].broken && xr_ring_level(&ch->rings[n]))
			return 1;
	return 0;
}

bool xenrelay_rang(struct xenrelay_channel *ch)
{
	bool rang;

	if (!ch)
		return false;
	pthread_mutex_lock(&ch->bell_lock);
	rang = ch->rang;
	ch->rang = false;
	pthread_mutex_unlock(&ch->bell_lock);
	return rang;
}
