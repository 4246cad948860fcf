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

/**
 * disks_find - find the disks that blkback serves to a domain
 * @used:	for each argument of -D, set to true once it named a disk; NULL in a
 *		capture that runs: nothing is said then, and what is too many
 *		is marked as left out
 *
 * Only nodes that this domain wrote are believed: the guest can write to its
 * own side.  Disks that cannot be traced are left out with a word about why.
 *
 * Return: how many of its disks are asked for, traceable or not, or -1 after an
 * error message.
 */
int disks_find(struct xenrelay_reader *reader, struct domain *domain,
	       struct backing_table *backing, const struct options *opts, bool *used);

/* Name those of @first on that are left out. */
void disks_say_left_out(const struct domain *domain, unsigned int first);

/**
 * disks_update - find those that have come and gone since
 *
 * What is new gets an index of its own, though it has the number of a former disk;
 * that one, and what is no longer there, is marked as gone.  When XBLK_MAX_DISKS have
 * been given, what came first of those that are gone gives its index.
 *
 * Return: how many that are traced have come and gone, or -1 after an error message.
 */
int disks_update(struct xenrelay_reader *reader, struct domain *domain,
		 struct backing_table *backing, const struct options *opts);

#endif /* XBLKTRACE_DISKS_H */
