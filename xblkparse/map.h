/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 32-bit identity -> object.  Open addressing with linear probing; the hash
 * is seeded, because the identities come from guests.
 */
#ifndef XBLKPARSE_MAP_H
#define XBLKPARSE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct map_slot {
	uint32_t key;
	void *value; /* NULL: the slot is empty */
};

struct map {
	struct map_slot *slots;
	size_t mask;
	size_t nr;
};

void map_init(struct map *m);
void map_deinit(struct map *m);
void *map_get(const struct map *m, uint32_t key);
/* @value is not NULL; replaces what was there. */
void map_set(struct map *m, uint32_t key, void *value);
void map_del(struct map *m, uint32_t key);

/* A hash which somebody who does not know this process cannot aim at. */
uint64_t hash_mix(uint64_t x);

#endif
