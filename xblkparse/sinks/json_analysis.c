// SPDX-License-Identifier: GPL-2.0-only
/* The summary for machines: what is analysed of a disk's requests. */
#include "json_util.h"

#include <stdlib.h>

#include "output.h"
#include "base/util.h"

static json_t *stage_means(const uint64_t sum[STAGE_PARTS], uint64_t count)
{
	json_t *j = json_object();

	for (int i = 0; i < STAGE_PARTS; i++)
		json_set(j, stage_names[i], count ? (sum[i] + count / 2) / count : 0);
	return j;
}

static json_t *row(const struct row *r)
{
	json_t *j = json_object();

	json_set(j, "count", r->q2c->count);
	json_set(j, "sectors", r->sectors);
	json_object_set_new(j, "stage_mean_ns", stage_means(r->sum, r->q2c->count));
	json_set(j, "mean_ns", hist_mean(r->q2c));
	json_set(j, "min_ns", r->q2c->min);
	json_set_quantiles(j, r->q2c);
	json_set(j, "max_ns", r->q2c->max);
	return j;
}

static json_t *by_operation(const struct breakdown *b)
{
	struct row r;
	json_t *j = json_object();

	for (unsigned int i = 0; i < OP_CLASSES; i++) {
		if (!breakdown_op(b, i, &r))
			continue;
		if (op_names[i])
			json_object_set_new(j, op_names[i], row(&r));
		row_deinit(&r);
	}
	return j;
}

static json_t *by_size(const struct breakdown *b)
{
	struct row r;
	json_t *j = json_array();

	for (unsigned int i = 0; i < SIZE_CLASSES; i++) {
		json_t *o;

		if (!breakdown_size(b, i, &r))
			continue;
		o = row(&r);
		row_deinit(&r);
		json_set(o, "from_sectors", size_class_from(i));
		json_set(o, "to_sectors", size_class_to(i));
		json_array_append_new(j, o);
	}
	return j;
}

static json_t *by_size_others(const struct breakdown *b)
{
	struct row r;
	json_t *j = json_null();

	if (breakdown_size(b, SIZE_FURTHER, &r))
		j = row(&r);
	row_deinit(&r);
	return j;
}

static json_t *by_process(const struct breakdown *b)
{
	json_t *j = json_array();

	for (unsigned int i = 0; i < b->nr_processes; i++) {
		json_t *o = row(b->processes[i].row);

		json_set(o, "pid", b->processes[i].pid);
		json_set_string(o, "comm", b->processes[i].name);
		json_array_append_new(j, o);
	}
	return j;
}

static json_t *bands(const struct bands *b, const struct hist *q2c)
{
	struct band folded[BANDS];
	json_t *j = json_array();

	if (!bands_known(b, q2c))
		return j;
	bands_fold(b, q2c, folded);
	for (int i = 0; i < BANDS; i++) {
		json_t *o = json_object(), *shares = json_object(),
		       *means = json_object();
		double all = 0, count = folded[i].count ? folded[i].count : 1;

		for (int s = 0; s < STAGE_PARTS; s++)
			all += folded[i].sum[s];
		for (int s = 0; s < STAGE_PARTS; s++) {
			json_set_real(shares, stage_names[s],
				      all > 0 ? folded[i].sum[s] / all : 0);
			json_set(means, stage_names[s],
				 (uint64_t)(folded[i].sum[s] / count + 0.5));
		}
		json_set_string(o, "band", band_names[i]);
		json_set_real(o, "from", band_permille[i] / 1000.0);
		json_set_real(o, "to", band_permille[i + 1] / 1000.0);
		json_set(o, "count", folded[i].count);
		json_set(o, "from_ns", folded[i].from_ns);
		json_set(o, "to_ns", folded[i].to_ns);
		json_object_set_new(o, "stage_share", shares);
		json_object_set_new(o, "stage_mean_ns", means);
		json_array_append_new(j, o);
	}
	return j;
}

/* A value for each interval in a row of its own: what a plot is made from. */
static json_t *side(const struct timeline *t, enum side side)
{
	static const char *const depths[STATE_MAX] = {"depth_q2c", "depth_d2c"};
	double depth[TIMELINE_INTERVALS];
	json_t *j = json_object(), *ios = json_array(), *sectors = json_array(),
	       *iops = json_array(), *rate = json_array();

	for (unsigned int i = 0; i < t->nr; i++) {
		uint64_t n = t->intervals[i].side[side].ios,
			 s = t->intervals[i].side[side].sectors;
		double seconds = (double)timeline_width(t, i) / 1e9;

		json_array_append_new(ios, json_u64(n));
		json_array_append_new(sectors, json_u64(s));
		json_array_append_new(iops, json_real(n / seconds));
		json_array_append_new(rate, json_real(s * 512.0 / seconds));
	}
	json_object_set_new(j, "ios", ios);
	json_object_set_new(j, "sectors", sectors);
	json_object_set_new(j, "iops", iops);
	json_object_set_new(j, "bytes_per_s", rate);
	for (int state = 0; state < STATE_MAX; state++) {
		json_t *values = json_array();

		timeline_depth(t, side, state, depth);
		for (unsigned int i = 0; i < t->nr; i++)
			json_array_append_new(values, json_real(depth[i]));
		json_object_set_new(j, depths[state], values);
	}
	return j;
}

