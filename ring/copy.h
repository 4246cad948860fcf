/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Copying small items, at both ends. */
#ifndef XENRELAY_COPY_H
#define XENRELAY_COPY_H

#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <stddef.h>
#include <string.h>
#endif

/* Bytes up to which words are copied one by one. */
#define XR_COPY_SMALL 128

/**
 * xr_copy_small - copy items of XR_COPY_SMALL bytes at most
 * @to:		where to
 * @from:	the items
 * @size:	bytes, 8 at least, as any item has (XENRELAY_MIN_ITEM_SIZE)
 *
 * memcpy() takes longer to come to the point than a small item takes to copy: in
 * the kernel it is a string instruction, in a library a call through a table.  The
 * last words may overlap the ones before.
 */
static inline __attribute__((always_inline)) void
xr_copy_small(void *to, const void *from, size_t size)
{
	unsigned char *t = (unsigned char *)to;
	const unsigned char *f = (const unsigned char *)from;
	const size_t last = size - 8;
	size_t at;

	if (size > 16 && size <= 32) {
		memcpy(t, f, 16);
		memcpy(t + size - 16, f + size - 16, 8);
	} else {
		for (at = 0; at < last; at += 8)
			memcpy(t + at, f + at, 8);
	}
	memcpy(t + last, f + last, 8);
}

#endif /* XENRELAY_COPY_H */
