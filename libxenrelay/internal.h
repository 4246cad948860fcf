/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the files of libxenrelay share with each other. */
#ifndef XR_INTERNAL_H
#define XR_INTERNAL_H

#include <xengnttab.h>
#include <xenstore.h>

#include "proto.h"
#include "../ring/consumer.h"
#include "xenrelay-reader.h"

#define XR_PATH_MAX 128

struct xenrelay_reader {
	struct xs_handle *xs;
	xengnttab_handle *xgt;
	unsigned int own_domid;
	int changed; /* XENRELAY_CHANGED_* not reported yet */
	struct xenrelay_channel *channels;
	char error[320];
};

struct xenrelay_channel {
	struct xenrelay_reader *reader;
	struct xenrelay_channel *next;
	unsigned int domid;
	uint32_t session;
	char name[XR_NAME_MAX + 1];
	char dir[XR_PATH_MAX];
	char state_path[XR_PATH_MAX];
	char token[16]; /* of the watch on state_path */
	bool watched;
	bool claimed; /* "connect" was written: the guest must hear "release" */
	bool asked;   /* "disconnect" was written */
	bool changed; /* the watch fired since the state was last read */
	bool ended;   /* seen stopped, or the domain gone */

	struct xr_layout layout;
	union xenrelay_producer_line *producer; /* mapped read-only */
	struct xenrelay_loss_line *losses;	/* mapped read-only */
	union xenrelay_consumer_line *consumer;
	unsigned int nr_mapped; /* rings whose data pages are mapped */
	void *data[XENRELAY_MAX_RINGS];
	struct xr_ring rings[XENRELAY_MAX_RINGS];
};

/* Set the reader's error text; returns @err, so that it can be returned on. */
int xr_fail(struct xenrelay_reader *reader, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Monotonic milliseconds. */
uint64_t xr_now_ms(void);

/*
 * Take in XenStore's events, waiting until @deadline (xr_now_ms()) for one.
 * Return: 1 if there were some, 0 at the deadline, negative errno.
 */
int xr_wait_events(struct xenrelay_reader *reader, uint64_t deadline);

/* Read and parse the channel's "state"; -ENOENT if it is gone. */
int xr_read_state(struct xenrelay_channel *ch, struct xr_state *state);

/* Write the channel's "reader" node, or another below its directory. */
int xr_write(struct xenrelay_channel *ch, uint32_t transaction, const char *node,
	     const char *text);

/* Tell the guest that everything is unmapped, unless the channel is another's already. */
void xr_write_release(struct xenrelay_channel *ch);

/* Map all of the channel, beginning with its info page; xr_unmap() after failure too. */
int xr_map(struct xenrelay_channel *ch, uint32_t info_ref, uint64_t max_pages);
void xr_unmap(struct xenrelay_channel *ch);

#endif /* XR_INTERNAL_H */
