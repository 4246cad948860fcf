/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A histogram of latencies in ns: linear within an octave, 64 buckets each,
 * so a value read back is wrong by 1/64 at most, whatever its size.
 *
 * Latencies of a disk are in few octaves, and there are many disks: buckets are kept in
 * parts, and a part in which nothing has fallen takes a byte.  NULL is an empty one; the
 * first value makes it, and hist_free() is its end.
 */
#ifndef LIBXBLK_HIST_H
#define LIBXBLK_HIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HIST_SUB_BITS 6
#define HIST_BUCKETS  ((64 - HIST_SUB_BITS + 1) << HIST_SUB_BITS)
#define HIST_PART     16 /* buckets */
#define HIST_PARTS    (HIST_BUCKETS / HIST_PART)

_Static_assert(HIST_PARTS <= UINT8_MAX, "a part's number is a byte");

/*
 * How much room parts of histograms may take, as a guest may have times that are far
 * apart: 64 bytes each, but five times as much of room and twice that of bytes where
 * there are sums of five stages.  That is 36 KiB of each disk, and all disks' beyond that
 * 3 MiB, at most.  Of what got no more, counts, means and extremes are right, and
 * quantiles not known.
 */
#define ROOM_OWN    288
#define ROOM_SHARED 24576

struct room {
	unsigned int used;    /* parts of the disk's, without the first one of each */
	unsigned int *shared; /* how many more all disks may have; NULL: none */
};

/* Whether there is room for @nr more parts, which are taken then; NULL: for any. */
bool room_take(struct room *room, unsigned int nr);
/* So many are no more. */
void room_give(struct room *room, unsigned int nr);

/* Which parts there are, numbered from 1 on in the order of their appearance; 0: none. */
struct hist_parts {
	uint8_t nr, room;
	uint8_t of[HIST_PARTS];
};

/* How often a count has passed what it can hold. */
struct hist_carry {
	struct hist_carry *next;
	size_t index;
	uint64_t times;
};

/*
 * Where values fall is hard to foresee, so that counts should be in few lines of the
 * cache: they are short, and hardly one ever passes that.
 */
struct hist {
	uint64_t count;
	uint64_t min, max; /* exact */
	bool beyond; /* some are in buckets not their own, so no quantile is known */
	unsigned __int128 sum;
	struct hist_carry *carries; /* mostly none */
	struct hist_parts parts;
	uint32_t counts[]; /* by part and bucket */
};

static inline size_t hist_bucket(uint64_t ns)
{
	/* Below two octaves' worth every value has a bucket of its own. */
	unsigned int shift =
		(__builtin_clzll(ns | 1u << HIST_SUB_BITS) ^ 63) - HIST_SUB_BITS;

	return ((size_t)shift << HIST_SUB_BITS) + (ns >> shift);
}

/* Where a bucket is that has a part of its own. */
static inline size_t hist_index(size_t part, size_t bucket)
{
	return part * HIST_PART + bucket % HIST_PART - HIST_PART;
}

/* The number of the part that a bucket is in; 0: there is none. */
static inline size_t hist_part(const struct hist *h, size_t bucket)
{
	return h ? h->parts.of[bucket / HIST_PART] : 0;
}

/* Makes the part that @bucket is in, and @h, if there is none. */
void hist_grow(struct hist **h, size_t bucket, struct room *room);
/* The count at @index has become 0 once more. */
void hist_carry(struct hist *h, size_t index);
/* What it has taken of @room (NULL: of none) is free again; @h may be NULL. */
void hist_free(struct hist *h, struct room *room);
/*
 * The same of what else goes by buckets: @rows, of @size bytes each, which are zeroed at
 * first.  Return: where they are now.
 */
void *hist_parts_grow(struct hist_parts *parts, size_t bucket, void *rows, size_t size);
/* Without room, what is in @bucket goes to the first part.  False: there is none so far. */
bool hist_parts_share(struct hist_parts *parts, size_t bucket);

static inline void hist_count(struct hist *h, uint64_t ns)
{
	h->count++;
	h->sum += ns;
	if (__builtin_expect(ns < h->min, 0))
		h->min = ns;
	if (__builtin_expect(ns > h->max, 0))
		h->max = ns;
}

/* @bucket: @ns's, for who has it already. */
static inline void hist_add_at(struct hist **to, size_t bucket, uint64_t ns,
			       struct room *room)
{
	struct hist *h = *to;
	size_t part = hist_part(h, bucket), index;

	if (__builtin_expect(!part, 0)) {
		hist_grow(to, bucket, room);
		h = *to;
		part = hist_part(h, bucket);
	}
	index = hist_index(part, bucket);
	if (__builtin_expect(!++h->counts[index], 0))
		hist_carry(h, index);
	hist_count(h, ns);
}

static inline void hist_add(struct hist **to, uint64_t ns, struct room *room)
{
	hist_add_at(to, hist_bucket(ns), ns, room);
}

/* How many there are in a bucket. */
uint64_t hist_at(const struct hist *h, size_t bucket);

void hist_merge(struct hist **to, const struct hist *from);
uint64_t hist_mean(const struct hist *h);
/* The value that @permille / 1000 of all are not above; 0 if empty, or with some beyond. */
uint64_t hist_quantile(const struct hist *h, unsigned int permille);
/* The smallest value that falls into a bucket. */
uint64_t hist_lower(size_t bucket);

#endif
