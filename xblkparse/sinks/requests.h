/* SPDX-License-Identifier: GPL-2.0-only */
/* A line a request, after one of titles; times are since @start_ns, when the trace began.
 */
#ifndef XBLKPARSE_REQUESTS_H
#define XBLKPARSE_REQUESTS_H

#include <stdio.h>

#include "text.h"
#include "xblk.h"

/* requests.c: for people */
void request_titles(FILE *out);
void request_print(struct text *t, uint64_t start_ns, const struct xblk_request *r);

/* csv.c: the same as comma-separated values */
void csv_request_titles(FILE *out);
void csv_request_print(struct text *t, uint64_t start_ns, const struct xblk_request *r);

#endif
