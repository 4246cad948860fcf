// SPDX-License-Identifier: GPL-2.0-only
/* What is found out of requests beyond their stages, against the requests themselves. */
#include <stdlib.h>

#include "analyse/analysis.h"
#include "join/flush_times.h"
#include "select/filter.h"
#include "filter-args.h"
#include "test_parse_util.h"

static uint64_t state = 88172645463325252ull;

static uint64_t random64(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

struct request {
	int64_t stages[STAGE_MAX];
};

/* Most take about as long in each stage, some ten times in one. */
static struct request random_request(void)
{
	struct request r = {0};

	for (int s = 0; s < STAGE_PARTS; s++) {
		r.stages[s] = 1000 + random64() % 100000;
		if (random64() % 100 == 0)
			r.stages[s] *= 10;
		r.stages[STAGE_Q2C] += r.stages[s];
	}
	return r;
}

static int compare(const void *a, const void *b)
{
	int64_t x = ((const struct request *)a)->stages[STAGE_Q2C];
	int64_t y = ((const struct request *)b)->stages[STAGE_Q2C];

	return x < y ? -1 : x > y;
}

/* Each band's requests and sums are those that sorting all of them gives. */
static void check_bands(size_t nr)
{
	struct request *all = malloc(nr * sizeof(*all));
	struct bands *b = calloc(1, sizeof(*b));
	struct hist *q2c = NULL;
	struct band folded[BANDS];
	size_t from = 0;

	for (size_t i = 0; i < nr; i++) {
		all[i] = random_request();
		hist_add(&q2c, all[i].stages[STAGE_Q2C], NULL);
		bands_add(b, hist_bucket(all[i].stages[STAGE_Q2C]), all[i].stages, NULL);
	}
	qsort(all, nr, sizeof(*all), compare);
	bands_fold(b, q2c, folded);
	for (int k = 0; k < BANDS; k++) {
		size_t to = (nr * band_permille[k + 1] + 999) / 1000;
		double want[STAGE_PARTS] = {0}, sum = 0;

		assert_int_equal(folded[k].count, to - from);
		for (size_t i = from; i < to; i++) {
			for (int s = 0; s < STAGE_PARTS; s++) {
				want[s] += all[i].stages[s];
				sum += all[i].stages[s];
			}
		}
		/* Two buckets at most are divided, each with requests alike to 1/64. */
		for (int s = 0; s < STAGE_PARTS && to - from > 100; s++) {
			double off = folded[k].sum[s] - want[s];

			assert_true(off < 0.1 * sum && off > -0.1 * sum);
		}
		from = to;
	}
	assert_int_equal(from, nr);
	free(all);
	bands_deinit(b);
	free(b);
	hist_free(q2c, NULL);
}

static void bands_as_sorted(void **ctx)
{
	(void)ctx;
	check_bands(1);
	check_bands(7);
	check_bands(1000);
	check_bands(100000);
}

/* Nothing is lost by folding: the sums over the bands are exact. */
static void bands_whole(void **ctx)
{
	struct bands *b = calloc(1, sizeof(*b));
	struct hist *q2c = NULL;
	struct band folded[BANDS];
	double want[STAGE_PARTS] = {0};

	(void)ctx;
	for (int i = 0; i < 12345; i++) {
		struct request r = random_request();

		hist_add(&q2c, r.stages[STAGE_Q2C], NULL);
		bands_add(b, hist_bucket(r.stages[STAGE_Q2C]), r.stages, NULL);
		for (int s = 0; s < STAGE_PARTS; s++)
			want[s] += r.stages[s];
	}
	bands_fold(b, q2c, folded);
	for (int s = 0; s < STAGE_PARTS; s++) {
		double sum = 0;

		for (int k = 0; k < BANDS; k++)
			sum += folded[k].sum[s];
		assert_true(sum > want[s] - 1 && sum < want[s] + 1);
	}
	bands_deinit(b);
	free(b);
	hist_free(q2c, NULL);
}

/* Queue depths by summing up each request's overlap with each interval. */
static void timeline_depths(void **ctx)
{
	enum {
		NR = 3000
	};
	static uint64_t q[NR], d[NR], c[NR];
	struct timeline *t = malloc(sizeof(*t));
	double depth[TIMELINE_INTERVALS];
	uint64_t ios = 0, now = GEN_START;

	(void)ctx;
	timeline_init(t, GEN_START);
	for (int i = 0; i < NR; i++) {
		/* some last through many intervals, and the trace through many halvings */
		now += random64() % 20000000;
		q[i] = now - random64() % 1000000;
		d[i] = now + random64() % 1000000;
		c[i] = d[i] + random64() % (i % 50 ? 3000000 : 900000000);
		timeline_done(t, SIDE_GUEST, q[i], d[i], c[i], 8);
	}
	assert_true(t->shift > TIMELINE_FIRST_SHIFT);
	assert_true(t->nr > TIMELINE_INTERVALS / 4 && t->nr <= TIMELINE_INTERVALS);
	for (int state = 0; state < STATE_MAX; state++) {
		timeline_depth(t, SIDE_GUEST, state, depth);
		for (unsigned int k = 0; k < t->nr; k++) {
			uint64_t from = GEN_START + ((uint64_t)k << t->shift);
			uint64_t to = from + (1ull << t->shift), busy = 0;

			for (int i = 0; i < NR; i++) {
				uint64_t a = state == STATE_Q2C ? q[i] : d[i], b = c[i];

				a = a > from ? a : from;
				b = b < to ? b : to;
				busy += a < b ? b - a : 0;
			}
			assert_true((uint64_t)(depth[k] * (1ull << t->shift) + 0.5) ==
				    busy);
		}
	}
	for (unsigned int k = 0; k < t->nr; k++)
		ios += t->intervals[k].side[SIDE_GUEST].ios;
	assert_int_equal(ios, NR);
	timeline_deinit(t);
	free(t);
}

/* However far its times are apart, it stays within its intervals. */
static void timeline_bounds(void **ctx)
{
	struct timeline *t = malloc(sizeof(*t));
	int64_t stages[STAGE_MAX] = {[STAGE_Q2C] = 5};
	double depth[TIMELINE_INTERVALS];

	(void)ctx;
	timeline_init(t, GEN_START);
	timeline_done(t, SIDE_GUEST, 0, 0, 1, 8);
	timeline_joined(t, 0, stages);
	timeline_done(t, SIDE_BACKEND, 0, GEN_START, UINT64_MAX, 8);
	timeline_open(t, SIDE_GUEST, GEN_START + 5, GEN_START, GEN_START + 1);
	timeline_depth(t, SIDE_BACKEND, STATE_D2C, depth);
	assert_true(t->nr <= TIMELINE_INTERVALS);
	assert_true(depth[0] > 0.99 && depth[0] <= 1);
	timeline_coarsen(t, 3);
	assert_true(t->nr <= 3);
	assert_int_equal(t->intervals[0].joined, 1);
	timeline_deinit(t);
	free(t);
}

/* 8,330 a second are so many in the last interval, too, however little there is of it. */
static void timeline_last(void **ctx)
{
	const uint64_t ms = 1000000, end = GEN_START + 1001 * ms;
	struct timeline *t = malloc(sizeof(*t));
	double depth[TIMELINE_INTERVALS];

	(void)ctx;
	timeline_init(t, GEN_START);
	for (uint64_t ns = GEN_START; ns < end - 120000; ns += 120000)
		timeline_done(t, SIDE_GUEST, ns, ns, ns + 60000, 8);
	timeline_finish(t, end);
	timeline_coarsen(t, 32);
	assert_int_equal(t->shift, 25);
	assert_int_equal(t->nr, 30);
	timeline_depth(t, SIDE_GUEST, STATE_Q2C, depth);
	for (unsigned int i = 0; i < t->nr; i++) {
		double rate =
			1e9 * t->intervals[i].side[SIDE_GUEST].ios / timeline_width(t, i);

		assert_true(rate > 8200 && rate < 8460);
		assert_true(depth[i] > 0.49 && depth[i] < 0.51);
	}
	timeline_deinit(t);
	free(t);
}

/* Of many disks those that come late have fewer intervals, and all that was in theirs. */
static void timelines_bounded(void **ctx)
{
	const uint64_t ms = 1000000;
	unsigned int shared = 3 * TIMELINE_OWN;
	struct timeline t[3];

	(void)ctx;
	for (unsigned int i = 0; i < ARRAY_SIZE(t); i++) {
		uint64_t ios = 0;

		timeline_init(&t[i], GEN_START);
		t[i].shared = &shared;
		for (uint64_t ns = 0; ns < 250 * ms; ns += ms)
			timeline_done(&t[i], SIDE_GUEST, GEN_START + ns, GEN_START + ns,
				      GEN_START + ns + 1, 8);
		assert_int_equal(t[i].room, i ? TIMELINE_OWN : 4 * TIMELINE_OWN);
		assert_int_equal(t[i].shift, TIMELINE_FIRST_SHIFT + (i ? 2 : 0));
		for (unsigned int k = 0; k < t[i].nr; k++)
			ios += t[i].intervals[k].side[SIDE_GUEST].ios;
		assert_int_equal(ios, 250);
	}
	assert_int_equal(shared, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(t); i++)
		timeline_deinit(&t[i]);
}

/* What lasts into a span counts for it, what is not in it does not. */
static void timeline_of_a_span(void **ctx)
{
	const uint64_t second = 1000000000, from = GEN_START + 500 * second;
	struct timeline *t = malloc(sizeof(*t));
	int64_t stages[STAGE_MAX] = {[STAGE_Q2C] = 5};
	double depth[TIMELINE_INTERVALS];
	uint64_t ios = 0, joined = 0;

	(void)ctx;
	timeline_init(t, GEN_START);
	timeline_span(t, from, from + 10 * second);
	for (unsigned int s = 490; s < 520; s++) {
		uint64_t ns = GEN_START + s * second;

		timeline_done(t, SIDE_GUEST, ns, ns + 10, ns + 100000000, 8);
		timeline_joined(t, ns + 100000000, stages);
	}
	/* all of the span, and from its middle on */
	timeline_done(t, SIDE_BACKEND, from - second, from - second, from + 11 * second,
		      8);
	timeline_open(t, SIDE_BACKEND, from + 5 * second, from + 20 * second,
		      from + 30 * second);
	timeline_finish(t, from + 30 * second);
	timeline_coarsen(t, 32);
	assert_int_equal(t->shift, 29);
	assert_int_equal(t->nr, 19);
	for (unsigned int i = 0; i < t->nr; i++) {
		ios += t->intervals[i].side[SIDE_GUEST].ios;
		joined += t->intervals[i].joined;
		assert_int_equal(t->intervals[i].side[SIDE_BACKEND].ios, 0);
	}
	assert_int_equal(ios, 10);
	assert_int_equal(joined, 10);
	timeline_depth(t, SIDE_BACKEND, STATE_Q2C, depth);
	assert_true(depth[0] > 0.999 && depth[0] < 1.001);
	assert_true(depth[18] > 1.999 && depth[18] < 2.001);
	timeline_depth(t, SIDE_BACKEND, STATE_D2C, depth);
	assert_true(depth[18] > 0.999 && depth[18] < 1.001);
	timeline_deinit(t);
	free(t);
}

static void slowest_kept(void **ctx)
{
	static const unsigned int sizes[] = {1, 2, 10, 1000};

	(void)ctx;
	for (size_t k = 0; k < ARRAY_SIZE(sizes); k++) {
		struct request *all = malloc(500 * sizeof(*all));
		struct slowest s;

		slowest_init(&s, sizes[k]);
		for (int i = 0; i < 500; i++) {
			struct slow slow = {0};

			all[i] = random_request();
			slow.key = all[i].stages[STAGE_Q2C];
			slowest_add(&s, &slow);
		}
		qsort(all, 500, sizeof(*all), compare);
		slowest_sort(&s);
		assert_int_equal(s.nr, sizes[k] < 500 ? sizes[k] : 500);
		for (unsigned int i = 0; i < s.nr; i++)
			assert_int_equal(s.heap[i].key, all[499 - i].stages[STAGE_Q2C]);
		slowest_deinit(&s);
		free(all);
	}
}

/* More processes than rows: the rest shares one, and none is counted twice. */
static void processes_bounded(void **ctx)
{
	struct breakdown *b = calloc(1, sizeof(*b));
	uint64_t count = 0;

	(void)ctx;
	for (uint32_t i = 0; i < 3 * PROCESS_ROWS; i++) {
		struct request r = random_request();

		for (int twice = 0; twice < 2; twice++)
			breakdown_add_process(b, 1000 * i, "fio", 8,
					      hist_bucket(r.stages[STAGE_Q2C]), r.stages);
	}
	assert_int_equal(b->nr_processes, PROCESS_ROWS);
	for (unsigned int i = 0; i < b->nr_processes; i++) {
		assert_int_equal(b->processes[i].pid, 1000 * i);
		assert_int_equal(b->processes[i].row->q2c->count, 2);
		count += b->processes[i].row->q2c->count;
	}
	assert_int_equal(count + b->others->q2c->count, 2 * 3 * PROCESS_ROWS);
	breakdown_deinit(b);
	free(b);
}

/* The address sanitizer's. */
size_t __sanitizer_get_current_allocated_bytes(void);

/* As many times in each octave as there are, once in each row that there can be. */
static void fill_rows(struct breakdown *b)
{
	int64_t stages[STAGE_MAX] = {0};

	for (unsigned int bucket = 0; bucket < HIST_BUCKETS - 64; bucket += HIST_PART) {
		stages[STAGE_Q2C] = hist_lower(bucket);
		for (unsigned int i = 0; i < SIZE_CLASSES * OP_CLASSES; i++)
			breakdown_add(b, i / SIZE_CLASSES,
				      size_class_from(i % SIZE_CLASSES), bucket, stages);
		for (uint32_t pid = 1; pid <= PROCESS_ROWS; pid++)
			breakdown_add_process(b, pid, "x", 8, bucket, stages);
	}
}

/*
 * A guest's times and sizes may be such that each row has all of them.  They have a
 * bound, and what is not known then is not told.
 */
static void rows_bounded(void **ctx)
{
	const size_t nr_times = (HIST_BUCKETS - 64) / HIST_PART;
	struct breakdown *b[3];
	unsigned int shared = 1000;
	struct room room[3] = {{0}};
	size_t before, bytes;
	struct row r;

	(void)ctx;
	before = __sanitizer_get_current_allocated_bytes();
	for (unsigned int i = 0; i < ARRAY_SIZE(b); i++) {
		b[i] = calloc(1, sizeof(*b[i]));
		room[i].shared = &shared;
		b[i]->room = &room[i];
		fill_rows(b[i]);
	}
	bytes = __sanitizer_get_current_allocated_bytes() - before;
	assert_in_range(bytes, 1, 3 * (112 << 10) + 2 * 1000 * HIST_PART * 8);
	assert_in_range(shared, 0, ROW_PARTS - 1);
	for (unsigned int i = 0; i < ARRAY_SIZE(b); i++) {
		uint64_t nr = 0;

		for (unsigned int class = 0; class <= SIZE_FURTHER; class ++) {
			nr += breakdown_size(b[i], class, &r) ? r.q2c->count : 0;
			row_deinit(&r);
		}
		assert_int_equal(nr, OP_CLASSES * SIZE_CLASSES * nr_times);
		assert_true(breakdown_op(b[i], OP_CLASSES - 1, &r));
		assert_int_equal(r.q2c->count, SIZE_CLASSES * nr_times);
		assert_true(r.q2c->beyond);
		assert_int_equal(r.q2c->max, hist_lower(HIST_BUCKETS - 64 - HIST_PART));
		assert_int_equal(hist_quantile(r.q2c, 500), 0);
		row_deinit(&r);
		breakdown_deinit(b[i]);
		free(b[i]);
	}
}

/* The classes follow one another and cover every size. */
static void size_classes(void **ctx)
{
	(void)ctx;
	for (unsigned int i = 0; i < SIZE_CLASSES; i++) {
		assert_int_equal(size_class(size_class_from(i)), i);
		assert_int_equal(size_class(size_class_to(i)), i);
		if (i)
			assert_int_equal(size_class_from(i), size_class_to(i - 1) + 1);
	}
	assert_int_equal(size_class_to(SIZE_CLASSES - 1), UINT32_MAX);
}

static void flush_spans(void **ctx)
{
	struct flush_times f = {0};

	(void)ctx;
	assert_int_equal(flush_times_overlap(NULL, 0, 100), 0);
	assert_int_equal(flush_times_overlap(&f, 0, 100), 0);
	flush_times_begin(&f, 10);
	assert_int_equal(flush_times_overlap(&f, 0, 100), 90);
	flush_times_begin(&f, 15); /* a second one beside it */
	flush_times_end(&f, 20);
	assert_int_equal(flush_times_overlap(&f, 0, 100), 90);
	flush_times_end(&f, 30);
	flush_times_end(&f, 40); /* of none */
	assert_int_equal(flush_times_overlap(&f, 0, 100), 20);
	assert_int_equal(flush_times_overlap(&f, 30, 100), 0);
	assert_int_equal(flush_times_overlap(&f, 12, 13), 1);
	flush_times_begin(&f, 50);
	flush_times_end(&f, 60);
	assert_int_equal(flush_times_overlap(&f, 25, 55), 10);
	for (uint64_t i = 0; i < 10 * FLUSH_SPANS; i++) {
		flush_times_begin(&f, 1000 + 10 * i);
		flush_times_end(&f, 1005 + 10 * i);
	}
	/* only the last ones are known */
	assert_int_equal(flush_times_overlap(&f, 0, 1000000), 5 * FLUSH_SPANS);
}

/* A request all the way, its stages 100, 200, 300, 400, 500 ns. */
static void one(struct gen *g, uint64_t t, unsigned int op, uint64_t sector, uint32_t nr,
		uint32_t pid)
{
	gen_event(g, GEN_GUEST, 0, t, XBLK_EV_QUEUE, op, sector, nr, 1, pid);
	gen_event(g, GEN_GUEST, 0, t + 100, XBLK_EV_ISSUE, op, sector, nr, 100, 1);
	gen_event(g, 0, 0, t + 300, XBLK_EV_QUEUE, op, sector, nr, 2, GEN_KTHREAD);
	gen_event(g, 0, 0, t + 600, XBLK_EV_ISSUE, op, sector, nr, 200, 2);
	gen_event(g, 0, 0, t + 1000, XBLK_EV_COMPLETE, op, sector, nr, 200, 0);
	gen_event(g, GEN_GUEST, 0, t + 1500, XBLK_EV_COMPLETE, op, sector, nr, 100, 0);
}

static uint64_t count_of(const struct analysis *a, unsigned int op)
{
	struct row r;
	uint64_t n;

	if (!breakdown_op(&a->breakdown, op, &r))
		return 0;
	n = r.q2c->count;
	row_deinit(&r);
	return n;
}

/* Through the whole of it: a row each for what differs. */
static void rows(void **ctx)
{
	struct analysis *a;
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	one(&g, 10000, XBLK_OP_READ, 0, 8, 500);
	one(&g, 20000, XBLK_OP_READ, 64, 16, 500);
	one(&g, 30000, XBLK_OP_WRITE, 64, 16, 501);
	one(&g, 40000, XBLK_OP_DISCARD, 64, 64, 501);
	one(&g, 50000, XBLK_OP_WRITE_ZEROES, 64, 64, 501);
	run_gen(&o, &g);
	a = disk_stats(&o, 3, 0)->analysis;
	assert_int_equal(count_of(a, XBLK_OP_READ), 2);
	assert_int_equal(count_of(a, XBLK_OP_WRITE), 1);
	assert_int_equal(count_of(a, XBLK_OP_DISCARD), 1);
	assert_int_equal(count_of(a, XBLK_OP_WRITE_ZEROES), 1);
	assert_int_equal(count_of(a, XBLK_OP_FLUSH), 0);
	assert_int_equal(a->breakdown.nr_processes, 2);
	assert_int_equal(a->breakdown.processes[0].pid, 500);
	assert_int_equal(a->breakdown.processes[0].row->q2c->count, 2);
	assert_int_equal(a->breakdown.processes[1].row->q2c->count, 3);
	assert_int_equal(a->breakdown.processes[0].row->sum[STAGE_0_D2C], 800);
	assert_int_equal(a->timeline.intervals[0].joined, 5);
	assert_int_equal(a->timeline.intervals[0].side[SIDE_GUEST].ios, 5);
	assert_int_equal(a->timeline.intervals[0].side[SIDE_BACKEND].ios, 5);
	assert_int_equal(a->timeline.intervals[0].side[SIDE_GUEST].busy[STATE_Q2C].ns,
			 7500);
	assert_int_equal(a->timeline.intervals[0].side[SIDE_GUEST].busy[STATE_D2C].ns,
			 7000);
	assert_int_equal(a->timeline.intervals[0].side[SIDE_BACKEND].busy[STATE_Q2C].ns,
			 3500);
	assert_int_equal(a->timeline.intervals[0].side[SIDE_BACKEND].busy[STATE_D2C].ns,
			 2000);
	assert_int_equal(a->slowest.nr, 5);
	assert_int_equal(disk_counts(&o, 3, 0)->guest.issued_sizes[size_class(16)], 2);
	assert_int_equal(disk_counts(&o, 3, 0)->backend.issued_sizes[size_class(16)], 2);
	done(&o, &g);
}

/* One each that got as far as this stage, and a bio that was not issued. */
static void stuck(void **ctx)
{
	struct analysis *a;
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	for (unsigned int i = 0; i < 5; i++) {
		GUEST(1000 + i, QUEUE, READ, 64 * i, 8, 1 + i, 500);
		GUEST(1100 + i, ISSUE, READ, 64 * i, 8, 100 + i, 1 + i);
	}
	GUEST(1105, REQUEUE, READ, 0, 8, 100, 1);
	for (unsigned int i = 2; i < 5; i++)
		DOM0(1200 + i, QUEUE, READ, 64 * i, 8, 10 + i, GEN_KTHREAD);
	for (unsigned int i = 3; i < 5; i++)
		DOM0(1300 + i, ISSUE, READ, 64 * i, 8, 200 + i, 10 + i);
	DOM0(1404, COMPLETE, READ, 64 * 4, 8, 204, 0);
	GUEST(1500, QUEUE, READ, 6400, 8, 50, 501);
	run_gen(&o, &g);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_IN_FLIGHT], 5);
	assert_int_equal(disk_counts(&o, 3, 0)->queued_bios, 1);
	a = disk_stats(&o, 3, 0)->analysis;
	for (int s = 0; s < STAGE_PARTS; s++)
		assert_int_equal(a->reached[s], 1);
	assert_int_equal(a->oldest.nr, 5);
	for (unsigned int i = 0; i < 5; i++) {
		assert_int_equal(a->oldest.heap[i].request.sector, 64 * i);
		assert_int_equal(a->oldest.heap[i].request.reached, i);
	}
	done(&o, &g);
}

