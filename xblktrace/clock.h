/* SPDX-License-Identifier: GPL-2.0-only */
/* The clock by which xblktrace waits; times in a trace are Xen's, see dom0_now(). */
#ifndef XBLKTRACE_CLOCK_H
#define XBLKTRACE_CLOCK_H

#include <stdint.h>

/* Monotonic, ns.  From any thread. */
uint64_t monotonic_ns(void);

#endif /* XBLKTRACE_CLOCK_H */
