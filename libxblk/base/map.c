// SPDX-License-Identifier: GPL-2.0-only
#include "base/map.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/util.h"

#define MAP_MIN 16 /* buckets */

uint64_t hash_seed[2];

static void draw_seed(void)
{
	/* Without entropy the tables still work, only less robustly. */
	if (getrandom(hash_seed, sizeof(hash_seed), GRND_NONBLOCK) < 0)
		hash_seed[0] = hash_seed[1] = 0x9e3779b97f4a7c15ull;
	hash_seed[1] |= 1;
}

static size_t nr_buckets(const struct map *m)
{
	return m->buckets ? m->mask / sizeof(*m->buckets) + 1 : 0;
}

static void make_buckets(struct map *m, size_t nr)
{
	m->buckets = xaligned_alloc(sizeof(*m->buckets), nr * sizeof(*m->buckets));
	memset(m->buckets, 0, nr * sizeof(*m->buckets));
	m->mask = (nr - 1) * sizeof(*m->buckets);
	m->nr = 0;
	m->nr_max = nr * 3 / 2;
}

void map_init(struct map *m)
{
	static pthread_once_t drawn = PTHREAD_ONCE_INIT;

	pthread_once(&drawn, draw_seed);
	make_buckets(m, MAP_MIN);
}

void map_deinit(struct map *m)
{
	free(m->buckets);
	memset(m, 0, sizeof(*m));
}

void map_each(struct map *m, void (*fn)(void *value))
{
	for (size_t i = 0; i < nr_buckets(m); i++) {
		for (unsigned int k = 0; k < MAP_SLOTS; k++) {
			if (m->buckets[i].used & 1u << k)
				fn(m->buckets[i].values[k]);
		}
	}
}

/* A slot for a key that the map does not have, from its home @b on. */
static void **insert(struct map *m, struct map_bucket *b, uint32_t key)
{
	unsigned int i;

	while (b->used == MAP_FULL) {
		b->overflown++;
		b = map_behind(m, b);
	}
	i = __builtin_ctz(~b->used);
	b->used |= 1u << i;
	b->keys[i] = key;
	b->values[i] = NULL;
	m->nr++;
	return &b->values[i];
}

static void grow(struct map *m)
{
	struct map old = *m;

	make_buckets(m, 2 * nr_buckets(&old));
	for (size_t i = 0; i < nr_buckets(&old); i++) {
		const struct map_bucket *b = &old.buckets[i];

		for (unsigned int k = 0; k < MAP_SLOTS; k++) {
			if (b->used & 1u << k)
				*insert(m, map_home(m, b->keys[k]), b->keys[k]) =
					b->values[k];
		}
	}
	free(old.buckets);
}

/* The bucket that has @key, from its home @b on, or NULL; *@hits says where in it. */
static struct map_bucket *find(const struct map *m, struct map_bucket *b, uint32_t key,
			       unsigned int *hits)
{
	while (!(*hits = bucket_match(b, key))) {
		if (!b->overflown)
			return NULL;
		b = map_behind(m, b);
	}
	return b;
}

void **map_place_behind(struct map *m, struct map_bucket *home, uint32_t key)
{
	unsigned int hits;
	struct map_bucket *b = find(m, home, key, &hits);

	if (b)
		return &b->values[__builtin_ctz(hits)];
	if (map_crowded(m)) {
		grow(m);
		home = map_home(m, key);
	}
	return insert(m, home, key);
}

void map_del_behind(struct map *m, struct map_bucket *home, uint32_t key,
		    const void *value)
{
	unsigned int hits;
	struct map_bucket *b = find(m, home, key, &hits);

	if (!b || b->values[__builtin_ctz(hits)] != value)
		return;
	b->used &= ~hits;
	m->nr--;
	for (; home != b; home = map_behind(m, home))
		home->overflown--;
}
