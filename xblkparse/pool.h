/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects of one size that come and go with every event: taken from blocks,
 * kept on a free list, given back to the system all at once.
 */
#ifndef XBLKPARSE_POOL_H
#define XBLKPARSE_POOL_H

#include <stddef.h>

struct pool {
	size_t size;
	void *free;
	void **blocks;
	size_t nr_blocks;
};

void pool_init(struct pool *p, size_t size);
void pool_deinit(struct pool *p);
/* Zeroed; never NULL. */
void *pool_get(struct pool *p);
void pool_put(struct pool *p, void *obj);

#endif
