// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "saturate.h"
#include "msg.h"

/* Losses that a ring can tell of at once, and one that comes meanwhile. */
#define MAX_MARKS 3

/* A generation of the guest's clock that its own module does not get to. */
#define AGAIN (1u << 31)

/* Once or twice it may have been read out just before. */
#define IN_VAIN 8

static int add_streams(struct guest *guest, struct writer *w, uint64_t time)
{
	unsigned int i;

	guest->rings = calloc(guest->properties.nr_rings, sizeof(*guest->rings));
	if (!guest->rings)
		return msg_error("out of memory");
	guest->nr_streams = guest->properties.nr_rings;
	for (i = 0; i < guest->nr_streams; i++) {
		guest->rings[i].stream.domid = guest->domain->domid;
		guest->rings[i].stream.cpu = i;
		guest->rings[i].last = time;
		writer_add_stream(w, &guest->rings[i].stream);
	}
	return 0;
}

/*
 * Its module was loaded again: the streams go on.  The clock is another one, measured
 * anew, so a request that was under way meanwhile is not joined across.
 */
static int go_on_with_streams(struct guest *guest, struct writer *w, uint64_t time)
{
	unsigned int i, nr_rings = guest->properties.nr_rings;
	struct guest_ring *ring = &guest->rings[0];
	struct xblk_record *rec;
	size_t max;

	if (nr_rings > guest->nr_streams)
		return msg_error(
			"domain %u (%s): has %u rings, and had %u: not traced again",
			guest->domain->domid, guest->domain->name, nr_rings,
			guest->nr_streams);
	for (i = 0; i < guest->nr_streams; i++) {
		guest->rings[i].lost_before = guest_ring_lost(&guest->rings[i]);
		guest->rings[i].produced_before =
			guest_ring_produced(guest, &guest->rings[i]);
		guest->rings[i].stats = (struct xenrelay_ring_stats){0};
		guest->rings[i].due = 0;
	}
	rec = writer_reserve(w, &max);
	if (!rec)
		return msg_error("domain %u (%s): the output has no room: not traced "
				 "again yet",
				 guest->domain->domid, guest->domain->name);
	if (ring->last < time)
		ring->last = time;
	*rec = (struct xblk_record){
		.time = ring->last,
		.id = AGAIN | ++guest->nr_again,
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_CLOCK,
	};
	writer_commit(w, &ring->stream, 1, time);
	ring->stream.marks++;
	return 0;
}

void guest_drop(struct guest *guest)
{
	xenrelay_release(guest->channel);
	guest->channel = NULL;
}

int guest_begin(struct guest *guest, struct writer *w)
{
	guest->last_round = guest->read_out = false;
	return guest->rings ? go_on_with_streams(guest, w, guest->asked_at)
			    : add_streams(guest, w, guest->asked_at);
}

/*
 * Where the times of a loss are not known, because its records were overwritten, it
 * lies between what was read before and the record behind.
 */
static struct xblk_record lost_record(const struct guest_ring *ring,
				      const struct xenrelay_loss *loss, uint64_t behind)
{
	struct xblk_record rec = {
		.time = loss->first_ns ? loss->first_ns : ring->last,
		.lost = {.until = loss->last_ns ? loss->last_ns : behind,
			 .count = loss->count},
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_LOST,
	};

	/* A guest's times may be anything. */
	if (rec.lost.until < rec.time)
		rec.lost.until = rec.time;
	return rec;
}

/* What was read counts, and what was overwritten before that could be done. */
static void pass(struct guest_ring *ring, uint64_t n, const struct xenrelay_loss *loss,
		 bool overwrite)
{
	uint64_t passed = n + (overwrite ? loss->count : 0);
	uint64_t taken = n + !!loss->count;

	if (!taken || passed >= ring->due || taken >= ring->at_most) {
		ring->due = 0;
		return;
	}
	ring->due -= passed;
	ring->at_most -= taken;
}

