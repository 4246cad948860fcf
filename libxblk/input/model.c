// SPDX-License-Identifier: GPL-2.0-only
#include "input/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

void model_init(struct model *m, size_t disk_size)
{
	memset(m, 0, sizeof(*m));
	m->disk_size = disk_size;
	m->tell = &tell_nobody;
	map_init(&m->by_domid);
}

/* The names that a process had before the one it has. */
struct former_names {
	unsigned int nr;
	uint64_t forgotten_ns; /* before that it had others */
	struct {
		uint64_t until_ns;
		char comm[COMM_SIZE];
	} names[4]; /* the oldest first */
};

static void process_free(void *process)
{
	struct process *p = process;

	free(p->former);
	free(p);
}

void model_deinit(struct model *m)
{
	for (unsigned int i = 0; i < m->nr_domains; i++) {
		struct domain *dom = m->domains[i];

		map_each(&dom->processes, process_free);
		map_each(&dom->rings, free);
		map_deinit(&dom->rings);
		map_deinit(&dom->processes);
		map_deinit(&dom->bios);
		map_deinit(&dom->rqs);
		map_deinit(&dom->flush_waits);
		matching_free(dom->matching);
		free(dom->disks);
		free(dom);
	}
	for (size_t i = 0; i < m->nr_disks; i++)
		free(m->all_disks[i]);
	map_deinit(&m->by_domid);
	free(m->domains);
	free(m->all_disks);
	memset(m, 0, sizeof(*m));
}

struct matching *matching_new(void)
{
	struct matching *matching = xcalloc(1, sizeof(*matching));

	matching->places = xcalloc(PLACES, sizeof(*matching->places));
	matching->mask = PLACES - 1;
	return matching;
}

void matching_free(struct matching *matching)
{
	if (matching)
		free(matching->places);
	free(matching);
}

static void tell_forgotten(const struct domain *dom, uint32_t pid, const char *name)
{
	if (dom->model->on_forgotten && !dom->backend)
		dom->model->on_forgotten(dom->model->ctx, dom, pid, name);
}

static void tell_name(void *ctx, uint32_t pid, const char *name, bool now)
{
	(void)now;
	tell_forgotten(ctx, pid, name);
}

/* Each name of it. */
static void process_names(const struct process *p,
			  void (*fn)(void *ctx, uint32_t pid, const char *name, bool now),
			  void *ctx)
{
	for (unsigned int i = 0; p->former && i < p->former->nr; i++)
		fn(ctx, p->pid, p->former->names[i].comm, false);
	fn(ctx, p->pid, p->known ? p->comm : NULL, true);
}

struct domain *model_find(const struct model *m, unsigned int domid)
{
	return map_get(&m->by_domid, domid);
}

void model_end_guest(struct model *m, struct domain *dom)
{
	for (unsigned int i = 0; i < dom->nr_disks; i++) {
		if (dom->disks[i])
			dom->disks[i]->gone = true;
	}
	free(dom->disks);
	dom->disks = NULL;
	dom->nr_disks = 0;
	matching_free(dom->matching);
	dom->matching = NULL;
	map_deinit(&dom->bios);
	map_deinit(&dom->rqs);
	map_deinit(&dom->flush_waits);
	model_each_process(dom, tell_name, dom);
	m->guest_processes -= dom->backend ? 0 : dom->processes.nr;
	map_each(&dom->processes, process_free);
	map_each(&dom->rings, free);
	map_deinit(&dom->processes);
	map_deinit(&dom->rings);
	list_init(&dom->process_age);
	dom->named = NULL;
	map_del(&m->by_domid, dom->domid, dom);
	dom->ended = true;
	m->nr_ended++;
}

struct domain *model_domain(struct model *m, unsigned int domid)
{
	struct domain *dom = model_find(m, domid);

	if (dom)
		return dom;
	if (m->nr_domains - m->nr_ended == MAX_DOMAINS)
		return NULL;
	dom = xcalloc(1, sizeof(*dom));
	dom->model = m;
	dom->domid = domid;
	snprintf(dom->name, sizeof(dom->name), "domain%u", domid);
	map_init(&dom->bios);
	map_init(&dom->rqs);
	map_init(&dom->flush_waits);
	map_init(&dom->processes);
	map_init(&dom->rings);
	list_init(&dom->bio_age);
	list_init(&dom->rq_age);
	list_init(&dom->process_age);
	dom->first_ns = UINT64_MAX;
	m->domains = xrealloc(m->domains, (m->nr_domains + 1) * sizeof(*m->domains));
	m->domains[m->nr_domains++] = dom;
	map_set(&m->by_domid, domid, dom);
	return dom;
}

uint64_t model_uncertainty(const struct model *m, const struct domain *guest)
{
	return add_sat(guest->uncertainty_ns,
		       m->backend ? m->backend->uncertainty_ns : 0);
}

