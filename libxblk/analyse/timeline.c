// SPDX-License-Identifier: GPL-2.0-only
#include "analyse/timeline.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

void timeline_init(struct timeline *t, uint64_t start_ns)
{
	memset(t, 0, sizeof(*t));
	t->start_ns = start_ns;
	t->end_ns = UINT64_MAX;
	t->shift = TIMELINE_FIRST_SHIFT;
}

void timeline_deinit(const struct timeline *t)
{
	free(t->intervals);
}

void timeline_span(struct timeline *t, uint64_t from_ns, uint64_t to_ns)
{
	t->start_ns = from_ns;
	t->end_ns = to_ns;
	t->spans = true;
}

void timeline_finish(struct timeline *t, uint64_t end_ns)
{
	t->end_ns = min_u64(t->end_ns, end_ns);
}

uint64_t timeline_width(const struct timeline *t, unsigned int i)
{
	uint64_t width = 1ull << t->shift, begin = t->start_ns + i * width;

	/* A guest's time may be beyond the end. */
	return begin < t->end_ns ? min_u64(width, t->end_ns - begin) : width;
}

static void interval_join(struct interval *to, const struct interval *a,
			  const struct interval *b, uint64_t width)
{
	struct interval sum = *a;

	for (int i = 0; i < SIDE_MAX; i++) {
		sum.side[i].ios += b->side[i].ios;
		sum.side[i].sectors += b->side[i].sectors;
		for (int k = 0; k < STATE_MAX; k++) {
			const struct busy *first = &a->side[i].busy[k],
					  *second = &b->side[i].busy[k];

			/* The first one's changes hold in all of the second one. */
			sum.side[i].busy[k].ns +=
				second->ns + (uint64_t)first->change * width;
			sum.side[i].busy[k].change += second->change;
		}
	}
	sum.joined += b->joined;
	for (int i = 0; i < STAGE_PARTS; i++)
		sum.sum[i] += b->sum[i];
	if (b->max_q2c > sum.max_q2c)
		sum.max_q2c = b->max_q2c;
	*to = sum;
}

static void halve(struct timeline *t)
{
	for (unsigned int i = 0; i < t->room / 2; i++)
		interval_join(&t->intervals[i], &t->intervals[2 * i],
			      &t->intervals[2 * i + 1], 1ull << t->shift);
	if (t->room)
		memset(&t->intervals[t->room / 2], 0,
		       t->room / 2 * sizeof(t->intervals[0]));
	t->shift++;
	t->nr = (t->nr + 1) / 2;
}

static unsigned int beyond_own(unsigned int room)
{
	return room > TIMELINE_OWN ? room - TIMELINE_OWN : 0;
}

/* Twice as many, in the end TIMELINE_INTERVALS.  False: there is no room. */
static bool grow(struct timeline *t, uint64_t nr)
{
	unsigned int room = t->room ? t->room : 2, more;

	if (nr > TIMELINE_INTERVALS)
		return false;
	while (room < nr)
		room *= 2;
	more = beyond_own(room) - beyond_own(t->room);
	if (t->shared && *t->shared < more)
		return false;
	if (t->shared)
		*t->shared -= more;
	t->intervals = xrealloc(t->intervals, room * sizeof(*t->intervals));
	memset(&t->intervals[t->room], 0, (room - t->room) * sizeof(*t->intervals));
	t->room = room;
	return true;
}

/* The number of the interval of a time; there is one afterwards. */
static inline unsigned int reach(struct timeline *t, uint64_t ns)
{
	/* Clocks may differ by a little, and a guest's time may be anything. */
	uint64_t since = ns > t->start_ns ? ns - t->start_ns : 0;

	while (unlikely(since >> t->shift >= t->room) &&
	       !grow(t, (since >> t->shift) + 1))
		halve(t);
	if (since >> t->shift >= t->nr)
		t->nr = (since >> t->shift) + 1;
	return since >> t->shift;
}

static inline struct interval *interval_of(struct timeline *t, uint64_t ns)
{
	unsigned int i = reach(t, ns);

	return &t->intervals[i];
}

