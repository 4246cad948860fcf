/* SPDX-License-Identifier: GPL-2.0-only */
/* What is behind a handle of xblk.h. */
#ifndef LIBXBLK_HANDLE_H
#define LIBXBLK_HANDLE_H

#include <signal.h>

#include "analyse.h"
#include "intervals.h"
#include "parse.h"
#include "xblk.h"

struct xblk {
	struct parse parse;
	struct xblk_options options;
	struct xblk_analysis analysis;
	struct intervals intervals;
	struct filter filter;

	/* what there is to be read: bytes that were given, or a descriptor */
	const uint8_t *fed;
	size_t nr_fed;
	int fd;
	bool no_more;
	struct index index;
	uint64_t read_to_ns; /* when the span was complete; 0: not so far */

	volatile sig_atomic_t stop;
	bool over;	 /* and on_end() was told */
	int error;	 /* what it cannot go on from; or 0 */
	char text[1024]; /* of the last error */
};

#endif
