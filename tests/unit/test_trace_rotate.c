// SPDX-License-Identifier: GPL-2.0-only
/*
 * A capture of a day that goes on in file after file: each is a good trace to xblkparse,
 * which also knows the names of processes in it, and together they have every record
 * once, by a reading of their bytes that knows nothing of the writer.
 *
 * Guest and module are played; it is always busy, also between the reading of the guest
 * and that of the module, and requests are under way where a file ends.
 */
#define ITEM_SIZE   32
#define NR_RINGS    1
#define RING_PAGES  100
#define DATA_REF(n) (400 + (n))
#include "played_guest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../xblktrace/progress.h"
#include "played_capture.h"
#include "played_module.h"
#include "trace_content.h"

#define MAX_SIZE     (1u << 20)
#define NR_FILES     40 /* more than there will be */
#define LOOKS	     4000
#define STEP_NS	     (86400ull * 1000000000 / LOOKS)
#define A_LOOK	     10 /* requests, most of them from beginning to end */
#define LOSSES_AT    1700
#define MAX_REQUESTS (40 * LOOKS + 10000)

#define WORKER_PID  500
#define BACKEND_PID 77

enum side {
	GUEST,
	DOM0
};
enum step {
	Q,
	D,
	C
};

static uint64_t clock_ns;
static unsigned int looks, nr_looks, nr_requests, nr_open;
static struct xenrelay_ring ring;
static bool connected, begun;

/* What each request has got into the buffers, bit 3 * side + step. */
static uint8_t wanted[MAX_REQUESTS], found[MAX_REQUESTS];
static uint64_t lost_found[2];

/* The module's buffer, and what it counts. */
static struct xblk_record dom0_buf[200000];
static size_t dom0_used;
static uint64_t dom0_produced, dom0_lost, dom0_marks;
static bool dom0_owes; /* the record of a loss that has been counted */

static struct played played;
static struct capture *running;
static void (*at_read_stats)(void);

static void dom0_put(struct xblk_record rec)
{
	dom0_buf[dom0_used++] = rec;
	dom0_produced += rec.event != XBLK_EV_LOST;
}

/* Return: whether there was room. */
static bool put(enum side side, struct xblk_record rec)
{
	struct xblk_record *room;

	rec.time = clock_ns += 1000;
	if (side == DOM0) {
		dom0_put(rec);
		return true;
	}
	room = xenrelay_ring_reserve(&ring);
	if (!room) {
		xenrelay_ring_lose(&ring, rec.time);
		return false;
	}
	*room = rec;
	xenrelay_ring_commit(&ring);
	return true;
}

static void go(unsigned int nr, enum side side, enum step step)
{
	static const uint8_t events[] = {XBLK_EV_QUEUE, XBLK_EV_ISSUE, XBLK_EV_COMPLETE};
	struct xblk_record rec = {
		.sector = nr * 8ull,
		.nr_sectors = 8,
		.id = nr << 1 | (step != Q),
		.aux = step == C   ? 0
		       : step == D ? nr << 1
		       : side	   ? BACKEND_PID
				   : WORKER_PID,
		.event = events[step],
	};

	if (put(side, rec))
		wanted[nr] |= 1 << (3 * side + step);
}

static void name(enum side side, uint32_t pid, const char *comm, uint8_t op)
{
	struct xblk_record rec = {
		.aux = pid,
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_PROCESS,
		.op = op,
	};

	strcpy(rec.comm, comm);
	put(side, rec);
}

/* What is there of a request when it is left to the next look. */
static const struct way {
	enum side side;
	enum step step;
} way[] = {{GUEST, Q}, {GUEST, D}, {DOM0, Q}, {DOM0, D}, {DOM0, C}, {GUEST, C}};

static struct open_request {
	unsigned int nr, next;
} open_requests[16];

static void walk(struct open_request *r, unsigned int to)
{
	for (; r->next < to; r->next++)
		go(r->nr, way[r->next].side, way[r->next].step);
}

static void begin_request(unsigned int to)
{
	struct open_request r = {.nr = nr_requests++};

	/* No assertion in here, by a thread of the capture. */
	if (nr_requests == MAX_REQUESTS || nr_open == 16)
		abort();
	walk(&r, to);
	if (to < 6)
		open_requests[nr_open++] = r;
}

