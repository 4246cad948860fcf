/* SPDX-License-Identifier: GPL-2.0-only */
/* What xblktrace says on stderr: "xblktrace: what: why", one line each. */
#ifndef XBLKTRACE_MSG_H
#define XBLKTRACE_MSG_H

#include <stdbool.h>

#include "xblk/version.h"

#define PROGRAM "xblktrace"

/* Say it; returns -1, for functions whose error has been told then. */
int msg_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Say something that does not end the capture, or its summary. */
void msg_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Say what is being done, only with -v. */
void msg_verbose(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void msg_set_verbose(bool verbose);

/*
 * Show a line that the next one replaces, if stderr is a terminal; other
 * messages clear it first.
 */
bool msg_progress_wanted(void);
void msg_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* XBLKTRACE_MSG_H */
