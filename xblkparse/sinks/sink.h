/* SPDX-License-Identifier: GPL-2.0-only */
/* Formats of what xblkparse says of requests: all are equal, any number at once. */
#ifndef XBLKPARSE_SINK_H
#define XBLKPARSE_SINK_H

#include <stdio.h>

#include "report.h"
#include "text.h"

/**
 * struct sink - a format; what it has nothing to do for is NULL
 * @begin:	before the trace is read
 * @request:	each request that is chosen, as it ends; @start_ns: when the trace began
 * @end:	after the trace was read, of the disks that @f chooses
 *
 * An error of writing is @out's.
 */
struct sink {
	void (*begin)(FILE *out);
	void (*request)(struct text *t, uint64_t start_ns, const struct xblk_request *r);
	void (*end)(FILE *out, const struct xblk *x, const struct filter *f,
		    const struct report_options *o);
};

enum sink_id {
	SINK_REQUESTS,	   /* a line each, for people */
	SINK_CSV_REQUESTS, /* a line each, comma-separated */
	SINK_CSV,	   /* the stages */
	SINK_JSON,	   /* the summary */
	SINK_TABLES,	   /* for people */
	SINK_MAX
};

extern const struct sink sinks[SINK_MAX];

#endif
