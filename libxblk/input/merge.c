// SPDX-License-Identifier: GPL-2.0-only
#include "input/merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* How far a record's time may be off the trace's start and its chunk's time. */
#define EARLY_NS 1000000000ull
#define AHEAD_NS 10000000000ull

/* What belongs to the record before it comes right behind that, whatever its time. */
static bool continues(unsigned int event)
{
	return event == XBLK_EV_PART || event == XBLK_EV_REMAP_FROM;
}

void merge_init(struct merge *m, struct model *model)
{
	memset(m, 0, sizeof(*m));
	m->model = model;
	m->max_buffered = MERGE_MAX_BUFFERED;
	m->fresh_ns = UINT64_MAX;
	for (unsigned int event = 0; event < EVENTS; event++)
		m->key_bits[event] = continues(event) ? MAX_STREAMS - 1 : UINT64_MAX;
	map_init(&m->by_cpu);
}

void merge_to(struct merge *m, const merge_emit_pair emit[EVENTS], void *ctx)
{
	for (unsigned int event = 0; event < EVENTS; event++) {
		m->sides[false].emit[event] = emit[event][false];
		m->sides[true].emit[event] = emit[event][true];
	}
	m->ctx = ctx;
}

void merge_deinit(struct merge *m)
{
	struct stream *s;
	unsigned int at = 0;

	while ((s = merge_next(m, &at))) {
		free(s->buf);
		free(s);
	}
	map_deinit(&m->by_cpu);
	free(m->streams);
	free(m->busy);
	free(m->ended);
	for (unsigned int i = 0; i < ARRAY_SIZE(m->sides); i++) {
		free(m->sides[i].streams);
		free(m->sides[i].keys);
	}
	memset(m, 0, sizeof(*m));
}

struct stream *merge_next(const struct merge *m, unsigned int *at)
{
	while (*at < m->nr_ended + m->nr_streams) {
		unsigned int i = (*at)++;
		struct stream *s = i < m->nr_ended ? m->ended[i]
						   : m->streams[i - m->nr_ended];

		if (s != &m->none)
			return s;
	}
	return NULL;
}

static uint32_t stream_id(unsigned int domid, uint32_t cpu)
{
	return (uint32_t)domid << 16 | cpu;
}

struct stream *merge_find(const struct merge *m, unsigned int domid, uint32_t cpu)
{
	if (cpu <= UINT16_MAX)
		return map_get(&m->by_cpu, stream_id(domid, cpu));
	for (unsigned int i = 0; i < m->nr_streams; i++) {
		struct stream *s = m->streams[i];

		if (s != &m->none && s->dom->domid == domid && s->cpu == cpu)
			return s;
	}
	return NULL;
}

/* The number of a stream that has ended, or a new one. */
static unsigned int take_number(struct merge *m)
{
	unsigned int nr = 0;

	if (m->nr_none) {
		while (m->streams[nr] != &m->none)
			nr++;
		m->nr_none--;
		return nr;
	}
	m->streams = xrealloc(m->streams, (m->nr_streams + 1) * sizeof(*m->streams));
	return m->nr_streams++;
}

struct stream *merge_stream(struct merge *m, unsigned int domid, uint32_t cpu)
{
	struct stream *s = merge_find(m, domid, cpu);
	struct domain *dom;

	if (s)
		return s;
	if (m->nr_streams - m->nr_none == MAX_STREAMS)
		return NULL;
	dom = model_domain(m->model, domid);
	if (!dom)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	list_init(&s->responses);
	s->dom = dom;
	dom->nr_streams++;
	s->sibling = dom->streams;
	dom->streams = s;
	s->cpu = cpu;
	s->nr = take_number(m);
	m->streams[s->nr] = s;
	if (cpu <= UINT16_MAX)
		map_set(&m->by_cpu, stream_id(domid, cpu), s);
	return s;
}

static bool waits(const struct stream *s)
{
	return s->head < s->tail;
}

/*
 * A stream's key: the time of its first record and, to break ties, its number.
 * 50 bits of ns are 13 days: what is further off than that is not told apart.  So they
 * do not count from what is late by half of that or more: a guest's time can be anything.
 */
#define NR_BITS	   14
#define KEY_FAR	   (UINT64_MAX >> NR_BITS)
#define KEY_ABSENT UINT64_MAX

_Static_assert(MAX_STREAMS <= 1 << NR_BITS, "a stream's number fits its key");

