/* SPDX-License-Identifier: GPL-2.0-only */
/* The queues of a disk in which requests wait for a flush, as FLUSH_QUEUE records tell. */
#ifndef LIBXBLK_TOLD_QUEUES_H
#define LIBXBLK_TOLD_QUEUES_H

#include <stdbool.h>
#include <stdint.h>

#include "join/bio.h"

struct disk;
struct guest_rq;
struct told_queues;

#define TOLD_TURNS 3

struct told_queue {
	uint32_t id;
	uint32_t rq;   /* identity of its flush request */
	uint64_t d_ns; /* when that was issued last */
	/* a guest's: what it was then, and before that, if it has no bin yet; or NULL */
	struct guest_rq *last, *before;
	uint8_t unseen;	       /* so many to come may be for one whose Q was not seen */
	struct service served; /* dom0's: what is told of those that it was for */
	uint32_t error;
	/* dom0's: for whom the next one is, by what came first, and came last */
	struct disk *first, *newest;
	/*
	 * A guest's with data, dom0's that are for a guest: how many wait that came since
	 * its request was issued last, before that, and before the one before that.
	 */
	uint32_t nr_waiting[TOLD_TURNS];
	uint8_t turn; /* so often it was issued */
};

/* By the queue's identity, or by that of its flush request; or NULL. */
struct told_queue *told_queue_find(const struct disk *disk, uint32_t id);
struct told_queue *told_queue_by_rq(const struct disk *disk, uint32_t rq);
/* Made if it is not there; valid until the next one is. */
struct told_queue *told_queue_get(struct disk *disk, uint32_t id);
/* One waits, and does no more. */
void told_queue_wait(struct told_queue *q, struct bio *bio);
void told_queue_go(struct told_queue *q, const struct bio *bio);
/* Its request is issued, for those that waited for it or for the one before. */
void told_queue_turn(struct told_queue *q);
/*
 * Whether all has gone on that waited for a guest's flush, as long as none was issued
 * behind it: that the block layer does when what had data is done.
 */
bool told_queue_gone_on(const struct guest_rq *rq);
/*
 * A Q by @q_ns may have waited for a flush of the disk that has ended, whichever queue it
 * is: the last one that has of each is doubtful.
 */
void told_queues_doubt(const struct disk *disk, uint64_t q_ns);
/* The same of one queue. */
void told_queue_doubt(const struct told_queue *q, uint64_t q_ns);
/* The flush @rq has its bin. */
void told_queue_forget(const struct disk *disk, const struct guest_rq *rq);
void told_queues_free(struct told_queues *queues);

#endif
