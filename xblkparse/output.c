// SPDX-License-Identifier: GPL-2.0-only
/* What all kinds of output share. */
#include "output.h"

#include <string.h>

void total_stats(const struct parse *p, const struct filter *f, struct disk_stats *to)
{
	memset(to, 0, sizeof(*to));
	for (size_t i = 0; i < p->model.nr_disks; i++) {
		if (filter_disk(f, p->model.all_disks[i]))
			stats_merge(to, &p->model.all_disks[i]->stats);
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

const char *process_name(const struct domain *dom, uint32_t pid)
{
	const struct process *p = map_get(&dom->processes, pid);

	return p && p->known ? p->comm : "?";
}

/* blktrace's RWBS: flush first, then what is done, then how. */
void op_letters(char *to, unsigned int op, uint32_t nr_sectors)
{
	unsigned int kind = op & XBLK_OP_MASK;

	if (op & XBLK_OP_F_PREFLUSH && kind != XBLK_OP_FLUSH)
		*to++ = 'F';
	switch (kind) {
	case XBLK_OP_READ:
		*to++ = 'R';
		break;
	case XBLK_OP_WRITE:
	case XBLK_OP_WRITE_ZEROES:
		/* blktrace shows an empty write that only flushes as F. */
		if (nr_sectors || !(op & XBLK_OP_F_PREFLUSH))
			*to++ = 'W';
		break;
	case XBLK_OP_FLUSH:
		*to++ = 'F';
		break;
	case XBLK_OP_DISCARD:
	case XBLK_OP_SECURE_DISCARD:
		*to++ = 'D';
		if (kind == XBLK_OP_SECURE_DISCARD)
			*to++ = 'E';
		break;
	default:
		*to++ = 'N';
		break;
	}
	if (op & XBLK_OP_F_FUA)
		*to++ = 'F';
	if (op & XBLK_OP_F_RAHEAD)
		*to++ = 'A';
	if (op & XBLK_OP_F_SYNC)
		*to++ = 'S';
	if (op & XBLK_OP_F_META)
		*to++ = 'M';
	*to = '\0';
}
