/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line. */
#ifndef XBLKPARSE_OPTIONS_H
#define XBLKPARSE_OPTIONS_H

#include "filter.h"
#include "format.h"
#include "report.h"

struct options {
	const char *input, *output, *json_file;
	bool requests, events, json, csv, verify, quiet;
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
