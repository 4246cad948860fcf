// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which events are of interest where guests or disks are chosen: these guests', and what
 * dom0 did that was not another one's.
 */
#include "output.h"

static bool disk_shown(const struct xblk *x, const struct filter *f, size_t nr)
{
	struct xblk_disk d;

	return !xblk_next_disk(x, &nr, &d) || filter_disk(f, &d);
}

static bool of_interest(const struct xblk *x, const struct filter *f,
			const struct xblk_event_record *e)
{
	if (!f->guests.nr && !f->disks.nr)
		return true;
	if (e->backend)
		return disk_shown(x, f, xblk_event_served(x, e));
	return filter_domain(f, e->domid, e->domain) && disk_shown(x, f, e->disk);
}

/* Out of the way of those that choose nothing. */
__attribute__((noinline)) bool event_shown(const struct xblk *x, const struct filter *f,
					   const struct xblk_event_record *e)
{
	return of_interest(x, f, e) &&
	       (!filter_chooses(f) ||
		filter_event(f, xblk_start_ns(x), e,
			     f->processes.nr ? xblk_event_process(e) : NULL));
}
