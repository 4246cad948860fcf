// SPDX-License-Identifier: GPL-2.0-only
#include <linux/interrupt.h>
#include <xen/events.h>
#include <xen/interface/event_channel.h>
#include <xen/xen.h>
#include <asm/xen/hypercall.h>
#include "doorbell.h"

/* One event for each number of the reader's, however many CPUs come here. */
static void ring_it(struct irq_work *work)
{
	struct xenrelay_doorbell *bell =
		container_of(work, struct xenrelay_doorbell, work);
	u32 armed = xblk_load_once(&bell->consumer->channel.armed);

	if (xchg(&bell->rung, armed) == armed)
		return;
	xblk_store_once(&bell->producer->channel.events,
			atomic64_inc_return(&bell->events));
	notify_remote_via_irq(bell->irq);
}

/* Is never called: see xenrelay_doorbell_create(). */
static irqreturn_t ignore(int irq, void *data)
{
	return IRQ_HANDLED;
}

/**
 * xenrelay_doorbell_create() - an event channel that the reader may bind to
 * @bell:	zeroed
 * @reader:	the reader's domain
 * @mark:	items in a ring at which it rings, at least 1
 * @producer:	line 0 of the producer page
 * @consumer:	line 0 of the consumer page
 *
 * Context: process.
 * Return: 0 or what the hypervisor or the interrupt code said; @bell is as before then.
 */
int xenrelay_doorbell_create(struct xenrelay_doorbell *bell, domid_t reader, u32 mark,
			     union xenrelay_producer_line *producer,
			     const union xenrelay_consumer_line *consumer)
{
	struct evtchn_alloc_unbound alloc = {.dom = DOMID_SELF, .remote_dom = reader};
	struct evtchn_close close;
	int ret;

	ret = HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &alloc);
	if (ret)
		return ret;
	/*
	 * The reader has nothing to say to us by this way, and must not be able to keep
	 * a vCPU in interrupts.  A port is masked until its interrupt is enabled, which
	 * this one never is, neither by a resume nor by a change of its CPU (Linux 6.1
	 * and 6.12, drivers/xen/events/events_base.c, EVT_MASK_REASON_EXPLICIT): Xen
	 * marks a masked port as pending, and that is all.  Sending needs no interrupt.
	 */
	ret = bind_evtchn_to_irqhandler(alloc.port, ignore, IRQF_NO_AUTOEN, "xenrelay",
					bell);
	if (ret < 0) {
		close.port = alloc.port;
		HYPERVISOR_event_channel_op(EVTCHNOP_close, &close);
		return ret;
	}
	bell->irq = ret;
	bell->port = alloc.port;
	bell->producer = producer;
	bell->consumer = consumer;
	init_irq_work(&bell->work, ring_it);
	bell->mark = mark;
	return 0;
}

/**
 * xenrelay_doorbell_destroy() - give the event channel back
 * @bell:	created or not; nobody checks it any more
 *
 * Context: process, may sleep.
 */
void xenrelay_doorbell_destroy(struct xenrelay_doorbell *bell)
{
	if (!bell->mark)
		return;
	irq_work_sync(&bell->work);
	/* Closes the port, unless a migration has ended it already. */
	unbind_from_irqhandler(bell->irq, bell);
	bell->mark = 0;
}
