/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the files of libxenrelay share with each other. */
#ifndef XR_INTERNAL_H
#define XR_INTERNAL_H

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "proto.h"
#include "../ring/consumer.h"
#include "xenrelay-reader.h"

#define XR_PATH_MAX  128
#define XR_MAX_DOMID 0x7fef /* the numbers from 0x7ff0 on have meanings of their own */

#define XR_NEVER UINT64_MAX /* a time, in milliseconds */

struct xr_domain;
struct xr_node_watch;

/**
 * struct xr_watch - a watch in XenStore that a guest can make fire
 * @fired:	called once for all the events of a turn that are let through
 * @period_ms:	between two calls of it at least
 * @news:	it is to be called, not before @tell_at
 * @on:		it is registered
 * @budget:	events that are let through before it is taken back
 * @counted_at:	when @budget was last refilled
 * @back_at:	when it is to be registered again; XR_NEVER: not at all
 * @muted:	times that it was taken back
 */
struct xr_watch {
	struct xr_watch *next;
	char path[XR_PATH_MAX];
	char token[16];
	void (*fired)(struct xenrelay_reader *reader, struct xr_watch *watch);
	unsigned int period_ms;
	bool news;
	uint64_t tell_at;
	bool on;
	unsigned int budget;
	uint64_t counted_at;
	uint64_t back_at;
	uint64_t muted;
};

struct xenrelay_reader {
	struct xs_handle *xs;
	xengnttab_handle *xgt;
	xenevtchn_handle *xce; /* from the first doorbell on */
	bool open;
	unsigned int own_domid;
	int changed; /* XENRELAY_CHANGED_* and _RANG not reported yet */
	struct xenrelay_channel *channels;
	char error[320];

	int epoll_fd, timer_fd;
	uint64_t timer_at; /* what timer_fd is set to */
	struct xr_watch *watches;
	unsigned int last_token;
	struct xr_node_watch *node_watches;
	void (*domains_changed)(struct xenrelay_reader *reader); /* of "@..." events */

	bool unprivileged; /* a driver domain: it may not list the others */
	bool every_domain; /* all are watched for channels, */
	bool new_domains;  /* and their list has to be read again */
	bool introduce_watched;
	struct xr_watch backends; /* in its stead in a driver domain; path "": not on */
	struct xr_domain *domains;
	struct xenrelay_watch_stats stats;
};

/* Times are those of xr_now_ms(). */
struct xenrelay_channel {
	struct xenrelay_reader *reader;
	struct xenrelay_channel *next;
	unsigned int domid;
	uint32_t session;
	uint32_t version;
	unsigned int features; /* XR_FEATURE_* that the guest offers */
	char name[XR_NAME_MAX + 1];
	char dir[XR_PATH_MAX];
	struct xr_watch watch; /* on its "state" */
	bool claimed;	       /* "connect" was written: the guest must hear "release" */
	bool asked;	       /* "disconnect" was written */
	bool changed;	       /* the watch fired since the state was last read */
	bool ended;	       /* seen stopped, or the domain gone */
	bool senseless;	       /* by a state that cannot be read */
	bool short_of_room; /* connecting failed for lack of memory, grants or the like */
	uint64_t ring_kib_wanted;

	int (*idle)(void *priv);
	void *idle_priv;
	uint64_t idle_at; /* when it was last called */

	struct xr_layout layout;
	union xenrelay_producer_line *producer;	 /* mapped read-only */
	const struct xenrelay_loss_line *losses; /* mapped read-only, if there are any */
	union xenrelay_consumer_line *consumer;	 /* the first page */
	union xenrelay_consumer_line *further_consumer;
	unsigned int nr_mapped; /* rings whose data pages are mapped */
	struct xr_ring *rings;

	int doorbell; /* see &xenrelay_properties */
	evtchn_port_t port;
	bool rang;
	bool masked;	     /* the bell rang, and is not to ring yet again */
	uint64_t unmask_at;  /* when it may */
	bool armed;	     /* and whether it is wanted to */
	uint32_t arm_number; /* what was last told to the guest */
	uint64_t times_rung;
	uint64_t mark; /* items in a ring that it was to ring for */
	uint64_t vain; /* times in a row that no ring had so many */
};

