// SPDX-License-Identifier: GPL-2.0-only
#include "span.h"

#include "util.h"

/*
 * The oldest bio and request of a guest that have not come to their end.  The
 * bios are in the order of their Q; what has no bio is a flush of the block
 * layer's own, or its Q is not known.
 */
static bool in_flight_before(const struct domain *dom, uint64_t ns)
{
	const struct bio *bio = list_entry(dom->bio_age.next, struct bio, age);
	const struct rq *rq = list_entry(dom->rq_age.next, struct rq, age);

	return (!list_empty(&dom->bio_age) && bio->q_ns < ns) ||
	       (!list_empty(&dom->rq_age) &&
		(rq->flags & RQ_NO_Q ? rq->d_ns : rq->q_ns) < ns);
}

bool span_over(const struct parse *p, const struct filter *f)
{
	uint64_t end_ns = add_sat(p->join.start_ns, f->to_ns);

	if (!f->have_time || p->merge.processed_ns <= end_ns)
		return false;
	for (unsigned int i = 0; i < p->model.nr_domains; i++) {
		const struct domain *dom = p->model.domains[i];

		if (!dom->backend && in_flight_before(dom, end_ns))
			return false;
	}
	return true;
}
