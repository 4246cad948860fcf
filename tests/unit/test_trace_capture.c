// SPDX-License-Identifier: GPL-2.0-only
/*
 * A whole capture of two guests, one of which lies: that one is let go of and
 * told of, and of the other every record is in the trace, in order, and its end
 * is a good one.
 *
 * The module in dom0 is played here, and its clock is what moves the guests on:
 * a capture asks for the time in each round.
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
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../xblktrace/signals.h"
#include "fake_xen.h"
#include "msg.h"
#include "played_capture.h"
#include "played_module.h"
#include "trace_content.h"
#include "xenrelay-reader.h"

#define LIE_AT	   50  /* round in which the liar begins */
#define END_AT	   200 /* round in which the user ends the capture */
#define A_ROUND	   20  /* records of each guest */
#define ROUNDS	   (2 * END_AT)
#define MAX_QUEUED 5000 /* events of XenStore */
/* What is between this domain's buffers and the output at most. */
#define CHUNKS_ON_THEIR_WAY \
	(SINK_BLOCKS * SINK_BLOCK_SIZE / (GUEST_SLICE * XBLK_RECORD_SIZE))

/* The honest one is domain 3, the other is domain 4. */
static struct player *const liar = &players[1];
static int end_signal = SIGINT;
/* Each guest's write position when the time was asked for. */
static uint64_t heads[2][ROUNDS];
static bool begun;
static unsigned int chunks_left; /* that this domain's buffers still have */
static time_t begin_at;
static uint64_t rounds;
static void (*lie)(void);

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
	/* By the thread that reads, while another one connects and lets go: not too fast.
	 */
	usleep(500);
	fake_hold();
	*level = chunks_left;
	/* Time stands still while they connect, and when the end is long in coming. */
	begun |= (players[0].connected || players[0].late) && players[1].connected &&
		 time(NULL) >= begin_at;
	/* The honest one answers when the liar has been let go of. */
	if (players[0].late && begun && !liar->connected) {
		players[0].late = false;
		player_connect(&players[0]);
	}
	if (begun && rounds < ROUNDS - 1) {
		rounds++;
		write_records(&players[0]);
		if (rounds < LIE_AT)
			write_records(liar);
		else if (liar->connected)
			lie();
		if (rounds == END_AT)
			kill(getpid(), end_signal);
	}
	*ns = rounds * 1000000;
	for (p = players; p < players + 2; p++)
		if (p->connected)
			heads[p - players][rounds] = p->ring.producer->ring.head;
	fake_release();
	return 0;
}

/* Now and then a buffer is as full as to end a sleep. */
unsigned int dom0_fullness(const struct dom0 *dom0, uint64_t level)
{
	unsigned int full;

	(void)dom0, (void)level;
	fake_hold();
	full = rounds % 10 ? 0 : PACE_AIM_PERMILLE;
	fake_release();
	return full;
}

int dom0_now(struct dom0 *dom0, uint64_t *ns)
{
	uint64_t level;

	return dom0_look(dom0, ns, &level);
}

int64_t dom0_drain(struct dom0 *dom0, struct writer *w, uint64_t time,
		   unsigned int *permille)
{
	static struct writer_stream stream;
	int64_t records = 0;

	(void)dom0, (void)permille;
	fake_hold();
	while (chunks_left && records < 16 * GUEST_SLICE) {
		size_t max;
		void *room = writer_reserve(w, &max);

		if (!room)
			break;
		memset(room, 0, GUEST_SLICE * XBLK_RECORD_SIZE);
		writer_commit(w, &stream, GUEST_SLICE, time);
		records += GUEST_SLICE;
		chunks_left--;
	}
	fake_release();
	return records;
}

int dom0_read_stats(struct dom0 *dom0)
{
	(void)dom0;
	return 0;
}

/* --- the capture --- */

static char trace[] = "/tmp/test_trace_capture.XXXXXX";
static const char *output = trace;

static struct xenrelay_reader *reader;
/* The third one never answers. */
#define SILENT_DOMID 5
static struct guest guests[3];
static struct played played;
static unsigned int nr_guests;

/* Which XenStore does not know: so they are gone at the first look, and all goes on. */
static struct disk disks[3][1];