/* A write that came while a flush was out waits for its end, in the guest and in dom0. */
static void behind_a_flush(void **ctx)
{
	struct analysis *a;
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	GUEST(1010, ISSUE, FLUSH, 0, 0, 100, 0);
	DOM0(1100, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 10, GEN_KTHREAD);
	DOM0(1200, ISSUE, FLUSH, 0, 0, 200, 0);
	GUEST(1300, QUEUE, WRITE, 64, 8, 2, 500);
	GUEST(1900, ISSUE, WRITE, 64, 8, 101, 2);
	DOM0(1950, QUEUE, WRITE, 64, 8, 11, GEN_KTHREAD);
	DOM0(2000, COMPLETE, FLUSH, 0, 0, 200, 0);
	DOM0(2050, ISSUE, WRITE, 64, 8, 201, 11);
	DOM0(2100, COMPLETE, WRITE, 64, 8, 201, 0);
	GUEST(2200, COMPLETE, FLUSH, 0, 0, 100, 0);
	GUEST(2300, COMPLETE, WRITE, 64, 8, 101, 0);
	/* long after it */
	one(&g, 10000, XBLK_OP_READ, 0, 8, 500);
	run_gen(&o, &g);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 3);
	a = disk_stats(&o, 3, 0)->analysis;
	assert_int_equal(a->waits[SIDE_GUEST].requests, 1);
	assert_int_equal(a->waits[SIDE_GUEST].ns, 600);
	assert_int_equal(a->waits[SIDE_BACKEND].requests, 1);
	assert_int_equal(a->waits[SIDE_BACKEND].ns, 50);
	done(&o, &g);
}

