/* SPDX-License-Identifier: GPL-2.0-only */
/* Several files of one capture, each of which is a trace that is read alone. */
#ifndef XBLKTRACE_ROTATE_H
#define XBLKTRACE_ROTATE_H

#include <stdbool.h>

struct capture;

/**
 * rotate - where the drain has ended a file, go on in another one
 * @waits:	see &struct writer.waits; passed @c
 *
 * Where the output is behind, that is for a later turn.  An error is told, and ends the
 * capture: the files that are whole stay so.
 */
void rotate(struct capture *c, bool (*waits)(void *arg));

#endif /* XBLKTRACE_ROTATE_H */