/* The oldest that has not been looked for since it was here last. */
static struct process *take_idle(struct domain *dom)
{
	/* All of them busy or the kernel's: then the first one it is, at the second turn.
	 */
	for (size_t turns = 2 * dom->processes.nr;; turns--) {
		struct process *p =
			list_entry(dom->process_age.next, struct process, age);

		list_del(&p->age);
		if (!turns || (!p->busy && !(dom->backend && p->kthread))) {
			process_names(p, tell_name, dom);
			map_del(&dom->processes, p->pid, p);
			free(p->former);
			memset(p, 0, sizeof(*p));
			return p;
		}
		p->busy = false;
		list_add_tail(&dom->process_age, &p->age);
	}
}

static size_t max_processes(const struct domain *dom)
{
	if (dom->backend)
		return MAX_PROCESSES;
	if (dom->model->guest_processes >= SHARED_PROCESSES)
		return VCPU_PROCESSES;
	return (size_t)VCPU_PROCESSES * (dom->nr_streams + !dom->nr_streams);
}

static struct process *new_process(struct domain *dom)
{
	if (dom->processes.nr >= max_processes(dom))
		return take_idle(dom);
	dom->model->guest_processes += !dom->backend;
	return xcalloc(1, sizeof(struct process));
}

struct process *model_process(struct domain *dom, uint32_t pid)
{
	struct process *p = map_get(&dom->processes, pid);

	if (!p) {
		p = new_process(dom);
		p->pid = pid;
		map_set(&dom->processes, pid, p);
		list_add_tail(&dom->process_age, &p->age);
	}
	p->busy = true;
	return p;
}

static void keep_former(const struct domain *dom, struct process *p, uint64_t until_ns)
{
	struct former_names *f = p->former;

	if (!f)
		f = p->former = xcalloc(1, sizeof(*f));
	if (f->nr == ARRAY_SIZE(f->names)) {
		tell_forgotten(dom, p->pid, f->names[0].comm);
		f->forgotten_ns = f->names[0].until_ns;
		f->nr--;
		memmove(f->names, f->names + 1, f->nr * sizeof(*f->names));
	}
	f->names[f->nr].until_ns = until_ns;
	strcpy(f->names[f->nr++].comm, p->comm);
}

void model_name_process(struct domain *dom, const struct xblk_record *r)
{
	struct process *p = model_process(dom, r->aux);
	char comm[COMM_SIZE];

	copy_printable(comm, sizeof(comm), r->comm, XBLK_COMM_LEN);
	if (!p->known || strcmp(p->comm, comm)) {
		if (p->known)
			keep_former(dom, p, r->time);
		dom->model->names++;
	}
	strcpy(p->comm, comm);
	p->kthread = r->op & XBLK_PROCESS_KTHREAD;
	p->known = true;
	p->meta = 0;
}

/*
 * blkback calls its threads "<domid>.<disk>-<ring>" (xenvif-like names have
 * no dot), e.g. "3.xvda-0".  The kernel cuts names to 15 characters.
 */
static struct disk *thread_disk(const struct model *m, const char *comm, int *ring)
{
	const struct domain *dom;
	struct disk *last = NULL;
	unsigned int domid;
	char name[XBLK_COMM_LEN + 1];

	if (sscanf(comm, "%5u.%16[^-]-%9u", &domid, name, (unsigned int *)ring) != 3)
		return NULL;
	/* The number may have had more digits. */
	if (strlen(comm) == XBLK_COMM_LEN - 1)
		*ring = RING_UNKNOWN;
	dom = model_find(m, domid);
	/* The one that was attached last: an earlier one of this name was detached. */
	for (unsigned int i = 0; dom && i < dom->nr_disks; i++) {
		struct disk *d = dom->disks[i];

		if (d && !d->gone && d->backing && !strcmp(d->name, name) &&
		    (!last || d->namesake > last->namesake))
			last = d;
	}
	return last;
}

void model_look_up_served(const struct model *m, struct process *p)
{
	p->meta = m->nr_metas;
	p->serves = p->kthread ? thread_disk(m, p->comm, &p->ring) : NULL;
}

const char *process_name(const struct domain *dom, uint32_t pid)
{
	const struct process *p = dom->ended ? NULL : map_get(&dom->processes, pid);

	return p && p->known ? p->comm : "?";
}

static const char *former_name(const struct former_names *f, uint64_t ns)
{
	if (ns < f->forgotten_ns)
		return "?";
	for (unsigned int i = 0; i < f->nr; i++) {
		if (ns < f->names[i].until_ns)
			return f->names[i].comm;
	}
	return NULL;
}

const char *process_name_at(struct domain *dom, uint32_t pid, uint64_t ns)
{
	const char *former = NULL;

	/* It is mostly the same one again; an object is never given back. */
	if (!dom->named || dom->named->pid != pid) {
		struct process *p = dom->ended ? NULL : map_get(&dom->processes, pid);

		if (!p)
			return "?";
		dom->named = p;
	}
	if (unlikely(dom->named->former))
		former = former_name(dom->named->former, ns);
	if (former)
		return former;
	return dom->named->known ? dom->named->comm : "?";
}

void model_each_process(const struct domain *dom,
			void (*fn)(void *ctx, uint32_t pid, const char *name, bool now),
			void *ctx)
{
	for (const struct list *n = dom->process_age.next; n != &dom->process_age;
	     n = n->next)
		process_names(list_entry(n, struct process, age), fn, ctx);
}