static void finish_requests(void)
{
	while (nr_open)
		walk(&open_requests[--nr_open], 6);
}

/* More than the ring holds; and of the module, which counts before it says so. */
static void lose(void)
{
	unsigned int i;

	for (i = 0; i < 8000; i++)
		begin_request(6);
	dom0_produced += 5;
	dom0_lost += 5;
	dom0_marks++;
	dom0_owes = true;
}

static void tell_loss(void)
{
	dom0_put((struct xblk_record){
		.time = clock_ns,
		.lost = {.until = clock_ns, .count = 5},
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_LOST,
	});
	dom0_owes = false;
}

static void play(void)
{
	unsigned int i;

	if (!begun) {
		name(GUEST, WORKER_PID, "worker", 0);
		name(DOM0, BACKEND_PID, "3.xvda-0", XBLK_PROCESS_KTHREAD);
		begun = true;
	}
	if (dom0_owes)
		tell_loss();
	finish_requests();
	if (looks == LOSSES_AT)
		lose();
	for (i = 0; i < A_LOOK; i++)
		begin_request(6);
	for (i = 1; i < 6; i++)
		begin_request(i);
}

/* --- the module in dom0 --- */

int dom0_look(struct dom0 *dom0, uint64_t *ns, uint64_t *level)
{
	(void)dom0;
	/* By the thread that reads; the day begins when both sides are up. */
	fake_hold();
	if (connected && running->drain.marks && looks < nr_looks) {
		looks++;
		/* Most rounds are short. */
		clock_ns += looks % 8 ? 1000 : 8 * STEP_NS;
		play();
		if (looks == nr_looks)
			kill(getpid(), SIGINT);
	}
	*ns = clock_ns += 1000;
	/* It does not say what comes after this look. */
	*level = looks % 3 ? dom0_used : 0;
	fake_release();
	return 0;
}

unsigned int dom0_fullness(const struct dom0 *dom0, uint64_t level)
{
	(void)dom0, (void)level;
	return PACE_AIM_PERMILLE;
}

/* Who does not read does not move the day on. */
int dom0_now(struct dom0 *dom0, uint64_t *ns)
{
	(void)dom0;
	fake_hold();
	*ns = clock_ns += 1000;
	fake_release();
	return 0;
}

/* The guest's ring has been read before: what it does now is in the next turn. */
int64_t dom0_drain(struct dom0 *dom0, struct writer *w, uint64_t time,
		   unsigned int *permille)
{
	struct dom0_cpu *cpu = &dom0->cpus[0];
	int64_t records = 0;

	(void)permille;
	fake_hold();
	if (connected && looks < nr_looks && nr_open < 12) {
		begin_request(4);
		begin_request(5);
	}
	while (dom0_used) {
		size_t max, n = dom0_used;
		void *room = writer_reserve(w, &max);

		if (!room)
			break;
		if (n > max)
			n = max;
		memcpy(room, dom0_buf, n * sizeof(*dom0_buf));
		names_note(&dom0->names, room, n);
		writer_commit(w, &cpu->stream, n, time);
		dom0_used -= n;
		memmove(dom0_buf, dom0_buf + n, dom0_used * sizeof(*dom0_buf));
		records += n;
	}
	fake_release();
	return writer_error(w) ? -1 : records;
}

int dom0_read_stats(struct dom0 *dom0)
{
	struct dom0_cpu *cpu = &dom0->cpus[0];

	if (at_read_stats)
		at_read_stats();
	fake_hold();
	cpu->produced = dom0_produced;
	cpu->lost = dom0_lost;
	cpu->stream.marks += dom0_marks - cpu->marks;
	cpu->marks = dom0_marks;
	fake_release();
	return 0;
}

static void answer(const char *path, const char *value)
{
	unsigned int n;

	if (!strcmp(path, DIR "/reader") && sscanf(value, "disconnect %u", &n) == 1)
		connected = false;
	honest(path, value);
	if (!strcmp(path, DIR "/reader") && !strncmp(value, "connect", 7)) {
		xenrelay_ring_init(&ring, fake_page(DATA_REF(0)), RING_PAGES * 4096,
				   ITEM_SIZE, false, producer(1),
				   position_line(LOSS_REF, 1, 1), consumer(1));
		connected = true;
	}
}

/* --- the capture --- */

