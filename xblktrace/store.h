/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading XenStore. */
#ifndef XBLKTRACE_STORE_H
#define XBLKTRACE_STORE_H

#include <stdbool.h>

struct xs_handle;

/*
 * The value of a node, to be freed; NULL if there is none.  Bytes that are not
 * printable ASCII are shown as '?': the value may end on a terminal.
 */
char *store_read(struct xs_handle *xs, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A decimal number of at most 32 bits. */
bool store_read_uint(struct xs_handle *xs, unsigned int *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The children of a node, to be freed in one; NULL (and *@nr 0) if none. */
char **store_list(struct xs_handle *xs, unsigned int *nr, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* XBLKTRACE_STORE_H */
