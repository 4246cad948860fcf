/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which Qs a flush request of a disk serves.  The block layer issues one flush
 * for all that wait on a hardware queue, from a CPU of that queue, and names none
 * of them; each queue has one flush request, which comes again and again.  So a
 * CPU's queue is known once a flush was issued there.
 */
#ifndef LIBXBLK_FLUSH_H
#define LIBXBLK_FLUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

#define FLUSH_CPUS   64 /* as many as a channel has rings */
#define FLUSH_QUEUES 8	/* where a disk has more, most is doubtful */

#define FLUSH_RING_UNKNOWN (-1)
#define FLUSH_RING_SEVERAL (-2) /* a task was moved on its way, or the queues changed */

struct disk;
struct guest_rq;
struct rq;

/* The first Q on a CPU since a queue's last flush; .ns is 0 if there was none. */
struct flush_first {
	uint64_t ns;
	uint32_t pid;	       /* whose */
	uint32_t nr, nr_empty; /* bios since, and those with no data of their own */
	uint32_t nr_through; /* writes that are flushed behind, as the disk cannot more */
	bool doubtful;	     /* one may have gone on behind another queue's flush */
};

struct flush_queue {
	uint32_t rq;	   /* identity of its flush request */
	uint64_t d_ns;	   /* when it was issued last */
	uint64_t since_ns; /* and when before that */
	/*
	 * What seemed to wait and did not go on so far: at most, and if what does on CPUs
	 * of no known queue is others'; and these CPUs.
	 */
	uint32_t nr_left, nr_left_own;
	uint64_t along;
	uint32_t nr_own; /* what seemed to wait for the last one on CPUs of its own */
	/* a guest's: what that was, and the one before it, if it has no bin yet; or NULL */
	struct guest_rq *last, *before;
	/* The first one, until the one behind it has shown what waited for it; or NULL */
	struct guest_rq *first;
	struct flush_first waiting[FLUSH_CPUS];
};

struct flushes {
	const struct disk *disk;
	int queue_of[FLUSH_CPUS]; /* of a CPU; -1: not known */
	int ring_of[FLUSH_CPUS];  /* to which its requests go; FLUSH_RING_* */
	struct flush_queue *queues;
	unsigned int nr_queues;
	bool moves; /* threads go to other CPUs before their queue is chosen */
	struct flush_first waiting[FLUSH_CPUS]; /* for a queue that has issued none */
	struct list bios[FLUSH_CPUS]; /* dom0's empty ones that no request has taken up */
};

struct flushes *flushes_new(const struct disk *disk);
void flushes_free(struct flushes *f);
/* What is known of which queue a disk's flushes go to; made as needed. */
struct flushes *disk_flushes(struct disk *disk);
/* @empty: a bio with no data of its own. */
void flush_queued(struct flushes *f, uint32_t cpu, uint64_t ns, uint32_t pid, bool empty);
/* A write that was issued on @cpu waits for a flush behind it, for which no bio asks. */
void flush_behind(struct flushes *f, uint32_t cpu);
/* The number of the queue whose flush request is @rq: it is that of @cpu from now on. */
unsigned int flush_queue_of(struct flushes *f, uint32_t cpu, uint32_t rq);
/* A request that was issued on @cpu went to @ring: each hardware queue has its own. */
void flush_note_ring(struct flushes *f, uint32_t cpu, int ring);
/* Whether what is issued on @cpu goes to another ring than what is on any of @queue's. */
bool flush_other_ring(const struct flushes *f, int queue, uint32_t cpu);
/* The queue of @cpu is the one whose flush request is @rq, which was issued at @ns. */
void flush_known(struct flushes *f, uint32_t cpu, uint32_t rq, uint64_t ns);

/* What a flush request serves. */
struct flush_served {
	uint64_t q_ns;	   /* the earliest Q, if any */
	uint32_t pid;	   /* whose */
	uint64_t since_ns; /* when the queue issued its last one, which served all by
			      then; 0 if it has not */
	uint64_t cpus;	   /* a bit each, by number modulo FLUSH_CPUS: all that was queued
			      there */
	uint32_t nr;	   /* bios, and writes that it comes behind, that seem to be */
	bool any, through; /* there are bios, there are such writes */
	bool unsure;	   /* some may not be: if as many go on behind it, they are */
	bool doubt; /* some may have seemed to be for one before, and as many not be */
	bool any_queue; /* it may be for what seems to wait for another queue's */
	struct guest_rq *before; /* the queue's last one, if it has no bin yet; or NULL */
};

/* What is known by a flush's D. */
struct flush_seen {
	bool counted;	  /* all that went on behind its queue's last one */
	bool all_waiting; /* all on the disk that may wait for it */
};

/*
 * flush_issue.c: a guest's flush request @rq is issued.  All that may wait for it is
 * taken for its; q_ns and pid of @to stay if nothing does.
 */
void flush_issued(struct flushes *f, uint32_t cpu, struct guest_rq *rq,
		  const struct flush_seen *seen, struct flush_served *to);
/*
 * One of dom0's.  What waits on CPUs of no known queue is its only if nothing else does.
 * Return: whether anything waits for it.
 */
bool flush_issued_backend(struct flushes *f, uint32_t cpu, const struct rq *rq,
			  struct flush_served *to);
/* What waited for a flush went on behind @rq, which was one. */
void flush_gone_on(struct flushes *f, struct guest_rq *rq);
/* Its queue, by its flush request's identity; or NULL. */
struct flush_queue *flush_queue(const struct flushes *f, uint32_t rq);
/* When that request was issued last; 0 if it was not. */
uint64_t flush_since(const struct flushes *f, uint32_t rq);
/* What the flush request of that identity was when it was issued last; or NULL. */
struct guest_rq *flush_last(const struct flushes *f, uint32_t rq);
/* The last one before what was queued at @q_ns and is issued on @cpu now; or NULL. */
struct guest_rq *flush_before(const struct flushes *f, uint32_t cpu, uint64_t q_ns);
/*
 * A write that may have waited for a flush is issued on @cpu now, and its Q is not known:
 * the last one that it can have waited for is doubtful.
 */
void flush_doubt_last(const struct flushes *f, uint32_t cpu);
/*
 * Whether @rq is the first one of its queue, and what was queued before the trace may
 * have been its: as many more go on behind the next one.
 */
bool flush_first_doubtful(const struct flushes *f, const struct guest_rq *rq);
/* It has its bin. */
void flush_forget(const struct flushes *f, const struct guest_rq *rq);

#endif
