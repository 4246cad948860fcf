/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether what is told of a request is right, by the answer to it: its stages, what dom0
 * did for it, and which bins it may be in.
 */
#ifndef XBLK_TEST_STACKS_RIGHT_H
#define XBLK_TEST_STACKS_RIGHT_H

#include "stacks_check.h"

/* That were looked at. */
static uint64_t clones, in_flight;

static inline bool has_d(const struct answer *a, uint64_t ns)
{
	for (unsigned int i = 0; i < a->nr_ds; i++) {
		if (a->d_ns[i] == ns)
			return true;
	}
	return false;
}

/* By its D; where that is not in the trace, by its C. */
static inline struct answer *find(struct stacks *s, const struct xblk_request *r)
{
	struct answer *by_c = NULL;

	for (size_t i = 1; i <= s->nr; i++) {
		struct answer *a = &s->answers[i];

		if (a->domid != r->domid || a->disk != r->disk_index)
			continue;
		if (a->sector == r->sector && has_d(a, r->d_ns))
			return a;
		if (r->c_ns && (a->c_ns == r->c_ns || a->part_c_ns == r->c_ns))
			by_c = a;
	}
	return by_c;
}

/*
 * A flush of several disks: that of each ends with its flush request or a little later,
 * so that several may be the one that ended last; or it is followed only as far as to a
 * layer that makes flushes of its own.
 */
static inline bool many_flushes(const struct answer *a)
{
	return !a->nr_sectors &&
	       (strstr(a->stack, "mirror") || strstr(a->stack, "stripe") ||
		strstr(a->stack, "cut") || strstr(a->stack, "raid0"));
}

/* The stages of the bio of the backend's that ended last; several may have. */
static inline bool right_stages(const struct answer *a, const int64_t *stages)
{
	uint64_t last = 0, d = a->d_ns[a->nr_ds - 1];

	for (unsigned int i = 0; i < a->nr_bios; i++)
		last = a->bios[i].end_ns > last ? a->bios[i].end_ns : last;
	for (unsigned int i = 0; i < 2 * a->nr_bios; i++) {
		const struct answer_bio *b = &a->bios[i / 2];
		uint64_t end = i % 2 ? b->other_end_ns : b->end_ns;

		if (b->end_ns == last && end &&
		    stages[STAGE_U_Q2D] == (int64_t)(d - a->q_ns) &&
		    stages[STAGE_U_T] == (int64_t)(b->q_ns - d) &&
		    (stages[STAGE_0_Q2D] == (int64_t)b->queued_ns || many_flushes(a)) &&
		    stages[STAGE_0_D2C] ==
			    (int64_t)(end - b->q_ns) - stages[STAGE_0_Q2D] &&
		    stages[STAGE_0_T] == (int64_t)(a->c_ns - end))
			return true;
	}
	return false;
}

/* When the thread went about the slot that the bio is of is known, or not told. */
static inline bool right_thread(const struct answer *a, const struct xblk_request *r)
{
	for (unsigned int i = 0; i < a->nr_bios; i++) {
		const struct answer_bio *b = &a->bios[i];

		if (b->q_ns == r->backend_q_ns)
			return r->backend_thread_ns == b->thread_ns ||
			       !r->backend_thread_ns;
	}
	return false;
}

static inline bool is_disk(struct check *c, unsigned int index, const char *label)
{
	const struct disk *disk = domain_disk(c->parse.model.backend, index);

	return disk && !strcmp(disk->label, label);
}

static inline bool ended_at(const struct answer_clone *c, uint64_t ns)
{
	return c->c_ns == ns || (c->other_c_ns && c->other_c_ns == ns);
}

static inline bool is_at(struct check *c, const struct answer_clone *a,
			 const struct xblk_clone *t)
{
	return is_disk(c, a->disk, t->disk) && a->sector == t->sector &&
	       a->nr_sectors == t->nr_sectors;
}

/*
 * Whether a layer's flush may have ended with the lower one that was issued at @d_ns:
 * each has two ends, its flush request's and, a little later, its own, and which is the
 * last one of all may differ with these.
 */
static inline bool right_leg(const struct answer_bio *b, const struct answer_clone *a,
			     uint64_t d_ns)
{
	uint64_t last_ns = 0, ns = 0;

	for (size_t i = 0; i < b->nr_clones; i++) {
		const struct answer_clone *leg = &b->clones[i];

		if (!leg->lowest || leg->level <= a->level || leg->c_ns > a->c_ns)
			continue;
		if (leg->d_ns == a->d_ns)
			last_ns = leg->other_c_ns;
		if (leg->d_ns == d_ns)
			ns = leg->other_c_ns;
	}
	return last_ns && ns >= last_ns;
}

/*
 * Whether @t is told of @a: all of it, or what was by the end of the trace.  By which
 * flush request one was served is known only where that is told.
 */
