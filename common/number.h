/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers in text, taken strictly: decimal digits without a sign or a space before them,
 * and with nothing behind them but what is said here.
 *
 * Each function returns NULL, or what is wrong with the text, as "not a number from 2 to
 * 8": with both limits, whichever was passed.  These words are the calling thread's until
 * its next call.  The result is set only if nothing is wrong.
 */
#ifndef XBLK_NUMBER_H
#define XBLK_NUMBER_H

#include <stdint.h>

/* Which time a user can mean: more than a trace or a machine lasts, and no overflow. */
#define NUMBER_MAX_NS 1000000000000000000ull

const char *number_u64(const char *s, uint64_t min, uint64_t max, uint64_t *value);
const char *number_uint(const char *s, unsigned int min, unsigned int max,
			unsigned int *value);

/* Bytes, with K, M or G behind it for 2^10, 2^20 or 2^30 of them. */
const char *number_size(const char *s, uint64_t min, uint64_t max, uint64_t *bytes);

/* Seconds, which may have a fraction; limits, up to NUMBER_MAX_NS, and result are in ns. */
const char *number_seconds(const char *s, uint64_t min_ns, uint64_t max_ns, uint64_t *ns);

/* A time in ns, us, ms or s, in us without a unit, from 0 to NUMBER_MAX_NS. */
const char *number_time(const char *s, uint64_t *ns);

#endif /* XBLK_NUMBER_H */
