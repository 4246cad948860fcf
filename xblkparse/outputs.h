/* SPDX-License-Identifier: GPL-2.0-only */
/* Where what is printed goes to: several formats, each to a file of its own or not. */
#ifndef XBLKPARSE_OUTPUTS_H
#define XBLKPARSE_OUTPUTS_H

#include <stdio.h>

#include "options.h"
#include "sinks/sink.h"

struct output {
	const struct sink *sink;
	const char *file; /* NULL: it goes to @main */
	FILE *out;
	bool made;	  /* the file was not there before */
	bool begun;	  /* and something may be in it: it was emptied */
	struct text text; /* lines of requests, before they are in @out */
};

struct outputs {
	const char *main_file; /* NULL: standard output */
	FILE *main;
	bool main_made, main_begun; /* as those of an output */
	int input;	  /* descriptor of the trace, which is never written to */
	struct text text; /* lines of events, before they are in @main */
	unsigned int nr;
	struct output of[SINK_MAX];
};

/**
 * outputs_open() - begin with what is printed while the trace is read
 * @outputs:	to be set up
 * @o:		what is wanted, and stays
 * @input:	descriptor of the trace
 *
 * A file into which something is put at the end alone is left as it is until then, but
 * opened now, so that what is in the way is told before the trace is read.
 *
 * Return: -1 after a message if something may not or cannot be written to.
 */
int outputs_open(struct outputs *outputs, const struct options *o, int input);

/* Whether the tables are one of them. */
bool outputs_have_tables(const struct outputs *outputs);
/* Whether any of them tells at the end of what was found out. */
bool outputs_want_summary(const struct outputs *outputs);
/* Whether any of them wants to be told of requests. */
bool outputs_want_requests(const struct outputs *outputs);
void outputs_request(struct outputs *outputs, uint64_t start_ns,
		     const struct xblk_request *r);

/* What is in lines so far goes to their files. */
void outputs_write(struct outputs *outputs);
/* Writing to one of them has failed, so there is no use in reading on. */
bool outputs_failed(const struct outputs *outputs);

/* What is printed of a trace that was read.  Return: -1 after a message. */
int outputs_end(struct outputs *outputs, const struct xblk *x, const struct options *o);

/* Return: -1 after a message if what was written is not all there. */
int outputs_close(struct outputs *outputs);

#endif
