// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest-connect.h"
#include "msg.h"
#include "number.h"
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

/* A ring has 64 KiB at least: see xenrelay_connect(). */
#define LEAST_KIB 64

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

/* Pairs of a configuration that are no disks. */
static unsigned int count_facts(const struct guest *guest)
{
	return 1 + !!guest->ops + guest->skip_merges;
}

/*
 * "disks=4294967295:21,4294967294:34,4294967293:0,51712:0,51728:1": the events that are
 * known, operations if not all are recorded, no merges if these are not, the disks that
 * are there, and their indices in the records.  Who takes few disks knows nothing of the
 * others.
 */
static char *make_config(const struct guest *guest)
{
	const struct domain *domain = guest->domain;
	size_t size = sizeof(XBLK_GUEST_DISKS) + (count_facts(guest) + domain->nr_disks) *
							 sizeof("4294967295:4294967295");
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
	if (!guest->takes_few && guest->ops)
		used += snprintf(config + used, size - used, ",%u:%u", XBLK_GUEST_OPS,
				 guest->ops);
	if (!guest->takes_few && guest->skip_merges)
		used += snprintf(config + used, size - used, ",%u:0", XBLK_GUEST_MERGES);
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

/* A guest's word, and one that older ones do not say. */
static char *read_node(const struct guest *guest, const char *name)
{
	return store_read(guest->reader,
			  "/local/domain/%u/data/xenrelay/" XBLK_GUEST_CHANNEL "/%s",
			  guest->domain->domid, name);
}

static bool says_number(const struct guest *guest, const char *name, unsigned int wanted)
{
	char *told = read_node(guest, name);
	unsigned int n = 0;
	bool says = told && !number_uint(told, 0, UINT_MAX, &n) && n == wanted;

	free(told);
	return says;
}

static void read_probes(struct guest *guest)
{
	char *names = read_node(guest, XBLK_GUEST_NODE_PROBES);

	guest->probes_told = names;
	snprintf(guest->probes, sizeof(guest->probes), "%s", names ? names : "");
	free(names);
}

static void read_clock(struct guest *guest)
{
	static const char *const known[] = {XBLK_CLOCK_TSC, XBLK_CLOCK_XEN};
	char *told = read_node(guest, XBLK_GUEST_NODE_CLOCK);
	size_t i;

	guest->clock = NULL;
	for (i = 0; told && i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(told, known[i]))
			guest->clock = known[i];
	free(told);
}

/* An older one records all, and it does not say that it does otherwise. */
static void check_ops(const struct guest *guest)
{
	const struct domain *domain = guest->domain;

	if (guest->ops && !says_number(guest, XBLK_GUEST_NODE_OPS, guest->ops))
		msg_say("domain %u (%s): its xblk-guest is an older one, which records all "
			"operations: xblkparse finds no backend for those that -a leaves out",
			domain->domid, domain->name);
}

static void check_merges(struct guest *guest)
{
	const struct domain *domain = guest->domain;

	guest->no_merges = guest->skip_merges &&
			   says_number(guest, XBLK_GUEST_NODE_MERGES, 0);
	if (guest->skip_merges && !guest->no_merges)
		msg_say("domain %u (%s): its xblk-guest is an older one, which records "
			"merges",
			domain->domid, domain->name);
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
		"domain %u (%s): connected, %u rings of %llu KiB (%s), clock%s%s within "
		"%u ns",
		domain->domid, domain->name, p->nr_rings, (unsigned long long)p->ring_kib,
		p->contiguous ? "contiguous" : "single pages", guest->clock ? " " : "",
		guest->clock ? guest->clock : "", p->clock_ns);
}

static void give_up(struct guest *guest)
{
	xenrelay_release(guest->attempt.channel);
	guest->attempt = (struct guest_attempt){0};
}

