// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a flush request serves that is issued, by what waits for its queue; and what shows
 * when it is done: what had been on its way only is the next one's.
 */
#include "join/flush.h"

#include <string.h>

#include "base/util.h"
#include "join/rq.h"

/* What waits for a queue, on the CPUs of some. */
struct waiting {
	unsigned int nr_cpus, first; /* on how many of them a bio does, the earliest */
	uint32_t nr, nr_empty, nr_through;
	bool doubtful;
};

static bool any_on(const struct flush_first *on)
{
	return on->ns || on->nr_through;
}

/* And what does on the CPUs of queue @of (-1: of those that are not known). */
static void add_waiting(const struct flushes *f, int queue, int of, struct waiting *w)
{
	const struct flush_first *on = f->queues[queue].waiting;

	for (unsigned int i = 0; i < FLUSH_CPUS; i++) {
		if (f->queue_of[i] != of || !any_on(&on[i]))
			continue;
		if (of != queue && flush_other_ring(f, queue, i))
			continue;
		w->nr += on[i].nr;
		w->nr_empty += on[i].nr_empty;
		w->nr_through += on[i].nr_through;
		w->doubtful |= on[i].doubtful;
		if (!on[i].ns)
			continue;
		if (!w->nr_cpus++ || on[i].ns < on[w->first].ns)
			w->first = i;
	}
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
		const struct flush_first *on = &f->queues[queue].waiting[i];

		if (f->queue_of[i] != of || !any_on(on))
			continue;
		f->waiting[i] = (struct flush_first){0};
		for (unsigned int k = 0; k < f->nr_queues; k++)
			f->queues[k].waiting[i] = (struct flush_first){0};
	}
}

static uint64_t cpus_of(const struct flushes *f, int queue)
{
	uint64_t cpus = 0;

	for (unsigned int i = 0; i < FLUSH_CPUS; i++)
		cpus |= (uint64_t)(f->queue_of[i] == queue) << i;
	return cpus;
}

/* Its own CPU's queue is known by now. */
static struct flush_queue *issue(struct flushes *f, uint32_t cpu, uint32_t rq,
				 struct flush_served *to)
{
	int queue = flush_queue_of(f, cpu, rq);
	struct flush_queue *q = &f->queues[queue];

	to->since_ns = q->d_ns;
	to->before = q->last;
	to->cpus = cpus_of(f, queue);
	if (f->nr_queues == 1)
		to->cpus |= cpus_of(f, -1);
	return q;
}

static void issued(struct flush_queue *q, uint64_t d_ns)
{
	memset(q->waiting, 0, sizeof(q->waiting));
	q->since_ns = q->d_ns;
	q->d_ns = d_ns;
}

static void issued_guest(struct flush_queue *q, struct guest_rq *rq)
{
	if (!q->d_ns)
		q->first = rq;
	q->before = q->last;
	q->last = rq;
	issued(q, rq->base.d_ns);
}

/* Whether all of @cpus are of other queues than @queue. */
static bool are_others(const struct flushes *f, int queue, uint64_t cpus)
{
	for (unsigned int i = 0; i < FLUSH_CPUS; i++) {
		if (cpus >> i & 1 && (f->queue_of[i] == -1 || f->queue_of[i] == queue))
			return false;
	}
	return true;
}

static void know_cpus(struct flushes *f, int queue, uint64_t cpus)
{
	for (unsigned int i = 0; i < FLUSH_CPUS; i++) {
		if (cpus >> i & 1 && f->queue_of[i] == -1)
			f->queue_of[i] = queue;
	}
}

static uint32_t sub_nr(uint32_t nr, uint32_t less)
{
	return nr > less ? nr - less : 0;
}

/*
 * All has gone on that was to behind the queue's last one.  What seemed to wait for that
 * and is still left came when the block layer had chosen already, or was on its way from
 * its Q to the queue: it is in a later one.  What has its bin was long ago.
 */
