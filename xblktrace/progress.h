/* SPDX-License-Identifier: GPL-2.0-only */
/* What the user is shown of a capture, while it runs and at its end. */
#ifndef XBLKTRACE_PROGRESS_H
#define XBLKTRACE_PROGRESS_H

#include "state.h"

void progress_show(struct capture *c, uint64_t elapsed_ns);
/* What a guest has come to. */
void progress_guest(const struct capture *c, const struct guest *guest);
void progress_summary(const struct capture *c, uint64_t duration_ns);

/*
 * Who is traced, since when, where to, and what was lost, a line each: to be freed; NULL
 * if there is no memory.  Held against the drain, as progress_show().
 */
char *progress_status(struct capture *c, uint64_t elapsed_ns, const char *path);

#endif /* XBLKTRACE_PROGRESS_H */
