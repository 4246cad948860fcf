// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connecting to a guest that answers, does not, or lies.  Whatever happens,
 * nothing may stay mapped, and a guest that gave memory must hear of the end.
 */
#include <errno.h>

#include "played_guest.h"

static void test_every_mapping_may_fail(void **state)
{
	(void)state;
	/* Info, directory, producer, loss page, consumer and the rings. */
	expect_failing_maps(5 + NR_RINGS);
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

static void test_nonsense_version(void **state)
{
	static const char *const bad[] = {"", "one", "2-1", "1\n", "99999999999", "\xff"};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fake_write(DIR "/version", bad[i]);
		expect_failure(-EPROTO, "version in XenStore makes no sense");
	}
	assert_string_equal(fake_read(DIR "/reader"), "");
}

/* What is told without a connection is what one would meet. */
static void expect_versions(const char *said, int ret, uint32_t from, uint32_t to)
{
	uint32_t oldest, newest;

	if (said)
		fake_write(DIR "/version", said);
	else
		fake_remove(DIR "/version");
	assert_int_equal(xenrelay_get_versions(reader, 3, "xblk", &oldest, &newest), ret);
	assert_int_equal(oldest, from);
	assert_int_equal(newest, to);
}

static void test_versions_told(void **state)
{
	uint32_t n;

	(void)state;
	expect_versions("1", 0, 1, 1);
	expect_versions("1-7", 0, 1, 7);
	expect_versions("2-7", -EPROTONOSUPPORT, 2, 7);
	expect_versions("7-2", -EPROTO, 0, 0);
	expect_versions("\033[2J", -EPROTO, 0, 0);
	expect_versions(NULL, -ENOENT, 0, 0);
	assert_int_equal(xenrelay_get_versions(NULL, 3, "xblk", &n, &n), -EINVAL);
	assert_int_equal(xenrelay_get_versions(reader, 3, "../x", &n, &n), -EINVAL);
	assert_int_equal(xenrelay_get_versions(reader, 3, NULL, &n, &n), -EINVAL);
	assert_int_equal(xenrelay_get_versions(reader, 3, "xblk", NULL, &n), -EINVAL);
	assert_int_equal(xenrelay_get_versions(reader, 0x7ff0, "xblk", &n, &n), -EINVAL);
}

/* Each finds the newest version that both know. */
static void test_common_version(void **state)
{
	struct xenrelay_properties p = {.size = sizeof(p)};
	struct xenrelay_channel *ch;

	(void)state;
	fake_write(DIR "/version", "1-7");
	assert_int_equal(connect_quick(&ch), 0);
	assert_string_equal(words_given, "version=1 rings=1024");
	xenrelay_get_properties(ch, &p);
	assert_int_equal(p.version, 1);
	xenrelay_release(ch);
	fake_write(DIR "/version", "2-7");
	expect_failure(-EPROTONOSUPPORT, "guest speaks 2 to 7, this library 1 to 1");
}

static uint32_t flags_given;

static void honest_with_flags(const char *path, const char *value)
{
	honest(path, value);
	if (!strncmp(value, "connect", 7))
		info()->flags = flags_given;
}

static void expect_words(const struct xenrelay_options *opts, const char *words)
{
	struct xenrelay_channel *ch;

	assert_int_equal(xenrelay_connect(reader, 3, "xblk", opts, &ch), 0);
	assert_string_equal(words_given, words);
	xenrelay_release(ch);
}

