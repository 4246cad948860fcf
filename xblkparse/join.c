// SPDX-License-Identifier: GPL-2.0-only
#include "join.h"

#include <string.h>

#include "util.h"

void join_init(struct join *j, struct model *model)
{
	memset(j, 0, sizeof(*j));
	j->model = model;
	j->max_in_flight = JOIN_MAX_IN_FLIGHT;
	j->top = SLOWEST_DEFAULT;
	j->timeline = j->processes = true;
	pool_init(&j->bios, sizeof(struct bio));
	pool_init(&j->rqs, sizeof(struct rq));
	pool_init(&j->backend_rqs, offsetof(struct rq, c_ns));
	list_init(&j->hold);
	list_init(&j->wait_age);
}

void join_deinit(struct join *j)
{
	pool_deinit(&j->bios);
	pool_deinit(&j->rqs);
	pool_deinit(&j->backend_rqs);
}

static void on_process(struct stream *s, const struct xblk_record *r)
{
	struct process *p = model_process(s->dom, r->aux);

	if (!p)
		return;
	copy_printable(p->comm, sizeof(p->comm), r->comm, XBLK_COMM_LEN);
	p->kthread = r->op & XBLK_PROCESS_KTHREAD;
	p->known = true;
	p->meta = 0;
}

/*
 * The process may queue the bio on another CPU than where it said so, but it
 * does nothing else in between.
 */
static void on_remap(struct stream *s, const struct xblk_record *r)
{
	struct process *p;

	if (r->event == XBLK_EV_REMAP) {
		s->remap = (struct remap){
			.pending = true,
			.id = r->id,
			.to_disk = r->disk,
		};
		s->remap_pid = r->aux;
		return;
	}
	if (!s->remap.pending || s->remap.id != r->id)
		return;
	s->remap.from_disk = r->disk;
	s->remap.from_sector = r->sector;
	p = model_process(s->dom, s->remap_pid);
	if (p)
		p->remap = s->remap;
	s->remap.pending = false;
}

static void on_lost(struct join *j, struct stream *s, const struct xblk_record *r)
{
	join_gap(j, s->dom, r->time, r->lost.until);
	s->rq_open = false;
	s->remap.pending = false;
	way_forget_done(s);
}

void join_advance(struct join *j, uint64_t ns)
{
	j->now_ns = max_u64(j->now_ns, ns);
	if (unlikely(!list_empty(&j->hold) || !list_empty(&j->wait_age)))
		match_expire(j);
}

/* What every record tells.  Only dom0's time moves ours: a guest's could be anything. */
static inline struct join *note(void *ctx, struct domain *dom,
				const struct xblk_record *r, bool backend)
{
	struct join *j = ctx;

	j->records++;
	j->last_ns = max_u64(j->last_ns, r->time);
	dom->first_ns = min_u64(dom->first_ns, r->time);
	join_advance(j, backend ? r->time : 0);
	return j;
}

static void on_queue_guest(void *ctx, struct stream *s, const struct xblk_record *r)
{
	bio_queue_guest(note(ctx, s->dom, r, false), s, r);
}

static void on_queue_backend(void *ctx, struct stream *s, const struct xblk_record *r)
{
	bio_queue_backend(note(ctx, s->dom, r, true), s, r);
}

static void on_issue_guest(void *ctx, struct stream *s, const struct xblk_record *r)
{
	rq_issue_guest(note(ctx, s->dom, r, false), s, r);
}

static void on_issue_backend(void *ctx, struct stream *s, const struct xblk_record *r)
{
	rq_issue_backend(note(ctx, s->dom, r, true), s, r);
}

static void on_complete_guest(void *ctx, struct stream *s, const struct xblk_record *r)
{
	rq_complete_guest(note(ctx, s->dom, r, false), s, r);
}

static void on_complete_backend(void *ctx, struct stream *s, const struct xblk_record *r)
{
	rq_complete_backend(note(ctx, s->dom, r, true), s, r);
}

