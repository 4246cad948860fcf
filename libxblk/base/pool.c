// SPDX-License-Identifier: GPL-2.0-only
#include "base/pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define LINE	    64 /* of the cache: what an object has in one is in one */
#define MIN_OBJECTS 16 /* of a block; each has twice as many as the one before */
#define MAX_OBJECTS 1024

void pool_init(struct pool *p, size_t size)
{
	memset(p, 0, sizeof(*p));
	p->size = (size + LINE - 1) & ~(size_t)(LINE - 1);
}

static size_t block_objects(size_t block)
{
	return block < 6 ? MIN_OBJECTS << block : MAX_OBJECTS;
}

void pool_deinit(struct pool *p)
{
	for (size_t i = 0; i < p->nr_blocks; i++) {
		ASAN_UNPOISON_MEMORY_REGION(p->blocks[i], p->size * block_objects(i));
		free(p->blocks[i]);
	}
	free(p->blocks);
	memset(p, 0, sizeof(*p));
}

void pool_grow(struct pool *p)
{
	size_t nr = block_objects(p->nr_blocks);
	char *block = xaligned_alloc(LINE, p->size * nr);

	p->blocks = xrealloc(p->blocks, (p->nr_blocks + 1) * sizeof(*p->blocks));
	p->blocks[p->nr_blocks++] = block;
	for (size_t i = nr; i-- > 0;)
		pool_put(p, block + i * p->size);
}
