// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenhypfs.h>

#include "budget.h"
#include "number.h"

/* Xen's xen/common/grant_table.c: DEFAULT_MAX_MAPTRACK_FRAMES, and entries of 16 bytes. */
#define DEFAULT_FRAMES	  1024
#define ENTRIES_PER_FRAME 256

#define SHARE_OF_HOST 4
#define KIB_PER_PAGE  4

/* What domain 0 was given is that of Xen's command line; another domain's limit nobody
 * tells. */
static unsigned int maptrack_frames(unsigned int own_domid)
{
	unsigned int frames = DEFAULT_FRAMES;
	xenhypfs_handle *hypfs = own_domid ? NULL : xenhypfs_open(NULL, 0);
	char *text;

	if (!hypfs)
		return frames;
	text = xenhypfs_read(hypfs, "/params/gnttab_max_maptrack_frames");
	if (text && number_uint(text, 1, UINT32_MAX, &frames))
		frames = DEFAULT_FRAMES;
	free(text);
	xenhypfs_close(hypfs);
	return frames;
}

/*
 * Where Linux is PV its drivers/xen/gntdev.c maps each page twice: for the kernel, and
 * for the process.
 */
static unsigned int entries_per_page(void)
{
	FILE *f = fopen("/sys/hypervisor/guest_type", "re");
	char type[16] = "PV\n";

	if (f) {
		if (!fgets(type, sizeof(type), f))
			type[0] = '\0';
		fclose(f);
	}
	return strcmp(type, "PV\n") ? 1 : 2;
}

uint64_t budget_of_host(unsigned int own_domid)
{
	uint64_t entries = (uint64_t)maptrack_frames(own_domid) * ENTRIES_PER_FRAME;

	return entries / SHARE_OF_HOST / entries_per_page() * KIB_PER_PAGE;
}

uint64_t budget_share(uint64_t kib, uint64_t used, unsigned int waiting)
{
	return used < kib ? (kib - used) / waiting : 0;
}
