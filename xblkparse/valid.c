// SPDX-License-Identifier: GPL-2.0-only
/* What a record must fulfil: a guest can have written anything. */
#include "merge.h"

/* Far beyond any disk; sums of two such sectors do not overflow. */
#define MAX_SECTOR (1ull << 62)

static bool op_valid(unsigned int op)
{
	return (op & XBLK_OP_MASK) != 6;
}

static bool disk_valid(const struct xblk_record *r, const struct domain *dom)
{
	return domain_disk(dom, r->disk) != NULL;
}

bool record_valid(const struct xblk_record *r, const struct domain *dom, uint64_t min_ns,
		  uint64_t max_ns)
{
	if (r->time < min_ns || r->time > max_ns)
		return false;
	switch (r->event) {
	case XBLK_EV_QUEUE:
	case XBLK_EV_BACKMERGE:
	case XBLK_EV_FRONTMERGE:
	case XBLK_EV_RQMERGE:
	case XBLK_EV_SPLIT:
	case XBLK_EV_REQUEUE:
	case XBLK_EV_ISSUE:
	case XBLK_EV_PART:
	case XBLK_EV_COMPLETE:
	case XBLK_EV_BIO_COMPLETE:
		return op_valid(r->op) && r->sector < MAX_SECTOR && disk_valid(r, dom);
	case XBLK_EV_REMAP:
	case XBLK_EV_REMAP_FROM:
		return op_valid(r->op) && r->sector < MAX_SECTOR &&
		       (r->disk == XBLK_NO_DISK || disk_valid(r, dom));
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
