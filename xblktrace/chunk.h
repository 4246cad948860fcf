/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A chunk of a trace, as it lies in memory and in the file: header, payload, zeroes.
 */
#ifndef XBLKTRACE_CHUNK_H
#define XBLKTRACE_CHUNK_H

#include <stddef.h>

#include "xblk/trace.h"

/**
 * chunk_padded - how much room a payload of @len bytes takes
 */
size_t chunk_padded(size_t len);

/**
 * chunk_size - bytes of a chunk with header and padding
 */
size_t chunk_size(const struct xblk_chunk *chunk);

/**
 * chunk_seal - give @chunk its checksum, over all else in it and @payload
 */
void chunk_seal(struct xblk_chunk *chunk, const void *payload);

/**
 * chunk_seal_all - seal chunks that lie one behind the other, @len bytes of them
 */
void chunk_seal_all(unsigned char *chunks, size_t len);

/**
 * chunk_pad - write the zeroes behind @payload
 *
 * Return: the size of all, see chunk_size().
 */
size_t chunk_pad(const struct xblk_chunk *chunk, unsigned char *payload);

#endif /* XBLKTRACE_CHUNK_H */
