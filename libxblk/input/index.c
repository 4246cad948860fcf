// SPDX-License-Identifier: GPL-2.0-only
#include "input/index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "input/reader.h"
#include "base/util.h"

/* Most END chunks are in the first of these ends of a file, all are in the last. */
static const size_t tails[] = {4096, 65536,
			       sizeof(struct xblk_chunk) + XBLK_CHUNK_MAX_PAYLOAD};

/* What only looks like the last chunk: so often at most its checksum is tried. */
#define MAX_TRIES 16

static bool read_at(const struct seekable *src, void *buf, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = src->pread(src->ctx, (char *)buf + done, size - done,
				       offset + done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += n;
	}
	return true;
}

/* The END chunk with which these bytes end, or NULL. */
static const struct xblk_chunk *find_end(uint8_t *tail, size_t len)
{
	unsigned int tries = 0;

	if (len < sizeof(struct xblk_chunk))
		return NULL;
	for (size_t at = (len - sizeof(struct xblk_chunk)) / CHUNK_ALIGN * CHUNK_ALIGN;
	     at < len && tries < MAX_TRIES; at -= CHUNK_ALIGN) {
		struct xblk_chunk *c = (struct xblk_chunk *)(tail + at);

		if (c->magic != XBLK_CHUNK_MAGIC || c->type != XBLK_CHUNK_END ||
		    c->payload > XBLK_CHUNK_MAX_PAYLOAD ||
		    at + chunk_size(c->payload) != len)
			continue;
		if (chunk_intact(c))
			return c;
		tries++;
	}
	return NULL;
}

/* Where the last chunk says that the index is; 0: there is none. */
static uint64_t find_index(const struct seekable *src)
{
	const struct xblk_chunk *end = NULL;
	uint64_t index = 0;

	/* Chunks are aligned in the trace: an end that is not, is not a chunk's. */
	if (src->size % CHUNK_ALIGN)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(tails) && !end; i++) {
		size_t len = src->size < tails[i] ? src->size : tails[i];
		uint8_t *tail = xmalloc(len);

		if (read_at(src, tail, len, src->size - len))
			end = find_end(tail, len);
		if (end)
			index = end->index;
		free(tail);
	}
	return index;
}

static bool makes_sense(const struct index *x, uint64_t first, uint64_t end)
{
	for (size_t i = 0; i < x->nr; i++) {
		const struct xblk_index_entry *e = &x->rows[i];

		if (e->offset % CHUNK_ALIGN || e->offset >= end ||
		    (i ? e->offset <= e[-1].offset || e->time < e[-1].time
		       : e->offset != first))
			return false;
	}
	return x->nr;
}

bool index_load(struct index *x, const struct seekable *src, const struct tell *to)
{
	struct xblk_trace_header h;
	uint64_t offset = find_index(src);
	struct xblk_chunk c;

	*x = (struct index){0};
	if (!offset || offset > src->size || !read_at(src, &h, sizeof(h), 0) ||
	    h.magic != XBLK_TRACE_MAGIC || !read_at(src, &c, sizeof(c), offset) ||
	    c.magic != XBLK_CHUNK_MAGIC || c.type != XBLK_CHUNK_INDEX || c.flags ||
	    c.payload > XBLK_CHUNK_MAX_PAYLOAD)
		return false;
	x->start_ns = h.xen_ns;
	x->end = offset;
	x->nr = c.payload / sizeof(*x->rows);
	x->chunk = xmalloc(sizeof(c) + c.payload);
	x->rows = (struct xblk_index_entry *)(x->chunk + 1);
	if (read_at(src, x->chunk, sizeof(c) + c.payload, offset) &&
	    x->chunk->payload == c.payload && chunk_intact(x->chunk)) {
		if (makes_sense(x, h.header_size, offset))
			return true;
		tell(to, "input: its index makes no sense: all of it is read");
	}
	index_deinit(x);
	return false;
}

void index_deinit(struct index *x)
{
	free(x->chunk);
	*x = (struct index){0};
}

size_t index_row_at(const struct index *x, uint64_t offset)
{
	size_t from = 0, to = x->nr;

	if (offset >= x->end)
		return x->nr;
	while (to - from > 1) {
		size_t mid = from + (to - from) / 2;

		if (x->rows[mid].offset <= offset)
			from = mid;
		else
			to = mid;
	}
	return from;
}

size_t index_row(const struct index *x, uint64_t ns)
{
	size_t from = 0, to = x->nr;

	while (to - from > 1) {
		size_t mid = from + (to - from) / 2;

		if (x->rows[mid].time <= ns)
			from = mid;
		else
			to = mid;
	}
	return from;
}
