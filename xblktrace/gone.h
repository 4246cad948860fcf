/* SPDX-License-Identifier: GPL-2.0-only */
/* Guests that are no more make room for others. */
#ifndef XBLKTRACE_GONE_H
#define XBLKTRACE_GONE_H

struct capture;

/*
 * Let go of those whose domain has gone, and whose last counters, which META tells, are
 * in the file with all their records.  What they came to is told, and counts in the sums.
 */
void gone_turn(struct capture *c);

#endif /* XBLKTRACE_GONE_H */
