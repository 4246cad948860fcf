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

#define STATE_CONNECTED 4 /* XenbusStateConnected */

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

static bool is_wanted(const struct domain *domain, const struct disk *disk,
		      const char **wanted, unsigned int nr, bool *used)
{
	bool any = !nr;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (names(wanted[i], domain, disk)) {
			used[i] = true;
			any = true;
		}
	}
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

static int find_blkback(struct xs_handle *xs, unsigned int own, struct domain *domain,
			struct backing_table *backing, const char **wanted,
			unsigned int nr_wanted, bool *used)
{
	unsigned int i, nr;
	char **nodes;
	int ret = 0;

	nodes = store_list(xs, &nr, "/local/domain/%u/backend/vbd/%u", own,
			   domain->domid);
	for (i = 0; !ret && i < nr; i++) {
		struct disk disk = {0};
		char dir[128];
		const char *why;

		if (!parse_uint(nodes[i], 0, UINT32_MAX, &disk.devid))
			continue;
		snprintf(dir, sizeof(dir), "/local/domain/%u/backend/vbd/%u/%u", own,
			 domain->domid, disk.devid);
		read_names(xs, dir, &disk);
		if (!is_wanted(domain, &disk, wanted, nr_wanted, used))
			continue;
		why = find_backing(xs, dir, &disk, backing);
		if (why)
			say_untraced(domain, &disk, why);
		else
			ret = add_disk(domain, &disk);
	}
	free(nodes);
	return ret;
}

/* Disks whose requests never pass this domain's blkback. */
static void report_others(struct xs_handle *xs, unsigned int own, struct domain *domain,
			  const char **wanted, unsigned int nr_wanted, bool *used)
{
	static const char *const kinds[] = {"qdisk", "tap", "vbd3"};
	unsigned int i, k, nr, backend;
	struct disk disk = {0};
	char dir[128], why[128];
	char **nodes;

	for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		nodes = store_list(xs, &nr, "/local/domain/%u/backend/%s/%u", own,
				   kinds[k], domain->domid);
		for (i = 0; i < nr; i++) {
			if (!parse_uint(nodes[i], 0, UINT32_MAX, &disk.devid))
				continue;
			snprintf(dir, sizeof(dir), "/local/domain/%u/backend/%s/%u/%u",
				 own, kinds[k], domain->domid, disk.devid);
			read_names(xs, dir, &disk);
			if (is_wanted(domain, &disk, wanted, nr_wanted, used))
				say_untraced(
					domain, &disk,
					"served by a process (QEMU or tapdisk), not by "
					"blkback; give the guest a phy: disk");
		}
		free(nodes);
	}

	/* The guest's own words, good enough for a hint. */
	nodes = store_list(xs, &nr, "/local/domain/%u/device/vbd", domain->domid);
	for (i = 0; i < nr && i < 256; i++) {
		if (!parse_uint(nodes[i], 0, UINT32_MAX, &disk.devid) ||
		    !store_read_uint(xs, &backend,
				     "/local/domain/%u/device/vbd/%u/backend-id",
				     domain->domid, disk.devid) ||
		    backend == own)
			continue;
		snprintf(disk.name, sizeof(disk.name), "%u", disk.devid);
		if (!is_wanted(domain, &disk, wanted, nr_wanted, used))
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
	struct xs_handle *xs = xenrelay_xenstore(reader);
	unsigned int own = xenrelay_own_domid(reader);

	if (find_blkback(xs, own, domain, backing, wanted, nr_wanted, used))
		return -1;
	report_others(xs, own, domain, wanted, nr_wanted, used);
	return 0;
}
