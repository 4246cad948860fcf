// SPDX-License-Identifier: GPL-2.0-only
#include "flushes.h"

#include <stddef.h>

void flushes_begin(struct flushes *f, uint64_t ns)
{
	unsigned int i = f->nr % FLUSH_SPANS;

	if (f->outstanding++)
		return;
	f->span[i].from = ns;
	f->span[i].to = UINT64_MAX;
	f->nr++;
}

void flushes_end(struct flushes *f, uint64_t ns)
{
	if (!f->outstanding || --f->outstanding)
		return;
	f->span[(f->nr - 1) % FLUSH_SPANS].to = ns;
}

uint64_t flushes_overlap(const struct flushes *f, uint64_t from, uint64_t to)
{
	uint64_t sum = 0;

	if (!f)
		return 0;
	for (uint64_t n = f->nr; n > 0 && f->nr - n < FLUSH_SPANS; n--) {
		uint64_t a = f->span[(n - 1) % FLUSH_SPANS].from;
		uint64_t b = f->span[(n - 1) % FLUSH_SPANS].to;

		if (b <= from)
			break;
		a = a > from ? a : from;
		b = b < to ? b : to;
		if (a < b)
			sum += b - a;
	}
	return sum;
}