static char dir[] = "/tmp/test_trace_rotate.XXXXXX";
static char path[64];
static struct guest guest;

/* Return: what the capture does. */
static int capture(unsigned int nr_files, unsigned int level)
{
	struct disk disk = {.devid = 51712, .name = "xvda", .major = 259};
	struct domain domain = {.domid = 3,
				.named = true,
				.name = "guest",
				.disks = &disk,
				.nr_disks = 1};
	static struct domain_table table;
	struct backing below = {.major = 259, .name = "nvme0n1", .part_of = -1};
	int ret;

	table = (struct domain_table){.entries = &domain, .nr = 1, .by_domid[3] = 1};
	played_begin(&played, reader, &table, &guest, 1);
	played.backing = (struct backing_table){.entries = &below, .nr = 1};
	running = &played.capture;
	assert_int_equal(writer_open(&played.writer, path), 0);
	if (level)
		assert_int_equal(writer_compress(&played.writer, level, 0), 0);
	assert_int_equal(writer_rotate(&played.writer, MAX_SIZE, nr_files), 0);
	ret = played_run(&played);
	writer_close(&played.writer);
	played_end(&played);
	return ret;
}

/* Of the file that was ended @nr files ago. */
static const char *name_of(unsigned int nr)
{
	static char file[80];

	snprintf(file, sizeof(file), nr ? "%s.%u" : "%s", path, nr);
	return file;
}

static void verify(unsigned int nr)
{
	const char *xblkparse = getenv("XBLKPARSE");
	char command[256];
	int status;

	assert_non_null(xblkparse);
	snprintf(command, sizeof(command), "%s --verify %s >%s/verify 2>&1", xblkparse,
		 name_of(nr), dir);
	status = system(command);
	if (status) {
		size_t len;
		char file[64], *text;

		snprintf(file, sizeof(file), "%s/verify", dir);
		text = slurp(file, &len);
		fail_msg("%s: %s", command, text);
	}
}

/* Where a file ends and begins a request is seen in part, which has a name: nothing is
 * missing but what was lost.  And the process is known.  Return: requests joined. */
static unsigned int check_requests(unsigned int nr, bool lossy)
{
	unsigned int joined = 0, all = 0;
	char line[512];
	FILE *f;

	snprintf(line, sizeof(line), "%s --requests --csv %s 2>/dev/null",
		 getenv("XBLKPARSE"), name_of(nr));
	f = popen(line, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (!all++)
			continue; /* the head */
		joined += !!strstr(line, ",joined,");
		if (!strstr(line, ",joined,") && !strstr(line, ",before_trace,") &&
		    !strstr(line, ",in_flight,") && (!lossy || !strstr(line, ",lost,")))
			fail_msg("file %u: %s", nr, line);
		if (strstr(line, ",joined,") && !strstr(line, ",worker,"))
			fail_msg("file %u: no name: %s", nr, line);
	}
	assert_int_equal(pclose(f), 0);
	assert_true(joined > 100);
	return joined;
}

static void take_record(unsigned int domid, const struct xblk_record *r)
{
	unsigned int nr = r->sector / 8, side = domid == 3 ? GUEST : DOM0;
	unsigned int step = r->event == XBLK_EV_QUEUE	? Q
			    : r->event == XBLK_EV_ISSUE ? D
							: C;

	if (r->event == XBLK_EV_LOST)
		lost_found[side] += r->lost.count;
	if (r->event == XBLK_EV_PROCESS || r->event == XBLK_EV_LOST)
		return;
	assert_in_range(nr, 0, nr_requests - 1);
	assert_false(found[nr] & 1 << (3 * side + step));
	found[nr] |= 1 << (3 * side + step);
}

static void read_bytes(unsigned int nr)
{
	struct xblk_chunk chunk = {0};
	const char *payload;
	size_t len, at = 0, i;
	char *bytes = slurp(name_of(nr), &len);

	while ((payload = trace_next(bytes, len, &at, &chunk))) {
		struct xblk_record rec;

		for (i = 0; chunk.type == XBLK_CHUNK_DATA && i < chunk.payload; i += 32) {
			memcpy(&rec, payload + i, sizeof(rec));
			take_record(chunk.domid, &rec);
		}
	}
	assert_int_equal(chunk.type, XBLK_CHUNK_END);
	assert_in_range(len, 1000, 3 * MAX_SIZE); /* one has more in one look */
	free(bytes);
}

