/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes of a trace -> its chunks, checked.
 *
 * Takes any bytes.  A damaged stretch is reported and stepped over, up to the
 * next chunk whose checksum holds.  What a PACK chunk holds is handed out as if
 * it were in the trace itself.
 */
#ifndef LIBXBLK_READER_H
#define LIBXBLK_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <xblk/trace.h>

#include "base/tell.h"
#include "input/ahead.h"
#include "input/unpack.h"

#define CHUNK_ALIGN 32

/* As read(2): bytes, 0 at the end, -1 and errno; EAGAIN: there are none so far. */
typedef ssize_t (*reader_read_fn)(void *ctx, void *buf, size_t size);
/* Go on at @offset of the trace: 0, or -1 and errno. */
typedef int (*reader_seek_fn)(void *ctx, uint64_t offset);

struct reader {
	reader_read_fn read;
	reader_seek_fn seek; /* set by whoever wants to use reader_seek() */
	void *ctx;
	const struct tell *tell; /* of what cannot be used; set by the caller */
	uint8_t *buf;
	size_t size;
	size_t start, end; /* what of buf is filled and not yet consumed */
	size_t step;	   /* bytes of the chunk handed out last */
	uint64_t offset;   /* of buf[start] in the trace */
	bool eof;
	bool waits;	      /* what is wanted is not there so far */
	int error;	      /* errno of a failed read, else 0 */
	struct unpack unpack; /* of the chunk at buf[start] */
	bool go_ahead;	      /* set by whoever has a second processor, and a trace whose
			       * next bytes are there already */
	struct ahead *ahead;  /* NULL: every pack is unpacked when it is read */
	uint64_t given_to;    /* where in the trace the last one given to it ends */
	struct xblk_trace_header header;
	uint64_t another; /* where another trace's header is; 0: there is none */
	uint64_t damaged; /* stretches that could not be used */
	uint64_t damaged_bytes;
	uint64_t wasted;   /* bytes hashed for chunks that were none */
	uint64_t left_out; /* bytes that reader_seek() went over */
	/* the stretch that is being stepped over */
	bool in_damage;
	uint64_t damage_offset;
	char damage_what[96];
};

/* Do not verify checksums: a fuzzer cannot guess them. */
extern bool reader_trust_checksums;

void reader_init(struct reader *r, reader_read_fn read, void *ctx);
void reader_deinit(struct reader *r);

/* Reads the header.  0, or -1 after a message if this is no trace we know, or -EAGAIN. */
int reader_open(struct reader *r);

/*
 * The next chunk: 1; the end: 0, or -1 if reading failed (r->error); -EAGAIN: it is not
 * all there so far, and is to be asked for again.  Its payload is behind it, aligned for
 * records; both stay until the next call.
 */
int reader_next(struct reader *r, const struct xblk_chunk **chunk);

/* Whether reader_next() is to read a chunk from @offset, rather than from a PACK. */
bool reader_where(const struct reader *r, uint64_t *offset);
/* Then: go on at the chunk at @offset, which is not before. */
void reader_seek(struct reader *r, uint64_t offset);

/* A chunk with its header and padding. */
static inline size_t chunk_size(uint32_t payload)
{
	return sizeof(struct xblk_chunk) +
	       (payload + (size_t)CHUNK_ALIGN - 1) / CHUNK_ALIGN * CHUNK_ALIGN;
}

/* Its checksum is right.  Its payload is behind it; it is another one meanwhile. */
bool chunk_intact(struct xblk_chunk *c);

#endif
