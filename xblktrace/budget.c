// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/xen.h>
#include <xen/version.h>
#include <xencall.h>
#include <xenhypfs.h>

#include "budget.h"

/* Xen's xen/common/grant_table.c: DEFAULT_MAX_MAPTRACK_FRAMES, and entries of 16 bytes. */
#define DEFAULT_FRAMES	  1024
#define ENTRIES_PER_FRAME 256

#define SHARE_OF_HOST 4
#define MOST_OF_HOST  2
#define KIB_PER_PAGE  4

#define OPTION "gnttab_max_maptrack_frames"

/* As Xen reads a number, see parse_gnttab_limit() there.  Return: 0 if it is none. */
static unsigned int frames_of(const char *text)
{
	char *end;
	unsigned long frames;

	if (!isdigit((unsigned char)*text))
		return 0;
	frames = strtoul(text, &end, 0);
	return (*end && *end != ' ') || frames > INT_MAX ? 0 : frames;
}

/* Return: 0: hypfs is not there, as it is not before Xen 4.14, or says nothing. */
static unsigned int frames_by_hypfs(void)
{
	xenhypfs_handle *hypfs = xenhypfs_open(NULL, 0);
	unsigned int frames;
	char *text;

	if (!hypfs)
		return 0;
	text = xenhypfs_read(hypfs, "/params/" OPTION);
	frames = text ? frames_of(text) : 0;
	free(text);
	xenhypfs_close(hypfs);
	return frames;
}

/* The last one counts, but for what Xen does not take.  Return: 0: there is none. */
static unsigned int frames_in(const char *command_line)
{
	const char *word = command_line;
	unsigned int said, frames = 0;

	while (*(word += strspn(word, " "))) {
		if (!strncmp(word, OPTION "=", strlen(OPTION "="))) {
			said = frames_of(word + strlen(OPTION "="));
			frames = said ? said : frames;
		}
		word += strcspn(word, " ");
	}
	return frames;
}

static unsigned int frames_by_command_line(void)
{
	xencall_handle *xen = xencall_open(NULL, 0);
	unsigned int frames = 0;
	char *line;

	if (!xen)
		return 0;
	line = xencall_alloc_buffer(xen, sizeof(xen_commandline_t));
	if (line && !xencall2(xen, __HYPERVISOR_xen_version, XENVER_commandline,
			      (uintptr_t)line)) {
		line[sizeof(xen_commandline_t) - 1] = '\0';
		frames = frames_in(line);
	}
	xencall_free_buffer(xen, line);
	xencall_close(xen);
	return frames;
}

/* What domain 0 was given is that of Xen's command line; another domain's limit nobody
 * tells. */
static unsigned int maptrack_frames(unsigned int own_domid)
{
	unsigned int frames = own_domid ? 0 : frames_by_hypfs();

	if (!frames && !own_domid)
		frames = frames_by_command_line();
	return frames ? frames : DEFAULT_FRAMES;
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

uint64_t budget_of_host(uint64_t wanted, unsigned int own_domid)
{
	uint64_t entries = (uint64_t)maptrack_frames(own_domid) * ENTRIES_PER_FRAME;
	uint64_t kib = entries / entries_per_page() * KIB_PER_PAGE;

	if (!wanted)
		return kib / SHARE_OF_HOST;
	return wanted < kib / MOST_OF_HOST ? wanted : kib / MOST_OF_HOST;
}

uint64_t budget_share(uint64_t kib, uint64_t used, unsigned int waiting)
{
	return used < kib ? (kib - used) / waiting : 0;
}
