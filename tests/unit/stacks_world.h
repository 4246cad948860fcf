/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of stacks.c share: the disks, the rings, and who is where. */
#ifndef XBLK_TEST_STACKS_WORLD_H
#define XBLK_TEST_STACKS_WORLD_H

#include <stdlib.h>

#include "stacks.h"

#define MAX_DISKS     80 /* of the backend */
#define GUEST_DISKS   3
#define MAX_RINGS     4
#define RING_SLOTS    64
#define MAX_STOPPED   64
#define MAX_WAITING   64 /* for a flush */
#define DISK_QUEUES   2
#define RQ_BIOS	      8
#define CHUNK	      16		 /* sectors of a stripe */
#define PART_START(n) ((64 + (n)) << 24) /* sectors */
#define MAX_IN_FLIGHT 24
#define APART_NS      9000 /* from one I/O to the next, at most */
#define PID_KWORKER   20
#define PID_GUEST     500
#define PID_RING      1000
#define PID_OWN	      9999
#define RING_IDS      7000
#define FLUSH	      (XBLK_OP_WRITE | XBLK_OP_F_SYNC | XBLK_OP_F_PREFLUSH)

struct disk;
struct world;

/* What is known of the request at the bottom: 0-Q2D is up to @d_ns, and @again_ns. */
struct path {
	bool known;
	uint64_t d_ns, again_ns;
	unsigned int requeues, nr_bios;
};

struct bio {
	struct disk *disk;
	unsigned int op, about;
	uint64_t sector;
	uint32_t nr, id, error;
	uint32_t request;  /* of blkback's, which it tells; or 0 */
	bool traced;	   /* it had its Q, and its end is to be told */
	unsigned int left; /* parts that have not ended */
	uint64_t q_ns, other_end_ns;
	uint64_t at_ns; /* when it came to @disk, as this: */
	uint64_t at_sector;
	uint32_t at_nr;
	uint64_t made_ns;
	unsigned int first_disk;
	bool part;		     /* or a clone: @of another one */
	bool in_parts;		     /* the others are such */
	struct answer_clone *clones; /* what was made of it, and is done; and itself */
	size_t nr_clones, room_clones;
	uint64_t last_ns; /* when a part ended last, and its path */
	struct path path;
	struct path work; /* of what a layer's own work comes behind */
	void (*end)(struct run *run, struct bio *bio, uint64_t ns);
	void *of;
	size_t claims[4];
	unsigned int nr_claims;
};

/* Who is at a place, and when. */
struct claim {
	unsigned int domid, disk, class, about;
	uint64_t sector, from, to;
	uint32_t nr;
};

/* A request of a disk of the backend. */
struct rq {
	struct disk *disk;
	unsigned int op, nr_bios, nr_issued, tries;
	uint64_t sector, ready_ns, first_d_ns, again_ns, r_ns;
	uint32_t nr, id, error;
	struct bio *bios[RQ_BIOS];
};

struct flushing {
	struct disk *disk;
	uint32_t rq;
	bool busy;
	uint64_t ready_ns, d_ns;
	unsigned int nr_waiting, nr_served;
	struct bio *waiting[MAX_WAITING], *served[MAX_WAITING];
	uint32_t rqs[MAX_WAITING], served_rqs[MAX_WAITING];
};

struct disk {
	struct world *w;
	enum shape shape;
	unsigned int index, nr_lower;
	char name[STACK_NAME]; /* as "mirror/linear" */
	struct disk *lower[2];
	uint64_t offset; /* where it begins on the lower ones */
	const struct disk *part_of;
	bool direct; /* a guest's disk lies on it */
	bool cache;
	uint64_t service_ns;
	uint32_t largest; /* sectors of a request */
	struct rq *waiting[16];
	struct flushing flushing[DISK_QUEUES]; /* of each of its queues */
};

struct guest_bio {
	uint32_t id, nr;
	uint64_t sector, q_ns;
	struct guest_rq *then; /* that waits for a flush; NULL: an empty one */
	uint32_t rq;	       /* identity of that, or of what waits for nothing else */
};

