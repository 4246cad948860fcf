// SPDX-License-Identifier: GPL-2.0-only
/*
 * clock [TURNS]: what a reading of the modules' clock costs, beside that of the kernel's
 * sched_clock() under Xen, with one processor that reads it and with two; and whether
 * time runs backwards from one to the other.
 *
 * Natively, as an emulator knows nothing of cache lines that change sides.
 */
#include <err.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "kmod-common/clock-sample.h"

#define READINGS  200000 /* of each processor, a turn */
#define HANDOVERS 2000000
#define MAX_TURNS 99
#define SLOPE_MS  200 /* that the counter's rate is measured for */
#define LINE	  64

/* --- the modules' clock -------------------------------------------------------- */

static struct xblk_line line;
static const struct xblk_line *current __attribute__((aligned(LINE))) = &line;

static inline u64 read_tsc(void)
{
	u64 now = 0;

	xblk_line_read(&current, &now);
	return now;
}

/* --- pvclock's ------------------------------------------------------------------
 *
 * Xen's ABI (public/xen.h, struct vcpu_time_info), and what Linux does with it where Xen
 * does not say that the counter is stable on all processors, as it does not by default:
 * no reading is before another processor's, by a word that all of them share.
 */
struct time_info {
	uint32_t version;
	uint64_t tsc_timestamp;
	uint64_t system_time;
	uint32_t mul;
	int8_t shift;
} __attribute__((aligned(LINE)));

static struct time_info infos[2];
static __thread struct time_info *info;
static _Atomic uint64_t last_value __attribute__((aligned(LINE)));

static inline u64 read_own(void)
{
	uint32_t version;
	uint64_t delta, ns;

	do {
		version = READ_ONCE(info->version) & ~1U;
		atomic_signal_fence(memory_order_seq_cst);
		delta = xblk_tsc() - info->tsc_timestamp;
		if (info->shift < 0)
			delta >>= -info->shift;
		else
			delta <<= info->shift;
		ns = info->system_time +
		     (uint64_t)((unsigned __int128)delta * info->mul >> 32);
		atomic_signal_fence(memory_order_seq_cst);
	} while (READ_ONCE(info->version) != version);
	return ns;
}

static inline u64 read_pvclock(void)
{
	u64 now = read_own();
	uint64_t last = atomic_load_explicit(&last_value, memory_order_relaxed);

	do {
		if (now <= last)
			return last;
	} while (!atomic_compare_exchange_weak(&last_value, &last, now));
	return now;
}

/* ---------------------------------------------------------------------------------- */

static void begin_clocks(void)
{
	struct timespec ms = {.tv_nsec = SLOPE_MS * 1000000};
	struct timespec from, to;
	u64 tsc, ticks, ns, slope;
	int shift;

	clock_gettime(CLOCK_MONOTONIC_RAW, &from);
	tsc = xblk_tsc();
	nanosleep(&ms, NULL);
	clock_gettime(CLOCK_MONOTONIC_RAW, &to);
	ticks = xblk_tsc() - tsc;
	ns = (to.tv_sec - from.tv_sec) * 1000000000ll + to.tv_nsec - from.tv_nsec;
	if (!xblk_line_slope(ticks, ns, &slope))
		errx(77, "this processor has no time-stamp counter that can be used");
	line = (struct xblk_line){
		.tsc = tsc,
		.span = UINT64_MAX,
		.ns = ns,
		.after = slope,
	};
	/* Its multiplier has 32 bits, for ns a tick below 1. */
	shift = slope >> XBLK_SLOPE_SHIFT ? 10 : 0;
	infos[0] = infos[1] = (struct time_info){
		.tsc_timestamp = tsc,
		.system_time = ns,
		.shift = shift,
		.mul = slope >> (XBLK_SLOPE_SHIFT - 32 + shift),
	};
}

#define LOOP(name, reading)                                \
	static u64 name(int nr)                            \
	{                                                  \
		u64 sum = 0;                               \
                                                           \
		while (nr--) {                             \
			sum += reading;                    \
			__asm__ volatile("" : : "r"(sum)); \
		}                                          \
		return sum;                                \
	}

LOOP(loop_tsc, read_tsc())
LOOP(loop_pvclock, read_pvclock())
LOOP(loop_own, read_own())

static const struct side {
	const char *name;
	u64 (*loop)(int nr);
} sides[] = {
	{"tsc", loop_tsc},
	{"pvclock", loop_pvclock},
	{"pvclock_alone", loop_own},
};
#define NR_SIDES (sizeof(sides) / sizeof(*sides))

static cpu_set_t allowed;

