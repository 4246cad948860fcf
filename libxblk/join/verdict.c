// SPDX-License-Identifier: GPL-2.0-only
/*
 * A producer tells of a loss when it can write again, and on a CPU that has become idle
 * that may be long after: no verdict that a loss would have changed is ever final.  So
 * all of them are kept, in bounded memory: where there are too many of a disk, those of
 * one stretch of time become one that a loss in any of it changes.  The stretches are no
 * longer than they need to be.  Then a request may be called lost that is merely near
 * one, but none that is lost is called otherwise.
 */
#include "join/verdict.h"

#include <stdlib.h>

#include "base/gaps.h"
#include "base/util.h"
#include "join/disk.h"
#include "join/report.h"
#include "join/rq.h"
#include "join/state.h"

/* As much of a loss before or after a request may concern it: clocks, order. */
#define LOSS_SLACK_NS 1000000ull

struct verdict verdict_span(const struct join *j, const struct guest_rq *rq)
{
	const struct domain *guest = rq->base.disk->dom;
	uint64_t slack = add_sat(model_uncertainty(j->model, guest), LOSS_SLACK_NS);
	uint64_t to = rq->base.flags & RQ_COMPLETED ? rq->c_ns : UINT64_MAX;

	return (struct verdict){
		.disk = rq->base.disk,
		.guest_from = rq->base.flags & RQ_NO_Q ? 0 : rq->base.q_ns,
		.guest_to = to,
		.backend_from = sub_sat(rq->base.d_ns, slack),
		.backend_to = add_sat(to, slack),
	};
}

bool verdict_lost(const struct join *j, const struct verdict *v)
{
	const struct domain *backend = j->model->backend;

	return gaps_overlap(&v->disk->dom->gaps, v->guest_from, v->guest_to) ||
	       (backend && gaps_overlap(&backend->gaps, v->backend_from, v->backend_to));
}

/* So many of a disk; each is of one request at first. */
#define KEPT_MAX 256

struct kept {
	uint64_t guest_from, guest_to, backend_from, backend_to;
	uint64_t first_ns, last_ns; /* when they were issued or came back */
	uint64_t requests;	    /* 0: they are counted as lost by now */
	enum bin bin;
};

struct verdicts {
	unsigned int nr, room;
	uint64_t grain_ns;  /* stretches are not longer */
	struct kept kept[]; /* the oldest first */
};

void verdicts_free(struct verdicts *kept)
{
	free(kept);
}

/* Only what is alike becomes one: what is without a beginning or end would swallow all. */
#define KINDS (8 * (BIN_NONE + 1))

static unsigned int kind_of(const struct kept *k)
{
	return 8 * k->bin + 4 * !k->guest_from + 2 * (k->guest_to == UINT64_MAX) +
	       (k->backend_from > k->backend_to);
}

static void join_kept(struct kept *to, const struct kept *from)
{
	to->guest_from = min_u64(to->guest_from, from->guest_from);
	to->guest_to = max_u64(to->guest_to, from->guest_to);
	to->backend_from = min_u64(to->backend_from, from->backend_from);
	to->backend_to = max_u64(to->backend_to, from->backend_to);
	to->first_ns = min_u64(to->first_ns, from->first_ns);
	to->last_ns = max_u64(to->last_ns, from->last_ns);
	to->requests += from->requests;
}

static bool near(const struct kept *a, const struct kept *b, uint64_t grain_ns)
{
	return max_u64(a->last_ns, b->last_ns) - min_u64(a->first_ns, b->first_ns) <=
	       grain_ns;
}

static void coarsen(struct verdicts *v)
{
	struct kept *last[KINDS] = {NULL};
	unsigned int nr = 0;

	for (unsigned int i = 0; i < v->nr; i++) {
		const struct kept *k = &v->kept[i];
		struct kept **to = &last[kind_of(k)];

		if (!k->requests)
			continue;
		if (*to && near(*to, k, v->grain_ns)) {
			join_kept(*to, k);
		} else {
			v->kept[nr] = *k;
			*to = &v->kept[nr++];
		}
	}
	v->nr = nr;
}

