// SPDX-License-Identifier: GPL-2.0-only
/*
 * stream [TURNS]: messages of several sizes from one processor to another, as fast as
 * they go, read one at a time: the ring's own two ends, and libxenvchan's code.
 *
 * Natively, so that it counts what an emulator knows nothing of: cache lines that
 * change sides, and barriers.  No domain, no grant: the memory is the process's own, and
 * libxenvchan's notifications cost it nothing.  Both ends try again without a pause where
 * there is no room or nothing to read.
 */
#include <err.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ends.h"

#define BYTES	   (64 << 20) /* a turn */
#define RING_BYTES (1 << 20)  /* libxenvchan's largest */
#define MAX_TURNS  99

static const size_t sizes[] = {8, 26, 32, 64, 256, 1024, 4096};
#define NR_SIZES (sizeof(sizes) / sizeof(*sizes))

static char *memory;
static char message[4096], received[4096];
static size_t size;
static uint64_t nr_messages;

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* --- xenrelay -------------------------------------------------------------- */

static void open_ring(void)
{
	ring_begin(memory, RING_BYTES, size);
}

static void *send_ring(void *unused)
{
	uint64_t n;

	(void)unused;
	for (n = 0; n < nr_messages; n++)
		while (!ring_write(message, size))
			__builtin_ia32_pause();
	return NULL;
}

/* As xenrelay_read() does. */
static void receive_ring(void)
{
	struct xenrelay_span loss;
	uint64_t n;

	for (n = 0; n < nr_messages;) {
		if (xr_ring_take_small(&ring_reader, received, 1) ||
		    xr_ring_read(&ring_reader, received, 1, &loss) == 1)
			n++;
		else if (ring_reader.broken)
			errx(1, "xenrelay: %s", ring_reader.broken);
	}
}

/* --- libxenvchan ----------------------------------------------------------- */

static void open_vchan(void)
{
	vchan_begin(memory, RING_BYTES);
}

static void *send_vchan(void *unused)
{
	uint64_t n;

	(void)unused;
	for (n = 0; n < nr_messages; n++)
		while (libxenvchan_send(&vchan_writer, message, size) != (int)size)
			__builtin_ia32_pause();
	return NULL;
}

static void receive_vchan(void)
{
	size_t left = nr_messages * size;
	int n;

	for (; left; left -= n) {
		n = libxenvchan_read(&vchan_reader, received, size);
		if (n < 0)
			errx(1, "libxenvchan_read: %d", n);
	}
}

/* ----------------------------------------------------------------------------- */

static const struct side {
	const char *name;
	void (*open)(void);
	void *(*send)(void *unused);
	void (*receive)(void);
} sides[] = {
	{"xenrelay", open_ring, send_ring, receive_ring},
	{"libxenvchan", open_vchan, send_vchan, receive_vchan},
};
#define NR_SIDES (sizeof(sides) / sizeof(*sides))

static cpu_set_t allowed;

/* To the first or the second of the processors that may be used. */
static void pin(pthread_t thread, int nth)
{
	cpu_set_t set;
	int cpu;

	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && !nth--)
			break;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (pthread_setaffinity_np(thread, sizeof(set), &set))
		errx(1, "no processor %d", cpu);
}

/* Return: MB/s */
static double turn(const struct side *side)
{
	pthread_t sender;
	uint64_t start;

	nr_messages = BYTES / size;
	side->open();
	start = now();
	if (pthread_create(&sender, NULL, side->send, NULL))
		errx(1, "no thread");
	pin(sender, 1);
	side->receive();
	pthread_join(sender, NULL);
	return nr_messages * size * 1e3 / (now() - start);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static double mbps[NR_SIZES][NR_SIDES][MAX_TURNS];
	int turns = argc > 1 ? atoi(argv[1]) : 11, t;
	size_t s, i;

	if (turns < 1 || turns > MAX_TURNS)
		errx(2, "usage: stream [TURNS], up to %d", MAX_TURNS);
	memory = aligned_alloc(4096, RING_BYTES);
	if (!memory)
		err(1, "memory");
	memset(memory, 0, RING_BYTES);
	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		err(1, "processors");
	if (CPU_COUNT(&allowed) < 2)
		errx(77, "both ends need a processor each");
	pin(pthread_self(), 0);
	for (t = 0; t < turns; t++)
		for (s = 0; s < NR_SIZES; s++)
			for (i = 0, size = sizes[s]; i < NR_SIDES; i++)
				mbps[s][i][t] = turn(&sides[i]);
	for (s = 0; s < NR_SIZES; s++) {
		for (i = 0; i < NR_SIDES; i++) {
			qsort(mbps[s][i], turns, sizeof(double), compare);
			printf("stream.%zuB.%s\t%.0f\tMB/s\n", sizes[s], sides[i].name,
			       mbps[s][i][turns / 2]);
		}
		printf("stream.%zuB.vs_libxenvchan\t%.2f\tx\n", sizes[s],
		       mbps[s][0][turns / 2] / mbps[s][1][turns / 2]);
	}
	return 0;
}
