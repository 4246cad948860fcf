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
	/* when the last ones ended, each, and of dom0's how many bios with no data seemed
	 * to wait for it, and ended behind it */
	struct {
		uint64_t ns;
		uint32_t waited, ended;
	} done[FLUSH_SPANS];
	bool counted; /* such ends are in the trace */
	uint64_t nr;  /* spans so far; the last one has no end if outstanding */
	struct {
		uint64_t from, to;
	} span[FLUSH_SPANS];
};

void flush_times_begin(struct flush_times *f, uint64_t ns);
void flush_times_end(struct flush_times *f, uint64_t ns);
/* A bio with no data ended behind the end that was @nr -th; @f may be NULL. */
void flush_times_count(struct flush_times *f, uint64_t nr);
/* Whether others ended behind the one that ended at @ns than waited for it. */
bool flush_times_others(const struct flush_times *f, uint64_t ns);
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
