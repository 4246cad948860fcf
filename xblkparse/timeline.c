// SPDX-License-Identifier: GPL-2.0-only
#include "timeline.h"

#include <string.h>

void timeline_init(struct timeline *t, uint64_t start_ns)
{
	memset(t, 0, sizeof(*t));
	t->start_ns = start_ns;
	t->shift = TIMELINE_FIRST_SHIFT;
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
	for (unsigned int i = 0; i < TIMELINE_INTERVALS / 2; i++)
		interval_join(&t->intervals[i], &t->intervals[2 * i],
			      &t->intervals[2 * i + 1], 1ull << t->shift);
	memset(&t->intervals[TIMELINE_INTERVALS / 2], 0,
	       TIMELINE_INTERVALS / 2 * sizeof(t->intervals[0]));
	t->shift++;
	t->nr = (t->nr + 1) / 2;
}

/* The interval of a time; there is one afterwards. */
static inline unsigned int reach(struct timeline *t, uint64_t ns)
{
	/* Clocks may differ by a little, and a guest's time may be anything. */
	uint64_t since = ns > t->start_ns ? ns - t->start_ns : 0;

	while (since >> t->shift >= TIMELINE_INTERVALS)
		halve(t);
	if (since >> t->shift >= t->nr)
		t->nr = (since >> t->shift) + 1;
	return since >> t->shift;
}

static inline uint64_t end_of(const struct timeline *t, unsigned int i)
{
	return ((uint64_t)i + 1) << t->shift;
}

/* At @since the start, which has been reached. */
static inline void enter(struct timeline *t, enum side side, enum state state,
			 uint64_t since)
{
	unsigned int i = since >> t->shift;
	struct busy *b = &t->intervals[i].side[side].busy[state];

	b->ns += end_of(t, i) - since;
	b->change++;
}

/* From Q and D on, up to @last's @until since the start. */
static inline void add_busy(struct timeline *t, enum side side, uint64_t q_ns,
			    uint64_t d_ns, uint64_t until, unsigned int last)
{
	struct busy *b = t->intervals[last].side[side].busy;
	uint64_t q = q_ns > t->start_ns ? q_ns - t->start_ns : 0;
	uint64_t d = d_ns > t->start_ns ? d_ns - t->start_ns : 0;
	uint64_t rest = end_of(t, last) - until;

	enter(t, side, STATE_Q2C, q < until ? q : until);
	enter(t, side, STATE_D2C, d < until ? d : until);
	b[STATE_Q2C].ns -= rest;
	b[STATE_Q2C].change--;
	b[STATE_D2C].ns -= rest;
	b[STATE_D2C].change--;
}

void timeline_open(struct timeline *t, enum side side, uint64_t q_ns, uint64_t d_ns,
		   uint64_t now_ns)
{
	unsigned int last = reach(t, now_ns);

	add_busy(t, side, q_ns, d_ns, now_ns > t->start_ns ? now_ns - t->start_ns : 0,
		 last);
}

void timeline_done(struct timeline *t, enum side side, uint64_t q_ns, uint64_t d_ns,
		   uint64_t c_ns, uint32_t nr_sectors)
{
	unsigned int last = reach(t, c_ns);

	t->intervals[last].side[side].ios++;
	t->intervals[last].side[side].sectors += nr_sectors;
	add_busy(t, side, q_ns, d_ns, c_ns > t->start_ns ? c_ns - t->start_ns : 0, last);
}

void timeline_joined(struct timeline *t, uint64_t c_ns, const int64_t stages[STAGE_MAX])
{
	struct interval *in = &t->intervals[reach(t, c_ns)];

	in->joined++;
	for (int i = 0; i < STAGE_PARTS; i++)
		in->sum[i] += stages[i];
	if ((uint64_t)stages[STAGE_Q2C] > in->max_q2c)
		in->max_q2c = stages[STAGE_Q2C];
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

		depth[i] = (double)through +
			   (double)(int64_t)b->ns / (double)(1ull << t->shift);
		through += b->change;
	}
}
