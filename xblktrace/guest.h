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
 * @stats:	the ring's counters since it was connected to; final once the guest has
 *		ended
 * @produced_before, @lost_before: what earlier connections' came to
 * @last:	time up to which it has been read
 * @due:	records still to be taken in the present round, by the guest's word
 * @at_most:	and what a ring can hold of them, with the losses between
 */
struct guest_ring {
	struct writer_stream stream;
	struct xenrelay_ring_stats stats;
	uint64_t produced_before;
	uint64_t lost_before;
	uint64_t last;
	uint64_t due;
	uint64_t at_most;
};

/**
 * struct guest - a guest being traced
 * @domain:	who it is
 * @reader:	whose channel it is
 * @channel:	NULL before guest_connect() and after guest_end()
 * @properties:	kept after the end
 * @rings:	one for each vCPU, kept after the end
 * @nr_streams:	how many there are; those of another connection may be fewer
 * @nr_again:	how many connections there were after the first
 * @events_before: events that those before have sent
 * @again_at:	when it may be connected to once more, if it has no channel; monotonic, ns
 * @again_pause: ns from there to the next time
 * @gone:	its domain is no more
 * @next_ring:	where its next turn begins
 * @probes:	what its kernel lets xblk-guest probe beside the block layer, by its
 *		word: names with spaces between them
 * @probes_told: it has said so
 * @takes_few: its xblk-guest is of before it took more than 64 disks
 * @events:	events that its channel has sent
 * @ending:	why it is about to end: what is in its rings is still read
 * @failed:	it broke the protocol
 * @expected:	it is about to be connected to
 * @muted:	that it writes to XenStore without end has been told
 * @rings_in_vain: that it rings for nothing has been told
 */
struct guest {
	const struct domain *domain;
	struct xenrelay_reader *reader;
	struct xenrelay_channel *channel;
	struct xenrelay_properties properties;
	struct guest_ring *rings;
	unsigned int nr_streams;
	unsigned int nr_again;
	unsigned int next_ring;
	uint64_t again_at;
	uint64_t again_pause;
	char probes[64];
	uint64_t events;
	uint64_t events_before;
	const char *ending;
	bool probes_told;
	bool takes_few;
	bool failed;
	bool gone;
	bool muted;
	bool rings_in_vain;
	bool expected;
};

/**
 * struct guest_connection - what guests are connected with
 * @max_kib:	this guest's share of what rings may map, KiB
 * @rest_kib:	all that is left of that, if its smallest rings are more than its share
 * @idle:	called several times a second while a guest is waited for; another
 *		value than 0 ends that
 * @idle_arg:	passed to it
 */
struct guest_connection {
	struct xenrelay_reader *reader;
	const struct options *opts;
	struct writer *writer;
	uint64_t max_kib;
	uint64_t rest_kib;
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

/* What its rings have mapped here, KiB; without the few pages of their positions. */
uint64_t guest_mapped_kib(const struct guest *guest);

/* How full the fullest ring is, permille. */
unsigned int guest_fullness(const struct guest *guest);

/**
 * guest_begin_round - note how much there is to be taken from each ring
 * @permille:	raised to how full the fullest ring is
 */
void guest_begin_round(struct guest *guest, unsigned int *permille);

/* Whether something is left of what was noted, so that it needs another turn. */
bool guest_behind(const struct guest *guest);

/* The most that one turn moves of one ring, and of one guest. */
#define GUEST_SLICE 2048
#define GUEST_TURN  (4 * GUEST_SLICE)

/**
 * guest_drain - one turn: move records from the rings into the trace
 *
 * Also those that have come since the round began, so that no ring overflows while
 * another guest's, which never get empty, are being read.  Where records were lost,
 * a LOST record goes between.
 *
 * A guest that breaks the protocol is told of, and marked as failed and ending; what
 * was read of it stays.
 *
 * Return: records, or -1 if @w has failed.
 */
int64_t guest_drain(struct guest *guest, struct writer *w, uint64_t time);

/*
 * Why no record comes any more, NULL if some may.  A guest that abuses XenStore
 * or its doorbell is told of; one that breaks the protocol by it is marked as failed.
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
