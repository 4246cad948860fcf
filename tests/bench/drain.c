// SPDX-License-Identifier: GPL-2.0-only
/*
 * drain [TURNS [RECORDS]]: how many records a second get from guests' rings to an output
 * that takes all at once, /dev/null.
 *
 * The drain's thread, and those that compress and write, are xblktrace's own.  Played are
 * XenStore and grants, the module in dom0, which has no records of its own, and guests:
 * their rings are full again whenever the drain looks at the clock.  A head that is moved
 * on costs nothing, and the records that were behind it already are new ones to all who
 * look: together they are more than a processor's own cache holds, as if another one had
 * just written them, more than zstd looks back on, and in an order that no processor
 * learns by heart.
 */
#include <err.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "../../xblktrace/drain.h"
#include "../unit/channel_pages.h"
#include "../unit/connecting.h"
#include "../unit/fake_xen.h"
#include "../unit/silent_module.h"
#include "xblk/record.h"
#include "xenrelay/wire.h"

#define NR_RINGS   4 /* of all guests together */
#define RING_PAGES 240
#define CAPACITY   (RING_PAGES * 4096 / XBLK_RECORD_SIZE)
#define MAX_TURNS  99

/* Pages: those of each guest, and behind them the rings'. */
enum {
	INFO,
	PRODUCER,
	CONSUMER,
	LOSSES,
	DIRECTORY,
	NR_OWN,
	DATA = 1 + NR_RINGS * NR_OWN,
};

_Static_assert(DATA + NR_RINGS * RING_PAGES <= FAKE_PAGES, "they are there");

static const struct way {
	const char *name;
	unsigned int nr_guests;
	bool packs;
	unsigned int nr_packers; /* 0: as many as there are processors */
} ways[] = {
	{"plain.1_guest", 1, false, 0}, {"plain.4_guests", 4, false, 0},
	{"z.1_guest", 1, true, 0},	{"z.4_guests", 4, true, 0},
	{"z_one.4_guests", 4, true, 1},
};
#define NR_WAYS (sizeof(ways) / sizeof(*ways))

/* Of these, what several packers bring. */
#define WAY_PACKERS 3
#define WAY_PACKER  4

/* To compress takes about so many times as long. */
#define PACKING 16

/*
 * What a turn comes to: millions of records a second, and ns of processor time for each,
 * of the drain's thread and of all.
 */
enum {
	RATE,
	CPU_DRAIN,
	CPU_ALL,
	NR_FIGURES
};

static struct drain drain;
static unsigned int nr_guests;
static struct domain domains[NR_RINGS];
static struct guest guests[NR_RINGS];

