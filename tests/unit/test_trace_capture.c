// SPDX-License-Identifier: GPL-2.0-only
/*
 * A whole capture of two guests, one of which lies: that one is let go of and
 * told of, and of the other every record is in the trace, in order, and its end
 * is a good one.
 *
 * The module in dom0 is played here, and its clock is what moves the guests on:
 * a capture asks for the time in each round.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../ring/producer.h"
#include "../../xblktrace/capture.h"
#include "fake_xen.h"
#include "xenrelay-reader.h"

#define RING_PAGES 130 /* several turns' worth */
#define CAPACITY   (RING_PAGES * 4096 / XBLK_RECORD_SIZE)
#define PAGES	   140 /* of each guest */
#define LIE_AT	   50  /* round in which the liar begins */
#define END_AT	   200 /* round in which the user ends the capture */
#define A_ROUND	   20  /* records of each guest */
#define ROUNDS	   (2 * END_AT)

enum {
	INFO = 1,
	PRODUCER,
	LOSSES,
	CONSUMER,
	DIRECTORY,
	DATA
};

/* The honest one is domain 3, the other is domain 4. */
static struct player {
	unsigned int domid, first_page, session;
	bool connected;
	struct xenrelay_ring ring;
	uint64_t written;
	uint64_t heads[ROUNDS]; /* its write position when the time was asked for */
} players[] = {{.domid = 3, .first_page = 0}, {.domid = 4, .first_page = 200}};

static struct player *const liar = &players[1];
static uint64_t rounds;
static void (*lie)(void);

static void *page(const struct player *p, unsigned int n)
{
	return fake_page(p->first_page + n);
}

static const char *node(const struct player *p, const char *name)
{
	static char path[80];

	snprintf(path, sizeof(path), "/local/domain/%u/data/xenrelay/xblk%s", p->domid,
		 name);
	return path;
}

static void say(const struct player *p, const char *word)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %u", word, p->session);
	if (!strcmp(word, "ready"))
		snprintf(text, sizeof(text), "ready %u %u", p->session,
			 p->first_page + INFO);
	fake_write(node(p, "/state"), strcmp(word, "open") ? text : "open");
}

static void connect(struct player *p)
{
	struct xenrelay_info *info = page(p, INFO);
	union xenrelay_producer_line *producer = page(p, PRODUCER);
	struct xenrelay_loss_line *losses = page(p, LOSSES);
	union xenrelay_consumer_line *consumer = page(p, CONSUMER);
	unsigned int i;

	memset(page(p, 0), 0, PAGES * 4096);
	*info = (struct xenrelay_info){
		.magic = XENRELAY_MAGIC,
		.version = XENRELAY_VERSION,
		.info_size = sizeof(*info),
		.item_size = XBLK_RECORD_SIZE,
		.nr_rings = 1,
		.ring_pages = RING_PAGES,
		.producer_ref = p->first_page + PRODUCER,
		.consumer_ref = p->first_page + CONSUMER,
		.loss_ref = p->first_page + LOSSES,
		.nr_dir_pages = 1,
		.session = p->session,
		.client_version = 1,
	};
	*(uint32_t *)(info + 1) = p->first_page + DIRECTORY;
	for (i = 0; i < RING_PAGES; i++)
		((uint32_t *)page(p, DIRECTORY))[i] = p->first_page + DATA + i;
	xenrelay_ring_init(&p->ring, page(p, DATA), RING_PAGES * 4096, XBLK_RECORD_SIZE,
			   false, &producer[1], &losses[1], &consumer[1]);
	producer->channel.state = XENRELAY_RUNNING;
	p->connected = true;
	say(p, "ready");
}

static void answer(const char *path, const char *value)
{
	struct player *p;
	unsigned int n;

	for (p = players; p < players + 2; p++) {
		if (strcmp(path, node(p, "/reader")))
			continue;
		if (sscanf(value, "connect %u", &p->session) == 1) {
			connect(p);
		} else if (sscanf(value, "disconnect %u", &n) == 1) {
			p->connected = false;
			xblk_store_release(
				&((union xenrelay_producer_line *)page(p, PRODUCER))
					 ->channel.state,
				XENRELAY_STOPPED);
			say(p, "stopped");
		} else if (sscanf(value, "release %u", &n) == 1) {
			p->connected = false;
			say(p, "open");
		}
	}
}

static void write_records(struct player *p)
{
	unsigned int i;

	for (i = 0; p->connected && i < A_ROUND; i++) {
		struct xblk_record *rec = xenrelay_ring_reserve(&p->ring);

		/* No assertion in here, where standard error goes to a file. */
		if (!rec)
			abort();
		*rec = (struct xblk_record){
			.time = rounds * 1000000 + i,
			.sector = p->written++,
			.event = XBLK_EV_QUEUE,
		};
		xenrelay_ring_commit(&p->ring);
	}
}

