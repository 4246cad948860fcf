// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which bio another one was made of.
 *
 * A layer names the place where what it sends on came from, not the bio.  Most layers
 * work while the bio is being queued: then it is the last one that the same thread has
 * queued.  Where a disk's layer works later, or has not shown what it does, it is the
 * one that is there at that place; of several it is not known which one.
 *
 * The bios of a disk are searched only from when it was needed first.  What is searched
 * has a bound: of more than can be in flight, the oldest are left out, which are mostly
 * those whose end was missed.  As long as they are there nothing is found for sure.
 */
#include "join/clones.h"

#include <string.h>

#include "base/map.h"
#include "base/op.h"
#include "base/util.h"
#include "join/bio.h"
#include "join/disk.h"
#include "join/rq.h"
#include "join/state.h"

/* Bios of up to so many sectors begin in the span of a place or in the one before. */
#define SPAN_SECTORS 2048
#define SPAN_LARGE   UINT64_MAX	      /* of those that are larger */
#define SPAN_NONE    (UINT64_MAX - 1) /* and that have no sectors */

struct kin *bio_kin(struct join *j, struct bio *bio)
{
	struct kin *kin = bio->kin;

	if (kin)
		return kin;
	kin = bio->kin = pool_get(&j->kin, sizeof(*kin));
	kin->bio = bio;
	list_init(&kin->made);
	list_init(&kin->sibling);
	list_init(&kin->in_found);
	kin->sector = bio->sector;
	kin->nr_sectors = bio->nr_sectors;
	return kin;
}

struct bio *bio_root(struct bio *bio)
{
	while (bio->kin && bio->kin->up)
		bio = &bio->kin->up->base;
	return bio;
}

void bio_mark(struct bio *bio, enum bio_flags flag)
{
	bio = bio_root(bio);
	bio->flags |= flag;
	if (!bio->owner)
		return;
	if (flag == BIO_AMBIGUOUS)
		bio->owner->base.flags |= RQ_AMBIGUOUS;
	if (flag == BIO_UNFOLLOWED)
		bio->owner->base.flags |= RQ_DROPPED;
}

static uint64_t span_of(uint64_t sector, uint32_t nr_sectors)
{
	if (!nr_sectors)
		return SPAN_NONE;
	return nr_sectors > SPAN_SECTORS ? SPAN_LARGE : sector / SPAN_SECTORS;
}

static struct found *bucket(struct join *j, const struct disk *disk, uint64_t span)
{
	return &j->found[hash_mix(span ^ (uint64_t)(uintptr_t)disk) & (FOUND - 1)];
}

static void leave_out(struct kin *kin)
{
	list_del(&kin->in_found);
	kin->left = true;
	kin->found->nr--;
	kin->found->nr_left++;
	bio_mark(kin->bio, BIO_AMBIGUOUS);
}

void clone_not_found(struct kin *kin)
{
	if (!kin->found)
		return;
	if (kin->left) {
		kin->found->nr_left--;
	} else {
		list_del(&kin->in_found);
		kin->found->nr--;
	}
	kin->found = NULL;
	kin->left = false;
}

void clone_found(struct join *j, struct bio *bio)
{
	struct kin *kin = bio_kin(j, bio);
	struct found *found = bucket(j, bio->disk, span_of(kin->sector, kin->nr_sectors));

	clone_not_found(kin);
	if (found->nr == FOUND_MAX)
		leave_out(list_entry(found->bios.next, struct kin, in_found));
	list_add_tail(&found->bios, &kin->in_found);
	found->nr++;
	kin->found = found;
}

static void search_from_now_on(struct join *j, struct disk *disk)
{
	struct list *ages = &disk->dom->bio_age;

	join_disk(disk)->searched = true;
	for (struct list *n = ages->next; n != ages; n = n->next) {
		struct bio *bio = list_entry(n, struct bio, age);

		if (bio->disk == disk)
			clone_found(j, bio);
	}
}

/* What @r is about may be made of @bio; a part that is cut off is its front. */
static bool can_be_origin(const struct bio *bio, const struct disk *disk,
			  const struct xblk_record *r, bool front)
{
	const struct kin *kin = bio->kin;
	uint64_t sector = kin && !front ? kin->sector + kin->cut_sectors : bio->sector;
	uint32_t nr = kin && !front ? kin->nr_sectors - kin->cut_sectors
				    : bio->nr_sectors;

	if (bio->disk != disk || bio->rq || bio->id == r->id ||
	    bio->flags & (BIO_DONE | BIO_OVER))
		return false;
	/* A guest's bio has no layers below, so who queues it has it cut. */
	if (front && !disk->dom->backend && bio->queuer != r->aux)
		return false;
	/* A layer flushes before it goes about the rest. */
	if (!r->nr_sectors)
		return !nr || bio->op & XBLK_OP_F_PREFLUSH;
	if (!same_class(bio->op, r->op) || r->nr_sectors > nr)
		return false;
	/* Something is left of what was cut. */
	return front ? r->sector == sector && r->nr_sectors < nr
		     : r->sector >= sector && r->sector - sector <= nr - r->nr_sectors;
}

