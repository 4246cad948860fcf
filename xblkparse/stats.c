// SPDX-License-Identifier: GPL-2.0-only
#include "stats.h"

#include <stdlib.h>

#include "util.h"

const char *const stage_names[STAGE_MAX] = {
	[STAGE_U_Q2D] = "U-Q2D", [STAGE_U_T] = "U-T", [STAGE_0_Q2D] = "0-Q2D",
	[STAGE_0_D2C] = "0-D2C", [STAGE_0_T] = "0-T", [STAGE_Q2C] = "Q2C",
};

const char *const bin_names[BIN_MAX] = {
	[BIN_JOINED] = "joined",
	[BIN_BEFORE_TRACE] = "before_trace",
	[BIN_IN_FLIGHT] = "in_flight",
	[BIN_LOST] = "lost",
	[BIN_NO_BACKEND_IO] = "no_backend_io",
	[BIN_NOT_SERVED] = "not_served",
	[BIN_INCOMPLETE] = "incomplete",
	[BIN_CAUSALITY] = "causality",
	[BIN_CLOCK_CHANGE] = "clock_change",
	[BIN_EVICTED] = "evicted",
	[BIN_AMBIGUOUS] = "ambiguous",
	[BIN_MALFORMED] = "malformed",
};

const char *const kind_names[KIND_MAX] = {
	[KIND_READ] = "reads",	     [KIND_WRITE] = "writes", [KIND_FLUSH] = "flushes",
	[KIND_DISCARD] = "discards", [KIND_OTHER] = "others",
};

static inline void add_stages(struct hist *to[STAGE_MAX], const int64_t stages[STAGE_MAX])
{
	for (int i = 0; i < STAGE_MAX; i++) {
		if (!to[i])
			to[i] = xcalloc(1, sizeof(*to[i]));
		hist_add(to[i], stages[i]);
	}
}

void stats_joined(struct disk_stats *s, const int64_t stages[STAGE_MAX])
{
	add_stages(s->stages, stages);
}

void stats_windowed(struct disk_stats *s, const int64_t stages[STAGE_MAX])
{
	add_stages(s->window, stages);
}

static void merge_count_add(struct merge_count *to, const struct merge_count *from)
{
	to->bios += from->bios;
	to->ended += from->ended;
	to->back += from->back;
	to->front += from->front;
	to->requests += from->requests;
	to->splits += from->splits;
	to->issued += from->issued;
	to->issued_sectors += from->issued_sectors;
	for (int i = 0; i < SIZE_CLASSES; i++)
		to->issued_sizes[i] += from->issued_sizes[i];
	to->requeues += from->requeues;
}

void stats_merge(struct disk_stats *to, const struct disk_stats *from)
{
	to->requests += from->requests;
	for (int i = 0; i < BIN_MAX; i++)
		to->bins[i] += from->bins[i];
	for (int i = 0; i < KIND_MAX; i++) {
		to->done[i].ios += from->done[i].ios;
		to->done[i].sectors += from->done[i].sectors;
	}
	to->errors += from->errors;
	to->flush_ends += from->flush_ends;
	merge_count_add(&to->guest, &from->guest);
	merge_count_add(&to->backend, &from->backend);
	to->backend_unmatched += from->backend_unmatched;
	for (int i = 0; i < STAGE_MAX; i++) {
		if (!from->stages[i])
			continue;
		if (!to->stages[i])
			to->stages[i] = xcalloc(1, sizeof(*to->stages[i]));
		hist_merge(to->stages[i], from->stages[i]);
	}
	for (int i = 0; i < SUB_MAX; i++) {
		if (!from->substages[i])
			continue;
		if (!to->substages[i])
			to->substages[i] = xcalloc(1, sizeof(*to->substages[i]));
		hist_merge(to->substages[i], from->substages[i]);
	}
	if (from->clock_checked) {
		if (!to->clock_checked || from->min_u_t < to->min_u_t)
			to->min_u_t = from->min_u_t;
		if (!to->clock_checked || from->min_0_t < to->min_0_t)
			to->min_0_t = from->min_0_t;
	}
	to->clock_checked += from->clock_checked;
	to->sum_checked += from->sum_checked;
	to->sum_failed += from->sum_failed;
	to->not_chosen += from->not_chosen;
}

void stats_deinit(struct disk_stats *s)
{
	for (int i = 0; i < STAGE_MAX; i++) {
		free(s->stages[i]);
		free(s->window[i]);
	}
	for (int i = 0; i < SUB_MAX; i++)
		free(s->substages[i]);
	if (s->analysis)
		analysis_deinit(s->analysis);
	free(s->analysis);
}