static unsigned int count_files(void)
{
	unsigned int nr = 0;

	while (!access(name_of(nr), F_OK))
		nr++;
	return nr;
}

static void a_day(unsigned int level)
{
	unsigned int nr, joined = 0;
	char summary[64];

	assert_int_equal(capture(NR_FILES, level), 0);
	nr = count_files();
	/* All of it, and two files beside the others. */
	assert_in_range(nr, level ? 2 : 5, NR_FILES - 1);
	snprintf(summary, sizeof(summary), " in %u files (interrupted)", nr);
	played_check_said(&played, summary);
	while (nr--) {
		verify(nr);
		joined += check_requests(nr, true);
		if (!level)
			read_bytes(nr);
	}
	assert_in_range(joined, LOOKS * A_LOOK * 9 / 10, nr_requests);
	if (level)
		return;
	assert_memory_equal(found, wanted, nr_requests);
	assert_int_equal(lost_found[DOM0], 5);
	assert_true(lost_found[GUEST] > 100);
	assert_true(lost_found[GUEST] == guest_lost(&guest));
}

static void test_a_day(void **state)
{
	(void)state;
	a_day(0);
}

static void test_compressed(void **state)
{
	(void)state;
	nr_looks = 2 * LOOKS;
	a_day(WRITER_LEVEL);
}

/* Only so many are there. */
static void test_two_files(void **state)
{
	(void)state;
	assert_int_equal(capture(2, 0), 0);
	played_check_said(&played, " files, of which the last 2 are there (interrupted)");
	assert_int_equal(count_files(), 2);
	verify(0);
	verify(1);
}

/* While the control goes on in the third file. */
static bool third(void)
{
	return running->writer->nr_ended == 2;
}

static void end_it(void)
{
	if (third() && !running->reason)
		kill(getpid(), SIGTERM);
}

static void test_ended_meanwhile(void **state)
{
	(void)state;
	at_read_stats = end_it;
	assert_int_equal(capture(NR_FILES, 0), 0);
	assert_in_range(count_files(), 3, 4);
	for (unsigned int nr = count_files(); nr--;)
		verify(nr);
}

static void kill_it(void)
{
	if (third())
		kill(getpid(), SIGKILL);
}

/* Nothing ends what was under way, but what was ended is whole. */
static void test_killed_meanwhile(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid) {
		at_read_stats = kill_it;
		capture(NR_FILES, 0);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(count_files(), 3);
	verify(1);
	verify(2);
}

static void fill_disk(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = writer_bytes_out(running->writer);
	if (third())
		setrlimit(RLIMIT_FSIZE, &limit);
}

/* Neither index nor END has room. */
static void test_full_meanwhile(void **state)
{
	struct rlimit limit;

	(void)state;
	getrlimit(RLIMIT_FSIZE, &limit);
	at_read_stats = fill_disk;
	assert_int_equal(capture(NR_FILES, 0), -1);
	setrlimit(RLIMIT_FSIZE, &limit);
	played_check_said(&played, "File too large: the capture ends here");
	assert_int_equal(count_files(), 3);
	verify(1);
	verify(2);
}

static void move_away(void)
{
	char away[sizeof(dir) + 5];

	snprintf(away, sizeof(away), "%s.away", dir);
	if (third())
		rename(dir, away);
}

static void test_folder_gone(void **state)
{
	char away[sizeof(dir) + 5];

	(void)state;
	snprintf(away, sizeof(away), "%s.away", dir);
	at_read_stats = move_away;
	assert_int_equal(capture(NR_FILES, 0), -1);
	assert_int_equal(rename(away, dir), 0);
	played_check_said(&played, "No such file or directory: the capture ends here");
	assert_int_equal(count_files(), 3);
	for (unsigned int nr = 0; nr < 3; nr++)
		verify(nr);
}

static void wait_for_cut(struct drain *d)
{
	unsigned int i;

	for (i = 0; !drain_is_cut(d); i++) {
		assert_true(i < 5000);
		usleep(1000);
	}
}

/* The control is kept from it: the file goes on after a while; later it is ended all the
 * same, and what has been taken in hand is waited for. */
