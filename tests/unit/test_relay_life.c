// SPDX-License-Identifier: GPL-2.0-only
/*
 * A connected channel: read, counted, and ended by either side in every way.
 * Whatever happens, nothing may stay mapped.
 */
#include <errno.h>

#include "played_guest.h"

static void put_item(unsigned int ring, uint64_t n, unsigned char value)
{
	size_t at = n % CAPACITY * ITEM_SIZE, i;

	for (i = 0; i < ITEM_SIZE; i++) {
		size_t byte = at + i;
		unsigned int page = ring * RING_PAGES + byte / 4096;

		((unsigned char *)fake_page(DATA_REF(page)))[byte % 4096] = value;
	}
	producer(1 + ring)->ring.head = n + 1;
}

static void test_life(void **state)
{
	const struct xenrelay_options opts = {
		.size = sizeof(opts), .ring_kib = 12, .config = "disks=51712"};
	unsigned char buf[CAPACITY][ITEM_SIZE];
	struct xenrelay_ring_stats stats = {.size = sizeof(stats)};
	struct xenrelay_properties p = {.size = sizeof(p)};
	struct xenrelay_channel *ch;
	uint64_t n, i, done = 0;

	(void)state;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts, &ch), 0);
	assert_string_equal(fake_read(DIR "/config"), "disks=51712");
	assert_int_equal(domid_given, 0);
	assert_int_equal(kib_given, 12);
	assert_int_equal(consumer(0)->channel.attached, 1);
	/* The position pages and the rings; info and directory were only copied. */
	assert_int_equal(fake.mapped, 3 + NR_RINGS * RING_PAGES);
	xenrelay_get_properties(ch, &p);
	assert_int_equal(p.nr_rings, NR_RINGS);
	assert_int_equal(p.capacity, CAPACITY);
	assert_int_equal(p.session, session);
	assert_int_equal(p.clock_ns, 250);

	for (n = 0; n < 3 * CAPACITY; n++) {
		put_item(1, n, n);
		if (n % 200 && n != 3 * CAPACITY - 1)
			continue;
		assert_int_equal(xenrelay_read(ch, 0, buf, CAPACITY, NULL), 0);
		assert_int_equal(xenrelay_read(ch, 1, buf, CAPACITY, NULL), n + 1 - done);
		for (i = 0; done <= n; done++, i++) {
			assert_int_equal(buf[i][0], done & 0xff);
			assert_int_equal(buf[i][ITEM_SIZE - 1], done & 0xff);
		}
		assert_int_equal(consumer(2)->ring.tail, n + 1);
	}
	assert_int_equal(xenrelay_read(ch, NR_RINGS, buf, 1, NULL), -EINVAL);

	put_item(0, 0, 77);
	producer(1)->ring.lost = 5;
	producer(1)->ring.lost_nmi = 6;
	producer(0)->channel.events = 7;
	xenrelay_get_ring_stats(ch, 0, &stats);
	assert_int_equal(stats.produced, 1);
	assert_int_equal(stats.lost, 5);
	assert_int_equal(stats.lost_nmi, 6);
	assert_int_equal(stats.read, 0);
	assert_int_equal(xenrelay_events_sent(ch), 7);

	assert_false(xenrelay_stopped(ch));
	assert_int_equal(xenrelay_disconnect(ch, 1000), 0);
	assert_int_equal(xenrelay_disconnect(ch, 1000), 0);
	assert_int_equal(disconnects, 1);
	assert_true(xenrelay_stopped(ch));
	/* What was left can still be read. */
	assert_int_equal(xenrelay_read(ch, 0, buf, CAPACITY, NULL), 1);
	assert_int_equal(buf[0][0], 77);
	assert_int_equal(buf[0][ITEM_SIZE - 1], 77);

	xenrelay_release(ch);
	assert_int_equal(fake.mapped, 0);
	assert_int_equal(consumer(0)->channel.attached, 0);
	assert_int_equal(releases, 1);
	assert_string_equal(fake_read(DIR "/state"), "open");
}

