// SPDX-License-Identifier: GPL-2.0-only
#include "join/inflight.h"

#include "join/bio.h"
#include "join/rq.h"

enum stage rq_reached(const struct guest_rq *rq)
{
	if (rq->base.flags & RQ_REQUEUED)
		return STAGE_U_Q2D;
	if (!(rq->base.flags & RQ_MATCHED))
		return STAGE_U_T;
	for (const struct list *n = rq->backend_bios.next; n != &rq->backend_bios;
	     n = n->next) {
		if (!(list_entry(n, struct backend_bio, match)->base.flags & BIO_ISSUED))
			return STAGE_0_Q2D;
	}
	return rq->outstanding ? STAGE_0_D2C : STAGE_0_T;
}

static void add_rq(struct in_flight *to, const struct guest_rq *rq)
{
	uint64_t ns = rq->base.flags & RQ_NO_Q ? rq->base.d_ns : rq->base.q_ns;

	if (!to->requests++ || ns < to->oldest_ns) {
		to->oldest_ns = ns;
		to->reached = rq_reached(rq);
	}
}

struct in_flight in_flight_of(const struct disk *disk)
{
	const struct domain *dom = disk->dom;
	struct in_flight found = {0};

	for (const struct list *n = dom->rq_age.next; n != &dom->rq_age; n = n->next) {
		const struct guest_rq *rq = list_entry(n, struct guest_rq, base.age);

		if (rq->base.disk == disk && !(rq->base.flags & RQ_COMPLETED))
			add_rq(&found, rq);
	}
	for (const struct list *n = dom->bio_age.next; n != &dom->bio_age; n = n->next) {
		const struct bio *bio = list_entry(n, struct bio, age);

		found.bios += bio->disk == disk && !bio->rq;
	}
	return found;
}
