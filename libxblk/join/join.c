// SPDX-License-Identifier: GPL-2.0-only
#include "join/join.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "input/merge.h"
#include "join/bio.h"
#include "join/bios.h"
#include "join/clones.h"
#include "join/disk.h"
#include "join/flush.h"
#include "join/flush_told.h"
#include "join/judge.h"
#include "join/life.h"
#include "join/match.h"
#include "join/place.h"
#include "join/rq.h"
#include "join/rqs.h"
#include "join/state.h"
#include "join/told_queues.h"
#include "join/verdict.h"
#include "join/way.h"

void join_init(struct join *j, struct model *model)
{
	memset(j, 0, sizeof(*j));
	j->model = model;
	j->max_in_flight = JOIN_MAX_IN_FLIGHT;
	pool_init(&j->bios, sizeof(struct bio));
	pool_init(&j->backend_bios, sizeof(struct backend_bio));
	pool_init(&j->kin, sizeof(struct kin));
	pool_init(&j->clones, sizeof(struct clones));
	pool_init(&j->places, sizeof(struct crowded));
	pool_init(&j->crowds, sizeof(struct crowd));
	for (unsigned int i = 0; i < FOUND; i++)
		list_init(&j->found[i].bios);
	pool_init(&j->rqs, sizeof(struct guest_rq));
	pool_init(&j->backend_rqs, sizeof(struct rq));
	list_init(&j->hold);
	list_init(&j->doubt);
	list_init(&j->wait_age);
}

static void forget_flushes(struct join_disk *disk)
{
	flushes_free(disk->flushes);
	disk->flushes = NULL;
	free(disk->flush_times);
	disk->flush_times = NULL;
	told_queues_free(disk->told_queues);
	disk->told_queues = NULL;
}

void join_deinit(struct join *j)
{
	pool_deinit(&j->bios);
	pool_deinit(&j->backend_bios);
	pool_deinit(&j->kin);
	pool_deinit(&j->clones);
	pool_deinit(&j->places);
	pool_deinit(&j->crowds);
	pool_deinit(&j->rqs);
	pool_deinit(&j->backend_rqs);
	for (size_t i = 0; j->model && i < j->model->nr_disks; i++) {
		struct join_disk *disk = join_disk(j->model->all_disks[i]);

		forget_flushes(disk);
		verdicts_free(disk->verdicts);
		disk->verdicts = NULL;
	}
}

static void on_lost(struct join *j, struct stream *s, const struct xblk_record *r)
{
	join_gap(j, s->dom, r->time, r->lost.until);
	way_forget_done(s);
	/* A loss that is told of late came before what it is told between. */
	s->remap.pending = s->remap.pending && r->lost.until < s->remap.ns;
	s->rq_open = s->rq_open && r->lost.until < s->rq_ns;
}

static inline void advance(struct join *j, uint64_t ns)
{
	j->now_ns = max_u64(j->now_ns, ns);
	if (unlikely(j->waits))
		match_expire(j);
}

void join_advance(struct join *j, uint64_t ns)
{
	advance(j, ns);
}

/* What every record tells.  Only dom0's time moves ours: a guest's could be anything. */
static inline struct join *note(void *ctx, struct domain *dom,
				const struct xblk_record *r, bool backend)
{
	struct join *j = ctx;

	j->records++;
	j->last_ns = max_u64(j->last_ns, r->time);
	if (unlikely(r->time < dom->first_ns))
		dom->first_ns = r->time;
	if (backend)
		advance(j, r->time);
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
static void begin_anew(const struct join *j, struct domain *dom, uint64_t ns)
{
	dom->begins_ns = ns;
	if (j->now_ns > ns)
		dom->behind_ns = j->now_ns;
	for (unsigned int i = 0; i < dom->nr_disks; i++) {
		if (!dom->disks[i])
			continue;
		join_disk(dom->disks[i])->first_d_ns = 0;
		join_disk(dom->disks[i])->served_ns = 0;
	}
}

static void on_other(void *ctx, struct stream *s, const struct xblk_record *r)
{
	struct join *j = note(ctx, s->dom, r, s->dom->backend);

	switch (r->event) {
	case XBLK_EV_BACKMERGE:
	case XBLK_EV_FRONTMERGE:
		bio_merged(s, r);
		break;
	case XBLK_EV_SPLIT:
		bio_split(j, s, r);
		break;
	case XBLK_EV_PART:
		rq_part(j, s, r);
		break;
	case XBLK_EV_REQUEUE:
		rq_requeue(j, s, r);
		break;
	case XBLK_EV_RQMERGE:
		rq_merged(j, s, r);
		break;
	case XBLK_EV_REMAP:
	case XBLK_EV_REMAP_FROM:
		bio_sent(j, s, r);
		break;
	case XBLK_EV_PROCESS:
		model_name_process(s->dom, r);
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
		way_ring(j, s, r);
		break;
	case XBLK_EV_RESPONSE:
		way_response(s, r);
		break;
	case XBLK_EV_ORDER:
		rq_order(j, s, r);
		break;
	case XBLK_EV_BACKEND_BIO:
		bio_backend(j, s->dom, r);
		break;
	case XBLK_EV_FLUSH_QUEUE:
		flush_told(j, s, r);
		break;
	case XBLK_EV_CLOCK:
		s->dom->clock_generation = r->id;
		begin_anew(ctx, s->dom, r->time);
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
	for (const struct xblk_record *r = records; r < records + nr; r++) {
		rq_skim(s, r);
		way_skim(s, r);
	}
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
	[XBLK_EV_FLUSH_QUEUE] = {on_other, on_other},
	[EV_GAP] = {on_gap, on_gap},
};

/* Bios that no request has been issued with. */
static void count_queued_bios(struct domain *guest)
{
	for (struct list *n = guest->bio_age.next; n != &guest->bio_age; n = n->next) {
		struct bio *bio = list_entry(n, struct bio, age);

		counts_of(bio->disk)->queued_bios += !bio->rq && bio->nr_sectors &&
						     !(bio->flags & BIO_ISSUED);
	}
}

static void give_up_all(struct join *j, struct domain *guest)
{
	count_queued_bios(guest);
	while (!list_empty(&guest->rq_age))
		judge_give_up(j,
			      list_entry(guest->rq_age.next, struct guest_rq, base.age),
			      true);
}

void join_end_guest(struct join *j, struct domain *guest)
{
	give_up_all(j, guest);
	while (!list_empty(&guest->bio_age))
		bio_free(j, list_entry(guest->bio_age.next, struct bio, age));
	match_end_guest(j, guest);
	for (struct disk *d = guest->newest; d; d = d->older)
		forget_flushes(join_disk(d));
}

void join_finish(struct join *j)
{
	/* No request will come for the bios that still wait for one. */
	join_advance(j, UINT64_MAX);
	for (unsigned int i = 0; i < j->model->nr_domains; i++) {
		if (!j->model->domains[i]->backend)
			give_up_all(j, j->model->domains[i]);
	}
}
