// SPDX-License-Identifier: GPL-2.0-only
#include "analyse/stats.h"

#include <stdlib.h>

static inline void add_stages(struct hist *to[STAGE_MAX], size_t bucket,
			      const int64_t stages[STAGE_MAX], struct room *room)
{
	for (int i = 0; i < STAGE_PARTS; i++)
		hist_add(&to[i], stages[i], room);
	hist_add_at(&to[STAGE_Q2C], bucket, stages[STAGE_Q2C], room);
}

void stats_joined(struct disk_stats *s, size_t bucket, const int64_t stages[STAGE_MAX])
{
	add_stages(s->stages, bucket, stages, &s->room);
}

void stats_windowed(struct disk_stats *s, size_t bucket, const int64_t stages[STAGE_MAX])
{
	add_stages(s->window, bucket, stages, &s->room);
}

void stats_merge(struct disk_stats *to, const struct disk_stats *from)
{
	to->requests += from->requests;
	for (int i = 0; i < BIN_MAX; i++)
		to->bins[i] += from->bins[i];
	for (int i = 0; i < STAGE_MAX; i++)
		hist_merge(&to->stages[i], from->stages[i]);
	for (int i = 0; i < SUB_MAX; i++)
		hist_merge(&to->substages[i], from->substages[i]);
	if (from->clock_checked) {
		if (!to->clock_checked || from->min_u_t < to->min_u_t)
			to->min_u_t = from->min_u_t;
		if (!to->clock_checked || from->min_0_t < to->min_0_t)
			to->min_0_t = from->min_0_t;
	}
	to->clock_checked += from->clock_checked;
	to->not_chosen += from->not_chosen;
}

void stats_deinit(struct disk_stats *s)
{
	for (int i = 0; i < STAGE_MAX; i++) {
		hist_free(s->stages[i], NULL);
		hist_free(s->window[i], NULL);
	}
	for (int i = 0; i < SUB_MAX; i++)
		hist_free(s->substages[i], NULL);
	if (s->analysis)
		analysis_deinit(s->analysis);
	free(s->analysis);
}
