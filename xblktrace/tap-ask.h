/* SPDX-License-Identifier: GPL-2.0-only */
/* The asking end of a tap: what a second xblktrace does. */
#ifndef XBLKTRACE_TAP_ASK_H
#define XBLKTRACE_TAP_ASK_H

#include "options.h"

/**
 * tap_ask - tap the capture that runs, until its end or that of the tap
 * @path:	where it listens
 * @opts:	what is wanted; what they say of buffers and the like cannot be had
 *
 * Return: 0, or -1 after an error message; what is in the file then is readable up to its
 * end.
 */
int tap_ask(const char *path, const struct options *opts);

#endif /* XBLKTRACE_TAP_ASK_H */
