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
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/types.h>
#include "compat.h"
#include "xblk/control.h"

#define XBLK_DISK_IGNORED 0xffff /* an index: known, and not traced */

#define XBLK_DISKS_MAX_KEY ((1ULL << 48) - 1)
#define XBLK_DISKS_RUN	   (64 / sizeof(u64)) /* entries that come with a cache line or two */

/**
 * struct xblk_disks - hash of disks
 * @mask:	the number of entries, which is a power of two, less 1
 * @meet:	tells the index of a disk that is not there, or XBLK_DISK_IGNORED; NULL:
 *		it is that.  Called as xblk_disk_index() is, with preemption off
 * @entries:	key << 16 | index, 0 if free
 *
 * A disk's place is that of the low bits of its key, or the next one that was free.
 * Diskseqs are given one after the other, so most disks of a host are in their places.
 * Nothing is ever taken out, so that looking something up needs no lock: a table that is
 * to hold less, or more, is another one in its place.
 */
struct xblk_disks {
	u64 mask;
	int (*meet)(struct gendisk *disk);
	u64 entries[] ____cacheline_aligned;
};

static inline u16 xblk_disks_index(u64 entry)
{
	return (u16)entry;
}

static inline u64 xblk_disks_key(u64 entry)
{
	return entry >> 16;
}

int xblk_disks_find_on(const struct xblk_disks *disks, u64 key);

/**
 * xblk_disks_find() - a disk's index
 * @disks:	the table, which is kept from being freed by the caller
 * @key:	what the disk is known by: its diskseq, or whatever it was added with
 *
 * Any context.  Return: the index, XBLK_DISK_IGNORED, or -1 if it is not there.
 */
static __always_inline int xblk_disks_find(const struct xblk_disks *disks, u64 key)
{
	u64 entry = READ_ONCE(disks->entries[key & disks->mask]);

	if (likely(xblk_disks_key(entry) == key))
		return xblk_disks_index(entry);
	return entry ? xblk_disks_find_on(disks, key) : -1;
}

struct xblk_disks *xblk_disks_alloc(unsigned int nr);
bool xblk_disks_add(struct xblk_disks *disks, u64 key, u16 index);

/* Of the disks that are traced, by their diskseqs; never NULL. */
extern struct xblk_disks __rcu *xblk_disks_traced;

void xblk_disks_trace(struct xblk_disks *disks);
unsigned long xblk_disks_look_on(const struct xblk_disks *disks, struct gendisk *disk);

/**
 * xblk_disk_index() - index of a traced disk, or -1
 * @disk:	the disk
 *
 * Inline, and with nothing before it in a probe: most of what a host does may be of disks
 * that are not traced, and this is all that it takes of them.
 *
 * Tracepoints are called with preemption on since Linux 6.16 or so (SRCU), so the table
 * is read with preemption off, which synchronize_rcu() waits for: rcu_read_lock() is two
 * calls where it can be preempted.
 *
 * Any context but NMI.
 */
static __always_inline int xblk_disk_index(struct gendisk *disk)
{
	const struct xblk_disks *disks;
	u16 index = XBLK_DISK_IGNORED;
	u64 entry;

	preempt_disable_notrace();
	disks = rcu_dereference_sched(xblk_disks_traced);
	entry = READ_ONCE(disks->entries[disk->diskseq & disks->mask]);
	if (likely(xblk_disks_key(entry) == disk->diskseq))
		index = xblk_disks_index(entry);
	else if (entry || disks->meet)
		index = xblk_rarely2(xblk_disks_look_on, disks, disk);
	preempt_enable_notrace();
	return index == XBLK_DISK_IGNORED ? -1 : index;
}

/**
 * xblk_dev_index() - the same for a device number of which no disk is at hand; provided
 * by each module
 */
int xblk_dev_index(dev_t dev);

#endif /* XBLK_DISKS_H */
