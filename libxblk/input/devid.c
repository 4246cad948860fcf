// SPDX-License-Identifier: GPL-2.0-only
/*
 * Xen's docs/man/xen-vbd-interface.7 says what the numbers are, and xen_translate_vdev()
 * and xlvbd_alloc_gendisk() in Linux' drivers/block/xen-blkfront.c which names they get.
 */
#include "input/devid.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/util.h"

#define EXTENDED (1u << 28)
#define LETTERS	 26

/* Of the old kinds: majors, minors a disk, and which disk of its kind is a major's first.
 */
static const struct kind {
	unsigned int from, to, minors, first;
} kinds[] = {
	{202, 202, 16, 0},		    /* xvd */
	{3, 3, 64, 0},	   {22, 22, 64, 2}, /* hd, two disks a major */
	{33, 34, 64, 4},   {56, 57, 64, 8},  {88, 91, 64, 12},
	{8, 8, 16, 0},	   {65, 71, 16, 16}, {128, 135, 16, 128}, /* sd, 16 a major */
};

/* "a" to "z", "aa", ...; @end is behind what there is of it. */
static char *letters(char *end, unsigned int disk)
{
	for (*--end = 'a' + disk % LETTERS; disk >= LETTERS;
	     *--end = 'a' + disk % LETTERS)
		disk = disk / LETTERS - 1;
	return end;
}

static void print(char *to, size_t size, unsigned int disk, unsigned int partition)
{
	char word[16] = "", *name = letters(word + sizeof(word) - 1, disk);

	if (partition)
		snprintf(to, size, "xvd%s%u", name, partition);
	else
		snprintf(to, size, "xvd%s", name);
}

void devid_name(char *to, size_t size, unsigned int devid)
{
	unsigned int major = devid >> 8, minor = devid & 0xff;

	*to = '\0';
	if (devid >= 2 * EXTENDED)
		return;
	if (devid & EXTENDED) {
		print(to, size, (devid & ~EXTENDED) >> 8, minor);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct kind *k = &kinds[i];
		bool ide = k->minors == 64;
		unsigned int of_major = (major - k->from) * (ide ? 2 : 16);

		/* Of an IDE disk's partition blkfront makes the disk. */
		if (major >= k->from && major <= k->to)
			print(to, size, k->first + of_major + minor / k->minors,
			      ide ? 0 : minor % k->minors);
	}
}
