/* SPDX-License-Identifier: GPL-2.0-only */
/* The disks that are traced, and their indices in the records. */
#ifndef XBLK_DISKS_H
#define XBLK_DISKS_H

#include <linux/blkdev.h>
#include <linux/types.h>

#define XBLK_MAX_DISKS 64

/**
 * struct xblk_disks - table of the disks that were seen or named
 * @entry: one word each: valid, index, key; filled from the front, and only
 *	   ever added to while probes are attached, so that looking something
 *	   up needs no lock
 */
struct xblk_disks {
	u64 entry[XBLK_MAX_DISKS];
};

#define XBLK_DISK_VALID	  (1ULL << 63)
#define XBLK_DISK_IGNORED 0xffff

static inline u64 xblk_disk_entry(u32 key, u16 index)
{
	return XBLK_DISK_VALID | (u64)index << 32 | key;
}

static inline u16 xblk_disk_entry_index(u64 entry)
{
	return entry >> 32;
}

/**
 * xblk_disks_add() - put a disk into the table
 * @disks:	the table
 * @key:	what the disk is known by, as its device number
 * @index:	its index, or XBLK_DISK_IGNORED
 *
 * May run on several CPUs at once; a disk that is there already stays as it
 * is.  Any context.  Return: false if the table is full.
 */
static inline bool xblk_disks_add(struct xblk_disks *disks, u32 key, u16 index)
{
	int i;

	for (i = 0; i < XBLK_MAX_DISKS; i++) {
		u64 old = READ_ONCE(disks->entry[i]);

		if (!old)
			old = cmpxchg(&disks->entry[i], 0, xblk_disk_entry(key, index));
		if (!old || (u32)old == key)
			return true;
	}
	return false;
}

/**
 * xblk_disks_find() - a disk's index
 *
 * Any context.  Return: the index, XBLK_DISK_IGNORED, or -1 if not there.
 */
static inline int xblk_disks_find(const struct xblk_disks *disks, u32 key)
{
	int i;

	for (i = 0; i < XBLK_MAX_DISKS; i++) {
		u64 entry = READ_ONCE(disks->entry[i]);

		if (!entry)
			break;
		if ((u32)entry == key)
			return xblk_disk_entry_index(entry);
	}
	return -1;
}

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
