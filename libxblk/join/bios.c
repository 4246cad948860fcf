// SPDX-License-Identifier: GPL-2.0-only
#include "join/bios.h"

#include "base/map.h"
#include "base/op.h"
#include "base/util.h"
#include "input/merge.h"
#include "join/bio.h"
#include "join/clones.h"
#include "join/disk.h"
#include "join/flush.h"
#include "join/life.h"
#include "join/match.h"
#include "join/rq.h"
#include "join/state.h"
#include "join/verdict.h"
#include "join/way.h"

/* The time of a part or of a clone began with that of what it was made of. */
static void bio_inherit(struct bio *child, const struct bio *bio)
{
	child->q_ns = bio->q_ns;
	child->pid = bio->pid;
	child->flags |= bio->flags & BIO_NO_Q;
}

/*
 * A part of it, or what was left of it, was done at @ns; the last one counts.
 * Return: where by what is to be told, or NULL.
 */
static struct service *serve(struct backend_bio *bio, uint64_t ns)
{
	if (ns < bio->base.c_ns)
		return NULL;
	bio->base.c_ns = ns;
	return &bio->by;
}

/* The same of @part, which may have been cut off before the rest of @up was sent on. */
static void serve_part(struct backend_bio *up, const struct backend_bio *part)
{
	struct service *by;

	/* What has no data has no parts: it is another one of its name that waits. */
	if (unlikely(up->base.flags & BIO_WAITS)) {
		bio_mark(&up->base, BIO_AMBIGUOUS);
		return;
	}
	if (part->base.c_ns >= up->base.c_ns) {
		up->base.flags &= ~BIO_BESIDE;
		if (part->base.kin->up_level != up->base.kin->level)
			up->base.flags |= BIO_BESIDE;
	}
	by = serve(up, part->base.c_ns);
	if (by)
		*by = part->by;
	note_error(&up->base.error, part->base.error);
	up->base.flags |= part->base.flags & BIO_LAYERED;
}

/* All of it was done at @ns, but for what was cut from it. */
static void over(struct join *j, struct backend_bio *bio, uint64_t ns)
{
	bio->base.c_ns = max_u64(bio->base.c_ns, ns);
	while (bio->base.kin && bio->base.kin->up) {
		struct backend_bio *up = bio->base.kin->up;

		serve_part(up, bio);
		clone_done(j, bio);
		bio_free(j, &bio->base);
		if (!(up->base.flags & BIO_OVER) || up->base.kin->nr_open)
			return;
		bio = up;
	}
	match_bio_done(j, bio);
}

/* What it was made into may not be. */
static void done(struct join *j, struct backend_bio *bio, uint64_t ns)
{
	if (!bio->base.kin || !bio->base.kin->nr_open) {
		over(j, bio, ns);
		return;
	}
	bio->base.flags |= BIO_OVER;
	bio->base.rq = NULL;
	list_del(&bio->base.in_rq);
	map_del(&bio->base.disk->dom->bios, bio->base.id, &bio->base);
}

void bio_served(struct join *j, struct backend_bio *bio, const struct service *by,
		uint32_t error)
{
	struct service *to = serve(bio, by->c_ns);

	if (to) {
		*to = *by;
		to->q_ns = bio->base.lowest_q_ns;
	}
	note_error(&bio->base.error, error);
	done(j, bio, by->c_ns);
}

void bio_done(struct join *j, struct backend_bio *bio, const struct rq *rq, uint64_t ns)
{
	const struct service by = {
		.disk = rq->disk,
		.q_ns = bio->base.lowest_q_ns,
		.d_ns = rq->first_d_ns,
		.requeued_ns = rq->requeued_ns,
		.c_ns = ns,
		.requeues = rq->requeues,
		.nr_bios = rq_known_bios(rq),
	};
	struct service *to;

	note_error(&bio->base.error, rq->error);
	/* Mostly nothing was made of it, and its guest's request is known. */
	if (!bio->base.kin && bio->base.owner && ns >= bio->base.c_ns) {
		bio->base.c_ns = ns;
		match_served(j, bio, &by);
		return;
	}
	to = serve(bio, ns);
	if (to)
		*to = by;
	done(j, bio, ns);
}

