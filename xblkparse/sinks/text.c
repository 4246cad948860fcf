// SPDX-License-Identifier: GPL-2.0-only
#include "text.h"

#include <errno.h>

#include "base/op.h"
#include "base/util.h"
#include "name.h"

/* clang-format off */
#define TEN(of, behind) \
	of "0" behind of "1" behind of "2" behind of "3" behind of "4" behind \
	of "5" behind of "6" behind of "7" behind of "8" behind of "9" behind
#define NINETY(of, behind) \
	TEN(of "1", behind) TEN(of "2", behind) TEN(of "3", behind) \
	TEN(of "4", behind) TEN(of "5", behind) TEN(of "6", behind) \
	TEN(of "7", behind) TEN(of "8", behind) TEN(of "9", behind)
#define HUNDRED(of) TEN(of "0", "\3") NINETY(of, "\3")
#define NINE_HUNDRED \
	HUNDRED("1") HUNDRED("2") HUNDRED("3") HUNDRED("4") HUNDRED("5") \
	HUNDRED("6") HUNDRED("7") HUNDRED("8") HUNDRED("9")
/* clang-format on */

/* The numbers below 1000, in four bytes each: their digits, and how many these are. */
static const char plain[] = TEN("", "\0\0\1") NINETY("", "\0\2") NINE_HUNDRED;
const char three_digits[] = HUNDRED("0") NINE_HUNDRED;

static inline char *put_2(char *to, size_t n)
{
	memcpy(to, three_digits + 4 * n + 1, 2);
	return to + 2;
}

/*
 * Of a number's digits the first ones, six at most.  How many there are, no branch can
 * foresee.
 */
static inline char *put_first_6(char *to, unsigned int n)
{
	static const char *const behind[] = {plain, three_digits};
	const char *first = plain + 4 * (size_t)(n / 1000);
	const char *rest = behind[n >= 1000] + 4 * (size_t)(n % 1000);

	memcpy(to, first, 4);
	to += first[3] & -(n >= 1000);
	memcpy(to, rest, 4);
	return to + rest[3];
}

char *put_long_u64(char *to, uint64_t n)
{
	if (n < MILLION)
		return put_first_6(to, n);
	if (n < MILLION * (uint64_t)MILLION)
		return put_6(put_first_6(to, n / MILLION), n % MILLION);
	return put_6(put_long_u64(to, n / MILLION), n % MILLION);
}

char *put_long_i64(char *to, int64_t n)
{
	return n < 0 ? put_u64(put_char(to, '-'), -(uint64_t)n) : put_long_u64(to, n);
}

char *put_far_time(char *to, struct times *times, uint64_t ns)
{
	int64_t since = (int64_t)(ns - times->start_ns);

	/* Others near these have a sign, or not as many digits. */
	if (since < MILLION || since > INT64_MAX - MILLION)
		return put_i64(to, since);
	times->from_ns = ns - since % MILLION;
	times->span_ns = MILLION;
	times->len = put_u64(times->digits, since / MILLION) - times->digits;
	return put_since(to, times, ns);
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
