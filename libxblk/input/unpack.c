// SPDX-License-Identifier: GPL-2.0-only
#include "input/unpack.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define ALIGN 32

void unpack_deinit(struct unpack *u)
{
	ZSTD_freeDCtx(u->zstd);
	free(u->buf);
	memset(u, 0, sizeof(*u));
}

/* The whole of the chunk at buf[at]; 0 if there is none that may be here. */
static size_t chunk_size(const struct unpack *u, size_t at, size_t len)
{
	const struct xblk_chunk *c = (const void *)(u->buf + at);
	size_t size;

	if (len - at < sizeof(*c) || c->magic != XBLK_CHUNK_MAGIC || c->flags ||
	    c->type == XBLK_CHUNK_PACK || c->payload > len)
		return 0;
	size = sizeof(*c) + (c->payload + (size_t)ALIGN - 1) / ALIGN * ALIGN;
	return size <= len - at ? size : 0;
}

const char *unpack_begin(struct unpack *u, const struct xblk_chunk *pack,
			 const void *payload)
{
	size_t len;

	u->at = u->len = 0;
	if (!pack->unpacked || pack->unpacked > XBLK_CHUNK_MAX_PAYLOAD)
		return "its unpacked length is out of bounds";
	if (!u->zstd) {
		u->zstd = ZSTD_createDCtx();
		u->buf = xaligned_alloc(64, XBLK_CHUNK_MAX_PAYLOAD);
		if (!u->zstd)
			return "no memory to unpack it";
	}
	len = ZSTD_decompressDCtx(u->zstd, u->buf, pack->unpacked, payload,
				  pack->payload);
	if (ZSTD_isError(len))
		return "it cannot be unpacked";
	if (len != pack->unpacked)
		return "its unpacked length is not what it says";
	for (size_t at = 0, size; at < len; at += size) {
		size = chunk_size(u, at, len);
		if (!size)
			return "what it unpacks to are not whole chunks";
	}
	u->len = len;
	return NULL;
}

const struct xblk_chunk *unpack_next(struct unpack *u)
{
	const struct xblk_chunk *c = (const void *)(u->buf + u->at);

	u->at += chunk_size(u, u->at, u->len);
	return c;
}
