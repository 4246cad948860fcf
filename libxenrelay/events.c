// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * XenStore's events, the reader's descriptor, and waiting.
 *
 * A guest may write to its nodes as fast as it likes, and libxenstore keeps each
 * event until it is taken in.  So a watch that fires too often is taken back for
 * a while: then the guest's writes cost this domain nothing.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "ask.h"
#include "events.h"
#include "fail.h"
#include "objects.h"

/* Of one watch: at once, and in the long run. */
#define WATCH_BURST	 256
#define WATCH_PER_SECOND 128
#define MUTE_MS		 1000

/* Taken in at a turn; the rest keeps the descriptor readable. */
#define MAX_EVENTS 4096

uint64_t xr_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

void xr_timer(struct xenrelay_reader *reader, uint64_t at)
{
	struct itimerspec spec = {
		.it_value = {.tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000},
	};

	pthread_mutex_lock(&reader->timer_lock);
	if (at < reader->timer_at) {
		reader->timer_at = at;
		timerfd_settime(reader->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
	}
	pthread_mutex_unlock(&reader->timer_lock);
}

static void expire_timer(struct xenrelay_reader *reader)
{
	uint64_t times;

	/* Who set it sets it anew, if it was too early for him. */
	pthread_mutex_lock(&reader->timer_lock);
	if (read(reader->timer_fd, &times, sizeof(times)) == sizeof(times))
		reader->timer_at = XR_NEVER;
	pthread_mutex_unlock(&reader->timer_lock);
}

static int watch_on(struct xenrelay_reader *reader, struct xr_watch *watch)
{
	if (!xr_xs_watch(reader, watch->path, watch->token))
		return xr_fail(reader, errno == E2BIG ? -ENOSPC : -errno,
			       "watching %s in XenStore: %s", watch->path,
			       errno == E2BIG ? "no more watches are allowed to "
						"this domain (xenstored -W)"
					      : strerror(errno));
	watch->on = true;
	watch->budget = WATCH_BURST;
	watch->counted_at = xr_now_ms();
	watch->back_at = XR_NEVER;
	return 0;
}

static struct xr_watch **bucket_of(struct xenrelay_reader *reader, unsigned int number)
{
	return &reader->by_number[number % XR_BUCKETS];
}

int xr_watch_start(struct xenrelay_reader *reader, struct xr_watch *watch)
{
	struct xr_watch **bucket;
	int err;

	watch->number = ++reader->last_number;
	snprintf(watch->token, sizeof(watch->token), "w%u", watch->number);
	err = watch_on(reader, watch);
	if (err)
		return err;
	watch->next = reader->watches;
	reader->watches = watch;
	bucket = bucket_of(reader, watch->number);
	watch->in_bucket = *bucket;
	*bucket = watch;
	return 0;
}

/* By the token of an event; NULL: it is of none that there is. */
static struct xr_watch *find_watch(struct xenrelay_reader *reader, const char *token)
{
	struct xr_watch *watch = NULL;
	unsigned int number;

	if (sscanf(token, "w%u", &number) == 1)
		watch = *bucket_of(reader, number);
	while (watch && strcmp(token, watch->token))
		watch = watch->in_bucket;
	return watch;
}

void xr_watch_stop(struct xenrelay_reader *reader, struct xr_watch *watch)
{
	struct xr_watch **link;

	if (watch->on)
		xr_xs_unwatch(reader, watch->path, watch->token);
	for (link = &reader->watches; *link; link = &(*link)->next) {
		if (*link == watch) {
			*link = watch->next;
			break;
		}
	}
	for (link = bucket_of(reader, watch->number); *link; link = &(*link)->in_bucket) {
		if (*link == watch) {
			*link = watch->in_bucket;
			break;
		}
	}
}

void xr_watches_abandon(struct xenrelay_reader *reader)
{
	struct xr_watch *watch;

	for (watch = reader->watches; watch; watch = watch->next)
		watch->on = false;
}

static bool within_budget(struct xr_watch *watch)
{
	uint64_t now = xr_now_ms();
	uint64_t more = (now - watch->counted_at) * WATCH_PER_SECOND / 1000;

	if (more) {
		watch->budget = watch->budget + more < WATCH_BURST ? watch->budget + more
								   : WATCH_BURST;
		watch->counted_at = now;
	}
	return watch->budget && watch->budget--;
}

static void mute(struct xenrelay_reader *reader, struct xr_watch *watch)
{
	/* Drops what is waiting of it, too: XS_UNWATCH_FILTER. */
	xr_xs_unwatch(reader, watch->path, watch->token);
	watch->on = false;
	watch->back_at = xr_now_ms() + MUTE_MS;
	watch->muted++;
	reader->stats.muted++;
}

static void take_event(struct xenrelay_reader *reader, const char *path,
		       const char *token)
{
	struct xr_watch *watch;

	reader->stats.events++;
	if (path[0] == '@') {
		/* Domains come and go at the toolstack's pace, not at theirs. */
		reader->domains_changed(reader, path);
		return;
	}
	watch = find_watch(reader, token);
	if (!watch)
		return;
	watch->news = true;
	if (watch->event && !watch->over)
		watch->event(reader, watch, path);
	if (watch->on && !within_budget(watch))
		mute(reader, watch);
}

/* Tell of an event, or of many, as often as the watch's period allows. */
static void tell_news(struct xenrelay_reader *reader, struct xr_watch *watch,
		      uint64_t now)
{
	if (now < watch->tell_at) {
		xr_timer(reader, watch->tell_at);
		return;
	}
	watch->news = false;
	watch->tell_at = now + watch->period_ms;
	watch->fired(reader, watch);
}

/* Return: events taken in, or negative errno. */
static int take_events(struct xenrelay_reader *reader)
{
	struct xr_watch *watch;
	uint64_t now = xr_now_ms();
	int n;

	for (n = 0; n < MAX_EVENTS; n++) {
		char **event = xs_check_watch(reader->xs);

		if (!event && xr_xs_is_given_up(reader))
			return xr_fail(reader, -ETIMEDOUT,
				       "XenStore does not answer: given up");
		if (!event) {
			if (errno == EAGAIN || errno == EINTR)
				break;
			return xr_fail(reader, -errno, "XenStore is gone: %s",
				       strerror(errno));
		}
		take_event(reader, event[XS_WATCH_PATH], event[XS_WATCH_TOKEN]);
		free(event);
	}
	for (watch = reader->watches; watch; watch = watch->next) {
		if (watch->over)
			continue;
		if (watch->news)
			tell_news(reader, watch, now);
		/* It fires as soon as it is on. */
		if (!watch->on && now >= watch->back_at && watch_on(reader, watch))
			watch->back_at = now + MUTE_MS;
		if (!watch->on)
			xr_timer(reader, watch->back_at);
	}
	return n;
}

int xr_events_dispatch(struct xenrelay_reader *reader)
{
	expire_timer(reader);
	return take_events(reader);
}

int xr_wait(struct xenrelay_reader *reader, uint64_t deadline)
{
	/* Not the reader's own descriptor: others' bells are not what is waited for. */
	struct pollfd pfd = {.fd = xs_fileno(reader->xs), .events = POLLIN};
	uint64_t now = xr_now_ms(), until;
	int ret;

	ret = take_events(reader);
	if (ret < 0)
		return ret;
	/* First, or a guest that writes without end would hold us. */
	if (now >= deadline)
		return 0;
	if (ret)
		return 1;
	until = deadline < now + XR_SLICE_MS ? deadline : now + XR_SLICE_MS;
	if (poll(&pfd, 1, until - now) < 0 && errno != EINTR)
		return xr_fail(reader, -errno, "poll: %s", strerror(errno));
	ret = take_events(reader);
	/* What idle() took in may be the news, so look again after each slice. */
	return ret < 0 ? ret : 1;
}
