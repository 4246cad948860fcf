// SPDX-License-Identifier: GPL-2.0-only
#include "pool.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

#define BLOCK_OBJECTS 512

void pool_init(struct pool *p, size_t size)
{
	memset(p, 0, sizeof(*p));
	p->size = (size + 15) & ~(size_t)15;
}

void pool_deinit(struct pool *p)
{
	for (size_t i = 0; i < p->nr_blocks; i++) {
		ASAN_UNPOISON_MEMORY_REGION(p->blocks[i], p->size * BLOCK_OBJECTS);
		free(p->blocks[i]);
	}
	free(p->blocks);
	memset(p, 0, sizeof(*p));
}

void pool_grow(struct pool *p)
{
	char *block = xmalloc(p->size * BLOCK_OBJECTS);

	p->blocks = xrealloc(p->blocks, (p->nr_blocks + 1) * sizeof(*p->blocks));
	p->blocks[p->nr_blocks++] = block;
	for (size_t i = BLOCK_OBJECTS; i-- > 0;)
		pool_put(p, block + i * p->size);
}
