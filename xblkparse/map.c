// SPDX-License-Identifier: GPL-2.0-only
#include "map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "util.h"

#define MAP_MIN 64

static uint64_t seed;

/* The finaliser of MurmurHash3: every bit of the input moves every bit out. */
uint64_t hash_mix(uint64_t x)
{
	x ^= seed;
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdull;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ull;
	x ^= x >> 33;
	return x;
}

void map_init(struct map *m)
{
	/* Without entropy the tables still work, only less robustly. */
	if (!seed && getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
		seed = (uintptr_t)m;
	m->mask = MAP_MIN - 1;
	m->nr = 0;
	m->slots = xcalloc(MAP_MIN, sizeof(*m->slots));
}

void map_deinit(struct map *m)
{
	free(m->slots);
	memset(m, 0, sizeof(*m));
}

static size_t home(const struct map *m, uint32_t key)
{
	return hash_mix(key) & m->mask;
}

static struct map_slot *find(const struct map *m, uint32_t key)
{
	size_t i = home(m, key);

	while (m->slots[i].value && m->slots[i].key != key)
		i = (i + 1) & m->mask;
	return &m->slots[i];
}

void *map_get(const struct map *m, uint32_t key)
{
	return find(m, key)->value;
}

static void grow(struct map *m)
{
	struct map_slot *old = m->slots;
	size_t nr_old = m->mask + 1;

	m->mask = nr_old * 2 - 1;
	m->slots = xcalloc(nr_old * 2, sizeof(*m->slots));
	for (size_t i = 0; i < nr_old; i++) {
		if (old[i].value)
			*find(m, old[i].key) = old[i];
	}
	free(old);
}

void map_set(struct map *m, uint32_t key, void *value)
{
	struct map_slot *s = find(m, key);

	if (!s->value) {
		/* At most half full, so that runs of slots stay short. */
		if ((m->nr + 1) * 2 > m->mask) {
			grow(m);
			s = find(m, key);
		}
		m->nr++;
	}
	s->key = key;
	s->value = value;
}

void map_del(struct map *m, uint32_t key)
{
	struct map_slot *s = find(m, key);
	size_t hole, i;

	if (!s->value)
		return;
	m->nr--;
	hole = s - m->slots;
	/* Close the hole with what could not be at home because of it. */
	for (i = (hole + 1) & m->mask; m->slots[i].value; i = (i + 1) & m->mask) {
		size_t at = home(m, m->slots[i].key);

		if (((i - at) & m->mask) >= ((i - hole) & m->mask)) {
			m->slots[hole] = m->slots[i];
			hole = i;
		}
	}
	m->slots[hole].value = NULL;
}
