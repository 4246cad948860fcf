// SPDX-License-Identifier: GPL-2.0-only
#include "analyse/bands.h"

#include <stdlib.h>
#include <string.h>

const unsigned int band_permille[BANDS + 1] = {0, 500, 900, 990, 999, 1000};

const char *const band_names[BANDS] = {
	"p0-50", "p50-90", "p90-99", "p99-99.9", "p99.9-100",
};

static uint64_t rank_of(uint64_t count, unsigned int permille)
{
	return (uint64_t)(((unsigned __int128)count * permille + 999) / 1000);
}

void bands_grow(struct bands *b, size_t bucket, struct room *room)
{
	if (b->parts.nr && !room_take(room, sizeof(*b->sums) / sizeof(uint64_t)))
		b->unknown = hist_parts_share(&b->parts, bucket);
	else
		b->sums = hist_parts_grow(&b->parts, bucket, b->sums, sizeof(*b->sums));
}

void bands_fold(const struct bands *b, const struct hist *q2c, struct band to[BANDS])
{
	uint64_t first = 0, ends[BANDS];
	int band = 0;

	memset(to, 0, BANDS * sizeof(*to));
	for (int i = 0; i < BANDS; i++) {
		ends[i] = rank_of(q2c->count, band_permille[i + 1]);
		to[i].count = ends[i] - rank_of(q2c->count, band_permille[i]);
		to[i].from_ns = hist_quantile(q2c, band_permille[i]);
		to[i].to_ns = hist_quantile(q2c, band_permille[i + 1]);
	}
	for (unsigned int i = 0; i < HIST_BUCKETS; i++) {
		uint64_t count = hist_at(q2c, i), end = first + count;
		unsigned int part = b->parts.of[i / HIST_PART];

		/* This bucket's requests are those of the ranks from first to end. */
		for (uint64_t from = first; from < end;) {
			uint64_t until;

			while (ends[band] <= from)
				band++;
			until = ends[band] < end ? ends[band] : end;
			for (int s = 0; s < STAGE_PARTS; s++)
				to[band].sum[s] +=
					(double)b->sums[hist_index(part, i)][s] *
					(double)(until - from) / (double)count;
			from = until;
		}
		first = end;
	}
}

void bands_deinit(const struct bands *b)
{
	free(b->sums);
}
