// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writers that interrupt writers: xenrelay_ring_put_small() is run one instruction at a
 * time (the trap flag), and behind each one of them another writer comes; and, for any
 * two instructions, behind both, or behind one of that other writer's.  What the reader
 * would see is checked between instructions: items are whole, each is there once, and the
 * position never goes back.
 *
 * An item holds its number in every word, and what has been read is cleared.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../ring/consumer.h"
#include "../../ring/producer.h"

#define WORDS	  3
#define CAPACITY  6
#define LEVELS	  3 /* of writers */
#define TRAP_FLAG 0x100

/* How a writer writes who comes with an interrupt. */
enum way {
	SMALL,	   /* as xenrelay_write(): small, else exclusively */
	EXCLUSIVE, /* as xenrelay_reserve() and _commit() */
	CANCELLED, /* as xenrelay_reserve() and _cancel() */
	TWICE,	   /* two items, small */
	NR_WAYS
};

static struct {
	union xenrelay_producer_line producer __attribute__((aligned(64)));
	struct xenrelay_loss_line losses __attribute__((aligned(64)));
	union xenrelay_consumer_line consumer __attribute__((aligned(64)));
	uint64_t data[CAPACITY][WORDS];
	struct xenrelay_ring writing;
	struct xr_ring reading;
	uint64_t numbers; /* given to items */
	uint64_t lost;
	uint64_t seen; /* the reader's position, last time that it was looked at */
	const char *wrong;
} t;

/* Who writes at a level, the outermost first, and when he is interrupted. */
struct writer {
	enum way way;
	unsigned int at[2]; /* instructions, 0: never */
};

static struct writer writers[LEVELS];
static unsigned int steps[LEVELS];
static volatile int level;

/* Not assert_*(): they must not be left by a jump out of a signal handler. */
static void expect(bool right, const char *what)
{
	if (!right && !t.wrong)
		t.wrong = what;
}

static void look_at_all(void)
{
	uint64_t head = xblk_load_once(&t.producer.ring.head), n;
	const uint64_t *item;

	expect(head >= t.seen, "the position went back");
	t.seen = head;
	for (n = t.reading.tail; n < head; n++) {
		item = t.data[n % CAPACITY];
		expect(item[0] && item[0] == item[1] && item[0] == item[2],
		       "an item is not whole");
	}
}

static bool write_exclusively(const uint64_t *item, bool commit)
{
	void *room = xenrelay_ring_reserve(&t.writing);

	if (!room && commit)
		xenrelay_ring_lose(&t.writing, item[0]);
	if (!room || !commit)
		return !commit;
	memcpy(room, item, sizeof(t.data[0]));
	xenrelay_ring_commit(&t.writing);
	return true;
}

static void write_small(bool stepped)
{
	const uint64_t number = ++t.numbers;
	const uint64_t item[WORDS] = {number, number, number};
	bool written;

	if (stepped)
		__builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() |
					       TRAP_FLAG);
	written = xenrelay_ring_put_small(&t.writing, item);
	if (stepped)
		__builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() &
					       ~(unsigned long long)TRAP_FLAG);
	if (!written && !write_exclusively(item, true))
		t.lost++;
}

static void write_at_level(void)
{
	const bool stepped = writers[level].at[0];
	const uint64_t item[WORDS] = {~0ull, ~0ull, ~0ull};

	switch (writers[level].way) {
	case TWICE:
		write_small(stepped);
		/* fall through */
	case SMALL:
		write_small(stepped);
		break;
	case EXCLUSIVE:
		t.lost += !write_exclusively(item, true);
		t.numbers++;
		break;
	case CANCELLED:
		write_exclusively(item, false);
		break;
	default:
		break;
	}
}

/* Behind each instruction of the writer at this level; another one's is not stepped. */
static void trapped(int sig)
{
	(void)sig;
	look_at_all();
	if (++steps[level] != writers[level].at[0] &&
	    steps[level] != writers[level].at[1])
		return;
	level++;
	write_at_level();
	level--;
	look_at_all();
}

static void read_all(void)
{
	uint64_t items[CAPACITY][WORDS];
	struct xenrelay_span loss;
	ssize_t n;

	do {
		n = xr_ring_read(&t.reading, items, CAPACITY, &loss);
		expect(n >= 0, "the reader found the ring broken");
	} while (n > 0 || loss.count);
}

/* What a ring has seen before: items written, and those of them that were not read. */
struct past {
	unsigned int written, unread;
};

