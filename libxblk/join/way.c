// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to a request between the ends of its stages.
 *
 * blkback's thread goes about one request after the other: it maps a request's
 * grants (T), maybe in two steps, then queues its bios (Q).  The interrupt that
 * woke it is its ring's last one before.  What it queues then is of that request until
 * another one begins: if no record is of that, it was a discard, which has no grants to be
 * mapped, or the record is missing.  When the last bio of a guest's request
 * is done, the response follows on the same CPU, unless pages are still in use:
 * then it comes from elsewhere and is nobody's here.
 */
#include "join/way.h"

#include "base/gaps.h"
#include "base/map.h"
#include "base/op.h"
#include "base/util.h"
#include "input/merge.h"
#include "join/bio.h"
#include "join/rq.h"
#include "join/state.h"

#define MAX_RINGS 65536

struct ring {
	uint64_t interrupt_ns, response_ns; /* the last ones */
	/* Whose it is: who went about a request of it last, and when. */
	uint32_t thread;
	uint64_t thread_ns;
};

static struct ring *ring_get(struct domain *dom, uint32_t id)
{
	struct ring *ring = map_get(&dom->rings, id);

	if (!ring && dom->rings.nr < MAX_RINGS) {
		ring = xcalloc(1, sizeof(*ring));
		map_set(&dom->rings, id, ring);
	}
	return ring;
}

void way_interrupt(struct stream *s, const struct xblk_record *r)
{
	struct ring *ring;

	if (!s->dom->backend) {
		s->interrupt_ns = r->time;
		s->dom->interrupt_ns = r->time;
		return;
	}
	ring = ring_get(s->dom, r->aux);
	if (ring)
		ring->interrupt_ns = r->time;
}

static void note_thread(struct ring *ring, const struct xblk_record *r)
{
	if (!ring || r->time < ring->thread_ns)
		return;
	ring->thread = r->aux;
	ring->thread_ns = r->time;
}

void way_skim(struct stream *s, const struct xblk_record *r)
{
	if (r->event == XBLK_EV_RING && s->dom->backend)
		note_thread(ring_get(s->dom, r->id), r);
}

struct process *way_thread(const struct domain *backend, uint32_t ring)
{
	const struct ring *of = map_get(&backend->rings, ring);

	return of ? map_get(&backend->processes, of->thread) : NULL;
}

void way_ring(const struct join *j, struct stream *s, const struct xblk_record *r)
{
	struct process *p = model_process(s->dom, r->aux);
	struct ring *ring = ring_get(s->dom, r->id);

	note_thread(ring, r);
	if (!p)
		return;
	/*
	 * A second step of the same request; or the one before was of an operation that
	 * is not recorded, and queued nothing for that.  Or it was a flush that had
	 * nothing to do: then its response has come.
	 */
	if (p->thread_ns && !*j->model->ops) {
		p->unsure |= (ring && ring->response_ns >= p->thread_ns) || p->on != s;
		return;
	}
	p->thread_ns = r->time;
	p->interrupt_ns = ring ? ring->interrupt_ns : 0;
	p->on = s;
	/* What was lost since may have been the first step, and this be the second. */
	p->unsure = gaps_overlap(&s->dom->gaps, p->queued_ns, r->time);
}

void way_forget_thread(struct process *p)
{
	p->thread_ns = 0;
	p->unsure = false;
}

void way_queued(const struct stream *s, struct backend_bio *bio, struct process *p)
{
	p->queued_ns = bio->base.q_ns;
	if (!p->thread_ns)
		return;
	/*
	 * Of another CPU it is not known whether what came since was lost: that may be
	 * told of later.  The grants of a discard are not mapped: the record was of a
	 * flush before it.
	 */
	if (!p->unsure && p->on == s && op_class(bio->base.op) != XBLK_OP_DISCARD) {
		bio->thread_ns = p->thread_ns;
		bio->interrupt_ns = p->interrupt_ns;
	}
	way_forget_thread(p);
}

/* dom0 is done with all of @rq, by the record of j->now. */
void way_done(struct join *j, struct guest_rq *rq)
{
	if (list_empty(&rq->respond))
		list_add_tail(&j->now->responses, &rq->respond);
}

void way_forget_done(struct stream *s)
{
	while (!list_empty(&s->responses))
		list_del(s->responses.next);
}

/*
 * It is not to @rq, a flush: another ring's thread has queued what was for that.  The end
 * of one flush of a disk of dom0's may have been taken for that of another one.
 */
static bool others_flush(const struct ring *ring, const struct guest_rq *rq)
{
	return !rq->base.nr_sectors && !(ring && ring->thread == rq->match_pid);
}

/* Where it says to which of blkback's requests it is, no other one's is taken for it. */
void way_response(struct stream *s, const struct xblk_record *r)
{
	struct ring *ring = map_get(&s->dom->rings, r->aux);

	if (ring)
		ring->response_ns = r->time;
	for (struct list *n = s->responses.next; n != &s->responses; n = n->next) {
		struct guest_rq *rq = list_entry(n, struct guest_rq, respond);
		bool numbered = r->nr_sectors && rq->chain.request;

		if (numbered ? rq->chain.request != r->nr_sectors
			     : others_flush(ring, rq))
			continue;
		list_del(&rq->respond);
		rq->way.response_ns = r->time;
		if (numbered)
			rq->base.flags |= RQ_ANSWERED;
		return;
	}
}

/* The interrupt may be handled on one CPU and the request completed on another. */
void way_completed(const struct stream *s, struct guest_rq *rq)
{
	uint64_t response_ns = rq->served ? rq->way.response_ns : 0;

	rq->way.front_interrupt_ns = s->interrupt_ns > response_ns ? s->interrupt_ns
								   : s->dom->interrupt_ns;
}