static bool is_flush(const struct xblk_record *r)
{
	return !r->nr_sectors &&
	       ((r->op & XBLK_OP_MASK) == XBLK_OP_FLUSH || (r->op & XBLK_OP_F_PREFLUSH));
}

static void note_flush(struct stream *s, struct bio *bio, const struct xblk_record *r)
{
	struct flushes *flushes;

	if (!(r->op & XBLK_OP_F_PREFLUSH) && !is_flush(r))
		return;
	flushes = disk_flushes(bio->disk);
	if (!s->dom->tells_flushes)
		flush_queued(flushes, s->cpu, r->time, r->aux, is_flush(r));
	if (!is_flush(r))
		return;
	bio->cpu = s->cpu % FLUSH_CPUS;
	list_del(&bio->in_rq);
	list_add_tail(&flushes->bios[bio->cpu], &bio->in_rq);
}

/* It goes on at @to, as it is: what was queued is what is issued there. */
static void pass_on(struct join *j, struct stream *s, struct backend_bio *bio,
		    struct disk *to, uint64_t sector, const struct xblk_record *r)
{
	struct kin *kin = bio_kin(j, &bio->base);

	clone_passed_on(j, bio, r);
	clone_anew(kin);
	kin->level++;
	bio->base.disk = to;
	bio->base.sector = kin->sector = sector;
	bio->base.nr_sectors = kin->nr_sectors = r->nr_sectors;
	bio->base.lowest_q_ns = r->time;
	bio->base.flags |= BIO_SENT;
	list_del(&bio->base.in_rq);
	clone_not_found(kin);
	if (join_disk(to)->searched)
		clone_found(j, &bio->base);
	note_flush(s, &bio->base, r);
}

static void make_clone(struct join *j, struct disk *from, struct disk *to,
		       const struct remap *remap, const struct xblk_record *r)
{
	struct xblk_record sent = *r;
	struct bio *bio, *origin;
	bool ambiguous;

	sent.sector = remap->to_sector;
	/* The new bio first: making room for it may take any other one. */
	bio = bio_renew(j, to, &sent);
	bio->lowest_q_ns = r->time;
	bio->flags |= BIO_SENT | BIO_CLONE;
	origin = clone_origin(j, from, r, false, &ambiguous);
	if (ambiguous)
		bio->flags |= BIO_AMBIGUOUS;
	if (!origin)
		return;
	clone_of(j, backend_bio(bio), backend_bio(origin));
	bio_inherit(bio, origin);
}

/*
 * A layer may send on the very bio that was queued: its Q is not recorded again then, so
 * that what is issued below has the name of what was queued above.
 */
void bio_sent(struct join *j, struct stream *s, const struct xblk_record *r)
{
	struct disk *from, *to;
	struct bio *bio;
	bool ambiguous;

	if (r->event == XBLK_EV_REMAP) {
		s->remap = (struct remap){
			.pending = true,
			.id = r->id,
			.ns = r->time,
			.to_disk = r->disk,
			.to_sector = r->sector,
		};
		return;
	}
	if (!s->remap.pending || s->remap.id != r->id)
		return;
	s->remap.pending = false;
	from = domain_disk(s->dom, r->disk);
	/* A partition's bio is its disk's bio: nothing was sent. */
	if (!from || s->remap.to_disk == r->disk || !s->dom->backend)
		return;
	to = domain_disk(s->dom, s->remap.to_disk);
	bio = map_get(&s->dom->bios, r->id);
	/* Or it is an earlier one of that identity, whose end was missed. */
	if (bio && (bio->disk != from || bio->rq || r->sector < bio->sector ||
		    r->sector + r->nr_sectors != bio->sector + bio->nr_sectors))
		bio = NULL;
	if (to && bio) {
		pass_on(j, s, backend_bio(bio), to, s->remap.to_sector, r);
	} else if (to) {
		make_clone(j, from, to, &s->remap, r);
	} else {
		bio = bio ? bio : clone_origin(j, from, r, false, &ambiguous);
		if (bio)
			bio_mark(bio, BIO_UNFOLLOWED);
	}
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
	struct bio *bio;

	if (!disk)
		return;
	counts_of(disk)->guest.bios++;
	bio = bio_at(j, disk, r, map_place(&s->dom->bios, r->id), false);
	note_flush(s, bio, r);
	if (p)
		p->last_bio = r->id;
}