static uint64_t time_of(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* --- the guests ------------------------------------------------------------ */

static unsigned int page(unsigned int guest, unsigned int nr)
{
	return 1 + guest * NR_OWN + nr;
}

static void node(unsigned int guest, const char *name, const char *value)
{
	char path[64];

	snprintf(path, sizeof(path), "/local/domain/%u%s%s", 1 + guest,
		 *name ? "/data/xenrelay/xblk/" : "", name);
	fake_write(path, value);
}

/*
 * 64 requests are under way, of a few threads, one of which reads on while the others do
 * not.  Few are flushes, and few records are names.
 */
static void fill(struct xblk_record *ring)
{
	static const enum xblk_event steps[] = {XBLK_EV_QUEUE, XBLK_EV_ISSUE,
						XBLK_EV_ORDER, XBLK_EV_COMPLETE};
	static uint64_t time = 1000000000;
	struct {
		uint64_t sector;
		unsigned int step;
		bool flush;
	} requests[64] = {0};
	unsigned int i;

	for (i = 0; i < CAPACITY; i++) {
		unsigned int nr = rand() % 64, thread = nr / 8;
		enum xblk_event event = steps[requests[nr].step++ % 4];

		if (event == XBLK_EV_QUEUE) {
			requests[nr].flush = rand() % 200 == 0;
			requests[nr].sector = thread ? rand() % (1u << 27) * 8ull
						     : requests[nr].sector + 8;
		}
		time += 100 + rand() % 4000;
		ring[i] = (struct xblk_record){
			.time = time,
			.sector = event == XBLK_EV_ORDER ? 0 : requests[nr].sector,
			.nr_sectors = event == XBLK_EV_ORDER ? 0 : 8,
			.id = 0x1000 + 37 * nr,
			.aux = event == XBLK_EV_QUEUE ? 1000 + thread : 0,
			.event = event,
			.op = requests[nr].flush ? XBLK_OP_FLUSH
			      : thread % 2	 ? XBLK_OP_WRITE
						 : XBLK_OP_READ,
		};
		if (i % 4096)
			continue;
		ring[i] = (struct xblk_record){
			.time = time,
			.comm = "a thread",
			.aux = 1000 + thread,
			.disk = XBLK_NO_DISK,
			.event = XBLK_EV_PROCESS,
		};
	}
}

static void tell(unsigned int guest, unsigned int session)
{
	const unsigned int pages = NR_RINGS / nr_guests * RING_PAGES;
	const struct channel_pages channel = {
		.info = page(guest, INFO),
		.producer = page(guest, PRODUCER),
		.consumer = page(guest, CONSUMER),
		.losses = page(guest, LOSSES),
		.directory = page(guest, DIRECTORY),
		.data = DATA + guest * pages,
		.nr_data = pages,
		.nr_rings = NR_RINGS / nr_guests,
		.ring_pages = RING_PAGES,
	};

	channel_pages_tell(&channel, session);
}

static void comes(unsigned int guest)
{
	union xenrelay_producer_line *producer = fake_page(page(guest, PRODUCER));

	producer->channel.state = XENRELAY_RUNNING;
	node(guest, "", "");
	node(guest, "version", "1");
	node(guest, "reader", "");
	node(guest, "state", "open");
}

static void answer(const char *path, const char *value)
{
	unsigned int domid, session;
	char text[64];

	if (sscanf(path, "/local/domain/%u/", &domid) != 1 ||
	    sscanf(value, "connect %u", &session) != 1)
		return;
	tell(domid - 1, session);
	snprintf(text, sizeof(text), "ready %u %u", session, page(domid - 1, INFO));
	node(domid - 1, "state", text);
}

static void fill_rings(unsigned int guest)
{
	union xenrelay_producer_line *producer = fake_page(page(guest, PRODUCER));
	const union xenrelay_consumer_line *consumer = fake_page(page(guest, CONSUMER));
	unsigned int i;

	for (i = 1; i <= NR_RINGS / nr_guests; i++)
		producer[i].ring.head = consumer[i].ring.tail + CAPACITY;
}

/* --- the module in dom0 ------------------------------------------------------ */

int dom0_look(struct dom0 *dom0, uint64_t *ns, uint64_t *level)
{
	unsigned int i;

	(void)dom0;
	*ns = time_of(CLOCK_MONOTONIC);
	*level = 0;
	for (i = 0; drain.rounds_wanted && i < drain.nr; i++)
		fill_rings(i);
	return 0;
}

/* --- the capture ------------------------------------------------------------- */

static void begin(struct writer *w, struct xenrelay_reader *reader,
		  const struct options *opts, const struct way *way)
{
	unsigned int i;

	if (writer_open(w, "/dev/null") ||
	    (way->packs && writer_compress(w, WRITER_LEVEL, way->nr_packers)) ||
	    writer_header(w, 0, 0))
		errx(1, "no output");
	for (i = 0; i < NR_RINGS; i++)
		fill(fake_page(DATA + i * RING_PAGES));
	nr_guests = way->nr_guests;
	for (i = 0; i < nr_guests; i++) {
		domains[i] = (struct domain){.domid = 1 + i, .name = "guest"};
		guests[i] = (struct guest){.domain = &domains[i]};
		comes(i);
		if (connect_wholly(&guests[i], reader, opts, 1 << 20, 1 << 20) ||
		    guest_begin(&guests[i], w))
			errx(1, "a guest is not connected to");
	}
}

static void begin_drain(struct dom0 *dom0, struct writer *w, const struct options *opts)
{
	unsigned int i;

	if (drain_init(&drain, dom0, w, opts) || drain_start(&drain))
		errx(1, "no drain");
	drain_hold(&drain);
	for (i = 0; i < nr_guests; i++)
		if (drain_add(&drain, &guests[i]))
			errx(1, "out of memory");
	drain_release(&drain);
}

static uint64_t records(void)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < nr_guests; i++)
		sum += guest_records(&guests[i]);
	return sum;
}

