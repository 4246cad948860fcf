// SPDX-License-Identifier: GPL-2.0-only
/*
 * A producer tells of a loss when it can write again, and on a CPU that has
 * become idle that may be long after.  So the last verdicts that a loss would
 * have changed are kept for a while.
 */
#include "join.h"
#include "util.h"

/* As much of a loss before or after a request may concern it: clocks, order. */
#define LOSS_SLACK_NS 1000000ull

struct verdict verdict_span(const struct join *j, const struct rq *rq)
{
	const struct domain *guest = rq->disk->dom;
	uint64_t slack = add_sat(model_uncertainty(j->model, guest), LOSS_SLACK_NS);
	uint64_t to = rq->flags & RQ_COMPLETED ? rq->c_ns : UINT64_MAX;

	return (struct verdict){
		.disk = rq->disk,
		.guest_from = rq->flags & RQ_NO_Q ? 0 : rq->q_ns,
		.guest_to = to,
		.backend_from = sub_sat(rq->d_ns, slack),
		.backend_to = add_sat(to, slack),
	};
}

bool verdict_lost(const struct join *j, const struct verdict *v)
{
	const struct domain *backend = j->model->backend;

	return gaps_overlap(&v->disk->dom->gaps, v->guest_from, v->guest_to) ||
	       (backend && gaps_overlap(&backend->gaps, v->backend_from, v->backend_to));
}

void verdict_keep(struct join *j, struct verdict v, enum bin bin)
{
	switch (bin) {
	case BIN_BEFORE_TRACE:
	case BIN_NO_BACKEND_IO:
	case BIN_INCOMPLETE:
	case BIN_MALFORMED:
		v.bin = bin;
		j->verdicts[j->nr_verdicts++ % VERDICTS] = v;
		break;
	default:
		break;
	}
}

void join_gap(struct join *j, struct domain *dom, uint64_t from, uint64_t to)
{
	uint64_t nr = j->nr_verdicts < VERDICTS ? j->nr_verdicts : VERDICTS;

	gaps_add(&dom->gaps, from, to);
	for (uint64_t i = 0; i < nr; i++) {
		struct verdict *v = &j->verdicts[i];
		bool guest, backend;

		if (!v->disk)
			continue;
		guest = v->disk->dom == dom && from <= v->guest_to && to >= v->guest_from;
		backend = dom->backend && from <= v->backend_to && to >= v->backend_from;
		if (!guest && !backend)
			continue;
		v->disk->stats.bins[v->bin]--;
		v->disk->stats.bins[BIN_LOST]++;
		v->disk = NULL;
	}
}
