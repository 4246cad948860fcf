// SPDX-License-Identifier: GPL-2.0-only
/*
 * A whole capture of two guests, one of which lies: that one is let go of and
 * told of, and of the other every record is in the trace, in order, and its end
 * is a good one.
 */
#include "lying_capture.h"

static void head_back(void)
{
	liar->ring.producer->ring.head = 1;
}

static void spans_far(void)
{
	liar->ring.losses->spans[1].position = ~0ull;
	liar->ring.losses->spans[1].count = 1;
	liar->ring.producer->ring.spans = 1;
}

/* A ring that is full again whenever it is looked at. */
static void flood(void)
{
	liar->ring.producer->ring.head = liar->ring.consumer->ring.tail + PLAYER_CAPACITY;
}

static void state_senseless(void)
{
	fake_write(player_node(liar, "/state"), "\033[2Jready -1");
}

static void info_rewritten(void)
{
	memset(player_page(liar, INFO), rounds, 4096);
	memset(player_page(liar, DIRECTORY), rounds, 4096);
}

static void test_counters(void **state)
{
	(void)state;
	run(counters, 0, NULL);
}

static void test_head_far(void **state)
{
	(void)state;
	run(head_far, -1, "beyond the ring");
}

static void test_head_back(void **state)
{
	(void)state;
	run(head_back, -1, "went backwards");
}

static void test_spans(void **state)
{
	(void)state;
	run(spans_far, -1, "out of bounds");
}

static void test_flood(void **state)
{
	(void)state;
	run(flood, 0, NULL);
}

static void test_state(void **state)
{
	(void)state;
	run(state_senseless, -1, "makes no sense");
}

static void test_info(void **state)
{
	(void)state;
	run(info_rewritten, 0, NULL);
}

/* One that is still being connected to is waited for when no other is left. */
static void test_late(void **state)
{
	(void)state;
	players[0].late = true;
	lie = head_far;
	assert_int_equal(capture_two(), -1);
	assert_false(players[0].late);
	assert_true(guests[1].failed);
	assert_in_range(players[0].written, A_ROUND, ~0u);
	assert_int_equal(guest_records(&guests[0]), players[0].written);
	assert_int_equal(fake.mapped, 0);
}

static void third_fails(const char *path, const char *value)
{
	static const char dir[] = "/local/domain/5/data/xenrelay/xblk";
	unsigned int session;
	char text[64];

	players_answer(path, value);
	if (strncmp(path, dir, strlen(dir)) || strcmp(path + strlen(dir), "/reader") ||
	    sscanf(value, "connect %u", &session) != 1)
		return;
	snprintf(text, sizeof(text), "failed %u 12 no memory", session);
	fake_write("/local/domain/5/data/xenrelay/xblk/state", text);
}

/* With -F one that was named and cannot be connected to joins later. */
static void test_failing_third(void **state)
{
	(void)state;
	nr_guests = 3;
	third_is_named = true;
	fake.written = third_fails;
	follow = true;
	run(counters, 0, NULL);
	assert_null(guests[2].channel);
	follow = third_is_named = false;
}

/* Nobody waits for a guest that does not answer, but those that were named. */
static void test_silent_third(void **state)
{
	time_t began = time(NULL);

	(void)state;
	nr_guests = 3;
	begin_at = began + 5;
	run(counters, 0, NULL);
	assert_in_range(time(NULL) - began, 0, 15);
	assert_null(guests[2].channel);
}

/* Once the others have stopped, one that does not is not waited for much longer. */
static void test_deaf(void **state)
{
	time_t began = time(NULL);

	(void)state;
	liar->deaf = true;
	run(counters, 0, "did not stop in time");
	assert_in_range(time(NULL) - began, 0, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_counters), TEST(test_head_far),      TEST(test_head_back),
		TEST(test_spans),    TEST(test_flood),	       TEST(test_state),
		TEST(test_info),     TEST(test_silent_third),  TEST(test_deaf),
		TEST(test_late),     TEST(test_failing_third),
	};

	return cmocka_run_group_tests(tests, captures_setup, captures_teardown);
}
