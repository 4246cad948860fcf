// SPDX-License-Identifier: GPL-2.0-only
/* What all kinds of output share. */
#include "output.h"

#include <string.h>

void total_stats(const struct parse *p, const struct filter *f, struct disk_stats *to)
{
	memset(to, 0, sizeof(*to));
	for (size_t i = 0; i < p->model.nr_disks; i++) {
		if (filter_disk(f, p->model.all_disks[i]))
			stats_merge(to, stats_of(p->model.all_disks[i]));
	}
}

uint64_t total_uncertainty(const struct parse *p, const struct filter *f)
{
	uint64_t most = 0;

	for (unsigned int i = 0; i < p->model.nr_domains; i++) {
		const struct domain *dom = p->model.domains[i];
		uint64_t u = model_uncertainty(&p->model, dom);

		if (!dom->backend && filter_domain(f, dom) && u > most)
			most = u;
	}
	return most;
}