static bool follow, third_is_named;
static uint64_t duration_ns;
static int (*run_capture)(struct played *p) = played_run;

static int capture_two(void)
{
	static struct domain domains[3];
	static struct domain_table table;
	unsigned int i;
	int ret;

	table = (struct domain_table){.entries = domains, .nr = nr_guests};
	for (i = 0; i < nr_guests; i++) {
		disks[i][0] = (struct disk){.devid = 51712, .name = "xvda"};
		domains[i] = (struct domain){
			.domid = i < 2 ? players[i].domid : SILENT_DOMID,
			.named = i < 2 || third_is_named,
			.disks = disks[i],
			.nr_disks = 1,
		};
		snprintf(domains[i].name, sizeof(domains[i].name), "guest%d", i + 1);
		table.by_domid[domains[i].domid] = i + 1;
	}
	played_begin(&played, reader, &table, guests, nr_guests);
	played.opts.follow = follow;
	played.opts.duration_ns = duration_ns;
	/* This domain's are as dom0_drain() has them. */
	played.dom0.nr_cpus = 0;
	assert_int_equal(writer_open(&played.writer, output), 0);
	ret = run_capture(&played);
	played_end(&played);
	assert_int_equal(writer_close(&played.writer),
			 ret && output != trace ? -EINTR : 0);
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
	struct xblk_chunk chunk;
	const char *payload;
	size_t len, at = 0;
	char *bytes = slurp(trace, &len);

	while ((payload = trace_next(bytes, len, &at, &chunk))) {
		struct xblk_record rec;
		size_t i, n;

		n = chunk.type == XBLK_CHUNK_DATA ? chunk.payload / XBLK_RECORD_SIZE : 0;
		ended = chunk.type == XBLK_CHUNK_END;
		for (i = 0; i < n && chunk.domid == 3; i++) {
			memcpy(&rec, payload + i * XBLK_RECORD_SIZE, sizeof(rec));
			assert_int_equal(rec.event, XBLK_EV_QUEUE);
			assert_int_equal(rec.sector, records[0] + i);
		}
		if (n && chunk.domid)
			records[chunk.domid - 3] += n;
		since = chunk.domid == 4 ? since + n : 0;
		if (chunk.time < END_AT * 1000000ull)
			assert_in_range(since, 0, GUEST_TURN);
		if (chunk.type == XBLK_CHUNK_ROUND) {
			const uint64_t nr = chunk.time / 1000000;

			assert_in_range(nr, 0, ROUNDS - 1);
			assert_true(records[0] >= heads[0][nr]);
			if (!guests[1].failed)
				assert_true(records[1] >= heads[1][nr]);
			nr_rounds++;
		}
	}
	assert_true(ended);
	assert_int_equal(records[0], players[0].written);
	assert_in_range(records[0], (END_AT - 10) * A_ROUND, ~0u);
	assert_in_range(nr_rounds, END_AT / 20, ~0u);
	free(bytes);
}

static void run(void (*what)(void), int status, const char *word)
{
	lie = what;
	assert_int_equal(capture_two(), status);
	check_trace();
	if (word) {
		played_check_said(&played, word);
		played_check_said(&played, "domain 4");
	}
	assert_int_equal(fake.mapped, 0);
	assert_int_equal(guests[1].failed, status != 0);
	assert_int_equal(guest_records(&guests[0]), players[0].written);
	assert_int_equal(guest_lost(&guests[0]), 0);
}

static void head_far(void)
{
	liar->ring.producer->ring.head += PLAYER_CAPACITY + 1;
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
	liar->ring.producer->ring.head = liar->ring.consumer->ring.tail + PLAYER_CAPACITY;
}

static void counters(void)
{
	liar->ring.producer->ring.lost = ~0ull - rounds;
	liar->ring.producer->ring.lost_nmi = rounds % 7;
	((union xenrelay_producer_line *)player_page(liar, PRODUCER))->channel.events =
		~0ull;
}

static void state_senseless(void)
{
	fake_write(player_node(liar, "/state"), "\033[2Jready -1");
}