/* What a filter leaves out is in nothing but one count. */
static uint64_t chosen(const char *which, const char *(*parse)(void *, const char *))
{
	struct filter f = {0};
	struct outcome o;
	uint64_t nr;
	struct gen g;

	gen_init(&g);
	gen_process(&g, GEN_GUEST, 0, 0, 500, "fio", 0);
	gen_process(&g, GEN_GUEST, 0, 0, 501, "dd", 0);
	one(&g, 10000, XBLK_OP_READ, 0, 8, 500);
	one(&g, 20000, XBLK_OP_WRITE, 64, 16, 501);
	GUEST(30000, QUEUE, DISCARD, 640, 64, 3, 501);
	GUEST(30100, ISSUE, DISCARD, 640, 64, 300, 3);
	assert_null(parse(&f, which));
	assert_true(filter_chooses(&f));
	gen_end(&g, 1000000);
	msg_silent = true;
	outcome_init(&o, g.data, g.len);
	o.parse.tally.filter = &f;
	parse_run(&o.parse);
	check_bins(&o);
	nr = disk_stats(&o, 3, 0)->requests;
	assert_int_equal(nr, o.nr);
	assert_int_equal(nr + disk_stats(&o, 3, 0)->not_chosen, 3);
	done(&o, &g);
	return nr;
}

