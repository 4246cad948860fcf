/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * XenStore's events, the reader's descriptor, and waiting.  Times are those of
 * xr_now_ms().
 */
#ifndef XR_EVENTS_H
#define XR_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

struct xenrelay_reader;

#define XR_PATH_MAX 128

#define XR_NEVER UINT64_MAX /* a time, in milliseconds */

/* Of the reader's tables of watches and of domains, of which there may be thousands. */
#define XR_BUCKETS 1024

/**
 * struct xr_watch - a watch in XenStore that a guest can make fire
 * @next:	in the list of all, @in_bucket: in the table by @number
 * @number:	its own, which its @token is made of
 * @event:	called for each event, with the path that changed; NULL: it is not
 * @fired:	called once for all the events of a turn that are let through
 * @period_ms:	between two calls of it at least
 * @news:	it is to be called, not before @tell_at
 * @over:	nobody wants to know any more: it is only taken back, for good
 * @on:		it is registered
 * @budget:	events that are let through before it is taken back
 * @counted_at:	when @budget was last refilled
 * @back_at:	when it is to be registered again; XR_NEVER: not at all
 * @muted:	times that it was taken back
 */
struct xr_watch {
	struct xr_watch *next;
	struct xr_watch *in_bucket;
	unsigned int number;
	char path[XR_PATH_MAX];
	char token[16];
	void (*event)(struct xenrelay_reader *reader, struct xr_watch *watch,
		      const char *path);
	void (*fired)(struct xenrelay_reader *reader, struct xr_watch *watch);
	unsigned int period_ms;
	bool news;
	bool over;
	uint64_t tell_at;
	bool on;
	unsigned int budget;
	uint64_t counted_at;
	uint64_t back_at;
	uint64_t muted;
};

/* Monotonic milliseconds. */
uint64_t xr_now_ms(void);

/* Register a watch; its path and fired are set.  It fires at once. */
int xr_watch_start(struct xenrelay_reader *reader, struct xr_watch *watch);
/* NULL-safe in that a watch that was never started may be stopped. */
void xr_watch_stop(struct xenrelay_reader *reader, struct xr_watch *watch);

/* XenStore takes them back itself: the connection is about to be closed. */
void xr_watches_abandon(struct xenrelay_reader *reader);

/* Take in XenStore's events.  Return: how many, or negative errno. */
int xr_events_dispatch(struct xenrelay_reader *reader);

#define XR_SLICE_MS 100 /* the longest that xr_wait() waits */

/*
 * Take in XenStore's events, waiting until @deadline for one, or for a slice of that.
 *
 * Return: 1 if there may be news, 0 at the deadline, negative errno.
 */
int xr_wait(struct xenrelay_reader *reader, uint64_t deadline);

/* Have the reader's descriptor become readable at a time, or before; from any thread. */
void xr_timer(struct xenrelay_reader *reader, uint64_t at);

#endif /* XR_EVENTS_H */
