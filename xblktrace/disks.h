/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest's disks, as this domain's own side of XenStore describes them. */
#ifndef XBLKTRACE_DISKS_H
#define XBLKTRACE_DISKS_H

#include <stdbool.h>

#include "domains.h"

/**
 * disks_find - find the disks that blkback serves to a domain
 * @wanted:	-D arguments
 * @used:	for each of them, set to true once it named a disk
 *
 * Only nodes that this domain wrote are believed: the guest can write to its
 * own side.  Disks that cannot be traced are left out with a word about why.
 *
 * Return: how many of its disks are asked for, traceable or not, or -1 after an
 * error message.
 */
int disks_find(struct xenrelay_reader *reader, struct domain *domain,
	       struct backing_table *backing, const char **wanted, unsigned int nr_wanted,
	       bool *used);

#endif /* XBLKTRACE_DISKS_H */
