// SPDX-License-Identifier: GPL-2.0-only
#include "util.h"

#include <stdlib.h>
#include <string.h>

#include "msg.h"

static void *checked(void *p)
{
	if (!p) {
		msg_error("memory: none left");
		exit(1);
	}
	return p;
}

void *xmalloc(size_t size)
{
	return checked(malloc(size));
}

void *xcalloc(size_t nr, size_t size)
{
	return checked(calloc(nr, size));
}

void *xaligned_alloc(size_t align, size_t size)
{
	return checked(aligned_alloc(align, size));
}

void *xrealloc(void *p, size_t size)
{
	return checked(realloc(p, size));
}

char *xstrdup(const char *s)
{
	return checked(strdup(s));
}

void copy_printable(char *to, size_t size, const char *from, size_t len)
{
	size_t i;

	for (i = 0; i + 1 < size && i < len && from[i]; i++)
		to[i] = from[i] >= 0x20 && from[i] < 0x7f ? from[i] : '?';
	to[i] = '\0';
}
