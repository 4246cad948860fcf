/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The join: bios and requests of every domain from their events, and each
 * guest request's way through dom0.
 *
 * join.c   which event does what; gaps, clocks, the end
 * bios.c   bios: queued, split, sent on, completed
 * rqs.c    requests: issued, requeued, completed, forgotten
 * clones.c which bio another one was made of
 * flush_told.c  which flush a bio waited for, where the trace tells it,
 * flush*.c   and where it does not
 * told_queues.c  the queues in which, where they are told
 * way.c    what happens between the stages' ends
 * match.c  a guest's request <-> dom0's bios
 * judge.c  what has become of a request: the stages, the bins
 * place.c  which requests and bios begin where
 * life.c   the beginning of a bio, the end of a bio or request
 * request.c  what is told of one that has ended
 * verdict.c  which requests a loss concerns, also one that is told of later
 */
#ifndef LIBXBLK_JOIN_H
#define LIBXBLK_JOIN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/counts.h"
#include "base/list.h"
#include "base/pool.h"
#include "input/merge.h"
#include "input/model.h"
#include "xblk.h"

/*
 * How long one side of a match waits for the other one to show up in the
 * merged order.  Clocks are known far better; late records are not.
 */
#define JOIN_WAIT_NS 10000000ull

/*
 * How long after a loss it is told of at the latest, where its CPU goes on: xblktrace
 * looks at each buffer several times a second.
 */
#define JOIN_TOLD_NS 500000000ull

/* Of one domain; beyond, the oldest go. */
#define JOIN_MAX_IN_FLIGHT (1u << 20)

/*
 * All guests share so many requests as four disks of eight rings with 512 slots have, and
 * more bios, of which large requests have several, in 20 MB.  Each may have beyond what
 * four rings of one page hold, so that one that writes what it likes takes nothing from
 * the others; in 100 KiB.  So of 65 guests that have eight such rings full at a time some
 * requests are not followed; for as many of its own for each, a thousand guests would
 * take more than 256 KiB each.
 */
#define JOIN_SHARED_RQS	 16384u
#define JOIN_SHARED_BIOS 24576u
#define JOIN_OWN	 128u
/*
 * Requests that dom0 is done with, and the guests have not back, are few: as many keep
 * the times of their clones, of all guests and of each, in 2.3 MB and 9 KiB.
 */
#define JOIN_SHARED_CLONED 4096u
#define JOIN_OWN_CLONED	   16u

#define FOUND 1024 /* lists of bios, by hash */
/* In one of these: so many a guest could have at one place, on 32 rings of 512 slots. */
#define FOUND_MAX 16384

struct flushes;
struct flush_times;
struct told_queues;
struct verdicts;
struct rq;

/* A disk, and what the join keeps of it: what the model makes is as large. */
struct join_disk {
	struct disk disk;
	struct disk_counts counts;
	uint64_t first_d_ns; /* of its first request that was seen to be issued; or 0 */
	/* when requests were last under way that had been issued before; or 0 */
	uint64_t unseen_ns;
	uint64_t evicted; /* of its requests that were told of so: their ends are to come */
	uint64_t no_q_ns;   /* when one was last issued whose Q was before; or 0 */
	uint64_t served_ns; /* dom0's first bio for it since its guest's records began; or
			       0 */
	/* of both sides; NULL until there is one */
	struct flushes *flushes;
	struct flush_times *flush_times;
	struct told_queues *told_queues;
	struct verdicts *verdicts; /* that a loss may still change */
	/*
	 * blkback's thread (pid) that served a vCPU's requests last, by those that had
	 * their place to themselves; 0: not known.
	 */
	uint32_t ring_thread[RING_CPUS];
	/* see clones.c */
	bool searched; /* its bios are found by their sectors */
	bool at_once;  /* the thread that queues a bio sends it on */
	bool later;    /* or another one does */
	/* What it sent on ends its bios in the same breath, or not: 2: reads, 1: others */
	uint8_t ends_at_once, ends_later;
};

static inline struct join_disk *join_disk(const struct disk *disk)
{
	return (struct join_disk *)disk;
}