/* Nothing is asked for that the guest does not offer, nor what was not wished. */
static void test_features(void **state)
{
	struct xenrelay_options opts = {.size = sizeof(opts),
					.mode = XENRELAY_MODE_OVERWRITE,
					.doorbell_percent = 50};
	struct xenrelay_channel *ch;

	(void)state;
	fake.written = honest_with_flags;
	flags_given = XENRELAY_F_OVERWRITE;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts, &ch), -EOPNOTSUPP);
	assert_non_null(strstr(xenrelay_strerror(reader), "does not offer"));
	assert_string_equal(fake_read(DIR "/reader"), "");

	fake_write(DIR "/features", "\xff teleport overwrite");
	expect_words(&opts, "version=1 rings=1024 mode=overwrite");
	fake_write(DIR "/features", "overwrite doorbell");
	expect_words(&opts, "version=1 rings=1024 mode=overwrite doorbell=50");
	opts.doorbell_percent = 0;
	expect_words(&opts, "version=1 rings=1024 mode=overwrite");
	opts.mode = XENRELAY_MODE_DEFAULT;
	expect_words(&opts, "version=1 rings=1024");

	/* It grants another mode than that which was asked for. */
	opts.mode = XENRELAY_MODE_DISCARD;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts, &ch), -EOPNOTSUPP);
	assert_string_equal(words_given, "version=1 rings=1024 mode=discard");
	flags_given = 0;
	expect_words(&opts, "version=1 rings=1024 mode=discard");
	opts.mode = XENRELAY_MODE_OVERWRITE;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts, &ch), -EPROTO);
	assert_int_equal(fake.mapped, 0);
}

/* The client is given another configuration, where it offers that and is there. */
static void test_configure(void **state)
{
	struct xenrelay_channel *ch;
	char text[32], long_text[2050];

	(void)state;
	assert_int_equal(connect_quick(&ch), 0);
	assert_int_equal(xenrelay_configure(ch, "x=1"), -EOPNOTSUPP);
	assert_string_equal(fake_read(DIR "/config"), "");
	xenrelay_release(ch);

	fake_write(DIR "/features", "configure");
	assert_int_equal(connect_quick(&ch), 0);
	assert_int_equal(xenrelay_configure(ch, "x=1"), 0);
	assert_string_equal(fake_read(DIR "/config"), "x=1");
	snprintf(text, sizeof(text), "configure %u", session);
	assert_string_equal(fake_read(DIR "/reader"), text);
	assert_int_equal(xenrelay_configure(ch, NULL), 0);
	assert_string_equal(fake_read(DIR "/config"), "");
	memset(long_text, 'x', sizeof(long_text));
	long_text[2049] = '\0';
	assert_int_equal(xenrelay_configure(ch, long_text), -EINVAL);
	assert_int_equal(xenrelay_configure(NULL, ""), -EINVAL);

	assert_int_equal(xenrelay_disconnect(ch, 100), 0);
	assert_int_equal(xenrelay_configure(ch, "x=2"), -ENOTCONN);
	fake_remove(DIR "/state");
	assert_int_equal(xenrelay_configure(ch, "x=2"), -ENOENT);
	assert_string_equal(fake_read(DIR "/config"), "");
	xenrelay_release(ch);
}

static void answer_like_an_old_guest(const char *path, const char *value)
{
	uint32_t dir_ref = DIR_REF;

	honest(path, value);
	if (strncmp(value, "connect", 7))
		return;
	info()->info_size = 64;
	info()->loss_ref = 0;
	memset((char *)info() + 64, 0, sizeof(*info()) - 64);
	memcpy((char *)info() + 64, &dir_ref, sizeof(dir_ref));
}

/* A guest without "features", with a shorter info page, without a loss page. */
static void test_old_guest(void **state)
{
	const struct xenrelay_options opts = {.size = sizeof(opts),
					      .mode = XENRELAY_MODE_DISCARD,
					      .doorbell_percent = 50};
	unsigned char item[ITEM_SIZE];
	struct xenrelay_properties p = {.size = sizeof(p)};
	struct xenrelay_channel *ch;
	struct xenrelay_loss loss;

	(void)state;
	fake.written = answer_like_an_old_guest;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts, &ch), 0);
	assert_string_equal(words_given, "version=1 rings=1024");
	xenrelay_get_properties(ch, &p);
	assert_false(p.places_losses);
	assert_false(p.overwrite);
	assert_int_equal(p.doorbell, -EOPNOTSUPP);
	assert_int_equal(xenrelay_arm(ch), -EOPNOTSUPP);
	producer(1)->ring.head = 1;
	producer(1)->ring.lost = 9;
	assert_int_equal(xenrelay_read(ch, 0, item, 1, &loss), 1);
	assert_int_equal(loss.count, 0);

	/* It cannot have spans. */
	producer(1)->ring.spans = 1;
	assert_int_equal(xenrelay_read(ch, 0, item, 1, &loss), -EPROTO);
	xenrelay_release(ch);
}

