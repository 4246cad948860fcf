/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The join: bios and requests of every domain from their events, and each
 * guest request's way through dom0.
 *
 * join.c   which event does what; gaps, clocks, the end
 * bios.c   bios: queued, split, remapped, forgotten
 * rqs.c    requests: issued, requeued, completed, forgotten
 * way.c    what happens between the stages' ends
 * match.c  a guest's request <-> dom0's bios; the stages; the bins
 * account.c  what has become of a request, into the statistics of its disk
 * verdict.c  which requests a loss concerns, also one that is told of later
 */
#ifndef XBLKPARSE_JOIN_H
#define XBLKPARSE_JOIN_H

#include <stdbool.h>
#include <stdint.h>

#include "list.h"
#include "merge.h"
#include "model.h"
#include "pool.h"
#include "stats.h"
#include "substages.h"

/*
 * How long one side of a match waits for the other one to show up in the
 * merged order.  Clocks are known far better; late records are not.
 */
#define JOIN_WAIT_NS 10000000ull

/* Of one domain; beyond, the oldest go. */
#define JOIN_MAX_IN_FLIGHT (1u << 20)

struct filter;
struct rq;

enum bio_flags {
	BIO_NO_Q = 1 << 0,	/* its Q was not seen */
	BIO_UNMATCHED = 1 << 1, /* blkback's, and no guest request fits so far */
	BIO_DONE = 1 << 2,	/* completed, kept only for a match */
};

/* What every event looks at comes first: a bio is larger than a cache line. */
struct bio {
	struct list age;   /* of the domain, oldest first */
	struct list in_rq; /* rq->bios, or its disk's flushes->bios */
	struct disk *disk;
	struct rq *rq; /* issued as part of, or NULL */
	uint64_t sector;
	uint32_t nr_sectors;
	uint8_t op, flags;
	uint16_t cpu; /* an empty flush's */

	uint32_t id, pid;
	uint64_t q_ns;
	struct disk *guest_disk; /* blkback's: whose I/O it is */
	struct rq *owner;	 /* guest request it serves, or NULL */
	struct list match; /* owner->backend_bios; BIO_UNMATCHED: guest->unmatched */
	/* dom0's, see struct waypoints */
	uint64_t interrupt_ns, thread_ns, lowest_q_ns;
	uint64_t d_ns, c_ns;
	struct list wait_age; /* join->wait_age, if BIO_UNMATCHED */
};

enum rq_flags {
	RQ_NO_Q = 1 << 0,	   /* a bio of it is not known */
	RQ_CONTRADICTION = 1 << 1, /* its records do not fit together */
	RQ_REQUEUED = 1 << 2,	   /* came back and has not been issued again */
	RQ_MATCHED = 1 << 3,	   /* dom0 has queued all of it */
	RQ_COMPLETED = 1 << 4,	   /* came back to the guest */
	RQ_DROPPED = 1 << 5,	   /* a dom0 bio of it was forgotten */
	RQ_AMBIGUOUS = 1 << 6,	   /* a flush, and which Q it has cannot be told */
	RQ_CLAIMS = 1 << 7,	   /* it is counted in its guest's claims */
	RQ_FLUSHING = 1 << 8,	   /* an outstanding flush of its disk */
};

struct rq {
	struct list age;
	struct list bios;
	struct disk *disk;
	uint64_t sector;
	uint64_t d_ns; /* the last issue */
	uint32_t nr_sectors, id, first_bio, done_sectors;
	uint32_t requeues, error;
	uint16_t flags;
	uint8_t op;
	uint16_t claim;
	struct disk *credited; /* dom0's: guest disk that it counts for */
	uint32_t nr_bios, pid; /* who queued the earliest bio; 0: not known */
	uint64_t q_ns;

	/* a guest's: one of dom0's ends here */
	uint64_t c_ns;
	uint64_t matched_sectors;
	uint32_t match_pid; /* dom0 thread that has queued a part */
	uint32_t cpu;	    /* vCPU that issued it last */
	uint32_t nr_backend_bios, outstanding;
	uint32_t clock_generation, backend_clock_generation;
	struct list backend_bios;
	struct list match;   /* guest->match */
	struct list hold;    /* join->hold: completed, but not all in order */
	struct list respond; /* stream->responses: dom0 is done with it */
	struct waypoints way;
	uint64_t hold_until;
	struct {
		bool known;
		const struct disk *disk;
		uint64_t q_ns, d_ns, c_ns;
	} chain; /* of the dom0 bio that completed last */
};

/* How many verdicts may still change when a loss becomes known. */
#define VERDICTS 1024

/* When a loss in the guest or in dom0 would explain why a request is not joined. */
struct verdict {
	struct disk *disk; /* NULL: nothing here any more */
	uint64_t guest_from, guest_to, backend_from, backend_to;
	enum bin bin;
};

/* A guest request has ended; @stages is NULL unless all of it was seen. */
typedef void (*join_request_fn)(void *ctx, const struct rq *rq, enum bin bin,
				const int64_t stages[STAGE_MAX]);

struct join {
	struct model *model;
	struct pool bios, rqs, backend_rqs;
	struct list hold;     /* guest requests, by hold_until */
	struct list wait_age; /* unmatched bios, oldest first */
	uint64_t now_ns;      /* as far as dom0 and the rounds have come */
	uint64_t last_ns;     /* youngest record */
	uint64_t start_ns;    /* of the trace */
	bool partial;	      /* what was before the span that is asked for is left out */
	struct stream *now;   /* whose record it is */
	uint64_t records;
	uint64_t max_in_flight;
	struct verdict verdicts[VERDICTS]; /* the last ones */
	uint64_t nr_verdicts;
	/* set by the caller */
	const struct filter *filter; /* requests that count, or NULL: all */
	unsigned int top;	     /* how many of the slowest are kept */
	bool windows;		     /* keep statistics for a running report */
	/* on at first; each costs some ns a request */
	bool timeline, processes;
	join_request_fn on_request; /* or NULL */
	void *ctx;
};

