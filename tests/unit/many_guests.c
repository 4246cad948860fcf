// SPDX-License-Identifier: GPL-2.0-only
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../xblktrace/signals.h"
#include "channel_pages.h"
#include "fake_xen.h"
#include "many_guests.h"
#include "played_module.h"
#include "silent_module.h"
#include "xenrelay-reader.h"

/* The guests' pages: all use the same but for the first, of which each has its own. */
#define FIRST_INFO (DATA + MANY_RING_PAGES)
#define MOST	   (FAKE_PAGES - FIRST_INFO)

struct many many = {
	.mute_from = ~0u,
	.max_kib = 1024 * 1024,
	.nr_rings = 1,
	.ring_pages = MANY_RING_PAGES,
};
struct played played;
struct domain_table table;
struct guest guests[MAX_DOMAINS];
struct xenrelay_ring ring;

static struct capture *const c = &played.capture;
static struct xenrelay_reader *reader;
static void (*turn)(void);

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

void skip_ms(unsigned int ms)
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

/* One ends it, and is waiting until it is taken. */
static bool taken;

bool signals_waiting(void)
{
	return many.ends && !taken;
}

unsigned int signals_take(int fd, bool *snapshot)
{
	bool waiting;

	(void)fd;
	*snapshot = false;
	many.nr_turns++;
	if (!many.ends)
		turn();
	waiting = signals_waiting();
	taken |= waiting;
	return waiting;
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

void node(const char *value, const char *fmt, ...)
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

void comes(unsigned int domid)
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

void goes(unsigned int domid)
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
		.nr_data = MANY_RING_PAGES,
		.nr_rings = many.nr_rings,
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
	xenrelay_ring_init(&ring, fake_page(DATA), MANY_RING_PAGES * 4096,
			   XBLK_RECORD_SIZE, false, &producer[1], &losses[1],
			   &consumer[1]);
	producer->channel.state = XENRELAY_RUNNING;
}

void many_answer(const char *path, const char *value)
{
	unsigned int domid, session, kib, page = FIRST_INFO + many.nr_answers % MOST;
	unsigned int pages = many.ring_pages;
	char text[64];

	if (sscanf(path, "/local/domain/%u/", &domid) != 1 ||
	    !strstr(path, "/xblk/reader") || domid >= many.mute_from)
		return;
	if (sscanf(value, "connect %u %*u %u", &session, &kib) == 2) {
		if (many.anew)
			make_ring();
		if (!many.stubborn && kib && kib / 4 < pages)
			pages = kib / 4;
		make_pages(page, session, pages);
		many.nr_answers++;
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

int run(void (*in_each_turn)(void))
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
	many.ends = taken = false;
	many.nr_answers = many.nr_turns = 0;
	make_ring();
	assert_int_equal(domains_select(reader, &opts, &backing, &table), 0);
	played_begin(&played, reader, &table, guests, MAX_DOMAINS);
	/* Nothing comes of the module, so that its reading sleeps. */
	assert_int_equal(eventfd_read(played.dom0.now, &none), 0);
	played.opts = opts;
	played.backing = backing;
	played.dom0.nr_cpus = many.nr_cpus;
	c->max_kib = many.max_kib;
	assert_int_equal(writer_open(&played.writer, many.output), 0);
	ret = played_run(&played);
	assert_int_equal(writer_close(&played.writer), 0);
	played_end(&played);
	for (i = 0; i < table.nr; i++)
		free(guests[i].rings);
	return ret;
}

/* The drain asks XenStore nothing. */
static void not_by_drain(void)
{
	if (c->drain.running && pthread_equal(pthread_self(), c->drain.thread))
		abort();
}

int setup(void **state)
{
	(void)state;
	fake_begin();
	node("0", "domid");
	fake.written = many_answer;
	fake.called = not_by_drain;
	return xenrelay_reader_open(&reader);
}

int teardown(void **state)
{
	(void)state;
	domains_free(&table);
	table = (struct domain_table){0};
	xenrelay_reader_close(reader);
	assert_int_equal(fake.mapped, 0);
	fake_end();
	return 0;
}
