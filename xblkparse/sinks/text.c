// SPDX-License-Identifier: GPL-2.0-only
#include "text.h"

#include <errno.h>

#include "base/op.h"
#include "base/util.h"
#include "name.h"

#define EIGHT_DIGITS 100000000u

/* The numbers below 100: with two digits, and as they are. */
static const char two[] = "00010203040506070809101112131415161718192021222324"
			  "25262728293031323334353637383940414243444546474849"
			  "50515253545556575859606162636465666768697071727374"
			  "75767778798081828384858687888990919293949596979899";
static const char plain[] = "0 1 2 3 4 5 6 7 8 9 101112131415161718192021222324"
			    "25262728293031323334353637383940414243444546474849"
			    "50515253545556575859606162636465666768697071727374"
			    "75767778798081828384858687888990919293949596979899";

static inline char *put_2(char *to, size_t n)
{
	memcpy(to, two + 2 * n, 2);
	return to + 2;
}

static inline char *put_4(char *to, unsigned int n)
{
	return put_2(put_2(to, n / 100), n % 100);
}

static inline char *put_8(char *to, unsigned int n)
{
	return put_4(put_4(to, n / 10000), n % 10000);
}

/* Of a number's digits the first one or two. */
static inline char *put_first(char *to, size_t n)
{
	memcpy(to, plain + 2 * n, 2);
	return to + (n < 10 ? 1 : 2);
}

static inline char *put_first_4(char *to, unsigned int n)
{
	return n < 100 ? put_first(to, n) : put_2(put_first(to, n / 100), n % 100);
}

static inline char *put_first_8(char *to, unsigned int n)
{
	return n < 10000 ? put_first_4(to, n)
			 : put_4(put_first_4(to, n / 10000), n % 10000);
}

char *put_long_u64(char *to, uint64_t n)
{
	if (n < EIGHT_DIGITS)
		return put_first_8(to, n);
	if (n / EIGHT_DIGITS < EIGHT_DIGITS)
		to = put_first_8(to, n / EIGHT_DIGITS);
	else
		to = put_long_u64(to, n / EIGHT_DIGITS);
	return put_8(to, n % EIGHT_DIGITS);
}

char *put_long_i64(char *to, int64_t n)
{
	return n < 0 ? put_u64(put_char(to, '-'), -(uint64_t)n) : put_long_u64(to, n);
}

/* The least number that is too wide for so many columns. */
static const uint64_t too_wide[] = {
	0,	     10,	   100,		  1000,	     10000,
	100000,	     1000000,	   10000000,	  100000000, 1000000000,
	10000000000, 100000000000, 1000000000000,
};

char *put_right_u64(char *to, uint64_t n, size_t width)
{
	char *at = to + width, *from = to;

	if (width >= ARRAY_SIZE(too_wide) || n >= too_wide[width]) {
		to = put_u64(to, n);
		return put_right(from, to, to - from, width);
	}
	to = put_blanks(to, width);
	for (; n >= 100; n /= 100)
		put_2(at -= 2, n % 100);
	if (n >= 10)
		put_2(at - 2, n);
	else
		at[-1] = '0' + n;
	return to;
}

char *put_digits(char *to, uint32_t n, unsigned int nr)
{
	char *end = to + nr, *at = end;

	for (; at - to >= 2; n /= 100)
		put_2(at -= 2, n % 100);
	if (at > to)
		at[-1] = '0' + n % 10;
	return end;
}

char *put_name(char *to, const char *name, size_t *columns)
{
	*columns = ascii_columns(name);
	if (*columns)
		return mempcpy(to, name, *columns);
	*columns = shown_name(to, name);
	return to + strlen(to);
}

char *put_right(char *from, char *to, size_t columns, size_t width)
{
	size_t blank = width > columns ? width - columns : 0;

	memmove(from + blank, from, to - from);
	memset(from, ' ', blank);
	return to + blank;
}

char *put_decimal(char *to, int64_t n, unsigned int digits, size_t width)
{
	uint64_t abs_n = n < 0 ? -(uint64_t)n : (uint64_t)n, unit = 1;
	char *from = to;

	for (unsigned int i = 0; i < digits; i++)
		unit *= 10;
	if (n < 0)
		to = put_char(to, '-');
	to = put_u64(to, abs_n / unit);
	if (digits)
		to = put_digits(put_char(to, '.'), abs_n % unit, digits);
	return put_right(from, to, to - from, width);
}

#define DISK_WIDTH 12

char *put_disk(char *to, unsigned int domid, const char *label)
{
	size_t columns = ascii_columns(label), before;
	char *from = to;

	/* What is done for each event does not move what has just been put. */
	if (columns && columns < DISK_WIDTH) {
		to = put_right_u64(to, domid, DISK_WIDTH - 1 - columns);
		return mempcpy(put_char(to, ':'), label, columns);
	}
	to = put_char(put_u64(to, domid), ':');
	before = to - from;
	to = put_name(to, label, &columns);
	return put_right(from, to, before + columns, DISK_WIDTH);
}

#define OP_WIDTH 4

char *put_op(char *to, unsigned int op, uint32_t nr_sectors)
{
	char letters[OP_WIDTH + 8] = "    ", *from = letters + OP_WIDTH,
				*end = op_letters(from, op, nr_sectors);

	if (end < from + OP_WIDTH)
		from = end - OP_WIDTH;
	memcpy(to, from, 8);
	return to + (end - from);
}

void text_write(struct text *t)
{
	if (t->len && fwrite(t->lines, 1, t->len, t->out) < t->len && !t->error)
		t->error = errno;
	t->len = 0;
}

void text_put(struct text *t, const char *bytes, size_t size)
{
	while (size > TEXT_SIZE - t->len) {
		size_t some = TEXT_SIZE - t->len;

		memcpy(t->lines + t->len, bytes, some);
		t->len = TEXT_SIZE;
		text_write(t);
		bytes += some;
		size -= some;
	}
	memcpy(t->lines + t->len, bytes, size);
	t->len += size;
}
