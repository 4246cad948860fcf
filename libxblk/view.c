// SPDX-License-Identifier: GPL-2.0-only
/* What there is to be known of a trace beyond its requests and records. */
#include <string.h>

#include "base/event.h"
#include "handle.h"
#include "join/bio.h"
#include "join/disk.h"
#include "join/rq.h"
#include "join/way.h"

void xblk_get_trace(const struct xblk *x, struct xblk_trace *to)
{
	const struct parse *p = &x->parse;
	const struct reader *r = &p->reader;

	*to = (struct xblk_trace){
		.version = p->began ? r->header.version : 0,
		.start_ns = p->join.start_ns,
		.wall_ns = r->header.wall_ns,
		.now_ns = p->now_ns,
		.host = p->model.host,
		.tool = p->model.tool,
		.recorded = p->model.ops,
		.bytes = r->offset,
		.chunks = p->chunks,
		.records = p->join.records,
		.damaged = r->damaged,
		.damaged_bytes = r->damaged_bytes,
		.ended = p->ended,
		.stopped = p->stopped,
		.foreign = p->foreign,
		.conserved = p->conserved,
		.problems = p->problems,
		.partial = p->merge.partial,
		.reason = p->reason,
		.duration_ns = p->duration_ns,
		.events_sent = p->events_sent,
		.from_ns = parse_from_ns(p),
		.to_ns = x->read_to_ns,
	};
}

uint64_t xblk_start_ns(const struct xblk *x)
{
	return x->parse.join.start_ns;
}

bool xblk_next_domain(const struct xblk *x, size_t *at, struct xblk_domain *to)
{
	const struct model *m = &x->parse.model;
	const struct domain *dom;
	struct account a;

	if (*at >= m->nr_domains)
		return false;
	dom = m->domains[(*at)++];
	parse_account(&x->parse, dom, &a);
	*to = (struct xblk_domain){
		.domid = dom->domid,
		.backend = dom->backend,
		.described = dom->described,
		.name = dom->name,
		.uuid = dom->uuid,
		.uncertainty_ns = dom->backend ? dom->uncertainty_ns
					       : model_uncertainty(m, dom),
		.probes_told = dom->probes_told,
		.probes = dom->probes,
		.records = a.found,
		.invalid = a.invalid,
		.late = a.late,
		.lost = a.lost,
		.evicted = dom->evicted_bios + dom->evicted_rqs,
		.clock_changes = dom->clock_generation,
	};
	return true;
}

bool xblk_next_disk(const struct xblk *x, size_t *at, struct xblk_disk *to)
{
	const struct model *m = &x->parse.model;
	const struct disk *d;

	if (*at >= m->nr_disks)
		return false;
	d = m->all_disks[(*at)++];
	*to = (struct xblk_disk){
		.nr = d->nr,
		.domid = d->dom->domid,
		.backend = d->dom->backend,
		.gone = d->gone,
		.no_merges = d->dom->no_merges,
		.backing_no_merges = m->backend && m->backend->no_merges,
		.guest = d->guest,
		.uuid = d->uuid,
		.name = d->name,
		.label = d->label,
		.device = d->device,
		.index = d->index,
		.devid = d->devid,
		.backing = d->backing ? d->backing->nr : XBLK_NO_DISK_NR,
		.uncertainty_ns = model_uncertainty(m, d->dom),
		.dev = d->dev,
		.scheduler = d->scheduler,
	};
	return true;
}

bool xblk_next_stream(const struct xblk *x, size_t *at, struct xblk_stream *to)
{
	unsigned int next = *at;
	const struct stream *s = merge_next(&x->parse.merge, &next);

	if (!s)
		return false;
	*at = next;
	*to = (struct xblk_stream){
		.domid = s->dom->domid,
		.cpu = s->cpu,
		.records = s->found,
		.invalid = s->invalid,
		.late = s->late,
		.missing = s->missing,
		.backwards = s->backwards,
		.lost = stream_lost(s),
		.accounted = s->has_end,
		.produced = s->end_produced,
		.written = s->end_written,
		.told_lost = s->end_lost,
		.marks = s->end_marks,
	};
	return true;
}