static void info_rewritten(void)
{
	memset(player_page(liar, INFO), rounds, 4096);
	memset(player_page(liar, DIRECTORY), rounds, 4096);
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

/* One that is still being connected to is waited for when no other is left. */
static void test_late(void **state)
{
	(void)state;
	players[0].late = true;
	lie = head_far;
	assert_int_equal(capture_two(), -1);
	assert_false(players[0].late);
	assert_true(guests[1].failed);
	assert_in_range(players[0].written, A_ROUND, ~0u);
	assert_int_equal(guest_records(&guests[0]), players[0].written);
	assert_int_equal(fake.mapped, 0);
}

static void third_fails(const char *path, const char *value)
{
	static const char dir[] = "/local/domain/5/data/xenrelay/xblk";
	unsigned int session;
	char text[64];

	players_answer(path, value);
	if (strncmp(path, dir, strlen(dir)) || strcmp(path + strlen(dir), "/reader") ||
	    sscanf(value, "connect %u", &session) != 1)
		return;
	snprintf(text, sizeof(text), "failed %u 12 no memory", session);
	fake_write("/local/domain/5/data/xenrelay/xblk/state", text);
}

/* With -F one that was named and cannot be connected to joins later. */
static void test_failing_third(void **state)
{
	(void)state;
	nr_guests = 3;
	third_is_named = true;
	fake.written = third_fails;
	follow = true;
	run(counters, 0, NULL);
	assert_null(guests[2].channel);
	follow = third_is_named = false;
}

/* Nobody waits for a guest that does not answer, but those that were named. */
static void test_silent_third(void **state)
{
	time_t began = time(NULL);

	(void)state;
	nr_guests = 3;
	begin_at = began + 5;
	run(counters, 0, NULL);
	assert_in_range(time(NULL) - began, 0, 15);
	assert_null(guests[2].channel);
}

/* A terminal that is closed ends it in good order, as Ctrl-C does. */
static void test_hangup(void **state)
{
	(void)state;
	end_signal = SIGHUP;
	run(counters, 0, NULL);
	end_signal = SIGINT;
}

/* Once the others have stopped, one that does not is not waited for much longer. */
static void test_deaf(void **state)
{
	time_t began = time(NULL);

	(void)state;
	liar->deaf = true;
	run(counters, 0, "did not stop in time");
	assert_in_range(time(NULL) - began, 0, 8);
}

static int setup(void **state);
static int teardown(void **state);

static const char fifo[] = "/tmp/test_trace_capture.fifo";

/* For the next capture.  Return: its other end. */
static int make_fifo(int flags)
{
	int fd;

	unlink(fifo);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	fd = open(fifo, flags);
	assert_true(fd >= 0);
	output = fifo;
	return fd;
}

static void remove_fifo(int fd)
{
	output = trace;
	close(fd);
	unlink(fifo);
}

/* Guests are let go of all the same, and one signal is enough. */
static void test_nobody_reads(void **state)
{
	time_t began = time(NULL);
	int fd = make_fifo(O_RDWR);

	(void)state;
	lie = counters;
	assert_int_equal(capture_two(), -1);
	remove_fifo(fd);
	assert_in_range(time(NULL) - began, 0, 10);
	assert_int_equal(fake.mapped, 0);
	played_check_said(&played, "nobody reads it: given up");
}

/* Standard output is a socket, which is also its shell's: so are all ends. */
static void test_nobody_reads_socket(void **state)
{
	static const int sigs[] = {SIGTERM, SIGHUP};
	unsigned int i;

	for (i = 0; i < 2; i++) {
		time_t began = time(NULL);
		int fds[2], kept, ret, few = 4096;

		if (i)
			assert_int_equal(teardown(state) || setup(state), 0);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
		setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &few, sizeof(few));
		kept = dup(STDOUT_FILENO);
		dup2(fds[1], STDOUT_FILENO);
		output = "-";
		lie = counters;
		end_signal = sigs[i];
		ret = capture_two();
		end_signal = SIGINT;
		output = trace;
		dup2(kept, STDOUT_FILENO);
		close(kept);
		assert_int_equal(ret, -1);
		assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
		close(fds[0]);
		close(fds[1]);
		assert_in_range(time(NULL) - began, 0, 10);
		assert_int_equal(fake.mapped, 0);
		played_check_said(&played, "nobody reads it: given up");
	}
}

