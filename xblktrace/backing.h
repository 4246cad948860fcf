/* SPDX-License-Identifier: GPL-2.0-only */
/* The block devices of this domain that the guests' disks lie on. */
#ifndef XBLKTRACE_BACKING_H
#define XBLKTRACE_BACKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct backing - a whole block device, traced in this domain
 * @major, @minor: its number, 0:0 if it has none: a path of NVMe multipath
 * @diskseq:	no other disk has had it since the kernel was booted: what has the same
 *		number later is another device
 * @name:	the kernel's name of it
 * @scheduler:	its I/O scheduler, "" if it has none
 * @part_of:	index of the stacked device (LVM, RAID, multipath) above it that led here,
 *		-1 if a guest's disk lies on it directly
 * @stacked:	it lies on others itself, which may change
 * @told:	which traces have it as it is, see &capture_facts.trace
 */
struct backing {
	unsigned int major, minor;
	uint64_t diskseq;
	char name[64];
	char scheduler[32];
	int part_of;
	bool stacked;
	unsigned char told;
};

/* In the order that the module is told of them: an index is a record's disk. */
struct backing_table {
	struct backing *entries;
	unsigned int nr;
};

/**
 * backing_add - find a device in sysfs, and what lies below it
 * @sysfs:	"/sys"
 * @start_sector: where it begins on the whole device that is traced, in units
 *		of 512 bytes: 0 unless it is a partition
 *
 * Devices are added once each; those below stacked ones come behind.
 *
 * Return: index of the whole device, or negative errno: -ENODEV if sysfs does
 * not know it.
 */
int backing_add(struct backing_table *table, const char *sysfs, unsigned int major,
		unsigned int minor, uint64_t *start_sector);

/**
 * backing_update - find what lies below stacked devices now, and did not before
 *
 * A moved logical volume lies on another disk; a multipath device gets another path.
 * What is new comes behind.  Return: 0 or negative errno; what was found stays.
 */
int backing_update(struct backing_table *table, const char *sysfs);

/**
 * struct backing_words - what a device is called by those who set it up
 * @name:	the kernel's name of it, as "sda2"
 * @disk:	that of the disk that it is a partition of, or ""
 * @mapped:	device-mapper's name of it, or of that disk; "" if it has none
 * @file:	that a loop device is on, or "": any bytes
 */
struct backing_words {
	char name[64];
	char disk[64];
	char mapped[128];
	char file[256];
};

/* Return: 0 or negative errno: -ENODEV if sysfs does not know it. */
int backing_describe(const char *sysfs, unsigned int major, unsigned int minor,
		     struct backing_words *words);

void backing_free(struct backing_table *table);

#endif /* XBLKTRACE_BACKING_H */
