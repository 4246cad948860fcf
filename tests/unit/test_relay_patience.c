// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a reader waits for a guest, or XenStore, that does not answer, or answers
 * without end: as long as it was told to, and its program may do something meanwhile.
 */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "played_guest.h"

static unsigned int idle_left;

static int count_down(void *priv)
{
	(*(unsigned int *)priv)++;
	return !--idle_left;
}

/* A program stays responsive while a guest does not answer, and may give up. */
static void test_idle(void **state)
{
	unsigned int calls = 0;
	struct xenrelay_options opts = {.size = sizeof(opts),
					.timeout_ms = 250,
					.busy_ms = 60000,
					.idle = count_down,
					.idle_priv = &calls};
	struct xenrelay_channel *ch;

	(void)state;
	fake.written = silent;
	idle_left = 1000;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts, &ch), -ETIMEDOUT);
	assert_in_range(calls, 1, 5);

	set_state("ready 5 10");
	idle_left = 2;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts, &ch), -ECANCELED);
	assert_int_equal(idle_left, 0);

	set_state("open");
	fake.written = honest;
	idle_left = 1000;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts, &ch), 0);
	fake.written = silent;
	idle_left = 2;
	assert_int_equal(xenrelay_disconnect(ch, 60000), -ECANCELED);
	xenrelay_release(ch);
}

/* The guest makes each transaction fail: a bounded number of tries, then an end. */
static void test_transactions_fail(void **state)
{
	const struct xenrelay_options hasty = {
		.size = sizeof(hasty), .timeout_ms = 60, .busy_ms = 1};
	struct xenrelay_channel *ch;

	(void)state;
	fake.written = silent;
	fake.fail_ends = 1000000;
	assert_int_equal(connect_quick(&ch), -EBUSY);
	assert_non_null(strstr(xenrelay_strerror(reader), "too busy"));
	assert_in_range(1000000 - fake.fail_ends, 2, 60);

	/* Not even the time for a second one. */
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &hasty, &ch), -EBUSY);
	assert_non_null(strstr(xenrelay_strerror(reader), "too busy"));
}

static void flap(void)
{
	unsigned int i;

	for (i = 0; i < 500; i++)
		set_state("ready %u 1", i + 1000000);
	set_state("nonsense %u", i);
	set_state("failed 1 5");
}

/* A state that flaps without end is muted, and the reader comes to an end in time. */
static void test_flapping_state(void **state)
{
	struct xenrelay_watch_stats stats = {.size = sizeof(stats)};

	(void)state;
	fake.written = silent;
	fake.idle = flap;
	expect_failure(-ETIMEDOUT, "did not answer");
	fake.idle = NULL;
	xenrelay_get_watch_stats(reader, &stats);
	assert_int_equal(stats.muted, 1);
	assert_in_range(stats.events, 200, 300);
}

static unsigned int gives_up;

static void give_up(void)
{
	if (fake.mapped && gives_up) {
		gives_up--;
		set_state("open");
	}
}

/* It answers, and does not wait until its pages are mapped: it is asked again, but not
 * for ever. */
static void test_late(void **state)
{
	struct xenrelay_channel *ch;

	(void)state;
	fake.called = give_up;
	gives_up = 2;
	assert_int_equal(connect_quick(&ch), 0);
	assert_int_equal(gives_up, 0);
	xenrelay_release(ch);

	gives_up = 1000;
	expect_failure(-ENOENT, "closed it");
	assert_int_equal(gives_up, 997);
	gives_up = 0;
	fake.called = NULL;
}

static unsigned int times_asked, patience_ms;

static bool wait_a_little(void *arg, unsigned int ms)
{
	times_asked++;
	*(unsigned int *)arg = ms;
	return ms < patience_ms;
}

static void *answer_again(void *unused)
{
	(void)unused;
	usleep(250000);
	fake_silence(false);
	return NULL;
}

/* A XenStore that hangs is given up, once; the channel is let go of without it. */
static void test_silent_xenstore(void **state)
{
	unsigned int *domids, nr, asked_ms = 0;
	struct xenrelay_channel *ch;
	pthread_t thread;
	char *text;

	(void)state;
	assert_int_equal(xenrelay_set_patience(reader, wait_a_little, &asked_ms), 0);
	assert_int_equal(connect_quick(&ch), 0);
	assert_int_equal(asked_ms, 0);
	text = xenrelay_read_node(reader, DIR "/version");
	assert_string_equal(text, "1");
	free(text);

	/* One that is slow is waited for. */
	patience_ms = 60000;
	fake_silence(true);
	assert_int_equal(pthread_create(&thread, NULL, answer_again, NULL), 0);
	assert_true(xenrelay_domain_exists(reader, 3));
	pthread_join(thread, NULL);
	assert_in_range(asked_ms, 100, patience_ms - 1);

	patience_ms = 300;
	fake_silence(true);
	times_asked = 0;
	assert_int_equal(xenrelay_list_domains(reader, &domids), -ETIMEDOUT);
	assert_int_equal(asked_ms, 300);
	assert_int_equal(times_asked, 3);
	assert_int_equal(xenrelay_dispatch(reader), -ETIMEDOUT);
	assert_non_null(strstr(xenrelay_strerror(reader), "does not answer"));
	assert_true(xenrelay_domain_exists(reader, 3));
	assert_null(xenrelay_read_node(reader, DIR "/version"));
	assert_null(xenrelay_list_nodes(reader, DIR, &nr));
	assert_int_equal(nr, 0);
	assert_null(xenrelay_xenstore(reader));
	assert_int_equal(xenrelay_disconnect(ch, 1000), -ETIMEDOUT);
	xenrelay_release(ch);
	assert_int_equal(times_asked, 3);
	assert_int_equal(fake.mapped, 0);
	/* Also when it answers yet. */
	fake_silence(false);
	assert_int_equal(xenrelay_list_domains(reader, &domids), -ETIMEDOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_idle), TEST(test_transactions_fail), TEST(test_flapping_state),
		TEST(test_late), TEST(test_silent_xenstore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
