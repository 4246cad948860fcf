/* SPDX-License-Identifier: GPL-2.0-only */
/* The span of time that was asked for, and how much of a trace it takes. */
#ifndef LIBXBLK_SPAN_H
#define LIBXBLK_SPAN_H

#include <stdbool.h>

#include "select/filter.h"
#include "input/index.h"
#include "parse.h"

/*
 * Have @p, which can seek, begin to read so early that what is asked for is the same
 * as if everything were read: what is in flight when the span begins has to be known.
 * How early that is, trying tells.  Where no row of the index is so old, everything is
 * read.  @x must outlive @p.
 */
void span_begin(struct parse *p, const struct seekable *src, const struct index *x,
		const struct filter *f);

/*
 * Nothing that comes can be of it, or change what was, but for a loss that is told late:
 * the time for parse_rest().
 */
bool span_over(const struct parse *p, const struct filter *f);

#endif
