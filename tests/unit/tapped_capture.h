/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A capture of two guests, for others to tap, in a thread of its own.
 *
 * The module in dom0 is played, and so are the guests: with each look at the clock a
 * millisecond of requests has passed.  It is linked with recording_module.h.
 */
#ifndef TAPPED_CAPTURE_H
#define TAPPED_CAPTURE_H

#include <pthread.h>

#include "../../xblktrace/service.h"
#include "played_capture.h"

#define NR_DISKS 2 /* of each guest */

/**
 * struct tap_paths - in a directory of the test's
 * @trace:	the capture's, @rotated: the file of it that was ended last
 * @tapped:	what a tap has got
 * @said:	by who asks for one, @judged: by xblkparse
 */
struct tap_paths {
	char trace[64], rotated[64], tapped[64], fifo[64], socket[64], said[64],
		judged[64];
};

extern struct tap_paths paths;
extern struct service service; /* on @paths.socket */
extern pthread_t capture_thread;

/* Of a group of tests; from here on signals are the capture's thread's. */
int begin_paths(void **state);
int end_paths(void **state);

/* Of a test. */
int start_capture(void **state);
/* In file after file. */
int start_rotating(void **state);
/* The second guest comes by player_connect(). */
int start_with_one(void **state);
int stop_capture(void **state);

/* It must have ended well; the second one tells it to. */
void join_capture(void);
void end_capture(void);

/* The capture has all that was written. */
void check_whole(void);

#endif /* TAPPED_CAPTURE_H */