static void test_nobody_takes(void **state)
{
	struct options opts = {.subbuf_kib = 4, .nr_subbufs = 2};
	struct dom0_cpu cpu = {.fd = -1};
	struct dom0 dom0 = {
		.now = eventfd(1, EFD_CLOEXEC),
		.buffer_bytes = 1 << 20,
		.cpus = &cpu,
		.nr_cpus = 1,
	};
	struct writer w;
	struct capture c = {.writer = &w};
	unsigned int before;
	uint64_t at, records;

	(void)state;
	running = &c;
	answer(DIR "/reader", "connect 1 0 64");
	nr_looks = ~0u;
	assert_int_equal(writer_open(&w, path), 0);
	assert_int_equal(writer_rotate(&w, MAX_SIZE, 2), 0);
	writer_add_stream(&w, &cpu.stream);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	assert_int_equal(drain_init(&c.drain, &dom0, &w, &opts), 0);
	assert_int_equal(drain_start(&c.drain), 0);
	drain_begin_marks(&c.drain);
	wait_for_cut(&c.drain);
	drain_hold(&c.drain);
	before = looks;
	drain_release(&c.drain);
	usleep(1200000);
	drain_hold(&c.drain);
	assert_true(looks > before);
	drain_release(&c.drain);
	do
		wait_for_cut(&c.drain);
	while (!drain_take_cut(&c.drain, &at));
	records = cpu.stream.records;
	usleep(1200000);
	assert_int_equal(cpu.stream.records, records);
	assert_int_equal(writer_last_chunk(&w, XBLK_CHUNK_END, "{}", 2, at), 0);
	assert_int_equal(writer_next_file(&w, at, at), 0);
	drain_go_on(&c.drain);
	wait_for_cut(&c.drain);
	drain_stop(&c.drain);
	assert_true(cpu.stream.records > 0);
	drain_free(&c.drain);
	assert_int_equal(writer_close(&w), 0);
	names_free(&dom0.names);
	close(dom0.now);
	assert_int_equal(count_files(), 2);
}

static void test_status(void **state)
{
	struct options opts = {0};
	struct domain domain = {.name = "g\033[31m\nprocess 1"};
	struct guest one = {.domain = &domain};
	struct dom0_cpu cpu = {.fd = -1};
	struct dom0 dom0 = {.cpus = &cpu, .nr_cpus = 1};
	struct writer writer;
	struct capture c = {
		.facts = {.opts = &opts, .dom0 = &dom0, .guests = &one, .nr_guests = 1},
		.dom0 = &dom0,
		.guests = &one,
		.writer = &writer,
	};
	char *text;

	(void)state;
	assert_int_equal(writer_open(&writer, path), 0);
	assert_int_equal(writer_rotate(&writer, 100000000, 3), 0);
	writer.nr_ended = 4;
	writer.bytes_ended = 410000000;
	text = progress_status(&c, 1000000000, path);
	assert_non_null(strstr(text, ", file 5, 0.0 kB of 100.0 MB\n"));
	assert_non_null(strstr(text, "lost, 410.0 MB"));
	assert_non_null(strstr(text, "domain 0 (g?[31m?process 1): not connected"));
	free(text);
	assert_int_equal(writer_close(&writer), 0);
}

static int begin(void **state)
{
	clock_ns = 5000000000;
	looks = nr_open = 0;
	nr_requests = 1; /* no identity is 0 */
	nr_looks = LOOKS;
	connected = begun = dom0_owes = false;
	dom0_used = dom0_produced = dom0_lost = dom0_marks = 0;
	at_read_stats = NULL;
	memset(wanted, 0, sizeof(wanted));
	memset(found, 0, sizeof(found));
	memset(lost_found, 0, sizeof(lost_found));
	if (setup(state))
		return -1;
	fake.written = answer;
	return 0;
}

static int end(void **state)
{
	unsigned int nr;

	for (nr = count_files(); nr--;)
		unlink(name_of(nr));
	guest_free(&guest);
	return teardown(state);
}

#define ROTATION(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROTATION(test_a_day),
		ROTATION(test_compressed),
		ROTATION(test_two_files),
		ROTATION(test_ended_meanwhile),
		ROTATION(test_killed_meanwhile),
		ROTATION(test_full_meanwhile),
		ROTATION(test_folder_gone),
		ROTATION(test_nobody_takes),
		ROTATION(test_status),
	};
	char command[64];
	int ret;

	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/trace", dir);
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command) || ret;
}