/* What nohup has started goes on when its terminal is closed. */
static void test_nohup(void **state)
{
	struct content content;
	sigset_t hangup;

	(void)state;
	/* As it is for a program that begins: others here have blocked it. */
	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	sigprocmask(SIG_UNBLOCK, &hangup, NULL);
	signal(SIGHUP, SIG_IGN);
	end_signal = SIGHUP;
	duration_ns = 2000000000;
	run(counters, 0, NULL);
	duration_ns = 0;
	end_signal = SIGINT;
	signal(SIGHUP, SIG_DFL);
	content_of_file(&content, trace);
	assert_string_equal(content_reason(&content), "timeout");
	content_forget(&content);
}

/* A terminal that was stopped takes none of its messages. */
static int run_unheard(struct played *p)
{
	int fds[2], kept = dup(STDERR_FILENO), ret;
	char full[4096] = "";

	if (pipe2(fds, O_NONBLOCK))
		abort();
	while (write(fds[1], full, sizeof(full)) > 0)
		;
	fcntl(fds[1], F_SETFL, 0);
	dup2(fds[1], STDERR_FILENO);
	msg_set_patience(1000);
	ret = capture_run(&p->capture);
	msg_set_patience(-1);
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(fds[0]);
	close(fds[1]);
	return ret;
}

static void test_stopped_terminal(void **state)
{
	time_t began = time(NULL);

	(void)state;
	run_capture = run_unheard;
	lie = head_far;
	assert_int_equal(capture_two(), -1);
	run_capture = played_run;
	assert_in_range(time(NULL) - began, 0, 6);
	check_trace();
	assert_true(guests[1].failed);
	assert_int_equal(guest_records(&guests[0]), players[0].written);
	assert_int_equal(fake.mapped, 0);
}

/* Standard error is a file meanwhile. */
static void *interrupt_when_told(void *arg)
{
	char said[4096] = "";
	unsigned int i;

	for (i = 0; i < 500 && !strstr(said, "it is waited for"); i++) {
		usleep(50000);
		if (pread(STDERR_FILENO, said, sizeof(said) - 1, 0) < 0)
			abort();
	}
	kill(getpid(), SIGINT);
	return arg;
}

/*
 * Whose time is over has not had enough: the output, which soon has no room even for what
 * guests have left, is waited for, and that is told.
 */
static void test_waits_for_output(void **state)
{
	int fd = make_fifo(O_RDWR);
	pthread_t thread;

	(void)state;
	chunks_left = 3 * CHUNKS_ON_THEIR_WAY;
	lie = counters;
	end_signal = 0;
	duration_ns = 2000000000; /* by then there is no room */
	signals_block();
	assert_int_equal(pthread_create(&thread, NULL, interrupt_when_told, NULL), 0);
	assert_int_equal(capture_two(), -1);
	pthread_join(thread, NULL);
	remove_fifo(fd);
	end_signal = SIGINT;
	duration_ns = 0;
	played_check_said(&played,
			  "domain 3 (guest1) cannot be read to its end, for lack of "
			  "room in the output: let go of");
	played_check_said(&played, "/tmp/test_trace_capture.fifo: takes nothing: it is "
				   "waited for; Ctrl-C gives it up");
	played_check_said(&played, "nobody reads it: given up");
}

static bool hangs;

static bool is_hanging(void)
{
	return __atomic_load_n(&hangs, __ATOMIC_RELAXED);
}

/* A disk that takes nothing for a while. */
ssize_t write(int fd, const void *buf, size_t len)
{
	struct stat st;

	while (is_hanging() && !fstat(fd, &st) && S_ISREG(st.st_mode) && fd > 2)
		usleep(1000);
	return syscall(SYS_write, fd, buf, len);
}

static void begin_to_hang(void)
{
	__atomic_store_n(&hangs, true, __ATOMIC_RELAXED);
	lie = counters;
}

/* As fast as a guest may: a second later the user ends it, and soon nothing but the
 * output is waited for.  Not before: who has once been heard to do so is muted. */
