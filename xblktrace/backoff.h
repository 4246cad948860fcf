/* SPDX-License-Identifier: GPL-2.0-only */
/* When something is tried again: each time after a longer pause, up to ten minutes. */
#ifndef XBLKTRACE_BACKOFF_H
#define XBLKTRACE_BACKOFF_H

#include <stdint.h>

#define BACKOFF_MAX_NS 600000000000ull

/**
 * struct backoff - of one thing that is tried
 * @at:		not before then, in the caller's clock, ns; 0: at once
 * @pause:	from there to the next time, ns; 0: it has not been tried
 */
struct backoff {
	uint64_t at;
	uint64_t pause;
};

/* Not again sooner than @least ns after @now, nor than what it has come to. */
static inline void backoff(struct backoff *b, uint64_t now, uint64_t least)
{
	uint64_t pause = b->pause > least ? b->pause : least;

	b->at = now + pause;
	b->pause = pause < BACKOFF_MAX_NS / 2 ? 2 * pause : BACKOFF_MAX_NS;
}

#endif /* XBLKTRACE_BACKOFF_H */