static struct bio *search(struct join *j, const struct disk *disk, uint64_t span,
			  const struct xblk_record *r, bool front, unsigned int *nr,
			  bool mark)
{
	const struct found *in = bucket(j, disk, span);
	struct bio *found = NULL;

	/* Any of these may be it, too. */
	*nr += in->nr_left ? 2 : 0;
	for (struct list *n = in->bios.next; n != &in->bios; n = n->next) {
		const struct kin *kin = list_entry(n, struct kin, in_found);
		struct bio *bio = kin->bio;

		/* Other spans may be in the same list. */
		if (span_of(kin->sector, kin->nr_sectors) != span ||
		    !can_be_origin(bio, disk, r, front))
			continue;
		found = bio;
		++*nr;
		if (mark)
			bio_mark(bio, BIO_AMBIGUOUS);
	}
	return found;
}

/*
 * A kworker may have queued a bio for the layer above, and send on another one for the
 * layer below, which had to wait: that it is the same thread proves nothing.
 */
static bool is_kworker(const struct process *p)
{
	return !p || !p->known || !strncmp(p->comm, "kworker/", strlen("kworker/"));
}

struct bio *clone_origin(struct join *j, struct disk *disk, const struct xblk_record *r,
			 bool front, bool *ambiguous)
{
	struct join_disk *d = join_disk(disk);
	struct process *p = map_get(&disk->dom->processes, r->aux);
	struct bio *bio = p ? map_get(&disk->dom->bios, p->last_bio) : NULL;
	uint64_t spans[3] = {SPAN_NONE, SPAN_NONE, SPAN_NONE};
	unsigned int nr_spans = 1, nr = 0;
	struct bio *found = NULL;

	*ambiguous = false;
	/* Identities are used again. */
	if (!bio || bio->queuer != r->aux || !can_be_origin(bio, disk, r, front))
		bio = NULL;
	if (bio && (front || (d->at_once && !d->later && !is_kworker(p))))
		return bio;
	if (!d->searched)
		search_from_now_on(j, disk);
	if (r->nr_sectors) {
		spans[0] = r->sector / SPAN_SECTORS;
		spans[1] = SPAN_LARGE;
		nr_spans = 2;
		if (spans[0])
			spans[nr_spans++] = spans[0] - 1;
	}
	for (unsigned int i = 0; i < nr_spans; i++) {
		bio = search(j, disk, spans[i], r, front, &nr, false);
		found = bio ? bio : found;
	}
	if (nr < 2) {
		if (found && !front) {
			d->at_once |= found->queuer == r->aux && !is_kworker(p);
			d->later |= found->queuer != r->aux;
		}
		return found;
	}
	for (unsigned int i = 0; i < nr_spans; i++)
		search(j, disk, spans[i], r, front, &nr, true);
	*ambiguous = true;
	return NULL;
}

void clone_passed_on(struct join *j, struct backend_bio *bio, const struct xblk_record *r)
{
	const struct domain *dom = bio->base.disk->dom;
	struct process *p = map_get(&dom->processes, r->aux);
	struct backend_bio *last = p ? backend_bio(map_get(&dom->bios, p->last_bio))
				     : NULL;
	struct kin *kin = bio_kin(j, &bio->base);

	if (r->sector - kin->sector > kin->sent_sectors)
		bio_mark(&bio->base, BIO_UNFOLLOWED);
	if (!last || last->base.queuer != r->aux ||
	    bio_root(&last->base) == bio_root(&bio->base))
		return;
	/* Others were made of that before, and it may be one of these. */
	while (last && !can_be_origin(&last->base, bio->base.disk, r, false))
		last = last->base.kin ? last->base.kin->up : NULL;
	if (!last)
		return;
	bio_mark(&bio->base, BIO_AMBIGUOUS);
	bio_mark(&last->base, BIO_AMBIGUOUS);
}

/* How many sectors of it went to @disk by now; 0: not known. */
static uint32_t sent_to(struct kin *kin, const struct disk *disk, uint32_t nr)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(kin->legs); i++) {
		if (kin->legs[i].sectors && kin->legs[i].disk != disk->index)
			continue;
		kin->legs[i].disk = disk->index;
		return kin->legs[i].sectors += nr;
	}
	return 0;
}

/*
 * No layer reads anything twice or writes more to a disk than it was given, unless it has
 * to do so again: else one of the clones is of a bio that was not seen.
 */
