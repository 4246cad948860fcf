// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a 32-byte record costs its producer: the ring's own two ends on two
 * processors, and what else could carry the record.
 *
 * A batch of records is timed, not a record, so that the clock costs the record
 * little; the side "timer" is a batch of nothing.  A pause follows each batch,
 * so that every side's reader keeps up: a record that is lost, or whose place no
 * reader has looked at, is cheaper.  Beyond the pause, the ring's producer waits
 * for a reader that is late.  The sides take turns.
 */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "record-event.h"

#include <err.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ends.h"
#include "xblk/record.h"

#define BATCH	   32
#define BATCHES	   20000 /* a turn */
#define WARM_UP	   2000
#define TURN_NS	   1000000000ull /* at most, on a machine that has more to do */
#define PAUSE_NS   20000
#define RING_BYTES (512 * 1024)

struct side {
	const char *name;
	void (*open)(void);
	void (*put)(const struct xblk_record *rec);
	bool (*reader_is_late)(void);
	void (*close)(void);
	double *samples; /* ns per record, one a batch */
	size_t nr_samples;
};

static int reader_cpu = 1;
static bool stop;
static uint64_t nr_put;

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "processor %d", cpu);
}

static pthread_t reader;

static void start_reader(void *(*run)(void *))
{
	__atomic_store_n(&stop, false, __ATOMIC_RELEASE);
	if (pthread_create(&reader, NULL, run, NULL))
		errx(1, "no thread");
}

static void end_reader(void)
{
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(reader, NULL);
}

/* --- timer ---------------------------------------------------------------- */

static void nothing(void)
{
}

static bool never(void)
{
	return false;
}

static void put_nothing(const struct xblk_record *rec)
{
	__asm__ volatile("" : : "r"(rec) : "memory");
}

/* --- memcpy: into a buffer of the ring's size, which nobody reads ------------ */

static char *memory;
static size_t memory_at;

static void open_memory(void)
{
	memory = aligned_alloc(4096, RING_BYTES);
	if (!memory)
		err(1, "memory");
	memset(memory, 0, RING_BYTES);
	memory_at = 0;
}

static void put_memory(const struct xblk_record *rec)
{
	memcpy(memory + memory_at, rec, sizeof(*rec));
	memory_at = (memory_at + sizeof(*rec)) % RING_BYTES;
	__asm__ volatile("" : : : "memory");
}

static void close_memory(void)
{
	free(memory);
}

/* --- xenrelay -------------------------------------------------------------- */

/* As xblktrace reads a ring that fills slowly: it looks, and sleeps for a millisecond. */
static void sleep_1ms(void)
{
	usleep(1000);
}

/* The worst for the producer: what it writes may be looked at while it writes. */
static void spin(void)
{
	__builtin_ia32_pause();
}

static void read_ring(void (*idle)(void))
{
	static struct xblk_record buf[4096];
	struct xenrelay_span loss;
	ssize_t n;

	pin(reader_cpu);
	do {
		ring_reader.stopped = __atomic_load_n(&stop, __ATOMIC_ACQUIRE);
		do {
			n = xr_ring_read(&ring_reader, buf, 4096, &loss);
			if (n < 0)
				errx(1, "xenrelay: %s", ring_reader.broken);
		} while (n || loss.count);
		idle();
	} while (!ring_reader.stopped);
}

static void *poll_ring(void *unused)
{
	(void)unused;
	read_ring(sleep_1ms);
	return NULL;
}

static void *spin_on_ring(void *unused)
{
	(void)unused;
	read_ring(spin);
	return NULL;
}

static void prepare_ring(void)
{
	open_memory();
	ring_begin(memory, RING_BYTES, sizeof(struct xblk_record));
}

static void open_polled_ring(void)
{
	prepare_ring();
	start_reader(poll_ring);
}

static void open_spun_ring(void)
{
	prepare_ring();
	start_reader(spin_on_ring);
}

static void put_ring(const struct xblk_record *rec)
{
	if (!ring_write(rec, sizeof(*rec)))
		xenrelay_ring_lose(&ring_writer, rec->time);
}

/* The time of each record is taken, too: by LTTng's clock ... */
static void put_ring_stamped(const struct xblk_record *rec)
{
	struct xblk_record stamped = *rec;

	stamped.time = now();
	put_ring(&stamped);
}

