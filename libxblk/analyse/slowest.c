// SPDX-License-Identifier: GPL-2.0-only
#include "analyse/slowest.h"

#include <stdlib.h>

#include "base/util.h"

void slowest_init(struct slowest *s, unsigned int max)
{
	s->nr = 0;
	s->max = max;
	s->least = UINT64_MAX;
	s->heap = NULL;
}

void slowest_deinit(struct slowest *s)
{
	free(s->heap);
}

static void up(struct slowest *s, unsigned int i, const struct slow *slow)
{
	while (i && s->heap[(i - 1) / 2].key > slow->key) {
		s->heap[i] = s->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	s->heap[i] = *slow;
}

static void down(struct slowest *s, const struct slow *slow)
{
	unsigned int i = 0, child;

	while ((child = 2 * i + 1) < s->nr) {
		if (child + 1 < s->nr && s->heap[child + 1].key < s->heap[child].key)
			child++;
		if (s->heap[child].key >= slow->key)
			break;
		s->heap[i] = s->heap[child];
		i = child;
	}
	s->heap[i] = *slow;
}

static void put(struct slowest *s, const struct slow *slow)
{
	/* It grows by doubling: few disks have many. */
	if (!(s->nr & (s->nr - 1)))
		s->heap = xrealloc(s->heap, (s->nr ? 2 * s->nr : 1) * sizeof(*s->heap));
	up(s, s->nr++, slow);
}

void slowest_add(struct slowest *s, const struct slow *slow)
{
	if (!slowest_wants(s, slow->key))
		return;
	if (s->nr == s->max)
		down(s, slow);
	else
		put(s, slow);
	if (s->nr == s->max)
		s->least = s->heap[0].key;
}

static int compare(const void *a, const void *b)
{
	const struct slow *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? 1 : -1;
	return x->request.q_ns < y->request.q_ns ? -1 : x->request.q_ns > y->request.q_ns;
}

void slowest_sort(struct slowest *s)
{
	if (s->nr)
		qsort(s->heap, s->nr, sizeof(*s->heap), compare);
}
