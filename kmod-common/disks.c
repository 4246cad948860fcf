// SPDX-License-Identifier: GPL-2.0-only
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include "disks.h"

#define ROOM_SHIFT  2 /* times 4 as many entries: a bucket with no free one is rare */
#define MIN_BUCKETS 32U

/**
 * xblk_disks_alloc() - an empty table
 * @nr:		disks that it is for; it holds more, and is slower then
 *
 * Context: process, may sleep.  Return: it, to be freed with kvfree(), or NULL.
 */
struct xblk_disks *xblk_disks_alloc(unsigned int nr)
{
	unsigned int full =
		max_t(unsigned int, nr / XBLK_DISKS_BUCKET, MIN_BUCKETS >> ROOM_SHIFT);
	unsigned int buckets = roundup_pow_of_two(full << ROOM_SHIFT);
	struct xblk_disks *disks;

	disks = kvzalloc(struct_size(disks, buckets, buckets), GFP_KERNEL);
	if (disks)
		disks->bits = ilog2(buckets);
	return disks;
}

/*
 * Put it into this bucket: into a free entry or, if @evict, in the place of a disk that
 * is ignored, which is looked at once more when its next event comes.
 */
static bool put(u64 *bucket, u64 new, bool evict)
{
	unsigned int i = 0;

	while (i < XBLK_DISKS_BUCKET) {
		u64 old = READ_ONCE(bucket[i]);

		if (!((old ^ new) & XBLK_DISKS_KEY))
			return true;
		if (!old || (evict && xblk_disks_index(old) == XBLK_DISK_IGNORED)) {
			if (cmpxchg(&bucket[i], old, new) == old)
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
 * @key:	what the disk is known by, not 0
 * @index:	its index, or XBLK_DISK_IGNORED
 *
 * May run on several CPUs at once; a disk that is there already stays as it is.
 *
 * Any context but NMI.  Return: false if there is no room.
 */
bool xblk_disks_add(struct xblk_disks *disks, u64 key, u16 index)
{
	unsigned int mask = (1U << disks->bits) - 1;
	u64 new = (u64)index << 48 | (key & XBLK_DISKS_KEY);
	unsigned int bucket = hash_64(key, disks->bits), left;

	for (left = mask + 1; left; left--, bucket = (bucket + 1) & mask)
		if (put(disks->buckets[bucket], new, false) ||
		    put(disks->buckets[bucket], new, true))
			return true;
	return false;
}
