/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the receiving ends in dom0 share: receive for so long, or so many bytes,
 * whichever comes first, counted from the first bytes on.
 */
#ifndef BENCH_CHANNEL_H
#define BENCH_CHANNEL_H

#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_MESSAGE (1 << 20)
/* The clock is asked now and then: it costs more than to read a small message. */
#define READS 1024

struct run {
	uint64_t max_ns;
	uint64_t max_bytes;
	uint64_t start;
	uint64_t now;
	uint64_t bytes;
};

static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static inline struct run run_of(const char *ms, const char *mbytes)
{
	return (struct run){
		.max_ns = strtoull(ms, NULL, 0) * 1000000,
		.max_bytes = strtoull(mbytes, NULL, 0) * 1000000,
	};
}

static inline void run_start(struct run *run)
{
	run->start = run->now = now_ns();
}

static inline bool run_over(struct run *run)
{
	run->now = now_ns();
	return run->now - run->start >= run->max_ns || run->bytes >= run->max_bytes;
}

static inline void run_print(const struct run *run)
{
	printf("%lu %lu\n", run->bytes, run->now - run->start);
}

/* A message's size, from the command line. */
static inline size_t message_size(const char *arg)
{
	unsigned long size = strtoul(arg, NULL, 0);

	if (!size || size > MAX_MESSAGE)
		errx(2, "a message of '%s' bytes", arg);
	return size;
}

#endif /* BENCH_CHANNEL_H */
