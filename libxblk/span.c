// SPDX-License-Identifier: GPL-2.0-only
#include "span.h"

#include <stdlib.h>

#include "base/util.h"
#include "join/bio.h"
#include "join/rq.h"

/* How much before a span is read first of all, and by how much more then. */
#define EARLIER_NS     1000000000ull
#define EARLIER_TIMES  8
#define EARLIER_MAX_NS (4096 * EARLIER_NS)

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

/* A try at where to begin: reads what is before the span, and counts nothing. */
struct trial {
	struct parse parse;
	const struct seekable *src;
	uint64_t offset;
	uint64_t until_ns;
	uint64_t unknown_ns; /* last sight of a request that had begun before */
};

static ssize_t trial_read(void *ctx, void *buf, size_t size)
{
	struct trial *trial = ctx;
	ssize_t n = trial->src->pread(trial->src->ctx, buf, size, trial->offset);

	trial->offset += n > 0 ? n : 0;
	return n;
}

static int trial_seek(void *ctx, uint64_t offset)
{
	struct trial *trial = ctx;

	trial->offset = offset;
	return 0;
}

static bool trial_goes_on(void *ctx, const struct parse *p)
{
	struct trial *trial = ctx;

	return p->merge.processed_ns < trial->until_ns;
}

static void trial_request(void *ctx, const struct xblk_request *r)
{
	struct trial *trial = ctx;
	uint64_t ns = r->c_ns ? r->c_ns : r->d_ns;

	if (r->bin == BIN_BEFORE_TRACE && ns < trial->until_ns && ns > trial->unknown_ns)
		trial->unknown_ns = ns;
}

/*
 * Whether what was in flight where @row begins has ended long before the span: by
 * half of the time until then.
 */
static bool settles(const struct seekable *src, const struct index *x, size_t row,
		    uint64_t until_ns, const volatile sig_atomic_t *stop)
{
	struct trial *trial = xcalloc(1, sizeof(*trial));
	uint64_t from_ns = x->rows[row].time;
	bool settled;

	trial->src = src;
	trial->until_ns = until_ns;
	parse_init(&trial->parse, trial_read, trial);
	trial->parse.reader.seek = trial_seek;
	trial->parse.index = x;
	trial->parse.full_row = row;
	trial->parse.tally.timeline = trial->parse.tally.processes = false;
	trial->parse.tally.on_request = trial_request;
	trial->parse.tally.ctx = trial->parse.ctx = trial;
	trial->parse.on_progress = trial_goes_on;
	trial->parse.stop = stop;
	/* To nobody: what is to be told of the trace is told when it is read. */
	parse_run(&trial->parse);
	settled = trial->unknown_ns < from_ns + (until_ns - from_ns) / 2;
	parse_deinit(&trial->parse);
	free(trial);
	return settled;
}

void span_begin(struct parse *p, const struct seekable *src, const struct index *x,
		const struct filter *f)
{
	uint64_t span_ns = add_sat(x->start_ns, f->from_ns);
	size_t row = 0;

	for (uint64_t ns = EARLIER_NS; ns <= EARLIER_MAX_NS; ns *= EARLIER_TIMES) {
		row = index_row(x, sub_sat(span_ns, ns));
		if (!row || settles(src, x, row, span_ns, p->stop))
			break;
		row = 0;
	}
	p->index = x;
	p->full_row = row;
	p->join.partial_ns = row ? x->rows[row].time : 0;
}