/* What was sent to the disk is queued there; or it is another one of its name. */
static bool arrived(struct backend_bio *bio, const struct disk *disk,
		    const struct xblk_record *r)
{
	if (!bio || !(bio->base.flags & BIO_SENT) || bio->base.disk != disk)
		return false;
	if (bio->base.rq || bio->base.nr_sectors != r->nr_sectors ||
	    !same_class(bio->base.op, r->op))
		return false;
	bio->base.flags &= ~(BIO_SENT | BIO_CLONE);
	bio->base.queuer = r->aux;
	/* Older tracers said a partition's sector until now, where it is on one. */
	bio->base.sector = r->sector;
	bio->base.lowest_q_ns = r->time;
	return true;
}

static void count_own(struct disk *disk, const struct xblk_record *r)
{
	counts_of(disk)->own_bios++;
	counts_of(disk)->own_sectors += r->nr_sectors;
}

static void queue_for_guest(struct join *j, const struct stream *s,
			    struct backend_bio *bio, struct disk *guest_disk,
			    struct process *p)
{
	counts_of(guest_disk)->backend.bios++;
	if (unlikely(!join_disk(guest_disk)->served_ns))
		join_disk(guest_disk)->served_ns = bio->base.q_ns;
	bio->base.guest_disk = guest_disk;
	bio->guest_nr = bio->base.nr_sectors;
	bio->guest_sector =
		bio->base.nr_sectors ? bio->base.sector - guest_disk->start_sector : 0;
	bio->base.ring = p->ring;
	bio->base.flags |= BIO_SERVES;
	way_queued(s, bio, p);
	/* What has no sectors is a flush, and in its disk's list of them. */
	if (bio->base.nr_sectors ? bio->base.sector >= guest_disk->start_sector
				 : !list_empty(&bio->base.in_rq))
		match_bio(j, bio, p);
}

void bio_queue_backend(struct join *j, struct stream *s, const struct xblk_record *r)
{
	struct disk *disk = domain_disk(s->dom, r->disk), *guest_disk;
	struct process *p = queued_by(s, r->aux);
	struct backend_bio *bio;
	void **place;

	if (!disk)
		return;
	place = map_place(&s->dom->bios, r->id);
	bio = backend_bio(*place);
	if (unlikely(arrived(bio, disk, r))) {
		note_flush(s, &bio->base, r);
		if (p) {
			p->last_bio = r->id;
			/* Of an older one of that name, whose end was lost, or a part. */
			way_forget_thread(p);
		}
		if (!(bio->base.kin && bio->base.kin->up) && !bio->base.guest_disk &&
		    !(bio->base.flags & BIO_AMBIGUOUS))
			count_own(disk, r);
		return;
	}
	bio = backend_bio(bio_at(j, disk, r, place, true));
	if (p)
		p->last_bio = r->id;
	note_flush(s, &bio->base, r);
	bio->base.lowest_q_ns = r->time;
	guest_disk = p ? model_serves(j->model, p) : NULL;
	if (guest_disk && guest_disk->backing == disk) {
		queue_for_guest(j, s, bio, guest_disk, p);
		return;
	}
	/* If its name was lost, this may have been a guest's all the same. */
	if ((!p || !p->known) && s->dom->gaps.nr)
		join_gap(j, s->dom, r->time, r->time);
	count_own(disk, r);
}

void bio_backend(struct join *j, struct domain *dom, const struct xblk_record *r)
{
	struct backend_bio *bio = backend_bio(map_get(&dom->bios, r->id));

	if (bio && bio->base.flags & BIO_SERVES && bio->base.disk->index == r->disk)
		match_request(j, bio, r->aux);
}

static struct merge_count *side_of(struct domain *dom, struct disk *disk,
				   const struct bio *bio)
{
	if (!dom->backend)
		return &counts_of(disk)->guest;
	return bio && bio->guest_disk ? &counts_of(bio->guest_disk)->backend : NULL;
}

