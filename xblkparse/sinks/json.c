// SPDX-License-Identifier: GPL-2.0-only
/* The summary for machines; xblkparse(1) describes every field. */
#include "json_util.h"
#include "json_writer.h"
#include "output.h"
#include "sink.h"
#include "base/util.h"

/* Raised when a reader would go wrong; new members do not make it. */
#define VERSION 2

static json_t *bins(const struct disk_stats *st)
{
	json_t *j = json_object();

	for (int i = 0; i < BIN_MAX; i++)
		json_set(j, bin_names[i], st->bins[i]);
	return j;
}

static json_t *clock_check(const struct disk_stats *st, uint64_t uncertainty)
{
	json_t *j = json_object();

	json_set(j, "checked", st->clock_checked);
	json_object_set_new(j, "min_u_t_ns",
			    st->clock_checked ? json_integer(st->min_u_t) : json_null());
	json_object_set_new(j, "min_0_t_ns",
			    st->clock_checked ? json_integer(st->min_0_t) : json_null());
	json_set(j, "uncertainty_ns", uncertainty);
	return j;
}

static void set_merges(json_t *j, const char *name, uint64_t n, bool unknown)
{
	json_object_set_new(j, name, unknown ? json_null() : json_u64(n));
}

/* @unknown: how much was merged was not recorded. */
static json_t *merges(const struct merge_count *m, bool unknown)
{
	json_t *j = json_object(), *sizes = json_array();

	json_set(j, "bios", m->bios);
	json_set(j, "ended", m->ended);
	set_merges(j, "back_merges", m->back, unknown);
	set_merges(j, "front_merges", m->front, unknown);
	set_merges(j, "request_merges", m->requests, unknown);
	json_set(j, "splits", m->splits);
	json_set(j, "requeues", m->requeues);
	json_set(j, "issued", m->issued);
	json_set(j, "issued_sectors", m->issued_sectors);
	json_object_set_new(j, "mean_sectors",
			    json_real(m->issued ? (double)m->issued_sectors / m->issued
						: 0));
	for (unsigned int i = 0; i < SIZE_CLASSES; i++) {
		if (m->issued_sizes[i])
			json_array_append_new(
				sizes, json_pack("[o,o,o]", json_u64(size_class_from(i)),
						 json_u64(size_class_to(i)),
						 json_u64(m->issued_sizes[i])));
	}
	json_object_set_new(j, "issued_sizes", sizes);
	return j;
}

static json_t *stage(const struct hist *h, const struct hist *all)
{
	json_t *j = json_object();

	json_set(j, "count", h->count);
	json_set(j, "mean_ns", hist_mean(h));
	json_set(j, "min_ns", h->min);
	json_set_quantiles(j, h);
	json_set(j, "max_ns", h->max);
	json_set(j, "sum_ns", h->sum > UINT64_MAX ? UINT64_MAX : (uint64_t)h->sum);
	json_object_set_new(j, "share",
			    json_real(all->sum ? (double)h->sum / (double)all->sum : 0));
	return j;
}

static json_t *histogram(const struct hist *h)
{
	json_t *j = json_array();

	/* Some of its times are in no bucket. */
	if (h->beyond)
		return j;
	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		uint64_t count = hist_at(h, i);

		if (count)
			json_array_append_new(j,
					      json_pack("[o,o]", json_u64(hist_lower(i)),
							json_u64(count)));
	}
	return j;
}

