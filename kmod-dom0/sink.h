/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * This domain's records go to a ring for each CPU, whose reading end is session.c.
 *
 * Inlined, so that a record is put together where it stays, and a probe saves no
 * registers for a call.
 */
#ifndef XBLK_SINK_H
#define XBLK_SINK_H

#include <linux/compiler.h>
#include <linux/irq_work.h>
#include <linux/percpu.h>
#include <linux/types.h>
#include "../ring/producer.h"
#include "xblk/record.h"

/**
 * struct session_ring - the producer's end of one CPU's ring
 * @ring:	in its relay buffer
 * @wake_at:	the position at which the reader is woken
 * @wake:	does so, outside the probe
 */
struct session_ring {
	struct xenrelay_ring ring;
	u64 wake_at;
	struct irq_work wake;
};

DECLARE_PER_CPU_ALIGNED(struct session_ring, session_rings);

bool session_sink_at_stop(struct xenrelay_ring *ring, u64 now);
void session_wake(struct session_ring *to);

static __always_inline bool xblk_sink(const struct xblk_record *rec)
{
	struct session_ring *to = this_cpu_ptr(&session_rings);
	struct xenrelay_ring *ring = &to->ring;
	struct xblk_record *room;

	if (unlikely(ring->head == ring->stop_at) &&
	    !session_sink_at_stop(ring, rec->time))
		return false;
	/* Overwrite: the head is seen before the item that it gives up changes. */
	xblk_wmb();
	room = xenrelay_ring_place(ring->base, ring->head, sizeof(*room));
	*room = *rec;
	xenrelay_ring_commit(ring);
	if (unlikely(ring->head >= READ_ONCE(to->wake_at)))
		session_wake(to);
	return true;
}

#endif /* XBLK_SINK_H */
