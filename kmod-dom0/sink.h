/* SPDX-License-Identifier: GPL-2.0-only */
/* This domain's records go to a ring for each CPU, whose reading end is session.c. */
#ifndef XBLK_SINK_H
#define XBLK_SINK_H

#include <linux/compiler.h>
#include <linux/irq_work.h>
#include <linux/percpu.h>
#include <linux/types.h>
#include "../kmod-common/compat.h"
#include "xblk/record.h"
#include "xenrelay/ring.h"

/**
 * struct session_ring - the producer's end of one CPU's ring
 * @ring:	in its relay buffer; from its tell_at on the reader is woken
 * @wake:	does so, outside the probe
 */
struct session_ring {
	struct xenrelay_ring ring;
	struct irq_work wake;
};

DECLARE_PER_CPU_ALIGNED(struct session_ring, session_rings);

struct xblk_place {
	struct xblk_record *rec;
	struct session_ring *to;
};

unsigned long session_sink_at_stop(struct xenrelay_ring *ring, u64 now);
unsigned long session_wake(struct session_ring *to);

static __always_inline bool xblk_sink_reserve(struct xblk_place *place, u64 now)
{
	struct session_ring *to = this_cpu_ptr(&session_rings);

	if (unlikely(!xenrelay_ring_has_room(&to->ring)) &&
	    !xblk_rarely2(session_sink_at_stop, &to->ring, now))
		return false;
	place->to = to;
	place->rec = xenrelay_ring_next(&to->ring, sizeof(*place->rec));
	return true;
}

static __always_inline void xblk_sink_commit(struct xblk_place *place)
{
	if (unlikely(xenrelay_ring_commit(&place->to->ring)))
		xblk_rarely1(session_wake, place->to);
}

#endif /* XBLK_SINK_H */
