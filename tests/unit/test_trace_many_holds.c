// SPDX-License-Identifier: GPL-2.0-only
/* How often the control waits for the drain, which may have no pause, and how long. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static int count_and_lock(pthread_mutex_t *mutex);
static int count_and_unlock(pthread_mutex_t *mutex);

#include "../../xblktrace/guest.h"

static int64_t count_and_drain(struct guest *guest, struct writer *w, uint64_t time);

/*
 * The drain itself, whose locks are counted, and what it moves; of its names two are
 * others' here.
 */
#define pthread_mutex_lock   count_and_lock
#define pthread_mutex_unlock count_and_unlock
#define guest_drain	     count_and_drain
#define fail		     fail_drain
#define run		     run_drain
#include "../../xblktrace/drain.c"
#undef pthread_mutex_lock
#undef pthread_mutex_unlock
#undef guest_drain
#undef fail
#undef run

#include <cmocka.h>

#include "fake_xen.h"
#include "many_guests.h"

#define FLEET 200
/* Of a turn, in which nothing is told of any guest. */
#define MOST_HOLDS 12
/* What the drain moves at most before the control has its turn. */
#define MOST_RECORDS (40 * 1024)

static struct capture *const c = &played.capture;

static pthread_t control;
static unsigned int locks;
/* By the drain: since it let the control in, at most, and all together. */
static unsigned int moved, most_moved, all_moved;

static int count_and_lock(pthread_mutex_t *mutex)
{
	if (pthread_equal(pthread_self(), control))
		locks++;
	return pthread_mutex_lock(mutex);
}

static int count_and_unlock(pthread_mutex_t *mutex)
{
	if (!pthread_equal(pthread_self(), control))
		moved = 0;
	return pthread_mutex_unlock(mutex);
}

static int64_t count_and_drain(struct guest *guest, struct writer *w, uint64_t time)
{
	int64_t n = guest_drain(guest, w, time);

	moved += n;
	all_moved += n;
	most_moved = moved > most_moved ? moved : most_moved;
	return n;
}

/* Since the last call.  A hold takes two locks. */
static unsigned int holds(void)
{
	unsigned int nr = locks / 2;

	locks = 0;
	return nr;
}

static unsigned int turns, most, to_go, at_end, turns_at_end;

/* All come, nothing happens, half of them go, and the rest ends with the capture. */
static void fleet_turn(void)
{
	static unsigned int step;
	unsigned int i, nr = holds();

	skip_ms(100);
	if (!c->started)
		step = 0;
	if (step == 0 && c->started) {
		for (i = 1; i <= FLEET; i++)
			comes(i);
		step++;
	} else if (step == 1 && c->nr_connected == FLEET && !c->describing &&
		   !changes_any(&c->changes)) {
		turns = most = 0;
		/* So that their names are in one budget, too. */
		if (guests[0].names.pool != &c->drain.names)
			abort();
		step++;
	} else if (step == 2) {
		most = nr > most ? nr : most;
		if (++turns < 20)
			return;
		for (i = 1; i <= FLEET / 2; i++)
			goes(i);
		turns = to_go = 0;
		step++;
	} else if (step == 3) {
		to_go += nr;
		turns++;
		for (i = 1; i <= FLEET / 2; i++)
			if (domains_find(&table, i))
				return;
		many.ends = true;
		turns_at_end = many.nr_turns;
		holds();
	}
}

static void test_fleet(void **state)
{
	(void)state;
	control = pthread_self();
	many.output = "/dev/null";
	assert_int_equal(run(fleet_turn), 0);
	at_end = holds();
	turns_at_end = many.nr_turns - turns_at_end;
	print_message("with %d guests: %u holds in a turn, %u while %d guests go in %u "
		      "turns, %u in the last %u\n",
		      FLEET, most, to_go, FLEET / 2, turns, at_end, turns_at_end);
	assert_in_range(most, 1, MOST_HOLDS);
	assert_in_range(to_go, 1, MOST_HOLDS * turns);
	/* With some more behind the last one. */
	assert_in_range(at_end, 1, MOST_HOLDS * (turns_at_end + 1));
}

/* All come, and the ring, which is that of them all, gets full. */
static void full_turn(void)
{
	union xenrelay_producer_line *producer = fake_page(PRODUCER);
	static unsigned int step;
	unsigned int i;

	skip_ms(100);
	if (!c->started)
		step = 0;
	if (step == 0 && c->started) {
		for (i = 1; i <= FLEET; i++)
			comes(i);
		step++;
	} else if (step == 1 && c->nr_connected == FLEET) {
		xblk_store_release(&producer[1].ring.head, ring.capacity);
		drain_wake(&c->drain);
		step++;
	}
	if (step < 2)
		return;
	drain_hold(&c->drain);
	many.ends = all_moved == FLEET * ring.capacity;
	drain_release(&c->drain);
}

static void test_full(void **state)
{
	(void)state;
	control = pthread_self();
	many.output = "/dev/null";
	most_moved = all_moved = 0;
	assert_int_equal(run(full_turn), 0);
	print_message("of %u records %u without a turn of the control\n", all_moved,
		      most_moved);
	assert_in_range(most_moved, 1, MOST_RECORDS);
	assert_true(all_moved > 2 * MOST_RECORDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fleet),
		TEST(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
