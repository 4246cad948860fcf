// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <jansson.h>

#include "actions.h"
#include "disks.h"
#include "json-text.h"
#include "meta.h"
#include "msg.h"
#include "saturate.h"
#include "xblk/version.h"

static json_t *dev(unsigned int major, unsigned int minor)
{
	return json_sprintf("%u:%u", major, minor);
}

/* Names that are separated by spaces. */
static json_t *words(const char *s)
{
	json_t *array = json_array();

	while (*s) {
		size_t len = strcspn(s, " ");

		if (len)
			json_array_append_new(array, json_stringn(s, len));
		s += len + (s[len] == ' ');
	}
	return array;
}

static void append_file(char *to, size_t size, const char *path)
{
	FILE *f = fopen(path, "re");
	size_t used = strlen(to);

	if (!f)
		return;
	if (!fgets(to + used, size - used, f))
		to[used] = '\0';
	to[strcspn(to, "\n")] = '\0';
	fclose(f);
}

static json_t *xen_version(void)
{
	char version[64] = "";

	append_file(version, sizeof(version) - 1, "/sys/hypervisor/version/major");
	strcat(version, ".");
	append_file(version, sizeof(version), "/sys/hypervisor/version/minor");
	append_file(version, sizeof(version), "/sys/hypervisor/version/extra");
	return json_text(version);
}

static json_t *command_line(const struct options *opts)
{
	json_t *array = json_array();
	int i;

	for (i = 0; i < opts->argc; i++)
		json_array_append_new(array, json_text(opts->argv[i]));
	return array;
}

/*
 * Entries of disks and of guests in one text.  A disk's is the longest: 700 bytes at the
 * worst, so that all are below XBLK_CHUNK_MAX_PAYLOAD.
 */
#define MAX_ITEMS 1024

/* Beside the traces that have it now: one of them had it, maybe an earlier file. */
#define TOLD_ONCE 0x80

static unsigned char bit(const struct capture_facts *facts)
{
	return 1 << facts->trace;
}

/* Mark it as told, if it was not and there is room for one more. */
static bool take(const struct capture_facts *facts, unsigned char *told,
		 unsigned int *room)
{
	if (*told & bit(facts) || !*room)
		return false;
	--*room;
	*told |= bit(facts) | TOLD_ONCE;
	return true;
}

static json_t *backing_disks(const struct capture_facts *facts, unsigned int *room)
{
	struct backing_table *backing = facts->backing;
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; i < backing->nr; i++) {
		struct backing *b = &backing->entries[i];

		if (!take(facts, &b->told, room))
			continue;
		json_array_append_new(
			array,
			json_pack("{s:i, s:o, s:o, s:o, s:o}", "index", (int)i, "dev",
				  dev(b->major, b->minor), "name", json_text(b->name),
				  "scheduler",
				  *b->scheduler ? json_text(b->scheduler) : json_null(),
				  "part_of",
				  b->part_of < 0 ? json_null()
						 : json_integer(b->part_of)));
	}
	return array;
}

/* Of one that has gone there may still be records, but none if it was never told of. */
static bool is_traced(const struct capture_facts *facts, const struct domain *domain,
		      const struct disk *disk)
{
	return !disk->left_out && (!disk->gone || disk->told & TOLD_ONCE) &&
	       (!facts->wanted || disk_is_asked_for(facts->opts, domain, disk));
}

static json_t *guest_disks(const struct capture_facts *facts, struct domain *domain,
			   unsigned int *room)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; i < domain->nr_disks; i++) {
		struct disk *d = &domain->disks[i];

		if (!is_traced(facts, domain, d) || !take(facts, &d->told, room))
			continue;
		json_array_append_new(
			array,
			json_pack("{s:i, s:I, s:o, s:o, s:o, s:i, s:I}", "index", (int)i,
				  "devid", (json_int_t)d->devid, "name",
				  json_text(d->name), "params", json_text(d->params),
				  "dev", dev(d->major, d->minor), "backend_disk",
				  d->backing, "start_sector",
				  (json_int_t)d->start_sector));
	}
	return array;
}

/* Not one that could not be connected to, nor one that is no more. */
static bool is_told_of(const struct capture_facts *facts, const struct guest *guest)
{
	return !guest->gone &&
	       (!facts->connected_only || guest->rings || guest->expected) &&
	       (!facts->wanted || facts->wanted[guest - facts->guests]);
}

static bool is_news(const struct capture_facts *facts, const struct guest *guest)
{
	const struct domain *domain = guest->domain;
	bool news = !(guest->told & bit(facts));
	unsigned int i;

	for (i = 0; !news && i < domain->nr_disks; i++)
		news = is_traced(facts, domain, &domain->disks[i]) &&
		       !(domain->disks[i].told & bit(facts));
	return news;
}

