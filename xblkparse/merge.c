// SPDX-License-Identifier: GPL-2.0-only
#include "merge.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

/* How far a record's time may be off the trace's start and its chunk's time. */
#define EARLY_NS 1000000000ull
#define AHEAD_NS 10000000000ull

void merge_init(struct merge *m, struct model *model, merge_emit_fn emit, void *ctx)
{
	memset(m, 0, sizeof(*m));
	m->model = model;
	m->emit = emit;
	m->ctx = ctx;
	m->max_buffered = MERGE_MAX_BUFFERED;
}

void merge_deinit(struct merge *m)
{
	for (unsigned int i = 0; i < m->nr_streams; i++) {
		free(m->streams[i]->buf);
		free(m->streams[i]);
	}
	free(m->streams);
	free(m->heap);
	memset(m, 0, sizeof(*m));
}

struct stream *merge_stream(struct merge *m, unsigned int domid, uint32_t cpu)
{
	struct domain *dom;
	struct stream *s;

	for (unsigned int i = 0; i < m->nr_streams; i++) {
		s = m->streams[i];
		if (s->dom->domid == domid && s->cpu == cpu)
			return s;
	}
	if (m->nr_streams == MAX_STREAMS)
		return NULL;
	dom = model_domain(m->model, domid);
	if (!dom)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->dom = dom;
	s->cpu = cpu;
	s->nr = m->nr_streams;
	m->streams = xrealloc(m->streams, (m->nr_streams + 1) * sizeof(*m->streams));
	m->heap = xrealloc(m->heap, (m->nr_streams + 1) * sizeof(*m->heap));
	m->streams[m->nr_streams++] = s;
	return s;
}

static const struct xblk_record *first(const struct stream *s)
{
	return &s->buf[s->head];
}

static bool before(const struct stream *a, const struct stream *b)
{
	uint64_t ta = first(a)->time, tb = first(b)->time;

	return ta != tb ? ta < tb : a->nr < b->nr;
}

static void sift_down(struct merge *m, unsigned int i)
{
	struct stream *s = m->heap[i];

	for (;;) {
		unsigned int child = 2 * i + 1;

		if (child >= m->nr_heap)
			break;
		if (child + 1 < m->nr_heap && before(m->heap[child + 1], m->heap[child]))
			child++;
		if (!before(m->heap[child], s))
			break;
		m->heap[i] = m->heap[child];
		i = child;
	}
	m->heap[i] = s;
}

static void heap_build(struct merge *m)
{
	m->nr_heap = 0;
	for (unsigned int i = 0; i < m->nr_streams; i++) {
		if (m->streams[i]->head < m->streams[i]->len)
			m->heap[m->nr_heap++] = m->streams[i];
	}
	for (unsigned int i = m->nr_heap / 2; i-- > 0;)
		sift_down(m, i);
}

static bool continues(const struct xblk_record *r)
{
	return r->event == XBLK_EV_PART || r->event == XBLK_EV_REMAP_FROM;
}

static void emit_first(struct merge *m, struct stream *s)
{
	/* What belongs to a record comes right behind it, whatever its time. */
	do {
		m->emit(m->ctx, s, &s->buf[s->head++]);
		m->buffered--;
	} while (s->head < s->len && continues(first(s)));
}

/* Process what is older than @limit, in order. */
static void process(struct merge *m, uint64_t limit)
{
	heap_build(m);
	while (m->nr_heap) {
		struct stream *s = m->heap[0];

		if (first(s)->time >= limit)
			break;
		emit_first(m, s);
		if (s->head == s->len)
			m->heap[0] = m->heap[--m->nr_heap];
		if (m->nr_heap)
			sift_down(m, 0);
	}
	if (limit > m->processed_ns)
		m->processed_ns = limit;
}

/* Without rounds: go on to where all streams that have something have come. */
static void overflow(struct merge *m)
{
	uint64_t limit = UINT64_MAX;

	for (unsigned int i = 0; i < m->nr_streams; i++) {
		struct stream *s = m->streams[i];

		if (s->head < s->len && s->last_ns < limit)
			limit = s->last_ns;
	}
	process(m, limit);
	/*
	 * One stream that is far behind (or a guest's, with wrong times) must
	 * not make us hold everything else: the fullest stream goes ahead.
	 */
	while (m->buffered > m->max_buffered / 2) {
		struct stream *most = m->streams[0];

		for (unsigned int i = 1; i < m->nr_streams; i++) {
			struct stream *s = m->streams[i];

			if (s->len - s->head > most->len - most->head)
				most = s;
		}
		while (most->head < most->len)
			emit_first(m, most);
	}
}

