/* SPDX-License-Identifier: GPL-2.0-only */
/* How a tap begins: from which moment on it has what the capture has, and what it has
 * first. */
#ifndef XBLKTRACE_TAP_BEGIN_H
#define XBLKTRACE_TAP_BEGIN_H

#include <sys/types.h>

/**
 * taps_ask - begin a tap, if it may be
 * @arg:	the capture
 * @request:	see tap-request.h
 * @fd, @pid:	of who asks
 *
 * Return: NULL: @request and @fd are the tap's; else why not, until the next call.
 */
const char *taps_ask(void *arg, char *request, int fd, pid_t pid);

#endif /* XBLKTRACE_TAP_BEGIN_H */