static inline struct disk_counts *counts_of(const struct disk *disk)
{
	return &join_disk(disk)->counts;
}

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
 * By lines of the cache, of which it fills some; what every event looks at comes first.
 * What is not cleared at first is behind.
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
	struct kin *kin;  /* NULL: made of no other one, and searched for by none */
	struct rq *owner; /* guest request it serves, or NULL */
	union {
		uint64_t c_ns; /* dom0's: when all of it was done */
		/* until then: the request and the queue in which it waits for a flush */
		struct {
			uint32_t rq, queue;
		} waits;
	};

	/* dom0's: one of a guest's ends here */
	struct list match; /* owner->backend_bios; BIO_UNMATCHED: place->bios */
	uint64_t interrupt_ns, thread_ns; /* see struct waypoints */
	uint64_t guest_sector;		  /* as it was queued, on the guest's disk */
	uint32_t guest_nr;		  /* the same */
	uint32_t request;  /* of blkback, by a BACKEND_BIO record; 0: not known */
	struct service by; /* of what was done last of it */

	/* only if BIO_UNMATCHED */
	struct place *place;
	struct bio *before, *behind; /* neighbours in a row that may be one request's */
	struct list wait_age;	     /* join->wait_age */
};

#define BIO_GUEST_SIZE	  offsetof(struct bio, match)
#define BIO_BACKEND_CLEAR offsetof(struct bio, by.q_ns)

/* A part or a clone that is done. */
struct clone {
	const struct disk *disk; /* where it was, itself */
	uint64_t sector, q_ns, d_ns, c_ns, requeued_ns;
	uint32_t nr_sectors, requeues;
	uint32_t level; /* 1: made of blkback's bio, 2: of one of these, and so on */
	uint16_t error;
};

/* Those of blkback's bio: how many, and the last ones of them, see clone_kept(). */
struct clones {
	uint32_t nr;
	uint64_t first_ns; /* when the first of all was done; 0: not known */
	struct clone last[XBLK_CLONES];
};

/* A bio among those that it was made of and that were made of it. */
struct kin {
	struct bio *bio, *up; /* @up: of which it is a part or a clone; or NULL */
	struct list made;     /* of it: kin.sibling */
	struct list sibling;
	struct clones *clones; /* of a guest's that was made of no other: those that are
				  done, with what was made of them; or NULL */
	unsigned int nr_open;  /* parts and clones that are not done */
	bool left;	       /* its list had too many: it is counted there alone */
	struct list in_found;  /* by its sectors; see clones.c */
	struct found *found;   /* which list that is; or NULL */
	uint64_t sector;       /* as it was queued, or sent on itself */
	uint32_t nr_sectors;
	uint32_t sent_sectors; /* of parts and clones since then, in sum */
	struct {
		uint32_t sectors; /* of these, those to one disk */
		uint16_t disk;
	} legs[2];		  /* of the first disks */
	uint32_t level, up_level; /* how often it was sent on, and @up before this one */
};

/* Bios that are searched for what was made of one. */
struct found {
	struct list bios; /* kin.in_found, the oldest first */
	unsigned int nr;
	unsigned int nr_left; /* others that would be in it, see FOUND_MAX */
};

/* Requests at one place, each of which was issued before another one came back. */
struct crowd {
	unsigned int users;
	unsigned int flags;
	uint64_t cpus;	     /* vCPUs that issued them, a bit each modulo RING_CPUS */
	uint64_t cpus_twice; /* of these, those that issued more than one */
	/* where the longest one ends that had not got all, and for which no ring speaks */
	uint64_t longest;
};

/*
 * Where requests of a guest begin, as long as there are any, or bios that wait for one.
 * Mostly there is one request, and its place is a part of it: who finds the one has found
 * the other.  Where there are more, or others were, it is a struct crowded.
 */
struct place {
	struct place *next;  /* in its list */
	struct place **link; /* what points to it there */
	const struct disk *disk;
	uint64_t at;	      /* see place_at() */
	struct list requests; /* of which dom0 has queued nothing */
	struct rq *only;      /* whose part it is; NULL: it is a struct crowded */
	uint32_t nr;	      /* requests that were issued and have no bin yet */
	uint32_t nr_out;      /* of these, those that have not come back */
};