static void settle(struct flushes *f, int queue, bool counted)
{
	struct flush_queue *q = &f->queues[queue];
	const struct guest_rq *last = q->last;
	uint32_t nr;

	if (!last || !counted) {
		q->nr_left = q->nr_left_own = 0;
		q->along = 0;
		return;
	}
	nr = q->nr_left + last->nr_waiting;
	if (q->first && q->first != last) {
		if (last->nr_gone_on > nr)
			q->first->base.flags |= RQ_AMBIGUOUS;
		q->first = NULL;
	}
	/* What was queued before the trace may have gone on behind the first one, too. */
	if (nr == last->nr_gone_on && q->since_ns)
		know_cpus(f, queue, q->along);
	q->nr_left = sub_nr(nr, last->nr_gone_on);
	q->nr_left_own = sub_nr(q->nr_left_own + q->nr_own, last->nr_gone_on);
	if (are_others(f, queue, q->along))
		q->nr_left = q->nr_left_own;
	if (!q->nr_left)
		q->along = q->nr_left_own = 0;
}

/* Whether what was taken for its, or was left before, may be more than it served. */
static bool may_leave(const struct flush_queue *q)
{
	return q->nr_left || (q->last && q->last->nr_waiting > 1 &&
			      q->last->nr_waiting > q->last->nr_gone_on);
}

/* The CPU of the only bio of the disk that waits for a flush; -1 if none or several do. */
static int only_waiting(const struct flushes *f)
{
	int only = -1;

	for (unsigned int i = 0; i < f->nr_queues; i++) {
		if (may_leave(&f->queues[i]))
			return -1;
	}
	for (unsigned int i = 0; i < FLUSH_CPUS; i++) {
		const struct flush_first *on = &f->waiting[i];

		if (!any_on(on))
			continue;
		if (only >= 0 || on->nr != 1 || on->nr_through)
			return -1;
		only = i;
	}
	return only;
}

static void doubt(struct guest_rq *rq)
{
	if (rq)
		rq->base.flags |= RQ_AMBIGUOUS;
}

/* A flush of @queue may have been for what seems to wait for another one. */
static void doubt_others(struct flushes *f, int queue)
{
	for (unsigned int i = 0; i < FLUSH_CPUS; i++) {
		if (f->queue_of[i] == queue)
			continue;
		f->waiting[i].doubtful = any_on(&f->waiting[i]);
		for (unsigned int k = 0; k < f->nr_queues; k++) {
			struct flush_first *on = &f->queues[k].waiting[i];

			on->doubtful = any_on(on);
		}
	}
}

/* A thread has gone to a CPU of @queue: of the others', what seems to wait may not. */
static void note_move(struct flushes *f, int queue)
{
	f->moves |= f->nr_queues > 1;
	doubt_others(f, queue);
}

/*
 * No flush is issued for nothing, so it is for the only bio that waits, on whatever CPU
 * that does: a thread may have gone to another one between its Q and the choice of the
 * queue.
 */
static void take_only(struct flushes *f, struct flush_queue *q, unsigned int cpu,
		      struct flush_served *to)
{
	const struct flush_first on = f->waiting[cpu];

	to->q_ns = on.ns;
	to->pid = on.pid;
	to->nr = 1;
	to->any = true;
	q->nr_own = 1;
	if (f->queue_of[cpu] >= 0 && f->queue_of[cpu] != q - f->queues)
		note_move(f, q - f->queues);
	/* The queue's last one may have been for it, and this one for what that took. */
	to->any_queue = on.doubtful || on.ns <= to->since_ns;
	if (on.ns <= to->since_ns)
		doubt(to->before);
	f->waiting[cpu] = (struct flush_first){0};
	for (unsigned int i = 0; i < f->nr_queues; i++)
		f->queues[i].waiting[cpu] = (struct flush_first){0};
}