static inline bool right_clone(struct check *c, const struct answer_bio *b,
			       const struct answer_clone *a, const struct xblk_clone *t,
			       bool flush)
{
	bool untold = flush && c->stacks.traits & (1u << TRAIT_OLD | 1u << TRAIT_BLIND);

	if (!a->level || a->level != t->level)
		return false;
	if (untold || t->c_ns) {
		if (!is_at(c, a, t) || a->q_ns != t->q_ns)
			return false;
		if (untold)
			return !t->d_ns && (t->c_ns ? a->c_ns == t->c_ns : a->lowest);
		return ended_at(a, t->c_ns) &&
		       (a->d_ns == t->d_ns || (flush && right_leg(b, a, t->d_ns))) &&
		       a->again_ns == t->requeued_ns && a->requeues == t->requeues &&
		       a->error == t->error;
	}
	if (a->c_ns < c->end_ns || a->made_ns >= c->end_ns)
		return false;
	/* It had not come to its last disk. */
	if (a->q_ns >= c->end_ns)
		return !t->d_ns &&
		       (a->disk != a->first_disk ? is_disk(c, a->first_disk, t->disk)
						 : is_at(c, a, t) && !t->q_ns);
	if (!is_at(c, a, t) || (t->q_ns && a->q_ns != t->q_ns))
		return false;
	return a->in_parts || !a->lowest ||
	       t->d_ns == (a->d_ns < c->end_ns ? a->d_ns : 0);
}

/* What is told of the bio's clones; of one in flight, of those that there are. */
static inline bool right_clones(struct check *c, const struct answer_bio *b,
				const struct xblk_request *r)
{
	bool used[256] = {false};
	unsigned int nr = 0;

	for (size_t i = 0; i < b->nr_clones; i++)
		nr += b->clones[i].level && b->clones[i].made_ns < c->end_ns;
	if (nr != r->nr_clones || b->nr_clones > ARRAY_SIZE(used))
		return false;
	for (unsigned int t = 0; t < nr && t < XBLK_CLONES; t++) {
		size_t i = 0;

		while (i < b->nr_clones &&
		       (used[i] ||
			!right_clone(c, b, &b->clones[i], &r->clones[t], !r->nr_sectors)))
			i++;
		if (i == b->nr_clones)
			return false;
		used[i] = true;
		clones++;
	}
	return true;
}

/* The lowest device's part, from which the layers' and the queue's follow. */
static inline bool right_lowest(struct check *c, const struct answer_bio *b,
				const struct xblk_request *r)
{
	for (size_t i = 0; i < b->nr_clones; i++) {
		const struct answer_clone *a = &b->clones[i];

		if (a->lowest && is_disk(c, a->disk, r->lowest_disk) &&
		    a->q_ns == r->lowest_q_ns && a->c_ns == r->lowest_c_ns &&
		    a->d_ns == r->backend_d_ns && a->again_ns == r->lowest_requeued_ns &&
		    a->requeues == r->lowest_requeues &&
		    (a->nr_bios == r->lowest_nr_bios || (hides(c) && !r->lowest_nr_bios)))
			return true;
	}
	return false;
}

/* It had not come back: how far the bio was. */
static inline bool right_so_far(struct check *c, const struct answer_bio *b,
				const struct xblk_request *r)
{
	const struct answer_clone *self = &b->clones[b->nr_clones - 1];

	in_flight++;
	if (r->backend_c_ns)
		return b->end_ns == r->backend_c_ns && right_lowest(c, b, r);
	if (b->end_ns < c->end_ns)
		return false;
	return !*r->lowest_disk || self->q_ns >= c->end_ns ||
	       (is_disk(c, self->disk, r->lowest_disk) && self->q_ns == r->lowest_q_ns &&
		(!r->backend_d_ns || self->in_parts || self->d_ns == r->backend_d_ns));
}

/* What is told of blkback's bio, if any is, is of one, and what it was. */
static inline bool right_backend(struct check *c, const struct answer *a,
				 const struct xblk_request *r)
{
	bool failed = false;

	/* What failed of one from before the trace may be what had to be done again. */
	if (r->backend_error && a->unseen && a->contested)
		return true;

	for (unsigned int i = 0; i < a->nr_bios; i++) {
		for (size_t n = 0; n < a->bios[i].nr_clones; n++)
			failed |= a->bios[i].clones[n].error;
	}
	if (r->measured && r->backend_error != (failed ? 5 : 0))
		return false;
	for (unsigned int i = 0; i < a->nr_bios; i++) {
		const struct answer_bio *b = &a->bios[i];

		if (b->q_ns != r->backend_q_ns)
			continue;
		return right_clones(c, b, r) &&
		       (!r->measured ? right_so_far(c, b, r)
				     : !r->nr_sectors || right_lowest(c, b, r));
	}
	return !r->backend_q_ns;
}

/*
 * How many bios of the backend contradict the clock, and whether that is so of the last;
 * by the other end of each if it has one (@other).
 */
