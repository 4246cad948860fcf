// SPDX-License-Identifier: GPL-2.0-only
#include "verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "name.h"
#include "output.h"
#include "base/util.h"

void verify_init(struct verify *v)
{
	memset(v, 0, sizeof(*v));
}

void verify_deinit(struct verify *v)
{
	free(v->last_ns);
	free(v->streams);
}

void verify_record(struct verify *v, const struct stream *s, const struct xblk_record *r)
{
	if (s->nr >= v->nr_streams) {
		v->last_ns = xrealloc(v->last_ns, (s->nr + 1) * sizeof(*v->last_ns));
		v->streams = xrealloc(v->streams, (s->nr + 1) * sizeof(*v->streams));
		memset(v->streams + v->nr_streams, 0,
		       (s->nr + 1 - v->nr_streams) * sizeof(*v->streams));
		v->nr_streams = s->nr + 1;
	}
	/* One that has ended left its number to another one. */
	if (v->streams[s->nr] != s) {
		v->streams[s->nr] = s;
		v->last_ns[s->nr] = 0;
	}
	/* A clock that was set anew may go back; what is missing has no time. */
	if (r->event == EV_GAP)
		return;
	if (r->event != XBLK_EV_CLOCK && r->time < v->last_ns[s->nr])
		v->backwards++;
	v->last_ns[s->nr] = r->time;
}

/* What one side's clock says of it goes forward; sides are compared by causality. */
static bool in_order(const struct xblk_request *r)
{
	const uint64_t guest[] = {r->q_ns, r->d_ns, r->interrupt_ns, r->c_ns},
		       backend[] = {r->backend_interrupt_ns, r->backend_thread_ns,
				    r->backend_q_ns,	     r->backend_d_ns,
				    r->backend_c_ns,	     r->response_ns};
	uint64_t last = 0;

	/* The guest's last interrupt may have been of others, before this one's D. */
	for (size_t i = 0; i < ARRAY_SIZE(guest); i++) {
		if (i == 2 ? guest[i] > r->c_ns : guest[i] < last)
			return false;
		if (i != 2)
			last = guest[i];
	}
	last = 0;
	for (size_t i = 0; i < ARRAY_SIZE(backend); i++) {
		if (!backend[i])
			continue;
		if (backend[i] < last)
			return false;
		last = backend[i];
	}
	return true;
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

static uint64_t sum_streams(const struct parse *p, size_t member)
{
	const struct stream *s;
	unsigned int at = 0;
	uint64_t sum = 0;

	while ((s = merge_next(&p->merge, &at)))
		sum = add_sat(sum, *(const uint64_t *)((const char *)s + member));
	return sum;
}

#define SUM(p, member) sum_streams(p, offsetof(struct stream, member))

/* Chunks of a stream that are missing, or that come twice or too late. */
static bool check_sequence(FILE *out, const struct parse *p)
{
	return line(out, "sequence", !SUM(p, missing) && !SUM(p, backwards),
		    "%" PRIu64 " records missing, %" PRIu64
		    " chunks behind their place, in %u streams",
		    SUM(p, missing), SUM(p, backwards), merge_count(&p->merge));
}

static bool check_order(FILE *out, const struct parse *p, const struct verify *v)
{
	/* A producer may be held up before it writes, and tells of a loss when it can. */
	return line(out, "order", !v->backwards,
		    "%" PRIu64
		    " records older than the one before in their stream (and %" PRIu64
		    " that came after their round, as they may)",
		    v->backwards, SUM(p, late));
}

static bool check_records(FILE *out, const struct parse *p)
{
	return line(out, "records", !SUM(p, invalid),
		    "%" PRIu64 ", of which %" PRIu64 " make no sense", SUM(p, found),
		    SUM(p, invalid));
}

static bool check_conservation(FILE *out, const struct parse *p)
{
	uint64_t produced = SUM(p, end_produced), written = SUM(p, end_written),
		 lost = SUM(p, end_lost), found = SUM(p, found);
	unsigned int without = 0, at = 0;
	const struct stream *s;

	while ((s = merge_next(&p->merge, &at)))
		without += !s->has_end;
	if (!p->ended || without)
		return line(out, "conservation", false,
			    "not known: %u of %u streams are without their counters",
			    without, merge_count(&p->merge));
	return line(out, "conservation", p->conserved,
		    "%" PRIu64 " produced = %" PRIu64 " written + %" PRIu64
		    " lost; %" PRIu64 " found",
		    produced, written, lost, found);
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
};

static struct counted count_all(const struct parse *p)
{
	struct counted all = {0};

	for (size_t i = 0; i < p->model.nr_disks; i++) {
		const struct disk_counts *c = counts_of(p->model.all_disks[i]);

		if (p->model.all_disks[i]->dom->backend)
			continue;
		all.issued += c->guest.issued;
		all.merged += c->guest.requests;
		all.errors += c->errors;
		for (int k = 0; k < KIND_MAX; k++) {
			all.completed += c->done[k].ios;
			all.sectors += c->done[k].sectors;
		}
	}
	return all;
}

/* Whatever was issued, or completed without that, is in one bin; or merged away again. */
static bool check_bins(FILE *out, const struct verify *v, const struct disk_stats *all,
		       const struct counted *counted)
{
	uint64_t sum = 0, came = counted->issued + v->unissued;

	for (int i = 0; i < BIN_MAX; i++)
		sum += all->bins[i];
	return line(out, "bins",
		    sum == v->requests && sum <= came && came - sum <= counted->merged,
		    "%" PRIu64 " in one; %" PRIu64 " issued, %" PRIu64
		    " completed without their D, at most %" PRIu64
		    " merged after their D",
		    sum, counted->issued, v->unissued, counted->merged);
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

bool verify_print(FILE *out, const struct verify *v, const struct parse *p)
{
	static const struct filter everything;
	const struct reader *r = &p->reader;
	char reason[NAME_LEN];
	struct counted counted = count_all(p);
	struct disk_stats all;
	bool good;

	good = line(out, "header", p->began, "version %u", r->header.version);
	if (!p->began)
		return false;
	total_stats(p, &everything, &all);
	good &= line(out, "checksums", !r->damaged,
		     "%" PRIu64 " chunks; %" PRIu64 " stretches of %" PRIu64
		     " bytes in all cannot be used",
		     p->chunks, r->damaged, r->damaged_bytes);
	good &= line(out, "one trace", !p->foreign, "%s",
		     p->foreign ? "another one is behind it, or it was put together"
				: "nothing of another one in it");
	shown_name(reason, p->reason);
	good &= line(out, "end", p->ended, "%s",
		     p->ended ? reason : "the capture did not end in good order");
	good &= check_sequence(out, p);
	good &= check_order(out, p, v);
	good &= check_records(out, p);
	good &= check_conservation(out, p);
	good &= check_bins(out, v, &all, &counted);
	good &= check_done(out, v, &counted);
	good &= check_waypoints(out, v);
	good &= check_causality(out, &all);
	stats_deinit(&all);
	return good;
}
