// SPDX-License-Identifier: GPL-2.0-only
/*
 * A capture of two guests, and others that tap it: what they get is what the capture has
 * of their guests in their time, and one that does not read costs nobody else anything.
 *
 * The module in dom0 is played, and so are the guests: with each look at the clock a
 * millisecond of requests has passed.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "../../xblktrace/signals.h"
#include "../../xblktrace/tap-ask.h"
#include "../../xblktrace/tap-request.h"
#include "fake_xen.h"
#include "played_capture.h"
#include "played_module.h"
#include "trace_content.h"
#include "xenrelay-reader.h"

#define REQUESTS    50 /* of each guest, a look */
#define DOM0_ROOM   (1 << 16)
#define NSEC_PER_MS 1000000ull
#define LOOK_US	    1000

static uint64_t looks;
static uint64_t requests[2]; /* of each guest */

/* --- the requests --- */

static struct xblk_record dom0_records[DOM0_ROOM];
static size_t dom0_nr;
static uint64_t dom0_written;
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

static void put_dom0(struct xblk_record rec)
{
	if (dom0_nr == DOM0_ROOM)
		abort();
	dom0_records[dom0_nr++] = rec;
	dom0_written++;
}

/* blkback's, of one of the guest's disks: it is named once. */
#define NR_DISKS     2
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
	put_dom0(rec);
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
			put_dom0(rec);
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
	if (players[0].connected && dom0_nr < DOM0_ROOM / 2) {
		if (!dom0_written)
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

unsigned int dom0_fullness(const struct dom0 *dom0, uint64_t level)
{
	(void)dom0, (void)level;
	return PACE_AIM_PERMILLE;
}

int dom0_now(struct dom0 *dom0, uint64_t *ns)
{
	(void)dom0;
	fake_hold();
	*ns = clock_ns();
	fake_release();
	return 0;
}

int64_t dom0_drain(struct dom0 *dom0, struct writer *w, uint64_t time,
		   unsigned int *permille)
{
	struct writer_stream *stream = &dom0->cpus[0].stream;
	int64_t records = 0;
	size_t max, done = 0;
	void *room;

	(void)permille;
	fake_hold();
	/* Here it is read in this round, in the guests in the next one. */
	if (more && players[0].connected)
		write_requests(REQUESTS / 5, 0);
	more = false;
	while (done < dom0_nr && (room = writer_reserve(w, &max))) {
		if (max > dom0_nr - done)
			max = dom0_nr - done;
		memcpy(room, dom0_records + done, max * XBLK_RECORD_SIZE);
		names_note(&dom0->names, room, max);
		writer_commit(w, stream, max, time);
		done += max;
		records += max;
	}
	memmove(dom0_records, dom0_records + done, (dom0_nr - done) * XBLK_RECORD_SIZE);
	dom0_nr -= done;
	fake_release();
	return writer_error(w) ? -1 : records;
}

int dom0_read_stats(struct dom0 *dom0)
{
	fake_hold();
	dom0->cpus[0].produced = dom0_written;
	fake_release();
	return 0;
}

/* --- the capture --- */

static char dir[] = "/tmp/test_trace_tap.XXXXXX";
static char trace[64], tapped[64], socket_path[64], said[64], judged[64];
static char rotated[64], fifo[64];

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
static struct service service;
static pthread_t capture_thread;
static int capture_ret;

/* Shared with the thread by its start and its end only. */
static void *run_capture(void *unused)
{
	(void)unused;
	if (writer_open(&played.writer, trace) ||
	    (capture_files && writer_rotate(&played.writer, 1 << 20, capture_files)))
		abort();
	capture_ret = capture_run(&played.capture);
	if (writer_close(&played.writer))
		capture_ret = -2;
	played_end(&played);
	return NULL;
}

static int start_capture(void **state)
{
	struct player *p;
	unsigned int i, k;

	(void)state;
	fake_begin();
	fake_write("domid", "0");
	looks = 1000;
	dom0_nr = dom0_written = 0;
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
	if (xenrelay_reader_open(&reader) || service_open(&service, socket_path))
		return -1;
	played_begin(&played, reader, &table, guests, MAX_DOMAINS);
	played.backing =
		(struct backing_table){.entries = backing_entries, .nr = 2 * NR_DISKS};
	played.capture.service = &service;
	return pthread_create(&capture_thread, NULL, run_capture, NULL);
}

static void join_capture(void)
{
	pthread_join(capture_thread, NULL);
	capture_thread = 0;
	assert_int_equal(capture_ret, 0);
}

static void end_capture(void)
{
	kill(getpid(), SIGINT);
	join_capture();
}

static int start_rotating(void **state)
{
	capture_files = 3;
	return start_capture(state);
}

static int start_with_one(void **state)
{
	players[1].late = true;
	return start_capture(state);
}

static int stop_capture(void **state)
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

/* --- what is in a tap, and in the trace of the capture --- */

/* The time within which a tap's beginning or end is, by what its streams have of it. */
struct edge {
	uint64_t after, until;
};

static size_t place_of(const struct seen *s, const struct xblk_record *rec)
{
	size_t i;

	for (i = 0; i < s->nr; i++)
		if (s->records[i].time == rec->time)
			return i;
	fail_msg("a record of the tap is not in the capture's trace");
	return 0;
}

static void narrow(struct edge *edge, const struct xblk_record *before,
		   const struct xblk_record *behind)
{
	if (edge->after < before->time)
		edge->after = before->time;
	if (edge->until > behind->time)
		edge->until = behind->time;
}

/*
 * What the tap has of a stream is what the capture has, from one record to another, but
 * for what it says it has lost.
 */
static void check_stream(const struct content *whole, const struct content *tap,
			 unsigned int domid, struct edge *begin, struct edge *end)
{
	const struct seen *all = &whole->streams[domid], *part = &tap->streams[domid];
	uint64_t marks = 0, lost = 0;
	size_t first, at, i = 0;

	/* Names that are told again. */
	for (; i < part->nr && part->records[i].event == XBLK_EV_PROCESS; i++)
		marks++;
	assert_int_equal(marks, domid ? 0 : 2 * NR_DISKS);
	assert_in_range(i, 0, part->nr - 1);
	first = at = place_of(all, &part->records[i]);
	for (; i < part->nr; i++) {
		const struct xblk_record *rec = &part->records[i];

		assert_in_range(at, 0, all->nr - 1);
		if (rec->event != XBLK_EV_LOST) {
			assert_memory_equal(rec, &all->records[at], sizeof(*rec));
			at++;
			continue;
		}
		assert_int_equal(rec->time, all->records[at].time);
		at += rec->lost.count;
		assert_in_range(at, 1, all->nr);
		assert_int_equal(rec->lost.until, all->records[at - 1].time);
		lost += rec->lost.count;
		marks++;
	}
	assert_in_range(first, 1, all->nr);
	narrow(begin, &all->records[first - 1], &all->records[first]);
	if (at < all->nr)
		narrow(end, &all->records[at - 1], &all->records[at]);
	assert_int_equal(content_counter(tap, domid, "marks"), marks);
	assert_int_equal(content_counter(tap, domid, "lost"), lost);
	assert_int_equal(content_counter(tap, domid, "written"), part->nr - marks);
	assert_int_equal(content_counter(tap, domid, "produced"),
			 part->nr - marks + lost);
}

static void drop_other_disks(struct seen *s, unsigned int disk)
{
	size_t i, nr = 0;

	for (i = 0; i < s->nr; i++)
		if (s->records[i].disk == disk)
			s->records[nr++] = s->records[i];
	s->nr = nr;
}

/* Of the guest, or one of its disks, and of dom0, from one moment to another. */
static void check_tap_of(const struct content *tap, unsigned int domid, int disk)
{
	struct edge begin = {0, UINT64_MAX}, end = {0, UINT64_MAX};
	struct content whole;

	content_of_file(&whole, trace);
	assert_non_null(whole.end);
	assert_non_null(tap->end);
	if (disk >= 0)
		drop_other_disks(&whole.streams[domid], disk);
	check_stream(&whole, tap, domid, &begin, &end);
	check_stream(&whole, tap, 0, &begin, &end);
	assert_true(begin.after < begin.until);
	assert_true(end.after < end.until);
	assert_int_equal(tap->streams[7 - domid].nr, 0);
	assert_int_equal(tap->late, 0);
	assert_in_range(tap->rounds, 2, ~0u);
	assert_non_null(strstr(tap->meta, domid == 3 ? "guest1" : "guest2"));
	assert_null(strstr(tap->meta, domid == 3 ? "guest2" : "guest1"));
	content_forget(&whole);
}

static void check_tap(const struct content *tap, unsigned int domid)
{
	check_tap_of(tap, domid, -1);
}

/* The capture has all that was written. */
static void check_whole(void)
{
	struct content whole;

	content_of_file(&whole, trace);
	assert_non_null(whole.end);
	assert_int_equal(whole.streams[3].nr, players[0].written);
	assert_int_equal(whole.streams[4].nr, players[1].written);
	assert_int_equal(whole.streams[0].nr, dom0_written);
	assert_int_equal(content_counter(&whole, 3, "lost"), 0);
	content_forget(&whole);
}

/* --- the asking end --- */

static int connect_to(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, socket_path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* The line that is the answer, without its end; "" if there is none. */
static char *ask(int fd, const char *request, size_t len)
{
	static char line[1024];
	size_t used = 0;

	send(fd, request, len, MSG_NOSIGNAL);
	while (used < sizeof(line) - 1 && recv(fd, line + used, 1, 0) == 1 &&
	       line[used] != '\n')
		used++;
	line[used] = '\0';
	return line;
}

static char *ask_text(int fd, const char *request)
{
	return ask(fd, request, strlen(request));
}

/* As soon as there is a capture. */
static int begin_tap(const char *request)
{
	for (;;) {
		int fd = connect_to();
		const char *line = ask_text(fd, request);

		if (!strncmp(line, "ok ", 3))
			return fd;
		if (!strstr(line, "is only beginning"))
			fail_msg("it is answered by \"%s\"", line);
		close(fd);
		usleep(10000);
	}
}

struct bytes {
	char *data;
	size_t len, room;
};

/* Until there are so many, or all. */
static void read_on(int fd, struct bytes *b, size_t enough)
{
	ssize_t n = 1;

	while (n > 0 && b->len < enough) {
		if (b->room - b->len < 65536) {
			b->room = 2 * b->room + 65536;
			b->data = realloc(b->data, b->room);
		}
		n = recv(fd, b->data + b->len, 65536, 0);
		b->len += n > 0 ? n : 0;
	}
}

static void verify(const char *path)
{
	char command[512];
	size_t len;

	assert_non_null(getenv("XBLKPARSE"));
	snprintf(command, sizeof(command), "%s --verify %s >%s 2>&1", getenv("XBLKPARSE"),
		 path, judged);
	if (system(command))
		fail_msg("%s: %s", command, slurp(judged, &len));
}

/*
 * To xblkparse it is good, and of requests only those are not joined that were under way
 * at its beginning or end, or are touched by what the tap has lost.  By the bins at the
 * end: a loss may be told of when a request's row is out.
 */
static void judge(const char *path, bool lossy)
{
	json_int_t joined = 0;
	const char *bin;
	char line[512];
	json_t *root, *n;
	FILE *f;

	verify(path);
	snprintf(line, sizeof(line), "%s -q --json %s", getenv("XBLKPARSE"), path);
	f = popen(line, "r");
	assert_non_null(f);
	root = json_loadf(f, 0, NULL);
	assert_int_equal(pclose(f), 0);
	assert_non_null(root);
	json_object_foreach (json_object_get(root, "bins"), bin, n) {
		if (!strcmp(bin, "joined"))
			joined = json_integer_value(n);
		else if (strcmp(bin, "before_trace") && strcmp(bin, "in_flight") &&
			 (!lossy || strcmp(bin, "lost")) && json_integer_value(n))
			fail_msg("%s: %d %s", path, (int)json_integer_value(n), bin);
	}
	json_decref(root);
	assert_true(joined > 100);
}

static void save(const struct bytes *b)
{
	FILE *f = fopen(tapped, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(b->data, 1, b->len, f), b->len);
	fclose(f);
}

static void read_out(int fd, struct bytes *b, struct content *content, bool lossy)
{
	read_on(fd, b, SIZE_MAX);
	content_of(content, b->data, b->len);
	save(b);
	judge(tapped, lossy);
	free(b->data);
	close(fd);
}

static void expect(const char *request, size_t len, const char *word)
{
	int fd = connect_to();
	const char *line = ask(fd, request, len);

	if (strncmp(line, "error ", 6) || !strstr(line, word))
		fail_msg("\"%s\" does not say \"%s\"", line, word);
	close(fd);
}

static void expect_text(const char *request, const char *word)
{
	expect(request, strlen(request), word);
}

static char *status(void)
{
	static char text[4096];
	int fd = connect_to();
	size_t used = 0;
	ssize_t n;

	send(fd, "status\n", 7, MSG_NOSIGNAL);
	while ((n = recv(fd, text + used, sizeof(text) - 1 - used, 0)) > 0)
		used += n;
	text[used] = '\0';
	close(fd);
	return text;
}

/* By whoever is told of it at most this late. */
static void wait_without_taps(void)
{
	unsigned int i;

	for (i = 0; strstr(status(), " taps since "); i++) {
		assert_in_range(i, 0, 500);
		usleep(10000);
	}
}

/* So much is in a file. */
static void wait_for_bytes(const char *path, off_t bytes)
{
	struct stat st;
	unsigned int i;

	for (i = 0; stat(path, &st) || st.st_size < bytes; i++) {
		assert_in_range(i, 0, 3000);
		usleep(10000);
	}
}

#define TAP_3 "tap 1\ndomain 3\nargument xblktrace\n\n"
#define TAP_4 "tap 1\nargument -d\ndomain guest2\n\n"

/* --- tests --- */

static void test_window(void **state)
{
	struct bytes b = {0};
	struct content tap;
	int fd = begin_tap(TAP_3);

	(void)state;
	read_on(fd, &b, 2000000);
	assert_non_null(strstr(status(), " taps since "));
	assert_non_null(strstr(status(), " domains 3: "));
	shutdown(fd, SHUT_WR);
	read_out(fd, &b, &tap, false);
	wait_without_taps();
	end_capture();
	assert_string_equal(content_reason(&tap), "interrupted");
	check_tap(&tap, 3);
	assert_int_equal(content_counter(&tap, 3, "lost"), 0);
	check_whole();
	content_forget(&tap);
}

static void test_two(void **state)
{
	struct bytes b[2] = {{0}};
	struct content taps[2];
	int fds[2] = {begin_tap(TAP_3), 0};

	(void)state;
	read_on(fds[0], &b[0], 500000);
	fds[1] = begin_tap(TAP_4);
	read_on(fds[1], &b[1], 500000);
	shutdown(fds[0], SHUT_WR);
	read_out(fds[0], &b[0], &taps[0], false);
	read_on(fds[1], &b[1], 1000000);
	/* The other one ends with the capture. */
	kill(getpid(), SIGINT);
	read_out(fds[1], &b[1], &taps[1], false);
	join_capture();
	check_tap(&taps[0], 3);
	check_tap(&taps[1], 4);
	assert_string_equal(content_reason(&taps[1]), "interrupted");
	check_whole();
	content_forget(&taps[0]);
	content_forget(&taps[1]);
}

static void test_duration(void **state)
{
	struct bytes b = {0};
	struct content tap;
	int fd = begin_tap("tap 1\nduration 200000000\ndomain all\n\n");

	(void)state;
	read_out(fd, &b, &tap, false);
	end_capture();
	assert_non_null(tap.end);
	assert_string_equal(content_reason(&tap), "timeout");
	assert_in_range(tap.streams[4].nr, 1, ~0u);
	assert_in_range(tap.streams[3].nr, 1, ~0u);
	content_forget(&tap);
}

static void test_disk(void **state)
{
	struct bytes b = {0};
	struct content tap;
	int fd = begin_tap("tap 1\ndomain guest1\ndisk guest1:xvdb\n\n");

	(void)state;
	/* Now also with a loss. */
	wait_for_bytes(trace, (TAP_BLOCKS + 8) << 21);
	read_on(fd, &b, (TAP_BLOCKS + 4) << 20);
	shutdown(fd, SHUT_WR);
	read_out(fd, &b, &tap, true);
	end_capture();
	check_tap_of(&tap, 3, 1);
	assert_in_range(content_counter(&tap, 3, "lost"), 1, UINT64_MAX);
	assert_non_null(strstr(tap.meta, "xvdb"));
	assert_null(strstr(tap.meta, "xvda"));
	content_forget(&tap);
}

/* A guest that comes is in it from its beginning on. */
static void test_guest_comes(void **state)
{
	struct bytes b = {0};
	struct content tap, whole;
	int fd = begin_tap("tap 1\ndomain all\n\n");
	size_t before;

	(void)state;
	read_on(fd, &b, 500000);
	fake_hold();
	player_connect(&players[1]);
	fake_release();
	before = b.len;
	read_on(fd, &b, before + 2000000);
	kill(getpid(), SIGINT);
	read_out(fd, &b, &tap, false);
	join_capture();
	content_of_file(&whole, trace);
	assert_non_null(strstr(tap.meta, "guest2"));
	assert_in_range(tap.streams[4].nr, 1000, ~0u);
	assert_int_equal(tap.streams[4].nr, whole.streams[4].nr);
	assert_int_equal(content_counter(&tap, 4, "written"), tap.streams[4].nr);
	content_forget(&tap);
	content_forget(&whole);
}

/* Its guest goes, and the capture goes on with the other one. */
static void test_guest_goes(void **state)
{
	struct bytes b = {0};
	struct content tap;
	int fd = begin_tap(TAP_4);

	(void)state;
	read_on(fd, &b, 500000);
	fake_hold();
	player_stop(&players[1]);
	fake_release();
	read_out(fd, &b, &tap, false);
	end_capture();
	check_tap(&tap, 4);
	assert_string_equal(content_reason(&tap), "tracer unloaded");
	check_whole();
	content_forget(&tap);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* It loses, which is told and counted, and the capture does not. */
static void test_slow(void **state)
{
	struct bytes b = {0};
	struct content tap;
	int fd = begin_tap(TAP_3);
	const char *lost;

	(void)state;
	wait_for_bytes(trace, (TAP_BLOCKS + 8) << 21);
	lost = strstr(strstr(status(), " taps since "), "records, ");
	assert_false(strncmp(lost, "records, 0 lost", 15) == 0);
	read_on(fd, &b, (TAP_BLOCKS + 4) << 20);
	shutdown(fd, SHUT_WR);
	read_out(fd, &b, &tap, true);
	end_capture();
	check_tap(&tap, 3);
	assert_in_range(content_counter(&tap, 3, "lost"), 1, UINT64_MAX);
	assert_in_range(content_counter(&tap, 0, "lost"), 1, UINT64_MAX);
	check_whole();
	content_forget(&tap);
}

/* Nor does one that never reads keep it from ending. */
static void test_stalled(void **state)
{
	int fd = begin_tap(TAP_3), other = begin_tap(TAP_4);
	double began;

	(void)state;
	wait_for_bytes(trace, (TAP_BLOCKS + 4) << 21);
	began = seconds();
	end_capture();
	assert_true(seconds() - began < 2.5);
	check_whole();
	close(fd);
	close(other);
}

/* What it has goes on where a file of the capture ends. */
static void test_rotating(void **state)
{
	struct bytes b = {0};
	struct content tap;
	int fd = begin_tap(TAP_3);

	(void)state;
	read_on(fd, &b, 6000000);
	shutdown(fd, SHUT_WR);
	read_out(fd, &b, &tap, false);
	end_capture();
	assert_int_equal(access(rotated, F_OK), 0);
	assert_int_equal(content_counter(&tap, 0, "marks"), 2 * NR_DISKS);
	assert_int_equal(content_counter(&tap, 3, "marks"), 0);
	content_forget(&tap);
}

/* Who asked is killed, or wants to end and does not read. */
static void test_gone(void **state)
{
	struct bytes b = {0};
	int fd, i;

	(void)state;
	for (i = 0; i < 2 * TAP_MAX; i++) {
		fd = begin_tap(TAP_3);
		read_on(fd, &b, 100000);
		close(fd);
		wait_without_taps();
	}
	end_capture();
	check_whole();
	free(b.data);
}

static void test_refused(void **state)
{
	static char huge[2 * TAP_REQUEST_MAX];
	int fds[TAP_MAX], i, fd;

	(void)state;
	for (i = 0; i < TAP_MAX; i++)
		fds[i] = begin_tap(TAP_3);
	expect_text(TAP_3, "try again when one has ended");
	close(fds[0]);
	usleep(300000);
	expect_text("tap 1\ndomain 9\n\n", "domain 9: is not traced");
	expect_text("tap 1\ndomain 9\n\n", "xblktrace -k");
	expect_text("tap 1\ndomain 3\ndomain web\n\n", "domain web: is not traced");
	expect_text("tap 1\ndomain 3\ndisk guest2:xvda\n\n",
		    "disk guest2:xvda: the capture");
	expect_text("tap 1\ndomain 3\ndisk xvdc\n\n", "disk xvdc: the capture");
	expect_text("tap 2\ndomain 3\n\n", "another version");
	expect_text("tap 1\n\n", "names no domain");
	expect_text("tap 1\ndomain\n\n", "has no value");
	expect_text("tap 1\nlevel 99\ndomain 3\n\n", "not a number from 1 to");
	expect_text("tap 1\nduration -1\ndomain 3\n\n", "not a number");
	expect_text("tap 1\nwish 3\n\n", "not known here");
	memset(huge, 'a', sizeof(huge));
	memcpy(huge, "tap 1\n", 6);
	expect(huge, TAP_REQUEST_MAX, "too long");
	/* What is no request is not answered. */
	fd = connect_to();
	assert_string_equal(ask(fd, "tap 1\0\n\n", 8), "");
	close(fd);
	fd = connect_to();
	assert_string_equal(ask(fd, huge + 6, sizeof(huge) - 6), "");
	close(fd);
	/* In pieces it is one all the same. */
	fd = connect_to();
	send(fd, TAP_3, 9, MSG_NOSIGNAL);
	usleep(50000);
	assert_int_equal(strncmp(ask_text(fd, &TAP_3[9]), "ok ", 3), 0);
	close(fd);
	for (i = 1; i < TAP_MAX; i++)
		close(fds[i]);
	end_capture();
	check_whole();
}

/* --- the asking end --- */

static bool output_hangs; /* of the next one that asks */
static bool hangs;	  /* of this one */

/* A network file system that has lost its server. */
ssize_t write(int fd, const void *buf, size_t len)
{
	while (hangs)
		pause();
	return syscall(SYS_write, fd, buf, len);
}

/* This program as another process, whose threads are its own from the beginning. */
static int be_asker(char **argv)
{
	const char *domain = "guest1";
	struct options opts = {
		.domains = &domain,
		.nr_domains = 1,
		.output = argv[2],
		.duration_ns = strtoull(argv[3], NULL, 10),
		.compress_level = atoi(argv[4]),
		.sized = atoi(argv[5]),
	};
	sigset_t none;

	/* The tests' process has them blocked. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	hangs = atoi(argv[6]);
	return tap_ask(argv[1], &opts) ? 1 : 0;
}

/* What it says goes to a file. */
static pid_t start_child(const struct options *opts)
{
	char duration[24], level[12];
	pid_t pid;
	int fd;

	snprintf(duration, sizeof(duration), "%llu",
		 (unsigned long long)opts->duration_ns);
	snprintf(level, sizeof(level), "%d", opts->compress_level);
	pid = fork();
	if (!pid) {
		fd = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		dup2(fd, 2);
		execl("/proc/self/exe", "test_trace_tap", socket_path,
		      opts->output ? opts->output : tapped, duration, level,
		      opts->sized ? "1" : "0", output_hangs ? "1" : "0", NULL);
		_exit(127);
	}
	return pid;
}

/* Return: the exit status. */
static int end_child(pid_t pid)
{
	int wstatus;

	assert_int_equal(waitpid(pid, &wstatus, 0), pid);
	assert_true(WIFEXITED(wstatus));
	return WEXITSTATUS(wstatus);
}

static int tap_in_child(const struct options *opts)
{
	return end_child(start_child(opts));
}

static void check_said(const char *word)
{
	size_t len;
	char *text = slurp(said, &len);

	if (!strstr(text, word))
		fail_msg("\"%s\" does not say \"%s\"", text, word);
	free(text);
}

static void test_asker(void **state)
{
	struct options opts = {.duration_ns = 300000000};
	struct content tap;
	struct stat st;

	(void)state;
	close(begin_tap(TAP_3));
	assert_int_equal(tap_in_child(&opts), 0);
	check_said("domain 3: ");
	check_said(" 0 lost, ");
	check_said("(timeout)");
	assert_int_equal(stat(tapped, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	opts.compress_level = 1;
	assert_int_equal(tap_in_child(&opts), 0);
	judge(tapped, false);
	opts.compress_level = 0;
	assert_int_equal(tap_in_child(&opts), 0);
	opts.output = trace;
	assert_int_equal(tap_in_child(&opts), 1);
	check_said("/trace: the xblktrace that is running writes to it");
	opts.output = NULL;
	opts.sized = true;
	assert_int_equal(tap_in_child(&opts), 1);
	check_said("-b and -n cannot be chosen");
	end_capture();
	content_of_file(&tap, tapped);
	judge(tapped, false);
	check_tap(&tap, 3);
	content_forget(&tap);
}

/* Ctrl-C ends the tap in good order, and the capture goes on. */
static void test_interrupted(void **state)
{
	struct options opts = {0};
	struct content tap;
	pid_t pid;

	(void)state;
	close(begin_tap(TAP_3));
	unlink(tapped);
	pid = start_child(&opts);
	wait_for_bytes(tapped, 500000);
	kill(pid, SIGINT);
	assert_int_equal(end_child(pid), 0);
	check_said("(interrupted)");
	wait_without_taps();
	end_capture();
	judge(tapped, false);
	content_of_file(&tap, tapped);
	check_tap(&tap, 3);
	content_forget(&tap);
}

/* Return: whether it has ended by then. */
static bool ends_within(pid_t pid, unsigned int ms)
{
	siginfo_t info = {0};

	for (; ms && !info.si_pid; ms--) {
		usleep(1000);
		assert_int_equal(waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT),
				 0);
	}
	return info.si_pid;
}

/* Nothing goes out, and Ctrl-C is taken even so: twice, as a file may be slow. */
static void test_output_hangs(void **state)
{
	struct options opts = {0};
	bool ended;
	pid_t pid;

	(void)state;
	close(begin_tap(TAP_3));
	output_hangs = true;
	pid = start_child(&opts);
	output_hangs = false;
	assert_false(ends_within(pid, 1000));
	kill(pid, SIGINT);
	assert_false(ends_within(pid, 500));
	kill(pid, SIGINT);
	ended = ends_within(pid, 5000);
	if (!ended)
		kill(pid, SIGKILL);
	assert_int_equal(end_child(pid), 1);
	check_said("given up: its end is missing");
	end_capture();
	check_whole();
}

/* Nobody opens a named pipe's other end. */
static void test_output_waits(void **state)
{
	struct options opts = {.output = fifo};
	int wstatus;
	pid_t pid;

	(void)state;
	close(begin_tap(TAP_3));
	assert_int_equal(mkfifo(fifo, 0600), 0);
	pid = start_child(&opts);
	assert_false(ends_within(pid, 500));
	kill(pid, SIGINT);
	if (!ends_within(pid, 5000))
		kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &wstatus, 0), pid);
	unlink(fifo);
	assert_int_equal(WTERMSIG(wstatus), SIGINT);
	end_capture();
	check_whole();
}

/* A capture that dies, in the middle of a trace. */
static void *die(void *arg)
{
	int fd = accept(service.fd, NULL, NULL);
	char byte = 0, before = 0;

	(void)arg;
	while (recv(fd, &byte, 1, 0) == 1 && (byte != '\n' || before != '\n'))
		before = byte;
	send(fd, "ok 1 2\nabc", 10, MSG_NOSIGNAL);
	close(fd);
	return NULL;
}

static void test_capture_dies(void **state)
{
	struct options opts = {0};
	pthread_t thread;
	size_t len;

	(void)state;
	assert_int_equal(service_open(&service, socket_path), 0);
	fcntl(service.fd, F_SETFL, 0);
	assert_int_equal(pthread_create(&thread, NULL, die, NULL), 0);
	assert_int_equal(tap_in_child(&opts), 1);
	pthread_join(thread, NULL);
	check_said("ended without a word");
	free(slurp(tapped, &len));
	assert_int_equal(len, 3);
	service_close(&service);
	assert_int_equal(tap_in_child(&opts), 1);
	check_said("try again in a moment");
}

static double cpu_of(pthread_t thread)
{
	struct timespec ts;
	clockid_t id;

	assert_int_equal(pthread_getcpuclockid(thread, &id), 0);
	assert_int_equal(clock_gettime(id, &ts), 0);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* It has ended, its peer does not read, and has nothing more to say: no reason to look. */
static void test_silent_peer(void **state)
{
	int fd = begin_tap("tap 1\nduration 200000000\ndomain all\n\n");
	double before;

	(void)state;
	wait_for_bytes(trace, 1 << 20);
	sleep(1);
	shutdown(fd, SHUT_WR);
	before = cpu_of(capture_thread);
	sleep(1);
	assert_true(cpu_of(capture_thread) - before < 0.1);
	close(fd);
	end_capture();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start_capture, stop_capture)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_window),
		TEST(test_two),
		TEST(test_duration),
		TEST(test_disk),
		cmocka_unit_test_setup_teardown(test_guest_comes, start_with_one,
						stop_capture),
		TEST(test_guest_goes),
		TEST(test_slow),
		TEST(test_stalled),
		cmocka_unit_test_setup_teardown(test_rotating, start_rotating,
						stop_capture),
		TEST(test_gone),
		TEST(test_refused),
		cmocka_unit_test(test_capture_dies),
		TEST(test_asker),
		TEST(test_interrupted),
		TEST(test_output_hangs),
		TEST(test_output_waits),
		TEST(test_silent_peer),
	};
	int ret;

	if (argc > 1)
		return be_asker(argv);
	if (!mkdtemp(dir))
		return 1;
	snprintf(trace, sizeof(trace), "%s/trace", dir);
	snprintf(tapped, sizeof(tapped), "%s/tapped", dir);
	snprintf(said, sizeof(said), "%s/said", dir);
	snprintf(rotated, sizeof(rotated), "%s/trace.1", dir);
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	snprintf(judged, sizeof(judged), "%s/judged", dir);
	snprintf(socket_path, sizeof(socket_path), "%s/socket", dir);
	/* They are the capture's thread's. */
	signals_block();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(trace);
	unlink(tapped);
	unlink(said);
	unlink(judged);
	unlink(rotated);
	rotated[strlen(rotated) - 1] = '2';
	unlink(rotated);
	unlink(socket_path);
	rmdir(dir);
	return ret;
}
