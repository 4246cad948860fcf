// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which guests there are, what serves their disks, and what of them could be seen.
 *
 * Of each guest so many nodes are read, so that the whole is in proportion to the guests
 * and their disks; of what a guest itself wrote no more than a bounded number.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disks.h"
#include "list.h"
#include "msg.h"
#include "store.h"
#include "xblk/control.h"
#include "xblk/guest.h"
#include "xenrelay-reader.h"

#define MAX_KINDS 8

/**
 * struct look - a list that is being read
 * @kinds:	of disks' backends that there are in this domain, @nr_kinds of them
 * @guest:	the one that is looked at
 */
struct look {
	struct xenrelay_reader *reader;
	struct list *list;
	const char *kinds[MAX_KINDS];
	unsigned int nr_kinds;
	struct list_guest *guest;
};

/* What of a disk of blkback's is seen, by what the guest has of the tracer. */
static const struct list_seen seen_by_tracer[] = {
	[LIST_TRACER_READY] = {.guest = true, .backend = true},
	[LIST_TRACER_NONE] = {.why = "no xblk-guest in the guest"},
	[LIST_TRACER_FOREIGN] = {.why = "its xblk-guest speaks no protocol known here"},
	[LIST_TRACER_NONSENSE] = {.why = "its xblk-guest tells no protocol"},
	[LIST_TRACER_CLOSED] = {.why = "its channels are closed to this domain: run "
				       "'xblk-allow' in domain 0"},
	[LIST_TRACER_UNKNOWN] = {.why = "XenStore does not tell of xblk-guest"},
};

/* Of other disks nothing is, whatever the guest has. */
static void say_nothing_seen(struct list_disk *disk, const char *why)
{
	disk->seen = (struct list_seen){0};
	snprintf(disk->seen.why, sizeof(disk->seen.why), "%s", why);
}

const char *list_state_name(unsigned int state)
{
	static const char *const names[] = {
		NULL,	   "initialising", "waiting",	    "initialised",  "connected",
		"closing", "closed",	   "reconfiguring", "reconfigured",
	};

	return state < sizeof(names) / sizeof(*names) ? names[state] : NULL;
}

static unsigned int read_state(struct look *look, const char *dir)
{
	unsigned int state;

	return store_read_uint(look->reader, &state, "%s/state", dir) ? state : 0;
}

static char read_mode(struct look *look, const char *dir)
{
	char *s = store_read(look->reader, "%s/mode", dir);
	char mode = s && (*s == 'r' || *s == 'w') ? *s : 0;

	free(s);
	return mode;
}

static bool is_listed(const struct list_guest *guest, unsigned int devid)
{
	unsigned int i;

	for (i = 0; i < guest->nr_disks; i++)
		if (guest->disks[i].disk.devid == devid)
			return true;
	return false;
}

/* What is told of a disk wherever it is.  Return: NULL after an error message. */
static struct list_disk *add_disk(struct look *look, const struct disk_place *place)
{
	struct list_guest *guest = look->guest;
	struct list_disk *disks, *disk;
	char frontend[128];

	disks = reallocarray(guest->disks, guest->nr_disks + 1, sizeof(*disks));
	if (!disks) {
		msg_error("out of memory");
		return NULL;
	}
	guest->disks = disks;
	disk = &disks[guest->nr_disks++];
	*disk = (struct list_disk){.kind = place->kind, .backend = place->backend};
	disk_read_names(look->reader, place, &disk->disk);
	disk->mode = read_mode(look, place->dir);
	disk->state = read_state(look, place->dir);
	snprintf(frontend, sizeof(frontend), "/local/domain/%u/device/vbd/%u",
		 guest->domain.domid, place->devid);
	disk->guest_state = read_state(look, frontend);
	return disk;
}

static void look_at_device(struct look *look, const struct disk_place *place,
			   struct list_disk *disk)
{
	struct backing_table backing = {0};
	const char *why;

	why = disk_find_backing(look->reader, &backing, place, &disk->disk);
	if (disk->disk.major || disk->disk.minor)
		backing_describe("/sys", disk->disk.major, disk->disk.minor, &disk->on);
	if (why)
		say_nothing_seen(disk, why);
	else
		disk->seen = seen_by_tracer[look->guest->tracer];
	backing_free(&backing);
}

static int add_here(const struct disk_place *place, void *arg)
{
	struct look *look = arg;
	struct list_disk *disk = add_disk(look, place);

	if (!disk)
		return -1;
	if (strcmp(place->kind, DISK_KIND_KERNEL))
		say_nothing_seen(disk, "served by a process");
	else
		look_at_device(look, place, disk);
	return 0;
}

/* What serves it the guest does not say; its domain does. */
static bool find_kind(struct look *look, struct disk_place *place, const char *kind)
{
	disk_set_place(place, kind, place->backend, look->guest->domain.domid);
	return read_state(look, place->dir);
}

static int add_elsewhere(const struct disk_place *from, void *arg)
{
	struct look *look = arg;
	const char *const *kind = disk_process_kinds;
	struct disk_place place = *from;
	struct list_disk *disk;
	bool found;

	/* Of one that is served here the guest's word is not needed. */
	if (is_listed(look->guest, place.devid))
		return 0;
	found = find_kind(look, &place, DISK_KIND_KERNEL);
	for (; !found && *kind; kind++)
		found = find_kind(look, &place, *kind);
	disk = add_disk(look, &place);
	if (!disk)
		return -1;
	if (!found)
		disk->kind = NULL;
	say_nothing_seen(disk, "");
	snprintf(disk->seen.why, sizeof(disk->seen.why), "served by domain %u",
		 place.backend);
	return 0;
}

