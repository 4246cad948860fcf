/* SPDX-License-Identifier: GPL-2.0-only */
/* How long to sleep between two rounds: little work when idle, no loss under load. */
#ifndef XBLKTRACE_PACE_H
#define XBLKTRACE_PACE_H

#include <stdint.h>

#define PACE_MAX_MS	  500
#define PACE_AIM_PERMILLE 333 /* how full a buffer is to be when it is read */

/**
 * struct pace - the sleep's state
 * @sleep_ms:	the last one
 */
struct pace {
	unsigned int sleep_ms;
};

/**
 * pace_next - choose the next sleep
 * @permille:	how full the fullest buffer was
 * @elapsed_ms: since the buffers were emptied before
 *
 * So long that at the same rate a buffer is PACE_AIM_PERMILLE full; 1 ms at least while it
 * is less.  Where reader and guests share a processor, a guest's requests
 * wait while records are read: few of them, for longer, is what costs them least.
 *
 * A sleep grows twofold at most, shrinks at once, and is none while a buffer is half full.
 *
 * Return: ms.
 */
unsigned int pace_next(struct pace *pace, unsigned int permille, uint64_t elapsed_ms);

#endif /* XBLKTRACE_PACE_H */