static void test_lying_head(void **state)
{
	unsigned char buf[CAPACITY][ITEM_SIZE];
	struct xenrelay_channel_stats stats = {.size = sizeof(stats)};
	struct xenrelay_ring_stats sum = {.size = sizeof(sum)};
	struct xenrelay_channel *ch;

	(void)state;
	assert_int_equal(connect_quick(&ch), 0);
	put_item(0, 0, 1);
	producer(2)->ring.head = CAPACITY + 1;
	assert_int_equal(xenrelay_ring_level(ch, 1), CAPACITY);
	assert_int_equal(xenrelay_read(ch, 1, buf, CAPACITY, NULL), -EPROTO);
	assert_non_null(strstr(xenrelay_channel_strerror(ch), "ring 1"));
	xenrelay_get_channel_stats(ch, &stats);
	assert_int_equal(stats.broken_rings, 1);
	xenrelay_get_ring_stats(ch, XENRELAY_EVERY_RING, &sum);
	assert_non_null(strstr(sum.broken, "beyond the ring"));
	/* The other ring is none the worse. */
	assert_int_equal(xenrelay_read(ch, 0, buf, CAPACITY, NULL), 1);
	xenrelay_release(ch);
}

/* A loss is told at its place; the last one once the channel has been seen to stop. */
static void test_losses(void **state)
{
	unsigned char buf[CAPACITY][ITEM_SIZE];
	struct xenrelay_channel_stats stats = {.size = sizeof(stats)};
	struct xenrelay_ring_stats sum = {.size = sizeof(sum)};
	struct xenrelay_channel *ch;
	struct xenrelay_loss loss;

	(void)state;
	assert_int_equal(connect_quick(&ch), 0);
	put_item(0, 0, 1);
	put_item(0, 1, 2);
	*span_of(0, 1) = (struct xenrelay_span){1, 7, 100, 170};
	*span_of(0, 2) = (struct xenrelay_span){2, 3, 200, 230};
	producer(1)->ring.lost = 10;
	producer(1)->ring.spans = 2;
	put_item(1, 0, 3);
	assert_int_equal(xenrelay_ring_level(ch, 0), 2);
	assert_int_equal(xenrelay_read(ch, 0, buf, CAPACITY, &loss), 1);
	assert_int_equal(loss.count, 0);
	assert_int_equal(xenrelay_read(ch, 0, buf, CAPACITY, &loss), 1);
	assert_int_equal(loss.count, 7);
	assert_int_equal(loss.position, 1);
	assert_int_equal(loss.first_ns, 100);
	assert_int_equal(loss.last_ns, 170);
	assert_int_equal(xenrelay_read(ch, 0, buf, CAPACITY, &loss), 0);
	assert_int_equal(loss.count, 0);
	xenrelay_get_channel_stats(ch, &stats);
	assert_int_equal(stats.broken_rings, 0);
	xenrelay_get_ring_stats(ch, XENRELAY_EVERY_RING, &sum);
	assert_int_equal(sum.produced, 3);
	assert_int_equal(sum.read, 2);
	assert_int_equal(sum.level, 1);
	assert_int_equal(sum.lost, 10);
	assert_int_equal(sum.met, 7);
	assert_null(sum.broken);

	assert_int_equal(xenrelay_disconnect(ch, 1000), 0);
	assert_int_equal(xenrelay_read(ch, 0, buf, CAPACITY, &loss), 0);
	assert_int_equal(loss.count, 3);
	assert_int_equal(loss.position, 2);
	xenrelay_release(ch);
}

