// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "msg.h"
#include "store.h"
#include "xblk/guest.h"

/* How long a channel may be taken before the user is told, and after. */
#define SHORT_BUSY_MS 1500
#define LONG_BUSY_MS  10000
/*
 * To attach its probes a guest's kernel has each of its vCPUs run some dozens of times
 * (text_poke_sync() in arch/x86/kernel/alternative.c): seconds where they wait for
 * processors.
 */
#define CONNECT_MS 30000

/* Losses that a ring can tell of at once, and one that comes meanwhile. */
#define MAX_MARKS 3

/* A generation of the guest's clock that its own module does not get to. */
#define AGAIN (1u << 31)

/* A ring has 64 KiB at least: see xenrelay_connect(). */
#define LEAST_KIB 64

/* Once or twice it may have been read out just before. */
#define IN_VAIN 8

/* Disks that an xblk-guest of before took, which refuses a list that is longer. */
#define FEW_DISKS 64

static bool is_wanted(const struct disk *disk)
{
	return !disk->gone && !disk->left_out;
}

static unsigned int count_wanted(const struct domain *domain)
{
	unsigned int i, nr = 0;

	for (i = 0; i < domain->nr_disks; i++)
		nr += is_wanted(&domain->disks[i]);
	return nr;
}

/*
 * "disks=4294967295:21,51712:0,51728:1": the events that are known, the disks that are
 * there, and their indices in the records.  Who takes few disks knows nothing of events.
 */
static char *make_config(const struct guest *guest)
{
	const struct domain *domain = guest->domain;
	size_t size = sizeof(XBLK_GUEST_DISKS) +
		      (1 + domain->nr_disks) * sizeof("4294967295:4294967295");
	char *config = malloc(size);
	unsigned int i, left = guest->takes_few ? FEW_DISKS : domain->nr_disks;
	const char *comma = "";
	size_t used;

	if (!config)
		return NULL;
	used = snprintf(config, size, XBLK_GUEST_DISKS);
	if (!guest->takes_few) {
		used += snprintf(config + used, size - used, "%u:%u", XBLK_GUEST_EVENTS,
				 XBLK_EV_MAX - 1);
		comma = ",";
	}
	for (i = 0; i < domain->nr_disks && left; i++) {
		if (!is_wanted(&domain->disks[i]))
			continue;
		used += snprintf(config + used, size - used, "%s%u:%u", comma,
				 domain->disks[i].devid, i);
		comma = ",";
		left--;
	}
	return config;
}

void guest_tell_disks(struct guest *guest)
{
	char *config = make_config(guest);
	int err;

	if (!config) {
		msg_error("out of memory");
		return;
	}
	err = xenrelay_configure(guest->channel, config);
	/* What has stopped by now is told of elsewhere. */
	if (err && err != -ENOTCONN && err != -ENOENT)
		msg_say("%s: its new disks are not traced",
			xenrelay_strerror(guest->reader));
	free(config);
}

static int check_client(const struct guest *guest)
{
	const struct xenrelay_properties *p = &guest->properties;

	if (p->item_size == XBLK_RECORD_SIZE && p->client_version == XBLK_GUEST_VERSION)
		return 0;
	return msg_error(
		"domain %u (%s): its xblk-guest writes another version of records "
		"(%u, %u bytes): install the same version in both domains",
		guest->domain->domid, guest->domain->name, p->client_version,
		p->item_size);
}

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
		return -1;
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

/* A guest's word, and one that older ones do not say. */
static void read_probes(struct guest *guest)
{
	char *names = store_read(xenrelay_xenstore(guest->reader),
				 "/local/domain/%u/data/xenrelay/" XBLK_GUEST_CHANNEL
				 "/probes",
				 guest->domain->domid);

	guest->probes_told = names;
	snprintf(guest->probes, sizeof(guest->probes), "%s", names ? names : "");
	free(names);
}

/* What was not granted, and by whom. */
static void tell_settled(const struct guest *guest, const struct options *opts,
			 uint64_t max_kib)
{
	const struct xenrelay_properties *p = &guest->properties;
	const struct domain *domain = guest->domain;
	/* Twice as large they would be more than may be mapped. */
	bool ours = 2 * p->ring_kib * p->nr_rings > max_kib;

	if (p->ring_kib < p->ring_kib_wanted && ours)
		msg_say("domain %u (%s): %u rings of %" PRIu64 " KiB instead of %" PRIu64
			": its share is %" PRIu64 " KiB (see --max-memory)",
			domain->domid, domain->name, p->nr_rings, p->ring_kib,
			p->ring_kib_wanted, max_kib);
	else if (p->ring_kib < p->ring_kib_wanted)
		msg_say("domain %u (%s): %u rings of %" PRIu64 " KiB instead of %" PRIu64
			": memory, grants, maptrack or its max_ring_kib allow no more",
			domain->domid, domain->name, p->nr_rings, p->ring_kib,
			p->ring_kib_wanted);
	if (opts->doorbell_percent && p->doorbell <= 0)
		msg_say("domain %u (%s): has no doorbell: is polled", domain->domid,
			domain->name);
	msg_verbose(
		"domain %u (%s): connected, %u rings of %llu KiB (%s), clock within %u "
		"ns",
		domain->domid, domain->name, p->nr_rings, (unsigned long long)p->ring_kib,
		p->contiguous ? "contiguous" : "single pages", p->clock_ns);
}

