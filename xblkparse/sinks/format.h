/* SPDX-License-Identifier: GPL-2.0-only */
/* -f: what a line of --events is, in blkparse's language. */
#ifndef XBLKPARSE_FORMAT_H
#define XBLKPARSE_FORMAT_H

#include <stdio.h>

#include "parse.h"

struct format;

/* NULL if it makes no sense; @why then says what. */
struct format *format_parse(const char *text, char *why, size_t size);
void format_free(struct format *f);

/* Before the join has seen the record. */
void format_print(FILE *out, const struct format *f, const struct parse *p,
		  const struct stream *s, const struct xblk_record *r);

#endif
