// SPDX-License-Identifier: GPL-2.0-only
#include "flush_times.h"

#include <stddef.h>

void flush_times_begin(struct flush_times *f, uint64_t ns)
{
	unsigned int i = f->nr % FLUSH_SPANS;

	if (f->outstanding++)
		return;
	f->span[i].from = ns;
	f->span[i].to = UINT64_MAX;
	f->nr++;
}

void flush_times_end(struct flush_times *f, uint64_t ns)
{
	if (!f->outstanding || --f->outstanding)
		return;
	f->span[(f->nr - 1) % FLUSH_SPANS].to = ns;
}

uint64_t flush_times_overlap(const struct flush_times *f, uint64_t from, uint64_t to)
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
