// SPDX-License-Identifier: GPL-2.0-only
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../xblktrace/signals.h"
#include "fake_xen.h"
#include "recording_module.h"
#include "tapped_capture.h"
#include "trace_content.h"
#include "xenrelay-reader.h"

#define REQUESTS    50 /* of each guest, a look */
#define NSEC_PER_MS 1000000ull
#define LOOK_US	    1000

static uint64_t looks;
static uint64_t requests[2]; /* of each guest */

/* --- the requests --- */

static bool more; /* is written after a look */

static void put_guest(struct player *p, struct xblk_record rec)
{
	struct xblk_record *room = xenrelay_ring_reserve(&p->ring);

	/* No assertion in a thread of the capture's. */
	if (!room)
		abort();
	*room = rec;
	xenrelay_ring_commit(&p->ring);
	p->written++;
}

/* blkback's, of one of the guest's disks: it is named once. */
#define THREAD(p, d) (10 * (p)->domid + (d))

static void name_thread(const struct player *p, unsigned int disk)
{
	struct xblk_record rec = {
		.time = looks * NSEC_PER_MS,
		.aux = THREAD(p, disk),
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_PROCESS,
		.op = XBLK_PROCESS_KTHREAD,
	};

	snprintf(rec.comm, sizeof(rec.comm), "%u.xvd%c-0", p->domid, 'a' + disk);
	module_put(rec);
}

/* A read from both sides, in 400 ns from @time on; of each disk in turn. */
static void request(struct player *p, uint64_t time)
{
	const unsigned int nr = requests[p - players]++, disk = nr % NR_DISKS;
	struct xblk_record rec = {
		.sector = nr % 100000 * 8,
		.nr_sectors = 8,
		.id = 2 * nr + 1,
		.aux = 500,
		.op = XBLK_OP_READ,
	};
	struct {
		unsigned int event, id, aux, after;
		bool guest;
	} const steps[] = {
		{XBLK_EV_QUEUE, 2 * nr + 1, 500, 0, true},
		{XBLK_EV_ISSUE, 2 * nr + 2, 2 * nr + 1, 10, true},
		{XBLK_EV_QUEUE, 2 * nr + 1, THREAD(p, disk), 100, false},
		{XBLK_EV_ISSUE, 2 * nr + 2, 2 * nr + 1, 200, false},
		{XBLK_EV_COMPLETE, 2 * nr + 2, 0, 300, false},
		{XBLK_EV_COMPLETE, 2 * nr + 2, 0, 400, true},
	};
	unsigned int i;

	for (i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		rec.time = time + steps[i].after;
		rec.event = steps[i].event;
		rec.id = steps[i].id;
		rec.aux = steps[i].aux;
		rec.disk = steps[i].guest ? disk : (p - players) * NR_DISKS + disk;
		if (steps[i].guest)
			put_guest(p, rec);
		else
			module_put(rec);
	}
}

/* --- the module in dom0 --- */

/* Nothing that was written is younger. */
static uint64_t clock_ns(void)
{
	return looks * NSEC_PER_MS + (more ? 0 : NSEC_PER_MS / 4);
}

/* Of who is there and has room. */
static void write_requests(unsigned int nr, uint64_t after)
{
	const uint64_t from = looks * NSEC_PER_MS + after;
	struct player *p;
	unsigned int i;

	for (i = 0; i < nr; i++)
		for (p = players; p < players + 2; p++)
			if (p->connected &&
			    p->ring.producer->ring.head - p->ring.consumer->ring.tail <
				    2000)
				request(p, from + i * 1000 + (p - players) * 500);
}

int dom0_look(struct dom0 *dom0, uint64_t *ns, uint64_t *level)
{
	unsigned int i;

	(void)dom0;
	usleep(LOOK_US);
	fake_hold();
	*level = 1;
	/* Both sides are there, and what was written has been read. */
	if (players[0].connected && module.nr < MODULE_ROOM / 8) {
		if (!module.produced)
			for (i = 0; i < 2 * NR_DISKS; i++)
				name_thread(&players[i / NR_DISKS], i % NR_DISKS);
		write_requests(REQUESTS, NSEC_PER_MS / 2);
		looks++;
		more = true;
	}
	*ns = clock_ns();
	fake_release();
	return 0;
}

/* Here it is read in this round, in the guests in the next one. */
static void write_more(void)
{
	if (more && players[0].connected)
		write_requests(REQUESTS / 5, 0);
	more = false;
}

/* --- the capture --- */

struct tap_paths paths;
struct service service;
pthread_t capture_thread;