static void *rewrite(void *arg)
{
	unsigned int i, nr, *most = arg;

	while (!is_hanging())
		usleep(1000);
	sleep(1);
	kill(getpid(), SIGINT);
	sleep(3);
	for (i = 0; i < 20000 && *most < 2 * MAX_QUEUED; i++) {
		fake_write("/local/domain/4/data/xenrelay/xblk/version", "1");
		nr = fake_nr_events();
		if (nr > *most)
			*most = nr;
		usleep(50);
	}
	__atomic_store_n(&hangs, false, __ATOMIC_RELAXED);
	return NULL;
}

/* C5: a guest writes to XenStore without end while the output takes nothing. */
static void test_rewritten_while_it_hangs(void **state)
{
	unsigned int most = 0;
	pthread_t thread;

	(void)state;
	chunks_left = 3 * CHUNKS_ON_THEIR_WAY;
	lie = begin_to_hang;
	end_signal = 0;
	/* They are not the other thread's. */
	signals_block();
	assert_int_equal(pthread_create(&thread, NULL, rewrite, &most), 0);
	assert_int_equal(capture_two(), 0);
	pthread_join(thread, NULL);
	end_signal = SIGINT;
	assert_int_equal(chunks_left, 0);
	print_message("XenStore's events that waited: %u\n", most);
	assert_in_range(most, 1, MAX_QUEUED);
}

/* Nothing at first, and then in bits. */
static void *read_slowly(void *arg)
{
	static char bytes[256 * 1024];
	int to = open(trace, O_WRONLY | O_TRUNC);
	ssize_t n;

	usleep(500000);
	while ((n = read(*(int *)arg, bytes, sizeof(bytes))) > 0) {
		if (write(to, bytes, n) != n)
			abort();
		usleep(1000);
	}
	close(to);
	return NULL;
}

/* An output that has no room now and then: it goes on, and all that fits the rings is
 * there.
 */
static void test_slow_reader(void **state)
{
	pthread_t thread;
	int fd = make_fifo(O_RDONLY | O_NONBLOCK);

	(void)state;
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	chunks_left = 3 * CHUNKS_ON_THEIR_WAY;
	lie = counters;
	assert_int_equal(pthread_create(&thread, NULL, read_slowly, &fd), 0);
	assert_int_equal(capture_two(), 0);
	pthread_join(thread, NULL);
	remove_fifo(fd);
	assert_int_equal(chunks_left, 0);
	check_trace();
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
	played_check_said(&played, "nothing is kept");
	assert_null(strstr(played.said.text, trace));
	text = slurp(trace, &len);
	assert_int_equal(len, strlen("an earlier trace"));
	assert_memory_equal(text, "an earlier trace", len);
	free(text);
}

static int setup(void **state)
{
	(void)state;
	fake_begin();
	fake_write("domid", "0");
	players_begin();
	players[0].late = liar->deaf = false;
	memset(heads, 0, sizeof(heads));
	fake_write("/local/domain/5", "");
	fake_write("/local/domain/5/data/xenrelay/xblk/version", "1");
	fake_write("/local/domain/5/data/xenrelay/xblk/state", "open");
	fake_write("/local/domain/5/data/xenrelay/xblk/reader", "");
	nr_guests = 2;
	rounds = begun = 0;
	chunks_left = 0;
	return xenrelay_reader_open(&reader);
}

static int teardown(void **state)
{
	(void)state;
	xenrelay_reader_close(reader);
	guest_free(&guests[0]);
	guest_free(&guests[1]);
	fake_end();
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_counters),
		TEST(test_head_far),
		TEST(test_head_back),
		TEST(test_spans),
		TEST(test_flood),
		TEST(test_state),
		TEST(test_info),
		TEST(test_silent_third),
		TEST(test_nobody_reads),
		TEST(test_interrupted_before),
		TEST(test_waits_for_output),
		TEST(test_deaf),
		TEST(test_hangup),
		TEST(test_slow_reader),
		TEST(test_late),
		TEST(test_nobody_reads_socket),
		TEST(test_nohup),
		TEST(test_stopped_terminal),
		TEST(test_failing_third),
		TEST(test_rewritten_while_it_hangs),
	};
	int ret;

	/* It is ignored in what nohup starts. */
	signal(SIGHUP, SIG_DFL);
	close(mkstemp(trace));
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(trace);
	return ret;
}
