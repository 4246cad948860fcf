/* SPDX-License-Identifier: GPL-2.0-only */
/* Small strict parsers of text, none of which accepts trailing bytes. */
#ifndef XBLKTRACE_PARSE_H
#define XBLKTRACE_PARSE_H

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* An unsigned decimal number, @min <= value <= @max. */
static inline bool parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *value)
{
	char *end;

	/* strtoull() would take signs and spaces. */
	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	*value = strtoull(s, &end, 10);
	return !errno && !*end && *value >= min && *value <= max;
}

static inline bool parse_uint(const char *s, unsigned int min, unsigned int max,
			      unsigned int *value)
{
	uint64_t v;

	if (!parse_u64(s, min, max, &v))
		return false;
	*value = v;
	return true;
}

#endif /* XBLKTRACE_PARSE_H */
