// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: the reading end of a ring whose pages change while it reads.
 *
 * The input is a script: what the ring is like, then steps of two bytes.  A step
 * is a read or something that the guest does.  Those behind a read happen while
 * it runs: one before each load that the reading end makes, and one in the
 * middle of each copy.
 *
 * The guest has the producer's own code for its honest steps.  If all are
 * honest, each item must be read once and in order, and each loss told exactly,
 * at its place.  Whatever a lying one does, nothing is read or written out of
 * bounds, the work is bounded, and the counters agree with what was told.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../ring/producer.h"

/* From here on, each load of shared memory gives the guest a turn. */
static void meanwhile(void);
static void copy_meanwhile(void *to, const void *from, size_t size);

#undef xblk_load_acquire
#undef xblk_load_once
#define xblk_load_acquire(ptr) (meanwhile(), __atomic_load_n(ptr, __ATOMIC_ACQUIRE))
#define xblk_load_once(ptr)    (meanwhile(), __atomic_load_n(ptr, __ATOMIC_RELAXED))
#define memcpy		       copy_meanwhile
#include "../../ring/consumer.c"
#undef memcpy

#define MAX_CAPACITY  16
#define MAX_ITEM_SIZE 40

/* Of an input: more of them find no more. */
#define MAX_STEPS 200

/* What one read may cost: looks at shared memory, and bytes for each byte of room. */
#define MAX_LOADS  16
#define MAX_COPIES MAX_LAPS

/* An input's first bytes; the steps follow. */
struct head {
	uint8_t flags, item_words, capacity;
};

enum {
	LYING = 1,
	OVERWRITE = 2
};

enum step {
	NOTHING,
	READ,	  /* up to so many items */
	STOP,	  /* the reader learns that no more items come */
	WRITE,	  /* so many items */
	BEGIN,	  /* look for room, and write an item's first word */
	FINISH,	  /* write the rest of it, or count it as lost */
	LIE_HEAD, /* from here on only by a lying guest */
	LIE_SPANS,
	LIE_POSITION, /* of the newer, then the older span */
	LIE_POSITION_BEFORE,
	LIE_COUNT,
	LIE_COUNT_BEFORE,
	LIE_TIMES,
	SCRIBBLE, /* over an item's word */
	NR_STEPS,
};

static struct {
	const uint8_t *steps;
	size_t left;
	bool lying;

	union xenrelay_producer_line producer;
	struct xenrelay_loss_line losses;
	union xenrelay_consumer_line consumer;
	uint64_t *data;
	size_t item_words, nr_words;
	struct xenrelay_ring end;
	struct xr_ring ring;

	bool begun;	   /* an item, which is not finished */
	uint64_t *item;	   /* its room, if there was any */
	uint64_t attempts; /* items finished or lost */
	uint64_t last;	   /* the number of the last one read or told lost */
	uint64_t read, lost, told;
	unsigned int loads;
	size_t copied;
} f;

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fuzz_ring: %s\n", what);
	abort();
}

/* --- the guest ------------------------------------------------------------- */

/* Each item holds its number in every word, and the clock tells that number. */
static void begin_item(void)
{
	if (f.begun || (f.ring.stopped && !f.lying))
		return;
	f.begun = true;
	f.item = xenrelay_ring_reserve(&f.end);
	if (f.item)
		f.item[0] = f.attempts + 1;
}

static void finish_item(void)
{
	size_t i;

	if (!f.begun)
		return;
	f.begun = false;
	f.attempts++;
	if (!f.item) {
		xenrelay_ring_lose(&f.end, f.attempts);
		return;
	}
	for (i = 1; i < f.item_words; i++)
		f.item[i] = f.attempts;
	xenrelay_ring_commit(&f.end);
}

/* A number near one of those that matter. */
static uint64_t number(uint8_t arg)
{
	const uint64_t bases[] = {
		0,
		f.ring.tail,
		f.ring.head,
		f.ring.tail + f.ring.capacity,
		f.ring.spans,
		f.end.head,
		1ull << 63,
		UINT64_MAX,
	};

	return bases[arg % 8] + (arg >> 3) - 16;
}

static void lie(enum step step, uint8_t arg)
{
	struct xenrelay_span *newer = &f.losses.spans[f.producer.ring.spans % 2];
	struct xenrelay_span *older = &f.losses.spans[(f.producer.ring.spans + 1) % 2];

	switch (step) {
	case LIE_HEAD:
		f.producer.ring.head = number(arg);
		break;
	case LIE_SPANS:
		f.producer.ring.spans = number(arg);
		break;
	case LIE_POSITION:
		newer->position = number(arg);
		break;
	case LIE_POSITION_BEFORE:
		older->position = number(arg);
		break;
	case LIE_COUNT:
		newer->count = number(arg);
		break;
	case LIE_COUNT_BEFORE:
		older->count = number(arg);
		break;
	case LIE_TIMES:
		newer->first_ns = newer->last_ns = number(arg);
		break;
	case SCRIBBLE:
		f.data[arg % f.nr_words] ^= arg + 1;
		break;
	default:
		break;
	}
}

static void guest_does(enum step step, uint8_t arg)
{
	switch (step) {
	case NOTHING:
	case READ:
		break;
	case STOP:
		/* The reader's owner may see it only when it is true. */
		if (f.lying || !f.begun)
			f.ring.stopped = true;
		break;
	case WRITE:
		for (arg %= 2 * MAX_CAPACITY; arg; arg--) {
			begin_item();
			finish_item();
		}
		break;
	case BEGIN:
		begin_item();
		break;
	case FINISH:
		finish_item();
		break;
	default:
		if (f.lying)
			lie(step, arg);
	}
}

