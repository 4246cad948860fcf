// SPDX-License-Identifier: GPL-2.0-only
#include "base/util.h"

#include <stdlib.h>
#include <string.h>

_Thread_local jmp_buf *no_memory;

static void *checked(void *p)
{
	if (p)
		return p;
	if (no_memory)
		longjmp(*no_memory, 1);
	abort();
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

/* How long the character at @s is, of @len bytes; 0: there is none. */
static size_t utf8_char(const unsigned char *s, size_t len, uint32_t *c)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = *s < 0x80   ? 1
		   : *s < 0xc2 ? 0
		   : *s < 0xe0 ? 2
		   : *s < 0xf0 ? 3
		   : *s < 0xf5 ? 4
			       : 0;

	if (!n || n > len)
		return 0;
	*c = n == 1 ? *s : *s & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (s[i] & 0x3f);
	}
	/* Nor half of a pair of UTF-16's. */
	return *c >= smallest[n] && *c <= 0x10ffff && *c >> 11 != 0xd800 >> 11 ? n : 0;
}

/* What a terminal would obey, a reader be misled by, or nobody knows the meaning of. */
static bool controls(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} spans[] = {
		{0x0, 0x1f},	  {0x7f, 0x9f},	       {0xad, 0xad},	 {0x61c, 0x61c},
		{0x180e, 0x180e}, {0x200b, 0x200f},    {0x2028, 0x202e}, {0x2060, 0x206f},
		{0xe000, 0xf8ff}, {0xfdd0, 0xfdef},    {0xfeff, 0xfeff}, {0xfff0, 0xfffb},
		{0xfffe, 0xffff}, {0xe0000, 0x10ffff},
	};

	for (size_t i = 0; i < ARRAY_SIZE(spans) && c >= spans[i].from; i++) {
		if (c <= spans[i].to)
			return true;
	}
	return false;
}

void copy_printable(char *to, size_t size, const char *from, size_t len)
{
	const char *end = from + strnlen(from, len);

	while (from < end) {
		uint32_t c;
		size_t n = utf8_char((const unsigned char *)from, end - from, &c);
		bool good = n && !controls(c);

		if ((good ? n : 1) >= size)
			break;
		if (good)
			memcpy(to, from, n);
		else
			*to = '?';
		to += good ? n : 1;
		size -= good ? n : 1;
		from += n ? n : 1;
	}
	*to = '\0';
}