/* A program that was compiled with an older or a newer header, or with no care. */
static void test_sizes(void **state)
{
	struct {
		struct xenrelay_ring_stats known;
		uint64_t unknown;
	} newer = {.known = {.size = sizeof(newer)}, .unknown = 7};
	struct {
		struct xenrelay_options known;
		uint64_t unknown;
	} opts = {.known = {.size = sizeof(opts), .config = "x"}, .unknown = 0};
	struct xenrelay_ring_stats older = {
		.size = offsetof(struct xenrelay_ring_stats, lost), .lost = 9};
	struct xenrelay_channel_stats none = {.size = 0};
	struct xenrelay_channel_stats huge = {.size = SIZE_MAX};
	struct xenrelay_channel *ch;

	(void)state;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts.known, &ch), 0);
	put_item(0, 0, 1);
	producer(1)->ring.lost = 5;
	assert_int_equal(xenrelay_get_ring_stats(ch, 0, &newer.known), 0);
	assert_int_equal(newer.known.size, sizeof(newer));
	assert_int_equal(newer.known.lost, 5);
	assert_int_equal(newer.unknown, 0);
	assert_int_equal(xenrelay_get_ring_stats(ch, 0, &older), 0);
	assert_int_equal(older.produced, 1);
	assert_int_equal(older.lost, 9);
	assert_int_equal(xenrelay_get_channel_stats(ch, &none), -EINVAL);
	assert_int_equal(xenrelay_get_channel_stats(ch, &huge), -EINVAL);
	xenrelay_release(ch);

	/* Of an older one only what it has is looked at. */
	opts.known.mode = 77;
	opts.known.size = offsetof(struct xenrelay_options, mode);
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts.known, &ch), 0);
	assert_string_equal(fake_read(DIR "/config"), "x");
	xenrelay_release(ch);

	opts.known.mode = 0;
	opts.known.size = 0;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts.known, &ch), -EINVAL);
	assert_non_null(strstr(xenrelay_strerror(reader), "size"));
	opts.known.size = sizeof(opts);
	opts.unknown = 1;
	assert_int_equal(xenrelay_connect(reader, 3, "xblk", &opts.known, &ch), -EINVAL);
	assert_null(ch);
}

static void test_bad_arguments(void **state)
{
	struct xenrelay_channel_stats sum = {.size = sizeof(sum)};
	struct xenrelay_ring_stats stats = {.size = sizeof(stats), .read = 9};
	struct xenrelay_properties p = {.size = sizeof(p)};
	unsigned char buf[ITEM_SIZE];
	struct xenrelay_channel *ch;
	struct xenrelay_loss loss = {.count = 9};

	(void)state;
	assert_int_equal(connect_quick(&ch), 0);
	put_item(0, 0, 1);
	assert_int_equal(xenrelay_read(ch, NR_RINGS, buf, 1, &loss), -EINVAL);
	assert_int_equal(loss.count, 0);
	assert_non_null(strstr(xenrelay_channel_strerror(ch), "no ring 2"));
	assert_int_equal(xenrelay_read(ch, 0, NULL, 1, NULL), -EINVAL);
	assert_int_equal(xenrelay_read(ch, 0, NULL, 0, NULL), 0);
	assert_int_equal(xenrelay_read(NULL, 0, buf, 1, NULL), -EINVAL);
	assert_int_equal(xenrelay_ring_level(NULL, 0), -EINVAL);
	assert_int_equal(xenrelay_ring_level(ch, NR_RINGS), -EINVAL);
	assert_int_equal(xenrelay_get_properties(NULL, &p), -EINVAL);
	assert_int_equal(xenrelay_get_properties(ch, NULL), -EINVAL);
	assert_int_equal(xenrelay_get_ring_stats(ch, NR_RINGS, &stats), -EINVAL);
	assert_int_equal(stats.read, 0);
	assert_int_equal(xenrelay_get_ring_stats(ch, 0, NULL), -EINVAL);
	assert_int_equal(xenrelay_get_ring_stats(NULL, 0, &stats), -EINVAL);
	assert_int_equal(xenrelay_get_channel_stats(NULL, &sum), -EINVAL);
	assert_int_equal(xenrelay_get_channel_stats(ch, NULL), -EINVAL);
	assert_int_equal(xenrelay_events_sent(NULL), 0);
	assert_int_equal(xenrelay_arm(NULL), -EINVAL);
	assert_false(xenrelay_rang(NULL));
	assert_true(xenrelay_stopped(NULL));
	assert_int_equal(xenrelay_disconnect(NULL, 1), -EINVAL);
	xenrelay_release(NULL);

	/* As many as fit into any memory: it takes what there is. */
	assert_int_equal(xenrelay_read(ch, 0, buf, SIZE_MAX, NULL), 1);
	xenrelay_release(ch);
}

static void test_guest_does_not_stop(void **state)
{
	struct xenrelay_channel *ch;

	(void)state;
	assert_int_equal(connect_quick(&ch), 0);
	fake.written = silent;
	assert_int_equal(xenrelay_disconnect(ch, 0), -EINPROGRESS);
	assert_int_equal(xenrelay_disconnect(ch, 50), -ETIMEDOUT);
	xenrelay_release(ch);
	assert_int_equal(releases, 1);
}

