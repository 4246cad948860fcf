/* SPDX-License-Identifier: GPL-2.0-only */
/* The beginning of a bio, the end of a bio or request. */
#ifndef LIBXBLK_LIFE_H
#define LIBXBLK_LIFE_H

#include <stdbool.h>

struct backend_bio;
struct bio;
struct disk;
struct join;
struct rq;
struct xblk_record;

/*
 * At @place, where the domain's map has the identity; whatever it has there is forgotten.
 * @backend: as the domain's, a constant.
 */
struct bio *bio_at(struct join *j, struct disk *disk, const struct xblk_record *r,
		   void **place, bool backend);
struct bio *bio_renew(struct join *j, struct disk *disk, const struct xblk_record *r);

/* The object is gone afterwards, but see bio_forget(). */
void bio_free(struct join *j, struct bio *bio);
/* It waits for its request alone, and its identity is another one's from now on. */
void bio_keep(struct backend_bio *bio);
/*
 * Its events do not continue: the owner will not see it completed.  If it waits for one,
 * it does so on, so that that one is known to have had it.
 */
void bio_forget(struct join *j, struct bio *bio);
void rq_free(struct join *j, struct rq *rq);

#endif
