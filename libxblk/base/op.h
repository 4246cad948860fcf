/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests by what they do and how large they are. */
#ifndef LIBXBLK_OP_H
#define LIBXBLK_OP_H

#include <stdbool.h>
#include <stdint.h>

#include <xblk/record.h>

#define OP_CLASSES   (XBLK_OP_MASK + 1)
#define SIZE_CLASSES 33 /* no sectors, 1, 2-3, 4-7, ... */

extern const char *const op_names[OP_CLASSES]; /* NULL where there is none */

/* Letters as blkparse has them: "WFSM", at least 8 bytes of @to.  Return: their end. */
char *op_letters(char *to, unsigned int op, uint32_t nr_sectors);

/* Two records may be of the same I/O: what guest and dom0 call it may differ. */
static inline unsigned int op_class(unsigned int op)
{
	op &= XBLK_OP_MASK;
	if (op == XBLK_OP_SECURE_DISCARD)
		return XBLK_OP_DISCARD;
	return op;
}

static inline bool same_class(unsigned int a, unsigned int b)
{
	return !((a ^ b) & XBLK_OP_MASK) || op_class(a) == op_class(b);
}

static inline unsigned int size_class(uint32_t nr_sectors)
{
	return nr_sectors ? 32 - __builtin_clz(nr_sectors) : 0;
}

/* The smallest and the largest number of sectors in a class. */
static inline uint32_t size_class_from(unsigned int class)
{
	return class ? 1u << (class - 1) : 0;
}

static inline uint32_t size_class_to(unsigned int class)
{
	return class ? size_class_from(class) - 1 + size_class_from(class) : 0;
}

#endif
