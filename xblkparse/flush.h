/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which Qs a flush request of a disk serves.  The block layer issues one flush
 * for all that wait on a hardware queue, from a CPU of that queue, and names none
 * of them; each queue has one flush request, which comes again and again.  So a
 * CPU's queue is known once a flush was issued there.
 */
#ifndef XBLKPARSE_FLUSH_H
#define XBLKPARSE_FLUSH_H

#include <stdint.h>

#include "list.h"

#define FLUSH_CPUS 64 /* as many as a channel has rings */

/* The first Q on a CPU since a queue's last flush; .ns is 0 if there was none. */
struct flush_first {
	uint64_t ns;
	uint32_t pid; /* whose */
};

struct flush_queue {
	uint32_t rq;   /* identity of its flush request */
	uint64_t d_ns; /* when it was issued last */
	struct flush_first waiting[FLUSH_CPUS];
};

struct flushes {
	int queue_of[FLUSH_CPUS]; /* of a CPU; -1: not known */
	struct flush_queue *queues;
	unsigned int nr_queues;
	struct flush_first waiting[FLUSH_CPUS]; /* for a queue that has issued none */
	struct list bios[FLUSH_CPUS]; /* dom0's empty ones that no request has taken up */
};

enum flush_q {
	FLUSH_Q_NONE,
	FLUSH_Q_FOUND,
	FLUSH_Q_AMBIGUOUS
};

struct flushes *flushes_new(void);
void flushes_free(struct flushes *f);
void flush_queued(struct flushes *f, uint32_t cpu, uint64_t ns, uint32_t pid);
/* The queue of @cpu is the one whose flush request is @rq. */
void flush_known(struct flushes *f, uint32_t cpu, uint32_t rq);

/* What a flush request serves. */
struct flush_served {
	uint64_t q_ns;	   /* the earliest Q, if any */
	uint32_t pid;	   /* whose */
	uint64_t since_ns; /* when the queue issued its last one, which served all by
			      then; 0 if it has not */
	uint64_t cpus;	   /* a bit each, by number modulo FLUSH_CPUS: all that was queued
			      there */
};

/* The flush request @rq is issued; q_ns and pid of @to stay if nothing is known to wait. */
enum flush_q flush_issued(struct flushes *f, uint32_t cpu, uint32_t rq, uint64_t ns,
			  struct flush_served *to);

#endif