/* A guest was not traced for a while: see match_waiting(). */
static void begin_anew(struct domain *dom)
{
	for (unsigned int i = 0; i < dom->nr_disks; i++) {
		if (dom->disks[i])
			dom->disks[i]->first_d_ns = 0;
	}
}

static void on_other(void *ctx, struct stream *s, const struct xblk_record *r)
{
	struct join *j = note(ctx, s->dom, r, s->dom->backend);

	switch (r->event) {
	case XBLK_EV_BACKMERGE:
	case XBLK_EV_FRONTMERGE:
		bio_merged(j, s, r);
		break;
	case XBLK_EV_SPLIT:
		bio_split(j, s, r);
		break;
	case XBLK_EV_PART:
		rq_part(j, s, r);
		break;
	case XBLK_EV_REQUEUE:
		rq_requeue(s, r);
		break;
	case XBLK_EV_RQMERGE:
		rq_merged(j, s, r);
		break;
	case XBLK_EV_REMAP:
	case XBLK_EV_REMAP_FROM:
		on_remap(s, r);
		break;
	case XBLK_EV_PROCESS:
		on_process(s, r);
		break;
	case XBLK_EV_LOST:
		on_lost(j, s, r);
		break;
	case XBLK_EV_BIO_COMPLETE:
		bio_complete(j, s, r);
		break;
	case XBLK_EV_INTERRUPT:
		way_interrupt(s, r);
		break;
	case XBLK_EV_RING:
		way_ring(s, r);
		break;
	case XBLK_EV_RESPONSE:
		way_response(s, r);
		break;
	case XBLK_EV_CLOCK:
		s->dom->clock_generation = r->id;
		begin_anew(s->dom);
		break;
	default:
		break;
	}
}

static void on_gap(void *ctx, struct stream *s, const struct xblk_record *r)
{
	on_lost(ctx, s, r);
}

void join_skim(struct stream *s, const struct xblk_record *records, size_t nr)
{
	for (const struct xblk_record *r = records; r < records + nr; r++)
		rq_skim(s, r);
}

const merge_emit_pair join_emit[EVENTS] = {
	[XBLK_EV_QUEUE] = {on_queue_guest, on_queue_backend},
	[XBLK_EV_BACKMERGE] = {on_other, on_other},
	[XBLK_EV_FRONTMERGE] = {on_other, on_other},
	[XBLK_EV_RQMERGE] = {on_other, on_other},
	[XBLK_EV_SPLIT] = {on_other, on_other},
	[XBLK_EV_REQUEUE] = {on_other, on_other},
	[XBLK_EV_ISSUE] = {on_issue_guest, on_issue_backend},
	[XBLK_EV_PART] = {on_other, on_other},
	[XBLK_EV_COMPLETE] = {on_complete_guest, on_complete_backend},
	[XBLK_EV_REMAP] = {on_other, on_other},
	[XBLK_EV_REMAP_FROM] = {on_other, on_other},
	[XBLK_EV_INTERRUPT] = {on_other, on_other},
	[XBLK_EV_RESPONSE] = {on_other, on_other},
	[XBLK_EV_RING] = {on_other, on_other},
	[XBLK_EV_PROCESS] = {on_other, on_other},
	[XBLK_EV_LOST] = {on_other, on_other},
	[XBLK_EV_CLOCK] = {on_other, on_other},
	[XBLK_EV_BIO_COMPLETE] = {on_other, on_other},
	[XBLK_EV_ORDER] = {on_other, on_other},
	[XBLK_EV_BACKEND_BIO] = {on_other, on_other},
	[XBLK_EV_RQ_REMAP] = {on_other, on_other},
	[EV_GAP] = {on_gap, on_gap},
};

void join_finish(struct join *j)
{
	account_queued_bios(j);
	for (unsigned int i = 0; i < j->model->nr_domains; i++) {
		struct domain *dom = j->model->domains[i];

		while (!dom->backend && !list_empty(&dom->rq_age))
			match_give_up(j, list_entry(dom->rq_age.next, struct rq, age),
				      true);
	}
	/* No request will come for the bios that still wait for one. */
	join_advance(j, UINT64_MAX);
	account_finish(j);
}
