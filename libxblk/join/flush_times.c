// SPDX-License-Identifier: GPL-2.0-only
#include "join/flush_times.h"

#include "base/op.h"
#include "base/util.h"
#include "join/disk.h"
#include "join/rq.h"

void flush_times_begin(struct flush_times *f, uint64_t ns)
{
	unsigned int i = f->nr % FLUSH_SPANS;

	f->begun[f->nr_begun++ % FLUSH_SPANS] = ns;
	if (f->outstanding++)
		return;
	f->span[i].from = ns;
	f->span[i].to = UINT64_MAX;
	f->nr++;
}

void flush_times_end(struct flush_times *f, uint64_t ns)
{
	unsigned int i = f->nr_done++ % FLUSH_SPANS;

	f->done[i].ns = ns;
	f->done[i].waited = f->done[i].ended = 0;
	if (!f->outstanding || --f->outstanding)
		return;
	f->span[(f->nr - 1) % FLUSH_SPANS].to = ns;
}

bool flush_times_ended(const struct flush_times *f, uint64_t from, uint64_t to)
{
	for (uint64_t i = 0; f && i < f->nr_done && i < FLUSH_SPANS; i++) {
		if (f->done[i].ns > from && f->done[i].ns <= to)
			return true;
	}
	/* Of earlier ones it is not known. */
	return f && f->nr_done > FLUSH_SPANS && f->done[f->nr_done % FLUSH_SPANS].ns > to;
}

void flush_times_count(struct flush_times *f, uint64_t nr)
{
	if (!f || f->nr_done - nr >= FLUSH_SPANS)
		return;
	f->counted = true;
	f->done[(nr - 1) % FLUSH_SPANS].ended++;
}

bool flush_times_others(const struct flush_times *f, uint64_t ns)
{
	for (uint64_t i = 0; f && f->counted && i < f->nr_done && i < FLUSH_SPANS; i++) {
		if (f->done[i].ns == ns)
			return f->done[i].waited != f->done[i].ended;
	}
	return f && f->counted;
}

bool flush_times_several(const struct flush_times *f, uint64_t from, uint64_t to)
{
	unsigned int nr = 0;

	for (uint64_t i = 0; f && i < f->nr_begun && i < FLUSH_SPANS; i++)
		nr += f->begun[i] > from && f->begun[i] <= to;
	return nr > 1;
}

uint64_t flush_times_overlap(const struct flush_times *f, uint64_t from, uint64_t to)
{
	uint64_t sum = 0;

	if (!f)
		return 0;
	for (uint64_t n = f->nr; n > 0 && f->nr - n < FLUSH_SPANS; n--) {
		uint64_t a = f->span[(n - 1) % FLUSH_SPANS].from;
		uint64_t b = f->span[(n - 1) % FLUSH_SPANS].to;

		if (b <= from)
			break;
		a = a > from ? a : from;
		b = b < to ? b : to;
		if (a < b)
			sum += b - a;
	}
	return sum;
}

static __attribute__((noinline)) void issued(struct rq *rq)
{
	struct join_disk *disk = join_disk(rq->disk);

	if (!disk->flush_times)
		disk->flush_times = xcalloc(1, sizeof(*disk->flush_times));
	flush_times_begin(disk->flush_times, rq->d_ns);
	rq->flags |= RQ_FLUSHING;
}

void flush_times_issued(struct rq *rq)
{
	if (op_class(rq->op) == XBLK_OP_FLUSH && !(rq->flags & RQ_FLUSHING))
		issued(rq);
}

static __attribute__((noinline)) void done(struct rq *rq, uint64_t ns)
{
	struct flush_times *f = join_disk(rq->disk)->flush_times;

	flush_times_end(f, ns);
	f->done[(f->nr_done - 1) % FLUSH_SPANS].waited = rq->nr_bios;
	rq->flags &= ~RQ_FLUSHING;
}

void flush_times_done(struct rq *rq, uint64_t ns)
{
	if (unlikely(rq->flags & RQ_FLUSHING))
		done(rq, ns);
}
