// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connecting to a guest that answers, does not, or lies.  Whatever happens,
 * nothing may stay mapped, and a guest that gave memory must hear of the end.
 */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

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

static void test_larger_than_wanted(void **state)
{
	const struct xenrelay_options opts = {.size = sizeof(opts),
					      .max_kib = NR_RINGS * RING_PAGES * 4 - 1};
	struct xenrelay_channel *ch;

	(void)state;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts, &ch), -E2BIG);
	assert_int_equal(releases, 1);
}

/* 64 KiB are 16 pages: what the guest gives, and what the reader can map. */
static unsigned int pages_given, fails_above_kib;

static void answer_with_size(const char *path, const char *value)
{
	uint32_t *refs = fake_page(DIR_REF);
	unsigned int i;

	if (strncmp(value, "connect", 7)) {
		honest(path, value);
		return;
	}
	sscanf(value, "connect %u %u %u", &session, &domid_given, &kib_given);
	connects++;
	if (fails_above_kib && (!kib_given || kib_given > fails_above_kib)) {
		set_state("failed %u 28 no free grants", session);
		return;
	}
	make_pages();
	pages_given = (kib_given ? kib_given : 1024) / 4;
	info()->ring_pages = pages_given;
	for (i = 0; i < NR_RINGS * pages_given; i++)
		refs[i] = 310 + i % 64;
	set_state("ready %u %u", session, INFO_REF);
}

static void expect_size(unsigned int wanted, unsigned int kib, unsigned int kib_wanted)
{
	const struct xenrelay_options opts = {.size = sizeof(opts), .ring_kib = wanted};
	struct xenrelay_properties p = {.size = sizeof(p)};
	struct xenrelay_channel *ch;

	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts, &ch), 0);
	xenrelay_get_properties(ch, &p);
	assert_int_equal(p.ring_kib, kib);
	assert_int_equal(p.ring_kib_wanted, kib_wanted);
	xenrelay_release(ch);
	assert_int_equal(fake.mapped, 0);
	assert_string_equal(fake_read(DIR "/state"), "open");
}

/* Halves until it fits; every grant of a try that failed has been given back. */
static void test_less_room_here(void **state)
{
	static const int errs[] = {ENOMEM, ENOSPC, EINVAL};
	unsigned int i;

	(void)state;
	fake.written = answer_with_size;
	fails_above_kib = 0;
	for (i = 0; i < 3; i++) {
		fake.room = 3 + NR_RINGS * 32;
		fake.room_errno = errs[i];
		connects = releases = 0;
		expect_size(512, 128, 512);
		assert_int_equal(connects, 3);
		assert_int_equal(releases, 3);
		/* The guest's own choice is known once it has shown it. */
		expect_size(0, 128, 1024);
	}
	fake.room_errno = EACCES;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk",
					  &(struct xenrelay_options){
						  .size = sizeof(struct xenrelay_options),
						  .ring_kib = 512},
					  &(struct xenrelay_channel *){NULL}),
			 -EACCES);
}

static void test_less_room_there(void **state)
{
	struct xenrelay_channel *ch;

	(void)state;
	fake.written = answer_with_size;
	fails_above_kib = 200;
	expect_size(1024, 128, 1024);
	fails_above_kib = 64;
	expect_size(0, 64, 64);

	/* Even the least is too much: it says so, and ends. */
	fails_above_kib = 63;
	connects = 0;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", NULL, &ch), -ECONNREFUSED);
	assert_non_null(strstr(xenrelay_strerror(reader), "no free grants"));
	assert_in_range(connects, 2, 8);
}

/* The bound on all rings together is kept by smaller ones, too. */
static void test_less_than_the_bound(void **state)
{
	const struct xenrelay_options opts = {
		.size = sizeof(opts), .ring_kib = 512, .max_kib = 300};
	const struct xenrelay_options tight = {
		.size = sizeof(tight), .ring_kib = 512, .max_kib = 100};
	struct xenrelay_properties p = {.size = sizeof(p)};
	struct xenrelay_channel *ch;

	(void)state;
	fake.written = answer_with_size;
	fails_above_kib = connects = 0;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts, &ch), 0);
	xenrelay_get_properties(ch, &p);
	assert_int_equal(p.ring_kib, 128);
	assert_int_equal(connects, 2);
	xenrelay_release(ch);
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &tight, &ch), -E2BIG);
	assert_string_equal(xenrelay_strerror(reader),
			    "domain 3, channel xblk: its 2 rings of 64 KiB are larger, "
			    "all together, than the 100 KiB that this reader accepts");
}

/* Answers the first request alone. */
static void answer_once(const char *path, const char *value)
{
	if (!connects || strncmp(value, "connect", 7))
		answer_with_size(path, value);
}

/* A guest that is too slow for a second request: why the first was not granted is said,
 * too. */
static void test_no_time_for_less(void **state)
{
	const struct xenrelay_options large = {.size = sizeof(large),
					       .ring_kib = 512,
					       .max_kib = 300,
					       .timeout_ms = 100};
	const struct xenrelay_options any = {.size = sizeof(any), .timeout_ms = 100};
	struct xenrelay_channel *ch;

	(void)state;
	fake.written = answer_once;
	fails_above_kib = connects = 0;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &large, &ch), -ETIMEDOUT);
	assert_non_null(strstr(xenrelay_strerror(reader), "larger, all together"));
	assert_non_null(strstr(xenrelay_strerror(reader), "no answer in time"));
	fails_above_kib = 63;
	connects = 0;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &any, &ch), -ETIMEDOUT);
	assert_non_null(strstr(xenrelay_strerror(reader), "no free grants"));
}

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
		TEST(test_less_room_here),
		TEST(test_less_room_there),
		TEST(test_less_than_the_bound),
		TEST(test_no_time_for_less),
		TEST(test_idle),
		TEST(test_transactions_fail),
		TEST(test_flapping_state),
		TEST(test_late),
		TEST(test_guest_silent),
		TEST(test_silent_xenstore),
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
