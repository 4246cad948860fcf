/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Traces of any size whose right result is known: each request is played in
 * one of the shapes that block I/O has, and what its stages are is noted as it
 * is made.  Records can then be lost, as the tracers lose them.
 */
#ifndef XBLK_TEST_KNOWN_H
#define XBLK_TEST_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace_gen.h"

/* One guest request that should be found, known by disk, last D and sector. */
struct known_request {
	unsigned int disk;
	uint64_t sector, d_ns;
	uint64_t times[6]; /* guest Q, D; dom0 Q, D, C; guest C */
	bool seen;
};

struct known {
	struct gen gen;
	struct known_request *requests;
	size_t nr;
	uint64_t own_bios; /* of dom0 itself */
	uint64_t dropped;  /* records */
};

/* @nr shapes.  @lose: of a million records so many begin a loss. */
void known_make(struct known *k, uint64_t seed, unsigned int nr, unsigned int lose);
void known_deinit(struct known *k);
/* NULL if there is no such request. */
struct known_request *known_find(struct known *k, unsigned int disk, uint64_t sector,
				 uint64_t d_ns);

#endif
