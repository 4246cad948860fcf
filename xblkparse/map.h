/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 32-bit identity -> object.  The table is one of buckets of a cache line; in
 * a bucket all keys are compared at once, so that finding one takes no branch
 * that is hard to foresee.  The hash is seeded, because the identities come
 * from guests.
 */
#ifndef XBLKPARSE_MAP_H
#define XBLKPARSE_MAP_H

#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define MAP_SLOTS 4

struct map_bucket {
	uint32_t keys[MAP_SLOTS];
	void *values[MAP_SLOTS];
	uint32_t used;	    /* bit n: slot n */
	uint32_t overflown; /* keys that are behind because it was full */
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct map_bucket) == 64, "a bucket is a cache line");

struct map {
	struct map_bucket *buckets;
	size_t mask;
	size_t nr;
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

/* The bucket where the search for a key begins. */
static inline struct map_bucket *map_home(const struct map *m, uint32_t key)
{
	return &m->buckets[hash_mix(key) & m->mask];
}

static inline struct map_bucket *map_behind(const struct map *m,
					    const struct map_bucket *b)
{
	return &m->buckets[(size_t)(b - m->buckets + 1) & m->mask];
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

/* Fetch the value of a key whose bucket is at hand, or something that is none. */
static inline void map_prefetch_value(const struct map *m, uint32_t key)
{
	const struct map_bucket *b = map_home(m, key);
	unsigned int hits = bucket_match(b, key) | 1u << (MAP_SLOTS - 1);
	uintptr_t value = (uintptr_t)b->values[__builtin_ctz(hits)];

	__builtin_prefetch((const void *)value, 1);
	__builtin_prefetch((const void *)(value + 64), 1);
	__builtin_prefetch((const void *)(value + 128), 1);
}

void map_init(struct map *m);
void map_deinit(struct map *m);
/*
 * Where the key's value is or is to be: the caller looks whether it is NULL,
 * and leaves something else there before it uses the map again.
 */
void **map_place(struct map *m, uint32_t key);
/* @value is not NULL; replaces what was there. */
void map_set(struct map *m, uint32_t key, void *value);
/* Remove the key, unless it stands for something other than @value by now. */
void map_del(struct map *m, uint32_t key, const void *value);
/* Each value of the map, to give it back. */
void map_each(struct map *m, void (*fn)(void *value));

#endif