/* The module is unloaded, the state changes hands, the domain goes. */
static void test_ends_of_the_other_side(void **state)
{
	struct xenrelay_channel *ch;

	(void)state;
	assert_int_equal(connect_quick(&ch), 0);
	assert_false(xenrelay_stopped(ch));
	fake_remove(DIR "/reader");
	fake_remove(DIR "/state");
	assert_int_equal(xenrelay_dispatch(reader) & XENRELAY_CHANGED_CHANNEL,
			 XENRELAY_CHANGED_CHANNEL);
	assert_true(xenrelay_stopped(ch));
	xenrelay_release(ch);
	assert_int_equal(releases, 0); /* nobody is there to hear it */

	set_state("open");
	assert_int_equal(connect_quick(&ch), 0);
	set_state("ready 1 1");
	xenrelay_dispatch(reader);
	assert_true(xenrelay_stopped(ch));
	xenrelay_release(ch);

	set_state("open");
	assert_int_equal(connect_quick(&ch), 0);
	xenrelay_dispatch(reader);
	assert_false(xenrelay_stopped(ch));
	fake.domain_gone = true;
	fake_fire("@releaseDomain");
	assert_int_equal(xenrelay_dispatch(reader) & XENRELAY_CHANGED_DOMAIN,
			 XENRELAY_CHANGED_DOMAIN);
	assert_true(xenrelay_stopped(ch));
	assert_int_equal(xenrelay_disconnect(ch, 1000), 0);
	xenrelay_release(ch);
	assert_false(xenrelay_domain_exists(reader, 3));
}

static unsigned int calls, gone_at;