static void filters(void **ctx)
{
	(void)ctx;
	assert_int_equal(chosen("read", filter_parse_ops), 1);
	assert_int_equal(chosen("read,discard", filter_parse_ops), 2);
	assert_int_equal(chosen("flush", filter_parse_ops), 0);
	assert_int_equal(chosen("7-64", filter_parse_sectors), 2);
	assert_int_equal(chosen("8-63", filter_parse_sectors), 0);
	assert_int_equal(chosen("79", filter_parse_sectors), 1);
	assert_int_equal(chosen("80-", filter_parse_sectors), 1);
	assert_int_equal(chosen("501", filter_parse_process), 2);
	assert_int_equal(chosen("fio", filter_parse_process), 1);
	assert_int_equal(chosen("cat", filter_parse_process), 0);
	assert_int_equal(chosen("0.00002", filter_parse_time), 1);
	assert_int_equal(chosen("0.00002:", filter_parse_time), 2);
	assert_int_equal(chosen("0.00001:0.00003", filter_parse_time), 2);
	/* the one that does not come back takes until the capture's end */
	assert_int_equal(chosen("1500ns", filter_parse_latency), 3);
	assert_int_equal(chosen("1501ns", filter_parse_latency), 1);
	assert_int_equal(chosen("1.5", filter_parse_latency), 3);
	assert_int_equal(chosen("1ms", filter_parse_latency), 0);
}

