/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Structures that the caller and this library share, and that may grow: their first
 * member, a size_t, is the size that the caller knows.
 */
#ifndef XR_SIZED_H
#define XR_SIZED_H

#include <stddef.h>

/*
 * Take over a structure of the caller's: what an older one does not have is zero.
 * Return: 0; -EINVAL: there is no size, or it has what this library does not know.
 */
int xr_take(void *own, size_t own_size, const void *theirs);

/* Return: 0; -EINVAL: NULL, or there is no size. */
int xr_check_size(const void *theirs);

/*
 * Fill in a structure of the caller's but for its size: what this library does not know
 * is zero there.  Return: as xr_check_size().
 */
int xr_give(void *theirs, const void *own, size_t own_size);

#endif /* XR_SIZED_H */