/* A request of a guest's. */
struct guest_rq {
	struct ring *ring;
	unsigned int op, about, slots, left, nr_bios;
	uint64_t sector;
	uint32_t nr, id, error;
	struct guest_bio bios[RQ_BIOS];
	bool flush, flushed /* before it */;
	uint64_t ready_ns;
	size_t claim;
};

struct slot {
	struct guest_rq *rq;
	uint64_t sector, ready_ns;
	uint32_t nr, id;
};

/* What blkback makes of a slot. */
struct pending {
	struct slot slot;
	uint32_t id, error;
	unsigned int left;
	uint64_t last_ns; /* the last end of its bios */
	uint64_t thread_ns;
};

struct ring {
	struct guest_disk *disk;
	unsigned int nr, size, used;
	uint32_t id, guest_id, pid, ordinal;
	uint64_t locked_ns;
	struct slot slots[RING_SLOTS];
	unsigned int first, nr_slots;
	bool awake, told /* its interrupts are recorded */, irq_planned;
	struct sim_ids slot_ids, pending_ids;
	struct pending *responses[RING_SLOTS];
	uint64_t response_ns[RING_SLOTS];
	unsigned int nr_responses;
	struct guest_rq *stopped[MAX_STOPPED];
	unsigned int nr_stopped;
	/* the block layer's flushes of this queue */
	uint32_t flush_rq;
	bool flushing;
	uint64_t flush_ns; /* from when on it can be issued */
	struct guest_bio waiting[MAX_WAITING], served[MAX_WAITING];
	unsigned int nr_waiting, nr_served;
	unsigned int nr_flushed; /* writes behind a flush: the next one waits for them */
};

struct guest_disk {
	struct world *w;
	unsigned int domid, index, nr_rings, in_flight;
	char name[8];
	struct disk *backing;
	uint64_t start, next_sector;
	struct ring rings[MAX_RINGS];
};

struct world {
	struct sim sim;
	struct stacks *out;
	size_t room_answers;
	unsigned int traits, shapes, left;
	struct disk disks[MAX_DISKS];
	unsigned int nr_disks, nr_plain;
	struct guest_disk guest_disks[SIM_GUESTS * GUEST_DISKS];
	unsigned int nr_guest_disks, nr_guests;
	struct claim *claims;
	size_t nr_claims, room_claims;
};

static inline bool has(const struct world *w, enum trait trait)
{
	return w->traits >> trait & 1;
}

static inline bool is_discard(unsigned int op)
{
	return (op & XBLK_OP_MASK) == XBLK_OP_DISCARD ||
	       (op & XBLK_OP_MASK) == XBLK_OP_SECURE_DISCARD;
}

/* It has the trait, and this is one of its cases, of a thousand so many. */
static inline bool now_and_then(struct world *w, enum trait trait, unsigned int of_1000)
{
	return has(w, trait) && sim_chance(&w->sim, of_1000);
}

static inline void *zeroed(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		abort();
	return p;
}

/* What is at hand at @ns. */
static inline void not_before(struct run *run, uint64_t ns)
{
	run->ns = run->ns < ns ? ns : run->ns;
}

static inline struct answer *answer_of(struct world *w, unsigned int about)
{
	return &w->out->answers[about];
}

/* stacks_layers.c: what the backend's disks make of bios */

/*
 * Somebody wants the place from @from on.  Return: which claim it is, whose .to is to be
 * set when it is over.
 */
size_t claim(struct world *w, unsigned int domid, unsigned int disk, unsigned int op,
	     uint64_t sector, uint32_t nr, uint64_t from, unsigned int about);
/* @end: is called when it has ended, and the bio freed then; @of: its bio->of. */
struct bio *play_bio(struct run *run, struct disk *disk, unsigned int op, uint64_t sector,
		     uint32_t nr,
		     void (*end)(struct run *run, struct bio *bio, uint64_t ns),
		     void *of);
void bio_submit(struct run *run, struct bio *bio);

/* stacks_guests.c: guests' I/O, from their bios to blkback's and back */

/* The I/O that @what, the world, has left. */
void workload(struct run *run, void *what);

#endif
