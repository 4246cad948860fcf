// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which events are of interest where guests or disks are chosen: these guests', and what
 * dom0 did that was not another one's.
 */
#include "input/event.h"
#include "join/join.h"
#include "output.h"

void shown_init(struct shown *shown)
{
	map_init(&shown->rings);
}

void shown_deinit(struct shown *shown)
{
	map_deinit(&shown->rings);
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

static const struct disk *of_thread(const struct parse *p, const struct domain *dom,
				    uint32_t pid)
{
	struct process *thread = map_get(&dom->processes, pid);

	return thread ? model_serves(&p->model, thread) : NULL;
}

/* The guest's disk that dom0's record is for; NULL: for none, or that is not known. */
static const struct disk *served(struct shown *shown, const struct parse *p,
				 const struct domain *dom, const struct xblk_record *r)
{
	const struct disk *disk;

	switch (r->event) {
	case XBLK_EV_RING:
		disk = of_thread(p, dom, r->aux);
		if (disk)
			map_set(&shown->rings, r->id, (void *)disk);
		return disk;
	case XBLK_EV_INTERRUPT:
	case XBLK_EV_RESPONSE:
		return map_get(&shown->rings, r->aux);
	case XBLK_EV_ISSUE:
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
		return event_has(r->event, EVENT_PID) ? of_thread(p, dom, r->aux) : NULL;
	}
}

static bool of_interest(struct shown *shown, const struct parse *p,
			const struct filter *f, const struct domain *dom,
			const struct xblk_record *r)
{
	const struct disk *disk;

	if (!f->guests.nr && !f->disks.nr)
		return true;
	if (dom->backend) {
		disk = served(shown, p, dom, r);
		return !disk || filter_disk(f, disk);
	}
	disk = event_has(r->event, EVENT_DISK) ? domain_disk(dom, r->disk) : NULL;
	return filter_domain(f, dom) && (!disk || filter_disk(f, disk));
}

bool event_shown(struct shown *shown, const struct parse *p, const struct filter *f,
		 const struct stream *s, const struct xblk_record *r)
{
	return of_interest(shown, p, f, s->dom, r) &&
	       (!filter_chooses(f) || filter_event(f, p->join.start_ns, s->dom, r));
}
