// SPDX-License-Identifier: GPL-2.0-only
#include "pool.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define POOL_ASAN 1
#endif

#ifdef POOL_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(addr, size)	((void)(addr), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(addr, size) ((void)(addr), (void)(size))
#endif

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

/* A freed object holds the link of the free list; the rest is out of bounds. */
void pool_put(struct pool *p, void *obj)
{
	*(void **)obj = p->free;
	p->free = obj;
	ASAN_POISON_MEMORY_REGION(obj, p->size);
}

static void pool_grow(struct pool *p)
{
	char *block = xmalloc(p->size * BLOCK_OBJECTS);

	p->blocks = xrealloc(p->blocks, (p->nr_blocks + 1) * sizeof(*p->blocks));
	p->blocks[p->nr_blocks++] = block;
	for (size_t i = BLOCK_OBJECTS; i-- > 0;)
		pool_put(p, block + i * p->size);
}

void *pool_get(struct pool *p)
{
	void *obj;

	if (!p->free)
		pool_grow(p);
	obj = p->free;
	ASAN_UNPOISON_MEMORY_REGION(obj, p->size);
	p->free = *(void **)obj;
	memset(obj, 0, p->size);
	return obj;
}