static enum step next_step(void)
{
	return f.left < 2 ? READ : f.steps[0] % NR_STEPS;
}

static void take_step(void)
{
	enum step step = next_step();
	uint8_t arg = f.steps[1];

	f.steps += 2;
	f.left -= 2;
	guest_does(step, arg);
}

static void meanwhile(void)
{
	f.loads++;
	/* While it reads it has not been told of the end. */
	if (next_step() != READ && next_step() != STOP)
		take_step();
}

static void copy_meanwhile(void *to, const void *from, size_t size)
{
	size_t half = size / 2;

	f.copied += size;
	memcpy(to, from, half);
	meanwhile();
	memcpy((char *)to + half, (const char *)from + half, size - half);
}

/* --- the reader ------------------------------------------------------------ */

static void check_honest(const uint64_t *buf, ssize_t n, const struct xenrelay_span *loss)
{
	ssize_t k;
	size_t i;

	check(n >= 0, "an honest guest was found to lie");
	if (loss->count && !f.ring.overwrite) {
		check(loss->first_ns == f.last + 1, "wrong time of a loss's first item");
		check(loss->last_ns == f.last + loss->count,
		      "wrong time of a loss's last item");
	}
	f.last += loss->count;
	for (k = 0; k < n; k++) {
		f.last++;
		for (i = 0; i < f.item_words; i++)
			check(*buf++ == f.last, "wrong item");
	}
}

static void check_counters(ssize_t n, size_t max, uint64_t tail,
			   const struct xenrelay_span *loss)
{
	f.lost += loss->count;
	f.told += !!loss->count;
	if (n < 0) {
		check(f.ring.broken, "an error without a reason");
		n = 0;
	} else {
		check(!f.ring.broken, "a reason without an error");
	}
	check((size_t)n <= max, "more items than asked for");
	check(!loss->count || loss->position == tail, "a loss in another place");
	f.read += n;
	check(f.ring.read == f.read, "items read and not counted");
	check(f.ring.lost == f.lost, "items lost and not told");
	check(f.ring.tail == f.consumer.ring.tail, "a position that is not published");
	check(f.ring.tail <= f.ring.head, "the reader is ahead of the writer");
	if (f.ring.overwrite) {
		check(f.ring.tail == f.read + f.lost, "items not accounted for");
		check(!f.ring.spans, "spans in overwrite mode");
	} else {
		check(f.ring.tail == f.read, "items not accounted for");
		check(f.ring.spans == f.told, "spans not told");
		check(f.ring.broken || f.ring.head - tail <= f.ring.capacity,
		      "a writer beyond the ring was believed");
	}
}

static ssize_t read_ring(size_t max)
{
	const size_t bytes = max * f.item_words * sizeof(uint64_t);
	const bool was_broken = f.ring.broken;
	const uint64_t tail = f.ring.tail;
	uint64_t *buf = malloc(bytes);
	struct xenrelay_span loss;
	ssize_t n;

	f.loads = 0;
	f.copied = 0;
	n = xr_ring_read(&f.ring, buf, max, &loss);
	check(f.loads <= MAX_LOADS + 2 * MAX_COPIES, "too many looks at shared memory");
	check(f.copied <= MAX_COPIES * bytes, "too much was copied");
	if (!f.lying)
		check_honest(buf, n, &loss);
	check_counters(n, max, tail, &loss);
	if (was_broken)
		check(n < 0 && !f.loads && !loss.count, "a broken ring was read");
	free(buf);
	return n < 0 ? 0 : n + (loss.count != 0);
}

static void run_script(const struct head *head)
{
	const size_t capacity =
		head->capacity % MAX_CAPACITY + 1 + !!(head->flags & OVERWRITE);

	f.lying = head->flags & LYING;
	f.item_words = head->item_words % (MAX_ITEM_SIZE / sizeof(uint64_t)) + 1;
	f.nr_words = capacity * f.item_words;
	/* Exactly the items, so that ASan sees one byte more. */
	f.data = calloc(f.nr_words, sizeof(uint64_t));
	xenrelay_ring_init(&f.end, f.data, f.nr_words * sizeof(uint64_t),
			   f.item_words * sizeof(uint64_t), head->flags & OVERWRITE,
			   &f.producer, &f.losses, &f.consumer);
	xr_ring_init(&f.ring, f.data, capacity, f.item_words * sizeof(uint64_t),
		     head->flags & OVERWRITE, &f.producer, &f.losses, &f.consumer);
	while (f.left >= 2) {
		uint8_t arg = f.steps[1];
		enum step step = next_step();

		take_step();
		if (step == READ)
			read_ring(arg % (2 * MAX_CAPACITY));
	}
	f.ring.stopped = true;
	while (read_ring(MAX_CAPACITY))
		;
	check(f.lying || f.last == f.attempts,
	      "items that were never read nor told lost");
	free(f.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct head head;

	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	memset(&f, 0, sizeof(f));
	f.steps = data + sizeof(head);
	f.left = size - sizeof(head);
	if (f.left > MAX_STEPS * 2)
		f.left = MAX_STEPS * 2;
	run_script(&head);
	return 0;
}