#define SIZED .size = sizeof(struct xenrelay_options)

static void test_bad_arguments(void **state)
{
	static const struct xenrelay_options bad[] = {
		{SIZED, .ring_kib = 262145},
		{SIZED, .ring_kib = UINT32_MAX},
		{SIZED, .mode = 3},
		{SIZED, .mode = -1},
		{SIZED, .doorbell_percent = 101},
	};
	struct xenrelay_reader *unopened = NULL;
	struct xenrelay_channel *ch;
	struct xenrelay_options opts = {.size = sizeof(opts)};
	char long_text[2050] = {0};
	unsigned int i;
	char **names;
	unsigned int nr;

	(void)state;
	memset(long_text, 'a', sizeof(long_text) - 1);
	opts.config = long_text;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts, &ch), -EINVAL);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(xenrelay_connect(reader, 3, "xblk", &bad[i], &ch),
				 -EINVAL);
		assert_null(ch);
	}
	assert_int_equal(xenrelay_connect(reader, 3, NULL, NULL, &ch), -EINVAL);
	assert_int_equal(xenrelay_connect(reader, 3, "", NULL, &ch), -EINVAL);
	assert_int_equal(xenrelay_connect(reader, 0x7ff0, "xblk", NULL, &ch), -EINVAL);
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", NULL, NULL), -EINVAL);
	assert_int_equal(xenrelay_connect(NULL, 3, "xblk", NULL, &ch), -EINVAL);
	assert_string_equal(fake_read(DIR "/reader"), "");

	assert_int_equal(xenrelay_reader_open(NULL), -EINVAL);
	xenrelay_reader_close(NULL);
	assert_string_equal(xenrelay_strerror(NULL), "out of memory");
	assert_null(xenrelay_xenstore(NULL));
	assert_int_equal(xenrelay_set_patience(NULL, NULL, NULL), -EINVAL);
	assert_null(xenrelay_read_node(NULL, "domid"));
	assert_null(xenrelay_read_node(reader, NULL));
	assert_null(xenrelay_list_nodes(NULL, "domid", &nr));
	assert_null(xenrelay_list_nodes(reader, "domid", NULL));
	assert_int_equal(xenrelay_own_domid(NULL), XENRELAY_EVERY_DOMAIN);
	assert_int_equal(xenrelay_fd(NULL), -EINVAL);
	assert_int_equal(xenrelay_dispatch(NULL), -EINVAL);
	assert_false(xenrelay_domain_exists(NULL, 3));
	assert_false(xenrelay_domain_exists(reader, 0x7ff0));
	assert_int_equal(xenrelay_list(NULL, 3, &names), -EINVAL);
	assert_int_equal(xenrelay_list(reader, 0x7ff0, &names), -EINVAL);
	assert_int_equal(xenrelay_list(reader, 3, NULL), -EINVAL);
	xenrelay_list_free(NULL, 5);

	/* A reader that could not be opened is good for its text, and to be closed. */
	fake_write("domid", "none");
	assert_int_equal(xenrelay_reader_open(&unopened), -EPROTO);
	assert_int_equal(xenrelay_connect(unopened, 3, "xblk", NULL, &ch), -EBADF);
	assert_int_equal(xenrelay_dispatch(unopened), -EBADF);
	assert_int_equal(xenrelay_fd(unopened), -EBADF);
	assert_int_equal(xenrelay_list(unopened, 3, &names), -EBADF);
	assert_int_equal(xenrelay_watch_channels(unopened, 3), -EBADF);
	assert_non_null(strstr(xenrelay_strerror(unopened), "number"));
	xenrelay_reader_close(unopened);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_mapping_may_fail),
		TEST(test_no_channel),
		TEST(test_other_version),
		TEST(test_nonsense_version),
		TEST(test_versions_told),
		TEST(test_common_version),
		TEST(test_features),
		TEST(test_configure),
		TEST(test_old_guest),
		TEST(test_bad_arguments),
		TEST(test_guest_silent),
		TEST(test_guest_fails),
		TEST(test_busy),
		TEST(test_busy_for_a_while),
		TEST(test_other_reader_faster),
		TEST(test_nonsense_state),
		TEST(test_bad_info_page),
		TEST(test_bad_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
