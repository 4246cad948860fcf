// SPDX-License-Identifier: GPL-2.0-only
#include "verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "name.h"
#include "output.h"
#include "sink.h"
#include "base/util.h"

void verify_init(struct verify *v)
{
	memset(v, 0, sizeof(*v));
}

/* The last record of a stream. */
struct verify_stream {
	const void *of;
	uint64_t ns;
};

void verify_deinit(struct verify *v)
{
	free(v->streams);
}

void verify_record(struct verify *v, const struct xblk_event_record *e)
{
	const struct xblk_record *r = e->record;
	struct verify_stream *last;

	if (e->stream >= v->nr_streams) {
		v->streams = xrealloc(v->streams, (e->stream + 1) * sizeof(*v->streams));
		memset(v->streams + v->nr_streams, 0,
		       (e->stream + 1 - v->nr_streams) * sizeof(*v->streams));
		v->nr_streams = e->stream + 1;
	}
	last = &v->streams[e->stream];
	/* One that has ended left its number to another one. */
	if (last->of != e->of)
		*last = (struct verify_stream){.of = e->of};
	/* A clock that was set anew may go back; what is missing has no time. */
	if (r->event == XBLK_EVENT_GAP)
		return;
	if (r->event != XBLK_EV_CLOCK && r->time < last->ns)
		v->backwards++;
	last->ns = r->time;
}

/* Those that are known. */
static bool forward(const uint64_t *ns, size_t nr)
{
	uint64_t last = 0;

	for (size_t i = 0; i < nr; i++) {
		if (ns[i] && ns[i] < last)
			return false;
		last = ns[i] ? ns[i] : last;
	}
	return true;
}

/* What one side's clock says of it goes forward; sides are compared by causality. */
static bool in_order(const struct xblk_request *r)
{
	const uint64_t guest[] = {r->q_ns, r->first_d_ns, r->d_ns, r->c_ns},
		       backend[] = {r->backend_interrupt_ns, r->backend_thread_ns,
				    r->backend_q_ns,	     r->lowest_q_ns,
				    r->backend_d_ns,	     r->lowest_c_ns,
				    r->backend_c_ns,	     r->response_ns},
		       clones[] = {r->backend_q_ns, r->first_clone_ns, r->backend_c_ns};

	/* The guest's last interrupt may have been of others, before this one's D. */
	return forward(guest, ARRAY_SIZE(guest)) && r->interrupt_ns <= r->c_ns &&
	       forward(backend, ARRAY_SIZE(backend)) &&
	       forward(clones, ARRAY_SIZE(clones));
}

void verify_request(struct verify *v, const struct xblk_request *r)
{
	v->requests++;
	v->unissued += r->c_ns && !r->d_ns;
	if (r->c_ns) {
		v->completed++;
		v->sectors += r->nr_sectors;
		v->errors += r->error != 0;
	}
	if (r->measured) {
		v->measured++;
		v->disordered += !in_order(r);
	}
}

__attribute__((format(printf, 4, 5))) static bool line(FILE *out, const char *check,
						       bool good, const char *fmt, ...)
{
	va_list ap;

	fprintf(out, "%-4s  %-13s ", good ? "ok" : "FAIL", check);
	va_start(ap, fmt);
	vfprintf(out, fmt, ap);
	va_end(ap);
	fputc('\n', out);
	return good;
}

/* All streams in one, and how many they are. */
struct streams {
	unsigned int nr, accounted;
	struct xblk_stream sum;
};

static struct streams sum_streams(const struct xblk *x)
{
	struct streams all = {0};
	struct xblk_stream s;
	size_t at = 0;

	while (xblk_next_stream(x, &at, &s)) {
		all.nr++;
		all.accounted += s.accounted;
		all.sum.records = add_sat(all.sum.records, s.records);
		all.sum.invalid = add_sat(all.sum.invalid, s.invalid);
		all.sum.late = add_sat(all.sum.late, s.late);
		all.sum.missing = add_sat(all.sum.missing, s.missing);
		all.sum.backwards = add_sat(all.sum.backwards, s.backwards);
		all.sum.produced = add_sat(all.sum.produced, s.produced);
		all.sum.written = add_sat(all.sum.written, s.written);
		all.sum.told_lost = add_sat(all.sum.told_lost, s.told_lost);
	}
	return all;
}

/* Chunks of a stream that are missing, or that come twice or too late. */
static bool check_sequence(FILE *out, const struct streams *all)
{
	return line(out, "sequence", !all->sum.missing && !all->sum.backwards,
		    "%" PRIu64 " records missing, %" PRIu64
		    " chunks behind their place, in %u streams",
		    all->sum.missing, all->sum.backwards, all->nr);
}

static bool check_order(FILE *out, const struct streams *all, const struct verify *v)
{
	/* A producer may be held up before it writes, and tells of a loss when it can. */
	return line(out, "order", !v->backwards,
		    "%" PRIu64
		    " records older than the one before in their stream (and %" PRIu64
		    " that came after their round, as they may)",
		    v->backwards, all->sum.late);
}

static bool check_records(FILE *out, const struct streams *all)
{
	return line(out, "records", !all->sum.invalid,
		    "%" PRIu64 ", of which %" PRIu64 " make no sense", all->sum.records,
		    all->sum.invalid);
}

static bool check_conservation(FILE *out, const struct streams *all,
			       const struct xblk_trace *t)
{
	if (!t->ended || all->accounted != all->nr)
		return line(out, "conservation", false,
			    "not known: %u of %u streams are without their counters",
			    all->nr - all->accounted, all->nr);
	return line(out, "conservation", t->conserved,
		    "%" PRIu64 " produced = %" PRIu64 " written + %" PRIu64
		    " lost; %" PRIu64 " found",
		    all->sum.produced, all->sum.written, all->sum.told_lost,
		    all->sum.records);
}

