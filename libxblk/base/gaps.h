/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When a domain's streams lost something: spans of time, in a bounded number.
 * The oldest are joined into one when there are too many, so a question may
 * be answered "lost" too often but never too seldom.
 */
#ifndef LIBXBLK_GAPS_H
#define LIBXBLK_GAPS_H

#include <stdbool.h>
#include <stdint.h>

#define GAPS_MAX 32

struct gaps {
	unsigned int nr;
	struct {
		uint64_t from, to;
	} span[GAPS_MAX];
};

void gaps_add(struct gaps *g, uint64_t from, uint64_t to);
/* Whether something was lost in @from..@to, both included. */
bool gaps_overlap(const struct gaps *g, uint64_t from, uint64_t to);
/* The same, and from when to when, all together. */
bool gaps_around(const struct gaps *g, uint64_t from, uint64_t to, uint64_t *lost_from,
		 uint64_t *lost_to);
/* Until when something was, of what began to be by @ns; 0: nothing. */
uint64_t gaps_last(const struct gaps *g, uint64_t ns);
/* As gaps_overlap(), both excluded: a loss may begin and end with a record that is there.
 */
bool gaps_within(const struct gaps *g, uint64_t from, uint64_t to);

#endif
