/* SPDX-License-Identifier: GPL-2.0-only */
/* What a filter found. */
#ifndef XBLKPARSE_CHOSEN_H
#define XBLKPARSE_CHOSEN_H

#include "select/filter.h"
#include "xblk.h"

/**
 * chosen_tell() - say what of a filter the trace does not have, and what it has instead
 * @x:		the trace, read
 * @f:		what was chosen of it
 *
 * Also where all of it is there, and yet no request was chosen.
 *
 * Return: false if a guest, disk or process was named that is not in the trace.
 */
bool chosen_tell(const struct xblk *x, const struct filter *f);

#endif
