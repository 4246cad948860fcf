// SPDX-License-Identifier: GPL-2.0-only
/*
 * Captures of many guests, at once and one after the other: what it costs that one comes,
 * and what is left of those that have gone.
 *
 * The capture is the real one.  Played are XenStore and the guests, the module in dom0,
 * and time: it goes on as fast as the capture takes its turns, in each of which it asks
 * for signals.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../xblktrace/clock.h"
#include "../../xblktrace/signals.h"
#include "../../xblktrace/tap-begin.h"
#include "channel_pages.h"
#include "fake_xen.h"
#include "played_capture.h"
#include "played_module.h"
#include "silent_module.h"
#include "trace_content.h"
#include "xenrelay-reader.h"

#define RING_PAGES 4

/* The guests' pages: all use the same but for the first, of which each has its own. */
#define FIRST_INFO (DATA + RING_PAGES)
#define MOST	   (FAKE_PAGES - FIRST_INFO)

static struct played played;
static struct capture *const c = &played.capture;
static struct domain_table table;
static struct guest guests[MAX_DOMAINS];
static struct xenrelay_reader *reader;
static struct xenrelay_ring ring;

/* What the test does in each turn; it sets @ends to end the capture. */
static void (*turn)(void);
static bool ends;
static pthread_t control;
static const char *output;
static unsigned int nr_cpus;	     /* of this domain that have a stream */
static unsigned int mute_from = ~0u; /* these do not answer */
static bool anew; /* each guest has rings of its own, as the only one */
static uint64_t max_kib = 1024 * 1024; /* for all guests' rings */
/* Of each guest; with more than one ring, or more pages, nobody writes to them. */
static unsigned int nr_rings = 1, ring_pages = RING_PAGES;
static bool stubborn; /* takes no notice of how large a ring may be */

/* How many guests have answered, and the last one to do so. */
static unsigned int nr_answers, answered;

/* --- time --- */

static uint64_t skipped_ns;

int clock_gettime(clockid_t id, struct timespec *ts)
{
	int ret = syscall(SYS_clock_gettime, id, ts);
	uint64_t ns;

	if (ret || id != CLOCK_MONOTONIC)
		return ret;
	ns = ts->tv_sec * 1000000000ull + ts->tv_nsec +
	     __atomic_load_n(&skipped_ns, __ATOMIC_RELAXED);
	ts->tv_sec = ns / 1000000000;
	ts->tv_nsec = ns % 1000000000;
	return 0;
}

/* Also for the reader of channels, whose timer is a real one. */
static void skip_ms(unsigned int ms)
{
	__atomic_fetch_add(&skipped_ns, ms * 1000000ull, __ATOMIC_RELAXED);
	fake_wake();
}

/* --- signals --- */

void signals_block(void)
{
}

void signals_ignore_output(void)
{
}

/* There is always something to do. */
int signals_open(void)
{
	return eventfd(1, EFD_CLOEXEC);
}

unsigned int signals_take(int fd, bool *snapshot)
{
	(void)fd;
	*snapshot = false;
	if (!ends)
		turn();
	return ends;
}

/* --- the module in dom0 --- */

int dom0_look(struct dom0 *dom0, uint64_t *ns, uint64_t *level)
{
	static uint64_t now;

	(void)dom0;
	*ns = __atomic_add_fetch(&now, 1000000, __ATOMIC_RELAXED);
	*level = 0;
	return 0;
}

int backing_add(struct backing_table *backing, const char *sysfs, unsigned int major,
		unsigned int minor, uint64_t *start_sector)
{
	(void)sysfs, (void)major;
	*start_sector = 0;
	return minor % backing->nr;
}

int backing_update(struct backing_table *backing, const char *sysfs)
{
	(void)backing, (void)sysfs;
	return 0;
}

/* --- the guests --- */

