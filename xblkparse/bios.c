// SPDX-License-Identifier: GPL-2.0-only
#include "join.h"

/* How far back the origin of a split is looked for. */
#define SEARCH_MAX 256

void bio_free(struct join *j, struct bio *bio)
{
	struct domain *dom = bio->disk->dom;

	map_del(&dom->bios, bio->id, bio);
	list_unlink(&bio->age);
	list_unlink(&bio->in_rq);
	match_forget_bio(bio);
	dom->nr_bios--;
	pool_put(&j->bios, bio);
}

void bio_forget(struct join *j, struct bio *bio)
{
	if (bio->owner)
		bio->owner->flags |= RQ_DROPPED;
	bio_free(j, bio);
}

static inline struct bio *bio_new(struct join *j, struct disk *disk,
				  const struct xblk_record *r)
{
	struct domain *dom = disk->dom;
	struct bio *bio;
	void **place;

	if (dom->nr_bios >= j->max_in_flight) {
		dom->evicted_bios++;
		bio_forget(j, list_entry(dom->bio_age.next, struct bio, age));
	}
	place = map_place(&dom->bios, r->id);
	/* The identity is in use again, so what ended the old one was missed. */
	if (*place) {
		dom->stale_bios++;
		bio_forget(j, *place);
		place = map_place(&dom->bios, r->id);
	}
	bio = pool_get(&j->bios);
	*place = bio;
	bio->disk = disk;
	bio->id = r->id;
	bio->op = r->op;
	bio->sector = r->sector;
	bio->nr_sectors = r->nr_sectors;
	bio->pid = r->aux;
	bio->q_ns = r->time;
	list_init(&bio->in_rq);
	list_add_tail(&dom->bio_age, &bio->age);
	dom->nr_bios++;
	return bio;
}

/*
 * @child was cut from the front of @bio, or is a clone of a part of it that
 * goes to a lower device: either way its time began with @bio's.
 */
static void bio_inherit(struct bio *child, struct bio *bio)
{
	child->q_ns = bio->q_ns;
	child->pid = bio->pid;
	child->thread_ns = bio->thread_ns;
	child->interrupt_ns = bio->interrupt_ns;
	child->flags |= bio->flags & BIO_NO_Q;
	match_inherit(child, bio);
}

/* @child's part of @bio is @child's now; @bio ends when nothing is left. */
static void bio_shrink(struct join *j, struct bio *bio, uint32_t nr)
{
	if (nr < bio->nr_sectors) {
		bio->sector += nr;
		bio->nr_sectors -= nr;
		match_moved(bio);
		return;
	}
	if (bio->owner)
		bio->owner->outstanding--;
	bio_free(j, bio);
}

static bool bio_holds(const struct bio *bio, const struct disk *disk, unsigned int op,
		      uint64_t sector, uint32_t nr)
{
	return bio->disk == disk && !bio->rq && !(bio->flags & BIO_DONE) &&
	       same_class(bio->op, op) && nr <= bio->nr_sectors &&
	       (bio->sector == sector || !bio->nr_sectors);
}

/*
 * The bio that was queued and of which @r is about a part.  It is nearly
 * always the last one that the process queued.
 */
static struct bio *find_origin(struct domain *dom, const struct disk *disk,
			       const struct xblk_record *r, uint64_t sector)
{
	struct process *p = map_get(&dom->processes, r->aux);
	struct bio *bio = p ? map_get(&dom->bios, p->last_bio) : NULL;
	struct list *node = dom->bio_age.prev;

	if (bio && bio->id != r->id && bio_holds(bio, disk, r->op, sector, r->nr_sectors))
		return bio;
	for (int i = 0; i < SEARCH_MAX && node != &dom->bio_age; i++, node = node->prev) {
		bio = list_entry(node, struct bio, age);
		if (bio->id != r->id &&
		    bio_holds(bio, disk, r->op, sector, r->nr_sectors))
			return bio;
	}
	return NULL;
}

/* The upper bio that the remapping before this Q cut a part from. */
static struct bio *remap_origin(struct domain *dom, struct process *p,
				const struct xblk_record *r)
{
	struct disk *upper;

	if (!p || !p->remap.pending)
		return NULL;
	p->remap.pending = false;
	/*
	 * No look at the sector: where a partition lies between, it is that one's in
	 * traces of older tracers.
	 */
	if (p->remap.id != r->id || p->remap.to_disk != r->disk)
		return NULL;
	upper = domain_disk(dom, p->remap.from_disk);
	/* A partition's bio is its disk's bio: nothing was cloned. */
	if (!upper || p->remap.from_disk == r->disk)
		return NULL;
	return find_origin(dom, upper, r, p->remap.from_sector);
}

