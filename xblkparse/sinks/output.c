// SPDX-License-Identifier: GPL-2.0-only
/* What all kinds of output share. */
#include "output.h"

#include <string.h>

void total_stats(const struct xblk *x, const struct filter *f, struct disk_stats *to)
{
	struct xblk_disk d;
	size_t at = 0;

	memset(to, 0, sizeof(*to));
	while (xblk_next_disk(x, &at, &d)) {
		if (filter_disk(f, &d))
			stats_merge(to, xblk_stats(x, d.nr));
	}
}

uint64_t total_uncertainty(const struct xblk *x, const struct filter *f)
{
	struct xblk_domain dom;
	uint64_t most = 0;
	size_t at = 0;

	while (xblk_next_domain(x, &at, &dom)) {
		if (!dom.backend && filter_domain(f, dom.domid, dom.name) &&
		    dom.uncertainty_ns > most)
			most = dom.uncertainty_ns;
	}
	return most;
}
