/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest that lies (xr-hostile-main.c) and its lies, one file for each kind. */
#ifndef XR_HOSTILE_H
#define XR_HOSTILE_H

#include "../kmod-xenrelay/buffers.h"
#include "xblk/record.h"

#define RING_PAGES 16
#define NOWHERE	   0x7ffffff0u /* a grant reference that is none */

/**
 * struct attack - one lie
 * @name:	what the parameter calls it
 * @granted:	told when the pages are granted and filled in, before "ready"
 * @announce:	told instead of "ready"
 * @turn:	told over and over while the reader reads, after some honest items
 * @flap:	told by several threads at once while the reader reads
 * @flap_always: or from the beginning
 * @ring_pages:	of each ring, where not RING_PAGES
 * @mute:	does not answer "connect"
 * @deaf:	does not answer "disconnect"
 * @to_another:	grants its pages to another domain than the reader's
 * @busy:	turns follow each other without a pause
 */
struct attack {
	const char *name;
	void (*granted)(void);
	void (*announce)(void);
	void (*turn)(void);
	void (*flap)(unsigned int n);
	bool flap_always;
	u32 ring_pages;
	bool mute;
	bool deaf;
	bool to_another;
	bool busy;
};

/* Each table ends with an entry that has no name. */
extern const struct attack hostile_records[];
extern const struct attack hostile_positions[];
extern const struct attack hostile_info[];
extern const struct attack hostile_store[];

/**
 * struct hostile_peer - the connection
 * @bufs:	while there is a reader
 * @session:	its number
 * @ref:	of the info page
 * @attached:	the reader has been seen
 * @stopped:	as it wished
 * @since:	jiffies of "ready", then of the reader's coming
 * @turns:	of the lie's
 */
struct hostile_peer {
	struct xenrelay_buffers *bufs;
	unsigned long long session;
	grant_ref_t ref;
	bool attached;
	bool stopped;
	unsigned long since;
	u64 turns;
};

extern struct hostile_peer peer;
extern char hostile_dir[64]; /* the channel's, in XenStore */

void say(const char *node, const char *text);
__printf(1, 2) void set_state(const char *fmt, ...);
void announce_ready(void);

/* What "garbage" tells of them all. */
void put_request(void);
void spans_absurd(void);
void counters_wild(void);
void rewrite_info(void);
void ring_alias(void);

static inline struct xenrelay_info *info(void)
{
	return xenrelay_info(peer.bufs);
}

static inline union xenrelay_producer_line *line(void)
{
	return &xenrelay_producer(peer.bufs)[1];
}

static inline struct xenrelay_ring *ring(void)
{
	return &peer.bufs->rings[0];
}

#endif /* XR_HOSTILE_H */
