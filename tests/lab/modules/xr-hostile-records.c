// SPDX-License-Identifier: GPL-2.0-only
/* Lies about items: what is in the records, and how many there are. */
#include <linux/random.h>
#include <linux/sched/clock.h>
#include <linux/string.h>
#include "xr-hostile.h"

static void put(const struct xblk_record *rec)
{
	void *room = xenrelay_ring_reserve(ring());

	if (!room) {
		xenrelay_ring_lose(ring(), rec->time);
		return;
	}
	memcpy(room, rec, sizeof(*rec));
	xenrelay_ring_commit(ring());
}

/* A request that was queued, issued and completed: well formed, at least. */
void put_request(void)
{
	static u32 id;
	struct xblk_record rec = {
		.time = sched_clock(),
		.sector = (u64)id * 8,
		.nr_sectors = 8,
		.event = XBLK_EV_QUEUE,
	};

	rec.id = ++id;
	put(&rec);
	rec.event = XBLK_EV_ISSUE;
	rec.aux = rec.id;
	put(&rec);
	rec.event = XBLK_EV_COMPLETE;
	rec.aux = 0;
	put(&rec);
}

/* Which variant of a bad record comes next. */
static u64 nth;

static void put_noise(void)
{
	struct xblk_record rec;

	get_random_bytes(&rec, sizeof(rec));
	put(&rec);
}

static void put_absurd(void)
{
	static const u64 extremes[] = {0, 1, 1ull << 31, 1ull << 63, ~0ull, ~0ull - 1};
	struct xblk_record rec = {
		.time = sched_clock(),
		.sector = extremes[nth % ARRAY_SIZE(extremes)],
		.nr_sectors = extremes[nth / 7 % ARRAY_SIZE(extremes)],
		.id = nth % 5,
		.aux = nth % 3,
		.event = nth % (XBLK_EV_MAX + 3),
		.op = nth / 11,
		.disk = nth % 13 ? 0 : nth,
	};

	put(&rec);
}

static void put_time(void)
{
	struct xblk_record rec = {
		.time = sched_clock(),
		.sector = 8,
		.nr_sectors = 8,
		.id = 1 + nth / 3,
		.event = (u8[]){XBLK_EV_QUEUE, XBLK_EV_ISSUE, XBLK_EV_COMPLETE}[nth % 3],
	};

	switch (nth % 5) {
	case 0:
		rec.time = 0;
		break;
	case 1:
		rec.time = ~0ull;
		break;
	case 2:
		rec.time += 3600ull * NSEC_PER_SEC;
		break;
	case 3:
		rec.time -= 5ull * NSEC_PER_SEC;
		break;
	}
	put(&rec);
}

/* Names that would clear a terminal, set its title or go on in the next line. */
static void put_name(void)
{
	static const char names[][XBLK_COMM_LEN] = {
		"\033[2J\033[31mred",	 "\033]0;title\007", "two\nlines\r",
		"\x9b\x33\x31m\xff\xfe", "\"},{<b>$(id)`",
	};
	struct xblk_record rec = {
		.time = sched_clock(),
		.aux = nth % 7,
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_PROCESS,
	};

	memcpy(rec.comm, names[nth % ARRAY_SIZE(names)], XBLK_COMM_LEN);
	put(&rec);
	rec = (struct xblk_record){
		.time = sched_clock(),
		.nr_sectors = 8,
		.id = nth,
		.aux = nth % 7,
		.event = XBLK_EV_QUEUE,
	};
	put(&rec);
}

static void put_lost(void)
{
	struct xblk_record rec = {
		.time = sched_clock(),
		.lost = {.until = nth % 2 ? 0 : ~0ull, .count = ~0ull - nth},
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_LOST,
	};

	put(&rec);
}

/* The items change under the reader's eyes. */
static void rewrite_items(void)
{
	get_random_bytes(peer.bufs->data[0].vaddr, 4096);
	put_request();
}

/* As many as the ring holds, each time that the reader has taken some. */
static void flood(void)
{
	unsigned int i;

	for (i = 0; i < peer.bufs->nr_rings; i++) {
		struct xenrelay_ring *r = &peer.bufs->rings[i];
		u64 tail = xblk_load_acquire(&r->consumer->ring.tail);

		xblk_store_release(&r->producer->ring.head, tail + r->capacity);
	}
}

/* All that a reader cannot see through, in one: what is behind a guest's word is its
 * own.
 */
static void put_garbage(void)
{
	static void (*const kinds[])(void) = {
		put_noise,   put_absurd,   put_time,	  put_name,	put_lost,
		put_request, spans_absurd, counters_wild, rewrite_info, rewrite_items,
	};

	kinds[peer.turns % ARRAY_SIZE(kinds)]();
	nth = peer.turns / ARRAY_SIZE(kinds);
}

const struct attack hostile_records[] = {
	{"garbage", .granted = ring_alias, .turn = put_garbage},
	{"flood", .turn = flood, .busy = true, .ring_pages = 2048},
	/* Of each possible vCPU, by a guest that leaves the processor to others. */
	{"flood-many", .turn = flood, .ring_pages = 64},
	{},
};
