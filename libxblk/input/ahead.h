/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PACK chunks, unpacked by a thread of its own before the reader comes to them.
 *
 * The reader says which packs lie ahead.  It looks at each in its own time, so
 * what it tells of a trace is the same with and without this.
 */
#ifndef LIBXBLK_AHEAD_H
#define LIBXBLK_AHEAD_H

#include <stdbool.h>
#include <stdint.h>

#include <xblk/trace.h>

#include "input/unpack.h"

struct ahead;

/* NULL if there is no thread to be had. */
struct ahead *ahead_new(void);
/* @a may be NULL. */
void ahead_free(struct ahead *a);

/* Whether one more pack can be given. */
bool ahead_has_room(const struct ahead *a);
/* The pack at @offset of the trace, behind all that were given before; it is copied. */
void ahead_give(struct ahead *a, uint64_t offset, const struct xblk_chunk *pack,
		const void *payload);
/*
 * Once the pack at @offset is unpacked: @u and @why are as unpack_begin() leaves and
 * returns them.  False if it was not given.  Packs before it are forgotten.
 */
bool ahead_take(struct ahead *a, uint64_t offset, struct unpack *u, const char **why);

#endif
