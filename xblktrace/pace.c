// SPDX-License-Identifier: GPL-2.0-only
#include "pace.h"

#define FULL_PERMILLE 500

static uint64_t at_most(uint64_t n, uint64_t max)
{
	return n < max ? n : max;
}

unsigned int pace_next(struct pace *pace, unsigned int permille, uint64_t elapsed_ms)
{
	uint64_t next = pace->sleep_ms ? 2 * pace->sleep_ms : 1;

	if (permille >= FULL_PERMILLE)
		next = 0;
	else if (permille)
		next = at_most(next, elapsed_ms * PACE_AIM_PERMILLE / permille);
	/* Far from full: not without a pause, however short the aim makes it. */
	if (!next && permille < PACE_AIM_PERMILLE)
		next = 1;
	pace->sleep_ms = at_most(next, PACE_MAX_MS);
	return pace->sleep_ms;
}
