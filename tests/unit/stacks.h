/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guests with disks on storage stacks chosen at random, whose requests are played
 * from the guest's bio to the response: what each one's stages are is noted on
 * its way, and so is with whom it shared its place.
 */
#ifndef XBLK_TEST_STACKS_H
#define XBLK_TEST_STACKS_H

#include "sim.h"

/* What a disk of the backend makes of a bio; the first makes a request of it. */
enum shape {
	SHAPE_PLAIN,
	SHAPE_LINEAR, /* a clone, at once */
	SHAPE_DEFER,  /* a clone, later, in any order */
	SHAPE_STRIPE, /* a clone of each part */
	SHAPE_CUT,    /* parts are bios of their own, the last one is the bio itself */
	SHAPE_RAID0,  /* likewise, and a clone of each is sent on */
	SHAPE_PASS,   /* the bio itself is sent on */
	SHAPE_MIRROR, /* writes go to both legs, reads to one */
	SHAPE_CRYPT,  /* work of its own before writes and behind reads */
	SHAPE_PATHS,  /* a request is sent on as another one */
	SHAPE_RAID5,  /* I/O of its own, which nothing ties to the bio */
	SHAPE_BARE,   /* a disk that makes no request */
	SHAPE_MAX
};

/* What happens besides, in any stack. */
enum trait {
	TRAIT_TWO,     /* layers on one another */
	TRAIT_SHARED,  /* two guests on partitions of one disk */
	TRAIT_SAME,    /* many at the same places */
	TRAIT_GUESTS,  /* two guests at the same places of one disk */
	TRAIT_RINGS,   /* a disk has several */
	TRAIT_OLD,     /* kernels that tell no order and no backend's request */
	TRAIT_BLIND,   /* nor anything else of blkfront and blkback */
	TRAIT_GAPS,    /* some requests' order and response are not told */
	TRAIT_MERGE,   /* in the guest and in the backend */
	TRAIT_SPLIT,   /* by the block layer, on both sides */
	TRAIT_FULL,    /* small rings, so that requests come back */
	TRAIT_SLOTS,   /* requests that take two */
	TRAIT_PARTIAL, /* completions */
	TRAIT_RETRY,   /* by the driver of a disk of the backend */
	TRAIT_OWN,     /* I/O of the backend's own at the guests' places */
	TRAIT_FLUSH,
	TRAIT_DISCARD,
	TRAIT_ERROR,
	TRAIT_CLOCK,  /* clocks are off by what is stated */
	TRAIT_MIDDLE, /* the trace begins and ends in the middle of I/O */
	TRAIT_LOSS,
	TRAIT_MAX
};

extern const char *const shape_names[SHAPE_MAX];
extern const char *const trait_names[TRAIT_MAX];

#define STACK_NAME 24

#define ANSWER_BIOS 8
#define ANSWER_DS   24

/* A bio at the disk that was to do it: a part or clone, or (@level 0) blkback's itself. */
struct answer_clone {
	unsigned int first_disk, disk, nr_sectors, level, requeues, nr_bios, error;
	uint64_t sector;
	uint64_t made_ns, q_ns, d_ns, c_ns, again_ns;
	uint64_t other_c_ns; /* as good as this one; or 0 */
	bool lowest;	     /* that disk did it, or the last part of it */
	bool in_parts;
};

/* A request of a guest.  Times are those of the records; 0: never. */
struct answer {
	unsigned int domid, disk, op;
	uint64_t sector;
	uint32_t nr_sectors;
	uint64_t q_ns, d_ns[ANSWER_DS], part_c_ns, c_ns;
	unsigned int nr_ds;
	struct answer_bio {
		uint64_t q_ns, queued_ns /* its 0-Q2D */, end_ns;
		uint64_t other_end_ns; /* as good an end as this one; or 0 */
		uint64_t thread_ns;    /* when its thread went about its slot; or 0 */
		struct answer_clone *clones;
		size_t nr_clones;
	} bios[ANSWER_BIOS];
	unsigned int nr_bios;
	char stack[STACK_NAME];
	unsigned int ring; /* a flush's */
	bool first;	   /* flush of its queue in the trace */
	bool no_backend;   /* rightly */
	bool contested;	   /* another one was at its place, or flushes overlapped */
	bool touched;	   /* something was lost that may be of it */
	bool unseen;	   /* a neighbour of its began before the trace */
	unsigned int seen;
};

struct stacks {
	struct gen gen;
	struct answer *answers; /* from 1 on */
	size_t nr;
	uint64_t begin_ns, end_ns;  /* of the trace */
	struct sim_record *records; /* sorted, for who wants to look */
	size_t nr_records;
	struct sim_loss *losses;
	size_t nr_losses;
	unsigned int traits; /* a bit each: that it has */
};

/* @shapes, @traits: bits of those that there may be.  @nr: I/Os of guests. */
void stacks_make(struct stacks *s, uint64_t seed, unsigned int shapes,
		 unsigned int traits, unsigned int nr);
void stacks_deinit(struct stacks *s);

#endif
