// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "guest.h"
#include "msg.h"

/* How long a channel may be taken before the user is told, and after. */
#define SHORT_BUSY_MS 1500
#define LONG_BUSY_MS  10000
/* Attaching its probes takes a guest seconds under emulation. */
#define CONNECT_MS 15000

#define CLIENT_VERSION 1 /* of the records that xblk-guest writes */

/* "disks=51712,51728": a disk's index in the records is its place here. */
static char *make_config(const struct domain *domain)
{
	size_t size = sizeof("disks=") + domain->nr_disks * sizeof("4294967295,");
	char *config = malloc(size);
	unsigned int i;
	size_t used;

	if (!config)
		return NULL;
	used = snprintf(config, size, "disks=");
	for (i = 0; i < domain->nr_disks; i++)
		used += snprintf(config + used, size - used, "%s%u", i ? "," : "",
				 domain->disks[i].devid);
	return config;
}

static int check_client(const struct guest *guest)
{
	const struct xenrelay_properties *p = &guest->properties;

	if (p->item_size == XBLK_RECORD_SIZE && p->client_version == CLIENT_VERSION)
		return 0;
	return msg_error(
		"domain %u (%s): its xblk-guest writes another version of records "
		"(%u, %u bytes): install the same version in both domains",
		guest->domain->domid, guest->domain->name, p->client_version,
		p->item_size);
}

static int add_streams(struct guest *guest, struct writer *w)
{
	unsigned int i;

	guest->rings = calloc(guest->properties.nr_rings, sizeof(*guest->rings));
	if (!guest->rings)
		return msg_error("out of memory");
	for (i = 0; i < guest->properties.nr_rings; i++) {
		guest->rings[i].stream.domid = guest->domain->domid;
		guest->rings[i].stream.cpu = i;
		writer_add_stream(w, &guest->rings[i].stream);
	}
	return 0;
}

int guest_connect(struct guest *guest, struct xenrelay_reader *reader,
		  const struct options *opts, struct writer *w)
{
	const struct domain *domain = guest->domain;
	struct xenrelay_options connection = {
		.timeout_ms = CONNECT_MS,
		.ring_kib = opts->sized ? opts->subbuf_kib * opts->nr_subbufs : 0,
	};
	char *config = make_config(domain);
	int err;

	if (!config)
		return msg_error("out of memory");
	connection.config = config;
	guest->reader = reader;
	connection.busy_ms = SHORT_BUSY_MS;
	err = xenrelay_connect(reader, domain->domid, XBLK_CHANNEL, &connection,
			       &guest->channel);
	if (err == -EBUSY) {
		msg_say("domain %u (%s): another reader has its channel, or just ended: "
			"waiting for it",
			domain->domid, domain->name);
		connection.busy_ms = LONG_BUSY_MS;
		err = xenrelay_connect(reader, domain->domid, XBLK_CHANNEL, &connection,
				       &guest->channel);
	}
	free(config);
	if (err)
		return msg_error("%s", xenrelay_strerror(reader));

	xenrelay_get_properties(guest->channel, &guest->properties);
	if (check_client(guest) || add_streams(guest, w)) {
		xenrelay_release(guest->channel);
		guest->channel = NULL;
		return -1;
	}
	msg_verbose(
		"domain %u (%s): connected, %u rings of %llu KiB (%s), clock within %u "
		"ns",
		domain->domid, domain->name, guest->properties.nr_rings,
		(unsigned long long)guest->properties.ring_kib,
		guest->properties.contiguous ? "contiguous" : "single pages",
		guest->properties.clock_ns);
	return 0;
}

/* Return: records taken from one ring, -1 if @w has failed, -2 if the guest has. */
static int64_t drain_ring(struct guest *guest, unsigned int ring, struct writer *w,
			  uint64_t time)
{
	uint64_t left = guest->properties.capacity;
	int64_t records = 0;

	while (left) {
		size_t max;
		void *room = writer_reserve(w, &max);
		ssize_t n;

		if (!room)
			return -1;
		if (max > left)
			max = left;
		n = xenrelay_read(guest->channel, ring, room, max, NULL);
		if (n < 0)
			return -2;
		writer_commit(w, &guest->rings[ring].stream, n, time);
		records += n;
		left -= n;
		if (!n)
			break;
	}
	return records;
}

int64_t guest_drain(struct guest *guest, struct writer *w, uint64_t time,
		    unsigned int *permille)
{
	int64_t records = 0;
	unsigned int i;

	if (!guest->channel)
		return 0;
	for (i = 0; i < guest->properties.nr_rings; i++) {
		int64_t n = drain_ring(guest, i, w, time);
		unsigned int full;

		if (n == -1)
			return -1;
		if (n < 0) {
			if (!guest->failed)
				msg_error("%s: let go of",
					  xenrelay_strerror(guest->reader));
			guest->failed = true;
			guest->ending = "guest broke the protocol";
			continue;
		}
		full = n * 1000 / guest->properties.capacity;
		if (full > *permille)
			*permille = full;
		records += n;
	}
	return records;
}

void guest_read_stats(struct guest *guest)
{
	unsigned int i;

	if (!guest->channel)
		return;
	for (i = 0; i < guest->properties.nr_rings; i++)
		xenrelay_get_ring_stats(guest->channel, i, &guest->rings[i].stats);
	guest->events = xenrelay_events_sent(guest->channel);
}

void guest_end(struct guest *guest)
{
	unsigned int i;

	guest_read_stats(guest);
	/* If it still writes, what came after our last look is not of this capture. */
	for (i = 0; !guest->ending && i < guest->properties.nr_rings; i++)
		guest->rings[i].stats.produced = guest->rings[i].stats.read;
	xenrelay_release(guest->channel);
	guest->channel = NULL;
}

uint64_t guest_records(const struct guest *guest)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; guest->rings && i < guest->properties.nr_rings; i++)
		sum += guest->rings[i].stream.records;
	return sum;
}

uint64_t guest_lost(const struct guest *guest)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; guest->rings && i < guest->properties.nr_rings; i++)
		sum += guest->rings[i].stats.lost + guest->rings[i].stats.lost_nmi;
	return sum;
}
