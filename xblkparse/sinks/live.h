/* SPDX-License-Identifier: GPL-2.0-only */
/* -i: a line a disk for each interval, while the trace is read. */
#ifndef XBLKPARSE_LIVE_H
#define XBLKPARSE_LIVE_H

#include <stdio.h>

#include "select/filter.h"
#include "xblk.h"

struct live {
	unsigned int lines;
};

/* Titles come with it now and then; @f: disks that are shown. */
void live_print(FILE *out, struct live *l, const struct xblk *x, const struct filter *f,
		const struct xblk_interval *i);

#endif
