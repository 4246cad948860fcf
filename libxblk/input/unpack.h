/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PACK chunk -> the chunks in it.
 *
 * What it takes is bounded before anything is unpacked: one buffer of the size
 * of the largest chunk, and zstd never writes more than the pack's header says.
 */
#ifndef LIBXBLK_UNPACK_H
#define LIBXBLK_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zstd.h>

#include <xblk/trace.h>

struct unpack {
	ZSTD_DCtx *zstd;
	uint8_t *buf;
	size_t at, len; /* buf[at..len) is to be handed out */
};

void unpack_deinit(struct unpack *u);

/*
 * Begin with the chunks of @pack, whose checksum is right.  NULL, or why they
 * cannot be used: then none of them is handed out.
 */
const char *unpack_begin(struct unpack *u, const struct xblk_chunk *pack,
			 const void *payload);

/* The next chunk of it, its payload behind it; both stay until unpack_begin(). */
const struct xblk_chunk *unpack_next(struct unpack *u);

static inline bool unpack_over(const struct unpack *u)
{
	return u->at == u->len;
}

#endif