static json_t *disk(const struct xblk *x, const struct xblk_disk *d)
{
	const struct disk_counts *counts = xblk_counts(x, d->nr);
	const struct disk_stats *st = xblk_stats(x, d->nr);
	struct xblk_disk backing;
	size_t at = d->backing;
	bool served = xblk_next_disk(x, &at, &backing);
	json_t *j = json_object(), *m = json_object(), *stages = json_object(),
	       *histograms = json_object();

	json_set(j, "domid", d->domid);
	json_set_string(j, "guest", d->guest);
	json_set_string(j, "guest_uuid", d->uuid);
	json_set_string(j, "disk", d->label);
	json_set(j, "index", d->index);
	json_set(j, "devid", d->devid);
	json_object_set_new(j, "backing",
			    served ? json_string(backing.label) : json_null());
	json_object_set_new(j, "backend_disk",
			    served ? json_u64(backing.index) : json_null());
	json_object_set_new(j, "backend_scheduler",
			    served ? json_string(backing.scheduler) : json_null());
	json_set(j, "requests", st->requests);
	json_set(j, "not_chosen", st->not_chosen);
	json_set(j, "joined", st->bins[BIN_JOINED]);
	json_object_set_new(j, "bins", bins(st));
	json_set(j, "bios", counts->guest.bios);
	for (int i = 0; i < KIND_MAX; i++) {
		json_t *k = json_object();

		json_set(k, "ios", counts->done[i].ios);
		json_set(k, "sectors", counts->done[i].sectors);
		json_object_set_new(j, kind_names[i], k);
	}
	json_set(j, "errors", counts->errors);
	json_set(j, "flush_ends", counts->flush_ends);
	json_set(j, "backend_unmatched_bios", counts->backend_unmatched);
	json_object_set_new(m, "guest", merges(&counts->guest, d->no_merges));
	json_object_set_new(m, "backend", merges(&counts->backend, d->backing_no_merges));
	json_object_set_new(j, "merges", m);
	json_object_set_new(j, "clock", clock_check(st, d->uncertainty_ns));
	for (int i = 0; i < STAGE_MAX && st->stages[i]; i++) {
		json_object_set_new(stages, stage_names[i],
				    stage(st->stages[i], st->stages[STAGE_Q2C]));
		json_object_set_new(histograms, stage_names[i], histogram(st->stages[i]));
	}
	for (int i = 0; i < SUB_MAX; i++) {
		const struct hist *h = st->substages[i];
		json_t *of = json_object_get(stages, stage_names[substage_of[i]]);

		if (!h)
			continue;
		if (!json_object_get(of, "substages"))
			json_object_set_new(of, "substages", json_object());
		json_object_set_new(json_object_get(of, "substages"), substage_names[i],
				    stage(h, st->stages[STAGE_Q2C]));
	}
	json_object_set_new(j, "stages", stages);
	json_object_set_new(j, "histograms", histograms);
	json_analysis(j, x, d);
	return j;
}

static json_t *stream(const struct xblk_stream *s)
{
	json_t *j = json_object();

	json_set(j, "domid", s->domid);
	json_set(j, "cpu", s->cpu);
	json_set(j, "records", s->records);
	json_set(j, "records_lost", s->lost);
	json_set(j, "missing", s->missing);
	json_set(j, "invalid", s->invalid);
	json_set(j, "late", s->late);
	json_object_set_new(j, "produced",
			    s->accounted ? json_u64(s->produced) : json_null());
	json_object_set_new(j, "written",
			    s->accounted ? json_u64(s->written) : json_null());
	json_object_set_new(j, "lost",
			    s->accounted ? json_u64(s->told_lost) : json_null());
	json_object_set_new(j, "marks", s->accounted ? json_u64(s->marks) : json_null());
	return j;
}

/* What the domain's kernel offers, of what substages need, and what it does not. */
static json_t *probes(const struct xblk_domain *dom)
{
	json_t *j = json_object(), *offered = json_array(), *missing = json_array();

	for (int p = 0; p < PROBE_MAX; p++) {
		if (probe_is_of(p, dom->backend))
			json_array_append_new(dom->probes >> p & 1 ? offered : missing,
					      json_string(probe_names[p]));
	}
	json_set(j, "domid", dom->domid);
	json_object_set_new(j, "offered", offered);
	json_object_set_new(j, "missing", missing);
	return j;
}

static json_t *backend_disk(const struct xblk *x, const struct xblk_disk *d)
{
	json_t *j = json_object();

	json_set(j, "index", d->index);
	json_set_string(j, "disk", d->label);
	json_set_string(j, "dev", d->dev);
	json_set_string(j, "scheduler", d->scheduler);
	json_set(j, "own_bios", xblk_counts(x, d->nr)->own_bios);
	json_set(j, "own_sectors", xblk_counts(x, d->nr)->own_sectors);
	return j;
}

