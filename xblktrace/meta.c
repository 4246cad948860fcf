// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <jansson.h>

#include "meta.h"
#include "msg.h"
#include "xblk/version.h"

/* A string of JSON must be UTF-8; what comes from outside may not be. */
static json_t *text(const char *s)
{
	json_t *json = json_string(s);
	char *copy, *p;

	if (json)
		return json;
	copy = strdup(s);
	if (!copy)
		return NULL;
	for (p = copy; *p; p++)
		if (*p & 0x80)
			*p = '?';
	json = json_string(copy);
	free(copy);
	return json;
}

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
	return text(version);
}

static json_t *command_line(const struct options *opts)
{
	json_t *array = json_array();
	int i;

	for (i = 0; i < opts->argc; i++)
		json_array_append_new(array, text(opts->argv[i]));
	return array;
}

static json_t *backing_disks(const struct backing_table *backing)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; i < backing->nr; i++) {
		const struct backing *b = &backing->entries[i];

		json_array_append_new(
			array, json_pack("{s:i, s:o, s:o, s:o, s:o}", "index", (int)i,
					 "dev", dev(b->major, b->minor), "name",
					 text(b->name), "scheduler",
					 *b->scheduler ? text(b->scheduler) : json_null(),
					 "part_of",
					 b->part_of < 0 ? json_null()
							: json_integer(b->part_of)));
	}
	return array;
}

static json_t *guest_disks(const struct domain *domain)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; i < domain->nr_disks; i++) {
		const struct disk *d = &domain->disks[i];

		if (d->left_out)
			continue;
		json_array_append_new(
			array,
			json_pack("{s:i, s:I, s:o, s:o, s:o, s:i, s:I}", "index", (int)i,
				  "devid", (json_int_t)d->devid, "name", text(d->name),
				  "params", text(d->params), "dev",
				  dev(d->major, d->minor), "backend_disk", d->backing,
				  "start_sector", (json_int_t)d->start_sector));
	}
	return array;
}

static json_t *guests(const struct capture_facts *facts)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; i < facts->nr_guests; i++) {
		const struct guest *guest = &facts->guests[i];
		const struct xenrelay_properties *p = &guest->properties;
		json_t *json;

		if (facts->connected_only && !guest->rings && !guest->expected)
			continue;
		json = json_pack("{s:i, s:o, s:o, s:o}", "domid",
				 (int)guest->domain->domid, "name",
				 text(guest->domain->name), "uuid",
				 text(guest->domain->uuid), "disks",
				 guest_disks(guest->domain));

		if (guest->rings)
			json_object_update_new(
				json, json_pack("{s:i, s:I, s:{s:I, s:b}}", "nr_rings",
						(int)p->nr_rings, "clock_uncertainty_ns",
						(json_int_t)p->clock_ns, "xenrelay",
						"ring_kib", (json_int_t)p->ring_kib,
						"contiguous", (int)p->contiguous));
		if (guest->probes_told)
			json_object_set_new(json, "probes", words(guest->probes));
		json_array_append_new(array, json);
	}
	return array;
}

static char *to_text(json_t *json)
{
	char *s = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return s;
}

char *meta_text(const struct capture_facts *facts)
{
	const struct dom0 *dom0 = facts->dom0;
	struct utsname host;

	if (uname(&host))
		memset(&host, 0, sizeof(host));
	return to_text(json_pack(
		"{s:s, s:o, s:o, s:o, s:o, s:I, s:{s:i, s:i, s:I, s:o, s:o}, s:o}",
		"tool", PROGRAM " " XBLK_VERSION, "host", text(host.nodename), "kernel",
		text(host.release), "xen", xen_version(), "argv",
		command_line(facts->opts), "clock_uncertainty_ns",
		(json_int_t)dom0->clock_uncertainty_ns, "backend", "domid",
		(int)facts->own_domid, "nr_cpus", (int)dom0->nr_cpus,
		"clock_uncertainty_ns", (json_int_t)dom0->clock_uncertainty_ns, "disks",
		backing_disks(facts->backing), "probes", words(dom0->probes), "guests",
		guests(facts)));
}

/* What a guest counts may be anything: as much of it as JSON can say. */
static json_int_t number(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (json_int_t)n;
}

static json_t *stream(const struct writer_stream *s, uint64_t produced, uint64_t lost)
{
	/* After a write that failed the last marks may not be in the file. */
	uint64_t marks = s->marks < s->records ? s->marks : s->records;

	return json_pack("{s:i, s:I, s:I, s:I, s:I, s:I}", "domid", (int)s->domid, "cpu",
			 (json_int_t)s->cpu, "produced", number(produced), "written",
			 number(s->records - marks), "lost", number(lost), "marks",
			 number(marks));
}

char *end_text(const struct capture_facts *facts, const char *reason,
	       uint64_t duration_ns)
{
	json_t *streams = json_array(), *events = json_array();
	unsigned int i, r;

	for (i = 0; i < facts->nr_guests; i++) {
		const struct guest *guest = &facts->guests[i];

		if (!guest->rings)
			continue;
		for (r = 0; r < guest->nr_streams; r++) {
			const struct guest_ring *ring = &guest->rings[r];

			json_array_append_new(streams,
					      stream(&ring->stream,
						     guest_ring_produced(guest, ring),
						     guest_ring_lost(ring)));
		}
		json_array_append_new(events, json_pack("{s:i, s:I}", "domid",
							(int)guest->domain->domid,
							"events", number(guest->events)));
	}
	for (i = 0; i < facts->dom0->nr_cpus; i++) {
		const struct dom0_cpu *cpu = &facts->dom0->cpus[i];

		json_array_append_new(streams,
				      stream(&cpu->stream, cpu->produced, cpu->lost));
	}
	return to_text(json_pack("{s:s, s:I, s:o, s:o}", "reason", reason, "duration_ns",
				 (json_int_t)duration_ns, "streams", streams,
				 "events_sent", events));
}
