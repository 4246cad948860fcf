/* SPDX-License-Identifier: GPL-2.0-only */
/* Which guests, and which of their disks, are to be traced. */
#ifndef XBLKTRACE_DOMAINS_H
#define XBLKTRACE_DOMAINS_H

#include <stdbool.h>
#include <stdint.h>

#include "backing.h"
#include "options.h"

struct xenrelay_reader;

#define MAX_DOMAINS 1024 /* of one capture, which xblkparse knows, too */

/**
 * struct disk - a guest's disk that blkback serves from this domain
 * @devid:	XenStore's number of it, as 51712
 * @name:	the name the guest was told to use, as "xvda"
 * @params:	what the toolstack says it is, as "/dev/vg/guest1"
 * @major, @minor: the block device in this domain
 * @backing:	index into the backing table
 * @start_sector: added to a guest's sector to get that of the backing device
 * @instance:	another disk that is attached as @devid later has another number
 * @gone:	it was detached; its index is not given to another
 * @left_out:	it came when as many were traced as can be
 */
struct disk {
	unsigned int devid;
	char name[32];
	char params[256];
	unsigned int major, minor;
	int backing;
	uint64_t start_sector;
	uint64_t instance;
	bool gone;
	bool left_out;
};

/**
 * struct domain - a guest to be traced
 * @name, @uuid: "" if unknown
 * @named:	asked for itself, not as one of "all"
 * @disks:	all that it has had in this capture: an index is a record's disk
 */
struct domain {
	unsigned int domid;
	char name[64];
	char uuid[40];
	bool named;
	struct disk *disks;
	unsigned int nr_disks;
};

/**
 * domains_select - find the domains and disks that the options ask for
 * @domains:	an array of MAX_DOMAINS, free with domains_free()
 * @nr:		how many are in it, not 0 unless the user will wait for some
 *
 * A guest that is named must be traceable, unless the user will wait for it; of
 * "all", those that are not are left out with a word about why.
 *
 * Return: 0, or -1 after an error message.
 */
int domains_select(struct xenrelay_reader *reader, const struct options *opts,
		   struct backing_table *backing, struct domain **domains,
		   unsigned int *nr);

/**
 * domains_add_new - look for domains that the options ask for and that came since
 * @domains, @nr: as domains_select() left them; those that can be traced are added
 *
 * Others are left out without a word: their tracer or disks may be about to come.
 * A number that a former domain of the capture had is not looked at again.
 *
 * Return: 0, or -1 after an error message.
 */
int domains_add_new(struct xenrelay_reader *reader, const struct options *opts,
		    struct backing_table *backing, struct domain *domains,
		    unsigned int *nr);

/*
 * Whether the guest's tracer is loaded.  Return: 1 if so, 0 if not, negative errno if
 * this domain cannot tell.
 */
int domain_offers_channel(struct xenrelay_reader *reader, unsigned int domid);

void domains_free(struct domain *domains, unsigned int nr);

#endif /* XBLKTRACE_DOMAINS_H */
