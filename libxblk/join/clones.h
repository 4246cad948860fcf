/* SPDX-License-Identifier: GPL-2.0-only */
/* Which bio another one was made of; see clones.c. */
#ifndef LIBXBLK_CLONES_H
#define LIBXBLK_CLONES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/list.h"
#include "join/bio.h"
#include "xblk.h"

struct disk;
struct guest_rq;
struct join;
struct xblk_record;

#define FOUND 1024 /* lists of bios, by hash */
/* In one of these: so many a guest could have at one place, on 32 rings of 512 slots. */
#define FOUND_MAX 16384

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
	struct bio *bio;
	struct backend_bio *up; /* of which it is a part or a clone; or NULL */
	struct list made;	/* of it: kin.sibling */
	struct list sibling;
	struct clones *clones; /* of a guest's that was made of no other: those that are
				  done, with what was made of them; or NULL */
	unsigned int nr_open;  /* parts and clones that are not done */
	bool left;	       /* its list had too many: it is counted there alone */
	struct list in_found;  /* by its sectors; see clones.c */
	struct found *found;   /* which list that is; or NULL */
	uint64_t sector;       /* as it was queued, or sent on itself */
	uint32_t nr_sectors;
	uint32_t cut_sectors;  /* of its front: they are other bios' by now */
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
void clone_passed_on(struct join *j, struct backend_bio *bio,
		     const struct xblk_record *r);
/* @bio is a part or a clone of @origin. */
void clone_of(struct join *j, struct backend_bio *bio, struct backend_bio *origin);
/* What was made of the bio so far was before it came to this disk. */
static inline void clone_anew(struct kin *kin)
{
	kin->cut_sectors = 0;
	kin->sent_sectors = 0;
	memset(kin->legs, 0, sizeof(kin->legs));
}

/* All of @bio, which is one, is done. */
void clone_done(struct join *j, const struct backend_bio *bio);
/* The @i-th of those that are kept, in the order in which they were done. */
static inline const struct clone *clone_kept(const struct clones *c, unsigned int i)
{
	return &c->last[(c->nr > XBLK_CLONES ? c->nr + i : i) % XBLK_CLONES];
}

/* The @i-th part or clone of @bio that is not done, as it is so far; how many there are.
 */
unsigned int clones_open(const struct backend_bio *bio, struct clone to[XBLK_CLONES]);
/* What @rq's bio was made into; NULL: nothing.  If there is no room they are dropped. */
void rq_set_clones(struct join *j, struct guest_rq *rq, struct clones *clones);

#endif
