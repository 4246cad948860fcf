/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A histogram of latencies in ns: linear within an octave, 64 buckets each,
 * so a value read back is wrong by 1/64 at most, whatever its size.
 */
#ifndef LIBXBLK_HIST_H
#define LIBXBLK_HIST_H

#include <stddef.h>
#include <stdint.h>

#define HIST_SUB_BITS 6
#define HIST_BUCKETS  ((64 - HIST_SUB_BITS + 1) << HIST_SUB_BITS)

struct hist {
	uint64_t count;
	uint64_t min, max; /* exact; 0 without a count */
	unsigned __int128 sum;
	uint64_t buckets[HIST_BUCKETS];
};

static inline size_t hist_bucket(uint64_t ns)
{
	/* Below two octaves' worth every value has a bucket of its own. */
	unsigned int shift =
		63 - __builtin_clzll(ns | 1u << HIST_SUB_BITS) - HIST_SUB_BITS;

	return ((size_t)shift << HIST_SUB_BITS) + (ns >> shift);
}

static inline void hist_add(struct hist *h, uint64_t ns)
{
	if (!h->count || ns < h->min)
		h->min = ns;
	if (ns > h->max)
		h->max = ns;
	h->count++;
	h->sum += ns;
	h->buckets[hist_bucket(ns)]++;
}

void hist_merge(struct hist *to, const struct hist *from);
uint64_t hist_mean(const struct hist *h);
/* The value that @permille / 1000 of all are not above; 0 if empty. */
uint64_t hist_quantile(const struct hist *h, unsigned int permille);
/* The smallest value that falls into a bucket. */
uint64_t hist_lower(size_t bucket);

#endif
