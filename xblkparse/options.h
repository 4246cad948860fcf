/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line. */
#ifndef XBLKPARSE_OPTIONS_H
#define XBLKPARSE_OPTIONS_H

#include "select/filter.h"
#include "sinks/format.h"
#include "sinks/report.h"

/* A format that may have a file of its own. */
struct option_format {
	bool wanted;
	const char *file; /* NULL: where the tables would go, and instead of them */
};

static inline bool option_to_main(const struct option_format *f)
{
	return f->wanted && !f->file;
}

struct options {
	const char *input, *output; /* NULL: standard input, standard output */
	struct option_format json, csv;
	bool requests, events, verify, quiet;
	uint64_t interval_ns; /* of the running report; 0: none */
	unsigned int top;
	bool colour_always, colour_never;
	struct format *format; /* of events; NULL: the usual line */
	struct filter filter;
	struct report_options report;
};

/* -1: go on; else the exit status, after whatever there is to say. */
int options_parse(struct options *o, int argc, char **argv);
void options_deinit(struct options *o);

#endif