/* Return: records that are in @room now, at most @max, or -2 if the guest has failed. */
static int64_t read_ring(struct guest *guest, unsigned int nr, struct xblk_record *room,
			 size_t max, uint64_t time)
{
	struct guest_ring *ring = &guest->rings[nr];
	struct xenrelay_loss loss;
	ssize_t n = xenrelay_read(guest->channel, nr, room, max - 1, &loss);
	bool emptied = n < (ssize_t)max - 1;

	if (n < 0) {
		ring->due = 0;
		return -2;
	}
	pass(ring, n, &loss, guest->properties.overwrite);
	if (loss.count) {
		memmove(room + 1, room, n * sizeof(*room));
		room[0] = lost_record(ring, &loss, n ? room[1].time : time);
		ring->stream.marks++;
		ring->told = add_sat(ring->told, loss.count);
		n++;
	}
	if (n)
		ring->last = room[n - 1].time;
	/* It was emptied: what is lost next comes after @time. */
	if (emptied && ring->last < time)
		ring->last = time;
	return n;
}

/* Return: records taken from one ring, -1 if @w has failed, -2 if the guest has. */
static int64_t drain_ring(struct guest *guest, unsigned int ring, struct writer *w,
			  uint64_t time)
{
	int64_t records = 0, n = 1;

	/* With room for one record and a loss before it. */
	while (n && GUEST_SLICE - records >= 2) {
		size_t max;
		struct xblk_record *room = writer_reserve(w, &max);

		if (!room)
			return writer_error(w) ? -1 : records;
		if (max > (size_t)(GUEST_SLICE - records))
			max = GUEST_SLICE - records;
		n = read_ring(guest, ring, room, max, time);
		if (n < 0)
			return n;
		if (writer_commit(w, &guest->rings[ring].stream, n, time))
			names_note(&guest->names, room, n);
		records += n;
	}
	return records;
}

uint64_t guest_mapped_kib(const struct guest *guest)
{
	const struct xenrelay_properties *p = &guest->properties;

	return guest->channel ? p->nr_rings * p->ring_kib : 0;
}

unsigned int guest_fullness(const struct guest *guest)
{
	unsigned int i, most = 0;

	for (i = 0; guest->channel && i < guest->properties.nr_rings; i++) {
		unsigned int full = xenrelay_ring_level(guest->channel, i) * 1000 /
				    guest->properties.capacity;

		if (full > most)
			most = full;
	}
	return most;
}

static void note_look(struct guest *guest, uint64_t time, unsigned int full)
{
	if (full > guest->fullest)
		guest->fullest = full;
	if (guest->looked_at && time > guest->looked_at + guest->longest)
		guest->longest = time - guest->looked_at;
	guest->looked_at = time;
}

uint64_t guest_safe_rate(const struct guest *guest)
{
	return guest->longest ? guest->properties.capacity * 1e9 / guest->longest : 0;
}

void guest_begin_round(struct guest *guest, uint64_t time, unsigned int *permille)
{
	unsigned int i, full = guest_fullness(guest);

	note_look(guest, time, full);
	if (full > *permille)
		*permille = full;

	for (i = 0; guest->channel && i < guest->properties.nr_rings; i++) {
		struct xenrelay_ring_stats stats = {.size = sizeof(stats)};
		uint64_t passed;

		xenrelay_get_ring_stats(guest->channel, i, &stats);
		passed = stats.read + (guest->properties.overwrite ? stats.met : 0);
		/* One more than there are: a loss may be behind the last. */
		guest->rings[i].due = stats.produced - passed + 1;
		guest->rings[i].at_most = guest->properties.capacity + MAX_MARKS;
	}
}

bool guest_behind(const struct guest *guest)
{
	unsigned int i;

	for (i = 0; guest->channel && i < guest->properties.nr_rings; i++)
		if (guest->rings[i].due)
			return true;
	return false;
}

int64_t guest_drain(struct guest *guest, struct writer *w, uint64_t time)
{
	unsigned int i, nr_rings = guest->properties.nr_rings;
	int64_t records = 0;

	if (!guest->channel)
		return 0;
	for (i = 0; i < nr_rings && records < GUEST_TURN; i++) {
		int64_t n = drain_ring(guest, guest->next_ring, w, time);

		if (n == -1)
			return -1;
		guest->next_ring = (guest->next_ring + 1) % nr_rings;
		if (n >= 0) {
			records += n;
			continue;
		}
		guest->failed = true;
		guest->ending = "guest broke the protocol";
	}
	return records;
}