static inline uint64_t key_of(uint64_t ns, uint64_t base_ns, uint64_t far)
{
	uint64_t since = ns - base_ns;

	if (unlikely(since > far))
		since = ns < base_ns ? 1 : far;
	return since << NR_BITS;
}

/* Of its first record, and what is to be done with that. */
static inline uint64_t stream_key(const struct merge *m, struct stream *s)
{
	s->emit = s->side->emit[s->head->event];
	return key_of(s->head->time, m->base_ns, KEY_FAR - 2) | s->nr;
}

/* Behind the one that is being processed. */
static inline uint64_t next_key(const struct merge *m, struct stream *s)
{
	if (unlikely(!waits(s)))
		return KEY_ABSENT;
	return stream_key(m, s) & m->key_bits[s->head->event];
}

/*
 * A tree of matches that the lesser key wins, between as many as there are.  Node n has
 * the key that lost there; who won meets the other one of nodes 2n and 2n + 1 at the node
 * above.  Which stream is next is hard to foresee; hence no branch depends on it.
 */

static void play(const struct merge *m, struct merge_side *side)
{
	unsigned int nr = side->nr;
	uint64_t *lost = side->keys, *won = side->keys + nr;

	if (!nr) {
		side->least = KEY_ABSENT;
		return;
	}
	for (unsigned int i = 0; i < nr; i++) {
		struct stream *s = side->streams[i];

		s->first_match = (nr + i) / 2;
		won[nr + i] = stream_key(m, s);
	}
	for (unsigned int n = nr - 1; n; n--) {
		uint64_t one = won[2 * n], other = won[2 * n + 1];

		won[n] = min_u64(one, other);
		lost[n] = max_u64(one, other);
	}
	side->least = won[1];
}

/* Only the one whose first match is at @n has another @key. */
static inline void replay(struct merge_side *side, size_t n, uint64_t key)
{
	uint64_t *lost = side->keys;

	for (; n; n /= 2) {
		uint64_t other = lost[n], both = key + other;

		key = min_u64(key, other);
		lost[n] = both - key;
	}
	side->least = key;
}

static inline uint64_t least_key(const struct merge *m)
{
	return min_u64(m->sides[false].least, m->sides[true].least);
}

static void emit_all(struct merge *m, struct stream *s, const struct xblk_record *from,
		     const struct xblk_record *to)
{
	for (; from < to; from++)
		m->sides[s->dom->backend].emit[from->event](m->ctx, s, from);
}

/* Something waits of it from now on. */
static void is_busy(struct merge *m, struct stream *s)
{
	if (s->busy || !waits(s))
		return;
	if (m->nr_busy == m->room_busy) {
		m->room_busy = m->room_busy ? 2 * m->room_busy : 64;
		m->busy = xrealloc(m->busy, m->room_busy * sizeof(*m->busy));
	}
	s->busy = true;
	m->busy[m->nr_busy++] = s;
	m->fresh_ns = min_u64(m->fresh_ns, s->head->time);
}

/* There is room for @nr streams. */
static void reserve_side(struct merge_side *side, unsigned int nr)
{
	unsigned int room = side->room ? side->room : 4;

	side->nr = 0;
	if (nr <= side->room)
		return;
	while (room < nr)
		room *= 2;
	side->streams = xrealloc(side->streams, room * sizeof(*side->streams));
	side->keys = xrealloc(side->keys, 3 * room * sizeof(*side->keys));
	side->room = room;
}

/* Those of which something is before @limit; when the earliest of it was. */
static uint64_t take_turns(struct merge *m, uint64_t limit)
{
	struct merge_side *guests = &m->sides[false], *dom0 = &m->sides[true];
	unsigned int nr = m->nr_busy, nr_busy = 0, nr_guests = 0;
	struct stream **busy = m->busy;
	uint64_t ns = UINT64_MAX;

	/* What has come since the round before is mostly of the next one's turn. */
	if (m->fresh_ns >= limit)
		nr = m->nr_looked_at;
	reserve_side(guests, nr);
	reserve_side(dom0, nr);
	for (unsigned int i = 0; i < nr; i++) {
		struct stream *s = busy[i];
		bool before;

		s->busy = waits(s);
		if (!s->busy)
			continue;
		busy[nr_busy++] = s;
		ns = min_u64(ns, s->head->time);
		before = s->head->time < limit;
		if (unlikely(s->dom->backend)) {
			s->side = dom0;
			dom0->streams[dom0->nr] = s;
			dom0->nr += before;
		} else {
			s->side = guests;
			guests->streams[nr_guests] = s;
			nr_guests += before;
		}
	}
	guests->nr = nr_guests;
	if (m->nr_busy > nr)
		memmove(busy + nr_busy, busy + nr, (m->nr_busy - nr) * sizeof(*busy));
	m->nr_busy -= nr - nr_busy;
	m->nr_looked_at = m->nr_busy;
	m->fresh_ns = UINT64_MAX;
	return ns;
}

