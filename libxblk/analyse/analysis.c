// SPDX-License-Identifier: GPL-2.0-only
#include "analyse/analysis.h"

void analysis_init(struct analysis *a, uint64_t start_ns, unsigned int top)
{
	timeline_init(&a->timeline, start_ns);
	slowest_init(&a->slowest, top);
	slowest_init(&a->oldest, top);
}

void analysis_deinit(struct analysis *a)
{
	breakdown_deinit(&a->breakdown);
	bands_deinit(&a->bands);
	timeline_deinit(&a->timeline);
	slowest_deinit(&a->slowest);
	slowest_deinit(&a->oldest);
}