struct crowded {
	struct place place;
	struct list bios;     /* blkback's, which no request fits */
	struct crowd *crowd;  /* of those that are out, or were last; or NULL */
	struct crowd *before; /* of which some may have no bin yet; or NULL */
};

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

/* By lines of the cache, too. */
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

	/* a guest's: one of dom0's ends here */
	struct list backend_bios;
	struct list match; /* place->requests */
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

/* What is behind that is said to be there when it is. */
#define RQ_CLEAR	 offsetof(struct rq, own)
#define RQ_BACKEND_CLEAR offsetof(struct rq, requeue_ns)
#define RQ_BACKEND_SIZE	 offsetof(struct rq, backend_bios)

/* When a loss in the guest or in dom0 would explain why a request is not joined. */
struct verdict {
	struct disk *disk;
	uint64_t guest_from, guest_to, backend_from, backend_to;
};

/* What has become of a guest's request. */
struct ending {
	enum bin bin;
	const char *why;
	bool measured; /* all of it was seen, see rq_stages() */
	bool followed; /* in flight: dom0's bios of it are known, see describe_so_far() */
};

/* Whether a request counts for who is told of it. */
enum counts {
	COUNTS_NOT,
	COUNTS,
	/*
	 * Its beginning is not in the trace, and seems to be before join_report.from_ns:
	 * not, unless a loss behind that is still told of.
	 */
	COUNTS_IF_LOST,
};

#define BIN_NONE BIN_MAX /* of one that does not count so far */

/*
 * Who is told what has become of requests.  They are gone after the call, and nothing
 * may be asked of the join meanwhile but what it holds.
 */
struct join_report {
	/* A guest's.  Unless it counts, or may, lost() need not be called for it. */
	enum counts (*ended)(void *ctx, const struct rq *rq, const struct ending *end);
	/* A guest's, or one of dom0's that counts for @disk, completed at @ns; or NULL. */
	void (*completed)(void *ctx, struct disk *disk, enum side side,
			  const struct rq *rq, uint64_t ns);
	/* One that has ended in @bin (BIN_NONE: in none) was lost, as is known now. */
	void (*lost)(void *ctx, struct disk *disk, enum bin bin);
	uint64_t from_ns; /* what begins before that does not count; or 0 */
	void *ctx;
};

struct join {
	struct model *model;
	struct pool bios, backend_bios, kin, clones, rqs, backend_rqs, places, crowds;
	struct found found[FOUND]; /* bios by their sectors; see clones.c */
	struct list hold;	   /* guest requests, by hold_until */
	struct list doubt;	   /* the same: complete unless a loss is still told of */
	struct list wait_age;	   /* unmatched bios, oldest first */
	bool waits;		   /* something may be in one of these three */
	uint64_t now_ns;	   /* as far as dom0 and the rounds have come */
	uint64_t last_ns;	   /* youngest record */
	uint64_t start_ns;	   /* of the trace */
	uint64_t partial_ns;	   /* what was before that is left out; or 0 */
	struct stream *now;	   /* whose record it is */
	uint64_t records;
	uint64_t max_in_flight;
	uint64_t guest_bios, guest_rqs, guest_cloned; /* of all guests */
	struct join_report report;		      /* set by the caller */
};

void join_init(struct join *j, struct model *model);
/* Before the model's. */
void join_deinit(struct join *j);
/* Records before the span that is asked for: what they teach, and nothing else. */
void join_skim(struct stream *s, const struct xblk_record *records, size_t nr);
/* What becomes of the records; their ctx is a struct join. */
extern const merge_emit_pair join_emit[EVENTS];
/* All records before @ns have been given. */
void join_advance(struct join *j, uint64_t ns);
/*
 * A guest is no more: what of it is not complete gets its bin.  All of dom0 that belongs
 * to it has been given.
 */
void join_end_guest(struct join *j, struct domain *guest);
/* The trace is over: whatever is not complete gets its bin. */
void join_finish(struct join *j);

/* Something is missing from a stream of @dom. */
void join_gap(struct join *j, struct domain *dom, uint64_t from, uint64_t to);