void join_init(struct join *j, struct model *model);
void join_deinit(struct join *j);
/* Records before the span that is asked for: what they teach, and nothing else. */
void join_skim(struct stream *s, const struct xblk_record *records, size_t nr);
/* What becomes of the records; their ctx is a struct join. */
extern const merge_emit_pair join_emit[EVENTS];
/* All records before @ns have been given. */
void join_advance(struct join *j, uint64_t ns);
/* The trace is over: whatever is not complete gets its bin. */
void join_finish(struct join *j);

/* Something is missing from a stream of @dom. */
void join_gap(struct join *j, struct domain *dom, uint64_t from, uint64_t to);

/* Whether anything is known to be missing of @guest's streams or of dom0's. */
static inline bool join_lossy(const struct join *j, const struct domain *guest)
{
	return guest->gaps.nr || (j->model->backend && j->model->backend->gaps.nr);
}

/* Two records may be of the same I/O: what guest and dom0 call it may differ. */
static inline unsigned int op_class(unsigned int op)
{
	op &= XBLK_OP_MASK;
	if (op == XBLK_OP_SECURE_DISCARD)
		return XBLK_OP_DISCARD;
	return op;
}

static inline bool same_class(unsigned int a, unsigned int b)
{
	return !((a ^ b) & XBLK_OP_MASK) || op_class(a) == op_class(b);
}

static inline bool is_flush(const struct xblk_record *r)
{
	return !r->nr_sectors &&
	       ((r->op & XBLK_OP_MASK) == XBLK_OP_FLUSH || (r->op & XBLK_OP_F_PREFLUSH));
}

/* way.c */
void way_ring(struct stream *s, const struct xblk_record *r);
void way_interrupt(struct stream *s, const struct xblk_record *r);
void way_response(struct stream *s, const struct xblk_record *r);
void way_queued(struct bio *bio, struct process *p);
void way_done(struct join *j, struct rq *rq);
void way_forget_done(struct stream *s);
void way_completed(const struct stream *s, struct rq *rq);

/* bios.c */
void bio_queue_guest(struct join *j, struct stream *s, const struct xblk_record *r);
void bio_queue_backend(struct join *j, struct stream *s, const struct xblk_record *r);
void bio_merged(struct join *j, struct stream *s, const struct xblk_record *r);
void bio_split(struct join *j, struct stream *s, const struct xblk_record *r);
void bio_complete(struct join *j, struct stream *s, const struct xblk_record *r);
void bio_free(struct join *j, struct bio *bio);
/* Its events do not continue: the owner will not see it completed. */
void bio_forget(struct join *j, struct bio *bio);

/* rqs.c */
void rq_issue_guest(struct join *j, struct stream *s, const struct xblk_record *r);
void rq_issue_backend(struct join *j, struct stream *s, const struct xblk_record *r);
void rq_skim(struct stream *s, const struct xblk_record *r);
void rq_part(struct join *j, struct stream *s, const struct xblk_record *r);
void rq_requeue(struct stream *s, const struct xblk_record *r);
void rq_merged(struct join *j, struct stream *s, const struct xblk_record *r);
void rq_complete_guest(struct join *j, struct stream *s, const struct xblk_record *r);
void rq_complete_backend(struct join *j, struct stream *s, const struct xblk_record *r);
/* Unlink from everything; the object is gone afterwards. */
void rq_free(struct join *j, struct rq *rq);

/* match.c */
void match_bio(struct join *j, struct bio *bio);
void match_rq(struct join *j, struct rq *rq);
/* @child takes over a part of what @bio does for a guest. */
void match_inherit(struct bio *child, struct bio *bio);
/* It leaves what it is in: its owner's bios, or those that wait for one. */
void match_forget_bio(struct bio *bio);
/* @bio begins at another sector now. */
void match_moved(struct bio *bio);
void match_bio_done(struct join *j, struct bio *bio);
/* A guest's request is in flight, or no longer. */
void match_claim(struct rq *rq);
void match_release(struct rq *rq);
/* Undo all matching of a guest request. */
void match_detach(struct rq *rq);
/* The guest has its request back. */
void match_completed(struct join *j, struct rq *rq);
/* It will not get any further: count it in the bin where it belongs. */
void match_give_up(struct join *j, struct rq *rq, bool at_end);
void match_expire(struct join *j);
/* A completion whose request was never seen. */
void match_orphan(struct join *j, struct disk *disk, const struct xblk_record *r);

/* account.c */
/* A guest's request has ended; false if a filter leaves it out. */
bool account_request(struct join *j, const struct rq *rq, enum bin bin,
		     const int64_t *stages);
/* A guest's request, or one of dom0's that counts for @disk, completed at @ns. */
void account_done(struct join *j, struct disk *disk, enum side side, const struct rq *rq,
		  uint64_t ns);
void account_flush_begin(struct rq *rq);
void account_flush_end(struct rq *rq, uint64_t ns);
/* The trace is over: before and after requests in flight got their bins. */
void account_queued_bios(struct join *j);
void account_finish(struct join *j);

/* verdict.c */
struct verdict verdict_span(const struct join *j, const struct rq *rq);
bool verdict_lost(const struct join *j, const struct verdict *v);
void verdict_keep(struct join *j, struct verdict v, enum bin bin);

#endif
