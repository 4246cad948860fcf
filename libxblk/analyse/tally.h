/* SPDX-License-Identifier: GPL-2.0-only */
/* What has become of requests -> the counts, histograms and analyses of their disks. */
#ifndef LIBXBLK_TALLY_H
#define LIBXBLK_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "analyse/stats.h"
#include "join/disk.h"
#include "join/state.h"

struct filter;

/* A disk, and what is kept of it. */
struct tally_disk {
	struct join_disk join;
	struct disk_stats stats;
};

static inline struct disk_stats *stats_of(const struct disk *disk)
{
	return &((struct tally_disk *)disk)->stats;
}

typedef void (*tally_request_fn)(void *ctx, const struct xblk_request *r);

struct tally {
	const struct join *join; /* what tells of the requests */
	uint64_t now_ns; /* how far the capture has come; whoever reads it says so */
	/* set by the caller before tally_begin() */
	const struct filter *filter; /* requests that count, or NULL: all */
	unsigned int top;	     /* how many of the slowest are kept */
	bool windows;		     /* keep statistics for a running report */
	/* on at first; each costs some ns a request */
	bool latencies; /* all that is kept of joined ones and of those in flight */
	bool timeline, processes;    /* of these */
	unsigned int room_left;	     /* see ROOM_SHARED */
	unsigned int intervals_left; /* see TIMELINE_SHARED */
	tally_request_fn on_request; /* each that counts; or NULL */
	void *ctx;
};

void tally_init(struct tally *t);
/* Before the join's. */
void tally_deinit(const struct tally *t);
/* From here on it is told of @j's requests.  Both stay until tally_finish(). */
void tally_begin(struct tally *t, struct join *j);
/* After join_finish(): what is kept gets the order in which it is shown. */
void tally_finish(const struct tally *t);

#endif
