/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a trace goes: a file, a pipe or a device, standard output.
 *
 * In place of an earlier file comes another one, which has a name of its own until
 * output_take_name(): the earlier one stays while it is not known whether there will be
 * a capture.
 */
#ifndef XBLKTRACE_OUTPUT_H
#define XBLKTRACE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define DEFAULT_OUTPUT "trace.xblk"
#define OLD_OUTPUT     ".old" /* is added to the name of an earlier one */

/**
 * struct output - an output that is open
 * @fd:		for output_write(); -1: none
 * @path:	what it is to be called; the caller's
 * @regular:	a file that can be cut back
 * @made:	it was made here, under a name that is its own
 * @socket:	the descriptor may be others', too, but each write says that it does not
 * wait
 * @shared:	a pipe or a device whose descriptor is others', too, and may block
 * @unnamed:	what it is called until then; NULL where it has its name
 * @created:	there was none of its name, and there is to be none without a capture
 * @keep_old:	what has the name is kept
 */
struct output {
	int fd;
	const char *path;
	bool regular;
	bool made;
	bool socket;
	bool shared;
	char *unnamed;
	bool created;
	bool keep_old;
};

/**
 * output_open - open @path for writing
 * @path:	"-": standard output; NULL: the default name, which nobody has chosen:
 *		what is there is neither opened nor followed, and is kept
 *
 * A file that is made here has mode 0600: who did what to which disk is root's alone.
 * One that is reached through a link, or beside which none can be made, is emptied and
 * written to as it is.
 *
 * Return: 0 or negative errno; -ENOTTY for a terminal as standard output.
 * output_close() in either case.
 */
int output_open(struct output *o, const char *path);

/**
 * output_take_name - give the file its name, in place of what has it
 *
 * Return: 0, 1: what had the name has OLD_OUTPUT added to it, or negative errno.
 */
int output_take_name(struct output *o);

/**
 * output_next - end this file, and go on with a new one of the same name
 * @keep:	how many there are to be, with the new one: the others have .1, the newest
 *		of them, .2 and so on added to the name; there is none beyond
 *
 * As logrotate does it: what has one of these names from earlier counts.  For a file that
 * was made here and has its name.
 *
 * Return: 0 or negative errno: none is open then.
 */
int output_next(struct output *o, unsigned int keep);

/**
 * output_write - as write(), and does not wait unless it is a file
 *
 * Return: bytes written, or -1 with errno; EAGAIN: when poll() says so.
 */
ssize_t output_write(const struct output *o, const void *buf, size_t len);

/**
 * enum output_name - what has become of the name, which nobody is kept from changing
 * @OUTPUT_NAMED: nothing; also of what is not a file, or has no name yet
 * @OUTPUT_RENAMED: it is another file's, or none's
 * @OUTPUT_REMOVED: likewise, and no name is left to the file
 */
enum output_name {
	OUTPUT_NAMED,
	OUTPUT_RENAMED,
	OUTPUT_REMOVED,
};

/* Where that cannot be found out nothing has. */
enum output_name output_look(const struct output *o);

/* Close it; a file that was made and has not taken its name is removed.  Return: 0 or
 * negative errno. */
int output_close(struct output *o);

#endif /* XBLKTRACE_OUTPUT_H */
