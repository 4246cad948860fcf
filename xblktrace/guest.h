/* SPDX-License-Identifier: GPL-2.0-only */
/* One guest's part of a capture: its channel, from connecting to its end. */
#ifndef XBLKTRACE_GUEST_H
#define XBLKTRACE_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "domains.h"
#include "writer.h"
#include "xenrelay-reader.h"

/**
 * struct guest_ring - one vCPU of the guest
 * @stats:	the ring's counters; final once the guest has ended
 * @last:	time up to which it has been read
 */
struct guest_ring {
	struct writer_stream stream;
	struct xenrelay_ring_stats stats;
	uint64_t last;
};

/**
 * struct guest - a guest being traced
 * @domain:	who it is
 * @reader:	whose channel it is
 * @channel:	NULL before guest_connect() and after guest_end()
 * @properties:	kept after the end
 * @rings:	one for each vCPU, kept after the end
 * @events:	events that its channel has sent
 * @ending:	why it is about to end: what is in its rings is still read
 * @failed:	it broke the protocol
 * @expected:	it is about to be connected to
 * @muted:	that it writes to XenStore without end has been told
 */
struct guest {
	const struct domain *domain;
	struct xenrelay_reader *reader;
	struct xenrelay_channel *channel;
	struct xenrelay_properties properties;
	struct guest_ring *rings;
	uint64_t events;
	const char *ending;
	bool failed;
	bool muted;
	bool expected;
};

/**
 * struct guest_connection - what all guests are connected with
 * @idle:	called several times a second while a guest is waited for; another
 *		value than 0 ends that
 * @idle_arg:	passed to it
 */
struct guest_connection {
	struct xenrelay_reader *reader;
	const struct options *opts;
	struct writer *writer;
	int (*idle)(void *arg);
	void *idle_arg;
};

/*
 * Connect, with the channel's configuration made from the guest's disks.  @time
 * is Xen's before it.  Return: 0, or -1 after an error message or at @idle's wish.
 */
int guest_connect(struct guest *guest, const struct guest_connection *connection,
		  uint64_t time);

/*
 * Tell the guest which disks it has now: those that came are traced from then on.
 * Where that fails, it is told why, and the others go on.
 */
void guest_tell_disks(struct guest *guest);

/**
 * guest_drain - move records from the rings into the trace
 * @permille:	raised to how full the fullest ring was
 *
 * Where records were lost, a LOST record goes between.
 *
 * Takes all that was there when it was called, and no more than a ring's
 * worth of each ring.  A guest that breaks the protocol is told of, and marked
 * as failed and ending; what was read of it stays.
 *
 * Return: records, or -1 if @w has failed.
 */
int64_t guest_drain(struct guest *guest, struct writer *w, uint64_t time,
		    unsigned int *permille);

/*
 * Why no record comes any more, NULL if some may.  A guest that abuses XenStore is
 * told of; one that breaks the protocol by it is marked as failed.
 */
const char *guest_look(struct guest *guest);

/* Bring the rings' counters up to date. */
void guest_read_stats(struct guest *guest);

/* Take the last counters and let go of the guest's memory. */
void guest_end(struct guest *guest);

/* Records that a ring's producer made, and how many of these were lost. */
uint64_t guest_ring_produced(const struct guest *guest, const struct guest_ring *ring);
uint64_t guest_ring_lost(const struct guest_ring *ring);

/* Sums over the rings. */
uint64_t guest_records(const struct guest *guest);
uint64_t guest_lost(const struct guest *guest);

#endif /* XBLKTRACE_GUEST_H */
