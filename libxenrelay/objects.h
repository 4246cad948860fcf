/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The reader and its channels: what the files of libxenrelay keep in them.  What a file
 * does with them for others is in the header of its name.
 */
#ifndef XR_OBJECTS_H
#define XR_OBJECTS_H

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "proto.h"
#include "../ring/consumer.h"
#include "events.h"
#include "xenrelay-reader.h"

struct xr_domain;
struct xr_node_watch;

struct xenrelay_reader {
	struct xs_handle *xs;
	xengnttab_handle *xgt;
	xenevtchn_handle *xce; /* from the first doorbell on */
	bool open;
	unsigned int own_domid;
	int changed; /* XENRELAY_CHANGED_* and _RANG not reported yet */
	struct xenrelay_channel *channels;
	char error[320];
	struct xenrelay_watch_stats stats;

	/* events.c */
	int epoll_fd, timer_fd;
	uint64_t timer_at; /* what timer_fd is set to */
	struct xr_watch *watches;
	unsigned int last_token;
	struct xr_node_watch *node_watches;
	void (*domains_changed)(struct xenrelay_reader *reader); /* of "@..." events */

	/* domains.c */
	bool unprivileged; /* a driver domain: it may not list the others */

	/* discover.c */
	bool every_domain; /* all are watched for channels, */
	bool new_domains;  /* and their list has to be read again */
	bool introduce_watched;
	struct xr_watch backends; /* in its stead in a driver domain; path "": not on */
	struct xr_domain *domains;
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
	bool rang;
	bool masked;	     /* the bell rang, and is not to ring yet again */
	uint64_t unmask_at;  /* when it may */
	bool armed;	     /* and whether it is wanted to */
	uint32_t arm_number; /* what was last told to the guest */
	uint64_t times_rung;
	uint64_t mark; /* items in a ring that it was to ring for */
	uint64_t vain; /* times in a row that no ring had so many */
};

#endif /* XR_OBJECTS_H */
