// SPDX-License-Identifier: GPL-2.0-only
#include "timeline.h"

#include <string.h>

void timeline_init(struct timeline *t, uint64_t start_ns)
{
	memset(t, 0, sizeof(*t));
	t->start_ns = start_ns;
	t->shift = TIMELINE_FIRST_SHIFT;
}

/* Those that last through whole intervals are told by sums of changes. */
static void busy_join(struct busy *to, const struct busy *a, const struct busy *b,
		      int64_t *through, uint64_t width)
{
	int64_t first = *through + a->change, second = first + b->change;

	to->ns = a->ns + b->ns + (first + second) * width;
	to->change = 0;
	*through = second;
}

static void interval_join(struct interval *to, const struct interval *a,
			  const struct interval *b, int64_t through[SIDE_MAX][STATE_MAX],
			  uint64_t width)
{
	struct interval sum = *a;

	for (int i = 0; i < SIDE_MAX; i++) {
		sum.side[i].ios += b->side[i].ios;
		sum.side[i].sectors += b->side[i].sectors;
		for (int k = 0; k < STATE_MAX; k++)
			busy_join(&sum.side[i].busy[k], &a->side[i].busy[k],
				  &b->side[i].busy[k], &through[i][k], width);
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
	int64_t through[SIDE_MAX][STATE_MAX] = {{0}};

	for (unsigned int i = 0; i < TIMELINE_INTERVALS / 2; i++)
		interval_join(&t->intervals[i], &t->intervals[2 * i],
			      &t->intervals[2 * i + 1], through, 1ull << t->shift);
	memset(&t->intervals[TIMELINE_INTERVALS / 2], 0,
	       TIMELINE_INTERVALS / 2 * sizeof(t->intervals[0]));
	t->shift++;
	t->nr = (t->nr + 1) / 2;
}

/* The interval of a time; there is one afterwards. */
static unsigned int reach(struct timeline *t, uint64_t ns)
{
	/* Clocks may differ by a little, and a guest's time may be anything. */
	uint64_t since = ns > t->start_ns ? ns - t->start_ns : 0;

	while (since >> t->shift >= TIMELINE_INTERVALS)
		halve(t);
	if (since >> t->shift >= t->nr)
		t->nr = (since >> t->shift) + 1;
	return since >> t->shift;
}

static uint64_t begin_of(const struct timeline *t, unsigned int i)
{
	return t->start_ns + ((uint64_t)i << t->shift);
}

/* The interval @last has been reached, and contains @to. */
static void busy_add(struct timeline *t, enum side side, enum state state, uint64_t from,
		     uint64_t to, unsigned int last)
{
	struct interval *in = t->intervals;
	unsigned int first;

	if (from < t->start_ns)
		from = t->start_ns;
	if (from >= to)
		return;
	first = (from - t->start_ns) >> t->shift;
	if (first == last) {
		in[first].side[side].busy[state].ns += to - from;
		return;
	}
	in[first].side[side].busy[state].ns += begin_of(t, first + 1) - from;
	in[first + 1].side[side].busy[state].change++;
	in[last].side[side].busy[state].change--;
	in[last].side[side].busy[state].ns += to - begin_of(t, last);
}

void timeline_open(struct timeline *t, enum side side, uint64_t q_ns, uint64_t d_ns,
		   uint64_t now_ns)
{
	unsigned int last = reach(t, now_ns);

	busy_add(t, side, STATE_Q2C, q_ns, now_ns, last);
	busy_add(t, side, STATE_D2C, d_ns, now_ns, last);
}

void timeline_done(struct timeline *t, enum side side, uint64_t q_ns, uint64_t d_ns,
		   uint64_t c_ns, uint32_t nr_sectors)
{
	unsigned int last = reach(t, c_ns);

	t->intervals[last].side[side].ios++;
	t->intervals[last].side[side].sectors += nr_sectors;
	busy_add(t, side, STATE_Q2C, q_ns, c_ns, last);
	busy_add(t, side, STATE_D2C, d_ns, c_ns, last);
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

		through += b->change;
		depth[i] = (double)through + (double)b->ns / (double)(1ull << t->shift);
	}
}