static inline unsigned int contradictions(const struct answer *a, bool other,
					  bool *of_last)
{
	unsigned int nr = 0;
	uint64_t last = 0;

	for (unsigned int i = 0; i < a->nr_bios; i++) {
		const struct answer_bio *b = &a->bios[i];
		uint64_t end = other && b->other_end_ns ? b->other_end_ns : b->end_ns;
		bool bad = b->q_ns < a->d_ns[a->nr_ds - 1] || end > a->c_ns;

		nr += bad;
		if (b->end_ns >= last)
			*of_last = bad;
		last = b->end_ns > last ? b->end_ns : last;
	}
	return nr;
}

/* A bin that a loss explains when it is told of: in the end nothing may be in it. */
static inline bool until_told(const struct answer *a, enum bin bin)
{
	return a->touched && (bin == BIN_MALFORMED || bin == BIN_INCOMPLETE ||
			      bin == BIN_NO_BACKEND_IO || bin == BIN_BEFORE_TRACE);
}

/*
 * Its ring and its order there tell it from all others at its place: the trace has all of
 * them, and no layer sends on later what it got, in another order, or as parts of which
 * one may be another request's.
 */
static inline bool told_apart(const struct check *c, const struct answer *a)
{
	const unsigned int untold = 1u << TRAIT_OLD | 1u << TRAIT_BLIND |
				    1u << TRAIT_GAPS | 1u << TRAIT_OWN |
				    1u << TRAIT_SLOTS | 1u << TRAIT_CLOCK |
				    1u << TRAIT_MIDDLE | 1u << TRAIT_LOSS;

	return a->nr_sectors && !has(c, untold) && !strstr(a->stack, "defer") &&
	       !strstr(a->stack, "crypt") && !strstr(a->stack, "stripe") &&
	       !strstr(a->stack, "raid0") && !strstr(a->stack, "cut/") &&
	       !strstr(a->stack, "mirror/");
}

/* A flush's bio has two ends, of which the clock may contradict one. */
static inline bool joined_by_other_end(const struct answer *a)
{
	bool of_last = true;

	if (a->q_ns < GEN_START || !a->c_ns)
		return false;
	contradictions(a, true, &of_last);
	return !of_last;
}

/* What it may be in, besides where it has to be. */
static inline bool may_be(const struct check *c, const struct answer *a, enum bin bin)
{
	bool of_last;

	switch (bin) {
	case BIN_LOST:
		return a->touched;
	case BIN_AMBIGUOUS:
		return (a->contested && !told_apart(c, a)) || a->touched || a->first;
	case BIN_BEFORE_TRACE:
		return a->unseen;
	case BIN_CAUSALITY:
		return contradictions(a, false, &of_last);
	case BIN_JOINED:
		return joined_by_other_end(a);
	case BIN_NO_BACKEND_IO:
		return a->no_backend && a->unseen;
	case BIN_INCOMPLETE:
		return a->contested && a->unseen;
	default:
		return false;
	}
}

static inline enum bin right_bin(const struct answer *a)
{
	bool of_last = false;

	if (a->q_ns < GEN_START)
		return BIN_BEFORE_TRACE;
	if (!a->c_ns)
		return BIN_IN_FLIGHT;
	if (a->no_backend)
		return BIN_NO_BACKEND_IO;
	contradictions(a, false, &of_last);
	return of_last ? BIN_CAUSALITY : BIN_JOINED;
}

/*
 * A doubt outlives its reason, or has one that the answer does not know.  A reader does
 * not know when what was lost would have come, nor, at the beginning, which flushes were
 * under way, or which of those at a place the ones were that a bio may have been of.
 * Which flush did what is told by little of what is recorded of flushes.  Where orders are
 * not told, or parts that a layer has cut off are told apart by their places, one that
 * went wrong leaves in doubt all that are at its place, and what goes on behind them.
 */
static inline bool is_doubt(const struct check *c, const struct answer *a, enum bin bin)
{
	switch (bin) {
	case BIN_LOST:
		return has(c, 1u << TRAIT_LOSS);
	case BIN_BEFORE_TRACE:
		return (!a->nr_sectors || a->contested) &&
		       has(c, 1u << TRAIT_MIDDLE | 1u << TRAIT_LOSS);
	case BIN_AMBIGUOUS:
		return !a->nr_sectors || strstr(a->stack, "cut/") ||
		       has(c, 1u << TRAIT_LOSS | 1u << TRAIT_GAPS | 1u << TRAIT_OLD |
				      1u << TRAIT_BLIND | 1u << TRAIT_SLOTS);
	case BIN_INCOMPLETE:
		return hides(c);
	default:
		return false;
	}
}

static inline bool wrong_latency(const struct answer *a, const struct xblk_request *r,
				 enum bin bin)
{
	return r->measured && (bin == BIN_BEFORE_TRACE || !right_stages(a, r->stages));
}

#endif /* XBLK_TEST_STACKS_RIGHT_H */
