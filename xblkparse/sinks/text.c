// SPDX-License-Identifier: GPL-2.0-only
#include "text.h"

#include "name.h"

#include <stdarg.h>

/* As many as the largest number has. */
#define DIGITS 20

/* Two at a time are half the divisions. */
static const char pairs[] = "0001020304050607080910111213141516171819"
			    "2021222324252627282930313233343536373839"
			    "4041424344454647484950515253545556575859"
			    "6061626364656667686970717273747576777879"
			    "8081828384858687888990919293949596979899";

/* The smallest number that has one digit more; 0 has one, too. */
static const uint64_t more_than[DIGITS] = {
	0,
	10,
	100,
	1000,
	10000,
	100000,
	1000000,
	10000000,
	100000000,
	1000000000,
	10000000000,
	100000000000,
	1000000000000,
	10000000000000,
	100000000000000,
	1000000000000000,
	10000000000000000,
	100000000000000000,
	1000000000000000000,
	10000000000000000000u,
};

/* A bit is 1233 / 4096 of a digit, near enough for 64 of them. */
static unsigned int digits_of(uint64_t n)
{
	unsigned int nr = (64 - __builtin_clzll(n | 1)) * 1233 >> 12;

	return nr + (n >= more_than[nr]);
}

void text_number(struct text *t, uint64_t n, size_t width, char fill)
{
	size_t len = digits_of(n), blank = width > len ? width - len : 0;
	char *to = t->line + t->len;

	if (blank + len > TEXT_SIZE - t->len)
		return;
	t->len += blank + len;
	while (blank--)
		*to++ = fill;
	for (to += len; n >= 100; n /= 100)
		to = memcpy(to - 2, pairs + 2 * (n % 100), 2);
	if (n >= 10)
		memcpy(to - 2, pairs + 2 * n, 2);
	else
		to[-1] = '0' + n;
}

size_t text_name(struct text *t, const char *name)
{
	size_t columns;

	if (strlen(name) >= TEXT_SIZE - t->len)
		return 0;
	columns = shown_name(t->line + t->len, name);
	t->len += strlen(t->line + t->len);
	return columns;
}

void text_i64(struct text *t, int64_t n)
{
	if (n < 0)
		text_char(t, '-');
	text_u64(t, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

void text_right(struct text *t, size_t from, size_t columns, size_t width)
{
	size_t len = t->len - from, blank = width > columns ? width - columns : 0;

	if (!blank || blank > TEXT_SIZE - t->len)
		return;
	memmove(t->line + from + blank, t->line + from, len);
	memset(t->line + from, ' ', blank);
	t->len += blank;
}

void text_string_right(struct text *t, const char *s, size_t width)
{
	size_t from = t->len;

	text_string(t, s);
	text_right(t, from, t->len - from, width);
}

void text_left(struct text *t, const char *s, size_t width)
{
	size_t from = t->len;

	text_string(t, s);
	while (t->len - from < width && t->len < TEXT_SIZE)
		text_char(t, ' ');
}

void text_print(struct text *t, const char *fmt, ...)
{
	size_t room = TEXT_SIZE - t->len;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->line + t->len, room, fmt, args);
	va_end(args);
	if (n > 0 && (size_t)n < room)
		t->len += n;
}

void text_write(struct text *t, FILE *out)
{
	/* No other thread prints. */
	fwrite_unlocked(t->line, 1, t->len, out);
	t->len = 0;
}
