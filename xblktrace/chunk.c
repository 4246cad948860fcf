// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#define XXH_STATIC_LINKING_ONLY /* XXH3_state_t on the stack */
#define XXH_INLINE_ALL		/* optimized as this file is */
#include <xxhash.h>

#include "chunk.h"

#define CHUNK_ALIGN 32

size_t chunk_padded(size_t len)
{
	return (len + CHUNK_ALIGN - 1) / CHUNK_ALIGN * CHUNK_ALIGN;
}

size_t chunk_size(const struct xblk_chunk *chunk)
{
	return sizeof(*chunk) + chunk_padded(chunk->payload);
}

void chunk_seal(struct xblk_chunk *chunk, const void *payload)
{
	XXH3_state_t state;

	XXH3_64bits_reset(&state);
	XXH3_64bits_update(&state, chunk, offsetof(struct xblk_chunk, checksum));
	XXH3_64bits_update(&state, payload, chunk->payload);
	chunk->checksum = XXH3_64bits_digest(&state);
}

void chunk_seal_all(unsigned char *chunks, size_t len)
{
	size_t at;
	struct xblk_chunk *chunk;

	for (at = 0; at < len; at += chunk_size(chunk)) {
		chunk = (struct xblk_chunk *)(chunks + at);
		chunk_seal(chunk, chunk + 1);
	}
}

size_t chunk_pad(const struct xblk_chunk *chunk, unsigned char *payload)
{
	size_t padded = chunk_padded(chunk->payload);

	memset(payload + chunk->payload, 0, padded - chunk->payload);
	return sizeof(*chunk) + padded;
}
