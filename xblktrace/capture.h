/* SPDX-License-Identifier: GPL-2.0-only */
/* A capture: both sides started, read side by side, and stopped in order. */
#ifndef XBLKTRACE_CAPTURE_H
#define XBLKTRACE_CAPTURE_H

#include "state.h"

/**
 * capture_run - write the header, start both sides, go on until the end, stop
 *
 * All guests have been let go of when it returns, and the module traces no
 * more.  Return: 0, or -1 after an error message; what is in the file then is
 * readable up to its end.
 */
int capture_run(struct capture *c);

#endif /* XBLKTRACE_CAPTURE_H */