static json_t *guests(const struct capture_facts *facts, unsigned int *room)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; i < facts->nr_guests; i++) {
		struct guest *guest = &facts->guests[i];
		const struct xenrelay_properties *p = &guest->properties;
		json_t *json;

		if (!is_told_of(facts, guest) || !is_news(facts, guest))
			continue;
		/* Also where it is only one of its disks that has not been told. */
		guest->told &= ~bit(facts);
		if (!take(facts, &guest->told, room))
			break;
		json = json_pack("{s:i, s:o, s:o, s:o}", "domid",
				 (int)guest->domain->domid, "name",
				 json_text(guest->domain->name), "uuid",
				 json_text(guest->domain->uuid), "disks",
				 guest_disks(facts, guest->domain, room));

		if (guest->rings)
			json_object_update_new(
				json, json_pack("{s:i, s:I, s:{s:I, s:b}}", "nr_rings",
						(int)p->nr_rings, "clock_uncertainty_ns",
						(json_int_t)p->clock_ns, "xenrelay",
						"ring_kib", (json_int_t)p->ring_kib,
						"contiguous", (int)p->contiguous));
		if (guest->probes_told)
			json_object_set_new(json, "probes", words(guest->probes));
		if (guest->clock)
			json_object_set_new(json, "clock", json_string(guest->clock));
		if (guest->no_merges)
			json_object_set_new(json, "merges", json_false());
		json_array_append_new(array, json);
	}
	return array;
}

/* What a guest counts may be anything: as much of it as JSON can say. */
static json_int_t number(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (json_int_t)n;
}

/* Counters since the capture began -> those of this file. */
static json_t *stream(const struct writer_stream *s, uint64_t produced, uint64_t lost,
		      bool goes_on)
{
	uint64_t marks = writer_marks(s), written = s->records - marks;

	lost = sub_sat(lost, s->lost_before);
	produced = goes_on ? written + lost : sub_sat(produced, s->produced_before);
	return json_pack("{s:i, s:I, s:I, s:I, s:I, s:I}", "domid", (int)s->domid, "cpu",
			 (json_int_t)s->cpu, "produced", number(produced), "written",
			 number(written), "lost", number(lost), "marks", number(marks));
}

/* The last counters of streams, and events sent. */
struct accounts {
	json_t *streams;
	json_t *events;
};

static void account_for(struct accounts *to, const struct guest *guest, bool goes_on)
{
	unsigned int i;

	for (i = 0; i < guest->nr_streams; i++) {
		const struct guest_ring *ring = &guest->rings[i];

		json_array_append_new(to->streams,
				      stream(&ring->stream,
					     guest_ring_produced(guest, ring),
					     guest_ring_lost(ring), goes_on));
	}
	json_array_append_new(to->events,
			      json_pack("{s:i, s:I}", "domid", (int)guest->domain->domid,
					"events", number(guest->events)));
}

/* It is no more, which has not been told. */
static bool is_end_news(const struct guest *guest)
{
	return guest->gone && guest->rings && !guest->channel && !guest->end_told;
}

/* A guest's streams end all at once.  NULL if there are none. */
static json_t *ended(const struct capture_facts *facts, unsigned int *room)
{
	struct accounts accounts = {json_array(), json_array()};
	unsigned int i;

	for (i = 0; i < facts->nr_guests && *room; i++) {
		struct guest *guest = &facts->guests[i];

		if (!is_end_news(guest) ||
		    (*room < guest->nr_streams && *room < MAX_ITEMS))
			continue;
		guest->end_told = true;
		account_for(&accounts, guest, false);
		*room -= *room < guest->nr_streams ? *room : guest->nr_streams;
	}
	if (json_array_size(accounts.events))
		return json_pack("{s:o, s:o}", "streams", accounts.streams, "events_sent",
				 accounts.events);
	json_decref(accounts.streams);
	json_decref(accounts.events);
	return NULL;
}

bool meta_has_news(const struct capture_facts *facts)
{
	bool news = false;
	unsigned int i;

	for (i = 0; !news && i < facts->backing->nr; i++)
		news = !(facts->backing->entries[i].told & bit(facts));
	for (i = 0; !news && i < facts->nr_guests; i++)
		news = (!facts->wanted && is_end_news(&facts->guests[i])) ||
		       (is_told_of(facts, &facts->guests[i]) &&
			is_news(facts, &facts->guests[i]));
	return news;
}

void meta_forget(const struct capture_facts *facts)
{
	unsigned int i, disk;

	for (i = 0; i < facts->backing->nr; i++)
		facts->backing->entries[i].told &= ~bit(facts);
	for (i = 0; i < facts->nr_guests; i++) {
		struct domain *domain = facts->guests[i].domain;

		facts->guests[i].told &= ~bit(facts);
		if (!facts->wanted)
			facts->guests[i].end_told = facts->guests[i].end_at;
		for (disk = 0; disk < domain->nr_disks; disk++)
			domain->disks[disk].told &= ~bit(facts);
	}
}

static char *to_text(json_t *json)
{
	char *s = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return s;
}

