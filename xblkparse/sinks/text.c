// SPDX-License-Identifier: GPL-2.0-only
#include "text.h"

#include <errno.h>

#include "base/op.h"
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
static size_t leading_zeros(uint64_t digits)
{
	return (unsigned int)__builtin_ctzll(digits | 1ull << 56) / 8;
}

static char *put_eight(char *to, uint64_t digits, size_t from)
{
	digits >>= 8 * from;
	memcpy(to, &digits, sizeof(digits));
	return to + 8 - from;
}

/* Apart, so that what is not so large has no work with it. */
static __attribute__((noinline)) char *put_huge_u64(char *to, uint64_t n)
{
	to = put_u64(to, n / EIGHT_DIGITS);
	return put_eight(to, eight_digits(n % EIGHT_DIGITS) + ZEROS, 0);
}

char *put_long_u64(char *to, uint64_t n)
{
	uint64_t digits;

	if (n >= EIGHT_DIGITS)
		return put_huge_u64(to, n);
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
	/* The leading ones become blanks. */
	digits += ZEROS - ((ZEROS - BLANKS) & ((1ull << 8 * zeros) - 1));
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
