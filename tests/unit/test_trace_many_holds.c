// SPDX-License-Identifier: GPL-2.0-only
/* How often the control waits for the drain, which may have no pause. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static int count_and_lock(pthread_mutex_t *mutex);

/* The drain itself, whose locks are counted; of its names two are others' here. */
#define pthread_mutex_lock count_and_lock
#define fail		   fail_drain
#define run		   run_drain
#include "../../xblktrace/drain.c"
#undef pthread_mutex_lock
#undef fail
#undef run

#include <cmocka.h>

#include "many_guests.h"

#define FLEET 200
/* Of a turn, in which nothing is told of any guest. */
#define MOST_HOLDS 12

static struct capture *const c = &played.capture;

static pthread_t control;
static unsigned int locks;

static int count_and_lock(pthread_mutex_t *mutex)
{
	if (pthread_equal(pthread_self(), control))
		locks++;
	return pthread_mutex_lock(mutex);
}

/* Since the last call.  A hold takes two locks. */
static unsigned int holds(void)
{
	unsigned int nr = locks / 2;

	locks = 0;
	return nr;
}

static unsigned int turns, most, to_go, at_end;

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
	print_message("with %d guests: %u holds in a turn, %u while %d guests go in %u "
		      "turns, %u to the end\n",
		      FLEET, most, to_go, FLEET / 2, turns, at_end);
	assert_in_range(most, 1, MOST_HOLDS);
	assert_in_range(to_go, 1, MOST_HOLDS * turns);
	/* All stop within a turn or two of the first. */
	assert_in_range(at_end, 1, 10 * MOST_HOLDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fleet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