void flush_gone_on(struct flushes *f, struct guest_rq *rq)
{
	const struct flush_queue *q = flush_queue(f, rq->base.id);

	rq->nr_gone_on++;
	/* Once: what came to wait since is none of its. */
	if (!q || q->last != rq || rq->nr_gone_on != q->nr_left + rq->nr_waiting + 1)
		return;
	/* Or what the one before it seemed to be for had been on its way. */
	doubt(q->before);
	note_move(f, q - f->queues);
}

/* Or something may wait that is on CPUs of others than @queue, or was left of theirs. */
static bool waits_elsewhere(const struct flushes *f, int queue)
{
	for (unsigned int i = 0; i < f->nr_queues; i++) {
		if (i != (unsigned int)queue && may_leave(&f->queues[i]))
			return true;
	}
	for (unsigned int i = 0; i < FLUSH_CPUS; i++) {
		if (f->queue_of[i] != queue && any_on(&f->waiting[i]))
			return true;
	}
	return false;
}

void flush_issued(struct flushes *f, uint32_t cpu, struct guest_rq *rq,
		  const struct flush_seen *seen, struct flush_served *to)
{
	struct flush_queue *q = issue(f, cpu, rq->base.id, to);
	struct waiting own = {0}, all = {0};
	unsigned int nr_other;
	int queue = q - f->queues, only;

	settle(f, queue, seen->counted);
	only = seen->all_waiting || f->nr_queues == 1 ? only_waiting(f) : -1;
	if (only >= 0) {
		take_only(f, q, only, to);
		issued_guest(q, rq);
		return;
	}
	add_waiting(f, queue, queue, &all);
	add_waiting(f, queue, -1, &all);
	if (all.nr_cpus) {
		to->q_ns = q->waiting[all.first].ns;
		to->pid = q->waiting[all.first].pid;
	}
	add_waiting(f, queue, queue, &own);
	nr_other = all.nr_cpus - own.nr_cpus;
	to->nr = all.nr + all.nr_through;
	to->any = all.nr_cpus;
	to->through = all.nr_through;
	to->unsure = (nr_other && (all.nr_cpus > 1 || f->nr_queues > 1)) ||
		     (all.nr > 1 && all.nr != all.nr_empty) || (all.nr && all.nr_through);
	to->doubt = q->nr_left;
	/* Another thread may have gone the other way. */
	to->any_queue = all.doubtful ||
			(f->moves && (q->nr_left || waits_elsewhere(f, queue)));
	q->nr_own = own.nr + own.nr_through;
	for (unsigned int i = 0; i < FLUSH_CPUS; i++) {
		const struct flush_first *on = &q->waiting[i];

		if (f->queue_of[i] == -1 && any_on(on) && !flush_other_ring(f, queue, i))
			q->along |= 1ull << i;
	}
	served(f, queue, queue);
	issued_guest(q, rq);
	if (!to->nr && !q->nr_left)
		note_move(f, queue);
	else if (to->any_queue)
		doubt_others(f, queue);
}

bool flush_issued_backend(struct flushes *f, uint32_t cpu, const struct rq *rq,
			  struct flush_served *to)
{
	struct flush_queue *q = issue(f, cpu, rq->id, to);
	int queue = q - f->queues, of = queue;
	struct waiting w = {0};

	add_waiting(f, queue, of, &w);
	if (!w.nr_cpus) {
		of = -1;
		add_waiting(f, queue, of, &w);
	} else {
		struct waiting unknown = {0};

		add_waiting(f, queue, -1, &unknown);
		to->unsure = unknown.nr_cpus;
	}
	if (w.nr_cpus && (of == queue || f->nr_queues == 1 ||
			  (w.nr_cpus == 1 && undisputed(f, queue, w.first)))) {
		to->cpus |= cpus_of(f, of);
		served(f, queue, of);
	}
	issued(q, rq->d_ns);
	return w.nr_cpus;
}
