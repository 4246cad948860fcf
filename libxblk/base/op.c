// SPDX-License-Identifier: GPL-2.0-only
#include "base/op.h"

const char *const op_names[OP_CLASSES] = {
	[XBLK_OP_READ] = "read",
	[XBLK_OP_WRITE] = "write",
	[XBLK_OP_FLUSH] = "flush",
	[XBLK_OP_DISCARD] = "discard",
	[XBLK_OP_SECURE_DISCARD] = "secure_discard",
	[XBLK_OP_WRITE_ZEROES] = "write_zeroes",
	[XBLK_OP_OTHER] = "other",
};

/* blktrace's RWBS: flush first, then what is done, then how. */
char *op_letters(char *to, unsigned int op, uint32_t nr_sectors)
{
	unsigned int kind = op & XBLK_OP_MASK;

	if (op & XBLK_OP_F_PREFLUSH && kind != XBLK_OP_FLUSH)
		*to++ = 'F';
	switch (kind) {
	case XBLK_OP_READ:
		*to++ = 'R';
		break;
	case XBLK_OP_WRITE:
	case XBLK_OP_WRITE_ZEROES:
		/* blktrace shows an empty write that only flushes as F. */
		if (nr_sectors || !(op & XBLK_OP_F_PREFLUSH))
			*to++ = 'W';
		break;
	case XBLK_OP_FLUSH:
		*to++ = 'F';
		break;
	case XBLK_OP_DISCARD:
	case XBLK_OP_SECURE_DISCARD:
		*to++ = 'D';
		if (kind == XBLK_OP_SECURE_DISCARD)
			*to++ = 'E';
		break;
	default:
		*to++ = 'N';
		break;
	}
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
