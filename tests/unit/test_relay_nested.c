// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writers that interrupt writers: xenrelay_ring_put_small() is run one instruction at a
 * time (the trap flag), and behind each one of them another writer comes, or the reader;
 * and, for any two instructions, behind both, or behind one of that other writer's.
 * Between any two instructions the reader's view is looked at: items are whole, and
 * the position never goes back.  In the end each item was read once, and each loss told
 * in its place.
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
#define NUMBERS	  64
#define TRAP_FLAG 0x100
/* Items' places are counted from far away then; a multiple of the capacity. */
#define FAR ((uint64_t)CAPACITY << 40)

/* What comes with an interrupt. */
enum way {
	SMALL,	    /* an item as by xenrelay_write(): small, else exclusively */
	EXCLUSIVE,  /* as by xenrelay_reserve() and _commit() */
	CANCELLED,  /* as by xenrelay_reserve() and _cancel() */
	TWICE,	    /* two items, small */
	FILL,	    /* more than there is room for */
	READ,	    /* no writer, but the reader takes all that it sees */
	READ_WRITE, /* and a writer comes behind that */
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
	bool lost[NUMBERS + 1];
	/* By the losses' times. */
	uint64_t clock;
	uint64_t lost_number[NUMBERS + 1];
	uint64_t lost_at[NUMBERS + 1]; /* the head then */
	unsigned int met[NUMBERS + 1]; /* read, or told to be lost */
	uint64_t seen;		       /* the position, last time that it was looked at */
	const char *wrong;
} t;

/* Who writes at a level, the outermost first, and when he is interrupted. */
struct writer {
	enum way way[2];    /* the first time, and the second */
	unsigned int at[2]; /* instructions, 0: never */
};

static struct writer writers[LEVELS];
static unsigned int steps[LEVELS], times[LEVELS];
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

static void meet(uint64_t number, bool lost)
{
	expect(number && number <= t.numbers && t.lost[number] == lost,
	       "what was written was lost, or what was lost was read");
	if (number && number <= t.numbers)
		t.met[number]++;
}

static void meet_loss(const struct xenrelay_span *loss)
{
	uint64_t n;

	expect(loss->last_ns - loss->first_ns + 1 == loss->count &&
		       loss->last_ns <= t.clock,
	       "a loss is of another number, or time");
	for (n = loss->first_ns; n <= loss->last_ns && n <= t.clock; n++) {
		expect(t.lost_at[n] == loss->position, "a loss is out of place");
		meet(t.lost_number[n], true);
	}
}

static void read_all(void)
{
	uint64_t items[CAPACITY][WORDS], at;
	struct xenrelay_span loss;
	ssize_t n, i;

	do {
		at = t.reading.tail;
		n = xr_ring_read(&t.reading, items, CAPACITY, &loss);
		expect(n >= 0, "the reader found the ring broken");
		if (loss.count)
			meet_loss(&loss);
		for (i = 0; i < n; i++) {
			expect(items[i][0] == items[i][1] && items[i][0] == items[i][2],
			       "an item was read that is not whole");
			meet(items[i][0], false);
			memset(t.data[(at + i) % CAPACITY], 0, sizeof(t.data[0]));
		}
	} while (n > 0 || loss.count);
}

static void write_exclusively(uint64_t number)
{
	const uint64_t item[WORDS] = {number, number, number};
	void *room = xenrelay_ring_reserve(&t.writing);

	if (room) {
		memcpy(room, item, sizeof(item));
		xenrelay_ring_commit(&t.writing);
		return;
	}
	t.lost[number] = true;
	t.lost_number[++t.clock] = number;
	t.lost_at[t.clock] = t.writing.head;
	xenrelay_ring_lose(&t.writing, t.clock);
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
	if (!written)
		write_exclusively(number);
}