static inline uint64_t end_of(const struct timeline *t, unsigned int i)
{
	return ((uint64_t)i + 1) << t->shift;
}

/* In @state from @from to @until since the start, which is in interval @last, or where it
 * ends. */
static inline void add_busy(struct timeline *t, enum side side, enum state state,
			    uint64_t from, uint64_t until, unsigned int last)
{
	struct busy *to = &t->intervals[last].side[side].busy[state], *first;
	unsigned int i = from >> t->shift;

	if (from >= until)
		return;
	to->ns += until - from;
	/* Most requests do not last from one interval to another. */
	if (i == last)
		return;
	first = &t->intervals[i].side[side].busy[state];
	first->ns += end_of(t, i) - from;
	first->change++;
	to->ns += from - end_of(t, last);
	to->change--;
}

/* From Q and D on. */
static inline void add_states(struct timeline *t, enum side side, uint64_t q_ns,
			      uint64_t d_ns, uint64_t now_ns, unsigned int last)
{
	uint64_t until = sub_sat(now_ns, t->start_ns);

	add_busy(t, side, STATE_Q2C, sub_sat(q_ns, t->start_ns), until, last);
	add_busy(t, side, STATE_D2C, sub_sat(d_ns, t->start_ns), until, last);
}

/* @ns is in the span, or all that there is is. */
static inline bool within(const struct timeline *t, uint64_t ns)
{
	return !t->spans || (ns >= t->start_ns && ns < t->end_ns);
}

void timeline_open(struct timeline *t, enum side side, uint64_t q_ns, uint64_t d_ns,
		   uint64_t now_ns)
{
	if (t->spans && (now_ns < t->start_ns || q_ns >= t->end_ns))
		return;
	if (within(t, now_ns))
		add_states(t, side, q_ns, d_ns, now_ns, reach(t, now_ns));
	else /* Up to the last instant that is. */
		add_states(t, side, q_ns, d_ns, t->end_ns, reach(t, t->end_ns - 1));
}

void timeline_done(struct timeline *t, enum side side, uint64_t q_ns, uint64_t d_ns,
		   uint64_t c_ns, uint32_t nr_sectors)
{
	unsigned int last;

	if (!within(t, c_ns)) {
		timeline_open(t, side, q_ns, d_ns, c_ns);
		return;
	}
	last = reach(t, c_ns);
	t->intervals[last].side[side].ios++;
	t->intervals[last].side[side].sectors += nr_sectors;
	if (q_ns < t->end_ns)
		add_states(t, side, q_ns, d_ns, c_ns, last);
}

void timeline_joined(struct timeline *t, uint64_t c_ns, const int64_t stages[STAGE_MAX])
{
	struct interval *in;

	if (!within(t, c_ns))
		return;
	in = interval_of(t, c_ns);
	in->joined++;
	for (int i = 0; i < STAGE_PARTS; i++)
		in->sum[i] += stages[i];
	if ((uint64_t)stages[STAGE_Q2C] > in->max_q2c)
		in->max_q2c = stages[STAGE_Q2C];
}

void timeline_copy(struct timeline *to, const struct timeline *from)
{
	*to = *from;
	if (!from->room)
		return;
	to->intervals = xmalloc(from->room * sizeof(*to->intervals));
	memcpy(to->intervals, from->intervals, from->room * sizeof(*to->intervals));
}

void timeline_coarsen(struct timeline *t, unsigned int max_nr)
{
	while (t->nr > max_nr)
		halve(t);
}

void timeline_depth(const struct timeline *t, enum side side, enum state state,
		    double *depth)
{
	int64_t through = 0;

	for (unsigned int i = 0; i < t->nr; i++) {
		const struct busy *b = &t->intervals[i].side[side].busy[state];

		depth[i] = ((double)through * (double)(1ull << t->shift) +
			    (double)(int64_t)b->ns) /
			   (double)timeline_width(t, i);
		through += b->change;
	}
}
