/* SPDX-License-Identifier: GPL-2.0-only */
/* Sums of what others count, which may be anything: none is less than a part of it. */
#ifndef XBLK_SATURATE_H
#define XBLK_SATURATE_H

#include <stdint.h>

static inline uint64_t add_sat(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static inline uint64_t sub_sat(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

#endif /* XBLK_SATURATE_H */
