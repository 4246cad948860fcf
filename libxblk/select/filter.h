/* SPDX-License-Identifier: GPL-2.0-only */
/* Which requests and events are of interest. */
#ifndef LIBXBLK_FILTER_H
#define LIBXBLK_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "xblk.h"

#define FILTER_LIST_MAX 64

/* Any of these, each by a name or by a number; none: all. */
struct filter_list {
	unsigned int nr;
	struct filter_item {
		const char *name; /* NULL: it is a number */
		uint32_t number;
	} of[FILTER_LIST_MAX];
};

/* All that is said must hold. */
struct filter {
	struct filter_list guests; /* names or domids */
	struct filter_list disks;  /* names */
	struct filter_list processes;
	unsigned int ops;  /* a bit each of enum xblk_op; 0: all */
	bool have_sectors; /* any of first_sector..last_sector */
	uint64_t first_sector, last_sector;
	bool have_time; /* from_ns <= t < to_ns since the trace began */
	uint64_t from_ns, to_ns;
	uint64_t min_latency_ns;
};

bool filter_domain(const struct filter *f, unsigned int domid, const char *name);
/* A guest disk that is to be shown. */
bool filter_disk(const struct filter *f, const struct xblk_disk *disk);
/* A request of such a disk. */
bool filter_shows(const struct filter *f, const struct xblk_request *r);

/* Whether one of the items is a guest, a disk or a process of this name or number. */
bool filter_is_guest(const struct filter_item *item, unsigned int domid,
		     const char *name);
bool filter_is_disk(const struct filter_item *item, const struct xblk_disk *disk);
bool filter_is_process(const struct filter_item *item, uint32_t pid, const char *name);

/* It says something of requests beyond their disk. */
bool filter_chooses(const struct filter *f);
/*
 * These two look at nothing but that.  The trace began at @start_ns; what has not come
 * back is as old as it is at @now_ns.  @process: whose the event is, if it is any one's;
 * only looked at if there are @f->processes.
 */
bool filter_request(const struct filter *f, uint64_t start_ns, uint64_t now_ns,
		    const struct xblk_request *r);
bool filter_event(const struct filter *f, uint64_t start_ns,
		  const struct xblk_event_record *e, const char *process);

#endif
