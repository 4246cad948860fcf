/* SPDX-License-Identifier: GPL-2.0-only */
/* Where what is printed goes to: several formats, each to a file of its own or not. */
#ifndef XBLKPARSE_OUTPUTS_H
#define XBLKPARSE_OUTPUTS_H

#include <stdio.h>

#include "options.h"
#include "sinks/sink.h"

struct outputs {
	const char *main_file; /* NULL: standard output */
	FILE *main;
	bool main_made, main_begun; /* as those of an output */
	int input; /* descriptor of the trace, which is never written to */
	struct sink_options options;
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

/**
 * struct wants - what is wanted of a trace for all that is printed
 * @requests, @events, @intervals: to be told of them
 * @silence:	to be told when nothing comes from the capture
 * @whole:	all of it, whatever is chosen
 * @lines:	something is printed while it is read
 * @analysis:	what is to be found out
 */
struct wants {
	bool requests, events, intervals, silence, whole, lines;
	struct xblk_analysis analysis;
};

struct wants outputs_want(const struct outputs *outputs);

void outputs_request(struct outputs *outputs, const struct xblk *x,
		     const struct xblk_request *r);
void outputs_event(struct outputs *outputs, const struct xblk *x,
		   const struct xblk_event_record *e);
void outputs_interval(struct outputs *outputs, const struct xblk *x,
		      const struct xblk_interval *i);
void outputs_silence(struct outputs *outputs, unsigned int seconds);

/* What is in lines so far goes to their files. */
void outputs_write(struct outputs *outputs);
/* Writing to one of them has failed, so there is no use in reading on. */
bool outputs_failed(const struct outputs *outputs);

/**
 * outputs_end() - print what there is to say of a trace that was read
 * @outputs:	what was opened
 * @x:		the trace
 *
 * Return: -1 after a message, or if an output found that the trace is bad.
 */
int outputs_end(struct outputs *outputs, const struct xblk *x);

/* Return: -1 after a message if what was written is not all there. */
int outputs_close(struct outputs *outputs);

#endif
