// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

#include "disks.h"
#include "msg.h"
#include "parse.h"
#include "store.h"
#include "xenrelay-reader.h"

#define MAX_HINTS	64 /* a guest may list any number of disks */
#define STATE_CONNECTED 4  /* XenbusStateConnected */

/* "[DOMAIN:]DISK" names this disk of this domain. */
static bool names(const char *wanted, const struct domain *domain,
		  const struct disk *disk)
{
	const char *colon = strrchr(wanted, ':');
	unsigned int number;

	if (colon) {
		char name[sizeof(domain->name)];

		snprintf(name, sizeof(name), "%.*s", (int)(colon - wanted), wanted);
		if (strcmp(name, domain->name) &&
		    (!parse_uint(name, 0, UINT32_MAX, &number) ||
		     number != domain->domid))
			return false;
		wanted = colon + 1;
	}
	return !strcmp(wanted, disk->name) ||
	       (parse_uint(wanted, 0, UINT32_MAX, &number) && number == disk->devid);
}

/* What is looked for and found. */
struct search {
	struct xs_handle *xs;
	unsigned int own;
	struct domain *domain;
	struct backing_table *backing;
	const char **wanted;
	unsigned int nr_wanted;
	bool *used;
	int asked_for; /* disks that were, traceable or not */
};

static bool is_wanted(struct search *search, const struct disk *disk)
{
	bool any = !search->nr_wanted;
	unsigned int i;

	for (i = 0; i < search->nr_wanted; i++) {
		if (names(search->wanted[i], search->domain, disk)) {
			search->used[i] = true;
			any = true;
		}
	}
	search->asked_for += any;
	return any;
}

static void say_untraced(const struct domain *domain, const struct disk *disk,
			 const char *why)
{
	msg_say("domain %u (%s), disk %s: %s: not traced", domain->domid, domain->name,
		disk->name, why);
}

static void read_text(struct xs_handle *xs, const char *dir, const char *node, char *to,
		      size_t size)
{
	char *s = store_read(xs, "%s/%s", dir, node);

	snprintf(to, size, "%s", s ? s : "");
	free(s);
}

static void read_names(struct xs_handle *xs, const char *dir, struct disk *disk)
{
	read_text(xs, dir, "dev", disk->name, sizeof(disk->name));
	if (!*disk->name)
		snprintf(disk->name, sizeof(disk->name), "%u", disk->devid);
	read_text(xs, dir, "params", disk->params, sizeof(disk->params));
}

/* Return: NULL, or why the disk cannot be traced. */
static const char *find_backing(struct xs_handle *xs, const char *dir, struct disk *disk,
				struct backing_table *backing)
{
	unsigned int state;
	char device[32];
	int end = 0;

	read_text(xs, dir, "physical-device", device, sizeof(device));
	if (sscanf(device, "%x:%x%n", &disk->major, &disk->minor, &end) != 2 ||
	    device[end])
		return "it has no device in this domain yet";
	if (!store_read_uint(xs, &state, "%s/state", dir) || state != STATE_CONNECTED)
		return "the guest is not connected to it";
	disk->backing = backing_add(backing, "/sys", disk->major, disk->minor,
				    &disk->start_sector);
	if (disk->backing == -ENODEV)
		return "this kernel does not know its device";
	return disk->backing < 0 ? strerror(-disk->backing) : NULL;
}

static int add_disk(struct domain *domain, const struct disk *disk)
{
	struct disk *disks;

	disks = reallocarray(domain->disks, domain->nr_disks + 1, sizeof(*disks));
	if (!disks)
		return msg_error("out of memory");
	disks[domain->nr_disks++] = *disk;
	domain->disks = disks;
	return 0;
}

static int find_blkback(struct search *search)
{
	struct domain *domain = search->domain;
	unsigned int i, nr;
	char **nodes;
	int ret = 0;

	nodes = store_list(search->xs, &nr, "/local/domain/%u/backend/vbd/%u",
			   search->own, domain->domid);
	for (i = 0; !ret && i < nr; i++) {
		struct disk disk = {0};
		char dir[128];
		const char *why;

		if (!parse_uint(nodes[i], 0, UINT32_MAX, &disk.devid))
			continue;
		snprintf(dir, sizeof(dir), "/local/domain/%u/backend/vbd/%u/%u",
			 search->own, domain->domid, disk.devid);
		read_names(search->xs, dir, &disk);
		if (!is_wanted(search, &disk))
			continue;
		why = find_backing(search->xs, dir, &disk, search->backing);
		if (why)
			say_untraced(domain, &disk, why);
		else
			ret = add_disk(domain, &disk);
	}
	free(nodes);
	return ret;
}

/* Disks that a process of this domain serves: their requests never pass blkback. */
static void report_processes(struct search *search, const char *kind)
{
	const struct domain *domain = search->domain;
	struct disk disk = {0};
	unsigned int i, nr;
	char dir[128];
	char **nodes;

	nodes = store_list(search->xs, &nr, "/local/domain/%u/backend/%s/%u", search->own,
			   kind, domain->domid);
	for (i = 0; i < nr; i++) {
		if (!parse_uint(nodes[i], 0, UINT32_MAX, &disk.devid))
			continue;
		snprintf(dir, sizeof(dir), "/local/domain/%u/backend/%s/%u/%u",
			 search->own, kind, domain->domid, disk.devid);
		read_names(search->xs, dir, &disk);
		if (is_wanted(search, &disk))
			say_untraced(
				domain, &disk,
				"served by a process (QEMU or tapdisk), not by blkback; "
				"give the guest a phy: disk");
	}
	free(nodes);
}

/* Disks of other domains: the guest's own words, good enough for a hint. */
static void report_elsewhere(struct search *search)
{
	const struct domain *domain = search->domain;
	struct disk disk = {0};
	unsigned int i, nr, backend;
	char **nodes;

	nodes = store_list(search->xs, &nr, "/local/domain/%u/device/vbd", domain->domid);
	for (i = 0; i < nr && i < MAX_HINTS; i++) {
		char why[64];

		if (!parse_uint(nodes[i], 0, UINT32_MAX, &disk.devid) ||
		    !store_read_uint(search->xs, &backend,
				     "/local/domain/%u/device/vbd/%u/backend-id",
				     domain->domid, disk.devid) ||
		    backend == search->own)
			continue;
		snprintf(disk.name, sizeof(disk.name), "%u", disk.devid);
		if (!is_wanted(search, &disk))
			continue;
		snprintf(why, sizeof(why), "served by domain %u; run xblktrace there",
			 backend);
		say_untraced(domain, &disk, why);
	}
	free(nodes);
}

int disks_find(struct xenrelay_reader *reader, struct domain *domain,
	       struct backing_table *backing, const char **wanted, unsigned int nr_wanted,
	       bool *used)
{
	struct search search = {
		.xs = xenrelay_xenstore(reader),
		.own = xenrelay_own_domid(reader),
		.domain = domain,
		.backing = backing,
		.wanted = wanted,
		.nr_wanted = nr_wanted,
		.used = used,
	};

	if (find_blkback(&search))
		return -1;
	report_processes(&search, "qdisk");
	report_processes(&search, "vbd3"); /* tapdisk under XAPI */
	report_elsewhere(&search);
	return search.asked_for;
}