static void node(const char *value, const char *fmt, ...)
{
	char path[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	if (value)
		fake_write(path, value);
	else
		fake_remove_tree(path);
}

static void comes(unsigned int domid)
{
	static unsigned int nr;
	unsigned int disk;
	char text[64];

	node("", "/local/domain/%u", domid);
	snprintf(text, sizeof(text), "guest%u", domid);
	node(text, "/local/domain/%u/name", domid);
	snprintf(text, sizeof(text), "/vm/%u", nr++);
	node(text, "/local/domain/%u/vm", domid);
	for (disk = 0; disk < 2; disk++) {
		const char *dir = "/local/domain/0/backend/vbd";

		node("", "%s/%u/%u", dir, domid, 51712 + 16 * disk);
		snprintf(text, sizeof(text), "xvd%c", 'a' + disk);
		node(text, "%s/%u/%u/dev", dir, domid, 51712 + 16 * disk);
		snprintf(text, sizeof(text), "8:%x", disk);
		node(text, "%s/%u/%u/physical-device", dir, domid, 51712 + 16 * disk);
		node("4", "%s/%u/%u/state", dir, domid, 51712 + 16 * disk);
	}
	node("", "/local/domain/%u/data/xenrelay/xblk", domid);
	node("1", "/local/domain/%u/data/xenrelay/xblk/version", domid);
	node("", "/local/domain/%u/data/xenrelay/xblk/reader", domid);
	node("open", "/local/domain/%u/data/xenrelay/xblk/state", domid);
	fake_fire("@introduceDomain");
}

static bool is_there(unsigned int domid)
{
	char path[64];

	snprintf(path, sizeof(path), "/local/domain/%u", domid);
	return fake_read(path);
}

static void goes(unsigned int domid)
{
	node(NULL, "/local/domain/%u", domid);
	node(NULL, "/local/domain/0/backend/vbd/%u", domid);
	fake_fire("@releaseDomain");
}

static void make_pages(unsigned int info_page, unsigned int session, unsigned int pages)
{
	const struct channel_pages channel = {
		.info = info_page,
		.producer = PRODUCER,
		.consumer = CONSUMER,
		.losses = LOSSES,
		.directory = DIRECTORY,
		.data = DATA,
		.nr_data = RING_PAGES,
		.nr_rings = nr_rings,
		.ring_pages = pages,
	};

	channel_pages_tell(&channel, session);
}

static void make_ring(void)
{
	union xenrelay_producer_line *producer = fake_page(PRODUCER);
	struct xenrelay_loss_line *losses = fake_page(LOSSES);
	union xenrelay_consumer_line *consumer = fake_page(CONSUMER);

	memset(producer, 0, 4096);
	memset(losses, 0, 4096);
	memset(consumer, 0, 4096);
	xenrelay_ring_init(&ring, fake_page(DATA), RING_PAGES * 4096, XBLK_RECORD_SIZE,
			   false, &producer[1], &losses[1], &consumer[1]);
	producer->channel.state = XENRELAY_RUNNING;
}

static void answer(const char *path, const char *value)
{
	unsigned int domid, session, kib, page = FIRST_INFO + nr_answers % MOST;
	unsigned int pages = ring_pages;
	char text[64];

	if (sscanf(path, "/local/domain/%u/", &domid) != 1 ||
	    !strstr(path, "/xblk/reader") || domid >= mute_from)
		return;
	if (sscanf(value, "connect %u %*u %u", &session, &kib) == 2) {
		if (anew)
			make_ring();
		if (!stubborn && kib && kib / 4 < pages)
			pages = kib / 4;
		make_pages(page, session, pages);
		nr_answers++;
		answered = domid;
		snprintf(text, sizeof(text), "ready %u %u", session, page);
		node(text, "/local/domain/%u/data/xenrelay/xblk/state", domid);
	} else if (sscanf(value, "disconnect %u", &session) == 1) {
		snprintf(text, sizeof(text), "stopped %u", session);
		node(text, "/local/domain/%u/data/xenrelay/xblk/state", domid);
	} else if (sscanf(value, "release %u", &session) == 1 && is_there(domid)) {
		node("open", "/local/domain/%u/data/xenrelay/xblk/state", domid);
	}
}

/* --- the capture --- */

static int run(void (*in_each_turn)(void))
{
	static const char *all[] = {"all"};
	struct options opts = {.domains = all, .nr_domains = 1, .follow = true};
	struct backing entries[2] = {
		{.major = 8, .name = "sda", .part_of = -1},
		{.major = 8, .minor = 1, .name = "sdb", .part_of = -1}};
	struct backing_table backing = {.entries = entries, .nr = 2};
	eventfd_t none;
	unsigned int i;
	int ret;

	turn = in_each_turn;
	ends = false;
	nr_answers = 0;
	make_ring();
	assert_int_equal(domains_select(reader, &opts, &backing, &table), 0);
	played_begin(&played, reader, &table, guests, MAX_DOMAINS);
	/* Nothing comes of the module, so that its reading sleeps. */
	assert_int_equal(eventfd_read(played.dom0.now, &none), 0);
	played.opts = opts;
	played.backing = backing;
	played.dom0.nr_cpus = nr_cpus;
	c->max_kib = max_kib;
	assert_int_equal(writer_open(&played.writer, output), 0);
	ret = played_run(&played);
	assert_int_equal(writer_close(&played.writer), 0);
	played_end(&played);
	for (i = 0; i < table.nr; i++)
		free(guests[i].rings);
	return ret;
}

/* --- many at once --- */

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
		ends = true;
		step = 0;
	}
}

