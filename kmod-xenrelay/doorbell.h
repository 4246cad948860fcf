/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The doorbell: one event to a reader that asked for it and sleeps, when a ring
 * has filled up to the mark.  Sent from an irq_work, not by who writes the item.
 */
#ifndef XENRELAY_DOORBELL_H
#define XENRELAY_DOORBELL_H

#include <linux/irq_work.h>
#include <xen/interface/event_channel.h>
#include "../ring/producer.h"

/**
 * struct xenrelay_doorbell - of one connection
 * @mark:	items in a ring at which it rings; 0: there is no doorbell
 * @port:	our end of the event channel, for the reader to bind to
 * @irq:	the same in this kernel, which knows when a migration has ended it
 * @rung:	the reader's number that it has been rung for
 * @events:	events sent
 * @producer:	line 0 of the producer page, where @events is shown
 * @consumer:	line 0 of the consumer page
 * @work:	sends it
 */
struct xenrelay_doorbell {
	u32 mark;
	evtchn_port_t port;
	int irq;
	u32 rung;
	atomic64_t events;
	union xenrelay_producer_line *producer;
	const union xenrelay_consumer_line *consumer;
	struct irq_work work;
};

int xenrelay_doorbell_create(struct xenrelay_doorbell *bell, domid_t reader, u32 mark,
			     union xenrelay_producer_line *producer,
			     const union xenrelay_consumer_line *consumer);
void xenrelay_doorbell_destroy(struct xenrelay_doorbell *bell);

/* After each item of a ring that has one, interrupts off. */
static inline void xenrelay_doorbell_check(struct xenrelay_doorbell *bell,
					   const struct xenrelay_ring *ring)
{
	/*
	 * Pairs with the reader's barrier between its number and its look at
	 * the head: one of the two sees what the other wrote.
	 */
	xblk_mb();
	if (xblk_load_once(&bell->consumer->channel.armed) != READ_ONCE(bell->rung) &&
	    ring->head - xblk_load_once(&ring->consumer->ring.tail) >= bell->mark)
		irq_work_queue(&bell->work);
}

#endif /* XENRELAY_DOORBELL_H */
