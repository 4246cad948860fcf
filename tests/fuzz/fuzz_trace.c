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
#include <sys/mman.h>
#include <unistd.h>

#include "handle.h"
#include "sinks/format.h"
#include "sinks/live.h"
#include "msg.h"
#include "sinks/output.h"
#include "sinks/report.h"
#include "sinks/requests.h"
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
}

static FILE *null;
static struct text lines;
static struct format *format;
static bool print;

/* A trace, and what prints of it. */
struct reading {
	struct xblk *x;
	struct live live;
	struct verify verify;
};

static void on_request(void *user, const struct xblk_request *r)
{
	const struct reading *to = user;

	request_print(&lines, xblk_start_ns(to->x), r);
	csv_request_print(&lines, xblk_start_ns(to->x), r);
	verify_request(&((struct reading *)user)->verify, r);
}

static void on_event(void *user, const struct xblk_event_record *e)
{
	static const struct filter guest = {.guests = {1, {{NULL, GEN_GUEST}}}};
	struct reading *to = user;

	if (event_shown(to->x, &guest, e))
		event_print(&lines, xblk_start_ns(to->x), e);
	format_print(null, format, to->x, e);
	verify_record(&to->verify, e);
}

static void on_interval(void *user, const struct xblk_interval *i)
{
	static const struct filter all;
	struct reading *to = user;

	live_print(null, &to->live, to->x, &all, i);
}

static void on_process_gone(void *user, unsigned int domid, const char *guest,
			    uint32_t pid, const char *name)
{
	(void)user;
	fprintf(null, "%u %s %u %s", domid, guest, pid, name ? name : "?");
}

static void read_file(struct xblk *x, const uint8_t *data, size_t len)
{
	int fd = memfd_create("trace", MFD_CLOEXEC);

	check(fd >= 0 && pwrite(fd, data, len, 0) == (ssize_t)len, "no file in memory");
	xblk_read(x, fd);
	close(fd);
}

/* In two pieces, so that each place is an end once. */
static void feed(struct xblk *x, const uint8_t *data, size_t len)
{
	size_t first = len ? data[len / 2] * len / 256 : 0;

	if (!xblk_feed(x, data, first) && !xblk_feed(x, data + first, len - first))
		xblk_finish(x);
}

static void print_all(struct reading *r)
{
	static const struct report_options everything = {
		.by = ~0u, .slowest = true, .colour = true};
	static const struct filter all;
	struct xblk_trace t;

	xblk_get_trace(r->x, &t);
	if (t.version) {
		report_print(null, r->x, &all, &everything);
		csv_summary(null, r->x, &all);
		json_print(null, r->x, &all);
	}
	verify_print(null, &r->verify, r->x);
}

static void parse_bytes(const uint8_t *data, size_t len, const struct filter *filter)
{
	const struct xblk_analysis analysis = {
		.filter = filter,
		.top = 10,
		.latencies = true,
		.timeline = true,
		.processes = true,
		.on_process_gone = on_process_gone,
	};
	struct reading r = {0};
	struct xblk_options options = {.user = &r};
	struct parse *p;

	if (print) {
		options.on_request = on_request;
		options.on_event = on_event;
	}
	if (filter && filter->have_time) {
		options.from_ns = filter->from_ns;
		options.to_ns = filter->to_ns;
	} else if (print) {
		options.on_interval = on_interval;
		options.interval_ns = 1000000;
	}
	check(!xblk_open(&r.x, &options), "no handle");
	xblk_analyse(r.x, &analysis);
	verify_init(&r.verify);
	p = &r.x->parse;
	/* Small bounds, so that they are reached. */
	p->join.max_in_flight = 16;
	p->merge.max_buffered = 256;
	if (filter && filter->have_time)
		read_file(r.x, data, len);
	else
		feed(r.x, data, len);
	for (size_t i = 0; i < p->model.nr_disks; i++)
		check_disk(stats_of(p->model.all_disks[i]));
	for (unsigned int i = 0; i < p->model.nr_domains; i++)
		check(p->model.domains[i]->backend || !p->model.domains[i]->nr_rqs,
		      "a request has no end");
	if (print)
		print_all(&r);
	verify_deinit(&r.verify);
	xblk_close(r.x);
}

/* One event of a series; fields are small, so that they meet each other. */
struct event {
	uint8_t stream, event, op, disk, delta, scale, sector, nr, id, aux, then;
};

/* The guest ends, and another one gets its number. */
static void another_guest(struct gen *g, uint64_t ns)
{
	gen_gone(g, GEN_GUEST, ns);
	gen_chunk(g, XBLK_CHUNK_META, 0, 0, 0, ns, gen_meta_text, strlen(gen_meta_text));
}

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
	if ((e->then & 0xf8) == 0xf0)
		another_guest(g, *ns);
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
		lines.out = null = fopen("/dev/null", "w");
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
