// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connecting to a guest that answers, does not, or lies.  Whatever happens,
 * nothing may stay mapped, and a guest that gave memory must hear of the end.
 */
#include <errno.h>

#include "played_guest.h"

/* Each map call fails once: everything before it is undone, the guest told. */
static void test_every_mapping_may_fail(void **state)
{
	struct xenrelay_channel *ch;
	unsigned int n;

	(void)state;
	for (n = 1;; n++) {
		fake.maps = 0;
		fake.fail_map = n;
		if (!connect_quick(&ch))
			break;
		assert_non_null(strstr(xenrelay_strerror(reader), "mapping"));
		assert_int_equal(fake.mapped, 0);
		assert_int_equal(releases, n);
		assert_int_equal(consumer(0)->channel.attached, 0);
	}
	/* Info, producer, loss page, consumer, directory and the rings. */
	assert_int_equal(n, 1 + 5 + NR_RINGS);
	xenrelay_release(ch);
}

static void test_no_channel(void **state)
{
	struct xenrelay_channel *ch;
	unsigned int nodes = fake_nr_nodes();

	(void)state;
	assert_int_equal(xenrelay_connect(reader, 3, "other", &quick, &ch), -ENOENT);
	assert_int_equal(xenrelay_connect(reader, 9, "xblk", &quick, &ch), -ENOENT);
	assert_int_equal(xenrelay_connect(reader, 3, "../x", &quick, &ch), -EINVAL);
	/* Writing "release" would have created nodes in another's directory. */
	assert_int_equal(fake_nr_nodes(), nodes);
}

static void test_other_version(void **state)
{
	(void)state;
	fake_write(DIR "/version", "2");
	expect_failure(-EPROTONOSUPPORT, "guest speaks 2 to 2, this library 1 to 1");
	assert_string_equal(fake_read(DIR "/reader"), "");
}

static void test_guest_silent(void **state)
{
	(void)state;
	fake.written = silent;
	fake.idle = NULL;
	expect_failure(-ETIMEDOUT, "did not answer");
	assert_int_equal(releases, 1);
}

static void answer_failed(const char *path, const char *value)
{
	silent(path, value);
	if (!strncmp(value, "connect", 7))
		set_state("failed %u 12 no memory for rings", session);
}

static void test_guest_fails(void **state)
{
	struct xenrelay_channel *ch;

	(void)state;
	fake.written = answer_failed;
	expect_failure(-ECONNREFUSED, "no memory for rings");

	/* A failure leaves the channel free for the next attempt. */
	fake.written = honest;
	assert_int_equal(connect_quick(&ch), 0);
	xenrelay_release(ch);
}

static void test_busy(void **state)
{
	(void)state;
	set_state("ready 5 10");
	fake.written = silent;
	expect_failure(-EBUSY, "another reader");
	assert_string_equal(fake_read(DIR "/reader"), "");
}

static unsigned int idle_calls, act_at;

static void act(void)
{
	if (++idle_calls == act_at)
		set_state("open");
}

/* A killed reader's channel becomes free while we wait. */
static void test_busy_for_a_while(void **state)
{
	struct xenrelay_channel *ch;

	(void)state;
	set_state("stopped 5");
	fake.idle = act;
	idle_calls = 0;
	act_at = 2;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", NULL, &ch), 0);
	fake.idle = NULL;
	xenrelay_release(ch);
}

static void answer_other(const char *path, const char *value)
{
	silent(path, value);
	if (!strncmp(value, "connect", 7))
		set_state("ready %u %u", session ^ 1, INFO_REF);
}

/* Two readers at once: the other's channel must not be released by us. */
static void test_other_reader_faster(void **state)
{
	(void)state;
	fake.written = answer_other;
	expect_failure(-EBUSY, "faster");
	assert_int_equal(releases, 0);
}

static void answer_nonsense(const char *path, const char *value)
{
	silent(path, value);
	if (!strncmp(value, "connect", 7))
		set_state("ready %u -1", session);
}

static void test_nonsense_state(void **state)
{
	(void)state;
	fake.written = answer_nonsense;
	expect_failure(-EPROTO, "makes no sense");
	assert_int_equal(releases, 1);
}

static void answer_bad_info(const char *path, const char *value)
{
	honest(path, value);
	if (!strncmp(value, "connect", 7))
		info()->nr_dir_pages = 1000;
}

static void test_bad_info_page(void **state)
{
	(void)state;
	fake.written = answer_bad_info;
	expect_failure(-EPROTO, "directory");
	assert_int_equal(releases, 1);
}

/* A grant that does not exist, in the directory of an otherwise sound channel. */
static void answer_bad_directory(const char *path, const char *value)
{
	honest(path, value);
	if (!strncmp(value, "connect", 7))
		((uint32_t *)fake_page(DIR_REF))[NR_RINGS * RING_PAGES - 1] = 1u << 31;
}

static void test_bad_directory(void **state)
{
	(void)state;
	fake.written = answer_bad_directory;
	expect_failure(-EINVAL, "mapping a ring");
	assert_int_equal(releases, 1);
}

static void test_larger_than_wanted(void **state)
{
	const struct xenrelay_options opts = {.max_kib = NR_RINGS * RING_PAGES * 4 - 1};
	struct xenrelay_channel *ch;

	(void)state;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts, &ch), -E2BIG);
	assert_int_equal(releases, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_mapping_may_fail),
		TEST(test_no_channel),
		TEST(test_other_version),
		TEST(test_guest_silent),
		TEST(test_guest_fails),
		TEST(test_busy),
		TEST(test_busy_for_a_while),
		TEST(test_other_reader_faster),
		TEST(test_nonsense_state),
		TEST(test_bad_info_page),
		TEST(test_bad_directory),
		TEST(test_larger_than_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
