// SPDX-License-Identifier: GPL-2.0-only
#include "join/told_queues.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "join/bio.h"
#include "join/disk.h"
#include "join/rq.h"

/* A guest has as many as it has vCPUs, a channel's rings; dom0's NVMe may have more. */
#define QUEUES_GUEST   64
#define QUEUES_BACKEND 1024

struct told_queues {
	unsigned int nr;
	struct told_queue q[];
};

struct told_queue *told_queue_find(const struct disk *disk, uint32_t id)
{
	struct told_queues *queues = join_disk(disk)->told_queues;

	for (unsigned int i = 0; queues && i < queues->nr; i++) {
		if (queues->q[i].id == id)
			return &queues->q[i];
	}
	return NULL;
}

struct told_queue *told_queue_by_rq(const struct disk *disk, uint32_t rq)
{
	struct told_queues *queues = join_disk(disk)->told_queues;

	for (unsigned int i = 0; queues && i < queues->nr; i++) {
		if (queues->q[i].rq == rq)
			return &queues->q[i];
	}
	return NULL;
}

/* If there is no room, in that of the one whose request was issued longest ago. */
static struct told_queue *add(struct disk *disk, uint32_t id)
{
	struct told_queues *queues = join_disk(disk)->told_queues;
	unsigned int nr = queues ? queues->nr : 0, at = nr;

	if (nr < (disk->dom->backend ? QUEUES_BACKEND : QUEUES_GUEST)) {
		queues =
			xrealloc(queues, sizeof(*queues) + (nr + 1) * sizeof(*queues->q));
		queues->nr = nr + 1;
		join_disk(disk)->told_queues = queues;
	} else {
		at = 0;
		for (unsigned int i = 1; i < nr; i++) {
			if (queues->q[i].d_ns < queues->q[at].d_ns)
				at = i;
		}
	}
	queues->q[at] = (struct told_queue){.id = id};
	return &queues->q[at];
}

struct told_queue *told_queue_get(struct disk *disk, uint32_t id)
{
	struct told_queue *q = told_queue_find(disk, id);

	return q ? q : add(disk, id);
}

void told_queue_wait(struct told_queue *q, struct bio *bio)
{
	bio->turn = q->turn;
	q->nr_waiting[0]++;
}

void told_queue_go(struct told_queue *q, const struct bio *bio)
{
	unsigned int turn = (uint8_t)(q->turn - bio->turn);

	if (turn < TOLD_TURNS && q->nr_waiting[turn])
		q->nr_waiting[turn]--;
}

void told_queue_turn(struct told_queue *q)
{
	memmove(&q->nr_waiting[1], &q->nr_waiting[0],
		(TOLD_TURNS - 1) * sizeof(*q->nr_waiting));
	q->nr_waiting[0] = 0;
	q->turn++;
}

bool told_queue_gone_on(const struct guest_rq *rq)
{
	const struct told_queue *q = told_queue_by_rq(rq->base.disk, rq->base.id);

	return !q || q->last != rq || !(q->nr_waiting[1] || q->nr_waiting[2]);
}

void told_queue_doubt(const struct told_queue *q, uint64_t q_ns)
{
	struct guest_rq *rq = q->last;

	if (rq && !(rq->base.flags & RQ_COMPLETED))
		rq = q->before;
	if (rq && q_ns <= rq->base.d_ns)
		rq->base.flags |= RQ_AMBIGUOUS;
}

void told_queues_doubt(const struct disk *disk, uint64_t q_ns)
{
	const struct told_queues *queues = join_disk(disk)->told_queues;

	for (unsigned int i = 0; queues && i < queues->nr; i++)
		told_queue_doubt(&queues->q[i], q_ns);
}

void told_queue_forget(const struct disk *disk, const struct guest_rq *rq)
{
	struct told_queues *queues = join_disk(disk)->told_queues;

	/* A guest that writes what it likes may name it as that of several. */
	for (unsigned int i = 0; queues && i < queues->nr; i++) {
		struct told_queue *q = &queues->q[i];

		if (q->last == rq)
			q->last = NULL;
		if (q->before == rq)
			q->before = NULL;
	}
}

void told_queues_free(struct told_queues *queues)
{
	free(queues);
}
