/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The disks that are traced, and their indices in the records.
 *
 * A disk is known by its diskseq, which no other disk has had since the kernel was booted
 * (Linux 5.15, cf179948554a): a device number may be another disk's a moment later.
 */
#ifndef XBLK_DISKS_H
#define XBLK_DISKS_H

#include <linux/blkdev.h>
#include <linux/cache.h>
#include <linux/hash.h>
#include <linux/types.h>
#include "xblk/control.h"

#define XBLK_DISK_IGNORED 0xffff /* an index: known, and not traced */

#define XBLK_DISKS_BUCKET (64 / sizeof(u64)) /* entries that come with one cache line */
#define XBLK_DISKS_KEY	  ((1ULL << 48) - 1)

/**
 * struct xblk_disks - hash of disks
 * @bits:	the number of buckets is 2 to the power of it
 * @buckets:	entries of one word each, index << 48 | key, 0 if free
 *
 * A bucket is filled from the front, and what it has no room for goes to the next one.
 * Nothing is ever taken out, so that looking something up needs no lock: a table that is
 * to hold less, or more, is another one in its place.
 */
struct xblk_disks {
	unsigned int bits;
	u64 buckets[][XBLK_DISKS_BUCKET] ____cacheline_aligned;
};

static inline u16 xblk_disks_index(u64 entry)
{
	return entry >> 48;
}

/**
 * xblk_disks_find() - a disk's index
 * @disks:	the table, which is kept from being freed by the caller
 * @key:	what the disk is known by: its diskseq, or whatever it was added with
 *
 * Any context.  Return: the index, XBLK_DISK_IGNORED, or -1 if it is not there.
 */
static __always_inline int xblk_disks_find(const struct xblk_disks *disks, u64 key)
{
	unsigned int mask = (1U << disks->bits) - 1;
	unsigned int bucket = hash_64(key, disks->bits), left, i;

	for (left = mask + 1; left; left--, bucket = (bucket + 1) & mask) {
		for (i = 0; i < XBLK_DISKS_BUCKET; i++) {
			u64 entry = READ_ONCE(disks->buckets[bucket][i]);

			if (!entry)
				return -1;
			if ((entry & XBLK_DISKS_KEY) == key)
				return xblk_disks_index(entry);
		}
	}
	return -1;
}

struct xblk_disks *xblk_disks_alloc(unsigned int nr);
bool xblk_disks_add(struct xblk_disks *disks, u64 key, u16 index);

/**
 * xblk_disk_index() - index of a traced disk, or -1; provided by each module
 *
 * Any context but NMI.
 */
int xblk_disk_index(struct gendisk *disk);

/**
 * xblk_dev_index() - the same for a device number of which no disk is at hand
 */
int xblk_dev_index(dev_t dev);

#endif /* XBLK_DISKS_H */
