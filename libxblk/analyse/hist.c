// SPDX-License-Identifier: GPL-2.0-only
#include "analyse/hist.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define SUB (1u << HIST_SUB_BITS)

uint64_t hist_lower(size_t bucket)
{
	unsigned int shift;

	if (bucket < 2 * SUB)
		return bucket;
	shift = (bucket >> HIST_SUB_BITS) - 1;
	return (uint64_t)((bucket & (SUB - 1)) | SUB) << shift;
}

bool room_take(struct room *room, unsigned int nr)
{
	unsigned int own, beyond;

	if (!room)
		return true;
	own = room->used < ROOM_OWN ? ROOM_OWN - room->used : 0;
	beyond = nr > own ? nr - own : 0;
	if (beyond && (!room->shared || *room->shared < beyond))
		return false;
	if (beyond)
		*room->shared -= beyond;
	room->used += nr;
	return true;
}

void room_give(struct room *room, unsigned int nr)
{
	if (!room)
		return;
	if (room->used > ROOM_OWN)
		*room->shared += min_u64(nr, room->used - ROOM_OWN);
	room->used -= nr;
}

/* Room for one part more, and for a part of what there is. */
static unsigned int more_room(const struct hist_parts *parts)
{
	unsigned int room = parts->room + parts->room / 4 + 1;

	return room < HIST_PARTS ? room : HIST_PARTS;
}

static void add_part(struct hist_parts *parts, size_t bucket)
{
	parts->of[bucket / HIST_PART] = ++parts->nr;
}

void *hist_parts_grow(struct hist_parts *parts, size_t bucket, void *rows, size_t size)
{
	if (parts->nr == parts->room) {
		parts->room = more_room(parts);
		rows = xrealloc(rows, parts->room * HIST_PART * size);
	}
	memset((char *)rows + parts->nr * HIST_PART * size, 0, HIST_PART * size);
	add_part(parts, bucket);
	return rows;
}

static struct hist *made(struct hist **to)
{
	if (!*to) {
		*to = xcalloc(1, sizeof(**to));
		(*to)->min = UINT64_MAX;
	}
	return *to;
}

bool hist_parts_share(struct hist_parts *parts, size_t bucket)
{
	parts->of[bucket / HIST_PART] = parts->nr > 0;
	return parts->nr;
}

void hist_grow(struct hist **to, size_t bucket, struct room *room)
{
	struct hist *h = made(to);

	if (h->parts.nr && !room_take(room, 1)) {
		h->beyond = hist_parts_share(&h->parts, bucket);
		return;
	}
	if (h->parts.nr == h->parts.room) {
		h->parts.room = more_room(&h->parts);
		h = xrealloc(h,
			     sizeof(*h) + h->parts.room * HIST_PART * sizeof(*h->counts));
	}
	memset(&h->counts[h->parts.nr * HIST_PART], 0, HIST_PART * sizeof(*h->counts));
	add_part(&h->parts, bucket);
	*to = h;
}

void hist_free(struct hist *h, struct room *room)
{
	if (!h)
		return;
	room_give(room, h->parts.nr - 1);
	while (h->carries) {
		struct hist_carry *carry = h->carries;

		h->carries = carry->next;
		free(carry);
	}
	free(h);
}

static void carry(struct hist *h, size_t index, uint64_t times)
{
	struct hist_carry *c = h->carries;

	while (c && c->index != index)
		c = c->next;
	if (!c) {
		c = xcalloc(1, sizeof(*c));
		c->index = index;
		c->next = h->carries;
		h->carries = c;
	}
	c->times += times;
}

void hist_carry(struct hist *h, size_t index)
{
	carry(h, index, 1);
}

static uint64_t count_at(const struct hist *h, size_t index)
{
	uint64_t count = h->counts[index];

	for (const struct hist_carry *c = h->carries; c; c = c->next)
		count += c->index == index ? c->times << 32 : 0;
	return count;
}

uint64_t hist_at(const struct hist *h, size_t bucket)
{
	size_t part = hist_part(h, bucket);

	return part ? count_at(h, hist_index(part, bucket)) : 0;
}

static void merge_part(struct hist **to, const struct hist *from, size_t first)
{
	size_t some, sum;

	if (!*to || !(*to)->parts.of[first / HIST_PART])
		hist_grow(to, first, NULL);
	some = hist_index(from->parts.of[first / HIST_PART], first);
	sum = hist_index((*to)->parts.of[first / HIST_PART], first);
	for (unsigned int i = 0; i < HIST_PART; i++) {
		uint64_t count = (*to)->counts[sum + i] + count_at(from, some + i);

		(*to)->counts[sum + i] = (uint32_t)count;
		if (unlikely(count >> 32))
			carry(*to, sum + i, count >> 32);
	}
}

void hist_merge(struct hist **to, const struct hist *from)
{
	if (!from)
		return;
	for (size_t i = 0; i < HIST_PARTS; i++) {
		if (from->parts.of[i])
			merge_part(to, from, i * HIST_PART);
	}
	made(to)->beyond |= from->beyond;
	(*to)->min = min_u64((*to)->min, from->min);
	(*to)->max = max_u64((*to)->max, from->max);
	(*to)->count += from->count;
	(*to)->sum += from->sum;
}

uint64_t hist_mean(const struct hist *h)
{
	return h ? (uint64_t)((h->sum + h->count / 2) / h->count) : 0;
}

/* The bucket with the value of that rank, from 1 on. */
static size_t bucket_of_rank(const struct hist *h, uint64_t rank)
{
	uint64_t seen = 0;

	for (size_t part = 0; part < HIST_PARTS; part++) {
		size_t first;

		if (!h->parts.of[part])
			continue;
		first = hist_index(h->parts.of[part], 0);
		for (size_t i = 0; i < HIST_PART; i++) {
			seen += count_at(h, first + i);
			if (seen >= rank)
				return part * HIST_PART + i;
		}
	}
	return HIST_BUCKETS - 1;
}

uint64_t hist_quantile(const struct hist *h, unsigned int permille)
{
	uint64_t rank;
	size_t i;

	if (!h || h->beyond)
		return 0;
	rank = (uint64_t)(((unsigned __int128)h->count * permille + 999) / 1000);
	if (!rank)
		return h->min;
	if (rank >= h->count)
		return h->max;
	i = bucket_of_rank(h, rank);
	/* The middle of the bucket halves the error; never beyond what was seen. */
	uint64_t low = hist_lower(i);
	uint64_t width = i < 2 * SUB ? 1 : 1ull << ((i >> HIST_SUB_BITS) - 1);
	uint64_t value = low + (width - 1) / 2;

	if (value < h->min)
		return h->min;
	return value > h->max ? h->max : value;
}