/* Who queues the bio; it is mostly the one that queued the last one on this CPU. */
static struct process *queued_by(struct stream *s, uint32_t pid)
{
	if (!s->process || s->process->pid != pid)
		s->process = model_process(s->dom, pid);
	return s->process;
}

void bio_queue_guest(struct join *j, struct stream *s, const struct xblk_record *r)
{
	struct disk *disk = domain_disk(s->dom, r->disk);
	struct process *p = queued_by(s, r->aux);

	if (!disk)
		return;
	disk->stats.guest.bios++;
	if (r->op & XBLK_OP_F_PREFLUSH || is_flush(r)) {
		flush_queued(disk_flushes(disk), s->cpu, r->time, r->aux);
	}
	/* An empty flush is never issued itself, so no D will name it. */
	if (!is_flush(r))
		bio_new(j, disk, r);
	if (p)
		p->last_bio = r->id;
}

void bio_queue_backend(struct join *j, struct stream *s, const struct xblk_record *r)
{
	struct disk *disk = domain_disk(s->dom, r->disk), *guest_disk;
	struct process *p = queued_by(s, r->aux);
	struct bio *bio, *origin;

	if (!disk)
		return;
	/* The new bio first: making room for it may take any other one. */
	bio = bio_new(j, disk, r);
	origin = remap_origin(s->dom, p, r);
	if (p)
		p->last_bio = r->id;
	if (r->op & XBLK_OP_F_PREFLUSH || is_flush(r))
		flush_queued(disk_flushes(disk), s->cpu, r->time, r->aux);
	if (is_flush(r)) {
		bio->cpu = s->cpu % FLUSH_CPUS;
		list_add_tail(&disk_flushes(disk)->bios[bio->cpu], &bio->in_rq);
	}
	bio->lowest_q_ns = r->time;
	if (origin) {
		bio_inherit(bio, origin);
		bio_shrink(j, origin, r->nr_sectors);
		return;
	}
	guest_disk = p ? model_serves(j->model, p) : NULL;
	if (guest_disk && guest_disk->backing == disk) {
		guest_disk->stats.backend.bios++;
		bio->guest_disk = guest_disk;
		way_queued(bio, p);
		match_bio(j, bio);
		return;
	}
	/* If its name was lost, this may have been a guest's all the same. */
	if ((!p || !p->known) && s->dom->gaps.nr)
		join_gap(j, s->dom, r->time, r->time);
	disk->own_bios++;
	disk->own_sectors += r->nr_sectors;
}

static struct merge_count *side_of(struct domain *dom, struct disk *disk,
				   const struct bio *bio)
{
	if (!dom->backend)
		return &disk->stats.guest;
	return bio && bio->guest_disk ? &bio->guest_disk->stats.backend : NULL;
}

void bio_merged(struct join *j, struct stream *s, const struct xblk_record *r)
{
	struct disk *disk = domain_disk(s->dom, r->disk);
	struct merge_count *side;

	(void)j;
	if (!disk)
		return;
	side = side_of(s->dom, disk, map_get(&s->dom->bios, r->id));
	if (!side)
		return;
	if (r->event == XBLK_EV_BACKMERGE)
		side->back++;
	else
		side->front++;
}

void bio_split(struct join *j, struct stream *s, const struct xblk_record *r)
{
	struct disk *disk = domain_disk(s->dom, r->disk);
	struct merge_count *side;
	struct bio *bio, *origin;

	if (!disk)
		return;
	bio = bio_new(j, disk, r);
	origin = find_origin(s->dom, disk, r, r->sector);
	if (!origin) {
		bio->flags |= BIO_NO_Q;
		return;
	}
	bio->lowest_q_ns = origin->lowest_q_ns;
	bio_inherit(bio, origin);
	bio_shrink(j, origin, r->nr_sectors);
	side = side_of(s->dom, disk, bio);
	if (side)
		side->splits++;
}

/*
 * A guest's: given up before it was in a request, so there is nothing to join.
 * dom0's: done by a device that made no request of it, and sent nothing of it on;
 * all of its time there was the device's.
 */
void bio_complete(struct join *j, struct stream *s, const struct xblk_record *r)
{
	struct bio *bio = map_get(&s->dom->bios, r->id);

	if (!bio || bio->disk->index != r->disk || bio->rq)
		return;
	if (!s->dom->backend) {
		bio->disk->stats.guest.ended++;
		bio_free(j, bio);
		return;
	}
	way_forget_done(s);
	j->now = s;
	bio->d_ns = bio->lowest_q_ns;
	bio->c_ns = r->time;
	match_bio_done(j, bio);
}
