/* SPDX-License-Identifier: GPL-2.0-only */
/* The span of time that was asked for, and how much of a trace it takes. */
#ifndef XBLKPARSE_SPAN_H
#define XBLKPARSE_SPAN_H

#include <stdbool.h>

#include "filter.h"
#include "parse.h"

/* Nothing that comes can be of it, or change what was: reading may end here. */
bool span_over(const struct parse *p, const struct filter *f);

#endif
