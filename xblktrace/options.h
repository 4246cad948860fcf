/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line. */
#ifndef XBLKTRACE_OPTIONS_H
#define XBLKTRACE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define PROGRAM "xblktrace"

#define DEFAULT_SUBBUF_KIB 256
#define DEFAULT_NR_SUBBUFS 8
#define DEFAULT_DOORBELL   25

/**
 * struct options - what was asked for
 * @domains:	arguments of -d; pointers into argv
 * @disks:	arguments of -D; pointers into argv
 * @output:	argument of -o, NULL if not given
 * @duration_ns: -w, 0 for none
 * @subbuf_kib, @nr_subbufs: -b and -n, or their defaults
 * @follow:	guests that are not there are waited for
 * @sized:	-b or -n was given: the guests' rings get that size too
 * @compress_level: zstd's, 0 for none
 * @overwrite:	a flight recorder: buffers keep the newest, and are read on SIGUSR1
 * @max_memory:	bytes that guests' rings may have mapped here together, 0: by default
 * @doorbell_percent: how full a guest's ring is when it sends an event, 0 for never
 */
struct options {
	int argc;
	char **argv;
	const char **domains;
	unsigned int nr_domains;
	const char **disks;
	unsigned int nr_disks;
	const char *output;
	uint64_t duration_ns;
	unsigned int subbuf_kib;
	unsigned int nr_subbufs;
	bool sized;
	unsigned int compress_level;
	bool overwrite;
	uint64_t max_memory;
	unsigned int doorbell_percent;
	bool follow;
	bool verbose;
};

/*
 * Parse the command line.  Return: -1 to go on, else the status to exit with
 * (-h and -V: 0; wrong usage: 2, already told).
 */
int options_parse(struct options *opts, int argc, char **argv);
void options_free(struct options *opts);

#endif /* XBLKTRACE_OPTIONS_H */
