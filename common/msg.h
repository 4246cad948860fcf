/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a program says on stderr: "program: what: why", one line each, in which nothing is
 * left that a terminal would obey.  Any thread may say something.
 */
#ifndef XBLK_MSG_H
#define XBLK_MSG_H

#include <stdbool.h>

/* Nothing is said: what is tried is not to be told, or a test's input is broken. */
extern bool msg_silent;

/* Say it; returns -1, for functions whose error has been told then. */
int msg_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Say something that does not end what is being done, or its summary. */
void msg_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Say what is being done, only with -v. */
void msg_verbose(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void msg_set_verbose(bool verbose);

/*
 * A line waits so long at most where stderr takes nothing, as a terminal that was stopped
 * by Ctrl-S; what is not shown then is counted, and the number told.  -1, for ever,
 * unless this is called.
 */
void msg_set_patience(int ms);

/*
 * Show a line that the next one replaces, if stderr is a terminal; other
 * messages clear it first.  Not shown while the terminal takes nothing.
 */
bool msg_progress_wanted(void);
void msg_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Clear it, for what goes to the terminal by another way. */
void msg_progress_end(void);

#endif /* XBLK_MSG_H */
