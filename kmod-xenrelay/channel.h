/* SPDX-License-Identifier: GPL-2.0-only */
/* What a channel is, for its life (channel.c) and the path of an item (write.c). */
#ifndef XENRELAY_CHANNEL_H
#define XENRELAY_CHANNEL_H

#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <xen/xenbus.h>
#include "buffers.h"
#include "xenrelay.h"

#define XENRELAY_NAME_MAX_LEN 31
#define XENRELAY_PATH_MAX_LEN (sizeof(XENRELAY_XS_DIR) + 1 + XENRELAY_NAME_MAX_LEN)

enum channel_state {
	CHANNEL_OPEN,	   /* no reader, no buffers */
	CHANNEL_CONNECTED, /* the client writes */
	CHANNEL_STOPPED,   /* no item comes any more; the reader still reads */
};

enum reader_command {
	READER_NONE,
	READER_CONNECT,
	READER_CONFIGURE,
	READER_DISCONNECT,
	READER_RELEASE,
};

/**
 * struct reader_wish - what the reader has written
 * @command:	READER_NONE where it made no sense
 * @session:	its number for the connection, not 0
 * @domid:	whom to grant to
 * @version:	of the protocol
 * @max_rings:	the most rings that it takes
 * @ring_kib:	size of each ring; 0: the client's default
 * @mode:	enum xenrelay_mode, or -1: the client's
 * @doorbell_percent: how full a ring is when it is rung; 0: no doorbell
 */
struct reader_wish {
	enum reader_command command;
	u64 session;
	domid_t domid;
	u32 version;
	u32 max_rings;
	u32 ring_kib;
	int mode;
	u32 doorbell_percent;
};

/* A client has a pointer to @writers. */
struct channel {
	struct xenrelay_channel writers;
	struct list_head list;
	bool closing; /* under the list's lock */
	struct xenrelay_params params;
	char path[XENRELAY_PATH_MAX_LEN + 1];
	char reader_path[XENRELAY_PATH_MAX_LEN + sizeof("/reader")];
	struct xenbus_watch watch;
	struct delayed_work work;
	unsigned long pending;

	/* Below: the work item's, or close()'s once that has ended it. */
	enum channel_state state;
	struct reader_wish wish; /* the last one that was carried out */
	bool attached;		 /* the reader's sign of life has been seen */
	unsigned long deadline;	 /* jiffies by which it must be */

	struct xenrelay_buffers *bufs;
	struct xenrelay_buffers __rcu *open_bufs; /* the same while items may come */
	bool small; /* all that an item takes then is xenrelay_ring_put_small() */
};

static inline struct channel *own_channel(struct xenrelay_channel *chan)
{
	return container_of(chan, struct channel, writers);
}

void xenrelay_channels_resumed(void);

#endif /* XENRELAY_CHANNEL_H */
