// SPDX-License-Identifier: GPL-2.0-only
/* What a record must fulfil: a guest can have written anything. */
#include "merge.h"

bool other_valid(const struct xblk_record *r, const struct domain *dom, uint64_t max_ns)
{
	switch (r->event) {
	case XBLK_EV_BIO_COMPLETE:
		return block_valid(r) && domain_disk(dom, r->disk);
	case XBLK_EV_REMAP:
	case XBLK_EV_REMAP_FROM:
		return block_valid(r) &&
		       (r->disk == XBLK_NO_DISK || domain_disk(dom, r->disk));
	case XBLK_EV_INTERRUPT:
		return true;
	case XBLK_EV_RESPONSE:
	case XBLK_EV_RING:
		/* Only blkback has these to tell. */
		return dom->backend;
	case XBLK_EV_PROCESS:
	case XBLK_EV_CLOCK:
		return true;
	case XBLK_EV_LOST:
		return r->lost.count && r->lost.until >= r->time &&
		       r->lost.until <= max_ns;
	default:
		return false;
	}
}