/* In the end all of a kind are one. */
_Static_assert(KINDS <= KEPT_MAX / 2, "making room ends");

static void make_room(struct verdicts *v)
{
	coarsen(v);
	while (v->nr > KEPT_MAX / 2) {
		v->grain_ns = add_sat(v->grain_ns, v->grain_ns);
		coarsen(v);
	}
}

/* Whether a loss that is told of later changes what is counted. */
static bool may_change(enum bin bin, enum counts counts)
{
	switch (bin) {
	case BIN_BEFORE_TRACE:
	case BIN_NO_BACKEND_IO:
	case BIN_INCOMPLETE:
	case BIN_MALFORMED:
		return counts != COUNTS_NOT;
	default:
		return counts == COUNTS_IF_LOST;
	}
}

/* Room for one more: most disks have few, and what has them may be gone for long. */
static struct verdicts *grow(struct verdicts *v)
{
	unsigned int room = v ? 2 * v->room : 4;

	v = xrealloc(v, sizeof(*v) + room * sizeof(v->kept[0]));
	if (room == 4)
		*v = (struct verdicts){.grain_ns = LOSS_SLACK_NS};
	v->room = room;
	return v;
}

static void keep(struct disk *disk, const struct kept *k)
{
	struct verdicts *v = join_disk(disk)->verdicts;

	if (v && v->nr == KEPT_MAX)
		make_room(v);
	else if (!v || v->nr == v->room)
		v = join_disk(disk)->verdicts = grow(v);
	v->kept[v->nr++] = *k;
}

void verdict_keep(const struct join *j, const struct verdict *v, enum bin bin,
		  enum counts counts)
{
	bool orphan = v->backend_from > v->backend_to;
	uint64_t ns = orphan ? v->guest_to : v->backend_from;
	struct kept k = {
		.guest_from = v->guest_from,
		.guest_to = v->guest_to,
		.backend_from = v->backend_from,
		.backend_to = v->backend_to,
		.first_ns = ns,
		.last_ns = ns,
		.requests = 1,
		.bin = bin,
	};

	if (!may_change(bin, counts))
		return;
	/* What dom0 lost does not say when the guest's request began. */
	if (counts == COUNTS_IF_LOST) {
		k.guest_from = j->report.from_ns;
		k.backend_from = UINT64_MAX;
		k.backend_to = 0;
		k.bin = BIN_NONE;
	}
	keep(v->disk, &k);
}

uint64_t join_unseen_until(const struct join *j, const struct domain *guest, uint64_t ns)
{
	return max_u64(max_u64(j->start_ns, guest->begins_ns),
		       gaps_last(&guest->gaps, ns));
}

/* Something of @dom's was lost from @from to @to: what of @disk's is lost, too. */
static void change(const struct join *j, struct disk *disk, const struct domain *dom,
		   uint64_t from, uint64_t to)
{
	struct verdicts *v = join_disk(disk)->verdicts;

	for (unsigned int i = 0; v && i < v->nr; i++) {
		struct kept *k = &v->kept[i];
		bool guest = disk->dom == dom && from <= k->guest_to &&
			     to >= k->guest_from;
		bool backend = dom->backend && from <= k->backend_to &&
			       to >= k->backend_from;

		if (!guest && !backend)
			continue;
		for (; k->requests; k->requests--)
			j->report.lost(j->report.ctx, disk, k->bin);
	}
}

void join_gap(struct join *j, struct domain *dom, uint64_t from, uint64_t to)
{
	gaps_add(&dom->gaps, from, to);
	/* A guest's own alone: it may make as many gaps as it writes records. */
	for (struct disk *d = dom->newest; d && !dom->backend; d = d->older)
		change(j, d, dom, from, to);
	for (size_t i = 0; dom->backend && i < j->model->nr_disks; i++)
		change(j, j->model->all_disks[i], dom, from, to);
}
