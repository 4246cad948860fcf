// SPDX-License-Identifier: GPL-2.0-only
#include "verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "util.h"

void verify_init(struct verify *v)
{
	memset(v, 0, sizeof(*v));
}

void verify_deinit(struct verify *v)
{
	free(v->last_ns);
}

void verify_record(struct verify *v, const struct stream *s, const struct xblk_record *r)
{
	if (s->nr >= v->nr_streams) {
		v->last_ns = xrealloc(v->last_ns, (s->nr + 1) * sizeof(*v->last_ns));
		memset(v->last_ns + v->nr_streams, 0,
		       (s->nr + 1 - v->nr_streams) * sizeof(*v->last_ns));
		v->nr_streams = s->nr + 1;
	}
	/* A clock that was set anew may go back; what is missing has no time. */
	if (r->event == EV_GAP)
		return;
	if (r->event != XBLK_EV_CLOCK && r->time < v->last_ns[s->nr])
		v->backwards++;
	v->last_ns[s->nr] = r->time;
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
	uint64_t sum = 0;

	for (unsigned int i = 0; i < p->merge.nr_streams; i++)
		sum = add_sat(sum, *(uint64_t *)((char *)p->merge.streams[i] + member));
	return sum;
}

#define SUM(p, member) sum_streams(p, offsetof(struct stream, member))

/* Chunks of a stream that are missing, or that come twice or too late. */
static bool check_sequence(FILE *out, const struct parse *p)
{
	return line(out, "sequence", !SUM(p, missing) && !SUM(p, backwards),
		    "%" PRIu64 " records missing, %" PRIu64
		    " chunks behind their place, in %u streams",
		    SUM(p, missing), SUM(p, backwards), p->merge.nr_streams);
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
	unsigned int without = 0;

	for (unsigned int i = 0; i < p->merge.nr_streams; i++)
		without += !p->merge.streams[i]->has_end;
	if (!p->ended || without)
		return line(out, "conservation", false,
			    "not known: %u of %u streams are without their counters",
			    without, p->merge.nr_streams);
	return line(out, "conservation", p->conserved,
		    "%" PRIu64 " produced = %" PRIu64 " written + %" PRIu64
		    " lost; %" PRIu64 " found",
		    produced, written, lost, found);
}

static bool check_stages(FILE *out, const struct disk_stats *all)
{
	return line(out, "stages", !all->sum_failed,
		    "add up to the nanosecond for %" PRIu64 " of %" PRIu64
		    " joined requests",
		    all->sum_checked - all->sum_failed, all->sum_checked);
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

static bool check_bins(FILE *out, const struct disk_stats *all)
{
	uint64_t sum = 0;

	for (int i = 0; i < BIN_MAX; i++)
		sum += all->bins[i];
	return line(out, "bins", sum == all->requests,
		    "%" PRIu64 " requests, %" PRIu64 " in a bin", all->requests, sum);
}

bool verify_print(FILE *out, const struct verify *v, const struct parse *p)
{
	static const struct filter everything;
	const struct reader *r = &p->reader;
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
	good &= line(out, "end", p->ended, "%s",
		     p->ended ? p->reason : "the capture did not end in good order");
	good &= check_sequence(out, p);
	good &= check_order(out, p, v);
	good &= check_records(out, p);
	good &= check_conservation(out, p);
	good &= check_bins(out, &all);
	good &= check_stages(out, &all);
	good &= check_causality(out, &all);
	stats_deinit(&all);
	return good;
}