static void cost_in_fleet(unsigned int nr)
{
	fleet = nr;
	output = "/dev/null";
	assert_int_equal(run(fleet_turn), 0);
	assert_int_equal(nr_answers, nr + 1);
	assert_int_equal(quiet_calls, 0);
	print_message(
		"with %u guests: %u calls of XenStore for one that comes, %u for one that "
		"goes\n",
		nr, come_calls, go_calls);
	assert_in_range(come_calls, 10, 60);
	/* Which one has gone XenStore does not say: two for each that may have. */
	assert_in_range(go_calls, 10, 60 + 2 * nr);
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

/* --- many one after the other --- */

/* More than there can be at once, and than there are numbers here. */
#define ROW	10000
#define NUMBERS 1300
#define RECORDS 6

size_t __sanitizer_get_current_allocated_bytes(void);

static size_t bytes_early, bytes_late;
static uint64_t file_early, file_late;
static unsigned int most_streams;

static unsigned int count_streams(void)
{
	const struct writer_stream *stream;
	unsigned int nr = 0;

	for (stream = c->writer->streams; stream; stream = stream->next)
		nr++;
	return nr;
}

static void write_records(unsigned int nr)
{
	uint64_t now;

	dom0_now(NULL, &now);
	while (nr--) {
		struct xblk_record *rec = xenrelay_ring_reserve(&ring);

		if (!rec)
			abort();
		*rec = (struct xblk_record){.time = now, .event = XBLK_EV_QUEUE};
		xenrelay_ring_commit(&ring);
	}
}

/* Each comes when nothing is left of the one before. */
static void row_turn(void)
{
	enum {
		COME,
		BE_READ,
		GO
	};
	static unsigned int step, nr, domid;

	skip_ms(100);
	if (!c->started)
		step = nr = 0;
	switch (c->started ? step : ~0u) {
	case COME:
		if (nr == ROW) {
			bytes_late = __sanitizer_get_current_allocated_bytes();
			file_late = writer_bytes_out(c->writer);
			ends = true;
			break;
		}
		domid = 1 + nr % NUMBERS;
		comes(domid);
		step++;
		break;
	case BE_READ:
		if (c->nr_connected != nr + 1)
			break;
		write_records(RECORDS);
		goes(domid);
		step++;
		break;
	case GO:
		if (domains_find(&table, domid))
			break;
		if (count_streams() > most_streams)
			most_streams = count_streams();
		if (nr++ == ROW / 5) {
			bytes_early = __sanitizer_get_current_allocated_bytes();
			file_early = writer_bytes_out(c->writer);
		}
		step = COME;
		break;
	}
}

static unsigned int count_of(const char *text, const char *word)
{
	unsigned int nr;

	for (nr = 0; (text = strstr(text, word)); text++)
		nr++;
	return nr;
}

/* The chunks of the trace: all counters are there, of each guest once. */
static void check_row(const char *path)
{
	unsigned int nr_ended = 0, records = 0, longest_meta = 0;
	struct xblk_chunk chunk;
	const char *payload;
	size_t len, at = 0;
	char *bytes = slurp(path, &len);

	while ((payload = trace_next(bytes, len, &at, &chunk))) {
		char *text = strndup(payload, chunk.payload);

		if (chunk.type == XBLK_CHUNK_DATA) {
			/* Each guest's stream begins anew. */
			assert_int_equal(chunk.sequence, records % RECORDS);
			records += chunk.payload / XBLK_RECORD_SIZE;
		}
		if (chunk.type == XBLK_CHUNK_END)
			assert_non_null(strstr(text, "\"streams\":[],"));
		if (chunk.type == XBLK_CHUNK_META) {
			if (chunk.payload > longest_meta)
				longest_meta = chunk.payload;
			nr_ended +=
				count_of(text, "\"produced\":6,\"written\":6,\"lost\":0");
		}
		free(text);
	}
	assert_int_equal(records, ROW * RECORDS);
	assert_int_equal(nr_ended, ROW);
	assert_in_range(longest_meta, 1, 2048);
	free(bytes);
}

static void test_in_a_row(void **state)
{
	char path[] = "/tmp/test_trace_many.XXXXXX";

	(void)state;
	close(mkstemp(path));
	output = path;
	anew = true;
	most_streams = 0;
	assert_int_equal(run(row_turn), 0);
	anew = false;
	assert_in_range(table.nr, 1, 4);
	assert_in_range(most_streams, 0, 4);
	check_row(path);
	print_message(
		"%u guests in a row: %zu bytes of memory, then %zu; %u bytes of trace "
		"for each\n",
		ROW, bytes_early, bytes_late,
		(unsigned int)((file_late - file_early) / (ROW - ROW / 5)));
	assert_in_range(bytes_late, 0, bytes_early + 65536);
	assert_in_range(file_late, 0, file_early * 6);
	if (!getenv("KEEP_TRACE"))
		unlink(path);
}

/* --- guests that do not answer --- */

#define SILENT 40

static uint64_t began_ns, took_ns;
static unsigned int under_way;

static void silent_turn(void)
{
	unsigned int i;

	skip_ms(100);
	if (!c->started || ends)
		return;
	took_ns = monotonic_ns() - began_ns;
	for (i = 0, under_way = 0; i < table.nr; i++)
		under_way += !!guests[i].attempt.channel;
	ends = true;
}

/* C10: a capture of all begins with those that answer. */
static void test_silent(void **state)
{
	unsigned int i;

	(void)state;
	mute_from = 2;
	for (i = 1; i <= 1 + SILENT; i++)
		comes(i);
	output = "/dev/null";
	began_ns = monotonic_ns();
	assert_int_equal(run(silent_turn), 0);
	mute_from = ~0u;
	assert_int_equal(nr_answers, 1);
	assert_int_equal(under_way, SILENT);
	print_message("with %u guests that do not answer it begins after %.1f s\n",
		      SILENT, took_ns / 1e9);
	assert_in_range(took_ns, 0, 3000000000);
}

/* --- what all their rings together take --- */

#define TAKERS 64
#define VCPUS  4

static uint64_t most_kib, least_share;
static unsigned int nr_traced;

static void takers_turn(void)
{
	uint64_t sum = 0, kib;
	unsigned int i;

	skip_ms(100);
	turns = c->started ? turns + 1 : 0;
	nr_traced = 0;
	least_share = max_kib;
	for (i = 0; i < table.nr; i++) {
		kib = guest_mapped_kib(&guests[i]);
		sum += kib;
		nr_traced += !!kib;
		if (kib && kib < least_share)
			least_share = kib;
	}
	/* By what the capture knows, and by what the host has mapped for it. */
	if (sum > most_kib)
		most_kib = sum;
	if (fake.mapped * 4 > most_kib + nr_traced * 4 * 4)
		abort();
	/* One more when all others are there; and time to try once more. */
	if (turns == 100)
		comes(TAKERS + 1);
	ends = turns == 500;
}

static void take(uint64_t kib)
{
	unsigned int i;

	max_kib = kib;
	anew = true;
	nr_rings = VCPUS;
	ring_pages = 128;
	most_kib = 0;
	for (i = 1; i <= TAKERS; i++)
		comes(i);
	output = "/dev/null";
	assert_int_equal(run(takers_turn), 0);
	print_message("%u guests have %llu of %llu KiB, none less than %llu\n", nr_traced,
		      (unsigned long long)most_kib, (unsigned long long)max_kib,
		      (unsigned long long)least_share);
	assert_in_range(most_kib, kib / 4, kib);
	max_kib = 1024 * 1024;
	anew = false;
	nr_rings = 1;
	ring_pages = RING_PAGES;
}

/* C4: they want four times what there is, and get their shares, also who comes late. */
static void test_shares(void **state)
{
	const uint64_t kib = TAKERS * VCPUS * 512 / 4;

	(void)state;
	take(kib);
	assert_int_equal(nr_traced, TAKERS + 1);
	/* Rings halve in size until they fit. */
	assert_in_range(least_share, kib / (TAKERS + 2) / 4, kib);
}

/* They offer what they like: no more of them are traced than there is room for. */
static void test_stubborn(void **state)
{
	const uint64_t kib = TAKERS * VCPUS * 512 / 4;

	(void)state;
	stubborn = true;
	take(kib);
	stubborn = false;
	assert_in_range(nr_traced, 1, TAKERS / 4);
	assert_int_equal(least_share, VCPUS * 512);
}

/* --- a place that another guest gets --- */

static int tap_fd = -1;
static bool tap_wants_other;
static unsigned int tap_streams;

static const struct tap *the_tap(void)
{
	return c->drain.taps.each[0];
}

static unsigned int place_of(unsigned int nr)
{
	const struct domain *domain = domains_find(&table, nr);

	return domain ? domain - table.entries : ~0u;
}

static void read_tap(void)
{
	static char bytes[65536];

	while (tap_fd >= 0 && recv(tap_fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

/*
 * guest1 is tapped; another one of its name comes, and goes before it has answered; and
 * then one of another name gets its place.
 */
static void place_turn(void)
{
	static unsigned int step;
	int fds[2];

	skip_ms(100);
	read_tap();
	switch (c->started ? step : ~0u) {
	case 0:
		comes(1);
		step++;
		break;
	case 1:
		if (c->nr_connected != 1)
			break;
		step++;
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) ||
		    taps_ask(c, strdup("tap 1\ndomain guest1\n\n"), fds[0], 1))
			abort();
		tap_fd = fds[1];
		mute_from = 2;
		comes(2);
		node("guest1", "/local/domain/2/name");
		break;
	case 2:
		if (place_of(2) == ~0u || !guests[place_of(2)].attempt.channel)
			break;
		goes(2);
		step++;
		break;
	case 3:
		if (place_of(2) != ~0u)
			break;
		mute_from = ~0u;
		comes(9);
		step++;
		break;
	case 4:
		if (c->nr_connected != 2)
			break;
		tap_wants_other = the_tap()->wanted[place_of(9)];
		tap_streams = the_tap()->writer.nr_streams;
		ends = true;
		step = 0;
	}
}

static void test_place(void **state)
{
	(void)state;
	anew = true;
	nr_cpus = 1;
	output = "/dev/null";
	assert_int_equal(run(place_turn), 0);
	anew = false;
	nr_cpus = 0;
	close(tap_fd);
	tap_fd = -1;
	assert_false(tap_wants_other);
	/* This domain's, and guest1's. */
	assert_int_equal(tap_streams, 2);
}

/* --- a tap of many one after the other --- */

#define TAPPED_ROW 300
#define STAYS	   2000

static FILE *tapped;
static unsigned int most_tapped;

static void keep_tap(void)
{
	static char bytes[65536];
	ssize_t n;

	while (tap_fd >= 0 && (n = recv(tap_fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		if (fwrite(bytes, 1, n, tapped) != (size_t)n)
			abort();
}

/* One stays, as a tap ends with its last guest. */
static void tapped_turn(void)
{
	static unsigned int step, nr, domid;
	const struct writer_stream *stream;
	unsigned int streams = 0;
	int fds[2];

	skip_ms(100);
	keep_tap();
	switch (c->started ? step : ~0u) {
	case 0:
		comes(STAYS);
		nr = 0;
		step++;
		break;
	case 1:
		if (c->nr_connected != 1)
			break;
		step++;
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) ||
		    taps_ask(c, strdup("tap 1\ndomain all\n\n"), fds[0], 1))
			abort();
		tap_fd = fds[1];
		break;
	case 2:
		if (nr == TAPPED_ROW) {
			ends = true;
			step = 0;
			break;
		}
		domid = 1 + nr % 100;
		comes(domid);
		step++;
		break;
	case 3:
		if (c->nr_connected != nr + 2)
			break;
		goes(domid);
		step++;
		break;
	case 4:
		if (domains_find(&table, domid) || the_tap()->nr_ending)
			break;
		for (stream = the_tap()->writer.streams; stream; stream = stream->next)
			streams++;
		if (streams > most_tapped)
			most_tapped = streams;
		nr++;
		step = 2;
	}
}

/* META says of each that it is no more, and END of those that are there. */
static void check_tapped(void)
{
	unsigned int nr_ended = 0;
	struct xblk_chunk chunk;
	const char *payload, *trace;
	char path[32], *bytes;
	bool ended = false;
	size_t len, at = 0;

	fflush(tapped);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fileno(tapped));
	bytes = slurp(path, &len);
	/* What the capture says first ends in a line. */
	trace = strchr(bytes, '\n') + 1;
	len -= trace - bytes;
	while ((payload = trace_next(trace, len, &at, &chunk))) {
		char *text = strndup(payload, chunk.payload);

		nr_ended += chunk.type == XBLK_CHUNK_META && strstr(text, "\"ended\"");
		if (chunk.type == XBLK_CHUNK_END) {
			ended = true;
			assert_non_null(strstr(text, "\"domid\":2000"));
			assert_null(strstr(text, "\"domid\":1,"));
		}
		free(text);
	}
	assert_true(ended);
	assert_int_equal(nr_ended, TAPPED_ROW);
	free(bytes);
}

static void test_tapped_row(void **state)
{
	(void)state;
	nr_cpus = 1;
	output = "/dev/null";
	tapped = tmpfile();
	assert_int_equal(run(tapped_turn), 0);
	nr_cpus = 0;
	keep_tap();
	close(tap_fd);
	tap_fd = -1;
	assert_in_range(most_tapped, 2, 3);
	check_tapped();
	fclose(tapped);
}

/* The drain asks XenStore nothing. */
static void by_control(void)
{
	if (!pthread_equal(pthread_self(), control))
		abort();
}

static int setup(void **state)
{
	(void)state;
	control = pthread_self();
	fake_begin();
	node("0", "domid");
	fake.written = answer;
	fake.called = by_control;
	return xenrelay_reader_open(&reader);
}

static int teardown(void **state)
{
	(void)state;
	domains_free(&table);
	table = (struct domain_table){0};
	xenrelay_reader_close(reader);
	assert_int_equal(fake.mapped, 0);
	fake_end();
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_comes_to_few), TEST(test_one_comes),
		TEST(test_in_a_row),	     TEST(test_place),
		TEST(test_tapped_row),	     TEST(test_silent),
		TEST(test_shares),	     TEST(test_stubborn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
