// SPDX-License-Identifier: GPL-2.0-only
/* A disk's queues, of which CPUs they are, and what waits on these. */
#include "join/flush.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "join/disk.h"
#include "join/rq.h"

struct flushes *flushes_new(const struct disk *disk)
{
	struct flushes *f = xcalloc(1, sizeof(*f));

	f->disk = disk;
	for (unsigned int i = 0; i < FLUSH_CPUS; i++) {
		f->queue_of[i] = -1;
		f->ring_of[i] = FLUSH_RING_UNKNOWN;
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

void flush_behind(struct flushes *f, uint32_t cpu)
{
	cpu %= FLUSH_CPUS;
	f->waiting[cpu].nr_through++;
	for (unsigned int i = 0; i < f->nr_queues; i++)
		f->queues[i].waiting[cpu].nr_through++;
}

static void first_queued(struct flush_first *first, uint64_t ns, uint32_t pid, bool empty)
{
	if (!first->ns) {
		first->ns = ns;
		first->pid = pid;
	}
	first->nr++;
	first->nr_empty += empty;
}

/* As long as the CPU's queue is not known it may be any of them. */
void flush_queued(struct flushes *f, uint32_t cpu, uint64_t ns, uint32_t pid, bool empty)
{
	cpu %= FLUSH_CPUS;
	first_queued(&f->waiting[cpu], ns, pid, empty);
	for (unsigned int i = 0; i < f->nr_queues; i++)
		first_queued(&f->queues[i].waiting[cpu], ns, pid, empty);
}

struct flush_queue *flush_queue(const struct flushes *f, uint32_t rq)
{
	for (unsigned int i = 0; f && i < f->nr_queues; i++) {
		if (f->queues[i].rq == rq)
			return &f->queues[i];
	}
	return NULL;
}

/*
 * Room for another one: if there is none, that of the one issued longest ago.  A queue
 * has a CPU of its own at least, and each CPU has a stream.
 */
static unsigned int take_queue(struct flushes *f)
{
	unsigned int at = 0;

	if (f->nr_queues < min_u64(FLUSH_QUEUES, f->disk->dom->nr_streams)) {
		at = f->nr_queues++;
		if (!(at & (at - 1)))
			f->queues = xrealloc(f->queues,
					     (at ? 2 * at : 1) * sizeof(*f->queues));
		return at;
	}
	f->moves |= f->nr_queues == FLUSH_QUEUES;
	for (unsigned int i = 1; i < f->nr_queues; i++) {
		if (f->queues[i].d_ns < f->queues[at].d_ns)
			at = i;
	}
	for (unsigned int i = 0; i < FLUSH_CPUS; i++) {
		if (f->queue_of[i] == (int)at)
			f->queue_of[i] = -1;
	}
	return at;
}

unsigned int flush_queue_of(struct flushes *f, uint32_t cpu, uint32_t rq)
{
	const struct flush_queue *q = flush_queue(f, rq);
	unsigned int at = q ? q - f->queues : take_queue(f);

	if (!q) {
		f->queues[at] = (struct flush_queue){.rq = rq};
		memcpy(f->queues[at].waiting, f->waiting, sizeof(f->waiting));
	}
	f->queue_of[cpu % FLUSH_CPUS] = at;
	return at;
}

void flush_known(struct flushes *f, uint32_t cpu, uint32_t rq, uint64_t ns)
{
	unsigned int queue = flush_queue_of(f, cpu, rq);

	f->queues[queue].d_ns = ns;
}

void flush_note_ring(struct flushes *f, uint32_t cpu, int ring)
{
	int *of = &f->ring_of[cpu % FLUSH_CPUS];

	if (*of == FLUSH_RING_UNKNOWN)
		*of = ring;
	else if (*of != ring)
		*of = FLUSH_RING_SEVERAL;
}

bool flush_other_ring(const struct flushes *f, int queue, uint32_t cpu)
{
	int ring = f->ring_of[cpu % FLUSH_CPUS];
	bool other = false;

	for (unsigned int i = 0; ring >= 0 && i < FLUSH_CPUS; i++) {
		if (f->queue_of[i] != queue)
			continue;
		if (f->ring_of[i] == ring)
			return false;
		other |= f->ring_of[i] >= 0;
	}
	return other;
}

struct flushes *disk_flushes(struct disk *disk)
{
	struct join_disk *d = join_disk(disk);

	if (!d->flushes)
		d->flushes = flushes_new(disk);
	return d->flushes;
}

void flush_forget(const struct flushes *f, const struct guest_rq *rq)
{
	struct flush_queue *q = flush_queue(f, rq->base.id);

	if (q && q->last == rq)
		q->last = NULL;
	if (q && q->before == rq)
		q->before = NULL;
	if (q && q->first == rq)
		q->first = NULL;
}

bool flush_first_doubtful(const struct flushes *f, const struct guest_rq *rq)
{
	const struct flush_queue *q = flush_queue(f, rq->base.id);
	const struct guest_rq *next = q ? q->last : NULL;

	if (!next || q->first != rq || next == rq)
		return false;
	return !(next->base.flags & RQ_COMPLETED) ||
	       next->nr_gone_on > q->nr_left + next->nr_waiting;
}

uint64_t flush_since(const struct flushes *f, uint32_t rq)
{
	const struct flush_queue *q = flush_queue(f, rq);

	return q ? q->d_ns : 0;
}

struct guest_rq *flush_last(const struct flushes *f, uint32_t rq)
{
	const struct flush_queue *q = flush_queue(f, rq);

	return q ? q->last : NULL;
}

/* Whether what is issued on @cpu may be of queue @i; @of: that CPU's, or -1. */
static bool may_be_of(const struct flushes *f, unsigned int i, int of, uint32_t cpu)
{
	return (of < 0 || of == (int)i) && !flush_other_ring(f, i, cpu);
}

void flush_doubt_last(const struct flushes *f, uint32_t cpu)
{
	int of = f->queue_of[cpu % FLUSH_CPUS];

	for (unsigned int i = 0; i < f->nr_queues; i++) {
		struct guest_rq *last = f->queues[i].last;

		if (last && last->base.flags & RQ_COMPLETED && may_be_of(f, i, of, cpu))
			last->base.flags |= RQ_AMBIGUOUS;
	}
}

struct guest_rq *flush_before(const struct flushes *f, uint32_t cpu, uint64_t q_ns)
{
	struct guest_rq *found = NULL;
	int of = f->queue_of[cpu % FLUSH_CPUS];

	for (unsigned int i = 0; i < f->nr_queues; i++) {
		const struct flush_queue *q = &f->queues[i];

		if (!may_be_of(f, i, of, cpu) || q_ns <= q->since_ns || q_ns > q->d_ns ||
		    !q->last || !(q->last->base.flags & RQ_COMPLETED))
			continue;
		if (found)
			return NULL;
		found = q->last;
	}
	return found;
}
