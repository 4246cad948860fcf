// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Structures that the caller and this library share, and that may grow. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "sized.h"

/* A size beyond that is one that nobody has set. */
#define MAX_SIZE 4096

static size_t size_of(const void *theirs)
{
	size_t size;

	memcpy(&size, theirs, sizeof(size));
	return size;
}

int xr_check_size(const void *theirs)
{
	if (!theirs || size_of(theirs) < sizeof(size_t) || size_of(theirs) > MAX_SIZE)
		return -EINVAL;
	return 0;
}

int xr_take(void *own, size_t own_size, const void *theirs)
{
	const uint8_t *bytes = theirs;
	size_t i, size;

	if (xr_check_size(theirs))
		return -EINVAL;
	size = size_of(theirs);
	for (i = own_size; i < size; i++)
		if (bytes[i])
			return -EINVAL;
	memset(own, 0, own_size);
	memcpy(own, theirs, size < own_size ? size : own_size);
	return 0;
}

int xr_give(void *theirs, const void *own, size_t own_size)
{
	const size_t from = sizeof(size_t);
	size_t size, known;

	if (xr_check_size(theirs))
		return -EINVAL;
	size = size_of(theirs);
	known = size < own_size ? size : own_size;
	memcpy((uint8_t *)theirs + from, (const uint8_t *)own + from, known - from);
	memset((uint8_t *)theirs + known, 0, size - known);
	return 0;
}
