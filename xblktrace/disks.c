// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "disks.h"
#include "msg.h"
#include "number.h"
#include "store.h"
#include "xblk/control.h"
#include "xenrelay-reader.h"

#define BACKEND_DEVICES "/sys/bus/xen-backend/devices"
#define MAX_HINTS	64 /* a guest may list any number of disks */
#define STATE_CONNECTED 4  /* XenbusStateConnected */

const char *const disk_process_kinds[] = {
	"qdisk", /* QEMU */
	"vbd3",	 /* tapdisk under XAPI */
	NULL,
};

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
		    (number_uint(name, 0, UINT32_MAX, &number) ||
		     number != domain->domid))
			return false;
		wanted = colon + 1;
	}
	return !strcmp(wanted, disk->name) ||
	       (!number_uint(wanted, 0, UINT32_MAX, &number) && number == disk->devid);
}

bool disk_is_asked_for(const struct options *opts, const struct domain *domain,
		       const struct disk *disk)
{
	bool any = !opts->nr_disks;
	unsigned int i;

	for (i = 0; !any && i < opts->nr_disks; i++)
		any = names(opts->disks[i], domain, disk);
	return any;
}

/* What is looked for and found. */
struct search {
	struct xenrelay_reader *reader;
	struct domain *domain;
	struct backing_table *backing;
	const struct options *opts;
	const struct patience *patience;
	bool *used;    /* NULL: say nothing */
	int asked_for; /* disks that were, traceable or not */
};

static bool is_given_up(const struct search *search)
{
	return search->patience && search->patience->ends(search->patience->arg);
}

