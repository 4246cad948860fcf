/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names, which the library has in UTF-8 and without control characters, as the locale can
 * show them.  Only for people: CSV and JSON are in UTF-8 everywhere.
 */
#ifndef XBLKPARSE_NAME_H
#define XBLKPARSE_NAME_H

#include <stddef.h>
#include <stdio.h>

/**
 * shown_name() - what the locale has no character for becomes '?', one for each
 * @to:		at least as large as @name with its NUL
 * @name:	in UTF-8
 *
 * Return: how many columns it takes.
 */
size_t shown_name(char *to, const char *name);

/* Of one that is ASCII, as nearly all are, and so long; 0: it is not, or is empty. */
static inline size_t ascii_columns(const char *name)
{
	size_t len = 0;

	/* Whether a char is signed is each architecture's own. */
	while ((signed char)name[len] > 0)
		len++;
	return name[len] ? 0 : len;
}

/* In @width columns at least, at their left side; -@width: at their right side. */
void print_name(FILE *out, const char *name, int width);

#endif
