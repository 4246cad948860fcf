/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A line of text, made in one place and written at once.
 *
 * Where there is a line for each request or event, one stdio call a field would be most
 * of the work.  What does not fit is left out: whoever makes a line knows how long it
 * gets.
 */
#ifndef XBLKPARSE_TEXT_H
#define XBLKPARSE_TEXT_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SIZE 2048

struct text {
	size_t len;
	char line[TEXT_SIZE];
};

static inline void text_char(struct text *t, char c)
{
	if (t->len < TEXT_SIZE)
		t->line[t->len++] = c;
}

static inline void text_string(struct text *t, const char *s)
{
	size_t len = strlen(s), room = TEXT_SIZE - t->len;

	len = len < room ? len : room;
	memcpy(t->line + t->len, s, len);
	t->len += len;
}

/* At the right of @width columns, behind @fill. */
void text_number(struct text *t, uint64_t n, size_t width, char fill);

static inline void text_u64(struct text *t, uint64_t n)
{
	if (n < 10)
		text_char(t, '0' + n);
	else
		text_number(t, n, 0, ' ');
}

/* A name, as the locale can show it.  Return: how many columns it takes. */
size_t text_name(struct text *t, const char *name);
void text_i64(struct text *t, int64_t n);
/* The @columns that were put there from @from on are at the right of @width, behind
 * blanks. */
void text_right(struct text *t, size_t from, size_t columns, size_t width);
/* ASCII, the same. */
void text_string_right(struct text *t, const char *s, size_t width);
/* ASCII, at the left of @width columns. */
void text_left(struct text *t, const char *s, size_t width);
/* For what is rare: as printf(3). */
void text_print(struct text *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Write what there is, and begin anew; an error is @out's. */
void text_write(struct text *t, FILE *out);

#endif
