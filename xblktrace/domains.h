/* SPDX-License-Identifier: GPL-2.0-only */
/* Which guests, and which of their disks, are to be traced. */
#ifndef XBLKTRACE_DOMAINS_H
#define XBLKTRACE_DOMAINS_H

#include <stdbool.h>
#include <stdint.h>

#include "backing.h"
#include "options.h"

struct patience;
struct xenrelay_reader;

#define MAX_DOMAINS 1024 /* at once, which xblkparse knows, too */

/**
 * struct disk - a guest's disk that blkback serves from this domain
 * @devid:	XenStore's number of it, as 51712
 * @name:	the name the guest was told to use, as "xvda"
 * @params:	what the toolstack says it is, as "/dev/vg/guest1"
 * @major, @minor: the block device in this domain
 * @backing:	index into the backing table
 * @start_sector: added to a guest's sector to get that of the backing device
 * @instance:	another disk that is attached as @devid later has another number
 * @gone:	it was detached; its index is given to another when all have been used
 * @left_out:	it came when as many were traced as can be
 * @told:	which traces have it, see &capture_facts.trace
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
	unsigned char told;
};

/**
 * struct domain - a guest to be traced
 * @name, @uuid: "" if unknown
 * @named:	asked for itself, not as one of "all"
 * @disks:	all that it has had in this capture, up to XBLK_MAX_DISKS: an index is a
 *		record's disk
 * @next_again:	which of them is the next whose index is given again, when it has gone
 */
struct domain {
	unsigned int domid;
	char name[64];
	char uuid[40];
	bool named;
	struct disk *disks;
	unsigned int nr_disks;
	unsigned int next_again;
};

/**
 * struct domain_table - the guests of a capture; all zero it is empty
 * @entries:	MAX_DOMAINS of them, which stay where they are
 * @nr:		those behind have never been used, and of those before are
 * @nr_vacant:	vacant
 * @by_domid:	index into @entries and 1; 0: that domain is not there
 * @left_out:	that there was no room for another one has been told
 */
struct domain_table {
	struct domain *entries;
	unsigned int nr;
	unsigned int nr_vacant;
	uint16_t by_domid[UINT16_MAX + 1];
	bool left_out;
};

/* NULL if it is not there. */
static inline struct domain *domains_find(const struct domain_table *table,
					  unsigned int domid)
{
	return domid <= UINT16_MAX && table->by_domid[domid]
		       ? &table->entries[table->by_domid[domid] - 1]
		       : NULL;
}

/**
 * domains_select - find the domains and disks that the options ask for
 * @table:	empty; there are some in it then, unless the user will wait for them; free
 *		with domains_free() in any case
 *
 * A guest that is named must be traceable, unless the user will wait for it; of
 * "all", those that are not are left out with a word about why.
 *
 * Return: 0, or -1 after an error message.
 */
int domains_select(struct xenrelay_reader *reader, const struct options *opts,
		   struct backing_table *backing, struct domain_table *table);

/**
 * domains_add - add a domain that may have come
 * @domid:	of one that is not in the table
 * @patience:	as of disks_find()
 *
 * If the options ask for it and it can be traced.  Otherwise it is left out without a
 * word: its tracer or disks may be about to come.  Only that the table is full is said,
 * once.
 *
 * Return: 1 if it was added, 0 if not, -1 as disks_find().
 */
int domains_add(struct xenrelay_reader *reader, const struct options *opts,
		struct backing_table *backing, struct domain_table *table,
		unsigned int domid, const struct patience *patience);

/* Its name and UUID. */
void domain_read_names(struct xenrelay_reader *reader, struct domain *domain);

/*
 * Whether the guest's tracer is loaded.  Return: 1 if so, 0 if not, negative errno if
 * this domain cannot tell.
 */
int domain_offers_channel(struct xenrelay_reader *reader, unsigned int domid);

/* It is no more: its place is another one's. */
void domains_remove(struct domain_table *table, struct domain *domain);

void domains_free(struct domain_table *table);

#endif /* XBLKTRACE_DOMAINS_H */
