// SPDX-License-Identifier: GPL-2.0-only
#include "analyse/hist.h"

#define SUB (1u << HIST_SUB_BITS)

uint64_t hist_lower(size_t bucket)
{
	unsigned int shift;

	if (bucket < 2 * SUB)
		return bucket;
	shift = (bucket >> HIST_SUB_BITS) - 1;
	return (uint64_t)((bucket & (SUB - 1)) | SUB) << shift;
}

void hist_merge(struct hist *to, const struct hist *from)
{
	if (!from->count)
		return;
	if (!to->count || from->min < to->min)
		to->min = from->min;
	if (!to->count || from->max > to->max)
		to->max = from->max;
	to->count += from->count;
	to->sum += from->sum;
	for (size_t i = 0; i < HIST_BUCKETS; i++)
		to->buckets[i] += from->buckets[i];
}

uint64_t hist_mean(const struct hist *h)
{
	return h->count ? (uint64_t)((h->sum + h->count / 2) / h->count) : 0;
}

uint64_t hist_quantile(const struct hist *h, unsigned int permille)
{
	uint64_t rank, seen = 0;
	size_t i;

	if (!h->count)
		return 0;
	rank = (uint64_t)(((unsigned __int128)h->count * permille + 999) / 1000);
	if (!rank)
		return h->min;
	if (rank >= h->count)
		return h->max;
	for (i = 0; i < HIST_BUCKETS - 1; i++) {
		seen += h->buckets[i];
		if (seen >= rank)
			break;
	}
	/* The middle of the bucket halves the error; never beyond what was seen. */
	uint64_t low = hist_lower(i);
	uint64_t width = i < 2 * SUB ? 1 : 1ull << ((i >> HIST_SUB_BITS) - 1);
	uint64_t value = low + (width - 1) / 2;

	if (value < h->min)
		return h->min;
	return value > h->max ? h->max : value;
}
