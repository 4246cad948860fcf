/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading XenStore. */
#ifndef XBLKTRACE_STORE_H
#define XBLKTRACE_STORE_H

#include <stdbool.h>

struct xenrelay_reader;

/*
 * The value of a node, to be freed; NULL if there is none.  Bytes that are not
 * printable ASCII are shown as '?': the value may end on a terminal.
 */
char *store_read(struct xenrelay_reader *reader, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A decimal number of at most 32 bits. */
bool store_read_uint(struct xenrelay_reader *reader, unsigned int *value, const char *fmt,
		     ...) __attribute__((format(printf, 3, 4)));

/* The children of a node, to be freed in one; NULL (and *@nr 0) if none. */
char **store_list(struct xenrelay_reader *reader, unsigned int *nr, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* XBLKTRACE_STORE_H */
