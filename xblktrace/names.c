// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

#define FIRST_SIZE 64
/* A name is in one of so many slots in a row: what is looked at for it is bounded. */
#define ROW 8

struct name {
	uint32_t pid;
	bool used;
	uint8_t op;
	char comm[XBLK_COMM_LEN];
};

/* What a table of @size has of the pool. */
static size_t beyond_own(size_t size)
{
	return size > NAMES_OWN ? size - NAMES_OWN : 0;
}

/* Return: whether there are so many. */
static bool pool_take(struct names_pool *pool, size_t nr)
{
	size_t left = __atomic_load_n(&pool->left, __ATOMIC_RELAXED);

	do {
		if (left < nr)
			return false;
	} while (!__atomic_compare_exchange_n(&pool->left, &left, left - nr, true,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return true;
}

static void pool_give(struct names_pool *pool, size_t nr)
{
	__atomic_fetch_add(&pool->left, nr, __ATOMIC_RELAXED);
}

void names_free(struct names *names)
{
	if (names->pool)
		pool_give(names->pool, beyond_own(names->size));
	free(names->slots);
	*names = (struct names){0};
}

static struct name *slot(const struct names *names, uint32_t pid, unsigned int i)
{
	/* Process numbers come one after the other: so they are spread. */
	return &names->slots[((pid * 0x9e3779b1u >> 16) + i) & (names->size - 1)];
}

/* The one of @pid, or a free one; NULL if its row is full. */
static struct name *find(const struct names *names, uint32_t pid)
{
	struct name *free_one = NULL;
	unsigned int i;

	for (i = 0; names->size && i < ROW; i++) {
		struct name *name = slot(names, pid, i);

		if (name->used && name->pid == pid)
			return name;
		if (!name->used && !free_one)
			free_one = name;
	}
	return free_one;
}

static void put(struct names *names, const struct name *name)
{
	struct name *to = find(names, name->pid);

	*(to ? to : slot(names, name->pid, 0)) = *name;
}

/* Return: whether there is room for more. */
static bool grow(struct names *names)
{
	struct names more = {
		.size = names->size ? 2 * names->size : FIRST_SIZE,
		.pool = names->pool,
	};
	size_t i, share = beyond_own(more.size) - beyond_own(names->size);

	if (more.size > NAMES_MAX || (more.pool && !pool_take(more.pool, share)))
		return false;
	more.slots = calloc(more.size, sizeof(*more.slots));
	if (!more.slots) {
		if (more.pool)
			pool_give(more.pool, share);
		return false;
	}
	for (i = 0; i < names->size; i++)
		if (names->slots[i].used)
			put(&more, &names->slots[i]);
	free(names->slots);
	*names = more;
	return true;
}

static void note(struct names *names, const struct xblk_record *r)
{
	struct name name = {.pid = r->aux, .used = true, .op = r->op};

	memcpy(name.comm, r->comm, sizeof(name.comm));
	while (!find(names, name.pid) && grow(names))
		;
	if (names->size)
		put(names, &name);
}

void names_note(struct names *names, const struct xblk_record *records, size_t nr)
{
	const struct xblk_record *r;

	for (r = records; r < records + nr; r++)
		if (r->event == XBLK_EV_PROCESS)
			note(names, r);
}

size_t names_tell(const struct names *names, size_t *pos, struct xblk_record *to,
		  size_t max, uint64_t time)
{
	size_t nr = 0;

	for (; *pos < names->size && nr < max; ++*pos) {
		const struct name *name = &names->slots[*pos];

		if (!name->used)
			continue;
		to[nr] = (struct xblk_record){
			.time = time,
			.aux = name->pid,
			.disk = XBLK_NO_DISK,
			.event = XBLK_EV_PROCESS,
			.op = name->op,
		};
		memcpy(to[nr++].comm, name->comm, sizeof(name->comm));
	}
	return nr;
}