static struct xblk_record *append(struct merge *m, struct stream *s)
{
	if (s->len == s->cap) {
		if (s->head > s->cap / 2) {
			memmove(s->buf, s->buf + s->head,
				(s->len - s->head) * sizeof(*s->buf));
			s->len -= s->head;
			s->head = 0;
		} else {
			s->cap = s->cap ? 2 * s->cap : 1024;
			s->buf = xrealloc(s->buf, s->cap * sizeof(*s->buf));
		}
	}
	m->buffered++;
	return &s->buf[s->len++];
}

static void append_gap(struct merge *m, struct stream *s, uint64_t until, uint64_t count)
{
	uint64_t from = s->last_ns;
	struct xblk_record *r;

	if (until < from)
		until = from;
	/* A run of bad records is one gap. */
	if (s->len > s->head && s->buf[s->len - 1].event == EV_GAP) {
		r = &s->buf[s->len - 1];
		r->lost.count = add_sat(r->lost.count, count);
		if (until > r->lost.until)
			r->lost.until = until;
		return;
	}
	r = append(m, s);
	memset(r, 0, sizeof(*r));
	r->time = from;
	r->lost.until = until;
	r->lost.count = count;
	r->event = EV_GAP;
	r->disk = XBLK_NO_DISK;
}

void merge_data(struct merge *m, struct stream *s, const struct xblk_chunk *chunk,
		const struct xblk_record *records, size_t nr)
{
	uint64_t min_ns = sub_sat(m->start_ns, EARLY_NS);
	uint64_t max_ns = add_sat(chunk->time, AHEAD_NS);

	if (s->head == s->len)
		s->head = s->len = 0;
	if (s->last_ns < min_ns)
		s->last_ns = min_ns;
	if (chunk->sequence > s->next_sequence) {
		uint64_t missing = chunk->sequence - s->next_sequence;

		s->missing = add_sat(s->missing, missing);
		append_gap(m, s, nr ? records[0].time : chunk->time, missing);
		if (s->buf[s->len - 1].lost.until > max_ns)
			s->buf[s->len - 1].lost.until = max_ns;
	} else if (chunk->sequence < s->next_sequence) {
		msg("domain %u, cpu %u: the stream's sequence goes back", s->dom->domid,
		    s->cpu);
	}
	s->next_sequence = add_sat(chunk->sequence, nr);
	s->found += nr;
	for (size_t i = 0; i < nr; i++) {
		const struct xblk_record *r = &records[i];

		if (!record_valid(r, s->dom, min_ns, max_ns)) {
			s->invalid++;
			append_gap(m, s, s->last_ns, 1);
			continue;
		}
		/* A gap ends where something good begins again. */
		if (s->len > s->head && s->buf[s->len - 1].event == EV_GAP &&
		    s->buf[s->len - 1].lost.until < r->time)
			s->buf[s->len - 1].lost.until = r->time;
		if (r->time < m->processed_ns)
			s->late++;
		if (r->event == XBLK_EV_LOST)
			s->lost = add_sat(s->lost, r->lost.count);
		if (r->time > s->last_ns)
			s->last_ns = r->time;
		*append(m, s) = *r;
	}
	if (m->buffered > m->max_buffered)
		overflow(m);
}

void merge_round(struct merge *m, uint64_t ns)
{
	/*
	 * One round back: a producer may have taken its time stamp before the
	 * round, and published the record after it.
	 */
	if (ns < m->round_ns)
		return;
	process(m, m->round_ns);
	m->round_ns = ns;
}

void merge_finish(struct merge *m)
{
	process(m, UINT64_MAX);
	/* The very last instant is not below the limit. */
	for (unsigned int i = 0; i < m->nr_streams; i++) {
		while (m->streams[i]->head < m->streams[i]->len)
			emit_first(m, m->streams[i]);
	}
}