static void remove_guest(void)
{
	static const char *const nodes[] = {DIR "/version",   DIR "/features",
					    DIR "/config",    DIR "/reader",
					    DIR "/state",     DIR,
					    "/local/domain/3"};
	unsigned int i;

	if (++calls != gone_at)
		return;
	fake.written = NULL;
	for (i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		fake_remove(nodes[i]);
}

/* Have the next step look at the state before it does anything. */
static void touch_state(void)
{
	fake_fire(DIR "/state");
	xenrelay_dispatch(reader);
}

static void live_until_gone(void)
{
	struct xenrelay_channel *ch;
	int err = connect_quick(&ch);

	assert_true(!err || err == -ENOENT);
	if (err)
		return;
	touch_state();
	err = xenrelay_configure(ch, "x=1");
	assert_true(!err || err == -ENOENT);
	touch_state();
	assert_int_equal(xenrelay_disconnect(ch, 50), 0);
	xenrelay_release(ch);
}

/*
 * The toolstack removes the directory of a domain that goes.  Whichever of the reader's
 * calls it comes before, no later one may make a node there again.
 */
static void test_guest_goes_at_any_moment(void **state)
{
	for (gone_at = 1;; gone_at++) {
		fake_write(DIR "/features", "configure");
		calls = 0;
		fake.called = remove_guest;
		live_until_gone();
		assert_int_equal(fake.mapped, 0);
		if (calls < gone_at)
			break;
		/* This domain's own number. */
		assert_int_equal(fake_nr_nodes(), 1);
		teardown(state);
		assert_int_equal(setup(state), 0);
	}
	assert_int_equal(releases, 1);
}

static void flap_state(void)
{
	static unsigned int n;

	set_state("ready %u %u", session, n++);
}

/* A state that is written without end keeps nobody from asking. */
static void test_flapping_state(void **state)
{
	struct xenrelay_channel *ch;

	(void)state;
	fake_write(DIR "/features", "configure");
	assert_int_equal(connect_quick(&ch), 0);
	fake.called = flap_state;
	assert_int_equal(xenrelay_configure(ch, "x=1"), 0);
	assert_int_equal(xenrelay_disconnect(ch, 0), 0);
	assert_int_equal(disconnects, 1);
	xenrelay_release(ch);
	assert_int_equal(releases, 1);
}

static void other_reader_asks(char *text, size_t size)
{
	snprintf(text, size, "connect %u 0 0", session ^ 1);
	fake_write(DIR "/reader", text);
}

/* What another reader has written, now that the channel is free, is not overwritten. */
static void test_another_reader(void **state)
{
	struct xenrelay_channel *ch;
	char text[32];

	(void)state;
	fake_write(DIR "/features", "configure");
	assert_int_equal(connect_quick(&ch), 0);
	set_state("open");
	other_reader_asks(text, sizeof(text));
	assert_int_equal(xenrelay_configure(ch, "x=1"), -ENOTCONN);
	assert_int_equal(xenrelay_disconnect(ch, 0), 0);
	xenrelay_release(ch);
	assert_string_equal(fake_read(DIR "/reader"), text);
	assert_string_equal(fake_read(DIR "/config"), "");
}

/*
 * One that asked while the guest was about to connect us has come too late, and knows.
 * The guest goes on writing until we have it stop: it has not stopped because of that.
 */
static void test_reader_too_late(void **state)
{
	struct xenrelay_channel *ch;
	char text[32];

	(void)state;
	fake_write(DIR "/features", "configure");
	assert_int_equal(connect_quick(&ch), 0);
	other_reader_asks(text, sizeof(text));
	assert_int_equal(xenrelay_configure(ch, "x=1"), 0);
	assert_string_equal(fake_read(DIR "/config"), "x=1");
	other_reader_asks(text, sizeof(text));
	assert_int_equal(xenrelay_disconnect(ch, 1000), 0);
	assert_int_equal(disconnects, 1);
	other_reader_asks(text, sizeof(text));
	xenrelay_release(ch);
	assert_int_equal(releases, 1);
}

/* Each transaction meets another write: few at once, and asked again later. */
static void test_guest_keeps_us_from_asking(void **state)
{
	const unsigned int many = 1000000;
	struct xenrelay_channel *ch;

	(void)state;
	fake_write(DIR "/features", "configure");
	assert_int_equal(connect_quick(&ch), 0);
	fake.fail_ends = many;
	assert_int_equal(xenrelay_configure(ch, "x=1"), -EAGAIN);
	assert_non_null(strstr(xenrelay_strerror(reader), "too busy"));
	assert_in_range(many - fake.fail_ends, 2, 20);

	fake.fail_ends = many;
	assert_int_equal(xenrelay_disconnect(ch, 0), -EINPROGRESS);
	assert_in_range(many - fake.fail_ends, 2, 20);
	assert_int_equal(xenrelay_disconnect(ch, 50), -ETIMEDOUT);
	assert_in_range(many - fake.fail_ends, 4, 200);
	assert_int_equal(disconnects, 0);
	fake.fail_ends = 40;
	assert_int_equal(xenrelay_disconnect(ch, 1000), 0);
	assert_int_equal(disconnects, 1);

	fake.fail_ends = many;
	xenrelay_release(ch);
	assert_in_range(many - fake.fail_ends, 2, 20);
	assert_int_equal(releases, 0);
}

/* Closing the reader alone is a safe end. */
static void test_close_without_release(void **state)
{
	struct xenrelay_channel *ch;

	(void)state;
	assert_int_equal(connect_quick(&ch), 0);
	xenrelay_reader_close(reader);
	reader = NULL;
	assert_int_equal(fake.mapped, 0);
	assert_int_equal(releases, 1);
}

static void test_list(void **state)
{
	char **names;

	(void)state;
	fake_write("/local/domain/3/data/xenrelay/a b", "");
	fake_write("/local/domain/3/data/xenrelay/\033[2J", "");
	fake_write("/local/domain/3/data/xenrelay/second", "");
	assert_int_equal(xenrelay_list(reader, 3, &names), 2);
	assert_string_equal(names[0], "xblk");
	assert_string_equal(names[1], "second");
	xenrelay_list_free(names, 2);
	assert_int_equal(xenrelay_list(reader, 4, &names), 0);
	xenrelay_list_free(names, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_life),
		TEST(test_losses),
		TEST(test_sizes),
		TEST(test_bad_arguments),
		TEST(test_lying_head),
		TEST(test_guest_does_not_stop),
		TEST(test_ends_of_the_other_side),
		TEST(test_guest_goes_at_any_moment),
		TEST(test_flapping_state),
		TEST(test_another_reader),
		TEST(test_reader_too_late),
		TEST(test_guest_keeps_us_from_asking),
		TEST(test_close_without_release),
		TEST(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
