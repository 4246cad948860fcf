// SPDX-License-Identifier: GPL-2.0-only
#define ITEM_SIZE   32
#define NR_RINGS    1
#define RING_PAGES  100
#define DATA_REF(n) (400 + (n))
#include "played_guest.h"

#include <signal.h>
#include <unistd.h>

#include "busy_day.h"
#include "recording_module.h"
#include "trace_content.h"

#define STEP_NS	  (86400ull * 1000000000 / LOOKS)
#define LOSSES_AT 1700

#define WORKER_PID  500
#define BACKEND_PID 77

struct day day;
struct played played;
struct guest guest;
char day_dir[] = "/tmp/test_trace_rotate.XXXXXX";
char day_path[64];

static uint64_t clock_ns;
static unsigned int nr_open;
static struct xenrelay_ring ring;
static bool connected, begun;

static bool module_owes; /* the record of a loss that has been counted */

/* Return: whether there was room. */
static bool put(enum side side, struct xblk_record rec)
{
	struct xblk_record *room;

	rec.time = clock_ns += 1000;
	if (side == DOM0) {
		module_put(rec);
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
		day.wanted[nr] |= 1 << (3 * side + step);
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
	struct open_request r = {.nr = day.nr_requests++};

	/* No assertion in here, by a thread of the capture. */
	if (day.nr_requests == MAX_REQUESTS || nr_open == 16)
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
	module.produced += 5;
	module.lost += 5;
	module.marks++;
	module_owes = true;
}

static void tell_loss(void)
{
	module_put((struct xblk_record){
		.time = clock_ns,
		.lost = {.until = clock_ns, .count = 5},
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_LOST,
	});
	module_owes = false;
}

static void play(void)
{
	unsigned int i;

	if (!begun) {
		name(GUEST, WORKER_PID, "worker", 0);
		name(DOM0, BACKEND_PID, "3.xvda-0", XBLK_PROCESS_KTHREAD);
		for (i = 0; i < day.nr_names; i++) {
			name(GUEST, 1000 + i, "one of many", 0);
			name(DOM0, 1000 + i, "one of many", 0);
		}
		begun = true;
	}
	if (module_owes)
		tell_loss();
	finish_requests();
	if (day.looks == LOSSES_AT)
		lose();
	for (i = 0; i < A_LOOK; i++)
		begin_request(6);
	for (i = 1; i < 6; i++)
		begin_request(i);
}

/* --- the module in dom0 --- */

/* Who does not read does not move the day on. */
static uint64_t tick(void)
{
	return clock_ns += 1000;
}

int dom0_look(struct dom0 *dom0, uint64_t *ns, uint64_t *level)
{
	(void)dom0;
	/* By the thread that reads; the day begins when both sides are up. */
	fake_hold();
	if (connected && day.running->drain.marks && day.looks < day.nr_looks) {
		day.looks++;
		/* Most rounds are short. */
		clock_ns += day.looks % 8 ? 1000 : 8 * STEP_NS;
		play();
		if (day.looks == day.nr_looks)
			kill(getpid(), SIGINT);
	}
	*ns = tick();
	/* It does not say what comes after this look. */
	*level = day.looks % 3 ? module.nr : 0;
	fake_release();
	return 0;
}

/* The guest's ring has been read before: what it does now is in the next turn. */
static void begin_meanwhile(void)
{
	if (connected && day.looks < day.nr_looks && nr_open < 12) {
		begin_request(4);
		begin_request(5);
	}
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

void connect_guest(void)
{
	answer(DIR "/reader", "connect 1 0 64");
}

/* --- the capture --- */

int capture_day(unsigned int nr_files, unsigned int level)
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
	day.running = &played.capture;
	assert_int_equal(writer_open(&played.writer, day_path), 0);
	if (level)
		assert_int_equal(writer_compress(&played.writer, level, 0), 0);
	assert_int_equal(writer_rotate(&played.writer, MAX_SIZE, nr_files), 0);
	ret = played_run(&played);
	writer_close(&played.writer);
	played_end(&played);
	return ret;
}

const char *name_of(unsigned int nr)
{
	static char file[80];

	snprintf(file, sizeof(file), nr ? "%s.%u" : "%s", day_path, nr);
	return file;
}

void verify_file(unsigned int nr)
{
	const char *xblkparse = getenv("XBLKPARSE");
	char command[256];
	int status;

	assert_non_null(xblkparse);
	snprintf(command, sizeof(command), "%s --verify %s >%s/verify 2>&1", xblkparse,
		 name_of(nr), day_dir);
	status = system(command);
	if (status) {
		size_t len;
		char file[64], *text;

		snprintf(file, sizeof(file), "%s/verify", day_dir);
		text = slurp(file, &len);
		fail_msg("%s: %s", command, text);
	}
}

unsigned int count_files(void)
{
	unsigned int nr = 0;

	while (!access(name_of(nr), F_OK))
		nr++;
	return nr;
}

int begin_day(void **state)
{
	clock_ns = 5000000000;
	day.looks = day.nr_names = nr_open = 0;
	day.nr_requests = 1; /* no identity is 0 */
	day.nr_looks = LOOKS;
	connected = begun = module_owes = false;
	module_begin(tick);
	module.at_drain = begin_meanwhile;
	memset(day.wanted, 0, sizeof(day.wanted));
	if (setup(state))
		return -1;
	fake.written = answer;
	return 0;
}

int end_day(void **state)
{
	unsigned int nr;

	for (nr = count_files(); nr--;)
		unlink(name_of(nr));
	guest_free(&guest);
	return teardown(state);
}

int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(day_dir))
		return -1;
	snprintf(day_path, sizeof(day_path), "%s/trace", day_dir);
	return 0;
}

int remove_dir(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", day_dir);
	return system(command);
}
