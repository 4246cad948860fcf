// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: xblkparse from the bytes of a trace to the JSON.
 *
 * The first byte of the input chooses: 'R' or 'r': the rest is a trace, whose
 * checksums need not match; 'W' or 'w': likewise, of which a time span is read,
 * by its index if it has one; 'P' or 'p': it is what a PACK chunk unpacks to.
 * Anything else: the rest is a series of short
 * events that become the records of a well-formed trace, so that the join is
 * reached by every input; with 'F' only some of the requests are chosen.  With
 * bit 5 set, as in small letters, nothing is printed, which costs more than all
 * the rest.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "select/filter.h"
#include "sinks/format.h"
#include "sinks/live.h"
#include "msg.h"
#include "sinks/output.h"
#include "parse.h"
#include "sinks/report.h"
#include "sinks/requests.h"
#include "span.h"
#include "trace_gen.h"
#include "base/util.h"
#include "sinks/verify.h"

/*
 * Every input allocates and frees the same; held back for long, all of it would
 * be new pages each time, and most of the time go into these.
 */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "quarantine_size_mb=2:thread_local_quarantine_size_kb=64";
}

struct bytes {
	const uint8_t *data;
	size_t len, pos;
};

static ssize_t pread_bytes(void *ctx, void *buf, size_t size, uint64_t offset)
{
	struct bytes *b = ctx;
	size_t left = offset < b->len ? b->len - offset : 0;

	if (size > left)
		size = left;
	memcpy(buf, b->data + (left ? offset : 0), size);
	return size;
}

static ssize_t read_bytes(void *ctx, void *buf, size_t size)
{
	struct bytes *b = ctx;
	ssize_t n = pread_bytes(ctx, buf, size, b->pos);

	b->pos += n;
	return n;
}

static int seek_bytes(void *ctx, uint64_t offset)
{
	struct bytes *b = ctx;

	b->pos = offset;
	return 0;
}

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fuzz_trace: %s\n", what);
	abort();
}

static void check_disk(const struct disk_stats *st)
{
	uint64_t sum = 0;

	for (int b = 0; b < BIN_MAX; b++)
		sum += st->bins[b];
	check(sum == st->requests, "the bins do not add up to the requests");
	check(!st->sum_failed, "the stages do not add up to Q2C");
	check(st->sum_checked == st->bins[BIN_JOINED],
	      "a joined request was not checked");
}

static FILE *null;
static struct format *format;
static struct live live;
static struct verify verify;
static struct shown shown;
static bool print;

static void on_request(void *ctx, const struct xblk_request *r)
{
	const struct parse *p = ctx;

	request_print(null, p->join.start_ns, r);
	csv_request_print(null, p->join.start_ns, r);
}

static void on_event(void *ctx, struct stream *s, const struct xblk_record *r)
{
	static const struct filter guest = {.guests = {1, {{NULL, GEN_GUEST}}}};

	if (event_shown(&shown, ctx, &guest, s, r))
		event_print(null, ctx, s, r);
	format_print(null, format, ctx, s, r);
	verify_record(&verify, s, r);
	if (s->dom->backend && r->event != EV_GAP)
		live_advance(&live, ctx, r->time);
}

static bool on_chunk(void *ctx, const struct parse *p)
{
	if (p->index && span_over(p, p->tally.filter))
		parse_rest(ctx);
	return true;
}

static void parse_bytes(const uint8_t *data, size_t len, const struct filter *filter)
{
	static const struct report_options everything = {
		.by = ~0u, .slowest = true, .colour = true};
	static const struct filter all;
	struct bytes b = {data, len, 0};
	struct seekable src = {pread_bytes, &b, len};
	struct index index = {0};
	struct parse *p = xcalloc(1, sizeof(*p));

	parse_init(p, read_bytes, &b);
	/* Small bounds, so that they are reached. */
	p->join.max_in_flight = 16;
	p->merge.max_buffered = 256;
	p->tally.filter = filter;
	p->tally.windows = print;
	live_init(&live, null, &all, 1000000);
	verify_init(&verify);
	shown_init(&shown);
	p->ctx = p;
	if (print) {
		p->tally.on_request = on_request;
		p->tally.ctx = p;
		p->on_event = on_event;
	}
	if (filter && filter->have_time) {
		p->on_chunk = on_chunk;
		p->reader.seek = seek_bytes;
		if (index_load(&index, &src))
			span_begin(p, &src, &index, filter);
	}
	parse_run(p);
	for (size_t i = 0; i < p->model.nr_disks; i++)
		check_disk(stats_of(p->model.all_disks[i]));
	for (unsigned int i = 0; i < p->model.nr_domains; i++)
		check(p->model.domains[i]->backend || !p->model.domains[i]->nr_rqs,
		      "a request has no end");
	if (print && p->began) {
		report_print(null, p, &all, &everything);
		csv_summary(null, p, &all);
		json_print(null, p, &all);
	}
	if (print) {
		live_finish(&live, p);
		verify_print(null, &verify, p);
	}
	live_deinit(&live);
	verify_deinit(&verify);
	shown_deinit(&shown);
	parse_deinit(p);
	index_deinit(&index);
	free(p);
}

