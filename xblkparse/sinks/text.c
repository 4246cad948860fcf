// SPDX-License-Identifier: GPL-2.0-only
#include "text.h"

#include <stdbool.h>

#include "name.h"

#define EIGHT_DIGITS 100000000u
#define ZEROS	     0x3030303030303030ull
#define BLANKS	     0x2020202020202020ull

/*
 * The digits of a number that has no more than 8, each in a byte, the first one in the
 * lowest, which is the first one in memory, too.  The number is cut in halves three
 * times, all of its parts at once: what is left of a part when its upper half is taken
 * away goes above that.
 */
static uint64_t eight_digits(uint32_t number)
{
	uint64_t n = number, upper = number / 10000;

	n = (n << 32) - ((10000ull << 32) - 1) * upper;
	upper = (n * 10486 >> 20) & 0x0000007f0000007full; /* n / 100 */
	n = (n << 16) - ((100ull << 16) - 1) * upper;
	upper = (n * 103 >> 10) & 0x000f000f000f000full; /* n / 10 */
	return (n << 8) - ((10ull << 8) - 1) * upper;
}

/* How many of these begin it and say nothing; the last one does. */
static unsigned int leading_zeros(uint64_t digits)
{
	return __builtin_ctzll(digits | 1ull << 56) / 8;
}

static char *put_eight(char *to, uint64_t digits, unsigned int from)
{
	digits >>= 8 * from;
	memcpy(to, &digits, sizeof(digits));
	return to + 8 - from;
}

char *put_long_u64(char *to, uint64_t n)
{
	uint64_t digits;

	if (n >= EIGHT_DIGITS) {
		to = put_u64(to, n / EIGHT_DIGITS);
		return put_eight(to, eight_digits(n % EIGHT_DIGITS) + ZEROS, 0);
	}
	digits = eight_digits(n);
	return put_eight(to, digits + ZEROS, leading_zeros(digits));
}

char *put_right_u64(char *to, uint64_t n, size_t width)
{
	char long_one[NUMBER_SIZE + PUT_SLACK];
	uint64_t digits, zeros;
	size_t len;

	if (n >= EIGHT_DIGITS || width > 8) {
		len = put_u64(long_one, n) - long_one;
		to = put_blanks(to, width > len ? width - len : 0);
		return mempcpy(to, long_one, len);
	}
	digits = eight_digits(n);
	zeros = leading_zeros(digits);
	/* What is '0' but for this bit is a blank. */
	digits += ZEROS & ~((ZEROS ^ BLANKS) & ((1ull << 8 * zeros) - 1));
	return put_eight(to, digits, zeros < 8 - width ? zeros : 8 - width);
}

char *put_digits(char *to, uint64_t n, unsigned int nr)
{
	if (nr > 8)
		to = put_char(to, '0' + n / EIGHT_DIGITS % 10);
	return put_eight(to, eight_digits(n % EIGHT_DIGITS) + ZEROS, nr > 8 ? 0 : 8 - nr);
}

char *put_name(char *to, const char *name, size_t *columns)
{
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

char *put_disk(char *to, unsigned int domid, const char *label)
{
	char *from = to;
	size_t columns, before;

	to = put_char(put_u64(to, domid), ':');
	before = to - from;
	to = put_name(to, label, &columns);
	return put_right(from, to, before + columns, 12);
}

void line_write(const char *line, const char *end, FILE *out)
{
	/* No other thread prints. */
	fwrite_unlocked(line, 1, end - line, out);
}
