/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is not to be left behind where a signal ends the program at once, as it does
 * before a capture takes signals otherwise.
 */
#ifndef XBLKTRACE_LEAVINGS_H
#define XBLKTRACE_LEAVINGS_H

#include <signal.h>

/* SIGINT, SIGTERM and SIGHUP, where they are not blocked, remove what there is from now
 * on. */
void leavings_begin(void);

/* @path is made here, and is the caller's, until it is forgotten; at most four of them. */
void leavings_add(const char *path);
/* It has been removed, or stays; also where it never was added. */
void leavings_forget(const char *path);

/* While something is made of which it is not known before whether it is: signals wait. */
void leavings_hold(sigset_t *before);
void leavings_release(const sigset_t *before);

/* End the program with @text, of one line, and status 1, and leave nothing behind. */
void leavings_end(const char *text);

/* Likewise after so many seconds; 0: no more. */
void leavings_alarm(unsigned int seconds, const char *text);

#endif /* XBLKTRACE_LEAVINGS_H */
