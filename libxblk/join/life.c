// SPDX-License-Identifier: GPL-2.0-only
/* The beginning of a bio, and the end of a bio or request, in all that knows of it. */
#include "join/life.h"

#include "base/map.h"
#include "base/op.h"
#include "base/util.h"
#include "join/bio.h"
#include "join/clones.h"
#include "join/disk.h"
#include "join/flush.h"
#include "join/flush_times.h"
#include "join/place.h"
#include "join/rq.h"
#include "join/state.h"
#include "join/told_queues.h"

/* Of the domain's bios, the one that has the identity, and the oldest if there are too
 * many.
 */
static __attribute__((noinline)) void **make_way(struct join *j, struct domain *dom,
						 uint32_t id, struct bio *stale)
{
	/* The identity is in use again, so what ended the old one was missed. */
	if (stale) {
		dom->stale_bios++;
		bio_forget(j, stale);
	}
	if (bios_full(j, dom)) {
		struct bio *oldest = list_entry(dom->bio_age.next, struct bio, age);

		dom->evicted_bios++;
		bio_mark(oldest, BIO_UNFOLLOWED);
		bio_free(j, oldest);
	}
	return map_place(&dom->bios, id);
}

struct bio *bio_at(struct join *j, struct disk *disk, const struct xblk_record *r,
		   void **place, bool backend)
{
	struct domain *dom = disk->dom;
	struct bio *bio;

	if (unlikely(*place || bios_full(j, dom)))
		place = make_way(j, dom, r->id, *place);
	bio = backend ? pool_get(&j->backend_bios, BACKEND_BIO_CLEAR)
		      : pool_get(&j->bios, sizeof(*bio));
	*place = bio;
	bio->disk = disk;
	bio->id = r->id;
	bio->op = r->op;
	bio->sector = r->sector;
	bio->nr_sectors = r->nr_sectors;
	bio->pid = bio->queuer = r->aux;
	bio->q_ns = r->time;
	list_init(&bio->in_rq);
	list_add_tail(&dom->bio_age, &bio->age);
	dom->nr_bios++;
	j->guest_bios += !backend;
	if (unlikely(join_disk(disk)->searched))
		clone_found(j, bio);
	return bio;
}

struct bio *bio_renew(struct join *j, struct disk *disk, const struct xblk_record *r)
{
	return bio_at(j, disk, r, map_place(&disk->dom->bios, r->id), disk->dom->backend);
}

/* What was made of it, or of which it was made, goes on without it. */
static __attribute__((noinline)) void kin_free(struct join *j, struct kin *kin)
{
	while (!list_empty(&kin->made)) {
		struct kin *made = list_entry(kin->made.next, struct kin, sibling);

		made->up = NULL;
		kin->nr_open--;
		list_del(&made->sibling);
		/* Nothing will queue it any more. */
		if (made->bio->flags & BIO_CLONE)
			bio_free(j, made->bio);
	}
	if (kin->up)
		kin->up->base.kin->nr_open--;
	list_unlink(&kin->sibling);
	clone_not_found(kin);
	if (kin->clones)
		pool_put(&j->clones, kin->clones);
	pool_put(&j->kin, kin);
}

void bio_free(struct join *j, struct bio *bio)
{
	struct domain *dom = bio->disk->dom;

	map_del(&dom->bios, bio->id, bio);
	if (unlikely(bio->flags & BIO_WAITS))
		map_del(&dom->flush_waits, bio->waits.rq, bio);
	list_unlink(&bio->age);
	list_unlink(&bio->in_rq);
	if (dom->backend)
		place_forget_bio(j, backend_bio(bio));
	if (unlikely(bio->kin))
		kin_free(j, bio->kin);
	dom->nr_bios--;
	j->guest_bios -= !dom->backend;
	pool_put(dom->backend ? &j->backend_bios : &j->bios, bio);
}

void bio_keep(struct backend_bio *bio)
{
	bio->base.flags |= BIO_DONE;
	bio->base.rq = NULL;
	list_del(&bio->base.in_rq);
	map_del(&bio->base.disk->dom->bios, bio->base.id, &bio->base);
}

void bio_forget(struct join *j, struct bio *bio)
{
	bio_mark(bio, BIO_UNFOLLOWED);
	if (bio->flags & BIO_UNMATCHED)
		bio_keep(backend_bio(bio));
	else
		bio_free(j, bio);
}

/* What only a guest's is known to. */
static inline void forget_guest_rq(struct join *j, struct guest_rq *rq)
{
	struct disk *disk = rq->base.disk;

	if (unlikely(op_class(rq->base.op) == XBLK_OP_FLUSH)) {
		flush_forget(join_disk(disk)->flushes, rq);
		told_queue_forget(disk, rq);
	}
	place_end(j, rq);
	if (unlikely(rq->cloned))
		rq_set_clones(j, rq, NULL);
}

void rq_free(struct join *j, struct rq *rq)
{
	struct domain *dom = rq->disk->dom;

	flush_times_done(rq, j->last_ns);
	if (!dom->backend)
		forget_guest_rq(j, guest_rq(rq));
	while (unlikely(!list_empty(&rq->bios)))
		bio_free(j, list_entry(rq->bios.next, struct bio, in_rq));
	/* A guest's that is complete left its identity to another one then. */
	if (!(rq->flags & RQ_COMPLETED))
		map_del(&dom->rqs, rq->id, rq);
	list_unlink(&rq->age);
	dom->nr_rqs--;
	j->guest_rqs -= !dom->backend;
	pool_put(dom->backend ? &j->backend_rqs : &j->rqs, rq);
}