static int try_connect(struct guest *guest, struct xenrelay_options *wishes)
{
	const struct domain *domain = guest->domain;
	char *config = make_config(guest);
	int err;

	if (!config)
		return -ENOMEM;
	wishes->config = config;
	err = xenrelay_connect(guest->reader, domain->domid, XBLK_GUEST_CHANNEL, wishes,
			       &guest->channel);
	if (err == -EBUSY) {
		msg_say("domain %u (%s): another reader has its channel, or just ended: "
			"waiting for it",
			domain->domid, domain->name);
		wishes->busy_ms = LONG_BUSY_MS;
		err = xenrelay_connect(guest->reader, domain->domid, XBLK_GUEST_CHANNEL,
				       wishes, &guest->channel);
	}
	wishes->config = NULL;
	free(config);
	return err;
}

/* A guest's module may be older, which it does not say. */
static int connect_old_or_new(struct guest *guest, struct xenrelay_options *wishes)
{
	const struct domain *domain = guest->domain;
	unsigned int wanted = count_wanted(domain);
	int err = try_connect(guest, wishes);

	if (err != -ECONNREFUSED || wanted < FEW_DISKS)
		return err;
	guest->takes_few = true;
	err = try_connect(guest, wishes);
	if (!err && wanted > FEW_DISKS)
		msg_say("domain %u (%s): its xblk-guest is an older one, which takes %u "
			"disks: of %u more there are no records of the guest",
			domain->domid, domain->name, FEW_DISKS, wanted - FEW_DISKS);
	return err;
}

int guest_connect(struct guest *guest, const struct guest_connection *connection,
		  uint64_t time)
{
	struct xenrelay_reader *reader = connection->reader;
	const struct options *opts = connection->opts;
	struct xenrelay_options wishes = {
		.timeout_ms = CONNECT_MS,
		.busy_ms = SHORT_BUSY_MS,
		.ring_kib = opts->sized ? opts->subbuf_kib * opts->nr_subbufs : 0,
		.max_kib = connection->max_kib,
		.mode = opts->overwrite ? XENRELAY_MODE_OVERWRITE : XENRELAY_MODE_DISCARD,
		.doorbell_percent = opts->doorbell_percent,
		.idle = connection->idle,
		.idle_priv = connection->idle_arg,
	};
	int err;

	if (wishes.max_kib < LEAST_KIB)
		return msg_error("domain %u (%s): left out: other guests' rings take all "
				 "that may be mapped (see --max-memory)",
				 guest->domain->domid, guest->domain->name);
	guest->reader = reader;
	guest->ending = NULL;
	guest->next_ring = 0;
	guest->takes_few = false;
	err = connect_old_or_new(guest, &wishes);
	/* Rather than to be left out it takes what is kept for others. */
	if (err == -E2BIG && connection->rest_kib > wishes.max_kib) {
		wishes.max_kib = connection->rest_kib;
		err = connect_old_or_new(guest, &wishes);
	}
	if (err == -ENOMEM)
		return msg_error("out of memory");
	if (err == -ECANCELED)
		return -1;
	if (err == -E2BIG)
		return msg_error("%s: that is its share (see --max-memory)",
				 xenrelay_strerror(reader));
	if (err)
		return msg_error("%s", xenrelay_strerror(reader));

	xenrelay_get_properties(guest->channel, &guest->properties);
	if (check_client(guest) ||
	    (guest->rings ? go_on_with_streams(guest, connection->writer, time)
			  : add_streams(guest, connection->writer, time))) {
		xenrelay_release(guest->channel);
		guest->channel = NULL;
		return -1;
	}
	read_probes(guest);
	tell_settled(guest, opts, wishes.max_kib);
	return 0;
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
			return -1;
		if (max > (size_t)(GUEST_SLICE - records))
			max = GUEST_SLICE - records;
		n = read_ring(guest, ring, room, max, time);
		if (n < 0)
			return n;
		writer_commit(w, &guest->rings[ring].stream, n, time);
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

void guest_begin_round(struct guest *guest, unsigned int *permille)
{
	unsigned int i, full = guest_fullness(guest);

	if (full > *permille)
		*permille = full;

	for (i = 0; guest->channel && i < guest->properties.nr_rings; i++) {
		struct xenrelay_ring_stats stats;
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
		if (!guest->failed)
			msg_error("%s: let go of", xenrelay_strerror(guest->reader));
		guest->failed = true;
		guest->ending = "guest broke the protocol";
	}
	return records;
}

const char *guest_look(struct guest *guest)
{
	const struct domain *domain = guest->domain;
	struct xenrelay_channel_stats stats;
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
		guest->failed = true;
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
	for (i = 0; i < guest->properties.nr_rings; i++)
		xenrelay_get_ring_stats(guest->channel, i, &guest->rings[i].stats);
	guest->events = guest->events_before + xenrelay_events_sent(guest->channel);
}

void guest_end(struct guest *guest)
{
	unsigned int i;

	guest_read_stats(guest);
	guest->events_before = guest->events;
	/* If it still writes, what came after our last look is not of this capture. */
	for (i = 0; !guest->ending && i < guest->properties.nr_rings; i++) {
		struct xenrelay_ring_stats *stats = &guest->rings[i].stats;

		stats->produced =
			stats->read + (guest->properties.overwrite ? stats->lost : 0);
	}
	xenrelay_release(guest->channel);
	guest->channel = NULL;
}

/* What a guest counts may be anything. */
static uint64_t add_sat(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

uint64_t guest_ring_lost(const struct guest_ring *ring)
{
	return add_sat(ring->lost_before,
		       add_sat(ring->stats.lost, ring->stats.lost_nmi));
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
		sum += guest->rings[i].stream.records;
	return sum;
}

uint64_t guest_lost(const struct guest *guest)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < guest->nr_streams; i++)
		sum += guest_ring_lost(&guest->rings[i]);
	return sum;
}