/* To the first or the second of the processors that may be used. */
static void pin(int nth)
{
	cpu_set_t set;
	int cpu, left = nth;

	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && !left--)
			break;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set))
		errx(1, "no processor %d", cpu);
	info = &infos[nth];
}

static pthread_barrier_t both;
static const struct side *side;
static int nr_threads;
static double took[2]; /* ns for a reading */

static void *run(void *nth)
{
	struct timespec from, to;
	int me = (intptr_t)nth;

	pin(me);
	side->loop(READINGS / 10);
	if (nr_threads == 2)
		pthread_barrier_wait(&both);
	clock_gettime(CLOCK_MONOTONIC_RAW, &from);
	side->loop(READINGS);
	clock_gettime(CLOCK_MONOTONIC_RAW, &to);
	took[me] =
		((to.tv_sec - from.tv_sec) * 1e9 + to.tv_nsec - from.tv_nsec) / READINGS;
	return NULL;
}

/* Return: ns for a reading, of the slower of the processors */
static double turn(void)
{
	pthread_t other;

	if (nr_threads == 1) {
		run(NULL);
		return took[0];
	}
	if (pthread_create(&other, NULL, run, (void *)1))
		errx(1, "no thread");
	run(NULL);
	pthread_join(other, NULL);
	return max(took[0], took[1]);
}

/* --- from one processor to the other --------------------------------------------- */

static _Atomic uint64_t handed[2] __attribute__((aligned(LINE)));
static struct {
	uint64_t nr, most;
} backwards[2];

/* Return: what the other one read, for the @nth time by its lowest bit. */
static uint64_t wait_for(const _Atomic uint64_t *from, int nth)
{
	uint64_t word;

	while ((word = atomic_load_explicit(from, memory_order_acquire)) >> 63 !=
	       (nth & 1))
		__builtin_ia32_pause();
	return word << 1 >> 1;
}

/* Each reads the clock once it has seen what the other one read before. */
static void *hand_over(void *nth)
{
	int me = (intptr_t)nth, i;
	uint64_t theirs, now;

	pin(me);
	/* Who waits in a loop must not keep the other one from getting there. */
	pthread_barrier_wait(&both);
	for (i = 1; i <= HANDOVERS / 2; i++) {
		theirs = wait_for(&handed[!me], i - !me);
		now = read_tsc();
		if (now < theirs) {
			backwards[me].nr++;
			backwards[me].most = max(backwards[me].most, theirs - now);
		}
		atomic_store_explicit(&handed[me], now | (uint64_t)(i & 1) << 63,
				      memory_order_release);
	}
	return NULL;
}

static void count_inversions(void)
{
	pthread_t other;

	if (pthread_create(&other, NULL, hand_over, (void *)1))
		errx(1, "no thread");
	hand_over(NULL);
	pthread_join(other, NULL);
	printf("clock.tsc.handed_over\t%d\ttimes\n", HANDOVERS);
	printf("clock.tsc.backwards\t%lu\ttimes\n", backwards[0].nr + backwards[1].nr);
	printf("clock.tsc.backwards_most\t%lu\tns\n",
	       max(backwards[0].most, backwards[1].most));
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static double ns[2][NR_SIDES][MAX_TURNS];
	int turns = argc > 1 ? atoi(argv[1]) : 21, t, n;
	size_t i;

	if (turns < 1 || turns > MAX_TURNS)
		errx(2, "usage: clock [TURNS], up to %d", MAX_TURNS);
	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		err(1, "processors");
	if (CPU_COUNT(&allowed) < 2)
		errx(77, "two processors are needed");
	if (pthread_barrier_init(&both, NULL, 2))
		errx(1, "no barrier");
	begin_clocks();
	for (t = 0; t < turns; t++)
		for (i = 0; i < NR_SIDES; i++)
			for (n = 0; n < 2; n++) {
				side = &sides[i];
				nr_threads = n + 1;
				ns[n][i][t] = turn();
			}
	for (i = 0; i < NR_SIDES; i++) {
		for (n = 0; n < 2; n++)
			qsort(ns[n][i], turns, sizeof(double), compare);
		printf("clock.%s\t%.1f\tns\n", sides[i].name, ns[0][i][turns / 2]);
		printf("clock.%s.of_two\t%.1f\tns\n", sides[i].name, ns[1][i][turns / 2]);
	}
	printf("clock.pvclock.vs_tsc\t%.2f\tx\n",
	       ns[0][1][turns / 2] / ns[0][0][turns / 2]);
	printf("clock.pvclock.vs_tsc.of_two\t%.2f\tx\n",
	       ns[1][1][turns / 2] / ns[1][0][turns / 2]);
	count_inversions();
	return 0;
}