static void act_at_level(void)
{
	const bool stepped = writers[level].at[0];
	int i;

	switch (writers[level].way[times[level]++]) {
	case FILL:
		for (i = 0; i < CAPACITY; i++)
			write_small(false);
		break;
	case TWICE:
		write_small(stepped);
		/* fall through */
	case SMALL:
		write_small(stepped);
		break;
	case EXCLUSIVE:
		write_exclusively(++t.numbers);
		break;
	case CANCELLED:
		/* Its bytes may have been written to. */
		memset(xenrelay_ring_reserve(&t.writing) ?: &(uint64_t[WORDS]){0}, 0,
		       sizeof(t.data[0]));
		break;
	case READ:
		read_all();
		break;
	case READ_WRITE:
		read_all();
		write_small(stepped);
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
	++steps[level];
	if (steps[level] != writers[level].at[0] && steps[level] != writers[level].at[1])
		return;
	level++;
	act_at_level();
	level--;
	look_at_all();
}

/* What a ring has seen before: items tried, and those of them that were not read. */
struct past {
	unsigned int tried, unread;
	uint64_t first; /* position, a multiple of the capacity */
};

static void begin(const struct past *past)
{
	unsigned int i;

	memset(&t, 0, sizeof(t));
	memset(steps, 0, sizeof(steps));
	memset(times, 0, sizeof(times));
	xenrelay_ring_init(&t.writing, t.data, sizeof(t.data), sizeof(t.data[0]), false,
			   &t.producer, &t.losses, &t.consumer);
	xr_ring_init(&t.reading, t.data, CAPACITY, sizeof(t.data[0]), false, &t.producer,
		     &t.losses, &t.consumer);
	/* As if so many had been written and read. */
	t.writing.head = t.writing.published = t.producer.ring.head = past->first;
	t.writing.stop_at = t.writing.lap_end = past->first + CAPACITY;
	t.writing.base -= past->first * sizeof(t.data[0]);
	t.reading.head = t.reading.tail = t.consumer.ring.tail = past->first;
	for (i = 0; i < past->tried; i++) {
		if (i == past->tried - past->unread)
			read_all();
		write_small(false);
	}
	if (!past->unread)
		read_all();
}

/* None is left behind, and the ring goes on to work. */
static void end(void)
{
	uint64_t n;

	expect(t.producer.ring.head == t.writing.head, "items were left unpublished");
	read_all();
	write_small(false);
	expect(!t.lost[t.numbers], "there is no room in an empty ring");
	read_all();
	for (n = 1; n <= t.numbers; n++)
		expect(t.met[n] == 1, "an item or loss was not met once");
	expect(t.reading.read + t.reading.lost == t.numbers,
	       "the reader's counts are wrong");
	expect(t.producer.ring.lost == t.reading.lost, "the ring's count is wrong");
}

/* Return: whether all that were to be interrupted lived long enough for it. */
static bool run(const struct past *past, const struct writer of[LEVELS])
{
	int i;

	begin(past);
	memcpy(writers, of, sizeof(writers));
	act_at_level();
	look_at_all();
	end();
	if (t.wrong)
		fail_msg("%s: %u tried before, %u unread; interrupted at %u and %u, "
			 "ways %d and %d; he at %u, way %d",
			 t.wrong, past->tried, past->unread, of[0].at[0], of[0].at[1],
			 of[1].way[0], of[1].way[1], of[1].at[0], of[2].way[0]);
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
	static const struct past pasts[] = {
		{0, 0, 0}, {2, 2, 0},  {4, 0, 0},  {5, 5, 0},	{5, 1, 0},
		{6, 0, 0}, {6, 4, 0},  {6, 6, 0},  {7, 6, 0},	{7, 7, 0},
		{9, 8, 0}, {11, 5, 0}, {12, 3, 0}, {0, 0, FAR}, {5, 2, FAR},
	};
	struct writer of[LEVELS] = {0};
	unsigned int runs;
	size_t p;

	(void)state;
	for (p = 0; p < sizeof(pasts) / sizeof(*pasts); p++)
		for (of[1].way[0] = 0; of[1].way[0] < NR_WAYS; of[1].way[0]++) {
			of[0].at[0] = 1;
			runs = run_all(&pasts[p], of, &of[0].at[0]);
			assert_in_range(runs, 5, 1000);
		}
}

static const struct past pairs_after[] = {{2, 1, 0}, {11, 1, 0}, {4, 4, 0}};
#define NR_PAIRS_AFTER (sizeof(pairs_after) / sizeof(*pairs_after))

/* Twice: by two writers, or by one whose items are lost until a reader has come. */
static void test_twice(void **state)
{
	struct writer of[LEVELS] = {0};
	unsigned int runs, all;
	size_t p;

	(void)state;
	for (p = 0; p < 2 * NR_PAIRS_AFTER; p++) {
		of[1].way[0] = p % 2 ? FILL : SMALL;
		of[1].way[1] = p % 2 ? READ_WRITE : SMALL;
		all = 0;
		of[0].at[0] = 1;
		do {
			of[0].at[1] = of[0].at[0] + 1;
			runs = run_all(&pairs_after[p / 2], of, &of[0].at[1]);
			of[0].at[0]++;
			all += runs;
		} while (runs);
		assert_in_range(all, 200, 100000);
	}
}

/* By one who is interrupted himself. */
static void test_nested(void **state)
{
	struct writer of[LEVELS] = {0};
	unsigned int runs, all;
	size_t p;

	(void)state;
	for (p = 0; p < NR_PAIRS_AFTER; p++)
		for (of[2].way[0] = SMALL; of[2].way[0] <= EXCLUSIVE; of[2].way[0]++) {
			all = 0;
			of[0].at[0] = 1;
			do {
				of[1].at[0] = 1;
				runs = run_all(&pairs_after[p], of, &of[1].at[0]);
				of[0].at[0]++;
				all += runs;
			} while (runs);
			assert_in_range(all, 400, 100000);
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
