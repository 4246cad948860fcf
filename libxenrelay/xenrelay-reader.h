/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * libxenrelay: the reading end of Xenrelay channels.
 *
 *	struct xenrelay_reader *reader;
 *	struct xenrelay_channel *ch;
 *
 *	if (xenrelay_reader_open(&reader) ||
 *	    xenrelay_connect(reader, domid, "xblk", NULL, &ch))
 *		errx(1, "%s", xenrelay_strerror(reader));
 *	while (!stop) {
 *		xenrelay_dispatch(reader);
 *		for (ring = 0; ring < nr_rings; ring++)
 *			n = xenrelay_read(ch, ring, buf, max);
 *		poll() with a timeout, on xenrelay_fd(reader) among others
 *	}
 *	xenrelay_disconnect(ch, 3000);
 *	...read what is left...
 *	xenrelay_release(ch);
 *	xenrelay_reader_close(reader);
 *
 * Conventions.  Functions return 0 (or a count) or a negative errno; errno
 * itself means nothing.  After an error xenrelay_strerror() says what failed
 * and why, in one sentence without a newline.  A reader and its channels
 * belong to one thread at a time; there is no hidden global state, so several
 * readers may run in several threads.  A process that forks must not use them
 * in the child.
 *
 * The guest is not trusted.  It can break its own channel (-EPROTO), and the
 * items are its word: check them before use.
 */
#ifndef XENRELAY_READER_H
#define XENRELAY_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct xs_handle;
struct xenrelay_reader;
struct xenrelay_channel;

/**
 * xenrelay_reader_open - open XenStore and the grant-mapping device
 * @reader:	the new reader; set on failure too, so that xenrelay_strerror()
 *		can be asked, and to be closed then too.  NULL after -ENOMEM.
 *
 * Return: 0; -ENOENT, -ENXIO, ... if this is not a Xen domain; -EACCES if the
 * caller may not (root is needed).  Blocks while XenStore does not answer.
 */
int xenrelay_reader_open(struct xenrelay_reader **reader);

/* Release what is still connected and free everything.  NULL is allowed. */
void xenrelay_reader_close(struct xenrelay_reader *reader);

/* The text of the last error; valid until the next call on this reader. */
const char *xenrelay_strerror(const struct xenrelay_reader *reader);

/*
 * The reader's XenStore connection, for reads of the caller's own.  Stays the
 * reader's; its watch events are consumed by xenrelay_dispatch().
 */
struct xs_handle *xenrelay_xenstore(struct xenrelay_reader *reader);

/* The domain this program runs in. */
unsigned int xenrelay_own_domid(const struct xenrelay_reader *reader);

/*
 * A descriptor that is readable when xenrelay_dispatch() has something to
 * report.  It tells of channels and domains that come and go, never of items.
 */
int xenrelay_fd(const struct xenrelay_reader *reader);

#define XENRELAY_CHANGED_CHANNEL 0x1 /* a channel's state: ask xenrelay_stopped() */
#define XENRELAY_CHANGED_DOMAIN	 0x2 /* some domain went: ask xenrelay_domain_exists() */

/**
 * xenrelay_dispatch - take in what XenStore reports
 *
 * Never blocks.  Call it when xenrelay_fd() is readable and after each call
 * that waited (connect, disconnect), which may have taken in events of others.
 *
 * Return: XENRELAY_CHANGED_* bits, 0 for none; negative errno if XenStore is gone.
 */
int xenrelay_dispatch(struct xenrelay_reader *reader);

/* Whether the domain is there and has not begun to die. */
bool xenrelay_domain_exists(struct xenrelay_reader *reader, unsigned int domid);

/**
 * xenrelay_list - the channels that a domain offers
 * @names:	an array of strings, free with xenrelay_list_free()
 *
 * Names that no channel can have are left out.
 *
 * Return: how many, 0 if none; -ENOMEM and XenStore's errors.
 */
int xenrelay_list(struct xenrelay_reader *reader, unsigned int domid, char ***names);
void xenrelay_list_free(char **names, int nr);

/**
 * struct xenrelay_options - wishes for a connection; all zero are the defaults
 * @ring_kib:	size of each ring, KiB; 0: the guest's default
 * @config:	text for the guest's client of the channel; NULL for none
 * @timeout_ms:	how long the guest may take to get ready; 0: 5000
 * @busy_ms:	how long to wait for a channel that another reader has (that of a
 *		killed reader becomes free after a second or two); 0: 4000
 * @max_kib:	the most memory of the guest to map, KiB, over all rings; 0:
 *		256 MiB.  Mapping costs this domain as many pages of its own.
 */
struct xenrelay_options {
	unsigned int ring_kib;
	const char *config;
	unsigned int timeout_ms;
	unsigned int busy_ms;
	uint64_t max_kib;
};