/* So many records before their turn they are fetched from memory. */
#define PREFETCH 6

/* Whose first record is next, and what is to be done with it. */
struct turn {
	struct stream *s; /* NULL: nothing more before the limit */
	merge_emit_fn emit;
};

static inline struct turn turn_of(const struct merge *m, uint64_t key, uint64_t limit_key)
{
	struct turn t = {0};

	if (key < limit_key) {
		t.s = m->streams[key & (MAX_STREAMS - 1)];
		t.emit = t.s->emit;
	}
	return t;
}

/*
 * All that is before @limit_key.  Which record is next, and which function it is for,
 * is waiting for one load after the other; found out before the last one is processed,
 * the processor does both at the same time.  Then it also knows where to go on as soon
 * as it gets there, which it cannot foresee: the events are in no order.
 */
static void process_before(struct merge *m, uint64_t limit_key)
{
	struct turn turn = turn_of(m, least_key(m), limit_key);

	while (turn.s) {
		struct stream *s = turn.s;
		merge_emit_fn emit = turn.emit;
		const struct xblk_record *first = s->head;

		__builtin_prefetch(first + PREFETCH);
		s->head = first + 1;
		m->buffered--;
		replay(s->side, s->first_match, next_key(m, s));
		turn = turn_of(m, least_key(m), limit_key);
		emit(m->ctx, s, first);
	}
}

/* Process what is older than @limit, in order. */
static void process(struct merge *m, uint64_t limit)
{
	uint64_t base = take_turns(m, limit);

	if (base < limit) {
		/* Nothing but what belongs to another record is at no time. */
		m->base_ns =
			sub_sat(max_u64(base, sub_sat(m->processed_ns, KEY_FAR / 2)), 1);
		for (unsigned int i = 0; i < ARRAY_SIZE(m->sides); i++)
			play(m, &m->sides[i]);
		process_before(m, key_of(limit, m->base_ns, KEY_FAR - 1));
	}
	if (limit > m->processed_ns)
		m->processed_ns = limit;
}

static void drain(struct merge *m, struct stream *s)
{
	const struct xblk_record *first = s->head;

	s->head = s->tail;
	m->buffered -= s->tail - first;
	m->fresh_ns = 0;
	emit_all(m, s, first, s->tail);
}

static void free_buffer(struct merge *m, struct stream *s)
{
	m->capacity -= s->cap;
	free(s->buf);
	s->buf = s->tail = NULL;
	s->head = NULL;
	s->cap = 0;
}

void merge_end_stream(struct merge *m, struct stream *s)
{
	drain(m, s);
	free_buffer(m, s);
	m->streams[s->nr] = &m->none;
	m->nr_none++;
	if (s->cpu <= UINT16_MAX)
		map_del(&m->by_cpu, stream_id(s->dom->domid, s->cpu), s);
	m->ended = xrealloc(m->ended, (m->nr_ended + 1) * sizeof(*m->ended));
	m->ended[m->nr_ended++] = s;
}

/* Without rounds: go on to where all streams that have something have come. */
static void overflow(struct merge *m)
{
	uint64_t limit = UINT64_MAX;

	for (unsigned int i = 0; i < m->nr_busy; i++) {
		struct stream *s = m->busy[i];

		if (waits(s) && s->last_ns < limit)
			limit = s->last_ns;
	}
	process(m, limit);
	/*
	 * One stream that is far behind (or a guest's, with wrong times) must
	 * not make us hold everything else: the fullest stream goes ahead.
	 */
	while (m->buffered > m->max_buffered / 2) {
		struct stream *most = m->busy[0];

		for (unsigned int i = 1; i < m->nr_busy; i++) {
			struct stream *s = m->busy[i];

			if (s->tail - s->head > most->tail - most->head)
				most = s;
		}
		drain(m, most);
	}
}

