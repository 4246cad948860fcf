/* SPDX-License-Identifier: GPL-2.0-only */
/* A bio, as far as it is known. */
#ifndef LIBXBLK_BIO_H
#define LIBXBLK_BIO_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/util.h"

struct disk;
struct guest_rq;
struct kin;
struct place;
struct rq;

enum bio_flags {
	BIO_NO_Q = 1 << 0,	 /* its Q was not seen */
	BIO_UNMATCHED = 1 << 1,	 /* blkback's, and no guest request fits so far */
	BIO_DONE = 1 << 2,	 /* completed, kept only for a match */
	BIO_SERVES = 1 << 3,	 /* blkback's own: made for a guest's request */
	BIO_SENT = 1 << 4,	 /* sent to its disk; a Q there is of it */
	BIO_CLONE = 1 << 5,	 /* no more than sent: its Q is still to come */
	BIO_OVER = 1 << 6,	 /* what is left of it is, but not what was cut from it */
	BIO_AMBIGUOUS = 1 << 7,	 /* what was made of it, or of what it was made */
	BIO_UNFOLLOWED = 1 << 8, /* it went where nothing is traced, or was forgotten */
	BIO_ISSUED = 1 << 9,	 /* something of it was */
	BIO_STRAY = 1 << 10,	 /* there were requests when it came, but none fitted */
	BIO_LAYERED = 1 << 11,	 /* a device that makes no requests did it */
	/* what was done last of it had been cut off before the rest was sent on */
	BIO_BESIDE = 1 << 12,
	BIO_WAITS = 1 << 13,	     /* for a flush, without a request that is issued */
	BIO_FLUSHED_FIRST = 1 << 14, /* a guest's: its request waits for a flush */
	BIO_FLUSH_TOLD = 1 << 15,    /* dom0's: by which flush it was served */
};

/* A device's part in a bio.  Where none has, nothing behind @c_ns is known. */
struct service {
	const struct disk *disk; /* or NULL */
	uint64_t c_ns;		 /* 0: not done */
	uint64_t q_ns;		 /* at that device, the lowest one */
	uint64_t d_ns;		 /* the first issue */
	uint64_t requeued_ns;	 /* from each requeue to the next issue, in sum */
	uint32_t requeues;	 /* so many */
	uint32_t nr_bios;	 /* in the request; 0: none, or not known */
};

/*
 * A guest's, and what of one of dom0's is the same.  By lines of the cache, of which it
 * fills some; what every event looks at comes first.
 */
struct bio {
	struct list age;   /* of the domain, oldest first */
	struct list in_rq; /* rq->bios, or its disk's flushes->bios */
	struct disk *disk;
	struct rq *rq;	 /* issued as part of, or NULL */
	uint64_t sector; /* of what is left, where parts were cut from its front */
	uint32_t nr_sectors;
	uint16_t flags;
	uint8_t op;
	union {
		uint8_t cpu;  /* an empty flush's */
		uint8_t turn; /* its queue's, since when it waits there */
	};

	uint32_t id, pid; /* who queued what it was made of */
	uint32_t queuer;  /* and it itself */
	int16_t ring;
	uint16_t error; /* with which something of it failed first; or 0 */
	uint64_t q_ns, lowest_q_ns;
	struct disk *guest_disk; /* whose I/O it is, or is a part of; or NULL */
	struct kin *kin;	/* NULL: made of no other one, and searched for by none */
	struct guest_rq *owner; /* that it serves, or NULL */
	union {
		uint64_t c_ns; /* dom0's: when all of it was done */
		/* until then: the request and the queue in which it waits for a flush */
		struct {
			uint32_t rq, queue;
		} waits;
	};
};

/* One of dom0's. */
struct backend_bio {
	struct bio base;   /* first: see backend_bio() */
	struct list match; /* owner->backend_bios; BIO_UNMATCHED: place->bios */
	uint64_t interrupt_ns, thread_ns; /* see struct waypoints */
	uint64_t guest_sector;		  /* as it was queued, on the guest's disk */
	uint32_t guest_nr;		  /* the same */
	uint32_t request;  /* of blkback, by a BACKEND_BIO record; 0: not known */
	struct service by; /* of what was done last of it */

	/* only if BIO_UNMATCHED */
	struct place *place;
	/* neighbours in a row that may be one request's */
	struct backend_bio *before, *behind;
	struct list wait_age; /* join->wait_age */
};

/* What is cleared at first: what is behind that is said to be there when it is. */
#define BACKEND_BIO_CLEAR offsetof(struct backend_bio, by.q_ns)

/* @bio: one of dom0's, or NULL. */
static inline struct backend_bio *backend_bio(struct bio *bio)
{
	return (struct backend_bio *)bio;
}

/* Of what failed in parts, the first counts. */
static inline void note_error(uint16_t *error, uint32_t with)
{
	if (unlikely(with) && !*error)
		*error = with < UINT16_MAX ? with : UINT16_MAX;
}

#endif
