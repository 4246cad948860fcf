// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <xenstore.h>

#include "number.h"
#include "store.h"

#define PATH_SIZE 256

static char *vread(struct xs_handle *xs, const char *fmt, va_list ap)
{
	char path[PATH_SIZE];
	char *s, *p;

	vsnprintf(path, sizeof(path), fmt, ap);
	s = xs_read(xs, XBT_NULL, path, NULL);
	for (p = s; p && *p; p++)
		if (*p < 0x20 || *p >= 0x7f)
			*p = '?';
	return s;
}

char *store_read(struct xs_handle *xs, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = vread(xs, fmt, ap);
	va_end(ap);
	return s;
}

bool store_read_uint(struct xs_handle *xs, unsigned int *value, const char *fmt, ...)
{
	va_list ap;
	bool ok;
	char *s;

	va_start(ap, fmt);
	s = vread(xs, fmt, ap);
	va_end(ap);
	ok = s && !number_uint(s, 0, UINT32_MAX, value);
	free(s);
	return ok;
}

char **store_list(struct xs_handle *xs, unsigned int *nr, const char *fmt, ...)
{
	char path[PATH_SIZE];
	char **nodes;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	nodes = xs_directory(xs, XBT_NULL, path, nr);
	if (!nodes)
		*nr = 0;
	return nodes;
}