static json_t *timeline(const struct timeline *t, uint64_t start_ns)
{
	json_t *j = json_object(), *joined = json_array(), *max = json_array(),
	       *means = json_object();

	for (unsigned int i = 0; i < t->nr; i++) {
		json_array_append_new(joined, json_u64(t->intervals[i].joined));
		json_array_append_new(max, json_u64(t->intervals[i].max_q2c));
	}
	for (int s = 0; s < STAGE_PARTS; s++) {
		json_t *values = json_array();

		for (unsigned int i = 0; i < t->nr; i++) {
			const struct interval *in = &t->intervals[i];

			json_array_append_new(
				values, in->joined ? json_u64(in->sum[s] / in->joined)
						   : json_null());
		}
		json_object_set_new(means, stage_names[s], values);
	}
	json_set(j, "interval_ns", t->nr ? 1ull << t->shift : 0);
	json_set(j, "intervals", t->nr);
	json_set(j, "start_ns", t->nr ? t->start_ns - start_ns : 0);
	json_set(j, "last_interval_ns", t->nr ? timeline_width(t, t->nr - 1) : 0);
	json_object_set_new(j, "guest", side(t, SIDE_GUEST));
	json_object_set_new(j, "backend", side(t, SIDE_BACKEND));
	json_object_set_new(j, "joined", joined);
	json_object_set_new(j, "stage_mean_ns", means);
	json_object_set_new(j, "max_ns", max);
	return j;
}

/* A time since the trace began; null: not known. */
static void set_since(json_t *j, const char *key, uint64_t start_ns, uint64_t ns)
{
	json_object_set_new(j, key, ns ? json_integer(ns - start_ns) : json_null());
}

/* What is known of every request. */
static json_t *slow(const struct slow *s, uint64_t start_ns)
{
	const struct xblk_request *r = &s->request;
	json_t *j = json_object();
	bool put = r->ring >= 0;
	char op[16];

	op_letters(op, r->op, r->nr_sectors);
	json_set_string(j, "op", op);
	json_set(j, "sector", r->sector);
	json_set(j, "sectors", r->nr_sectors);
	json_set(j, "pid", r->pid);
	json_set_string(j, "comm", s->process);
	json_object_set_new(j, "queued_ns", json_integer(r->q_ns - start_ns));
	json_object_set_new(j, "issued_ns", json_integer(r->d_ns - start_ns));
	set_since(j, "first_issued_ns", start_ns, r->first_d_ns);
	json_set(j, "requeued_ns", r->requeued_ns);
	json_set(j, "bios", r->nr_bios);
	json_set(j, "backend_bios", r->nr_backend_bios);
	json_set(j, "requeues", r->requeues);
	json_object_set_new(j, "ring", put ? json_integer(r->ring) : json_null());
	json_object_set_new(j, "slot", put ? json_u64(r->slot) : json_null());
	return j;
}

static json_t *clone_times(const struct xblk_request *r, uint64_t start_ns)
{
	json_t *j = json_array();

	for (unsigned int i = 0; i < r->nr_clones && i < XBLK_CLONES; i++) {
		const struct xblk_clone *c = &r->clones[i];
		json_t *o = json_object();

		json_set_string(o, "disk", c->disk);
		json_set(o, "sector", c->sector);
		json_set(o, "sectors", c->nr_sectors);
		json_set(o, "level", c->level);
		set_since(o, "queued_ns", start_ns, c->q_ns);
		set_since(o, "issued_ns", start_ns, c->d_ns);
		set_since(o, "completed_ns", start_ns, c->c_ns);
		json_set(o, "requeued_ns", c->requeued_ns);
		json_set(o, "requeues", c->requeues);
		json_set(o, "error", c->error);
		json_array_append_new(j, o);
	}
	return j;
}

static void set_known(json_t *j, const char *key, bool known, uint64_t n)
{
	json_object_set_new(j, key, known ? json_u64(n) : json_null());
}

static void set_name(json_t *j, const char *key, bool known, const char *name)
{
	json_object_set_new(j, key, known ? json_string(name) : json_null());
}

