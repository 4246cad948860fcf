// SPDX-License-Identifier: GPL-2.0-only
#include "base/gaps.h"

#include <string.h>

#include "base/util.h"

void gaps_add(struct gaps *g, uint64_t from, uint64_t to)
{
	for (unsigned int i = 0; i < g->nr; i++) {
		if (from <= g->span[i].to && to >= g->span[i].from) {
			g->span[i].from = min_u64(from, g->span[i].from);
			g->span[i].to = max_u64(to, g->span[i].to);
			return;
		}
	}
	if (g->nr == GAPS_MAX) {
		g->span[0].from = min_u64(g->span[0].from, g->span[1].from);
		g->span[0].to = max_u64(g->span[0].to, g->span[1].to);
		memmove(&g->span[1], &g->span[2], (GAPS_MAX - 2) * sizeof(g->span[0]));
		g->nr--;
	}
	g->span[g->nr].from = from;
	g->span[g->nr].to = to;
	g->nr++;
}

bool gaps_overlap(const struct gaps *g, uint64_t from, uint64_t to)
{
	for (unsigned int i = 0; i < g->nr; i++) {
		if (from <= g->span[i].to && to >= g->span[i].from)
			return true;
	}
	return false;
}

bool gaps_around(const struct gaps *g, uint64_t from, uint64_t to, uint64_t *lost_from,
		 uint64_t *lost_to)
{
	bool any = false;

	for (unsigned int i = 0; i < g->nr; i++) {
		if (from > g->span[i].to || to < g->span[i].from)
			continue;
		*lost_from = any ? min_u64(*lost_from, g->span[i].from) : g->span[i].from;
		*lost_to = any ? max_u64(*lost_to, g->span[i].to) : g->span[i].to;
		any = true;
	}
	return any;
}

uint64_t gaps_last(const struct gaps *g, uint64_t ns)
{
	uint64_t last = 0;

	for (unsigned int i = 0; i < g->nr; i++) {
		if (g->span[i].from <= ns)
			last = max_u64(last, min_u64(g->span[i].to, ns));
	}
	return last;
}

bool gaps_within(const struct gaps *g, uint64_t from, uint64_t to)
{
	return to > from + 1 && gaps_overlap(g, from + 1, to - 1);
}