/* What of all streams together there is. */
static void set_records(json_t *j, const struct xblk *x)
{
	uint64_t found = 0, lost = 0, invalid = 0, late = 0;
	struct xblk_stream s;
	size_t at = 0;

	while (xblk_next_stream(x, &at, &s)) {
		found += s.records;
		lost = add_sat(lost, s.lost);
		invalid += s.invalid;
		late += s.late;
	}
	json_set(j, "records", found);
	json_set(j, "records_lost", lost);
	json_set(j, "invalid", invalid);
	json_set(j, "late", late);
}

static void set_trace(json_t *j, const struct xblk_trace *t)
{
	json_set(j, "version", VERSION);
	json_set(j, "format", VERSION);
	json_set_string(j, "host", t->host);
	json_set_string(j, "tool", t->tool);
	json_set_string(j, "recorded", t->recorded);
	/* Whoever did not read so far cannot know. */
	json_object_set_new(j, "ended_in_good_order",
			    t->stopped ? json_null() : json_boolean(t->ended));
	json_set(j, "read_from_ns", sub_sat(t->from_ns, t->start_ns));
	json_object_set_new(j, "problems", json_boolean(t->problems));
	json_set_string(j, "reason", t->reason);
	json_set(j, "duration_ns", t->duration_ns);
}

static void put_lists(struct json_writer *w, const struct xblk *x, const struct filter *f)
{
	struct xblk_domain dom;
	struct xblk_stream s;
	struct xblk_disk d;
	size_t at;

	json_writer_open(w, "streams", '[');
	for (at = 0; xblk_next_stream(x, &at, &s);)
		json_writer_put(w, NULL, stream(&s));
	json_writer_close(w, ']');
	json_writer_open(w, "probes", '[');
	for (at = 0; xblk_next_domain(x, &at, &dom);) {
		if (dom.probes_told)
			json_writer_put(w, NULL, probes(&dom));
	}
	json_writer_close(w, ']');
	json_writer_open(w, "disks", '[');
	for (at = 0; xblk_next_disk(x, &at, &d);) {
		if (!d.backend && filter_disk(f, &d))
			json_writer_put(w, NULL, disk(x, &d));
	}
	json_writer_close(w, ']');
	json_writer_open(w, "backend_disks", '[');
	for (at = 0; xblk_next_disk(x, &at, &d);) {
		if (d.backend)
			json_writer_put(w, NULL, backend_disk(x, &d));
	}
	json_writer_close(w, ']');
}

/* What does not grow with the number of disks. */
static json_t *summary(const struct xblk *x, const struct filter *f)
{
	json_t *j = json_object();
	struct disk_stats all;
	struct xblk_trace t;

	xblk_get_trace(x, &t);
	total_stats(x, f, &all);
	set_trace(j, &t);
	json_set(j, "requests", all.requests);
	json_set(j, "not_chosen", all.not_chosen);
	json_set(j, "joined", all.bins[BIN_JOINED]);
	set_records(j, x);
	json_set(j, "events_sent", t.events_sent);
	json_set(j, "causality_violations", all.bins[BIN_CAUSALITY]);
	json_object_set_new(j, "bins", bins(&all));
	json_object_set_new(j, "clock", clock_check(&all, total_uncertainty(x, f)));
	stats_deinit(&all);
	return j;
}

bool json_print(FILE *out, const struct xblk *x, const struct filter *f)
{
	struct json_writer w;

	json_writer_init(&w, out);
	json_writer_open(&w, NULL, '{');
	json_writer_put_members(&w, summary(x, f));
	put_lists(&w, x, f);
	json_writer_close(&w, '}');
	return json_writer_end(&w);
}

static void ask(struct xblk_analysis *a, const struct sink_options *o)
{
	(void)o;
	a->latencies = a->timeline = a->processes = true;
}

static bool end(struct output *to, const struct xblk *x)
{
	json_print(to->out, x, to->options->filter);
	return true;
}

const struct sink json_sink = {.ask = ask, .end = end};