/**
 * xenrelay_connect - connect to a channel and map it
 * @channel:	its name, as in xenrelay_list()
 * @options:	NULL for the defaults
 * @ch:		the channel, to be given back with xenrelay_release()
 *
 * Return: 0, or
 *   -ENOENT       no such domain or channel (the guest's module is not loaded)
 *   -EBUSY        another reader has the channel
 *   -ETIMEDOUT    the guest did not answer in time
 *   -ECONNREFUSED the guest reported a failure; its words are in the text
 *   -EPROTO       what the guest shows contradicts itself
 *   -E2BIG        its rings are larger than @options allows
 *   -EACCES, -ENOMEM, and errors of the mapping
 */
int xenrelay_connect(struct xenrelay_reader *reader, unsigned int domid,
		     const char *channel, const struct xenrelay_options *options,
		     struct xenrelay_channel **ch);

/**
 * struct xenrelay_properties - what a connected channel is
 * @nr_rings:	rings; ring n is that of the guest's vCPU n
 * @item_size:	bytes of an item
 * @capacity:	items that a ring holds
 * @ring_kib:	size of a ring, KiB
 * @contiguous:	whether the guest allocated the rings contiguously
 * @overwrite:	the mode: the oldest items are lost, not the newest
 * @clock_ns:	accuracy of the items' clock, see xblk/xenrelay.h; 0 unknown
 * @client_version: the client's version of the items' format
 * @session:	this connection's number
 */
struct xenrelay_properties {
	unsigned int nr_rings;
	uint32_t item_size;
	uint64_t capacity;
	uint64_t ring_kib;
	bool contiguous;
	bool overwrite;
	uint32_t clock_ns;
	uint32_t client_version;
	uint32_t session;
};

void xenrelay_get_properties(const struct xenrelay_channel *ch,
			     struct xenrelay_properties *properties);

/**
 * struct xenrelay_loss - items lost one after the other, by the guest's word
 * @position:	discard: they were lost before the item of this number;
 *		overwrite: the number of the first of them
 * @count:	how many; 0: none
 * @first_ns:	time of the first, by the client's clock; 0 where it is not known:
 *		the client has no clock, or the items were overwritten
 * @last_ns:	time of the last
 */
struct xenrelay_loss {
	uint64_t position;
	uint64_t count;
	uint64_t first_ns;
	uint64_t last_ns;
};

/**
 * xenrelay_read - take items out of one ring
 * @ring:	0 .. nr_rings - 1
 * @buf:	@max_items * item_size bytes
 * @max_items:	the most to take; @capacity items are all that were there when
 *		the call began
 * @loss:	set to the loss that comes before the items returned, count 0 if there
 *		is none; NULL is allowed
 *
 * A read ends before a loss, and the next one begins with it, so a caller reads
 * until it gets less than it asked for and no loss either.  A loss with no item
 * behind it is told, with 0 items, once xenrelay_stopped() has returned true.
 *
 * Works on a stopped channel, and on one whose domain has died, until it is
 * released.  Makes no system call.
 *
 * Return: items copied, 0 if there are none; -EPROTO if what the guest says
 * cannot be true: the ring stays unreadable, release the channel; -EINVAL: there is
 * no such ring.
 */
ssize_t xenrelay_read(struct xenrelay_channel *ch, unsigned int ring, void *buf,
		      size_t max_items, struct xenrelay_loss *loss);

/**
 * struct xenrelay_ring_stats - a ring's counters
 * @produced:	items written to the ring, by the guest's word
 * @lost:	items that found the ring full, by the guest's word; in overwrite
 *		mode those that were overwritten before they were read
 * @lost_nmi:	items refused from NMI context, by the guest's word
 * @read:	items that were read
 *
 * Once a stopped channel has been read to its end: discard, @produced = @read;
 * overwrite, @produced = @read + @lost.
 */
struct xenrelay_ring_stats {
	uint64_t produced;
	uint64_t lost;
	uint64_t lost_nmi;
	uint64_t read;
};

void xenrelay_get_ring_stats(const struct xenrelay_channel *ch, unsigned int ring,
			     struct xenrelay_ring_stats *stats);

/* Events (notifications) that the channel has sent, by the guest's word. */
uint64_t xenrelay_events_sent(const struct xenrelay_channel *ch);

/*
 * Whether no item comes any more: the channel was disconnected or closed, or
 * its domain is gone.  What is in the rings can still be read, and a read
 * that begins after this returned true sees all of it.
 */
bool xenrelay_stopped(struct xenrelay_channel *ch);

/**
 * xenrelay_disconnect - ask the guest to stop, and wait for it
 * @timeout_ms:	how long to wait; 0: ask only, xenrelay_stopped() tells
 *
 * May be called again; it asks once.
 *
 * Return: 0 once the channel has stopped or its domain is gone; -ETIMEDOUT;
 * -EINPROGRESS for a @timeout_ms of 0 if it has not stopped yet.
 */
int xenrelay_disconnect(struct xenrelay_channel *ch, unsigned int timeout_ms);

/*
 * Unmap everything, tell the guest so and free the channel, in whatever state
 * it is: this alone is a safe end too.  NULL is allowed.
 */
void xenrelay_release(struct xenrelay_channel *ch);

#ifdef __cplusplus
}
#endif

#endif /* XENRELAY_READER_H */
