/* SPDX-License-Identifier: GPL-2.0-only */
/* One guest's part of a capture: its rings, from when it is connected to its end. */
#ifndef XBLKTRACE_GUEST_H
#define XBLKTRACE_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "backoff.h"
#include "domains.h"
#include "names.h"
#include "writer.h"
#include "xenrelay-reader.h"

/**
 * struct guest_ring - one vCPU of the guest
 * @stats:	the ring's counters since it was connected to; final once the guest has
 *		ended
 * @produced_before, @lost_before: what earlier connections' came to
 * @told:	how many of the lost ones LOST records tell of
 * @last:	time up to which it has been read
 * @due:	records still to be taken in the present round, by the guest's word
 * @at_most:	and what a ring can hold of them, with the losses between
 */
struct guest_ring {
	struct writer_stream stream;
	struct xenrelay_ring_stats stats;
	uint64_t produced_before;
	uint64_t lost_before;
	uint64_t told;
	uint64_t last;
	uint64_t due;
	uint64_t at_most;
};

/**
 * struct guest_attempt - a connection that is not there yet
 * @channel:	NULL: there is no attempt
 * @opts:	what it is made with
 * @max_kib:	that it may map
 * @waits:	that another reader has the channel has been told
 */
struct guest_attempt {
	struct xenrelay_channel *channel;
	const struct options *opts;
	uint64_t max_kib;
	bool waits;
};

/**
 * struct guest_over - what the control knows of a guest's end, see drain_exchange()
 * @why:	why it writes no more, as the control has found; NULL: it may
 * @broke:	it broke the protocol by that
 * @ending, @read_out: what &guest said at the last exchange
 * @removed:	its streams were taken out of the trace
 */
struct guest_over {
	const char *why;
	bool broke;
	bool ending;
	bool read_out;
	bool removed;
};

/**
 * struct guest - a guest being traced
 * @domain:	who it is
 * @reader:	whose channel it is
 * @attempt:	to get a channel
 * @channel:	NULL where it is not connected
 * @properties:	kept after the end
 * @rings:	one for each vCPU, kept after the end
 * @nr_streams:	how many there are; those of another connection may be fewer
 * @nr_again:	how many connections there were after the first
 * @events_before: events that those before have sent
 * @asked_at:	when it began to be connected to; Xen's, ns
 * @again:	when it may be connected to once more, if it has no channel
 * @looks:	how often it is still to be looked whether it may be connected to
 * @gone:	its domain is no more
 * @backend_told: the module in this domain has been told of it
 * @next_ring:	where its next turn begins
 * @looked_at:	when its rings were looked at last, Xen's ns; 0: they were not
 * @longest:	from one look to the next, ns, the longest so far
 * @fullest:	how full a ring was then at most, permille
 * @probes:	what its kernel lets xblk-guest probe beside the block layer, by its
 *		word: names with spaces between them
 * @probes_told: it has said so
 * @clock:	what times its records, likewise: XBLK_CLOCK_TSC or XBLK_CLOCK_XEN; NULL
 * @told:	which traces have it as it is, see &capture_facts.trace; its disks say
 *		themselves which have them
 * @end_told:	the capture's has that it is no more, and its last counters
 * @end_at:	where in the trace it has that, see writer_position(); 0: not yet
 * @ops:	what is to be recorded, see actions.h
 * @skip_merges: its xblk-guest is asked for no records of merges
 * @no_merges:	and makes none, by its word
 * @takes_few: its xblk-guest is of before it took more than 64 disks
 * @names:	of its threads, as far as records have been moved; none after its end
 * @events:	events that its channel has sent
 * @ending:	why it is about to end: what is in its rings is still read
 * @last_round:	it was so when the present round began
 * @read_out:	it is through: nothing comes of it any more
 * @failed:	it broke the protocol
 * @over:	the control's word on its end, which the drain does not touch
 * @expected:	it is about to be connected to
 * @disks_untold: its disks are others than it was told
 * @muted:	that it writes to XenStore without end has been told
 * @rings_in_vain: that it rings for nothing has been told
 */
struct guest {
	struct domain *domain;
	struct xenrelay_reader *reader;
	struct guest_attempt attempt;
	struct xenrelay_channel *channel;
	struct xenrelay_properties properties;
	struct guest_ring *rings;
	unsigned int nr_streams;
	unsigned int nr_again;
	unsigned int next_ring;
	uint64_t looked_at;
	uint64_t longest;
	unsigned int fullest;
	uint64_t asked_at;
	struct backoff again;
	unsigned int looks;
	unsigned int ops;
	char probes[128];
	const char *clock;
	struct names names;
	uint64_t events;
	uint64_t events_before;
	uint64_t end_at;
	/* Held by the drain, which looks at them all at once; nothing else beside them. */
	bool last_round;
	bool read_out;
	bool failed;
	const char *ending;
	struct guest_over over;
	bool probes_told;
	unsigned char told;
	bool end_told;
	bool takes_few;
	bool skip_merges;
	bool no_merges;
	bool gone;
	bool muted;
	bool rings_in_vain;
	bool expected;
	bool disks_untold;
	bool backend_told;
};

/* Let go of what was connected to, but was not begun to be read. */
void guest_drop(struct guest *guest);

/*
 * Make what comes from its rings part of the trace.  While nothing else writes to @w.
 * Return: 0, or -1 after an error message: then it is to be let go of.
 */
int guest_begin(struct guest *guest, struct writer *w);

/* What its rings have mapped here, KiB; without the few pages of their positions. */
uint64_t guest_mapped_kib(const struct guest *guest);

/* How full the fullest ring is, permille. */
unsigned int guest_fullness(const struct guest *guest);

/**
 * guest_begin_round - note how much there is to be taken from each ring
 * @time:	now, Xen's, ns
 * @permille:	raised to how full the fullest ring is
 */
void guest_begin_round(struct guest *guest, uint64_t time, unsigned int *permille);

/*
 * How many records a second a vCPU may have made all the time without one being lost, as
 * its ring was looked at so far; 0: not known.
 */
uint64_t guest_safe_rate(const struct guest *guest);

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
 * A guest that breaks the protocol is marked as failed and ending; what was read of it
 * stays.  Ends early where @w has no room.
 *
 * Return: records, or -1 if @w has failed.
 */
int64_t guest_drain(struct guest *guest, struct writer *w, uint64_t time);

/*
 * Why no record comes any more, NULL if some may.  A guest that abuses XenStore
 * or its doorbell is told of.  @broke: set to true if it broke the protocol by it.
 */
const char *guest_look(struct guest *guest, bool *broke);

/* Say by which of its rings the drain has found that it broke the protocol, if it was. */
void guest_tell_broken(const struct guest *guest);

/* Bring the rings' counters up to date. */
void guest_read_stats(struct guest *guest);

/*
 * Take the last counters and let go of the guest's memory.  What was left in its rings
 * counts as lost.
 */
void guest_end(struct guest *guest);

/* After guest_end(), or without a channel: what was kept. */
void guest_free(struct guest *guest);

/* Records that a ring's producer made, and how many of these were lost. */
uint64_t guest_ring_produced(const struct guest *guest, const struct guest_ring *ring);
uint64_t guest_ring_lost(const struct guest_ring *ring);
/* How many of these no LOST record tells of, or none yet. */
uint64_t guest_ring_untold(const struct guest_ring *ring);

/* Sums over the rings, and over the files of the capture. */
uint64_t guest_records(const struct guest *guest);
uint64_t guest_unwritten(const struct guest *guest);
uint64_t guest_lost(const struct guest *guest);

#endif /* XBLKTRACE_GUEST_H */