/* --- the module in dom0 --- */

int dom0_look(struct dom0 *dom0, uint64_t *ns, uint64_t *level)
{
	struct player *p;

	(void)dom0;
	*level = 0;
	*ns = ++rounds * 1000000;
	write_records(&players[0]);
	if (rounds < LIE_AT)
		write_records(liar);
	else if (liar->connected)
		lie();
	if (rounds == END_AT)
		kill(getpid(), SIGINT);
	for (p = players; p < players + 2; p++)
		if (p->connected && rounds < ROUNDS)
			p->heads[rounds] = p->ring.producer->ring.head;
	return 0;
}

unsigned int dom0_fullness(const struct dom0 *dom0, uint64_t level)
{
	(void)dom0, (void)level;
	return 0;
}

int dom0_now(struct dom0 *dom0, uint64_t *ns)
{
	uint64_t level;

	return dom0_look(dom0, ns, &level);
}

int dom0_start(struct dom0 *dom0, unsigned int own_domid, const struct options *opts,
	       const struct backing_table *backing, const struct domain *domains,
	       unsigned int nr_domains)
{
	(void)dom0, (void)own_domid, (void)opts, (void)backing, (void)domains,
		(void)nr_domains;
	return 0;
}

int dom0_add(struct dom0 *dom0, const struct backing_table *backing, unsigned int first,
	     const struct domain *domains, unsigned int nr_domains)
{
	(void)dom0, (void)backing, (void)first, (void)domains, (void)nr_domains;
	return 0;
}

int64_t dom0_drain(struct dom0 *dom0, struct writer *w, uint64_t time,
		   unsigned int *permille)
{
	(void)dom0, (void)w, (void)time, (void)permille;
	return 0;
}

int dom0_read_stats(struct dom0 *dom0)
{
	(void)dom0;
	return 0;
}

int dom0_stop(struct dom0 *dom0)
{
	(void)dom0;
	return 0;
}

/* --- the capture --- */

static char trace[] = "/tmp/test_trace_capture.XXXXXX";
static char said[] = "/tmp/test_trace_capture.XXXXXX";

static struct xenrelay_reader *reader;
static struct guest guests[2];

/* Which XenStore does not know: so they are gone at the first look, and all goes on. */
static struct disk disks[2][1];

static char *slurp(const char *path, size_t *len)
{
	FILE *f = fopen(path, "r");
	char *text;

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	*len = ftell(f);
	rewind(f);
	text = calloc(1, *len + 1);
	assert_int_equal(fread(text, 1, *len, f), *len);
	fclose(f);
	return text;
}

/* Standard error goes to a file meanwhile. */
static int capture_two(void)
{
	static struct domain domains[2];
	static struct options opts = {.subbuf_kib = 4, .nr_subbufs = 2};
	struct backing_table backing = {0};
	/* Something new whenever it is asked: no round waits. */
	struct dom0 dom0 = {.now = eventfd(1, EFD_CLOEXEC), .buffer_bytes = 1 << 20};
	struct writer writer = {.out = {.fd = -1}};
	struct capture c = {
		.facts =
			{
				.opts = &opts,
				.backing = &backing,
				.dom0 = &dom0,
				.domains = domains,
				.guests = guests,
				.nr_guests = 2,
			},
		.reader = reader,
		.dom0 = &dom0,
		.backing = &backing,
		.domains = domains,
		.guests = guests,
		.writer = &writer,
		.max_kib = 1024 * 1024,
	};
	int i, ret, err = dup(2), fd = open(said, O_WRONLY | O_TRUNC);

	for (i = 0; i < 2; i++) {
		disks[i][0] = (struct disk){.devid = 51712, .name = "xvda"};
		domains[i] = (struct domain){
			.domid = players[i].domid,
			.named = true,
			.disks = disks[i],
			.nr_disks = 1,
		};
		snprintf(domains[i].name, sizeof(domains[i].name), "guest%d", i + 1);
		guests[i] = (struct guest){.domain = &domains[i]};
	}
	assert_int_equal(writer_open(&writer, trace), 0);
	dup2(fd, 2);
	close(fd);
	ret = capture_run(&c);
	dup2(err, 2);
	close(err);
	close(dom0.now);
	assert_int_equal(writer_close(&writer), 0);
	return ret;
}

/*
 * The honest guest's records are all there, each once and in order; so is the end.
 * What a ROUND says is so, also of a liar that was not found out; and as long as the
 * honest guest writes, it has its turn before the liar has a second one.
 */
