/* SPDX-License-Identifier: GPL-2.0-only */
/* A request, as far as it is known. */
#ifndef LIBXBLK_RQ_H
#define LIBXBLK_RQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "join/bio.h"
#include "join/clones.h"
#include "join/disk.h"
#include "join/place.h"
#include "xblk.h"

struct crowd;

/* The times on a request's way between those of its stages; 0: not known. */
struct waypoints {
	uint64_t interrupt_ns; /* of the backend's ring */
	uint64_t thread_ns;
	uint64_t response_ns;
	uint64_t front_interrupt_ns; /* if it came back to the guest, served or not */
};

enum rq_flags {
	RQ_NO_Q = 1 << 0,	   /* a bio of it is not known */
	RQ_CONTRADICTION = 1 << 1, /* its records do not fit together */
	RQ_REQUEUED = 1 << 2,	   /* came back and has not been issued again */
	RQ_MATCHED = 1 << 3,	   /* dom0 has queued all of it */
	RQ_COMPLETED = 1 << 4,	   /* came back to the guest */
	RQ_DROPPED = 1 << 5,	   /* a dom0 bio of it was forgotten */
	RQ_AMBIGUOUS = 1 << 6,	   /* which of several it belongs to cannot be told */
	RQ_FLUSHING = 1 << 7,	   /* an outstanding flush of its disk */
	RQ_UNORDERED = 1 << 8,	/* which place it has on its ring is still to be told */
	RQ_IN_ORDER = 1 << 9,	/* matched by its place on the ring */
	RQ_LAYERED = 1 << 10,	/* a layer did a part, and may have done more */
	RQ_ANSWERED = 1 << 11,	/* the response to it is known by its number */
	RQ_UNSURE = 1 << 12,	/* a flush: only what goes on behind it tells its Q */
	RQ_DOUBT = 1 << 13,	/* a flush: not even that does */
	RQ_OWN_FLUSH = 1 << 14, /* a flush: dom0's can be no other one */
	RQ_MISSED = 1 << 15,	/* a record of it is not there, whether told or not */
};

/* One of dom0's, and what of a guest's is the same.  By lines of the cache, as bios are. */
struct rq {
	struct disk *disk;
	uint64_t sector;
	uint32_t nr_sectors, id;
	uint16_t flags;
	uint8_t op;
	uint32_t error;
	uint64_t d_ns; /* the last issue */
	uint64_t q_ns;
	struct list bios;

	struct list age;
	uint64_t first_d_ns, requeued_ns; /* see struct service */
	union {
		struct disk *credited; /* dom0's: guest disk that it counts for */
		struct place *place;   /* a guest's: where it begins */
	};
	uint32_t first_bio, done_sectors;
	uint32_t bio_sectors;  /* of all bios that it was issued with */
	uint32_t nr_bios, pid; /* who queued the earliest bio; 0: not known */
	uint32_t requeues;

	uint64_t requeue_ns; /* if RQ_REQUEUED */
};

/* A guest's. */
struct guest_rq {
	struct rq base;		  /* first: see guest_rq() */
	struct list backend_bios; /* backend_bio.match */
	struct list match;	  /* place->requests */
	uint32_t matched_sectors;
	uint32_t match_pid; /* dom0 thread that has queued a part */
	uint32_t nr_backend_bios;
	uint32_t ordinal; /* on its ring */
	int ring;	  /* which it was put on, or RING_UNKNOWN */
	uint32_t request; /* what blkback's bios say whose they are; 0: not known */

	uint64_t c_ns;
	struct crowd *crowd;  /* of its place; NULL: it is alone there */
	struct list respond;  /* stream->responses: dom0 is done with it */
	uint32_t outstanding; /* of its dom0 bios */
	uint32_t cpu;	      /* vCPU that issued it last */
	uint32_t clock_generation, backend_clock_generation;
	/* a flush's: what seems to have waited for it, and what went on behind it */
	uint32_t nr_waiting, nr_gone_on;
	bool flush_told;	/* a flush: what goes on behind it has its name */
	bool served;		/* something of it was done, and the following is known */
	bool held;		/* it is in a list of those that are */
	bool cloned;		/* chain.clones is there */
	uint16_t backend_error; /* as a bio's: of all of dom0's that are done */

	struct place own; /* if @place says so */

	struct {
		uint64_t q_ns, c_ns;
		struct service by;
		struct clones *clones; /* if cloned */
		uint32_t request;
	} chain; /* if served: of blkback's bio that completed last */
	struct waypoints way;

	/* if held: completed, but not all in order, or a loss may still be told of */
	struct list hold; /* join->hold or join->doubt */
	uint64_t hold_until;
	struct {
		uint64_t interrupt_ns, thread_ns;
	} slot; /* if nr_backend_bios: that its last one is of, see struct waypoints */
};

/* What of them is cleared at first, as of bios. */
#define RQ_CLEAR       offsetof(struct rq, requeue_ns)
#define GUEST_RQ_CLEAR offsetof(struct guest_rq, own)

/* @rq: a guest's, or NULL. */
static inline struct guest_rq *guest_rq(struct rq *rq)
{
	return (struct guest_rq *)rq;
}

/* How many bios were issued as @rq, one of dom0's; 0: not known. */
static inline uint32_t rq_known_bios(const struct rq *rq)
{
	return rq->flags & (RQ_NO_Q | RQ_CONTRADICTION) ? 0 : rq->nr_bios;
}

/* dom0's requests count for the guest disk of the first bio that has one. */
static inline void rq_credit(struct rq *rq, struct disk *guest_disk)
{
	if (!guest_disk || rq->credited)
		return;
	rq->credited = guest_disk;
	merge_count_issued(&counts_of(guest_disk)->backend, rq->nr_sectors);
}

/* @bio is one of those that @rq is made of. */
static inline void rq_take(struct rq *rq, struct bio *bio)
{
	list_del(&bio->in_rq);
	list_add_tail(&rq->bios, &bio->in_rq);
	bio->rq = rq;
	bio->flags &= ~(BIO_CLONE | BIO_OVER);
	rq->nr_bios++;
	rq->bio_sectors += bio->nr_sectors;
	bio_root(bio)->flags |= BIO_ISSUED;
}

/* @rq is in none of the lists of those that are held. */
static inline void hold_no_longer(struct guest_rq *rq)
{
	if (rq->held)
		list_unlink(&rq->hold);
	rq->held = false;
}

static inline int64_t ns_between(uint64_t from, uint64_t to)
{
	return (int64_t)(to - from);
}

/*
 * Of a request of which all was seen.  Who needs them makes them: a copy of what has just
 * been written waits until that is in the cache.
 */
static inline void rq_stages(const struct guest_rq *rq, int64_t stages[STAGE_MAX])
{
	const struct service *by = &rq->chain.by;
	int64_t requeued_ns = (int64_t)by->requeued_ns;

	stages[STAGE_U_Q2D] = ns_between(rq->base.q_ns, rq->base.d_ns);
	stages[STAGE_U_T] = ns_between(rq->base.d_ns, rq->chain.q_ns);
	stages[STAGE_0_Q2D] = ns_between(rq->chain.q_ns, by->d_ns) + requeued_ns;
	stages[STAGE_0_D2C] = ns_between(by->d_ns, rq->chain.c_ns) - requeued_ns;
	stages[STAGE_0_T] = ns_between(rq->chain.c_ns, rq->c_ns);
	stages[STAGE_Q2C] = ns_between(rq->base.q_ns, rq->c_ns);
}

#endif
