// SPDX-License-Identifier: GPL-2.0-only
#include "flush.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

struct flushes *flushes_new(void)
{
	struct flushes *f = xcalloc(1, sizeof(*f));

	for (unsigned int i = 0; i < FLUSH_CPUS; i++) {
		f->queue_of[i] = -1;
		list_init(&f->bios[i]);
	}
	return f;
}

void flushes_free(struct flushes *f)
{
	if (f)
		free(f->queues);
	free(f);
}

static void first_queued(struct flush_first *first, uint64_t ns, uint32_t pid)
{
	if (!first->ns)
		*first = (struct flush_first){.ns = ns, .pid = pid};
}

/* As long as the CPU's queue is not known it may be any of them. */
void flush_queued(struct flushes *f, uint32_t cpu, uint64_t ns, uint32_t pid)
{
	cpu %= FLUSH_CPUS;
	first_queued(&f->waiting[cpu], ns, pid);
	for (unsigned int i = 0; i < f->nr_queues; i++)
		first_queued(&f->queues[i].waiting[cpu], ns, pid);
}

/* Its number; one that is new takes the place of the one issued longest ago. */
static int find_queue(struct flushes *f, uint32_t rq)
{
	unsigned int at = 0;

	for (unsigned int i = 0; i < f->nr_queues; i++) {
		if (f->queues[i].rq == rq)
			return i;
		if (f->queues[i].d_ns < f->queues[at].d_ns)
			at = i;
	}
	if (f->nr_queues < FLUSH_CPUS) {
		at = f->nr_queues++;
		f->queues = xrealloc(f->queues, f->nr_queues * sizeof(*f->queues));
	}
	for (unsigned int i = 0; i < FLUSH_CPUS; i++) {
		if (f->queue_of[i] == (int)at)
			f->queue_of[i] = -1;
	}
	f->queues[at] = (struct flush_queue){.rq = rq};
	memcpy(f->queues[at].waiting, f->waiting, sizeof(f->waiting));
	return at;
}

void flush_known(struct flushes *f, uint32_t cpu, uint32_t rq)
{
	int queue = find_queue(f, rq);

	f->queue_of[cpu % FLUSH_CPUS] = queue;
}

/* On how many CPUs of queue @of (-1: not known) any waits for @queue, the earliest on
 * *@cpu. */
static unsigned int find_waiting(const struct flushes *f, int queue, int of,
				 unsigned int *cpu)
{
	const struct flush_first *waiting = f->queues[queue].waiting;
	unsigned int nr = 0;

	for (unsigned int i = 0; i < FLUSH_CPUS; i++) {
		if (f->queue_of[i] != of || !waiting[i].ns)
			continue;
		if (!nr++ || waiting[i].ns < waiting[*cpu].ns)
			*cpu = i;
	}
	return nr;
}

/* No queue but @queue can have served what waits on the CPU: none has issued since. */
static bool undisputed(const struct flushes *f, int queue, unsigned int cpu)
{
	for (unsigned int i = 0; i < f->nr_queues; i++) {
		if (f->queues[i].waiting[cpu].ns != f->queues[queue].waiting[cpu].ns)
			return false;
	}
	return true;
}

/* What waited for @queue on the CPUs of queue @of waits for no other one either. */
static void served(struct flushes *f, int queue, int of)
{
	for (unsigned int i = 0; i < FLUSH_CPUS; i++) {
		if (f->queue_of[i] != of || !f->queues[queue].waiting[i].ns)
			continue;
		f->waiting[i].ns = 0;
		for (unsigned int k = 0; k < f->nr_queues; k++)
			f->queues[k].waiting[i].ns = 0;
	}
}

static uint64_t cpus_of(const struct flushes *f, int queue)
{
	uint64_t cpus = 0;

	for (unsigned int i = 0; i < FLUSH_CPUS; i++)
		cpus |= (uint64_t)(f->queue_of[i] == queue) << i;
	return cpus;
}

enum flush_q flush_issued(struct flushes *f, uint32_t cpu, uint32_t rq, uint64_t ns,
			  struct flush_served *to)
{
	int queue = find_queue(f, rq), of = queue;
	struct flush_queue *q = &f->queues[queue];
	enum flush_q found = FLUSH_Q_FOUND;
	unsigned int nr, first = 0;

	f->queue_of[cpu % FLUSH_CPUS] = queue;
	to->since_ns = q->d_ns;
	to->cpus = cpus_of(f, queue);
	if (f->nr_queues == 1)
		to->cpus |= cpus_of(f, -1);
	nr = find_waiting(f, queue, of, &first);
	/* Those of a CPU that has issued none so far are of this queue or another. */
	if (!nr) {
		of = -1;
		nr = find_waiting(f, queue, of, &first);
		if (f->nr_queues > 1 && (nr > 1 || !undisputed(f, queue, first)))
			found = FLUSH_Q_AMBIGUOUS;
	}
	if (nr) {
		to->q_ns = q->waiting[first].ns;
		to->pid = q->waiting[first].pid;
		if (found == FLUSH_Q_FOUND) {
			to->cpus |= cpus_of(f, of);
			served(f, queue, of);
		}
	}
	memset(q->waiting, 0, sizeof(q->waiting));
	q->d_ns = ns;
	return nr ? found : FLUSH_Q_NONE;
}
