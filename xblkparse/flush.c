// SPDX-License-Identifier: GPL-2.0-only
#include "flush.h"

#include "util.h"

struct flushes *flushes_new(void)
{
	struct flushes *f = xcalloc(1, sizeof(*f));

	for (unsigned int i = 0; i < FLUSH_CPUS; i++)
		f->cpus[i].queue = -1;
	return f;
}

void flush_queued(struct flushes *f, uint32_t cpu, uint64_t ns, uint32_t pid)
{
	struct flush_cpu *c = &f->cpus[cpu % FLUSH_CPUS];

	if (!c->waiting++) {
		c->first_ns = ns;
		c->pid = pid;
	}
	c->last_ns = ns;
}

/* Its number; one that is new takes the place of the one issued longest ago. */
static int find_queue(struct flushes *f, uint32_t rq)
{
	unsigned int oldest = 0;

	for (unsigned int i = 0; i < f->nr_queues; i++) {
		if (f->queues[i].rq == rq)
			return i;
		if (f->queues[i].d_ns < f->queues[oldest].d_ns)
			oldest = i;
	}
	if (f->nr_queues < FLUSH_CPUS)
		oldest = f->nr_queues++;
	for (unsigned int i = 0; i < FLUSH_CPUS; i++) {
		if (f->cpus[i].queue == (int)oldest)
			f->cpus[i].queue = -1;
	}
	f->queues[oldest] = (struct flush_queue){.rq = rq};
	return oldest;
}

/*
 * The CPU turns out to be of a queue that has issued a flush at @d_ns: what
 * waited by then was served by that one.  False: how much that is, is not known.
 */
static bool forget_served(struct flush_cpu *c, uint64_t d_ns)
{
	if (!c->waiting || c->first_ns >= d_ns)
		return true;
	if (c->last_ns < d_ns) {
		c->waiting = 0;
		return true;
	}
	c->first_ns = c->last_ns;
	return c->waiting == 2;
}

/* The earliest of what waits on the CPUs of @queue; none waits there any more. */
static enum flush_q take(struct flushes *f, int queue, uint64_t *q_ns, uint32_t *pid)
{
	enum flush_q found = FLUSH_Q_NONE;

	for (unsigned int i = 0; i < FLUSH_CPUS; i++) {
		struct flush_cpu *c = &f->cpus[i];

		if (!c->waiting || c->queue != queue)
			continue;
		if (found == FLUSH_Q_NONE || c->first_ns < *q_ns) {
			*q_ns = c->first_ns;
			*pid = c->pid;
		}
		c->waiting = 0;
		found = FLUSH_Q_FOUND;
	}
	return found;
}

static unsigned int unknown_waiting(const struct flushes *f)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < FLUSH_CPUS; i++)
		nr += f->cpus[i].waiting && f->cpus[i].queue < 0;
	return nr;
}

enum flush_q flush_issued(struct flushes *f, uint32_t cpu, uint32_t rq, uint64_t ns,
			  uint64_t *q_ns, uint32_t *pid)
{
	struct flush_cpu *c = &f->cpus[cpu % FLUSH_CPUS];
	int queue = find_queue(f, rq);
	enum flush_q found;
	bool certain = true;

	if (c->queue < 0)
		certain = forget_served(c, f->queues[queue].d_ns);
	c->queue = queue;
	f->queues[queue].d_ns = ns;
	found = take(f, queue, q_ns, pid);
	/* Those of a CPU that has issued none so far are of this queue or another. */
	if (found == FLUSH_Q_NONE && unknown_waiting(f)) {
		certain = f->nr_queues == 1 || unknown_waiting(f) == 1;
		found = take(f, -1, q_ns, pid);
	}
	return found == FLUSH_Q_FOUND && !certain ? FLUSH_Q_AMBIGUOUS : found;
}