/* ... and as a Xen guest's kernel does: the TSC, scaled, plus an offset. */
static void put_ring_tsc(const struct xblk_record *rec)
{
	static volatile uint32_t scale = 1u << 31;
	static volatile uint64_t offset = 1;
	struct xblk_record stamped = *rec;

	__builtin_ia32_lfence();
	stamped.time =
		(uint64_t)(((unsigned __int128)__builtin_ia32_rdtsc() * scale) >> 32) +
		offset;
	put_ring(&stamped);
}

static uint64_t unread(void)
{
	return ring_writer.head - xblk_load_acquire(&ring_lines.consumer.ring.tail);
}

static bool ring_is_half_full(void)
{
	return unread() > ring_writer.capacity / 2;
}

static bool ring_is_not_empty(void)
{
	return unread() > 0;
}

static void close_ring(void)
{
	end_reader();
	if (ring_reader.read != nr_put || ring_writer.lost)
		errx(1, "xenrelay: %lu records put, %lu read, %lu lost", nr_put,
		     ring_reader.read, ring_writer.lost);
	close_memory();
}

/* --- libxenvchan ----------------------------------------------------------- */

static void *poll_vchan(void *unused)
{
	static char buf[RING_BYTES];

	(void)unused;
	pin(reader_cpu);
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		while (libxenvchan_read(&vchan_reader, buf, sizeof(buf)) > 0)
			;
		sleep_1ms();
	}
	return NULL;
}

static void open_vchan(void)
{
	open_memory();
	vchan_begin(memory, RING_BYTES);
	start_reader(poll_vchan);
}

static void put_vchan(const struct xblk_record *rec)
{
	if (libxenvchan_send(&vchan_writer, rec, sizeof(*rec)) != sizeof(*rec))
		errx(1, "libxenvchan: no room");
}

static bool vchan_is_half_full(void)
{
	return libxenvchan_buffer_space(&vchan_writer) < RING_BYTES / 2;
}

static void close_vchan(void)
{
	end_reader();
	close_memory();
}

/* --- pipe ------------------------------------------------------------------ */

static int ends[2];

static void *read_pipe(void *unused)
{
	static char buf[65536];

	(void)unused;
	pin(reader_cpu);
	while (read(ends[0], buf, sizeof(buf)) > 0)
		;
	return NULL;
}

static void open_pipe(void)
{
	if (pipe(ends))
		err(1, "pipe");
	start_reader(read_pipe);
}

static void put_pipe(const struct xblk_record *rec)
{
	if (write(ends[1], rec, sizeof(*rec)) != sizeof(*rec))
		err(1, "pipe");
}

static void close_pipe(void)
{
	close(ends[1]);
	end_reader();
	close(ends[0]);
}

/* --- LTTng-UST: its consumer daemon is the reader ---------------------------- */

static void open_lttng(void)
{
	if (!lttng_ust_tracepoint_enabled(xblk_bench, record))
		errx(1, "lttng_ust: no session has enabled xblk_bench:record");
}

static void put_lttng(const struct xblk_record *rec)
{
	lttng_ust_tracepoint(xblk_bench, record, (const uint64_t *)rec);
}

/* ----------------------------------------------------------------------------- */

static struct side sides[] = {
	{"timer", nothing, put_nothing, never, nothing, NULL, 0},
	{"memcpy", open_memory, put_memory, never, close_memory, NULL, 0},
	{"xenrelay", open_polled_ring, put_ring, ring_is_half_full, close_ring, NULL, 0},
	{"xenrelay_spinning", open_spun_ring, put_ring, ring_is_not_empty, close_ring,
	 NULL, 0},
	{"xenrelay_stamped", open_polled_ring, put_ring_stamped, ring_is_half_full,
	 close_ring, NULL, 0},
	{"xenrelay_tsc", open_polled_ring, put_ring_tsc, ring_is_half_full, close_ring,
	 NULL, 0},
	{"libxenvchan", open_vchan, put_vchan, vchan_is_half_full, close_vchan, NULL, 0},
	{"lttng_ust", open_lttng, put_lttng, never, nothing, NULL, 0},
	{"pipe", open_pipe, put_pipe, never, close_pipe, NULL, 0},
};

