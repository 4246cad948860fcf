/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When flushes of a disk were outstanding, that is between their D and C, and
 * how much of another request's wait for its own D fell into such times.
 *
 * A barrier and the flush before a write are flushes here: the block layer
 * issues them as such.  The last spans are kept; a wait that began before them
 * is counted from there on.
 */
#ifndef LIBXBLK_FLUSH_TIMES_H
#define LIBXBLK_FLUSH_TIMES_H

#include <stdbool.h>
#include <stdint.h>

#define FLUSH_SPANS 64

struct rq;

struct flush_times {
	uint64_t outstanding;
	uint64_t nr_begun, nr_done;
	uint64_t begun[FLUSH_SPANS];
	uint64_t done[FLUSH_SPANS]; /* when the last ones ended, each */
	uint64_t nr; /* spans so far; the last one has no end if outstanding */
	struct {
		uint64_t from, to;
	} span[FLUSH_SPANS];
};

void flush_times_begin(struct flush_times *f, uint64_t ns);
void flush_times_end(struct flush_times *f, uint64_t ns);
/* Whether one ended after @from, but not after @to; @f may be NULL. */
bool flush_times_ended(const struct flush_times *f, uint64_t from, uint64_t to);
/* Whether more than one began after @from, but not after @to. */
bool flush_times_several(const struct flush_times *f, uint64_t from, uint64_t to);
/* How much of @from..@to; @f may be NULL. */
uint64_t flush_times_overlap(const struct flush_times *f, uint64_t from, uint64_t to);

/* The same of a request, if it is a flush: it is issued, or no longer outstanding. */
void flush_times_issued(struct rq *rq);
void flush_times_done(struct rq *rq, uint64_t ns);

#endif