#define BUFFER_MIN  64
#define BUFFER_STEP ((1u << 20) / XBLK_RECORD_SIZE)

/*
 * What the buffers may have room for: all that may be buffered, and in each stream for
 * little more than it has.
 */
static size_t max_capacity(const struct merge *m)
{
	return m->max_buffered + BUFFER_STEP + (size_t)m->nr_streams * BUFFER_MIN;
}

/* With what waits at its beginning. */
static void resize(struct merge *m, struct stream *s, size_t cap)
{
	size_t held = s->tail - s->head;

	if (s->head != s->buf)
		memmove(s->buf, s->head, held * sizeof(*s->buf));
	if (cap != s->cap)
		s->buf = xrealloc(s->buf, cap * sizeof(*s->buf));
	m->capacity += cap - s->cap;
	s->cap = cap;
	s->head = s->buf;
	s->tail = s->buf + held;
}

/* Buffers have room for what they hold, lest all of them grow in turn. */
static void trim(struct merge *m)
{
	for (unsigned int i = 0; i < m->nr_streams; i++) {
		struct stream *s = m->streams[i];

		if (waits(s))
			resize(m, s, s->tail - s->head);
		else
			free_buffer(m, s);
	}
	/* Not again for as little as the next chunk brings. */
	m->trim_at = m->capacity + m->max_buffered / 8;
}

static __attribute__((noinline)) void may_trim(struct merge *m)
{
	/* It only grows: streams that have ended leave their number to others. */
	size_t most = max_capacity(m);

	if (m->capacity > most)
		trim(m);
	else
		m->trim_at = most;
}

/* Have room for @nr more records. */
static __attribute__((noinline)) void make_room(struct merge *m, struct stream *s,
						size_t nr)
{
	size_t held = s->tail - s->head, cap = s->cap ? s->cap : BUFFER_MIN;

	/* By doubling, while that is little of all that may be. */
	while (cap - held < nr)
		cap += min_u64(cap, BUFFER_STEP);
	resize(m, s, cap);
}

static bool in_gap(const struct stream *s)
{
	return waits(s) && s->tail[-1].event == EV_GAP;
}

/* A gap ends where something good begins again. */
static void end_gap(struct stream *s, uint64_t ns)
{
	struct xblk_record *gap = &s->tail[-1];

	if (gap->lost.until < ns)
		gap->lost.until = ns;
}

static void append_gap(struct stream *s, uint64_t until, uint64_t count)
{
	/* A run of bad records is one gap. */
	if (!in_gap(s)) {
		*s->tail++ = (struct xblk_record){
			.time = s->last_ns,
			.lost.until = s->last_ns,
			.disk = XBLK_NO_DISK,
			.event = EV_GAP,
		};
	}
	s->tail[-1].lost.count = add_sat(s->tail[-1].lost.count, count);
	end_gap(s, until);
}

/* Those of the @nr records, from the first one on, that are good and in order. */
static size_t append_good(const struct merge *m, struct stream *s,
			  const struct xblk_record *records, size_t nr, uint64_t max_ns)
{
	uint64_t last_ns = max_u64(s->last_ns, m->processed_ns);
	const struct domain *dom = s->dom;
	const struct xblk_record *r = records, *end = records + nr;
	struct xblk_record *restrict to = s->tail;

	for (; r < end; r++) {
		if (unlikely(r->time < last_ns || !record_valid(r, dom, 0, max_ns) ||
			     r->event == XBLK_EV_LOST))
			break;
		last_ns = r->time;
		*to++ = *r;
	}
	if (r == records)
		return 0;
	if (in_gap(s))
		end_gap(s, records[0].time);
	s->last_ns = last_ns;
	s->tail = to;
	return r - records;
}

/*
 * A producer tells of a loss when it writes again, which may be long after: in another
 * file of the capture than where it was.  In this one it was before all else.
 */
static struct xblk_record loss_here(const struct stream *s, const struct xblk_record *r)
{
	struct xblk_record rec = *r;

	rec.time = s->last_ns;
	if (rec.lost.until >= r->time && rec.lost.until < rec.time)
		rec.lost.until = rec.time;
	return rec;
}