void bio_merged(struct stream *s, const struct xblk_record *r)
{
	struct disk *disk = domain_disk(s->dom, r->disk);
	struct merge_count *side;

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

/*
 * Device mapper says it of what is left, by its own name, and sends the front on as
 * clones; others of the front, which is a new bio.
 */
static bool is_rest(const struct bio *bio, const struct disk *disk,
		    const struct xblk_record *r)
{
	return bio && bio->disk == disk && !bio->rq && r->sector > bio->sector &&
	       r->sector + r->nr_sectors == bio->sector + bio->nr_sectors;
}

void bio_split(struct join *j, struct stream *s, const struct xblk_record *r)
{
	struct disk *disk = domain_disk(s->dom, r->disk);
	struct bio *bio = map_get(&s->dom->bios, r->id), *origin;
	struct merge_count *side;
	bool ambiguous;

	if (!disk)
		return;
	if (is_rest(bio, disk, r)) {
		bio_kin(j, bio);
		bio->sector = r->sector;
		bio->nr_sectors = r->nr_sectors;
		return;
	}
	bio = bio_renew(j, disk, r);
	origin = clone_origin(j, disk, r, true, &ambiguous);
	if (!origin) {
		bio->flags |= BIO_NO_Q | (ambiguous ? BIO_AMBIGUOUS : 0);
		return;
	}
	bio->lowest_q_ns = origin->lowest_q_ns;
	bio_inherit(bio, origin);
	if (s->dom->backend)
		clone_of(j, backend_bio(bio), backend_bio(origin));
	side = side_of(s->dom, disk, bio);
	if (side)
		side->splits++;
	/* What was cut off is its own bio's now. */
	origin->sector += r->nr_sectors;
	origin->nr_sectors -= r->nr_sectors;
	if (origin->kin)
		origin->kin->cut_sectors = origin->sector - origin->kin->sector;
}

/*
 * Whether the rest of @bio may have been done behind what had been cut off before it was
 * sent on: its layer may have worked on when its devices were done, as some always do, or
 * with all that they read.
 */
static bool rest_may_be_last(const struct stream *s, const struct backend_bio *bio)
{
	struct join_disk *disk = join_disk(bio->base.disk);
	unsigned int kind = op_class(bio->base.op) == XBLK_OP_READ ? 2 : 1;
	bool at_once = bio->by.c_ns == s->done_ns;

	if (bio->base.flags & BIO_BESIDE)
		return !at_once || !(disk->ends_at_once & kind) ||
		       disk->ends_later & kind;
	if (bio->by.c_ns)
		*(at_once ? &disk->ends_at_once : &disk->ends_later) |= kind;
	return false;
}

/*
 * A device that makes no requests has done it.  What it sent on and was done last has
 * been noted; if there is nothing, all of its time there was the device's.
 */
static void complete_backend(struct join *j, struct stream *s, struct backend_bio *bio,
			     const struct xblk_record *r)
{
	way_forget_done(s);
	j->now = s;
	/* What it was made into is not done, and so is not what it seemed to be. */
	if ((bio->base.kin && bio->base.kin->nr_open &&
	     (!bio->by.c_ns || !bio->base.kin->nr_sectors)) ||
	    rest_may_be_last(s, bio))
		bio_mark(&bio->base, BIO_AMBIGUOUS);
	if (!bio->by.c_ns)
		bio->by = (struct service){
			.disk = bio->base.disk,
			.q_ns = bio->base.lowest_q_ns,
			.d_ns = bio->base.lowest_q_ns,
			.c_ns = r->time,
		};
	note_error(&bio->base.error, r->aux);
	bio->base.flags |= BIO_LAYERED;
	over(j, bio, r->time);
}

void bio_complete(struct join *j, struct stream *s, const struct xblk_record *r)
{
	struct bio *bio = map_get(&s->dom->bios, r->id);

	if (!bio || bio->disk->index != r->disk || bio->rq || bio->flags & BIO_WAITS)
		return;
	if (s->dom->backend) {
		complete_backend(j, s, backend_bio(bio), r);
		return;
	}
	/* It is given up before it was in a request, so there is nothing to join. */
	counts_of(bio->disk)->guest.ended++;
	bio_free(j, bio);
}
