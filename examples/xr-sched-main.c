// SPDX-License-Identifier: GPL-2.0-only
/*
 * A small client of Xenrelay: every context switch of the guest, while somebody
 * reads.  xr-sched-read.c is the other end.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/string.h>
#include <trace/events/sched.h>
#include "../kmod-common/tracepoints.h"
#include "../kmod-xenrelay/xenrelay.h"
#include "xr-sched.h"

static struct xenrelay_channel *channel;

/* Runs with interrupts off and the run queue locked: nothing here may wait. */
static void switched(void *data, bool preempt, struct task_struct *prev,
		     struct task_struct *next, unsigned int prev_state)
{
	struct xenrelay_slot slot;
	struct xr_sched_item *item = xenrelay_reserve(channel, &slot);

	if (IS_ERR(item))
		return; /* a loss, which the channel has counted */
	item->time_ns = sched_clock();
	item->prev_pid = prev->pid;
	item->next_pid = next->pid;
	BUILD_BUG_ON(sizeof(item->next_comm) != sizeof(next->comm));
	memcpy(item->next_comm, next->comm, sizeof(item->next_comm));
	xenrelay_commit(&slot);
}

static struct xblk_tracepoint probes[] = {
	{.name = "sched_switch", .probe = switched},
};

static int reader_connect(struct xenrelay_channel *chan, void *priv, const char *config)
{
	/* Another kernel's prototype fails here, not when the probe is called. */
	check_trace_callback_type_sched_switch(switched);
	channel = chan;
	return xblk_tracepoints_attach(probes, ARRAY_SIZE(probes));
}

static void reader_disconnect(void *priv)
{
	xblk_tracepoints_detach(probes, ARRAY_SIZE(probes));
}

static u64 item_clock(void)
{
	return sched_clock();
}

static int __init xr_sched_init(void)
{
	const struct xenrelay_params params = {
		.name = XR_SCHED_CHANNEL,
		.item_size = sizeof(struct xr_sched_item),
		.ring_items = 16384,
		.max_ring_items = 1 << 20,
		.mode = XENRELAY_DISCARD,
		.reader = XENRELAY_ANY_READER,
		.client_version = XR_SCHED_VERSION,
		.clock = item_clock,
		.connect = reader_connect,
		.disconnect = reader_disconnect,
	};
	int err = xblk_tracepoints_find(probes, ARRAY_SIZE(probes));

	if (err)
		return err;
	channel = xenrelay_open(&params);
	return PTR_ERR_OR_ZERO(channel);
}

static void __exit xr_sched_exit(void)
{
	xenrelay_close(channel);
}

module_init(xr_sched_init);
module_exit(xr_sched_exit);

MODULE_DESCRIPTION("Example of a Xenrelay client: the guest's context switches");
MODULE_LICENSE("GPL");
