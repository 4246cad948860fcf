/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When flushes of a disk were outstanding, that is between their D and C, and
 * how much of another request's wait for its own D fell into such times.
 *
 * A barrier and the flush before a write are flushes here: the block layer
 * issues them as such.  The last spans are kept; a wait that began before them
 * is counted from there on.
 */
#ifndef XBLKPARSE_FLUSH_TIMES_H
#define XBLKPARSE_FLUSH_TIMES_H

#include <stdint.h>

#define FLUSH_SPANS 64

struct flush_times {
	uint64_t outstanding;
	uint64_t nr; /* spans so far; the last one has no end if outstanding */
	struct {
		uint64_t from, to;
	} span[FLUSH_SPANS];
};

/* What waited for its D while a flush was outstanding, and how long. */
struct flush_wait {
	uint64_t requests;
	uint64_t ns;
};

void flush_times_begin(struct flush_times *f, uint64_t ns);
void flush_times_end(struct flush_times *f, uint64_t ns);
/* How much of @from..@to; @f may be NULL. */
uint64_t flush_times_overlap(const struct flush_times *f, uint64_t from, uint64_t to);

#endif