static void check_trace(void)
{
	uint64_t records[2] = {0}, since = 0;
	unsigned int nr_rounds = 0;
	bool ended = false;
	size_t len, at = sizeof(struct xblk_trace_header);
	char *bytes = slurp(trace, &len);

	while (at < len) {
		struct xblk_chunk chunk;
		struct xblk_record rec;
		size_t i, n;

		memcpy(&chunk, bytes + at, sizeof(chunk));
		at += sizeof(chunk);
		n = chunk.type == XBLK_CHUNK_DATA ? chunk.payload / XBLK_RECORD_SIZE : 0;
		ended = chunk.type == XBLK_CHUNK_END;
		for (i = 0; i < n && chunk.domid == 3; i++) {
			memcpy(&rec, bytes + at + i * XBLK_RECORD_SIZE, sizeof(rec));
			assert_int_equal(rec.event, XBLK_EV_QUEUE);
			assert_int_equal(rec.sector, records[0] + i);
		}
		if (n)
			records[chunk.domid - 3] += n;
		since = chunk.domid == 4 ? since + n : 0;
		if (chunk.time < END_AT * 1000000ull)
			assert_in_range(since, 0, GUEST_TURN);
		if (chunk.type == XBLK_CHUNK_ROUND) {
			const uint64_t nr = chunk.time / 1000000;

			assert_in_range(nr, 1, ROUNDS - 1);
			assert_true(records[0] >= players[0].heads[nr]);
			if (!guests[1].failed)
				assert_true(records[1] >= players[1].heads[nr]);
			nr_rounds++;
		}
		at += (chunk.payload + 31) / 32 * 32;
	}
	assert_true(ended);
	assert_int_equal(records[0], players[0].written);
	assert_in_range(records[0], (END_AT - 10) * A_ROUND, ~0u);
	assert_in_range(nr_rounds, END_AT / 20, ~0u);
	free(bytes);
}

static void check_said(const char *word)
{
	size_t len;
	char *text = slurp(said, &len);

	if (word && (!strstr(text, word) || !strstr(text, "domain 4")))
		fail_msg("\"%s\" does not say \"%s\"", text, word);
	free(text);
}

static void run(void (*what)(void), int status, const char *word)
{
	lie = what;
	assert_int_equal(capture_two(), status);
	check_trace();
	check_said(word);
	assert_int_equal(fake.mapped, 0);
	assert_int_equal(guests[1].failed, status != 0);
	assert_int_equal(guest_records(&guests[0]), players[0].written);
	assert_int_equal(guest_lost(&guests[0]), 0);
}

static void head_far(void)
{
	liar->ring.producer->ring.head += CAPACITY + 1;
}

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
	liar->ring.producer->ring.head = liar->ring.consumer->ring.tail + CAPACITY;
}

static void counters(void)
{
	liar->ring.producer->ring.lost = ~0ull - rounds;
	liar->ring.producer->ring.lost_nmi = rounds % 7;
	((union xenrelay_producer_line *)page(liar, PRODUCER))->channel.events = ~0ull;
}

static void state_senseless(void)
{
	fake_write(node(liar, "/state"), "\033[2Jready -1");
}

static void info_rewritten(void)
{
	memset(page(liar, INFO), rounds, 4096);
	memset(page(liar, DIRECTORY), rounds, 4096);
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

/* No guest answers, and the user has had enough. */
static void silent(const char *path, const char *value)
{
	if (strstr(path, "/reader") && !strncmp(value, "connect", 7))
		kill(getpid(), SIGINT);
}

/* What an earlier capture has left stays, where there is none to take its place. */
static void test_interrupted_before(void **state)
{
	size_t len;
	char *text;
	FILE *f;

	(void)state;
	f = fopen(trace, "w");
	assert_non_null(f);
	fputs("an earlier trace", f);
	fclose(f);
	fake.written = silent;
	assert_int_equal(capture_two(), 0);
	check_said(NULL);
	text = slurp(trace, &len);
	assert_int_equal(len, strlen("an earlier trace"));
	assert_memory_equal(text, "an earlier trace", len);
	free(text);
}

static int setup(void **state)
{
	struct player *p;

	(void)state;
	fake_begin();
	fake_write("domid", "0");
	for (p = players; p < players + 2; p++) {
		char domain[32];

		p->written = 0;
		memset(p->heads, 0, sizeof(p->heads));
		snprintf(domain, sizeof(domain), "/local/domain/%u", p->domid);
		fake_write(domain, "");
		fake_write(node(p, "/version"), "1");
		fake_write(node(p, "/state"), "open");
		fake_write(node(p, "/reader"), "");
	}
	fake.written = answer;
	rounds = 0;
	return xenrelay_reader_open(&reader);
}

static int teardown(void **state)
{
	(void)state;
	xenrelay_reader_close(reader);
	free(guests[0].rings);
	free(guests[1].rings);
	fake_end();
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_counters),  TEST(test_head_far),
		TEST(test_head_back), TEST(test_spans),
		TEST(test_flood),     TEST(test_state),
		TEST(test_info),      TEST(test_interrupted_before),
	};
	int ret;

	close(mkstemp(trace));
	close(mkstemp(said));
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(trace);
	unlink(said);
	return ret;
}