static bool is_wanted(struct search *search, const struct disk *disk)
{
	bool any = !search->opts->nr_disks;
	unsigned int i;

	for (i = 0; i < search->opts->nr_disks; i++) {
		if (names(search->opts->disks[i], search->domain, disk)) {
			if (search->used)
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

static void read_text(struct xenrelay_reader *reader, const char *dir, const char *node,
		      char *to, size_t size)
{
	char *s = store_read(reader, "%s/%s", dir, node);

	snprintf(to, size, "%s", s ? s : "");
	free(s);
}

void disk_read_names(struct xenrelay_reader *reader, const struct disk_place *place,
		     struct disk *disk)
{
	disk->devid = place->devid;
	read_text(reader, place->dir, "dev", disk->name, sizeof(disk->name));
	if (!*disk->name)
		snprintf(disk->name, sizeof(disk->name), "%u", disk->devid);
	read_text(reader, place->dir, "params", disk->params, sizeof(disk->params));
}

const char *disk_find_backing(struct xenrelay_reader *reader,
			      struct backing_table *backing,
			      const struct disk_place *place, struct disk *disk)
{
	unsigned int state, nr_before = backing->nr;
	char device[32];
	int end = 0;

	read_text(reader, place->dir, "physical-device", device, sizeof(device));
	if (sscanf(device, "%x:%x%n", &disk->major, &disk->minor, &end) != 2 ||
	    device[end]) {
		disk->major = disk->minor = 0;
		return "it has no device in this domain yet";
	}
	if (!store_read_uint(reader, &state, "%s/state", place->dir) ||
	    state != STATE_CONNECTED)
		return "the guest is not connected to it";
	disk->backing = backing_add(backing, "/sys", disk->major, disk->minor,
				    &disk->start_sector);
	if (disk->backing == -ENODEV)
		return "this kernel does not know its device";
	if (backing->nr > XBLK_MAX_DISKS) {
		backing->nr = nr_before;
		disk->left_out = true;
		return NULL;
	}
	return disk->backing < 0 ? strerror(-disk->backing) : NULL;
}

void disk_set_place(struct disk_place *place, const char *kind, unsigned int backend,
		    unsigned int domid)
{
	place->kind = kind;
	place->backend = backend;
	snprintf(place->dir, sizeof(place->dir), "/local/domain/%u/backend/%s/%u/%u",
		 backend, kind, domid, place->devid);
}

int disks_visit(struct xenrelay_reader *reader, unsigned int domid, const char *kind,
		disk_visit *visit, void *arg)
{
	unsigned int i, nr, own = xenrelay_own_domid(reader);
	struct disk_place place;
	char **nodes;
	int ret = 0;

	nodes = store_list(reader, &nr, "/local/domain/%u/backend/%s/%u", own, kind,
			   domid);
	for (i = 0; !ret && i < nr; i++) {
		if (number_uint(nodes[i], 0, UINT32_MAX, &place.devid))
			continue;
		disk_set_place(&place, kind, own, domid);
		ret = visit(&place, arg);
	}
	free(nodes);
	return ret;
}

int disks_visit_elsewhere(struct xenrelay_reader *reader, unsigned int domid,
			  disk_visit *visit, void *arg)
{
	unsigned int i, nr, backend, own = xenrelay_own_domid(reader);
	struct disk_place place;
	char **nodes;
	int ret = 0;

	nodes = store_list(reader, &nr, "/local/domain/%u/device/vbd", domid);
	for (i = 0; !ret && i < nr && i < MAX_HINTS; i++) {
		if (number_uint(nodes[i], 0, UINT32_MAX, &place.devid) ||
		    !store_read_uint(reader, &backend,
				     "/local/domain/%u/device/vbd/%u/backend-id", domid,
				     place.devid) ||
		    backend == own)
			continue;
		disk_set_place(&place, DISK_KIND_KERNEL, backend, domid);
		ret = visit(&place, arg);
	}
	free(nodes);
	return ret;
}

/* The kernel never gives the directory of another device the same inode soon. */
static uint64_t find_instance(unsigned int domid, unsigned int devid)
{
	struct stat st;
	char path[96];

	snprintf(path, sizeof(path), BACKEND_DEVICES "/vbd-%u-%u", domid, devid);
	return stat(path, &st) ? 0 : st.st_ino;
}

/*
 * In place of one that has gone, in turn: of the one before nothing has been read for
 * long. Return: whether there is one.
 */
static bool add_in_place(struct domain *domain, const struct disk *disk)
{
	unsigned int i;

	for (i = 0; i < domain->nr_disks; i++) {
		struct disk *place = &domain->disks[domain->next_again];

		domain->next_again = (domain->next_again + 1) % domain->nr_disks;
		if (!place->gone)
			continue;
		*place = *disk;
		return true;
	}
	return false;
}

static int add_disk(struct domain *domain, const struct disk *disk)
{
	struct disk *disks;

	if (domain->nr_disks == XBLK_MAX_DISKS)
		return add_in_place(domain, disk)
			       ? 0
			       : msg_error("domain %u (%s), disk %s: left out: it has %d "
					   "others",
					   domain->domid, domain->name, disk->name,
					   XBLK_MAX_DISKS);
	disks = reallocarray(domain->disks, domain->nr_disks + 1, sizeof(*disks));
	if (!disks)
		return msg_error("out of memory");
	disks[domain->nr_disks++] = *disk;
	domain->disks = disks;
	return 0;
}

static int find_in_kernel(const struct disk_place *place, void *arg)
{
	struct search *search = arg;
	struct disk disk = {0};
	const char *why;

	if (is_given_up(search))
		return -1;
	disk_read_names(search->reader, place, &disk);
	if (!is_wanted(search, &disk))
		return 0;
	why = disk_find_backing(search->reader, search->backing, place, &disk);
	disk.instance = find_instance(search->domain->domid, disk.devid);
	if (!why)
		return add_disk(search->domain, &disk);
	if (search->used)
		say_untraced(search->domain, &disk, why);
	return 0;
}

/* Disks that a process of this domain serves: their requests never pass blkback. */
static int report_process(const struct disk_place *place, void *arg)
{
	struct search *search = arg;
	struct disk disk = {0};

	disk_read_names(search->reader, place, &disk);
	if (is_wanted(search, &disk))
		say_untraced(search->domain, &disk,
			     "served by a process (QEMU or tapdisk), not by blkback; "
			     "give the guest a phy: disk");
	return 0;
}

static void say_elsewhere(struct search *search, const struct disk *disk,
			  unsigned int backend)
{
	char *name = store_read(search->reader, "/local/domain/%u/name", backend);
	char why[256];

	snprintf(
		why, sizeof(why),
		"served by domain %u (%.64s): run 'xblk-allow %u %u' here, and xblktrace "
		"there",
		backend, name ? name : "", search->domain->domid, backend);
	free(name);
	say_untraced(search->domain, disk, why);
}

static int report_elsewhere(const struct disk_place *place, void *arg)
{
	struct search *search = arg;
	struct disk disk = {0};

	disk_read_names(search->reader, place, &disk);
	if (is_wanted(search, &disk))
		say_elsewhere(search, &disk, place->backend);
	return 0;
}

static void report_others(struct search *search)
{
	const char *const *kind;

	for (kind = disk_process_kinds; *kind; kind++)
		disks_visit(search->reader, search->domain->domid, *kind, report_process,
			    search);
	disks_visit_elsewhere(search->reader, search->domain->domid, report_elsewhere,
			      search);
}

int disks_find(struct xenrelay_reader *reader, struct domain *domain,
	       struct backing_table *backing, const struct options *opts, bool *used,
	       const struct patience *patience)
{
	struct search search = {
		.reader = reader,
		.domain = domain,
		.backing = backing,
		.opts = opts,
		.patience = patience,
		.used = used,
	};

	/* Perhaps before the last of them, or their list, was read. */
	if (disks_visit(reader, domain->domid, DISK_KIND_KERNEL, find_in_kernel,
			&search) ||
	    is_given_up(&search))
		return -1;
	if (used)
		report_others(&search);
	return search.asked_for;
}

static bool same_disk(const struct disk *a, const struct disk *b)
{
	return a->devid == b->devid && a->instance == b->instance &&
	       a->major == b->major && a->minor == b->minor &&
	       !strcmp(a->name, b->name) && !strcmp(a->params, b->params);
}

static bool has(const struct domain *domain, const struct disk *disk)
{
	unsigned int i;

	for (i = 0; i < domain->nr_disks; i++)
		if (!domain->disks[i].gone && same_disk(&domain->disks[i], disk))
			return true;
	return false;
}

/* A guest that shuts down, or suspends, lets go of its disks, which are still its. */
static bool is_gone(const struct domain *domain, const struct domain *now,
		    const struct disk *disk)
{
	return !disk->gone && !has(now, disk) &&
	       (!disk->instance ||
		find_instance(domain->domid, disk->devid) != disk->instance);
}

void disks_say_left_out(const struct domain *domain, unsigned int first)
{
	for (; first < domain->nr_disks; first++)
		if (domain->disks[first].left_out)
			say_untraced(domain, &domain->disks[first],
				     "as many are traced as can be");
}

static int mark_gone(struct domain *domain, const struct domain *now)
{
	unsigned int i;
	int changes = 0;

	for (i = 0; i < domain->nr_disks; i++) {
		struct disk *disk = &domain->disks[i];

		if (!is_gone(domain, now, disk))
			continue;
		disk->gone = true;
		if (disk->left_out)
			continue;
		changes++;
		msg_say("domain %u (%s), disk %s: detached", domain->domid, domain->name,
			disk->name);
	}
	return changes;
}

static unsigned int count_traced(const struct domain *domain)
{
	unsigned int i, nr = 0;

	for (i = 0; i < domain->nr_disks; i++)
		nr += !domain->disks[i].gone && !domain->disks[i].left_out;
	return nr;
}

static int add_new(struct domain *domain, const struct domain *now)
{
	unsigned int i, nr_before = domain->nr_disks;
	int changes = 0;

	for (i = 0; i < now->nr_disks; i++) {
		struct disk disk = now->disks[i];

		if (has(domain, &disk))
			continue;
		disk.left_out |= count_traced(domain) == MAX_GUEST_DISKS;
		if (add_disk(domain, &disk))
			return -1;
		if (disk.left_out)
			continue;
		changes++;
		msg_say("domain %u (%s), disk %s: attached: traced from now on",
			domain->domid, domain->name, disk.name);
	}
	disks_say_left_out(domain, nr_before);
	return changes;
}

int disks_update(struct xenrelay_reader *reader, struct domain *domain,
		 struct backing_table *backing, const struct options *opts,
		 const struct patience *patience)
{
	struct domain now = *domain;
	int came = -1, went = 0;

	now.disks = NULL;
	now.nr_disks = 0;
	if (disks_find(reader, &now, backing, opts, NULL, patience) >= 0) {
		went = mark_gone(domain, &now);
		came = add_new(domain, &now);
	}
	free(now.disks);
	return came < 0 ? -1 : came + went;
}
