// SPDX-License-Identifier: GPL-2.0-only
/* The list for programs: xblktrace(8) describes its members. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "json-text.h"
#include "list.h"
#include "msg.h"
#include "options.h"
#include "xblk/version.h"

#define FORMAT_VERSION 1

/* Also for who is not known at all. */
static json_t *word(const char *s)
{
	return s && *s ? json_text(s) : json_null();
}

/* Return: the array, or NULL: without memory there is no list, rather than a part of it. */
static json_t *append(json_t *array, json_t *item)
{
	if (!json_array_append_new(array, item))
		return array;
	json_decref(array);
	return NULL;
}

static json_t *version(uint32_t n)
{
	return n ? json_integer(n) : json_null();
}

static json_t *tracer(const struct list_guest *guest)
{
	bool known = guest->tracer != LIST_TRACER_CLOSED &&
		     guest->tracer != LIST_TRACER_UNKNOWN;

	return json_pack(
		"{s:o, s:o, s:o, s:b}", "loaded",
		known ? json_boolean(guest->tracer != LIST_TRACER_NONE) : json_null(),
		"oldest_protocol", version(guest->oldest), "newest_protocol",
		version(guest->newest), "readable", guest->tracer == LIST_TRACER_READY);
}

static json_t *device(const struct list_disk *disk)
{
	const struct backing_words *on = &disk->on;

	if (!*on->name)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "dev",
			 json_sprintf("%u:%u", disk->disk.major, disk->disk.minor),
			 "name", json_text(on->name), "partition_of", word(on->disk),
			 "mapped_name", word(on->mapped), "file", word(on->file));
}

static json_t *seen(const struct list_seen *seen)
{
	return json_pack("{s:b, s:b, s:o}", "guest", seen->guest, "backend",
			 seen->backend, "why", word(seen->why));
}

static json_t *disks(const struct list_guest *guest)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; array && i < guest->nr_disks; i++) {
		const struct list_disk *disk = &guest->disks[i];
		const char mode[] = {disk->mode, '\0'};

		array = append(
			array,
			json_pack("{s:I, s:o, s:o, s:{s:I, s:o}, s:o, s:o, s:o, s:o, s:o}",
				  "devid", (json_int_t)disk->disk.devid, "name",
				  word(disk->disk.name), "mode", word(mode), "backend",
				  "domid", (json_int_t)disk->backend, "type",
				  word(disk->kind), "params", word(disk->disk.params),
				  "device", device(disk), "state",
				  word(list_state_name(disk->state)), "guest_state",
				  word(list_state_name(disk->guest_state)), "seen",
				  seen(&disk->seen)));
	}
	return array;
}

static json_t *guests(const struct list *list)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; array && i < list->nr; i++) {
		const struct list_guest *guest = &list->guests[i];

		json_array_append_new(array,
				      json_pack("{s:I, s:o, s:o, s:o, s:o}", "domid",
						(json_int_t)guest->domain.domid, "name",
						word(guest->domain.name), "uuid",
						word(guest->domain.uuid), "xblk_guest",
						tracer(guest), "disks", disks(guest)));
	}
	return array;
}

int list_print_json(const struct list *list)
{
	json_t *json = json_pack("{s:i, s:s, s:{s:I, s:b}, s:o}", "version",
				 FORMAT_VERSION, "tool", PROGRAM " " XBLK_VERSION,
				 "backend", "domid", (json_int_t)list->own,
				 "xblk_dom0_loaded", list->dom0_loaded, "guests",
				 guests(list));
	int ret;

	if (!json)
		return msg_error("out of memory");
	ret = json_dumpf(json, stdout, JSON_INDENT(2));
	json_decref(json);
	if (!ret)
		putchar('\n');
	if (ret || fflush(stdout))
		return msg_error("standard output: %s", strerror(errno));
	return 0;
}