static void begin(const struct past *past)
{
	uint64_t items[1][WORDS];
	struct xenrelay_span loss;
	unsigned int i;

	memset(&t, 0, sizeof(t));
	memset(steps, 0, sizeof(steps));
	xenrelay_ring_init(&t.writing, t.data, sizeof(t.data), sizeof(t.data[0]), false,
			   &t.producer, &t.losses, &t.consumer);
	xr_ring_init(&t.reading, t.data, CAPACITY, sizeof(t.data[0]), false, &t.producer,
		     &t.losses, &t.consumer);
	for (i = 0; i < past->written; i++) {
		write_small(false);
		if (i >= past->written - past->unread)
			continue;
		expect(xr_ring_read(&t.reading, items, 1, &loss) == 1, "nothing to read");
		memset(t.data[i % CAPACITY], 0, sizeof(t.data[0]));
	}
}

/* None is left behind, and the ring goes on to work. */
static void end(void)
{
	expect(t.producer.ring.head == t.writing.head, "items were left unpublished");
	expect(t.writing.head + t.lost == t.numbers, "an item is missing");
	expect(t.producer.ring.lost == t.lost, "a loss is missing");
	read_all();
	expect(t.reading.read == t.writing.head, "the reader did not get all");
	write_small(false);
	read_all();
	expect(t.reading.read + t.reading.lost == t.numbers, "what was lost is not told");
}

/* Return: whether all that were to be interrupted lived long enough for it. */
static bool run(const struct past *past, const struct writer of[LEVELS])
{
	int i;

	begin(past);
	memcpy(writers, of, sizeof(writers));
	write_at_level();
	look_at_all();
	end();
	if (t.wrong)
		fail_msg(
			"%s: after %u items, %u unread; interrupted at %u and %u by %d; he at %u by %d",
			t.wrong, past->written, past->unread, of[0].at[0], of[0].at[1],
			of[1].way, of[1].at[0], of[2].way);
	for (i = 0; i < LEVELS; i++)
		if (of[i].at[0] > steps[i] || of[i].at[1] > steps[i])
			return false;
	return true;
}

/* Return: how many instructions there were to interrupt, each of them tried. */
static unsigned int run_all(const struct past *past, struct writer of[LEVELS],
			    unsigned int *at)
{
	unsigned int first = *at;

	while (run(past, of))
		++*at;
	return *at - first;
}

/* In the middle of a lap and about its end, with room for any number of items. */
static void test_once(void **state)
{
	static const struct past pasts[] = {{0, 0}, {2, 2}, {4, 0},  {5, 5},
					    {5, 1}, {6, 0}, {6, 4},  {6, 6},
					    {7, 6}, {9, 6}, {11, 5}, {12, 3}};
	struct writer of[LEVELS] = {0};
	unsigned int runs;
	size_t p;

	(void)state;
	for (p = 0; p < sizeof(pasts) / sizeof(*pasts); p++)
		for (of[1].way = 0; of[1].way < NR_WAYS; of[1].way++) {
			of[0].at[0] = 1;
			runs = run_all(&pasts[p], of, &of[0].at[0]);
			assert_in_range(runs, 10, 1000);
		}
}

static const struct past middle = {2, 1}, lap_ends = {11, 1}, nearly_full = {4, 4};

/* Twice, by two small writers. */
static void test_twice(void **state)
{
	const struct past *pasts[] = {&middle, &lap_ends, &nearly_full};
	struct writer of[LEVELS] = {0};
	unsigned int runs;
	size_t p;

	(void)state;
	for (p = 0; p < 3; p++)
		for (of[0].at[0] = 1;; of[0].at[0]++) {
			of[0].at[1] = of[0].at[0] + 1;
			runs = run_all(pasts[p], of, &of[0].at[1]);
			if (!runs)
				break;
		}
}

/* By one who is interrupted himself. */
static void test_nested(void **state)
{
	const struct past *pasts[] = {&middle, &lap_ends, &nearly_full};
	struct writer of[LEVELS] = {0};
	unsigned int runs;
	size_t p;

	(void)state;
	for (p = 0; p < 3; p++)
		for (of[2].way = SMALL; of[2].way <= EXCLUSIVE; of[2].way++)
			for (of[0].at[0] = 1;; of[0].at[0]++) {
				of[1].at[0] = 1;
				runs = run_all(pasts[p], of, &of[1].at[0]);
				if (!runs)
					break;
				assert_in_range(runs, 10, 1000);
			}
}

static int catch_traps(void **state)
{
	const struct sigaction action = {.sa_handler = trapped, .sa_flags = SA_NODEFER};

	(void)state;
	return sigaction(SIGTRAP, &action, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_nested),
	};

	return cmocka_run_group_tests(tests, catch_traps, NULL);
}
