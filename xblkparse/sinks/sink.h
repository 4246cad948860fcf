/* SPDX-License-Identifier: GPL-2.0-only */
/* Formats of what xblkparse says of a trace: all are equal, any number at once. */
#ifndef XBLKPARSE_SINK_H
#define XBLKPARSE_SINK_H

#include <stdio.h>

#include "report.h"
#include "text.h"

struct format;
struct output;

/* How a trace is shown: the same for all formats. */
struct sink_options {
	const struct filter *filter;
	const struct format *format; /* of an event's line */
	struct report_options report;
};

/**
 * struct sink - a format; what it has nothing to do for is NULL
 * @whole:	it is of all there is, whatever is chosen, and also of what is no trace
 * @tells_few:	what there is to say where few requests are joined, it says itself
 * @ask:	sets what it wants to be found out of requests
 * @new_state:	makes what it keeps meanwhile
 * @free_state:	ends that
 * @begin:	before the trace is read
 * @request:	each request that is chosen, as it ends
 * @event:	each event that is chosen, in the order of time
 * @interval:	each guest disk in each interval
 * @silence:	nothing came from the capture for so many seconds
 * @end:	after the trace was read; false: that is bad.  NULL: all is said by then
 *
 * An error of writing is the file's.
 */
struct sink {
	bool whole, tells_few;
	void (*ask)(struct xblk_analysis *a, const struct sink_options *o);
	void *(*new_state)(void);
	void (*free_state)(void *state);
	void (*begin)(struct output *to);
	void (*request)(struct output *to, const struct xblk *x,
			const struct xblk_request *r);
	void (*event)(struct output *to, const struct xblk *x,
		      const struct xblk_event_record *e);
	void (*interval)(struct output *to, const struct xblk *x,
			 const struct xblk_interval *i);
	void (*silence)(struct output *to, unsigned int seconds);
	bool (*end)(struct output *to, const struct xblk *x);
};

/**
 * struct output - a format at work
 * @sink:	the format
 * @options:	those of all formats
 * @state:	the format's own
 * @all:	whatever there is, is chosen
 * @out:	where it goes to
 * @text:	lines, before they are in @out
 * @file:	the name of @out; NULL: it is that of all formats without one
 * @made:	the file was not there before
 * @begun:	and something may be in it: it was emptied
 */
struct output {
	const struct sink *sink;
	const struct sink_options *options;
	void *state;
	bool all;
	FILE *out;
	const char *file;
	bool made, begun;
	struct text text;
};

enum sink_id {
	SINK_VERIFY,	   /* whether the trace is good */
	SINK_LIVE,	   /* a line a disk for each interval */
	SINK_EVENTS,	   /* a line each, as blkparse's */
	SINK_FORMAT,	   /* as one wants it */
	SINK_REQUESTS,	   /* a line each, for people */
	SINK_CSV_REQUESTS, /* a line each, comma-separated */
	SINK_CSV,	   /* the stages */
	SINK_JSON,	   /* the summary */
	SINK_TABLES,	   /* for people */
	SINK_MAX
};

extern const struct sink *const sinks[SINK_MAX];

/* Each is in its format's file. */
extern const struct sink verify_sink, live_sink, events_sink, format_sink, requests_sink,
	csv_requests_sink, csv_sink, json_sink, tables_sink;

#endif