/* Return: 0, or a negative errno: there is no attempt. */
static int attempt(struct guest *guest, unsigned int busy_ms)
{
	const struct options *opts = guest->attempt.opts;
	struct xenrelay_options wishes = {
		.size = sizeof(wishes),
		.timeout_ms = CONNECT_MS,
		.busy_ms = busy_ms,
		.ring_kib = opts->sized ? opts->subbuf_kib * opts->nr_subbufs : 0,
		.max_kib = guest->attempt.max_kib,
		.mode = opts->overwrite ? XENRELAY_MODE_OVERWRITE : XENRELAY_MODE_DISCARD,
		.doorbell_percent = opts->doorbell_percent,
	};
	char *config = make_config(guest);
	int err;

	xenrelay_release(guest->attempt.channel);
	guest->attempt.channel = NULL;
	if (!config)
		return -ENOMEM;
	wishes.config = config;
	err = xenrelay_connect_start(guest->reader, guest->domain->domid,
				     XBLK_GUEST_CHANNEL, &wishes,
				     &guest->attempt.channel);
	free(config);
	return err;
}

int guest_connect_start(struct guest *guest, struct xenrelay_reader *reader,
			const struct options *opts, uint64_t max_kib)
{
	int err;

	if (max_kib < LEAST_KIB)
		return msg_error("domain %u (%s): left out: other guests' rings take all "
				 "that may be mapped (see --max-memory)",
				 guest->domain->domid, guest->domain->name);
	guest->reader = reader;
	guest->ending = NULL;
	guest->over = (struct guest_over){0};
	guest->next_ring = 0;
	guest->takes_few = false;
	guest->ops = opts->ops;
	guest->skip_merges = opts->no_merges;
	guest->attempt = (struct guest_attempt){.opts = opts, .max_kib = max_kib};
	err = attempt(guest, SHORT_BUSY_MS);
	if (err == -ENOMEM)
		msg_error("out of memory");
	else if (err)
		msg_error("%s", xenrelay_strerror(reader));
	if (err)
		give_up(guest);
	return err ? -1 : 0;
}

/* What can be tried in another way.  Return: 0 if it is, else @err. */
static int try_otherwise(struct guest *guest, int err, uint64_t rest_kib)
{
	const struct domain *domain = guest->domain;

	if (err == -EBUSY && !guest->attempt.waits) {
		msg_say("domain %u (%s): another reader has its channel, or just ended: "
			"waiting for it",
			domain->domid, domain->name);
		guest->attempt.waits = true;
	} else if (err == -ECONNREFUSED && !guest->takes_few &&
		   count_wanted(domain) + count_facts(guest) > FEW_DISKS) {
		/* A guest's module may be older, which it does not say. */
		guest->takes_few = true;
	} else if (err == -E2BIG && rest_kib > guest->attempt.max_kib) {
		/* Rather than to be left out it takes what is kept for others. */
		guest->attempt.max_kib = rest_kib;
	} else {
		return err;
	}
	return attempt(guest, guest->attempt.waits ? LONG_BUSY_MS : SHORT_BUSY_MS);
}

static int fail(struct guest *guest, int err)
{
	if (err == -ENOMEM)
		msg_error("out of memory");
	else if (err == -E2BIG)
		msg_error("%s: that is its share (see --max-memory)",
			  xenrelay_strerror(guest->reader));
	else
		msg_error("%s", xenrelay_strerror(guest->reader));
	give_up(guest);
	return -1;
}

static int settle(struct guest *guest)
{
	const struct domain *domain = guest->domain;
	unsigned int wanted = count_wanted(domain);

	guest->properties.size = sizeof(guest->properties);
	xenrelay_get_properties(guest->attempt.channel, &guest->properties);
	if (check_client(guest)) {
		give_up(guest);
		return -1;
	}
	guest->channel = guest->attempt.channel;
	if (guest->takes_few && wanted > FEW_DISKS)
		msg_say("domain %u (%s): its xblk-guest is an older one, which takes %u "
			"disks: of %u more there are no records of the guest",
			domain->domid, domain->name, FEW_DISKS, wanted - FEW_DISKS);
	read_probes(guest);
	read_clock(guest);
	check_ops(guest);
	check_merges(guest);
	tell_settled(guest, guest->attempt.opts, guest->attempt.max_kib);
	guest->attempt = (struct guest_attempt){0};
	return 1;
}

int guest_connect_poll(struct guest *guest, uint64_t rest_kib)
{
	int err = xenrelay_connect_poll(guest->attempt.channel);

	if (!err)
		return settle(guest);
	if (err != -EINPROGRESS)
		err = try_otherwise(guest, err, rest_kib);
	return err && err != -EINPROGRESS ? fail(guest, err) : 0;
}

void guest_connect_cancel(struct guest *guest)
{
	if (guest->attempt.channel)
		give_up(guest);
}
