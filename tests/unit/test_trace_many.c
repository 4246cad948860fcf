// SPDX-License-Identifier: GPL-2.0-only
/* Many guests at once: what it costs that one comes or goes, or does not answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../../xblktrace/clock.h"
#include "fake_xen.h"
#include "many_guests.h"

static struct capture *const c = &played.capture;

static unsigned int fleet, come_calls, go_calls, quiet_calls, turns;

static unsigned int calls_since(void)
{
	static unsigned int before;
	unsigned int calls = fake.calls - before;

	before = fake.calls;
	return calls;
}

static bool all_have_come(unsigned int nr)
{
	return c->nr_connected == nr && !changes_any(&c->changes) && !c->describing &&
	       !c->describe_wanted;
}

/* All come, nothing happens for a while, one more comes, and goes. */
static void fleet_turn(void)
{
	enum {
		COME = 1,
		CALM_DOWN,
		BE_QUIET,
		ONE_MORE,
		COUNT,
		ONE_LESS
	};
	static unsigned int step, domid;

	if (!c->started)
		step = 0;
	skip_ms(100);
	turns++;
	switch (step) {
	case 0:
		for (domid = 1; c->started && domid <= fleet; domid++)
			comes(domid);
		step += c->started;
		turns = 0;
		break;
	case COME:
		step += all_have_come(fleet);
		turns = 0;
		break;
	case CALM_DOWN:
		step += turns == 100;
		calls_since();
		break;
	case BE_QUIET:
		if (turns < 1000)
			break;
		quiet_calls = calls_since();
		comes(domid);
		turns = 0;
		step++;
		break;
	case ONE_MORE:
		step += all_have_come(fleet + 1);
		turns = 0;
		break;
	case COUNT:
		if (turns < 100)
			break;
		come_calls = calls_since();
		goes(domid);
		turns = 0;
		step++;
		break;
	case ONE_LESS:
		/* Its end is to be in the file before it is let go of. */
		if (turns < 100 || (domains_find(&table, domid) && turns < 10000))
			break;
		go_calls = calls_since();
		many.ends = true;
		step = 0;
	}
}

static void cost_in_fleet(unsigned int nr)
{
	fleet = nr;
	many.output = "/dev/null";
	assert_int_equal(run(fleet_turn), 0);
	assert_int_equal(many.nr_answers, nr + 1);
	assert_int_equal(quiet_calls, 0);
	print_message(
		"with %u guests: %u calls of XenStore for one that comes, %u for one that "
		"goes\n",
		nr, come_calls, go_calls);
	assert_in_range(come_calls, 10, 60);
	/* Which one has gone XenStore does not say: one for each that may have. */
	assert_in_range(go_calls, 10, 60 + nr);
	assert_null(domains_find(&table, nr + 1));
}

static void test_one_comes(void **state)
{
	(void)state;
	cost_in_fleet(400);
}

static void test_one_comes_to_few(void **state)
{
	(void)state;
	cost_in_fleet(4);
}

/* Calls from when a signal comes to when it is taken. */
#define MOST_UNHEARD 20

static unsigned int calls_in_look, unheard;
static bool looks;

/* In the middle of the look at them all. */
static void signal_comes(void)
{
	calls_in_look += looks;
	if (calls_in_look == 50)
		many.ends = true;
	unheard += many.ends && looks;
}

/* All are there, one goes, and which one XenStore does not say. */
static void look_turn(void)
{
	static unsigned int step;

	skip_ms(100);
	if (!c->started)
		step = 0;
	if (step == 0 && c->started) {
		for (unsigned int domid = 1; domid <= fleet; domid++)
			comes(domid);
		step++;
	} else if (step == 1 && all_have_come(fleet)) {
		fake.called = signal_comes;
		goes(fleet);
		looks = true;
		step++;
	}
}

/* Then the guests are told to stop. */
static void stops_looking(const char *path, const char *value)
{
	looks &= !strstr(path, "/reader");
	many_answer(path, value);
}

/* A signal is heard before all guests have been looked at. */
static void test_signal_in_look(void **state)
{
	(void)state;
	fleet = 400;
	calls_in_look = unheard = 0;
	many.output = "/dev/null";
	fake.written = stops_looking;
	assert_int_equal(run(look_turn), 0);
	print_message("%u calls of XenStore before a signal is heard\n", unheard);
	assert_in_range(unheard, 1, MOST_UNHEARD);
}

#define SILENT 40

static uint64_t began_ns, took_ns;
static unsigned int under_way;

static void silent_turn(void)
{
	unsigned int i;

	skip_ms(100);
	if (!c->started || many.ends)
		return;
	took_ns = monotonic_ns() - began_ns;
	for (i = 0, under_way = 0; i < table.nr; i++)
		under_way += !!guests[i].attempt.channel;
	many.ends = true;
}

/* C10: a capture of all begins with those that answer. */
static void test_silent(void **state)
{
	unsigned int i;

	(void)state;
	many.mute_from = 2;
	for (i = 1; i <= 1 + SILENT; i++)
		comes(i);
	many.output = "/dev/null";
	began_ns = monotonic_ns();
	assert_int_equal(run(silent_turn), 0);
	many.mute_from = ~0u;
	assert_int_equal(many.nr_answers, 1);
	assert_int_equal(under_way, SILENT);
	print_message("with %u guests that do not answer it begins after %.1f s\n",
		      SILENT, took_ns / 1e9);
	assert_in_range(took_ns, 0, 3000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_comes_to_few),
		TEST(test_one_comes),
		TEST(test_signal_in_look),
		TEST(test_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