/* Inlined with @put known, as a probe has its channel's code. */
static inline __attribute__((always_inline)) double
batch(void (*put)(const struct xblk_record *), struct xblk_record *rec,
      bool (*reader_is_late)(void))
{
	uint64_t begin = now(), end;
	int i;

	for (i = 0; i < BATCH; i++) {
		rec->sector += 8;
		put(rec);
	}
	end = now();
	nr_put += BATCH;
	while (now() - end < PAUSE_NS || reader_is_late())
		__builtin_ia32_pause();
	return (double)(end - begin) / BATCH;
}

static double one_batch(const struct side *side, struct xblk_record *rec)
{
	if (side->put == put_ring)
		return batch(put_ring, rec, side->reader_is_late);
	if (side->put == put_ring_stamped)
		return batch(put_ring_stamped, rec, side->reader_is_late);
	if (side->put == put_ring_tsc)
		return batch(put_ring_tsc, rec, side->reader_is_late);
	if (side->put == put_memory)
		return batch(put_memory, rec, side->reader_is_late);
	if (side->put == put_vchan)
		return batch(put_vchan, rec, side->reader_is_late);
	if (side->put == put_lttng)
		return batch(put_lttng, rec, side->reader_is_late);
	if (side->put == put_pipe)
		return batch(put_pipe, rec, side->reader_is_late);
	return batch(put_nothing, rec, side->reader_is_late);
}

static void turn(struct side *side, int batches)
{
	struct xblk_record rec = {.nr_sectors = 8, .id = 1, .aux = getpid()};
	uint64_t end = now() + TURN_NS;
	int i;

	nr_put = 0;
	side->open();
	for (i = 0; i < WARM_UP && now() < end - TURN_NS / 2; i++)
		one_batch(side, &rec);
	for (i = 0; i < batches && (!i || now() < end); i++)
		side->samples[side->nr_samples++] = one_batch(side, &rec);
	side->close();
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_side(struct side *side)
{
	static const struct {
		const char *name;
		double at;
	} points[] = {
		{"min", 0},  {"p10", .1},  {"p50", .5},
		{"p90", .9}, {"p99", .99}, {"p999", .999},
	};
	double sum = 0;
	size_t i;

	qsort(side->samples, side->nr_samples, sizeof(double), compare);
	for (i = 0; i < sizeof(points) / sizeof(*points); i++)
		printf("record.%s.%s\t%.2f\tns\n", side->name, points[i].name,
		       side->samples[(size_t)(points[i].at * (side->nr_samples - 1))]);
	for (i = 0; i < side->nr_samples; i++)
		sum += side->samples[i];
	printf("record.%s.mean\t%.2f\tns\n", side->name, sum / side->nr_samples);
	printf("record.%s.batches\t%zu\tcount\n", side->name, side->nr_samples);
}

static bool chosen(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

static int usage(void)
{
	fprintf(stderr, "usage: record [-t turns] [-b batches] [-p producer's processor] "
			"[-r reader's] [side...]\n");
	return 2;
}

int main(int argc, char **argv)
{
	int turns = 10, batches = BATCHES, producer_cpu = 0, option, t;
	struct side *side, *end = sides + sizeof(sides) / sizeof(*sides);

	while ((option = getopt(argc, argv, "t:b:p:r:")) != -1) {
		switch (option) {
		case 't':
			turns = atoi(optarg);
			break;
		case 'b':
			batches = atoi(optarg);
			break;
		case 'p':
			producer_cpu = atoi(optarg);
			break;
		case 'r':
			reader_cpu = atoi(optarg);
			break;
		default:
			return usage();
		}
	}
	if (turns < 1 || batches < 1)
		return usage();
	pin(producer_cpu);
	for (side = sides; side < end; side++) {
		side->samples = malloc(sizeof(double) * turns * batches);
		if (!side->samples)
			err(1, "samples");
	}
	for (t = 0; t < turns; t++)
		for (side = sides; side < end; side++)
			if (chosen(side->name, argv + optind))
				turn(side, batches);
	for (side = sides; side < end; side++)
		if (side->nr_samples)
			print_side(side);
	return 0;
}
