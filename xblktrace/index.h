/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where in a trace which time is: made while the trace is written, and put at its
 * end, so that a reader of a time span need not read what comes before.
 *
 * A row of chunks is an entry.  There is room for a fixed number: rows get longer
 * with the trace.
 */
#ifndef XBLKTRACE_INDEX_H
#define XBLKTRACE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xblk/record.h"
#include "xblk/trace.h"

#define INDEX_ROW	 (64u << 10) /* bytes of a row at least, at first */
#define INDEX_KNOWN_BITS 13

/*
 * What records have said: how a thread is called, by which request a CPU flushes, whose a
 * ring is.
 */
struct index_known {
	uint16_t domid;
	uint16_t event;
	uint32_t of;
	uint64_t what;
};

/**
 * struct index - of the trace so far
 * @entries:	@nr of them, at most XBLK_INDEX_MAX
 * @row:	bytes that a row has at least
 * @flags:	of what index_take_flags() has not taken yet
 * @newest:	time of the last chunk in the trace
 * @known:	by a hash of what it is about: what does not fit is new each time
 */
struct index {
	struct xblk_index_entry *entries;
	size_t nr;
	uint64_t row;
	uint32_t flags;
	uint64_t newest;
	struct index_known *known;
};

/* Return: 0 or -ENOMEM. */
int index_init(struct index *index);
void index_deinit(struct index *index);
/* Another trace begins, of which nothing is known. */
void index_reset(struct index *index);

/*
 * Records that are about to be in a chunk; a guest's may be anything.  Return: whether
 * they name a thread.
 */
bool index_records(struct index *index, uint16_t domid, uint32_t cpu,
		   const struct xblk_record *records, size_t nr);
/* A domain has ended: what another one of its number says is new. */
void index_forget(struct index *index, uint16_t domid);
/* A META chunk is about to come. */
void index_meta(struct index *index);

/* What a reader has to know of the chunks since the last call. */
uint32_t index_take_flags(struct index *index);

/* At @offset the trace has got chunks with @flags and times from @first to @last. */
void index_written(struct index *index, uint64_t offset, uint64_t first, uint64_t last,
		   uint32_t flags);

#endif /* XBLKTRACE_INDEX_H */
