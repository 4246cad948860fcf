/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What xr-sched.ko writes and xr-sched-read reads: a context switch. */
#ifndef XR_SCHED_H
#define XR_SCHED_H

#include "xenrelay/types.h"

#define XR_SCHED_CHANNEL "sched"
#define XR_SCHED_VERSION 1

/**
 * struct xr_sched_item - one context switch, on the CPU that the ring is for
 * @time_ns:	the guest's sched_clock()
 * @prev_pid:	thread that leaves the CPU; 0 is the idle thread
 * @next_pid:	thread that gets it
 * @next_comm:	its name, NUL-padded
 */
struct xr_sched_item {
	xblk_le64 time_ns;
	xblk_le32 prev_pid;
	xblk_le32 next_pid;
	char next_comm[16];
};

XBLK_STATIC_ASSERT(sizeof(struct xr_sched_item) == 32);

#endif /* XR_SCHED_H */
