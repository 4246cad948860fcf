// SPDX-License-Identifier: GPL-2.0-only
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include "disks.h"

#define ROOM	    4 /* entries for each disk: a run with no free one is rare */
#define MIN_ENTRIES 256U

/**
 * xblk_disks_alloc() - an empty table
 * @nr:		disks that it is for; it holds more, and is slower then
 *
 * Context: process, may sleep.  Return: it, to be freed with kvfree(), or NULL.
 */
struct xblk_disks *xblk_disks_alloc(unsigned int nr)
{
	size_t n = roundup_pow_of_two(max(nr * ROOM, MIN_ENTRIES));
	struct xblk_disks *disks;

	disks = kvzalloc(struct_size(disks, entries, n), GFP_KERNEL);
	if (disks)
		disks->mask = n - 1;
	return disks;
}

/* In the place of a table when there is none: before, behind, or a probe that stays. */
static struct xblk_disks none = {.entries = {0}};
struct xblk_disks __rcu *xblk_disks_traced = RCU_INITIALIZER(&none);

/**
 * xblk_disks_trace() - the disks that xblk_disk_index() knows
 * @disks:	the table; NULL: it knows none
 *
 * The one before may be looked into until synchronize_rcu() has returned.
 *
 * Any context.
 */
void xblk_disks_trace(struct xblk_disks *disks)
{
	rcu_assign_pointer(xblk_disks_traced, disks ?: &none);
}

/* Where something else is in its place.  Not inlined: few disks are found so. */
int xblk_disks_find_on(const struct xblk_disks *disks, u64 key)
{
	u64 left, place = key;

	for (left = disks->mask; left; left--) {
		u64 entry = READ_ONCE(disks->entries[++place & disks->mask]);

		if (xblk_disks_key(entry) == key)
			return xblk_disks_index(entry);
		if (!entry)
			break;
	}
	return -1;
}

/* Of a disk that is not in its place, or not there.  Not inlined, for the same reason. */
unsigned long xblk_disks_look_on(const struct xblk_disks *disks, struct gendisk *disk)
{
	int index = xblk_disks_find(disks, disk->diskseq);

	if (index >= 0)
		return index;
	return disks->meet ? disks->meet(disk) : XBLK_DISK_IGNORED;
}
XBLK_RARE(xblk_disks_look_on);

/*
 * Put it into the run of entries that begins there: into a free one or, if @evict, in the
 * place of a disk that is ignored, which is looked at once more when its next event comes.
 */
static bool put(struct xblk_disks *disks, u64 place, u64 new, bool evict)
{
	unsigned int i = 0;

	while (i < XBLK_DISKS_RUN) {
		u64 *entry = &disks->entries[(place + i) & disks->mask];
		u64 old = READ_ONCE(*entry);

		if (xblk_disks_key(old) == xblk_disks_key(new))
			return true;
		if (!old || (evict && xblk_disks_index(old) == XBLK_DISK_IGNORED)) {
			if (cmpxchg(entry, old, new) == old)
				return true;
			continue; /* Another CPU was first; maybe with the same disk. */
		}
		i++;
	}
	return false;
}

/**
 * xblk_disks_add() - put a disk into a table
 * @disks:	the table, in which disks may be looked up at the same time
 * @key:	what the disk is known by, 48 bits, not 0
 * @index:	its index, or XBLK_DISK_IGNORED
 *
 * May run on several CPUs at once; a disk that is there already stays as it is.
 *
 * Any context but NMI.  Return: false if there is no room.
 */
bool xblk_disks_add(struct xblk_disks *disks, u64 key, u16 index)
{
	u64 left, place = key, new = key << 16 | index;

	for (left = (disks->mask + 1) / XBLK_DISKS_RUN; left; left--) {
		if (put(disks, place, new, false) || put(disks, place, new, true))
			return true;
		place += XBLK_DISKS_RUN;
	}
	return false;
}
