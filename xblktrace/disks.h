/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest's disks, as this domain's own side of XenStore describes them. */
#ifndef XBLKTRACE_DISKS_H
#define XBLKTRACE_DISKS_H

#include <stdbool.h>

#include "domains.h"

/*
 * Of one guest at a time: so many that their XenStore numbers and indices, 15 characters
 * each, fit into what libxenrelay tells a guest.
 */
#define MAX_GUEST_DISKS 128

/* Whether -D names the disk, or nothing. */
bool disk_is_asked_for(const struct options *opts, const struct domain *domain,
		       const struct disk *disk);

#define DISK_KIND_KERNEL "vbd" /* blkback's */

/* Those of which processes serve disks; NULL behind the last one. */
extern const char *const disk_process_kinds[];

/**
 * struct disk_place - where XenStore has a disk's backend
 * @kind:	which one it is, as "vbd"
 * @backend:	the domain that serves it
 * @devid:	XenStore's number of the disk
 * @dir:	the backend's nodes
 */
struct disk_place {
	const char *kind;
	unsigned int backend;
	unsigned int devid;
	char dir[128];
};

/* That of the disk @place->devid of the guest @domid. */
void disk_set_place(struct disk_place *place, const char *kind, unsigned int backend,
		    unsigned int domid);

/* Return: 0 to go on, or else what the one that goes about returns. */
typedef int disk_visit(const struct disk_place *place, void *arg);

/*
 * Go about a guest's disks that a kind of backend serves here, or that other domains
 * serve: by the guest's own words, good enough for a hint, of its first 64 disks.
 */
int disks_visit(struct xenrelay_reader *reader, unsigned int domid, const char *kind,
		disk_visit *visit, void *arg);
int disks_visit_elsewhere(struct xenrelay_reader *reader, unsigned int domid,
			  disk_visit *visit, void *arg);

/* Its name, its number where it has none, and @params. */
void disk_read_names(struct xenrelay_reader *reader, const struct disk_place *place,
		     struct disk *disk);

/*
 * Where a disk of blkback's lies, 0:0 if nowhere; marked as left out if that makes more
 * than there can be in @backing.  Return: NULL, or why the disk cannot be traced.
 */
const char *disk_find_backing(struct xenrelay_reader *reader,
			      struct backing_table *backing,
			      const struct disk_place *place, struct disk *disk);

/**
 * struct patience - with a search that takes many requests to XenStore
 * @ends:	asked between them: whether the rest is not wanted any more
 */
struct patience {
	bool (*ends)(const void *arg);
	const void *arg;
};

/**
 * disks_find - find the disks that blkback serves to a domain
 * @used:	for each argument of -D, set to true once it named a disk; NULL in a
 *		capture that runs: nothing is said then, and what is too many
 *		is marked as left out
 * @patience:	NULL: without end
 *
 * Only nodes that this domain wrote are believed: the guest can write to its
 * own side.  Disks that cannot be traced are left out with a word about why.
 *
 * Return: how many of its disks are asked for, traceable or not, or -1 after an
 * error message, or without one when patience has ended.
 */
int disks_find(struct xenrelay_reader *reader, struct domain *domain,
	       struct backing_table *backing, const struct options *opts, bool *used,
	       const struct patience *patience);

/* Name those of @first on that are left out. */
void disks_say_left_out(const struct domain *domain, unsigned int first);

/**
 * disks_update - find those that have come and gone since
 *
 * What is new gets an index of its own, though it has the number of a former disk;
 * that one, and what is no longer there, is marked as gone.  When XBLK_MAX_DISKS have
 * been given, what came first of those that are gone gives its index.
 *
 * Return: how many that are traced have come and gone, or -1 as disks_find(); when
 * patience has ended nothing is changed.
 */
int disks_update(struct xenrelay_reader *reader, struct domain *domain,
		 struct backing_table *backing, const struct options *opts,
		 const struct patience *patience);

#endif /* XBLKTRACE_DISKS_H */
