// SPDX-License-Identifier: GPL-2.0-only
/* What a record must fulfil: a guest can have written anything. */
#include "base/event.h"
#include "input/merge.h"

bool other_valid(const struct xblk_record *r, const struct domain *dom, uint64_t max_ns)
{
	const struct event_kind *kind = &event_kinds[r->event];

	if (!(kind->by & (EVENT_READER | (dom->backend ? EVENT_BACKEND : EVENT_GUEST))))
		return false;
	if (kind->fields & (EVENT_OP | EVENT_POSITION) && !block_valid(r))
		return false;
	if (kind->fields & EVENT_DISK && !domain_disk(dom, r->disk) &&
	    !(kind->fields & EVENT_DISK_OR_NONE && r->disk == XBLK_NO_DISK))
		return false;
	return r->event != XBLK_EV_LOST ||
	       (r->lost.count && r->lost.until >= r->time && r->lost.until <= max_ns);
}
