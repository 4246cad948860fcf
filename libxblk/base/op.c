// SPDX-License-Identifier: GPL-2.0-only
#include "base/op.h"

#include <stdbool.h>

const char *const op_names[OP_CLASSES] = {
	[XBLK_OP_READ] = "read",
	[XBLK_OP_WRITE] = "write",
	[XBLK_OP_FLUSH] = "flush",
	[XBLK_OP_DISCARD] = "discard",
	[XBLK_OP_SECURE_DISCARD] = "secure_discard",
	[XBLK_OP_WRITE_ZEROES] = "write_zeroes",
	[XBLK_OP_OTHER] = "other",
};

/* A table: whether it is a read or a write, no branch can foresee. */
static const char letters[OP_CLASSES] = {
	[XBLK_OP_READ] = 'R',		[XBLK_OP_WRITE] = 'W',
	[XBLK_OP_FLUSH] = 'F',		[XBLK_OP_DISCARD] = 'D',
	[XBLK_OP_SECURE_DISCARD] = 'D', [XBLK_OP_WRITE_ZEROES] = 'W',
	[XBLK_OP_OTHER - 1] = 'N',	[XBLK_OP_OTHER] = 'N',
};

/* blktrace's RWBS: flush first, then what is done, then how. */
static __attribute__((noinline)) char *all_letters(char *to, unsigned int op,
						   uint32_t nr_sectors)
{
	unsigned int kind = op & XBLK_OP_MASK;
	bool flushes = op & XBLK_OP_F_PREFLUSH;

	if (flushes && kind != XBLK_OP_FLUSH)
		*to++ = 'F';
	/* blktrace shows an empty write that only flushes as F. */
	if (letters[kind] != 'W' || nr_sectors || !flushes)
		*to++ = letters[kind];
	if (kind == XBLK_OP_SECURE_DISCARD)
		*to++ = 'E';
	if (op & XBLK_OP_F_FUA)
		*to++ = 'F';
	if (op & XBLK_OP_F_RAHEAD)
		*to++ = 'A';
	if (op & XBLK_OP_F_SYNC)
		*to++ = 'S';
	if (op & XBLK_OP_F_META)
		*to++ = 'M';
	*to = '\0';
	return to;
}

char *op_letters(char *to, unsigned int op, uint32_t nr_sectors)
{
	if (op > XBLK_OP_WRITE)
		return all_letters(to, op, nr_sectors);
	to[0] = letters[op];
	to[1] = '\0';
	return to + 1;
}
