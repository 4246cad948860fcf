/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects of one size that come and go with every event: taken from blocks,
 * kept on a free list, given back to the system all at once.
 */
#ifndef LIBXBLK_POOL_H
#define LIBXBLK_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/util.h"

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

struct pool {
	size_t size;
	void *free;
	void **blocks;
	size_t nr_blocks;
};

void pool_init(struct pool *p, size_t size);
void pool_deinit(struct pool *p);
void pool_grow(struct pool *p);

/* Never NULL. */
static inline void *pool_take(struct pool *p)
{
	void *obj;

	if (unlikely(!p->free))
		pool_grow(p);
	obj = p->free;
	ASAN_UNPOISON_MEMORY_REGION(obj, p->size);
	p->free = *(void **)obj;
	return obj;
}

/* The same, its first @size bytes zeroed: a constant, so that it takes no call and no
 * loop. */
static inline __attribute__((always_inline)) void *pool_get(struct pool *p, size_t size)
{
	typedef uint64_t pair __attribute__((vector_size(16), may_alias));
	pair *obj = pool_take(p);

#pragma GCC unroll 64
	for (size_t i = 0; i < (size + sizeof(pair) - 1) / sizeof(pair); i++)
		obj[i] = (pair){0};
	return obj;
}

/* A freed object holds the link of the free list; the rest is out of bounds. */
static inline void pool_put(struct pool *p, void *obj)
{
	*(void **)obj = p->free;
	p->free = obj;
	ASAN_POISON_MEMORY_REGION(obj, p->size);
}

#endif