static void bad_filters(void **ctx)
{
	struct filter f = {0};

	(void)ctx;
	assert_non_null(filter_parse_ops(&f, ""));
	assert_non_null(filter_parse_ops(&f, "rea"));
	assert_non_null(filter_parse_ops(&f, "read,"
					     "-"));
	assert_non_null(filter_parse_sectors(&f, "-5"));
	assert_non_null(filter_parse_sectors(&f, "9-5"));
	assert_non_null(filter_parse_sectors(&f, "5x"));
	assert_non_null(filter_parse_process(&f, ""));
	assert_non_null(filter_parse_process(&f, "4294967296"));
	assert_non_null(filter_parse_time(&f, "5:4"));
	assert_non_null(filter_parse_time(&f, "x"));
	assert_non_null(filter_parse_time(&f, "-1"));
	assert_non_null(filter_parse_latency(&f, "5 m"));
	assert_non_null(filter_parse_latency(&f, "inf"));
	assert_non_null(filter_parse_latency(&f, "1e300s"));
	assert_non_null(filter_parse_guest(&f, "65536"));
	assert_non_null(filter_parse_guest(&f, ""));
	assert_non_null(filter_parse_disk(&f, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bands_as_sorted),
		cmocka_unit_test(bands_whole),
		cmocka_unit_test(timeline_depths),
		cmocka_unit_test(timeline_bounds),
		cmocka_unit_test(timelines_bounded),
		cmocka_unit_test(timeline_last),
		cmocka_unit_test(timeline_of_a_span),
		cmocka_unit_test(slowest_kept),
		cmocka_unit_test(processes_bounded),
		cmocka_unit_test(rows_bounded),
		cmocka_unit_test(size_classes),
		cmocka_unit_test(flush_spans),
		cmocka_unit_test(rows),
		cmocka_unit_test(stuck),
		cmocka_unit_test(behind_a_flush),
		cmocka_unit_test(filters),
		cmocka_unit_test(bad_filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