static bool check_waypoints(FILE *out, const struct verify *v)
{
	return line(out, "waypoints", !v->disordered,
		    "not in the order of their times for %" PRIu64 " of %" PRIu64
		    " requests",
		    v->disordered, v->measured);
}

static bool check_causality(FILE *out, const struct disk_stats *all)
{
	return line(out, "causality", !all->bins[BIN_CAUSALITY],
		    "%" PRIu64 " of %" PRIu64
		    " requests were somewhere before they had left for it; smallest U-T "
		    "%" PRId64 " ns, smallest 0-T %" PRId64 " ns",
		    all->bins[BIN_CAUSALITY], all->clock_checked, all->min_u_t,
		    all->min_0_t);
}

/* What the disks' counters, as those of /sys/block/DISK/stat, make of the records. */
struct counted {
	uint64_t issued, merged, completed, sectors, errors;
	bool no_merges; /* of some guest's disk @merged is not known */
};

static struct counted count_all(const struct xblk *x)
{
	struct counted all = {0};
	struct xblk_disk d;
	size_t at = 0;

	while (xblk_next_disk(x, &at, &d)) {
		const struct disk_counts *c = xblk_counts(x, d.nr);

		if (d.backend)
			continue;
		all.issued += c->guest.issued;
		all.merged += c->guest.requests;
		all.no_merges |= d.no_merges;
		all.errors += c->errors;
		for (int k = 0; k < KIND_MAX; k++) {
			all.completed += c->done[k].ios;
			all.sectors += c->done[k].sectors;
		}
	}
	return all;
}

/*
 * Whatever was issued, or completed without that, is in one bin; or merged away again, of
 * which there may be no records.
 */
static bool check_bins(FILE *out, const struct verify *v, const struct disk_stats *all,
		       const struct counted *counted)
{
	uint64_t sum = 0, came = counted->issued + v->unissued;
	char merged[24] = "-";

	for (int i = 0; i < BIN_MAX; i++)
		sum += all->bins[i];
	if (!counted->no_merges)
		snprintf(merged, sizeof(merged), "%" PRIu64, counted->merged);
	return line(out, "bins",
		    sum == v->requests && sum <= came &&
			    (counted->no_merges || came - sum <= counted->merged),
		    "%" PRIu64 " in one; %" PRIu64 " issued, %" PRIu64
		    " completed without their D, at most %s merged after their D",
		    sum, counted->issued, v->unissued, merged);
}

static bool check_done(FILE *out, const struct verify *v, const struct counted *counted)
{
	return line(out, "done",
		    v->completed == counted->completed &&
			    v->sectors == counted->sectors &&
			    v->errors == counted->errors,
		    "%" PRIu64 " requests of %" PRIu64 " sectors, %" PRIu64
		    " with an error; the disks' counters have %" PRIu64 " of %" PRIu64
		    ", %" PRIu64,
		    v->completed, v->sectors, v->errors, counted->completed,
		    counted->sectors, counted->errors);
}

bool verify_print(FILE *out, const struct verify *v, const struct xblk *x)
{
	static const struct filter everything;
	char reason[NAME_LEN];
	struct streams streams = sum_streams(x);
	struct counted counted = count_all(x);
	struct disk_stats all;
	struct xblk_trace t;
	bool good;

	xblk_get_trace(x, &t);
	if (!t.version)
		return line(out, "header", false, "it is none that is known");
	good = line(out, "header", true, "version %u", t.version);
	total_stats(x, &everything, &all);
	good &= line(out, "checksums", !t.damaged,
		     "%" PRIu64 " chunks; %" PRIu64 " stretches of %" PRIu64
		     " bytes in all cannot be used",
		     t.chunks, t.damaged, t.damaged_bytes);
	good &= line(out, "one trace", !t.foreign, "%s",
		     t.foreign ? "another one is behind it, or it was put together"
			       : "nothing of another one in it");
	shown_name(reason, t.reason);
	good &= line(out, "end", t.ended, "%s",
		     t.ended ? reason : "the capture did not end in good order");
	good &= check_sequence(out, &streams);
	good &= check_order(out, &streams, v);
	good &= check_records(out, &streams);
	good &= check_conservation(out, &streams, &t);
	good &= check_bins(out, v, &all, &counted);
	good &= check_done(out, v, &counted);
	good &= check_waypoints(out, v);
	good &= check_causality(out, &all);
	stats_deinit(&all);
	return good;
}

static void ask(struct xblk_analysis *a, const struct sink_options *o)
{
	(void)o;
	a->latencies = true;
}

static void *new_state(void)
{
	struct verify *v = xmalloc(sizeof(*v));

	verify_init(v);
	return v;
}

static void free_state(void *state)
{
	verify_deinit(state);
	free(state);
}

static void look_at_record(struct output *to, const struct xblk *x,
			   const struct xblk_event_record *e)
{
	(void)x;
	verify_record(to->state, e);
}

static void look_at_request(struct output *to, const struct xblk *x,
			    const struct xblk_request *r)
{
	(void)x;
	verify_request(to->state, r);
}

static bool end(struct output *to, const struct xblk *x)
{
	return verify_print(to->out, to->state, x);
}

const struct sink verify_sink = {
	.whole = true,
	.tells_few = true,
	.ask = ask,
	.new_state = new_state,
	.free_state = free_state,
	.event = look_at_record,
	.request = look_at_request,
	.end = end,
};
