/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a trace goes: a file, a pipe or a device, standard output.
 *
 * A file has another name, beside its own, until output_take_name(): what was
 * there before stays while it is not known whether there will be a capture.
 */
#ifndef XBLKTRACE_OUTPUT_H
#define XBLKTRACE_OUTPUT_H

#include <stdbool.h>

#define DEFAULT_OUTPUT "trace.xblk"
#define OLD_OUTPUT     ".old" /* is added to the name of an earlier one */

/**
 * struct output - an output that is open
 * @fd:		does not block, unless it is a file or one shared with others; -1: none
 * @path:	for messages
 * @regular:	a file that can be cut back
 * @name:	what it is to be called
 * @unnamed:	what it is called until then; NULL where it has its name
 * @keep_old:	an earlier file of that name is kept
 */
struct output {
	int fd;
	const char *path;
	bool regular;
	char *name;
	char *unnamed;
	bool keep_old;
};

/**
 * output_open - open @path for writing
 * @path:	"-": standard output; NULL: the default name, which nobody has chosen:
 *		no link is followed there, and an earlier trace is kept
 *
 * A file that is made here has mode 0600: who did what to which disk is root's alone.
 *
 * Return: 0 or negative errno; -ENOTTY for a terminal as standard output.
 * output_close() in either case.
 */
int output_open(struct output *o, const char *path);

/**
 * output_take_name - give the file its name, in place of what has it
 *
 * Return: 0, 1: an earlier trace has OLD_OUTPUT added to its name, or negative errno.
 */
int output_take_name(struct output *o);

/* Close it; a file without its name is removed.  Return: 0 or negative errno. */
int output_close(struct output *o);

#endif /* XBLKTRACE_OUTPUT_H */