/* @gone may be NULL. */
static char *make_text(const struct capture_facts *facts, json_t *disks, json_t *guests,
		       json_t *gone)
{
	const struct dom0 *dom0 = facts->dom0;
	struct utsname host;

	if (uname(&host))
		memset(&host, 0, sizeof(host));
	return to_text(json_pack(
		"{s:s, s:o, s:o, s:o, s:o, s:I, s:{s:i, s:i, s:I, s:o*, s:o, s:o, s:o*}, s:o, s:o*, s:o*}",
		"tool", PROGRAM " " XBLK_VERSION, "host", json_text(host.nodename),
		"kernel", json_text(host.release), "xen", xen_version(), "argv",
		command_line(facts->opts), "clock_uncertainty_ns",
		(json_int_t)dom0->clock_uncertainty_ns, "backend", "domid",
		(int)facts->own_domid, "nr_cpus", (int)dom0->nr_cpus,
		"clock_uncertainty_ns", (json_int_t)dom0->clock_uncertainty_ns, "clock",
		*dom0->clock ? json_text(dom0->clock) : NULL, "disks", disks, "probes",
		words(dom0->probes), "merges", dom0->no_merges ? json_false() : NULL,
		"guests", guests, "ops",
		facts->opts->ops ? words(actions_text(facts->opts->ops)) : NULL, "ended",
		gone));
}

char *meta_text(const struct capture_facts *facts)
{
	unsigned int room = MAX_ITEMS;
	json_t *gone = facts->wanted ? NULL : ended(facts, &room);
	json_t *disks = backing_disks(facts, &room);

	return make_text(facts, disks, guests(facts, &room), gone);
}

char *meta_text_of_ended(void *arg, const struct writer_stream *const *streams,
			 unsigned int nr)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; i < nr; i++)
		json_array_append_new(array,
				      stream(streams[i], 0, streams[i]->lost, true));
	return make_text(arg, json_array(), json_array(),
			 json_pack("{s:o, s:[]}", "streams", array, "events_sent"));
}

/* An account has 160 bytes at the most, and a guest's events 50. */
_Static_assert(META_MAX_ACCOUNTS *(160 + 50) < XBLK_CHUNK_MAX_PAYLOAD,
	       "a chunk has room for so many");

static char *counters(unsigned int own_domid, json_t *streams, json_t *events)
{
	return to_text(json_pack("{s:{s:i}, s:{s:o, s:o}}", "backend", "domid",
				 (int)own_domid, "counters", "streams", streams,
				 "events_sent", events));
}

static char *end(const char *reason, uint64_t duration_ns, json_t *streams,
		 json_t *events)
{
	return to_text(json_pack("{s:s, s:I, s:o, s:o}", "reason", reason, "duration_ns",
				 (json_int_t)duration_ns, "streams", streams,
				 "events_sent", events));
}

char *counters_text_of_streams(unsigned int own_domid,
			       const struct writer_stream **streams)
{
	const struct writer_stream *s;
	unsigned int nr = 0;
	json_t *array;

	for (s = *streams; s; s = s->next)
		nr++;
	if (nr <= META_MAX_ACCOUNTS)
		return NULL;
	array = json_array();
	for (s = *streams, nr = 0; nr < META_MAX_ACCOUNTS; s = s->next, nr++)
		json_array_append_new(array, stream(s, 0, s->lost, true));
	*streams = s;
	return counters(own_domid, array, json_array());
}

char *end_text_of_streams(const struct writer_stream *streams, const char *reason,
			  uint64_t duration_ns)
{
	json_t *array = json_array();
	const struct writer_stream *s;

	for (s = streams; s; s = s->next)
		json_array_append_new(array, stream(s, 0, s->lost, true));
	return end(reason, duration_ns, array, json_array());
}

/* But not those of which META has said that they are no more. */
static bool counts(const struct guest *guest)
{
	return guest->rings && !guest->end_at;
}

char *counters_text(const struct capture_facts *facts, bool goes_on, unsigned int *next)
{
	const struct guest *guest, *end = facts->guests + facts->nr_guests;
	struct accounts accounts;
	unsigned int nr = facts->dom0->nr_cpus;

	for (guest = facts->guests + *next; guest < end; guest++)
		nr += counts(guest) ? guest->nr_streams : 0;
	if (nr <= META_MAX_ACCOUNTS)
		return NULL;
	accounts = (struct accounts){json_array(), json_array()};
	for (guest = facts->guests + *next, nr = 0; guest < end; guest++) {
		if (!counts(guest))
			continue;
		nr += guest->nr_streams;
		if (nr > META_MAX_ACCOUNTS)
			break;
		account_for(&accounts, guest, goes_on);
	}
	*next = guest - facts->guests;
	return counters(facts->own_domid, accounts.streams, accounts.events);
}

char *end_text(const struct capture_facts *facts, const char *reason,
	       uint64_t duration_ns, bool goes_on, unsigned int first)
{
	struct accounts accounts = {json_array(), json_array()};
	unsigned int i;

	for (i = first; i < facts->nr_guests; i++)
		if (counts(&facts->guests[i]))
			account_for(&accounts, &facts->guests[i], goes_on);
	for (i = 0; i < facts->dom0->nr_cpus; i++) {
		const struct dom0_cpu *cpu = &facts->dom0->cpus[i];

		json_array_append_new(accounts.streams,
				      stream(&cpu->stream, cpu->produced, cpu->lost,
					     goes_on));
	}
	return end(reason, duration_ns, accounts.streams, accounts.events);
}