/* What is late or out of order is good, a loss is counted, what is bad leaves a gap. */
static void append_other(struct merge *m, struct stream *s, const struct xblk_record *r,
			 uint64_t min_ns, uint64_t max_ns)
{
	struct xblk_record loss;

	if (r->event == XBLK_EV_LOST && r->time < min_ns) {
		loss = loss_here(s, r);
		r = &loss;
	}
	if (!record_valid(r, s->dom, min_ns, max_ns)) {
		s->invalid++;
		append_gap(s, s->last_ns, 1);
		return;
	}
	if (in_gap(s))
		end_gap(s, r->time);
	if (r->event == XBLK_EV_LOST)
		s->lost = add_sat(s->lost, r->lost.count);
	s->late += r->time < m->processed_ns;
	s->last_ns = max_u64(s->last_ns, r->time);
	*s->tail++ = *r;
}

/* Copy what is good behind what @s has; @nr records at the most become @nr. */
static __attribute__((noinline)) void append(struct merge *m, struct stream *s,
					     const struct xblk_record *records, size_t nr,
					     uint64_t min_ns, uint64_t max_ns)
{
	for (size_t i = 0; i < nr; i++) {
		i += append_good(m, s, records + i, nr - i, max_ns);
		if (i < nr)
			append_other(m, s, &records[i], min_ns, max_ns);
	}
}

/* Room for @nr more records and a gap before them.  Return: where they will be. */
static const struct xblk_record *begin_chunk(struct merge *m, struct stream *s, size_t nr,
					     uint64_t min_ns)
{
	if (!waits(s))
		s->head = s->tail = s->buf;
	if (unlikely(s->cap - (s->tail - s->buf) < nr + 1))
		make_room(m, s, nr + 1);
	if (s->last_ns < min_ns)
		s->last_ns = min_ns;
	return s->tail;
}

/* What has come to @s is from @first on. */
static void end_chunk(struct merge *m, struct stream *s, const struct xblk_record *first)
{
	is_busy(m, s);
	m->buffered += s->tail - first;
	if (m->buffered > m->max_buffered)
		overflow(m);
	if (unlikely(m->capacity > m->trim_at))
		may_trim(m);
}

/* What waits of a stream was skimmed; from here on each record counts. */
static void reach(struct stream *s, uint64_t sequence)
{
	s->reached = true;
	s->next_sequence = sequence;
	s->sequence = sequence - (s->tail - s->head);
}

void merge_data(struct merge *m, struct stream *s, const struct xblk_chunk *chunk,
		const struct xblk_record *records, size_t nr)
{
	uint64_t min_ns = sub_sat(m->start_ns, EARLY_NS);
	uint64_t max_ns = add_sat(chunk->time, AHEAD_NS);
	/* A bad record leaves a gap in its place. */
	const struct xblk_record *first = begin_chunk(m, s, nr, min_ns);
	size_t good;

	if (s->dom->first_ns == UINT64_MAX)
		s->dom->behind_ns = m->processed_ns;
	if (m->partial && !s->reached)
		reach(s, chunk->sequence);
	if (chunk->sequence > s->next_sequence) {
		uint64_t missing = chunk->sequence - s->next_sequence;

		s->missing = add_sat(s->missing, missing);
		append_gap(s, nr ? records[0].time : chunk->time, missing);
		if (s->tail[-1].lost.until > max_ns)
			s->tail[-1].lost.until = max_ns;
	} else if (chunk->sequence < s->next_sequence) {
		tell(m->model->tell, "domain %u, cpu %u: the stream's sequence goes back",
		     s->dom->domid, s->cpu);
		s->backwards++;
	}
	s->next_sequence = add_sat(chunk->sequence, nr);
	s->found += nr;
	good = append_good(m, s, records, nr, max_ns);
	if (unlikely(good < nr))
		append(m, s, records + good, nr - good, min_ns, max_ns);
	end_chunk(m, s, first);
}

void merge_skim(struct merge *m, struct stream *s, const struct xblk_chunk *chunk,
		const struct xblk_record *records, size_t nr)
{
	uint64_t min_ns = sub_sat(m->start_ns, EARLY_NS);
	const struct xblk_record *first = begin_chunk(m, s, nr, min_ns);

	for (const struct xblk_record *r = records; r < records + nr; r++) {
		if (r->event == XBLK_EV_PROCESS || r->event == XBLK_EV_LOST)
			append(m, s, r, 1, min_ns, add_sat(chunk->time, AHEAD_NS));
	}
	end_chunk(m, s, first);
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
		drain(m, m->streams[i]);
		free_buffer(m, m->streams[i]);
	}
}
