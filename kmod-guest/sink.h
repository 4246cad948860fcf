/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's records go to a channel of Xenrelay's. */
#ifndef XBLK_SINK_H
#define XBLK_SINK_H

#include "../kmod-common/compat.h"
#include "../kmod-xenrelay/xenrelay.h"
#include "xblk/record.h"

extern struct xenrelay_channel *xblk_channel;

struct xblk_place {
	struct xblk_record *rec;
	struct xenrelay_ring *ring;
};

unsigned long xblk_sink_reserve_slowly(void);
unsigned long xblk_sink_committed(struct xenrelay_ring *ring);

/* xenrelay_reserve_irqoff(), with its calls as rare ones.  A loss's time it takes itself.
 */
static __always_inline bool xblk_sink_reserve(struct xblk_place *place, u64 now)
{
	place->ring = xenrelay_ring(xblk_channel);
	if (unlikely(!place->ring))
		return false;
	if (likely(xenrelay_ring_has_room(place->ring))) {
		place->rec = xenrelay_ring_next(place->ring, sizeof(*place->rec));
		return true;
	}
	place->rec = (void *)xblk_rarely0(xblk_sink_reserve_slowly);
	return place->rec;
}

/* xenrelay_commit_irqoff(), likewise. */
static __always_inline void xblk_sink_commit(struct xblk_place *place)
{
	if (unlikely(xenrelay_ring_commit(place->ring)))
		xblk_rarely1(xblk_sink_committed, place->ring);
}

#endif /* XBLK_SINK_H */
