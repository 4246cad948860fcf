/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The index at the end of a trace: which part of a file is which time.
 *
 * A file that has none, and one whose index makes no sense, is read as a pipe is:
 * all of it.
 */
#ifndef LIBXBLK_INDEX_H
#define LIBXBLK_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <xblk/trace.h>

#include "base/tell.h"

/* Bytes that can be read anywhere; as pread(2). */
struct seekable {
	ssize_t (*pread)(void *ctx, void *buf, size_t size, uint64_t offset);
	void *ctx;
	uint64_t size;
};

struct index {
	uint64_t start_ns; /* of the trace */
	uint64_t end;	   /* of the last row, where the index is */
	size_t nr;
	struct xblk_chunk *chunk;
	struct xblk_index_entry *rows; /* in the chunk */
};

/* False, and nothing to be freed, if there is none that can be used. */
bool index_load(struct index *x, const struct seekable *src, const struct tell *to);
void index_deinit(struct index *x);

/* The row that @offset is in, or @x->nr if it is behind all. */
size_t index_row_at(const struct index *x, uint64_t offset);

/* The last row that everything of @ns and later is in or behind. */
size_t index_row(const struct index *x, uint64_t ns);

#endif