static const struct domain *domain_of(const struct xblk_event_record *e)
{
	return ((const struct stream *)e->of)->dom;
}

const char *xblk_event_process(const struct xblk_event_record *e)
{
	if (!event_has(e->record->event, EVENT_PID))
		return NULL;
	return process_name(domain_of(e), e->record->aux);
}

uint64_t xblk_event_elapsed(const struct xblk_event_record *e)
{
	const struct xblk_record *r = e->record;

	if (r->event == XBLK_EV_COMPLETE) {
		const struct rq *rq = map_get(&domain_of(e)->rqs, r->id);

		return rq ? sub_sat(r->time, rq->d_ns) : 0;
	}
	if (r->event == XBLK_EV_ISSUE && r->aux) {
		const struct bio *bio = map_get(&domain_of(e)->bios, r->aux);

		return bio ? sub_sat(r->time, bio->q_ns) : 0;
	}
	return 0;
}

static const struct disk *of_bio(const struct domain *dom, uint32_t id)
{
	const struct bio *bio = map_get(&dom->bios, id);

	return bio ? bio->guest_disk : NULL;
}

static const struct disk *of_rq(const struct domain *dom, uint32_t id)
{
	const struct rq *rq = map_get(&dom->rqs, id);

	return rq ? rq->credited : NULL;
}

static const struct disk *of_thread(const struct xblk *x, struct process *thread)
{
	return thread ? model_serves(&x->parse.model, thread) : NULL;
}

/* The guest's disk that dom0's record is for; NULL: for none, or that is not known. */
static const struct disk *served(const struct xblk *x, const struct xblk_event_record *e)
{
	const struct domain *dom = domain_of(e);
	const struct xblk_record *r = e->record;

	switch (r->event) {
	case XBLK_EV_INTERRUPT:
	case XBLK_EV_RESPONSE:
		return of_thread(x, way_thread(dom, r->aux));
	case XBLK_EV_ISSUE:
	case XBLK_EV_FLUSH_QUEUE:
	case XBLK_EV_PART:
	case XBLK_EV_REQUEUE:
		return of_bio(dom, r->aux);
	case XBLK_EV_COMPLETE:
	case XBLK_EV_RQMERGE:
	case XBLK_EV_RQ_REMAP:
		return of_rq(dom, r->id);
	case XBLK_EV_BIO_COMPLETE:
	case XBLK_EV_BACKEND_BIO:
		return of_bio(dom, r->id);
	default:
		return event_has(r->event, EVENT_PID)
			       ? of_thread(x, map_get(&dom->processes, r->aux))
			       : NULL;
	}
}

size_t xblk_event_served(const struct xblk *x, const struct xblk_event_record *e)
{
	const struct disk *disk = e->backend ? served(x, e) : NULL;

	return disk ? disk->nr : XBLK_NO_DISK_NR;
}

/* Of analyse.h. */

const struct disk_stats *xblk_stats(const struct xblk *x, size_t disk)
{
	return stats_of(x->parse.model.all_disks[disk]);
}

const struct disk_counts *xblk_counts(const struct xblk *x, size_t disk)
{
	return counts_of(x->parse.model.all_disks[disk]);
}

void xblk_each_process(const struct xblk *x, const struct filter *f,
		       void (*fn)(void *user, uint32_t pid, const char *name, bool now),
		       void *user)
{
	for (unsigned int i = 0; i < x->parse.model.nr_domains; i++) {
		const struct domain *dom = x->parse.model.domains[i];

		if (!dom->backend && filter_domain(f, dom->domid, dom->name))
			model_each_process(dom, fn, user);
	}
}
