/* SPDX-License-Identifier: GPL-2.0-only */
/* Which requests and bios begin where. */
#ifndef LIBXBLK_PLACE_H
#define LIBXBLK_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct backend_bio;
struct disk;
struct guest_rq;
struct join;
struct xblk_record;

/* Requests at one place, each of which was issued before another one came back. */
struct crowd {
	unsigned int users;
	unsigned int flags;
	uint64_t cpus;	     /* vCPUs that issued them, a bit each modulo RING_CPUS */
	uint64_t cpus_twice; /* of these, those that issued more than one */
	/* where the longest one ends that had not got all, and for which no ring speaks */
	uint64_t longest;
	uint64_t doubted; /* the same, where what the ring says does not tell, either */
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
	uint64_t at;	       /* see place_at() */
	struct list requests;  /* of which dom0 has queued nothing */
	struct guest_rq *only; /* whose part it is; NULL: it is a struct crowded */
	uint32_t nr;	       /* requests that were issued and have no bin yet */
	uint32_t nr_out;       /* of these, those that have not come back */
};

struct crowded {
	struct place place;
	struct list bios;     /* blkback's, which no request fits */
	struct crowd *crowd;  /* of those that are out, or were last; or NULL */
	struct crowd *before; /* of which some may have no bin yet; or NULL */
};

/* A guest's request is issued on @cpu, or is no more. */
void place_enter(struct join *j, struct guest_rq *rq, uint32_t cpu);
void place_end(struct join *j, struct guest_rq *rq);
/* It has all of its bios, and they are its own as far as it ever will be known. */
void place_settled(struct join *j, struct guest_rq *rq);
/* The guest has it back: others that begin there from now on have nothing of it. */
void place_back(const struct guest_rq *rq);
/* Where the bio begins on its guest's disk, or a request's next sector is; or NULL. */
struct place *place_of_bio(const struct backend_bio *bio);
struct place *place_of_next(const struct guest_rq *rq);
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
void place_bio(struct join *j, struct backend_bio *bio);
/* Others were in flight at its place: more than its place tells which is which. */
bool place_contested(const struct guest_rq *rq);
/* Which of those at its place it is can be told, by its ring and its order there. */
bool place_told_apart(const struct guest_rq *rq);
/* Something at its place did not go as it should: who has whose bio is not known. */
void place_upset(const struct guest_rq *rq);
/* The same of those that begin where @bio does. */
void place_upset_at(struct join *j, const struct backend_bio *bio);
/* One whose D is not in the trace was under way at its place. */
bool place_met_unseen(const struct guest_rq *rq);
/* This is its completion: what is under way there may have got its bios. */
void place_note_unseen(struct join *j, struct disk *disk, const struct xblk_record *r);
/* It leaves what it is in: its owner's bios, or those that wait for one. */
void place_forget_bio(struct join *j, struct backend_bio *bio);
/* Undo all matching of a guest request. */
void place_detach(struct join *j, struct guest_rq *rq);

#endif