/* Set the reader's error text; returns @err, so that it can be returned on. */
int xr_fail(struct xenrelay_reader *reader, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* All of a channel's errors begin with whose it is. */
#define ch_fail(ch, err, fmt, ...)                                             \
	xr_fail((ch)->reader, err, "domain %u, channel %s: " fmt, (ch)->domid, \
		(ch)->name, ##__VA_ARGS__)

/* 0, or the error for a reader that is NULL or not open. */
int xr_check_reader(const struct xenrelay_reader *reader);

/* Monotonic milliseconds. */
uint64_t xr_now_ms(void);

/* --- events.c --- */

/* Register a watch; its path and fired are set.  It fires at once. */
int xr_watch_start(struct xenrelay_reader *reader, struct xr_watch *watch);
/* NULL-safe in that a watch that was never started may be stopped. */
void xr_watch_stop(struct xenrelay_reader *reader, struct xr_watch *watch);

/* Those of xenrelay_watch_nodes(). */
void xr_watch_nodes_end(struct xenrelay_reader *reader);

/* Take in XenStore's events.  Return: how many, or negative errno. */
int xr_events_dispatch(struct xenrelay_reader *reader);

#define XR_SLICE_MS 100 /* the longest that xr_wait() waits */

/*
 * Take in XenStore's events, waiting until @deadline for one, or for a slice of that.
 *
 * Return: 1 if there may be news, 0 at the deadline, negative errno.
 */
int xr_wait(struct xenrelay_reader *reader, uint64_t deadline);

/* Have the reader's descriptor become readable at a time, or before. */
void xr_timer(struct xenrelay_reader *reader, uint64_t at);

/* --- nodes.c --- */

/* A node could not be read or written: errno says why. */
int xr_fail_node(struct xenrelay_channel *ch, const char *what);

/* A node below the channel's directory, to be freed; NULL with errno. */
char *xr_read_node(struct xenrelay_channel *ch, uint32_t transaction, const char *node,
		   unsigned int *len);

/* Read and parse the channel's "state"; -ENOENT if it is gone. */
int xr_read_state(struct xenrelay_channel *ch, uint32_t transaction,
		  struct xr_state *state);

/* Whether its state is that of this connection: 0, or -ENOTCONN, -ENOENT, ... */
int xr_check_connected(struct xenrelay_channel *ch);

/* Whether the channel, as a transaction sees it, may be written to: 0, or an error. */
typedef int xr_check(struct xenrelay_channel *ch, uint32_t transaction);

/*
 * Write a request to "reader", and @config unless NULL, where @check allows it.
 *
 * Return: 0; what @check found; -EAGAIN: that has changed meanwhile; ...
 */
int xr_try_request(struct xenrelay_channel *ch, xr_check *check, const char *request,
		   const char *config);

/*
 * Likewise "@verb <session>", with a bounded number of tries, where the last request is
 * one of this connection.  -ENOENT: the channel is closed; -ENOTCONN: it is another's.
 */
int xr_request(struct xenrelay_channel *ch, const char *verb, const char *config);

/* Tell the guest that everything is unmapped, unless the channel is another's already. */
void xr_tell_release(struct xenrelay_channel *ch);

/* xr_wait() on behalf of a channel; calls its idle function, too. */
int xr_wait_for_guest(struct xenrelay_channel *ch, uint64_t deadline);

/* --- map.c --- */

#define KIB_PER_PAGE (XENRELAY_PAGE_SIZE / 1024)

/* Map all of the channel, beginning with its info page; xr_unmap() after failure too. */
int xr_map(struct xenrelay_channel *ch, uint32_t info_ref, uint64_t max_pages);
void xr_unmap(struct xenrelay_channel *ch);

/* --- doorbell.c --- */

/*
 * Bind the channel's event channel, if it has one, which is to ring when a ring is
 * so full; sets its doorbell.
 */
void xr_doorbell_bind(struct xenrelay_channel *ch, unsigned int percent);
void xr_doorbell_unbind(struct xenrelay_channel *ch);
/* Take in what rang, and unmask what may ring again. */
void xr_doorbell_dispatch(struct xenrelay_reader *reader);

/* --- domains.c --- */

/* The directory of this domain's backends: it tells whom it serves. */
void xr_backend_path(const struct xenrelay_reader *reader, char path[XR_PATH_MAX]);

/* What there is to say of EACCES, which only a driver domain gets.  Return: it. */
int xr_fail_access(struct xenrelay_reader *reader, unsigned int domid);

/* --- channel.c --- */

/* Some domain came or went: of each channel it is to be asked whether it has ended. */
void xr_domains_changed(struct xenrelay_reader *reader);

/* --- discover.c --- */

/* Something happened to some domain, or to all. */
void xr_discover_domains(struct xenrelay_reader *reader);
/* Look at what has changed, a bounded part of it; sets the timer for the rest. */
int xr_discover_dispatch(struct xenrelay_reader *reader);
void xr_discover_end(struct xenrelay_reader *reader);

#endif /* XR_INTERNAL_H */