/* Whether a domain that has @nr has no room for another; @full: nor have all guests. */
static inline bool join_full(const struct join *j, const struct domain *dom, uint64_t nr,
			     bool full)
{
	return nr >= j->max_in_flight || (full && nr >= JOIN_OWN && !dom->backend);
}

static inline bool bios_full(const struct join *j, const struct domain *dom)
{
	return join_full(j, dom, dom->nr_bios, j->guest_bios >= JOIN_SHARED_BIOS);
}

static inline bool rqs_full(const struct join *j, const struct domain *dom)
{
	return join_full(j, dom, dom->nr_rqs, j->guest_rqs >= JOIN_SHARED_RQS);
}

/* Those of dom0 are shorter. */
static inline struct pool *rq_pool(struct join *j, const struct domain *dom)
{
	return dom->backend ? &j->backend_rqs : &j->rqs;
}

static inline void join_completed(const struct join *j, struct disk *disk, enum side side,
				  const struct rq *rq, uint64_t ns)
{
	if (j->report.completed)
		j->report.completed(j->report.ctx, disk, side, rq, ns);
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

/* Of what failed in parts, the first counts. */
static inline void note_error(uint16_t *error, uint32_t with)
{
	if (unlikely(with) && !*error)
		*error = with < UINT16_MAX ? with : UINT16_MAX;
}

static inline bool is_flush(const struct xblk_record *r)
{
	return !r->nr_sectors &&
	       ((r->op & XBLK_OP_MASK) == XBLK_OP_FLUSH || (r->op & XBLK_OP_F_PREFLUSH));
}

/* way.c */
/* Of what comes before the span that is asked for: whose rings are. */
void way_skim(struct stream *s, const struct xblk_record *r);
/* The thread of a ring of @backend's; NULL: not known. */
struct process *way_thread(const struct domain *backend, uint32_t ring);
void way_ring(const struct join *j, struct stream *s, const struct xblk_record *r);
void way_interrupt(struct stream *s, const struct xblk_record *r);
void way_response(struct stream *s, const struct xblk_record *r);
void way_queued(const struct stream *s, struct bio *bio, struct process *p);
/* What it has gone about is queued: what comes is of something else. */
void way_forget_thread(struct process *p);
void way_done(struct join *j, struct rq *rq);
void way_forget_done(struct stream *s);
void way_completed(const struct stream *s, struct rq *rq);

/* life.c */
/*
 * At @place, where the domain's map has the identity; whatever it has there is forgotten.
 * @backend: as the domain's, a constant.
 */
struct bio *bio_at(struct join *j, struct disk *disk, const struct xblk_record *r,
		   void **place, bool backend);
struct bio *bio_renew(struct join *j, struct disk *disk, const struct xblk_record *r);

/* clones.c */
struct kin *bio_kin(struct join *j, struct bio *bio);
/* What @bio was made of in the end: blkback's bio, or one of dom0's own. */
struct bio *bio_root(struct bio *bio);
/* The root has the flag from now on, and its guest's request what follows from it. */
void bio_mark(struct bio *bio, enum bio_flags flag);
/*
 * The bio on @disk of which @r, with sectors of @disk, says that a clone of it or of a
 * part is sent on, or that its front is cut off; NULL: not known, or (@ambiguous) one of
 * several.
 */
struct bio *clone_origin(struct join *j, struct disk *disk, const struct xblk_record *r,
			 bool front, bool *ambiguous);
/* @bio can be found from now on, if its disk's bios are searched. */
void clone_found(struct join *j, struct bio *bio);
/* Not any more. */
void clone_not_found(struct kin *kin);
/*
 * @r says, with sectors of the disk that it is on, that @bio itself is sent on, or what
 * is left of it: the rest must have been before.  Or it is an older one of that name
 * whose end was missed, and a clone of what the thread queued last is sent on.
 */
void clone_passed_on(struct join *j, struct bio *bio, const struct xblk_record *r);
/* @bio is a part or a clone of @origin. */
void clone_of(struct join *j, struct bio *bio, struct bio *origin);
/* What was made of the bio so far was before it came to this disk. */
static inline void clone_anew(struct kin *kin)
{
	kin->sent_sectors = 0;
	memset(kin->legs, 0, sizeof(kin->legs));
}

/* All of @bio, which is one, is done. */
void clone_done(struct join *j, const struct bio *bio);
/* The @i-th of those that are kept, in the order in which they were done. */
static inline const struct clone *clone_kept(const struct clones *c, unsigned int i)
{
	return &c->last[(c->nr > XBLK_CLONES ? c->nr + i : i) % XBLK_CLONES];
}

/* The @i-th part or clone of @bio that is not done, as it is so far; how many there are.
 */
unsigned int clones_open(const struct bio *bio, struct clone to[XBLK_CLONES]);
/* What @rq's bio was made into; NULL: nothing.  If there is no room they are dropped. */
void rq_set_clones(struct join *j, struct rq *rq, struct clones *clones);

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

/* bios.c */
/* A request has done @bio, or what is left of it where parts were cut from it. */
void bio_done(struct join *j, struct bio *bio, const struct rq *rq, uint64_t ns);
/* The same of one that no request names: as @by says, but for its Q. */
void bio_served(struct join *j, struct bio *bio, const struct service *by,
		uint32_t error);
void bio_sent(struct join *j, struct stream *s, const struct xblk_record *r);
void bio_backend(struct join *j, struct domain *dom, const struct xblk_record *r);
void bio_queue_guest(struct join *j, struct stream *s, const struct xblk_record *r);
void bio_queue_backend(struct join *j, struct stream *s, const struct xblk_record *r);
void bio_merged(struct stream *s, const struct xblk_record *r);
void bio_split(struct join *j, struct stream *s, const struct xblk_record *r);
void bio_complete(struct join *j, struct stream *s, const struct xblk_record *r);

/* rqs.c */
void rq_issue_guest(struct join *j, struct stream *s, const struct xblk_record *r);
void rq_issue_backend(struct join *j, struct stream *s, const struct xblk_record *r);
void rq_skim(struct stream *s, const struct xblk_record *r);
void rq_order(struct join *j, struct stream *s, const struct xblk_record *r);
void rq_part(struct join *j, struct stream *s, const struct xblk_record *r);
void rq_requeue(struct join *j, struct stream *s, const struct xblk_record *r);
void rq_merged(struct join *j, struct stream *s, const struct xblk_record *r);
void rq_complete_guest(struct join *j, struct stream *s, const struct xblk_record *r);
void rq_complete_backend(struct join *j, struct stream *s, const struct xblk_record *r);

/* @rq is in none of the lists of those that are held. */
static inline void hold_no_longer(struct rq *rq)
{
	if (rq->held)
		list_unlink(&rq->hold);
	rq->held = false;
}

/* match.c */
/* Its thread @p has queued it. */
void match_bio(struct join *j, struct bio *bio, struct process *p);
void match_rq(struct join *j, struct rq *rq);
/* Its place on its ring is known. */
void match_ordered(struct join *j, struct rq *rq);
/* Which of blkback's requests @bio is of. */
void match_request(struct join *j, struct bio *bio, uint32_t request);
void match_bio_done(struct join *j, struct bio *bio);
/* The same of one that has an owner, for whom @by is told: who made it need not keep it. */
void match_served(struct join *j, struct bio *bio, const struct service *by);
/* The guest has its request back. */
void match_completed(struct join *j, struct rq *rq);
void match_expire(struct join *j);
/* No request of it comes any more. */
void match_end_guest(struct join *j, const struct domain *guest);

/* judge.c */
/* All of the request was seen, and nothing that comes is to say otherwise. */
bool judge_ready(const struct join *j, const struct rq *rq);
/* It has come back.  What dom0's disk did meanwhile is known now, and not for long. */
void judge_flush(struct rq *rq);
/* It will not get any further: count it in the bin where it belongs. */
void judge_give_up(struct join *j, struct rq *rq, bool at_end);
/* A completion whose request was never seen. */
void judge_orphan(struct join *j, struct disk *disk, const struct xblk_record *r);

/* place.c */
/* A guest's request is issued on @cpu, or is no more. */
void place_enter(struct join *j, struct rq *rq, uint32_t cpu);
void place_end(struct join *j, struct rq *rq);
/* It has all of its bios, and they are its own as far as it ever will be known. */
void place_settled(struct join *j, struct rq *rq);
/* The guest has it back: others that begin there from now on have nothing of it. */
void place_back(const struct rq *rq);
/* Where the bio begins on its guest's disk, or a request's next sector is; or NULL. */
struct place *place_of_bio(const struct bio *bio);
struct place *place_of_next(const struct rq *rq);
/* blkback's bios that wait there for a request; NULL: there has been none. */
static inline struct list *place_bios(struct place *p)
{
	return p->only ? NULL : &((struct crowded *)p)->bios;
}
static inline bool place_has_bios(const struct place *p)
{
	return !p->only && !list_empty(&((const struct crowded *)p)->bios);
}
/* @bio waits where it begins from now on. */
void place_bio(struct join *j, struct bio *bio);
/* Others were in flight at its place: more than its place tells which is which. */
bool place_contested(const struct rq *rq);
/* Which of those at its place it is can be told, by its ring and its order there. */
bool place_told_apart(const struct rq *rq);
/* Something at its place did not go as it should: who has whose bio is not known. */
void place_upset(const struct rq *rq);
/* The same of those that begin where @bio does. */
void place_upset_at(struct join *j, const struct bio *bio);
/* One whose D is not in the trace was under way at its place. */
bool place_met_unseen(const struct rq *rq);
/* This is its completion: what is under way there may have got its bios. */
void place_note_unseen(struct join *j, struct disk *disk, const struct xblk_record *r);
/* It leaves what it is in: its owner's bios, or those that wait for one. */
void place_forget_bio(struct join *j, struct bio *bio);
/* Undo all matching of a guest request. */
void place_detach(struct join *j, struct rq *rq);

/* life.c: the object is gone afterwards, but see bio_forget() */
void bio_free(struct join *j, struct bio *bio);
/* It waits for its request alone, and its identity is another one's from now on. */
void bio_keep(struct bio *bio);
/*
 * Its events do not continue: the owner will not see it completed.  If it waits for one,
 * it does so on, so that that one is known to have had it.
 */
void bio_forget(struct join *j, struct bio *bio);
void rq_free(struct join *j, struct rq *rq);

static inline int64_t ns_between(uint64_t from, uint64_t to)
{
	return (int64_t)(to - from);
}

/*
 * Of a request of which all was seen.  Who needs them makes them: a copy of what has just
 * been written waits until that is in the cache.
 */
static inline void rq_stages(const struct rq *rq, int64_t stages[STAGE_MAX])
{
	const struct service *by = &rq->chain.by;
	int64_t requeued_ns = (int64_t)by->requeued_ns;

	stages[STAGE_U_Q2D] = ns_between(rq->q_ns, rq->d_ns);
	stages[STAGE_U_T] = ns_between(rq->d_ns, rq->chain.q_ns);
	stages[STAGE_0_Q2D] = ns_between(rq->chain.q_ns, by->d_ns) + requeued_ns;
	stages[STAGE_0_D2C] = ns_between(by->d_ns, rq->chain.c_ns) - requeued_ns;
	stages[STAGE_0_T] = ns_between(rq->chain.c_ns, rq->c_ns);
	stages[STAGE_Q2C] = ns_between(rq->q_ns, rq->c_ns);
}

/* request.c: what statistics need of a request; and the rest, for those who are told */
void rq_describe(struct xblk_request *to, const struct rq *rq, const struct ending *end);
void rq_describe_rest(struct xblk_request *to, const struct join *j, const struct rq *rq,
		      const struct ending *end);

/* verdict.c */
struct verdict verdict_span(const struct join *j, const struct rq *rq);
bool verdict_lost(const struct join *j, const struct verdict *v);
/* One request has ended in @bin, and has been counted there if it counts. */
void verdict_keep(const struct join *j, const struct verdict *v, enum bin bin,
		  enum counts counts);
/* Until when something of @guest's is not in the trace, of what is not by @ns. */
uint64_t join_unseen_until(const struct join *j, const struct domain *guest, uint64_t ns);
void verdicts_free(struct verdicts *kept);

#endif
