/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Xenrelay for tracers in the guest's kernel: a channel of fixed-size items to
 * a reader in another domain's user space.
 *
 *	chan = xenrelay_open(&params);
 *	...
 *	xenrelay_write(chan, &item);		any number of times, any CPU
 *	...
 *	xenrelay_close(chan);
 *
 * An open channel holds no memory until a reader connects.
 */
#ifndef XENRELAY_H
#define XENRELAY_H

#include <linux/types.h>

struct xenrelay_channel;

/**
 * struct xenrelay_params - what a tracer says when it opens a channel
 * @name:	name in XenStore: 1 to 31 of a-z, 0-9, '-' and '_'
 * @item_size:	bytes of every item, XENRELAY_MIN_ITEM_SIZE to
 *		XENRELAY_MAX_ITEM_SIZE
 * @ring_kib:	KiB of each vCPU's ring, where the reader names none
 * @max_ring_kib: the most that a reader gets, whatever it asks for
 * @client_version: version of the items' format, for the reader
 * @clock_ns:	see &struct xenrelay_info.clock_ns; read at each connection
 * @connect:	a reader has come, items may be written to @chan, perhaps before
 *		xenrelay_open() has returned it; @config is what the reader left
 *		for the client, "" if nothing.  An error refuses it.
 * @disconnect:	the reader has gone or wants no more.  Items written after
 *		this has returned are refused.
 * @priv:	passed to both
 *
 * The callbacks run in process context, never at the same time, and may sleep.
 */
struct xenrelay_params {
	const char *name;
	u32 item_size;
	u32 ring_kib;
	u32 max_ring_kib;
	u32 client_version;
	const u32 *clock_ns;
	int (*connect)(struct xenrelay_channel *chan, void *priv, const char *config);
	void (*disconnect)(void *priv);
	void *priv;
};

/**
 * xenrelay_open() - announce a channel in XenStore
 * @params:	copied, but for the name and clock_ns, which must stay
 *
 * Context: process, may sleep.
 * Return: the channel, or ERR_PTR: -EINVAL (bad name or sizes), -EEXIST (name
 * taken), -ENOMEM, or what XenStore said.
 */
struct xenrelay_channel *xenrelay_open(const struct xenrelay_params *params);

/**
 * xenrelay_write() - write one item
 * @chan:	an open channel
 * @item:	item_size bytes
 *
 * Never waits, never notifies: no lock, no hypercall, no event.
 *
 * Context: process, softirq or hardirq.  From NMI the item is refused and
 * counted as lost.
 * Return: 0; -ENOSPC (ring full, loss counted), -ENOTCONN (no reader; not
 * counted), -EBUSY (NMI, loss counted).
 */
int xenrelay_write(struct xenrelay_channel *chan, const void *item);

/**
 * xenrelay_close() - end a channel
 * @chan:	an open channel, or NULL or ERR_PTR, which is ignored
 *
 * A connected reader is told, and given a moment to read what is left.  Pages
 * that it keeps mapped are freed by the grant table code once it lets go.
 * The caller makes sure that nobody writes any more.
 *
 * Context: process, may sleep for seconds.
 */
void xenrelay_close(struct xenrelay_channel *chan);

#endif /* XENRELAY_H */