/* One event of a series; fields are small, so that they meet each other. */
struct event {
	uint8_t stream, event, op, disk, delta, scale, sector, nr, id, aux, then;
};

static void add_event(struct gen *g, const struct event *e, uint64_t *ns)
{
	unsigned int domid = e->stream & 4 ? 0 : GEN_GUEST, cpu = e->stream & 3;
	struct xblk_record r = {.event = e->event % (XBLK_EV_MAX + 1),
				.op = e->op,
				.disk = e->disk % 5,
				.id = e->id,
				.aux = e->then & 1 ? GEN_KTHREAD : e->aux};

	*ns += (uint64_t)e->delta << e->scale % 24;
	r.time = GEN_START + *ns - (e->scale & 0x80 ? e->aux * 100 : 0);
	if (r.event == XBLK_EV_LOST) {
		r.lost.until = r.time + e->sector * 1000;
		r.lost.count = e->nr;
	} else if (r.event == XBLK_EV_PROCESS) {
		snprintf(r.comm, sizeof(r.comm), "%u.xvd%c-%u", e->nr % 5,
			 'a' + e->disk % 5, e->id);
	} else {
		r.sector = e->sector * 8;
		r.nr_sectors = e->nr % 33;
	}
	gen_add(g, domid, cpu, &r);
	if (e->then & 2)
		gen_flush(g, *ns);
	if (e->then & 4)
		gen_round(g, *ns);
	if ((e->then & 0xf8) == 0xf8)
		gen_skip(g, domid, cpu, e->nr);
}

static void parse_series(const uint8_t *data, size_t len, const struct filter *filter)
{
	struct event e;
	struct gen g;
	uint64_t ns = 0;

	gen_init(&g);
	for (; len >= sizeof(e); data += sizeof(e), len -= sizeof(e)) {
		memcpy(&e, data, sizeof(e));
		add_event(&g, &e, &ns);
	}
	gen_end(&g, ns);
	parse_bytes(g.data, g.len, filter);
	gen_deinit(&g);
}

static void parse_packed(const uint8_t *data, size_t len)
{
	struct gen g;
	size_t at;

	gen_init(&g);
	at = g.len;
	gen_append(&g, data, len);
	gen_pack(&g, at);
	gen_end(&g, 1000);
	parse_bytes(g.data, g.len, NULL);
	gen_deinit(&g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct filter some = {.ops = 1u << XBLK_OP_READ,
					   .have_sectors = true,
					   .last_sector = 100,
					   .min_latency_ns = 15};
	static const struct filter span = {
		.have_time = true, .from_ns = 3000000000, .to_ns = 4000000000};
	char why[80];

	if (!null)
		null = fopen("/dev/null", "w");
	if (!format)
		format = format_parse("%a%b%c%C%d%D%e%g%i%k%m%M%n%N%p%s%S%t%T%u%z", why,
				      sizeof(why));
	msg_silent = true;
	reader_trust_checksums = true;
	if (!size)
		return 0;
	print = !(data[0] & 0x20);
	if ((data[0] | 0x20) == 'r')
		parse_bytes(data + 1, size - 1, NULL);
	else if ((data[0] | 0x20) == 'w')
		parse_bytes(data + 1, size - 1, &span);
	else if ((data[0] | 0x20) == 'p')
		parse_packed(data + 1, size - 1);
	else
		parse_series(data + 1, size - 1, (data[0] | 0x20) == 'f' ? &some : NULL);
	return 0;
}
