// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "number.h"
#include "store.h"
#include "xenrelay-reader.h"

#define PATH_SIZE 256

static char *vread(struct xenrelay_reader *reader, const char *fmt, va_list ap)
{
	char path[PATH_SIZE];
	char *s, *p;

	vsnprintf(path, sizeof(path), fmt, ap);
	s = xenrelay_read_node(reader, path);
	for (p = s; p && *p; p++)
		if (*p < 0x20 || *p >= 0x7f)
			*p = '?';
	return s;
}

char *store_read(struct xenrelay_reader *reader, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = vread(reader, fmt, ap);
	va_end(ap);
	return s;
}

bool store_read_uint(struct xenrelay_reader *reader, unsigned int *value, const char *fmt,
		     ...)
{
	va_list ap;
	bool ok;
	char *s;

	va_start(ap, fmt);
	s = vread(reader, fmt, ap);
	va_end(ap);
	ok = s && !number_uint(s, 0, UINT32_MAX, value);
	free(s);
	return ok;
}

char **store_list(struct xenrelay_reader *reader, unsigned int *nr, const char *fmt, ...)
{
	char path[PATH_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return xenrelay_list_nodes(reader, path, nr);
}