static void count_sent(struct backend_bio *origin, const struct backend_bio *bio)
{
	struct kin *kin = origin->base.kin;
	bool reads = op_class(origin->base.op) == XBLK_OP_READ;

	kin->sent_sectors += bio->base.nr_sectors;
	if ((sent_to(kin, bio->base.disk, bio->base.nr_sectors) > kin->nr_sectors ||
	     (reads && kin->sent_sectors > kin->nr_sectors)) &&
	    !origin->base.error)
		bio_mark(&origin->base, BIO_AMBIGUOUS);
}

void clone_of(struct join *j, struct backend_bio *bio, struct backend_bio *origin)
{
	struct kin *kin = bio_kin(j, &bio->base), *up = bio_kin(j, &origin->base);

	kin->up = origin;
	kin->up_level = up->level;
	count_sent(origin, bio);
	list_add_tail(&up->made, &kin->sibling);
	up->nr_open++;
	bio->base.guest_disk = origin->base.guest_disk;
	bio->base.pid = origin->base.pid;
}

__attribute__((noinline)) void clone_done(struct join *j, const struct backend_bio *bio)
{
	struct backend_bio *root = bio->base.kin->up;
	unsigned int level = 1;
	struct clone *clone;
	struct clones *c;
	bool told;

	for (; root->base.kin->up; root = root->base.kin->up)
		level++;
	/* Nobody asks for dom0's own. */
	if (!root->base.guest_disk)
		return;
	c = root->base.kin->clones;
	if (!c) {
		c = root->base.kin->clones = pool_take(&j->clones);
		c->nr = 0;
		c->first_ns = UINT64_MAX;
	}
	clone = &c->last[c->nr++ % XBLK_CLONES];
	*clone = (struct clone){
		.disk = bio->base.disk,
		.sector = bio->base.kin->sector,
		.nr_sectors = bio->base.kin->nr_sectors,
		.q_ns = bio->base.lowest_q_ns,
		.error = bio->base.error,
		.level = level,
	};
	/* By which of the disk's flushes one was served may not be told. */
	told = bio->base.nr_sectors || bio->base.disk->dom->tells_flushes;
	if (told || bio->by.disk != bio->base.disk)
		clone->c_ns = bio->base.c_ns;
	if (told) {
		clone->d_ns = bio->by.d_ns;
		clone->requeued_ns = bio->by.requeued_ns;
		clone->requeues = bio->by.requeues;
	}
	c->first_ns = min_u64(c->first_ns, clone->c_ns);
}

static struct clone so_far(const struct bio *bio, unsigned int level)
{
	struct clone c = {
		.disk = bio->disk,
		.sector = bio->kin->sector,
		.nr_sectors = bio->kin->nr_sectors,
		.q_ns = bio->flags & BIO_CLONE ? 0 : bio->lowest_q_ns,
		.error = bio->error,
		.level = level,
	};

	/* What became of a request whose record is missing is not known. */
	if (bio->rq && !(bio->rq->flags & (RQ_MISSED | RQ_CONTRADICTION))) {
		c.d_ns = bio->rq->first_d_ns;
		c.requeued_ns = bio->rq->requeued_ns;
		c.requeues = bio->rq->requeues;
	}
	return c;
}

/* The one behind @kin of those below @root, each before what was made of it; or NULL. */
static const struct kin *next_below(const struct kin *root, const struct kin *kin,
				    unsigned int *level)
{
	if (!list_empty(&kin->made)) {
		++*level;
		return list_entry(kin->made.next, const struct kin, sibling);
	}
	while (kin != root) {
		const struct kin *up = kin->up->base.kin;

		if (kin->sibling.next != &up->made)
			return list_entry(kin->sibling.next, const struct kin, sibling);
		kin = up;
		--*level;
	}
	return NULL;
}

unsigned int clones_open(const struct backend_bio *bio, struct clone to[XBLK_CLONES])
{
	const struct kin *root = bio->base.kin, *kin = root;
	unsigned int nr = 0, level = 0;

	while (kin && (kin = next_below(root, kin, &level))) {
		if (nr < XBLK_CLONES)
			to[nr] = so_far(kin->bio, level);
		nr++;
	}
	return nr;
}

void rq_set_clones(struct join *j, struct guest_rq *rq, struct clones *clones)
{
	struct domain *dom = rq->base.disk->dom;

	if (rq->cloned) {
		pool_put(&j->clones, rq->chain.clones);
		j->guest_cloned--;
		dom->nr_cloned--;
	}
	if (clones && j->guest_cloned >= JOIN_SHARED_CLONED &&
	    dom->nr_cloned >= JOIN_OWN_CLONED) {
		pool_put(&j->clones, clones);
		clones = NULL;
	}
	rq->cloned = clones != NULL;
	rq->chain.clones = clones;
	j->guest_cloned += rq->cloned;
	dom->nr_cloned += rq->cloned;
}
