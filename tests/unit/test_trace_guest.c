// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's rings, filled by the code that fills them in a guest, on their way into
 * a trace: every record is there, every loss is marked where it happened, and the
 * counters of the end say the same.
 */
#define ITEM_SIZE  32
#define RING_PAGES 1 /* contiguous, as a producer's ring is */
#include "played_guest.h"

#include <unistd.h>

#include "../../ring/producer.h"
#include "connecting.h"
#include "said.h"

#define CONNECTED 1000 /* time of the connection */

static char path[] = "/tmp/test_trace_guest.XXXXXX";
static struct disk disk = {.devid = 51712};
static struct domain domain = {.domid = 3, .name = "g", .disks = &disk, .nr_disks = 1};
static struct options opts;
static struct writer writer;
static struct guest guest;
static struct xenrelay_ring ring;
static uint64_t made; /* its records so far; number n happens at 2000 + 10 * n */

static int connect_to(struct guest *to)
{
	to->asked_at = CONNECTED;
	return connect_wholly(to, reader, &opts, 1024 * 1024, 1024 * 1024) ||
			       guest_begin(to, &writer)
		       ? -1
		       : 0;
}

static void begin(bool overwrite)
{
	int fd;

	strcpy(path + sizeof(path) - 7, "XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(writer_open(&writer, path), 0);
	assert_int_equal(writer_take_name(&writer), 0);
	assert_int_equal(writer_header(&writer, 0, CONNECTED), 0);
	fake_write(DIR "/features", "overwrite doorbell");
	fake_write(DIR "/probes", "blkif_interrupt");
	fake.written = grants_the_mode;
	opts = (struct options){.overwrite = overwrite};
	guest = (struct guest){.domain = &domain};
	made = 0;
	assert_int_equal(connect_wholly(&guest, reader, &opts, 1024 * 1024, 1024 * 1024),
			 0);
	guest.asked_at = CONNECTED;
	assert_int_equal(guest_begin(&guest, &writer), 0);
	assert_int_equal(guest.properties.overwrite, overwrite);
	assert_true(guest.probes_told);
	assert_string_equal(guest.probes, "blkif_interrupt");
	/* First the last event that this reader knows. */
	assert_string_equal(fake_read(DIR "/config"), "disks=4294967295:22,51712:0");
	xenrelay_ring_init(&ring, fake_page(DATA_REF(0)), 4096, ITEM_SIZE, overwrite,
			   producer(1),
			   (struct xenrelay_loss_line *)fake_page(LOSS_REF) + 1,
			   consumer(1));
}

static uint64_t time_of(uint64_t n)
{
	return 2000 + 10 * n;
}

static void produce(unsigned int n)
{
	while (n--) {
		struct xblk_record rec = {
			.time = time_of(made++),
			.event = XBLK_EV_QUEUE,
			.id = made,
		};
		void *room = xenrelay_ring_reserve(&ring);

		if (!room) {
			xenrelay_ring_lose(&ring, rec.time);
			continue;
		}
		memcpy(room, &rec, sizeof(rec));
		xenrelay_ring_commit(&ring);
	}
}

static int64_t drain(void)
{
	return guest_drain(&guest, &writer, time_of(made));
}

static struct xblk_record found[4096];

/* Let go of the guest; what the trace holds of its first ring is in @found then. */
static size_t finish(void)
{
	struct guest_ring *r = &guest.rings[0];
	struct xblk_chunk chunk;
	size_t n = 0;
	FILE *f;

	guest_end(&guest);
	assert_int_equal(guest_ring_produced(&guest, r), made);
	assert_int_equal(r->stream.records - r->stream.marks + guest_ring_lost(r), made);
	assert_int_equal(writer_close(&writer), 0);
	f = fopen(path, "r");
	assert_non_null(f);
	fseek(f, sizeof(struct xblk_trace_header), SEEK_SET);
	while (fread(&chunk, sizeof(chunk), 1, f) == 1) {
		assert_int_equal(chunk.type, XBLK_CHUNK_DATA);
		assert_int_equal(chunk.sequence, n);
		assert_int_equal(fread(found + n, 1, chunk.payload, f), chunk.payload);
		n += chunk.payload / ITEM_SIZE;
	}
	fclose(f);
	unlink(path);
	assert_int_equal(r->stream.records, n);
	guest_free(&guest);
	return n;
}

static void is_record(const struct xblk_record *rec, uint64_t n)
{
	assert_int_equal(rec->event, XBLK_EV_QUEUE);
	assert_int_equal(rec->id, n + 1);
}

static void is_loss(const struct xblk_record *rec, uint64_t count, uint64_t from,
		    uint64_t until)
{
	assert_int_equal(rec->event, XBLK_EV_LOST);
	assert_int_equal(rec->disk, XBLK_NO_DISK);
	assert_int_equal(rec->lost.count, count);
	assert_int_equal(rec->time, from);
	assert_int_equal(rec->lost.until, until);
}

static void stop(void)
{
	producer(0)->channel.state = XENRELAY_STOPPED;
	assert_true(xenrelay_stopped(guest.channel));
	guest.ending = "stopped";
}

static void test_discard(void **state)
{
	(void)state;
	begin(false);
	produce(CAPACITY + 5);
	assert_int_equal(drain(), CAPACITY);
	produce(2);
	assert_int_equal(drain(), 3);
	/* With nothing behind it until the end. */
	produce(CAPACITY + 3);
	assert_int_equal(drain(), CAPACITY);
	assert_int_equal(drain(), 0);
	stop();
	assert_int_equal(drain(), 1);

	assert_int_equal(finish(), 2 * CAPACITY + 4);
	is_record(&found[CAPACITY - 1], CAPACITY - 1);
	is_loss(&found[CAPACITY], 5, time_of(CAPACITY), time_of(CAPACITY + 4));
	is_record(&found[CAPACITY + 1], CAPACITY + 5);
	is_record(&found[2 * CAPACITY + 2], 2 * CAPACITY + 6);
	is_loss(&found[2 * CAPACITY + 3], 3, time_of(2 * CAPACITY + 7),
		time_of(2 * CAPACITY + 9));
}

/* The ring is full of items, and behind the last is a loss: one drain takes all. */
static void test_ends_full(void **state)
{
	(void)state;
	begin(false);
	produce(CAPACITY + 5);
	stop();
	assert_int_equal(drain(), CAPACITY + 1);
	assert_int_equal(finish(), CAPACITY + 1);
	is_loss(&found[CAPACITY], 5, time_of(CAPACITY), time_of(CAPACITY + 4));
}

/* What was overwritten lies between the reading before and the record behind. */
static void test_overwrite(void **state)
{
	const unsigned int kept = CAPACITY - 1;

	(void)state;
	begin(true);
	produce(300);
	assert_int_equal(drain(), kept + 1);
	assert_int_equal(guest.rings[0].last, time_of(300));
	produce(10);
	assert_int_equal(drain(), 10);
	produce(400);
	stop();
	assert_int_equal(drain(), kept + 1);

	assert_int_equal(finish(), 2 * kept + 12);
	is_loss(&found[0], 300 - kept, CONNECTED, time_of(300 - kept));
	is_record(&found[1], 300 - kept);
	is_record(&found[kept + 10], 309);
	is_loss(&found[kept + 11], 400 - kept, time_of(310), time_of(710 - kept));
	is_record(&found[2 * kept + 11], 709);
}

/* A guest's times may be lies: a loss never ends before it begins. */
static void test_times_that_lie(void **state)
{
	(void)state;
	begin(false);
	produce(CAPACITY + 1);
	span_of(0, 1)->first_ns = 77777;
	span_of(0, 1)->last_ns = 5;
	assert_int_equal(drain(), CAPACITY);
	produce(1);
	assert_int_equal(drain(), 2);
	finish();
	is_loss(&found[CAPACITY], 1, 77777, 77777);
}

/* It still writes when it is let go of: what came after the last look is not counted. */
static void test_never_stops(void **state)
{
	uint64_t seen;

	(void)state;
	begin(true);
	produce(200);
	drain();
	seen = made;
	produce(50);
	made = seen;
	finish();
}

/* Its module is unloaded and loaded again: the streams and their sums go on, by another
 * clock. */
static void test_again(void **state)
{
	uint64_t first;
	size_t n;

	(void)state;
	begin(false);
	produce(CAPACITY + 10);
	drain();
	stop();
	drain();
	guest_end(&guest);
	first = made;
	assert_int_equal(guest_lost(&guest), 10);

	set_state("open");
	producer(0)->channel.state = XENRELAY_RUNNING;
	assert_int_equal(connect_wholly(&guest, reader, &opts, 1024 * 1024, 1024 * 1024),
			 0);
	guest.asked_at = time_of(first);
	assert_int_equal(guest_begin(&guest, &writer), 0);
	assert_null(guest.ending);
	xenrelay_ring_init(&ring, fake_page(DATA_REF(0)), 4096, ITEM_SIZE, false,
			   producer(1),
			   (struct xenrelay_loss_line *)fake_page(LOSS_REF) + 1,
			   consumer(1));
	produce(20);
	drain();
	stop();
	n = finish();
	assert_int_equal(n, CAPACITY + 1 + 1 + 20);
	is_record(&found[CAPACITY - 1], CAPACITY - 1);
	is_loss(&found[CAPACITY], 10, time_of(CAPACITY), time_of(first - 1));
	assert_int_equal(found[CAPACITY + 1].event, XBLK_EV_CLOCK);
	assert_int_equal(found[CAPACITY + 1].disk, XBLK_NO_DISK);
	assert_int_equal(found[CAPACITY + 1].id, 0x80000001);
	assert_int_equal(found[CAPACITY + 1].time, time_of(first));
	is_record(&found[CAPACITY + 2], first);
	is_record(&found[n - 1], made - 1);
}

/* A guest that does not answer is not waited for, and can be given up at any time. */
static void test_deaf(void **state)
{
	unsigned int i;

	(void)state;
	opts = (struct options){.nr_domains = 1};
	fake.written = silent;
	guest = (struct guest){.domain = &domain};
	assert_int_equal(guest_connect_start(&guest, reader, &opts, 1024 * 1024), 0);
	for (i = 0; i < 3; i++) {
		xenrelay_dispatch(reader);
		assert_int_equal(guest_connect_poll(&guest, 1024 * 1024), 0);
	}
	guest_connect_cancel(&guest);
	assert_null(guest.attempt.channel);
	assert_null(guest.channel);
	/* As one that is not asked at all. */
	guest_connect_cancel(&guest);
}

/* What is chosen is said to the guest; one that does not say it too records all. */
static void check_chosen(const char *told, bool warned)
{
	struct said err;

	opts = (struct options){.ops = XBLK_OP_BIT(FLUSH)};
	guest = (struct guest){.domain = &domain};
	if (told)
		fake_write(DIR "/ops", told);
	said_begin(&err, STDERR_FILENO);
	assert_int_equal(connect_to(&guest), 0);
	said_end(&err);
	assert_string_equal(fake_read(DIR "/config"),
			    "disks=4294967295:22,4294967294:4,51712:0");
	assert_int_equal(!!strstr(err.text, "records all operations"), warned);
	guest_end(&guest);
	guest_free(&guest);
}

/* That merges are not wanted, likewise: what is true of its records is what it says. */
static void check_no_merges(const char *told, bool none)
{
	struct said err;

	opts = (struct options){.no_merges = true};
	guest = (struct guest){.domain = &domain};
	if (told)
		fake_write(DIR "/merges", told);
	said_begin(&err, STDERR_FILENO);
	assert_int_equal(connect_to(&guest), 0);
	said_end(&err);
	assert_string_equal(fake_read(DIR "/config"),
			    "disks=4294967295:22,4294967293:0,51712:0");
	assert_int_equal(guest.no_merges, none);
	assert_int_equal(!strstr(err.text, "which records merges"), none);
	guest_end(&guest);
	guest_free(&guest);
}

/* What times its records is one of two, or not known. */
static void check_clock(const char *told, const char *known)
{
	opts = (struct options){.nr_subbufs = 0};
	guest = (struct guest){.domain = &domain};
	fake_write(DIR "/clock", told);
	assert_int_equal(connect_to(&guest), 0);
	if (known)
		assert_string_equal(guest.clock, known);
	else
		assert_null(guest.clock);
	guest_end(&guest);
	guest_free(&guest);
}

static void open_writer(void)
{
	strcpy(path + sizeof(path) - 7, "XXXXXX");
	close(mkstemp(path));
	assert_int_equal(writer_open(&writer, path), 0);
}

static void close_writer(void)
{
	writer_close(&writer);
	unlink(path);
}

static void test_operations(void **state)
{
	(void)state;
	open_writer();
	check_chosen("4", false);
	close_writer();
}

static void test_operations_unknown(void **state)
{
	(void)state;
	open_writer();
	check_chosen(NULL, true);
	close_writer();
}

static void test_operations_other(void **state)
{
	(void)state;
	open_writer();
	check_chosen("x", true);
	close_writer();
}

static void test_no_merges(void **state)
{
	(void)state;
	open_writer();
	check_no_merges("0", true);
	close_writer();
}

static void test_no_merges_unknown(void **state)
{
	(void)state;
	open_writer();
	check_no_merges(NULL, false);
	close_writer();
}

static void test_no_merges_other(void **state)
{
	(void)state;
	open_writer();
	check_no_merges("1", false);
	close_writer();
}

static void test_clock(void **state)
{
	(void)state;
	open_writer();
	check_clock("tsc", XBLK_CLOCK_TSC);
	close_writer();
}

static void test_clock_strange(void **state)
{
	(void)state;
	open_writer();
	check_clock("tsc\033[31m", NULL);
	close_writer();
}

/* An xblk-guest of before: it takes 64 disks, and refuses a list that is longer. */
#define REFUSED 80

static void takes_few(const char *node, const char *value)
{
	const char *c = fake_read(DIR "/config");
	unsigned int items = 1;

	for (; *c; c++)
		items += *c == ',';
	if (strcmp(node, DIR "/reader") || strncmp(value, "connect", 7) || items <= 64) {
		honest(node, value);
		return;
	}
	silent(node, value);
	set_state("failed %u 7 the tracer refused", session);
}

static unsigned int chosen;

static void check_few(unsigned int nr, const char *first, unsigned int said)
{
	static struct disk disks[REFUSED];
	struct domain many = {.domid = 3, .name = "g", .disks = disks, .nr_disks = nr};
	struct guest old = {.domain = &many};
	unsigned int i, items = 1;
	const char *c;

	for (i = 0; i < nr; i++)
		disks[i].devid = 51712 + i;
	opts = (struct options){.ops = chosen};
	fake.written = takes_few;
	assert_int_equal(connect_to(&old), 0);
	assert_int_equal(strncmp(fake_read(DIR "/config"), first, strlen(first)), 0);
	for (c = fake_read(DIR "/config"); *c; c++)
		items += *c == ',';
	assert_int_equal(items, said);
	xenrelay_release(old.channel);
	guest_free(&old);
}

static void test_old_guest(void **state)
{
	(void)state;
	open_writer();
	/* The word of events is one item more. */
	check_few(63, "disks=4294967295:22,51712:0,", 64);
	check_few(64, "disks=51712:0,", 64);
	check_few(REFUSED, "disks=51712:0,", 64);
	/* And that of operations another. */
	chosen = XBLK_OP_BIT(READ);
	check_few(62, "disks=4294967295:22,4294967294:1,51712:0,", 64);
	check_few(63, "disks=51712:0,", 63);
	chosen = 0;
	close_writer();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_discard),
		TEST(test_ends_full),
		TEST(test_overwrite),
		TEST(test_times_that_lie),
		TEST(test_never_stops),
		TEST(test_deaf),
		TEST(test_old_guest),
		TEST(test_again),
		TEST(test_operations),
		TEST(test_operations_unknown),
		TEST(test_operations_other),
		TEST(test_no_merges),
		TEST(test_no_merges_unknown),
		TEST(test_no_merges_other),
		TEST(test_clock),
		TEST(test_clock_strange),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
