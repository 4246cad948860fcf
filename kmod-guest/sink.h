/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's records go to a channel of Xenrelay's. */
#ifndef XBLK_SINK_H
#define XBLK_SINK_H

#include "../kmod-xenrelay/xenrelay.h"
#include "xblk/record.h"

extern struct xenrelay_channel *xblk_channel;

struct xblk_place {
	struct xblk_record *rec;
	struct xenrelay_slot slot;
};

static __always_inline bool xblk_sink_reserve(struct xblk_place *place, u64 now)
{
	/* Of a loss the channel takes the time by itself. */
	if (xenrelay_reserve_irqoff(xblk_channel, &place->slot))
		return false;
	place->rec = place->slot.room;
	return true;
}

static __always_inline void xblk_sink_commit(struct xblk_place *place)
{
	xenrelay_commit_irqoff(&place->slot);
}

#endif /* XBLK_SINK_H */