/* Until the output has what is read in @nr rounds.  Return: records in all. */
static uint64_t move(struct writer *w, unsigned int nr)
{
	struct pollfd pfd = {.fd = drain.tell, .events = POLLIN};
	uint64_t told, moved;

	drain_want_rounds(&drain, nr);
	while (!drain_rounds_are_done(&drain)) {
		poll(&pfd, 1, -1);
		eventfd_read(drain.tell, &told);
	}
	drain_hold(&drain);
	if (writer_sync(w, -1))
		errx(1, "writing failed");
	moved = records();
	drain_release(&drain);
	return moved;
}

static void measure(struct writer *w, unsigned int rounds, double *figures)
{
	clockid_t clocks[NR_FIGURES] = {CLOCK_MONOTONIC, 0, CLOCK_PROCESS_CPUTIME_ID};
	uint64_t moved, began[NR_FIGURES], took[NR_FIGURES];
	size_t i;

	if (pthread_getcpuclockid(drain.thread, &clocks[CPU_DRAIN]))
		errx(1, "the drain's thread has no clock");
	/* What is needed once is there then. */
	moved = move(w, 1);
	for (i = 0; i < NR_FIGURES; i++)
		began[i] = time_of(clocks[i]);
	moved = move(w, rounds) - moved;
	for (i = 0; i < NR_FIGURES; i++)
		took[i] = time_of(clocks[i]) - began[i];
	figures[RATE] = moved * 1e3 / took[RATE];
	figures[CPU_DRAIN] = (double)took[CPU_DRAIN] / moved;
	figures[CPU_ALL] = (double)took[CPU_ALL] / moved;
}

static void end(struct writer *w)
{
	unsigned int i;

	drain_stop(&drain);
	drain_free(&drain);
	for (i = 0; i < nr_guests; i++) {
		guest_end(&guests[i]);
		if (guests[i].failed || guest_lost(&guests[i]))
			errx(1, "not all that a guest wrote was read");
		guest_free(&guests[i]);
	}
	if (writer_close(w))
		errx(1, "writing failed");
}

static void turn(const struct way *way, uint64_t nr, double *figures)
{
	static const struct options opts = {0};
	struct dom0 dom0 = {.now = eventfd(0, EFD_CLOEXEC)};
	struct xenrelay_reader *reader;
	struct writer w;

	if (way->packs)
		nr /= PACKING;
	fake_begin();
	fake_write("domid", "0");
	fake.written = answer;
	if (xenrelay_reader_open(&reader))
		errx(1, "no reader");
	begin(&w, reader, &opts, way);
	begin_drain(&dom0, &w, &opts);
	measure(&w, 1 + nr / (NR_RINGS * CAPACITY), figures);
	end(&w);
	xenrelay_reader_close(reader);
	fake_end();
	close(dom0.now);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name, *unit;
	} figures[NR_FIGURES] = {
		{"", "Mrec/s"}, {".cpu_drain", "ns"}, {".cpu_all", "ns"}};
	static double taken[NR_WAYS][NR_FIGURES][MAX_TURNS], ratios[MAX_TURNS];
	int turns = argc > 1 ? atoi(argv[1]) : 11, t;
	uint64_t nr = argc > 2 ? strtoull(argv[2], NULL, 0) : 200000000;
	size_t i, f;

	if (turns < 1 || turns > MAX_TURNS)
		errx(2, "usage: drain [TURNS [RECORDS]], up to %d turns", MAX_TURNS);
	for (t = 0; t < turns; t++) {
		for (i = 0; i < NR_WAYS; i++) {
			double all[NR_FIGURES];

			turn(&ways[i], nr, all);
			for (f = 0; f < NR_FIGURES; f++)
				taken[i][f][t] = all[f];
		}
		ratios[t] = taken[WAY_PACKERS][RATE][t] / taken[WAY_PACKER][RATE][t];
	}
	for (i = 0; i < NR_WAYS; i++) {
		for (f = 0; f < NR_FIGURES; f++) {
			qsort(taken[i][f], turns, sizeof(double), compare);
			printf("drain.%s%s\t%.4g\t%s\n", ways[i].name, figures[f].name,
			       taken[i][f][turns / 2], figures[f].unit);
		}
	}
	qsort(ratios, turns, sizeof(double), compare);
	printf("drain.%s.vs_one\t%.3f\tx\n", ways[WAY_PACKERS].name, ratios[turns / 2]);
	return 0;
}
