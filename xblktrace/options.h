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
#define DEFAULT_NR_FILES   2

/**
 * struct options - what was asked for
 * @domains:	those of -d
 * @disks:	those of -D
 * @ops:	what is recorded, see actions.h; 0: everything
 * @no_merges:	but no merges
 * @output:	argument of -o, NULL if not given
 * @duration_ns: -w, 0 for none
 * @subbuf_kib, @nr_subbufs: -b and -n, or their defaults
 * @nr_subbufs_said: the argument of -n, NULL if not given
 * @follow:	guests that are not there are waited for
 * @sized:	-b or -n was given: the guests' rings get that size too
 * @compress_level: zstd's, 0 for none
 * @list:	show the guests of this host, by @list_json as JSON; no capture is made
 * @status:	show what a capture that runs does, @end: end it; no other is made
 * @overwrite:	a flight recorder: buffers keep the newest, and are read on SIGUSR1
 * @max_memory:	bytes that guests' rings may have mapped here together, 0: by default
 * @max_size:	bytes of one file of a capture that has several, 0: it has one
 * @nr_files:	how many of them are kept
 * @doorbell_percent: how full a guest's ring is when it sends an event, 0 for never
 */
struct options {
	int argc;
	char **argv;
	const char **domains;
	unsigned int nr_domains;
	const char **disks;
	unsigned int nr_disks;
	unsigned int ops;
	const char *output;
	uint64_t duration_ns;
	unsigned int subbuf_kib;
	unsigned int nr_subbufs;
	const char *nr_subbufs_said;
	bool sized;
	bool no_merges;
	unsigned int compress_level;
	bool overwrite;
	uint64_t max_memory;
	uint64_t max_size;
	unsigned int nr_files;
	unsigned int doorbell_percent;
	bool follow;
	bool list;
	bool list_json;
	bool status;
	bool end;
	bool verbose;
};

/*
 * Parse the command line.  Return: -1 to go on, else the status to exit with
 * (-h and -V: 0; wrong usage: 2, already told).
 */
int options_parse(struct options *opts, int argc, char **argv);
void options_free(struct options *opts);

#endif /* XBLKTRACE_OPTIONS_H */
