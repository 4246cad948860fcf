/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 32-bit identity -> object.  The table is one of buckets of a cache line; in
 * a bucket all keys are compared at once, so that finding one takes no branch
 * that is hard to foresee.  The hash is seeded, because the identities come
 * from guests.
 */
#ifndef LIBXBLK_MAP_H
#define LIBXBLK_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/util.h"

#define MAP_SLOTS 4
#define MAP_FULL  ((1u << MAP_SLOTS) - 1) /* all slots in use */

struct map_bucket {
	uint32_t keys[MAP_SLOTS];
	void *values[MAP_SLOTS];
	uint32_t used;	    /* bit n: slot n */
	uint32_t overflown; /* keys that are behind because it was full */
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct map_bucket) == 64, "a bucket is a cache line");

struct map {
	struct map_bucket *buckets;
	size_t mask; /* of a bucket's place, in bytes */
	size_t nr;
	size_t nr_max; /* then there are more buckets */
};

extern uint64_t hash_seed[2];

/*
 * A hash which somebody who does not know this process cannot aim at: both
 * halves of one long product, folded.
 */
static inline uint64_t hash_mix(uint64_t x)
{
	unsigned __int128 product = (unsigned __int128)(x ^ hash_seed[0]) * hash_seed[1];

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The bucket where the search for a key begins; for keys so short this does as well. */
static inline struct map_bucket *map_home(const struct map *m, uint32_t key)
{
	size_t at = (key * hash_seed[1] + hash_seed[0]) >> 26 & m->mask;

	return (struct map_bucket *)((char *)m->buckets + at);
}

static inline struct map_bucket *map_behind(const struct map *m,
					    const struct map_bucket *b)
{
	size_t at = (size_t)((const char *)(b + 1) - (const char *)m->buckets) & m->mask;

	return (struct map_bucket *)((char *)m->buckets + at);
}

/* Bit n: slot n of the bucket has the key. */
static inline unsigned int bucket_match(const struct map_bucket *b, uint32_t key)
{
#ifdef __SSE2__
	__m128i equal = _mm_cmpeq_epi32(*(const __m128i *)b->keys, _mm_set1_epi32(key));

	return _mm_movemask_ps(_mm_castsi128_ps(equal)) & b->used;
#else
	unsigned int hits = 0;

	for (unsigned int i = 0; i < MAP_SLOTS; i++)
		hits |= (unsigned int)(b->keys[i] == key) << i;
	return hits & b->used;
#endif
}

static inline void *map_get(const struct map *m, uint32_t key)
{
	const struct map_bucket *b = map_home(m, key);

	for (;;) {
		unsigned int hits = bucket_match(b, key);

		if (hits)
			return b->values[__builtin_ctz(hits)];
		if (!b->overflown)
			return NULL;
		b = map_behind(m, b);
	}
}

void map_init(struct map *m);
void map_deinit(struct map *m);
/* Each value of the map, to give it back. */
void map_each(struct map *m, void (*fn)(void *value));
/* map_place() and map_del() of a key that may be behind its home. */
void **map_place_behind(struct map *m, struct map_bucket *home, uint32_t key);
void map_del_behind(struct map *m, struct map_bucket *home, uint32_t key,
		    const void *value);

/* One and a half a bucket at the most: then few of them are full. */
static inline bool map_crowded(const struct map *m)
{
	return m->nr >= m->nr_max;
}

/*
 * Where the key's value is or is to be: the caller looks whether it is NULL,
 * and leaves something else there before it uses the map again.
 */
static inline void **map_place(struct map *m, uint32_t key)
{
	struct map_bucket *b = map_home(m, key);
	unsigned int hits = bucket_match(b, key), i;

	if (hits)
		return &b->values[__builtin_ctz(hits)];
	if (unlikely(b->overflown || b->used == MAP_FULL || map_crowded(m)))
		return map_place_behind(m, b, key);
	i = __builtin_ctz(~b->used);
	b->used |= 1u << i;
	b->keys[i] = key;
	b->values[i] = NULL;
	m->nr++;
	return &b->values[i];
}

/* @value is not NULL; replaces what was there. */
static inline void map_set(struct map *m, uint32_t key, void *value)
{
	*map_place(m, key) = value;
}

/* Remove the key, unless it stands for something other than @value by now. */
static inline void map_del(struct map *m, uint32_t key, const void *value)
{
	struct map_bucket *b = map_home(m, key);
	unsigned int hits = bucket_match(b, key);

	if (unlikely(!hits)) {
		if (b->overflown)
			map_del_behind(m, b, key, value);
		return;
	}
	if (b->values[__builtin_ctz(hits)] != value)
		return;
	b->used &= ~hits;
	m->nr--;
}

#endif