void guest_tell_broken(const struct guest *guest)
{
	struct xenrelay_ring_stats stats = {.size = sizeof(stats)};
	unsigned int i;

	for (i = 0; i < guest->properties.nr_rings; i++) {
		xenrelay_get_ring_stats(guest->channel, i, &stats);
		if (!stats.broken)
			continue;
		msg_error("domain %u (%s): ring %u: %s: let go of", guest->domain->domid,
			  guest->domain->name, i, stats.broken);
		return;
	}
}

const char *guest_look(struct guest *guest, bool *broke)
{
	const struct domain *domain = guest->domain;
	struct xenrelay_channel_stats stats = {.size = sizeof(stats)};
	bool stopped = xenrelay_stopped(guest->channel);

	xenrelay_get_channel_stats(guest->channel, &stats);
	if (stats.muted && !guest->muted) {
		msg_say("domain %u (%s): writes to XenStore without end: listened to once "
			"a second",
			domain->domid, domain->name);
		guest->muted = true;
	}
	if (stats.vain >= IN_VAIN && !guest->rings_in_vain) {
		msg_say("domain %u (%s): rings its doorbell for nothing: listened to "
			"less and less",
			domain->domid, domain->name);
		guest->rings_in_vain = true;
	}
	if (!stopped)
		return NULL;
	if (stats.senseless) {
		msg_error(
			"domain %u (%s): its state in XenStore makes no sense: let go of",
			domain->domid, domain->name);
		*broke = true;
		return "guest broke the protocol";
	}
	return xenrelay_domain_exists(guest->reader, domain->domid) ? "tracer unloaded"
								    : "guest gone";
}

void guest_read_stats(struct guest *guest)
{
	unsigned int i;

	if (!guest->channel)
		return;
	for (i = 0; i < guest->properties.nr_rings; i++) {
		guest->rings[i].stats.size = sizeof(guest->rings[i].stats);
		xenrelay_get_ring_stats(guest->channel, i, &guest->rings[i].stats);
	}
	guest->events = guest->events_before + xenrelay_events_sent(guest->channel);
}

/*
 * What it wrote after our last look is not of this capture while it goes on; once it has
 * stopped it is, and lost.
 */
static void end_unread(const struct guest *guest, struct xenrelay_ring_stats *stats)
{
	bool overwrite = guest->properties.overwrite;
	uint64_t passed = stats->read + (overwrite ? stats->lost : 0);

	if (guest->ending)
		stats->lost = add_sat(stats->lost, stats->produced - passed);
	if (!guest->ending || !overwrite)
		stats->produced = passed;
}

void guest_end(struct guest *guest)
{
	unsigned int i;

	guest_read_stats(guest);
	guest->events_before = guest->events;
	/* If it still writes, what came after our last look is not of this capture. */
	for (i = 0; !guest->read_out && i < guest->properties.nr_rings; i++)
		end_unread(guest, &guest->rings[i].stats);
	guest_drop(guest);
	/* Should it come again it tells them all. */
	names_free(&guest->names);
}

void guest_free(struct guest *guest)
{
	free(guest->rings);
	guest->rings = NULL;
	names_free(&guest->names);
}

uint64_t guest_ring_lost(const struct guest_ring *ring)
{
	return add_sat(ring->lost_before,
		       add_sat(ring->stats.lost, ring->stats.lost_nmi));
}

uint64_t guest_ring_untold(const struct guest_ring *ring)
{
	uint64_t lost = guest_ring_lost(ring);

	return lost > ring->told ? lost - ring->told : 0;
}

uint64_t guest_ring_produced(const struct guest *guest, const struct guest_ring *ring)
{
	const struct xenrelay_ring_stats *stats = &ring->stats;
	uint64_t lost = stats->lost_nmi;

	/* What was overwritten had been written first. */
	if (!guest->properties.overwrite)
		lost = add_sat(lost, stats->lost);
	return add_sat(ring->produced_before, add_sat(stats->produced, lost));
}

uint64_t guest_records(const struct guest *guest)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < guest->nr_streams; i++)
		sum += guest->rings[i].stream.records_before +
		       guest->rings[i].stream.records;
	return sum;
}

uint64_t guest_unwritten(const struct guest *guest)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < guest->nr_streams; i++)
		sum += guest->rings[i].stream.unwritten;
	return sum;
}

uint64_t guest_lost(const struct guest *guest)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < guest->nr_streams; i++)
		sum = add_sat(sum, guest_ring_lost(&guest->rings[i]));
	return sum;
}
