/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Chunks compressed together: what is written at a time becomes one PACK chunk, a
 * stream's chunk alone being often too small for that.
 */
#ifndef XBLKTRACE_PACK_H
#define XBLKTRACE_PACK_H

#include <stddef.h>

#include <zstd.h>

#include "xblk/trace.h"

/* What does not get smaller makes a chunk that is not too large, too. */
#define PACK_SIZE (XBLK_CHUNK_MAX_PAYLOAD - 8 * 1024)
/* Room for a PACK chunk. */
#define PACK_ROOM (sizeof(struct xblk_chunk) + XBLK_CHUNK_MAX_PAYLOAD)

/**
 * pack_new - what a thread needs to compress
 * @level:	zstd's
 *
 * Its memory is touched, so that none is asked for later.
 *
 * Return: for ZSTD_freeCCtx(); NULL if there is no memory.
 */
ZSTD_CCtx *pack_new(int level);

/**
 * pack_chunks - make one PACK chunk
 * @chunks:	@len bytes of whole chunks, at most PACK_SIZE
 * @to:		PACK_ROOM bytes
 *
 * Return: the size of the chunk, 0 if there is no memory.
 */
size_t pack_chunks(ZSTD_CCtx *zstd, const void *chunks, size_t len, unsigned char *to);

#endif /* XBLKTRACE_PACK_H */