/* What the backend did for one, or has done so far, if that is known. */
static void set_backend(json_t *j, const struct slow *s, uint64_t start_ns)
{
	const struct xblk_request *r = &s->request;
	bool known = r->backend_q_ns, lowest = *r->lowest_disk;

	set_known(j, "backend_request", r->backend_request, r->backend_request);
	set_known(j, "backend_pid", known, r->backend_pid);
	set_name(j, "backend_comm", known, s->backend_process);
	json_object_set_new(j, "backend_failed",
			    known ? json_boolean(r->backend_failed) : json_null());
	set_known(j, "backend_error", known, r->backend_error);
	set_since(j, "backend_queued_ns", start_ns, r->backend_q_ns);
	set_since(j, "backend_issued_ns", start_ns, r->backend_d_ns);
	set_since(j, "backend_completed_ns", start_ns, r->backend_c_ns);
	set_since(j, "backend_interrupt_ns", start_ns, r->backend_interrupt_ns);
	set_since(j, "backend_thread_ns", start_ns, r->backend_thread_ns);
	set_since(j, "response_ns", start_ns, r->response_ns);
	set_name(j, "lowest_disk", lowest, r->lowest_disk);
	set_since(j, "lowest_queued_ns", start_ns, r->lowest_q_ns);
	set_since(j, "lowest_completed_ns", start_ns, r->lowest_c_ns);
	set_known(j, "lowest_requeued_ns", lowest, r->lowest_requeued_ns);
	set_known(j, "lowest_requeues", lowest, r->lowest_requeues);
	set_known(j, "lowest_bios", r->lowest_nr_bios, r->lowest_nr_bios);
	set_known(j, "clones", known, r->nr_clones);
	set_since(j, "first_clone_ns", start_ns, r->first_clone_ns);
	json_object_set_new(j, "clone_times", clone_times(r, start_ns));
}

static json_t *slowest(const struct slowest *list, uint64_t start_ns)
{
	json_t *j = json_array();

	for (unsigned int i = 0; i < list->nr; i++) {
		const struct xblk_request *r = &list->heap[i].request;
		json_t *o = slow(&list->heap[i], start_ns), *stages = json_object();

		for (int k = 0; k < STAGE_MAX; k++)
			json_set(stages, stage_names[k], r->stages[k]);
		json_object_set_new(o, "stage_ns", stages);
		json_set(o, "error", r->error);
		set_since(o, "completed_ns", start_ns, r->c_ns);
		set_since(o, "interrupt_ns", start_ns, r->interrupt_ns);
		json_set(o, "guest_flush_wait_ns", r->guest_flush_ns);
		json_set(o, "backend_flush_wait_ns", r->backend_flush_ns);
		set_backend(o, &list->heap[i], start_ns);
		json_array_append_new(j, o);
	}
	return j;
}

static json_t *in_flight(const struct analysis *a, const struct xblk *x,
			 const struct xblk_disk *d)
{
	json_t *j = json_object(), *reached = json_object(), *oldest = json_array();

	for (int i = 0; i < STAGE_PARTS; i++)
		json_set(reached, stage_names[i], a->reached[i]);
	for (unsigned int i = 0; i < a->oldest.nr; i++) {
		const struct slow *s = &a->oldest.heap[i];
		json_t *o = slow(s, xblk_start_ns(x));

		json_set_string(o, "stage", stage_names[s->request.reached]);
		json_set(o, "age_ns", s->age_ns);
		set_backend(o, s, xblk_start_ns(x));
		json_array_append_new(oldest, o);
	}
	json_object_set_new(j, "requests", reached);
	json_set(j, "queued_bios", xblk_counts(x, d->nr)->queued_bios);
	json_object_set_new(j, "oldest", oldest);
	return j;
}

static json_t *flush_wait(const struct flush_wait *w)
{
	json_t *j = json_object();

	json_set(j, "requests", w->requests);
	json_set(j, "wait_ns", w->ns);
	return j;
}

void json_analysis(json_t *to, const struct xblk *x, const struct xblk_disk *d)
{
	const struct analysis *a = xblk_stats(x, d->nr)->analysis;
	struct analysis *none = NULL;
	json_t *waits = json_object();

	if (!a)
		a = none = xcalloc(1, sizeof(*none));
	json_object_set_new(to, "by_operation", by_operation(&a->breakdown));
	json_object_set_new(to, "by_size", by_size(&a->breakdown));
	json_object_set_new(to, "by_size_others", by_size_others(&a->breakdown));
	json_object_set_new(to, "by_process", by_process(&a->breakdown));
	json_object_set_new(to, "by_process_others",
			    a->breakdown.others ? row(a->breakdown.others) : json_null());
	json_object_set_new(to, "bands",
			    bands(&a->bands, xblk_stats(x, d->nr)->stages[STAGE_Q2C]));
	json_object_set_new(to, "timeline", timeline(&a->timeline, xblk_start_ns(x)));
	json_object_set_new(to, "slowest", slowest(&a->slowest, xblk_start_ns(x)));
	json_object_set_new(to, "in_flight", in_flight(a, x, d));
	json_object_set_new(waits, "guest", flush_wait(&a->waits[SIDE_GUEST]));
	json_object_set_new(waits, "backend", flush_wait(&a->waits[SIDE_BACKEND]));
	json_object_set_new(to, "flush_waits", waits);
	free(none);
}
