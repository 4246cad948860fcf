/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A capture of a day that goes on in file after file.
 *
 * Guest and module are played; it is always busy, also between the reading of the guest
 * and that of the module, and requests are under way where a file ends.  It is
 * linked with recording_module.h, whose clock it moves on.
 */
#ifndef BUSY_DAY_H
#define BUSY_DAY_H

#include <stdbool.h>
#include <stdint.h>

#include "played_capture.h"

#define MAX_SIZE     (1u << 20)
#define NR_FILES     40 /* more than there will be */
#define LOOKS	     4000
#define A_LOOK	     10 /* requests, most of them from beginning to end */
#define MAX_REQUESTS (40 * LOOKS + 10000)

enum side {
	GUEST,
	DOM0
};
enum step {
	Q,
	D,
	C
};

/**
 * struct day - how it is played, and what has happened
 * @running:	the capture
 * @looks:	of @nr_looks, after which it ends
 * @nr_names:	of processes on each side, at the beginning, beside those that work
 * @wanted:	what each request has got into the buffers, bit 3 * side + step
 */
extern struct day {
	struct capture *running;
	unsigned int looks, nr_looks, nr_requests, nr_names;
	uint8_t wanted[MAX_REQUESTS];
} day;

extern struct played played;
extern struct guest guest;
extern char day_dir[sizeof("/tmp/test_trace_rotate.XXXXXX")], day_path[64];

/* Of a group of tests. */
int make_dir(void **state);
int remove_dir(void **state);

/* Of a test. */
int begin_day(void **state);
int end_day(void **state);

#define ROTATION(f) cmocka_unit_test_setup_teardown(f, begin_day, end_day)

/* Return: what the capture does. */
int capture_day(unsigned int nr_files, unsigned int level);
/* Without a capture. */
void connect_guest(void);

/* Of the file that was ended @nr files ago. */
const char *name_of(unsigned int nr);
unsigned int count_files(void);
/* Such a file is a good trace. */
void verify_file(unsigned int nr);

#endif /* BUSY_DAY_H */
