/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The reader and its channels: what the files of libxenrelay keep in them.  What a file
 * does with them for others is in the header of its name.
 *
 * Of a channel that is connected one thread may call what reads it while another calls
 * all the rest.  The first touches the rings, @error, @arm_number, and what
 * &xenrelay_channel.bell_lock and &xenrelay_reader.timer_lock are for; it looks at @ended
 * and at what does not change while the channel is connected.
 */
#ifndef XR_OBJECTS_H
#define XR_OBJECTS_H

#include <pthread.h>

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "proto.h"
#include "../ring/consumer.h"
#include "events.h"
#include "xenrelay-reader.h"

struct xr_asking;
struct xr_changed_nodes;
struct xr_connecting;
struct xr_domain;
struct xr_node_watch;

struct xenrelay_reader {
	struct xs_handle *xs;
	xengnttab_handle *xgt;
	xenevtchn_handle *xce; /* from the first doorbell on */
	bool open;
	bool winding_down; /* XenStore is asked only what channels need */
	unsigned int own_domid;
	int changed; /* XENRELAY_CHANGED_* and _RANG not reported yet */
	struct xenrelay_channel *channels;
	struct xenrelay_channel *news; /* of them, those for xenrelay_next_changed() */
	char error[320];
	struct xenrelay_watch_stats stats;

	struct xr_asking *asking; /* ask.c: with a patience */

	/* events.c */
	int epoll_fd, timer_fd;
	pthread_mutex_t timer_lock; /* of @timer_at and the timer */
	uint64_t timer_at;	    /* what timer_fd is set to */
	struct xr_watch *watches;
	struct xr_watch *by_number[XR_BUCKETS];
	unsigned int last_number;
	/* of "@..." events */
	void (*domains_changed)(struct xenrelay_reader *reader, const char *event);

	/* watched.c */
	struct xr_node_watch *node_watches;
	struct xr_changed_nodes *changed_nodes; /* from the first watch on */

	/* domains.c */
	bool unprivileged; /* a driver domain: it may not list the others */

	/* discover.c */
	bool every_domain; /* all are watched for channels, */
	bool new_domains;  /* and their list has to be read again */
	bool introduce_watched;
	struct xr_watch backends; /* in its stead in a driver domain; path "": not on */
	struct xr_domain *domains;
	struct xr_domain *by_domid[XR_BUCKETS];
};

/* Times are those of xr_now_ms(). */
struct xenrelay_channel {
	struct xenrelay_reader *reader;
	struct xenrelay_channel *next;
	void *user; /* the caller's */
	unsigned int domid;
	uint32_t session;
	uint32_t version;
	unsigned int features; /* XR_FEATURE_* that the guest offers */
	char name[XR_NAME_MAX + 1];
	char dir[XR_PATH_MAX];
	struct xr_watch watch;		  /* on its "state" */
	int not_connected;		  /* 0, -EINPROGRESS, or why not */
	struct xr_connecting *connecting; /* connect.c: until that is decided */
	bool claimed;	    /* "connect" was written: the guest must hear "release" */
	bool asked;	    /* "disconnect" was written */
	bool changed;	    /* the watch fired since the state was last read */
	bool may_have_gone; /* with its domain, likewise */
	bool is_news;	    /* it is in the reader's list */
	struct xenrelay_channel *next_news;
	bool ended;	    /* seen stopped, or the domain gone; in one access */
	bool senseless;	    /* by a state that cannot be read */
	bool short_of_room; /* connecting failed for lack of memory, grants or the like */
	uint64_t ring_kib_wanted;

	int (*idle)(void *priv);
	void *idle_priv;
	uint64_t idle_at; /* when it was last called */

	char error[160]; /* of the thread that reads */

	/* map.c */
	struct xr_layout layout;
	union xenrelay_producer_line *producer;	 /* mapped read-only */
	const struct xenrelay_loss_line *losses; /* mapped read-only, if there are any */
	union xenrelay_consumer_line *consumer;	 /* the first page */
	union xenrelay_consumer_line *further_consumer;
	unsigned int nr_mapped; /* rings whose data pages are mapped */
	struct xr_ring *rings;

	/* doorbell.c */
	int doorbell; /* see &xenrelay_properties */
	evtchn_port_t port;
	pthread_mutex_t bell_lock; /* of the next four */
	bool rang;
	bool masked;	     /* the bell rang, and is not to ring yet again */
	uint64_t unmask_at;  /* when it may */
	bool armed;	     /* and whether it is wanted to */
	uint32_t arm_number; /* what was last told to the guest, by who reads */
	uint64_t times_rung;
	uint64_t mark; /* items in a ring that it was to ring for */
	uint64_t vain; /* times in a row that no ring had so many */
};

#endif /* XR_OBJECTS_H */
