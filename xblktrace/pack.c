// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "chunk.h"
#include "pack.h"

_Static_assert(ZSTD_COMPRESSBOUND(PACK_SIZE) <= XBLK_CHUNK_MAX_PAYLOAD, "see pack.h");

/* The first use allocates, by the size of what is compressed. */
static bool touch(ZSTD_CCtx *zstd)
{
	void *from = calloc(1, PACK_SIZE), *to = malloc(PACK_ROOM);
	bool touched =
		from && to &&
		!ZSTD_isError(ZSTD_compress2(zstd, to, PACK_ROOM, from, PACK_SIZE));

	free(from);
	free(to);
	return touched;
}

ZSTD_CCtx *pack_new(int level)
{
	ZSTD_CCtx *zstd = ZSTD_createCCtx();

	if (!zstd)
		return NULL;
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level);
	if (touch(zstd))
		return zstd;
	ZSTD_freeCCtx(zstd);
	return NULL;
}

size_t pack_chunks(ZSTD_CCtx *zstd, const void *chunks, size_t len, unsigned char *to)
{
	const struct xblk_chunk *first = chunks;
	unsigned char *payload = to + sizeof(*first);
	size_t packed =
		ZSTD_compress2(zstd, payload, XBLK_CHUNK_MAX_PAYLOAD, chunks, len);
	struct xblk_chunk chunk = {
		.magic = XBLK_CHUNK_MAGIC,
		.type = XBLK_CHUNK_PACK,
		.payload = packed,
		.unpacked = len,
		.time = first->time,
	};

	if (ZSTD_isError(packed))
		return 0;
	chunk_seal(&chunk, payload);
	memcpy(to, &chunk, sizeof(chunk));
	return chunk_pad(&chunk, payload);
}