static char dir[] = "/tmp/test_trace_tap.XXXXXX";
static struct xenrelay_reader *reader;
static struct guest guests[MAX_DOMAINS];
static struct domain domains[MAX_DOMAINS];
static struct domain_table table;
static struct disk disks[2][NR_DISKS];
static struct backing backing_entries[2 * NR_DISKS] = {
	{.major = 259, .minor = 0, .name = "nvme0n1", .part_of = -1},
	{.major = 259, .minor = 1, .name = "nvme1n1", .part_of = -1},
	{.major = 259, .minor = 2, .name = "nvme2n1", .part_of = -1},
	{.major = 259, .minor = 3, .name = "nvme3n1", .part_of = -1},
};
static struct played played;
static unsigned int capture_files;
static int capture_ret;

int begin_paths(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(paths.trace, sizeof(paths.trace), "%s/trace", dir);
	snprintf(paths.rotated, sizeof(paths.rotated), "%s/trace.1", dir);
	snprintf(paths.tapped, sizeof(paths.tapped), "%s/tapped", dir);
	snprintf(paths.said, sizeof(paths.said), "%s/said", dir);
	snprintf(paths.fifo, sizeof(paths.fifo), "%s/fifo", dir);
	snprintf(paths.judged, sizeof(paths.judged), "%s/judged", dir);
	snprintf(paths.socket, sizeof(paths.socket), "%s/socket", dir);
	/* They are the capture's thread's. */
	signals_block();
	return 0;
}

int end_paths(void **state)
{
	(void)state;
	unlink(paths.trace);
	unlink(paths.tapped);
	unlink(paths.said);
	unlink(paths.judged);
	unlink(paths.rotated);
	paths.rotated[strlen(paths.rotated) - 1] = '2';
	unlink(paths.rotated);
	unlink(paths.socket);
	return rmdir(dir);
}

/* Shared with the thread by its start and its end only. */
static void *run_capture(void *unused)
{
	(void)unused;
	if (writer_open(&played.writer, paths.trace) ||
	    (capture_files && writer_rotate(&played.writer, 1 << 20, capture_files)))
		abort();
	capture_ret = capture_run(&played.capture);
	if (writer_close(&played.writer))
		capture_ret = -2;
	played_end(&played);
	return NULL;
}

/* A case that failed had ended its capture, perhaps twice: the next one is not meant. */
static void forget_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigtimedwait(&set, NULL, &(struct timespec){0});
}

int start_capture(void **state)
{
	struct player *p;
	unsigned int i, k;

	(void)state;
	forget_signals();
	fake_begin();
	fake_write("domid", "0");
	looks = 1000;
	module_begin(clock_ns);
	module.at_drain = write_more;
	memset(requests, 0, sizeof(requests));
	players_begin();
	table = (struct domain_table){.entries = domains, .nr = 2};
	for (i = 0; i < 2; i++) {
		p = &players[i];
		for (k = 0; k < NR_DISKS; k++) {
			disks[i][k] = (struct disk){.devid = 51712 + 16 * k,
						    .backing = i * NR_DISKS + k,
						    .major = 259};
			snprintf(disks[i][k].name, sizeof(disks[i][k].name), "xvd%c",
				 'a' + k);
		}
		domains[i] = (struct domain){
			.domid = p->domid,
			.named = !p->late,
			.disks = disks[i],
			.nr_disks = NR_DISKS,
		};
		snprintf(domains[i].name, sizeof(domains[i].name), "guest%u", i + 1);
		table.by_domid[domains[i].domid] = i + 1;
	}
	if (xenrelay_reader_open(&reader) || service_open(&service, paths.socket))
		return -1;
	played_begin(&played, reader, &table, guests, MAX_DOMAINS);
	played.backing =
		(struct backing_table){.entries = backing_entries, .nr = 2 * NR_DISKS};
	played.capture.service = &service;
	return pthread_create(&capture_thread, NULL, run_capture, NULL);
}

void join_capture(void)
{
	pthread_join(capture_thread, NULL);
	capture_thread = 0;
	assert_int_equal(capture_ret, 0);
}

void end_capture(void)
{
	kill(getpid(), SIGINT);
	join_capture();
}

int start_rotating(void **state)
{
	capture_files = 3;
	return start_capture(state);
}

int start_with_one(void **state)
{
	players[1].late = true;
	return start_capture(state);
}

int stop_capture(void **state)
{
	(void)state;
	players[1].late = false;
	if (capture_thread) {
		kill(getpid(), SIGINT);
		pthread_join(capture_thread, NULL);
	}
	capture_files = 0;
	service_close(&service);
	xenrelay_reader_close(reader);
	guest_free(&guests[0]);
	guest_free(&guests[1]);
	fake_end();
	return 0;
}

void check_whole(void)
{
	struct content whole;

	content_of_file(&whole, paths.trace);
	assert_non_null(whole.end);
	assert_int_equal(whole.streams[3].nr, players[0].written);
	assert_int_equal(whole.streams[4].nr, players[1].written);
	assert_int_equal(whole.streams[0].nr, module.produced);
	assert_int_equal(content_counter(&whole, 3, "lost"), 0);
	content_forget(&whole);
}
