/* SPDX-License-Identifier: GPL-2.0-only */
/* The queues of a disk in which requests wait for a flush, as FLUSH_QUEUE records tell. */
#ifndef LIBXBLK_TOLD_QUEUES_H
#define LIBXBLK_TOLD_QUEUES_H

#include <stdbool.h>
#include <stdint.h>

#include "join/join.h"

struct told_queue {
	uint32_t id;
	uint32_t rq;	       /* identity of its flush request */
	uint64_t d_ns;	       /* when that was issued last */
	struct rq *last;       /* a guest's: what it was then, if it has no bin yet */
	struct service served; /* dom0's: what is told of those that it was for */
	bool error;
	/* dom0's: for whom the next one is, by what came first, and came last */
	struct disk *first, *newest;
	uint32_t nr_waiting;
};

/* By the queue's identity, or by that of its flush request; or NULL. */
struct told_queue *told_queue_find(const struct disk *disk, uint32_t id);
struct told_queue *told_queue_by_rq(const struct disk *disk, uint32_t rq);
/* Made if it is not there; valid until the next one is. */
struct told_queue *told_queue_get(struct disk *disk, uint32_t id);
/* The flush @rq has its bin. */
void told_queue_forget(const struct disk *disk, const struct rq *rq);
void told_queues_free(struct told_queues *queues);

#endif
