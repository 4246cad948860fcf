/* SPDX-License-Identifier: GPL-2.0-only */
/* -f: what a line of --events is, in blkparse's language. */
#ifndef XBLKPARSE_FORMAT_H
#define XBLKPARSE_FORMAT_H

#include <stdio.h>

#include "xblk.h"

struct format;

/* NULL if it makes no sense; @why then says what. */
struct format *format_parse(const char *text, char *why, size_t size);
void format_free(struct format *f);

/* As long as on_event() takes. */
void format_print(FILE *out, const struct format *f, const struct xblk *x,
		  const struct xblk_event_record *of);

#endif