static void look_at_tracer(struct look *look)
{
	struct list_guest *guest = look->guest;
	int offers = domain_offers_channel(look->reader, guest->domain.domid);

	if (offers <= 0) {
		guest->tracer = !offers		    ? LIST_TRACER_NONE
				: offers == -EACCES ? LIST_TRACER_CLOSED
						    : LIST_TRACER_UNKNOWN;
		return;
	}
	switch (xenrelay_get_versions(look->reader, guest->domain.domid,
				      XBLK_GUEST_CHANNEL, &guest->oldest,
				      &guest->newest)) {
	case 0:
		guest->tracer = LIST_TRACER_READY;
		break;
	case -EPROTONOSUPPORT:
		guest->tracer = LIST_TRACER_FOREIGN;
		break;
	case -EPROTO:
	case -ENOENT:
		guest->tracer = LIST_TRACER_NONSENSE;
		break;
	default:
		guest->tracer = LIST_TRACER_UNKNOWN;
	}
}

static int by_devid(const void *a, const void *b)
{
	const struct list_disk *x = a, *y = b;

	return (x->disk.devid > y->disk.devid) - (x->disk.devid < y->disk.devid);
}

static int by_domid(const void *a, const void *b)
{
	const struct list_guest *x = a, *y = b;

	return (x->domain.domid > y->domain.domid) - (x->domain.domid < y->domain.domid);
}

/* Return: 0, or -1 after an error message. */
static int look_at_guest(struct look *look)
{
	struct list_guest *guest = look->guest;
	unsigned int i;
	int ret = 0;

	domain_read_names(look->reader, &guest->domain);
	look_at_tracer(look);
	for (i = 0; !ret && i < look->nr_kinds; i++)
		ret = disks_visit(look->reader, guest->domain.domid, look->kinds[i],
				  add_here, look);
	if (!ret)
		ret = disks_visit_elsewhere(look->reader, guest->domain.domid,
					    add_elsewhere, look);
	if (guest->nr_disks)
		qsort(guest->disks, guest->nr_disks, sizeof(*guest->disks), by_devid);
	return ret;
}

/* It went meanwhile, or was gone and something of it was left. */
static bool is_gone(struct look *look)
{
	const struct list_guest *guest = look->guest;

	/* One that is closed to this domain cannot be asked for, but has disks here. */
	return guest->tracer == LIST_TRACER_CLOSED
		       ? !guest->nr_disks
		       : !xenrelay_domain_exists(look->reader, guest->domain.domid);
}

/* Return: the domains in an array to be freed, or -1 after an error message. */
static int list_domains(struct look *look, unsigned int **domids)
{
	int nr = xenrelay_list_domains(look->reader, domids);

	return nr < 0 ? msg_error("%s", xenrelay_strerror(look->reader)) : nr;
}

static int look_at_all(struct look *look, const unsigned int *domids, unsigned int nr)
{
	struct list *list = look->list;
	unsigned int i;

	list->guests = calloc(nr + 1, sizeof(*list->guests));
	if (!list->guests)
		return msg_error("out of memory");
	for (i = 0; i < nr; i++) {
		struct list_guest *guest = &list->guests[list->nr];

		*guest = (struct list_guest){.domain = {.domid = domids[i]}};
		look->guest = guest;
		list->nr++;
		if (look_at_guest(look))
			return -1;
		if (!is_gone(look))
			continue;
		free(guest->disks);
		list->nr--;
	}
	if (list->nr)
		qsort(list->guests, list->nr, sizeof(*list->guests), by_domid);
	return 0;
}

static void find_kinds(struct look *look)
{
	unsigned int i, nr;
	const char *const *kind;
	char **nodes = store_list(look->reader, &nr, "/local/domain/%u/backend",
				  look->list->own);

	for (i = 0; i < nr && look->nr_kinds < MAX_KINDS; i++) {
		if (!strcmp(nodes[i], DISK_KIND_KERNEL))
			look->kinds[look->nr_kinds++] = DISK_KIND_KERNEL;
		for (kind = disk_process_kinds; *kind; kind++)
			if (!strcmp(nodes[i], *kind))
				look->kinds[look->nr_kinds++] = *kind;
	}
	free(nodes);
}

int list_read(struct list *list, struct xenrelay_reader *reader)
{
	struct look look = {.reader = reader, .list = list};
	unsigned int *domids;
	int ret, nr;

	list->own = xenrelay_own_domid(reader);
	list->dom0_loaded = !access("/dev/" XBLK_CONTROL_DEVICE, F_OK);
	nr = list_domains(&look, &domids);
	if (nr < 0)
		return -1;
	find_kinds(&look);
	ret = look_at_all(&look, domids, nr);
	free(domids);
	if (ret)
		return ret;
	/* A XenStore that has gone looks like one in which there is nothing. */
	nr = list_domains(&look, &domids);
	free(domids);
	return nr < 0 ? -1 : 0;
}

void list_free(struct list *list)
{
	unsigned int i;

	for (i = 0; i < list->nr; i++)
		free(list->guests[i].disks);
	free(list->guests);
	*list = (struct list){0};
}
