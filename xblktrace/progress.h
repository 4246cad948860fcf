/* SPDX-License-Identifier: GPL-2.0-only */
/* What the user is shown of a capture, while it runs and at its end. */
#ifndef XBLKTRACE_PROGRESS_H
#define XBLKTRACE_PROGRESS_H

#include "capture.h"

void progress_show(struct capture *c, uint64_t elapsed_ns);
void progress_summary(const struct capture *c, uint64_t duration_ns);

#endif /* XBLKTRACE_PROGRESS_H */
