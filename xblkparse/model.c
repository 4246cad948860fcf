// SPDX-License-Identifier: GPL-2.0-only
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flush.h"
#include "util.h"

void model_init(struct model *m)
{
	memset(m, 0, sizeof(*m));
}

void model_deinit(struct model *m)
{
	for (unsigned int i = 0; i < m->nr_domains; i++) {
		struct domain *dom = m->domains[i];

		map_each(&dom->processes, free);
		map_each(&dom->rings, free);
		map_deinit(&dom->rings);
		map_deinit(&dom->processes);
		map_deinit(&dom->bios);
		map_deinit(&dom->rqs);
		free(dom->match);
		free(dom->unmatched);
		free(dom->disks);
		free(dom);
	}
	for (size_t i = 0; i < m->nr_disks; i++) {
		stats_deinit(&m->all_disks[i]->stats);
		free(m->all_disks[i]->flush_times);
		flushes_free(m->all_disks[i]->flushes);
		free(m->all_disks[i]);
	}
	free(m->domains);
	free(m->all_disks);
	memset(m, 0, sizeof(*m));
}

static struct list *new_buckets(void)
{
	struct list *b = xmalloc(MATCH_BUCKETS * sizeof(*b));

	for (unsigned int i = 0; i < MATCH_BUCKETS; i++)
		list_init(&b[i]);
	return b;
}

struct domain *model_domain(struct model *m, unsigned int domid)
{
	struct domain *dom;

	for (unsigned int i = 0; i < m->nr_domains; i++) {
		if (m->domains[i]->domid == domid)
			return m->domains[i];
	}
	if (m->nr_domains == MAX_DOMAINS)
		return NULL;
	dom = xcalloc(1, sizeof(*dom));
	dom->domid = domid;
	snprintf(dom->name, sizeof(dom->name), "domain%u", domid);
	map_init(&dom->bios);
	map_init(&dom->rqs);
	map_init(&dom->processes);
	map_init(&dom->rings);
	list_init(&dom->bio_age);
	list_init(&dom->rq_age);
	dom->match = new_buckets();
	dom->unmatched = new_buckets();
	dom->first_ns = UINT64_MAX;
	m->domains = xrealloc(m->domains, (m->nr_domains + 1) * sizeof(*m->domains));
	m->domains[m->nr_domains++] = dom;
	return dom;
}

struct flushes *disk_flushes(struct disk *disk)
{
	if (!disk->flushes)
		disk->flushes = flushes_new();
	return disk->flushes;
}

uint64_t model_uncertainty(const struct model *m, const struct domain *guest)
{
	return add_sat(guest->uncertainty_ns,
		       m->backend ? m->backend->uncertainty_ns : 0);
}

struct process *model_process(struct domain *dom, uint32_t pid)
{
	struct process *p = map_get(&dom->processes, pid);

	if (p)
		return p;
	if (dom->processes.nr >= MAX_PROCESSES)
		return NULL;
	p = xcalloc(1, sizeof(*p));
	p->pid = pid;
	map_set(&dom->processes, pid, p);
	return p;
}

/*
 * blkback calls its threads "<domid>.<disk>-<ring>" (xenvif-like names have
 * no dot), e.g. "3.xvda-0".  The kernel cuts names to 15 characters.
 */
static struct disk *thread_disk(struct model *m, const char *comm)
{
	unsigned int domid, ring;
	char name[XBLK_COMM_LEN + 1];

	if (sscanf(comm, "%5u.%16[^-]-%u", &domid, name, &ring) != 3)
		return NULL;
	/* The one that was attached last: an earlier one of this name was detached. */
	for (size_t i = m->nr_disks; i-- > 0;) {
		struct disk *d = m->all_disks[i];

		if (!d->gone && d->backing && d->dom->domid == domid &&
		    !strcmp(d->name, name))
			return d;
	}
	return NULL;
}

struct disk *model_serves(struct model *m, struct process *p)
{
	if (p->meta != m->nr_metas) {
		p->meta = m->nr_metas;
		p->serves = p->kthread ? thread_disk(m, p->comm) : NULL;
	}
	return p->serves;
}
