// SPDX-License-Identifier: GPL-2.0-only
/* What is printed: events by a format, CSV, JSON, the running report, --verify. */
#include <inttypes.h>
#include <jansson.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "sinks/format.h"
#include "sinks/live.h"
#include "sinks/output.h"
#include "sinks/report.h"
#include "sinks/requests.h"
#include "sinks/text.h"
#include "sinks/verify.h"
#include "test_parse_util.h"

/* The whole of what a callback prints. */
struct printed {
	char *text;
	size_t len;
	FILE *out;
};

static void printed_init(struct printed *p)
{
	p->out = open_memstream(&p->text, &p->len);
	assert_non_null(p->out);
}

static void printed_is(struct printed *p, const char *want)
{
	fclose(p->out);
	assert_string_equal(p->text, want);
	free(p->text);
}

static void printed_has(struct printed *p, const char *want)
{
	fflush(p->out);
	if (!strstr(p->text, want))
		fail_msg("\"%s\" is not in:\n%s", want, p->text);
}

static void printed_deinit(struct printed *p)
{
	fclose(p->out);
	free(p->text);
}

static void one(struct gen *g, uint64_t t, unsigned int op, uint64_t sector, uint32_t nr)
{
	gen_event(g, GEN_GUEST, 1, t, XBLK_EV_QUEUE, op, sector, nr, 1, 500);
	gen_event(g, GEN_GUEST, 1, t + 2000, XBLK_EV_ISSUE, op, sector, nr, 100, 1);
	gen_event(g, 0, 0, t + 4000, XBLK_EV_QUEUE, op, sector, nr, 2, GEN_KTHREAD);
	gen_event(g, 0, 0, t + 6000, XBLK_EV_ISSUE, op, sector, nr, 200, 2);
	gen_event(g, 0, 0, t + 10000, XBLK_EV_COMPLETE, op, sector, nr, 200, 0);
	gen_event(g, GEN_GUEST, 1, t + 15000, XBLK_EV_COMPLETE, op, sector, nr, 100, 5);
}

/* One read of 1.000002 s on, and its process's name. */
static void generate(struct gen *g)
{
	gen_init(g);
	gen_process(g, GEN_GUEST, 1, 10, 500, "fio", 0);
	one(g, 1000002000, XBLK_OP_READ | XBLK_OP_F_SYNC, 64, 8);
	gen_end(g, 1100000000);
}

struct events {
	struct printed printed;
	struct parse *parse;
	const struct format *format;
};

static void on_event(void *ctx, struct stream *s, const struct xblk_record *r)
{
	struct events *e = ctx;

	if (!s->dom->backend && r->event != XBLK_EV_PROCESS)
		format_print(e->printed.out, e->format, e->parse, s, r);
}

static void check_format(const char *format, const char *want)
{
	struct outcome o;
	struct events e;
	struct gen g;
	char why[80];
	struct format *f = format_parse(format, why, sizeof(why));

	assert_non_null(f);
	generate(&g);
	msg_silent = true;
	outcome_init(&o, g.data, g.len);
	printed_init(&e.printed);
	e.parse = &o.parse;
	e.format = f;
	o.parse.on_event = on_event;
	o.parse.ctx = &e;
	parse_run(&o.parse);
	printed_is(&e.printed, want);
	format_free(f);
	done(&o, &g);
}

static void formats(void **ctx)
{
	(void)ctx;
	check_format("%a", "QDC");
	check_format("%a %d %S %n %N\\n",
		     "Q RS 64 8 4096\nD RS 64 8 4096\nC RS 64 8 4096\n");
	check_format("%T.%9t\\n", "1.000002000\n1.000004000\n1.000017000\n");
	check_format("%5T|%-5c|%3p|%-6C|\\t", "    1|1    |500|fio   |\t"
					      "    1|1    |  0|      |\t"
					      "    1|1    |  0|      |\t");
	check_format("%D %M %m %g %k %i,", "202,0   202 0 guest1 xvda 3,"
					   "202,0   202 0 guest1 xvda 3,"
					   "202,0   202 0 guest1 xvda 3,");
	check_format("%u %e %s %b;", "0 0 1 1;2 0 2 100;13 5 3 100;");
	check_format("100%%\\\\", "100%\\100%\\100%\\");
	check_format("", "");
}

static void bad_formats(void **ctx)
{
	char why[80];

	(void)ctx;
	assert_null(format_parse("%", why, sizeof(why)));
	assert_null(format_parse("%Q", why, sizeof(why)));
	assert_null(format_parse("%12", why, sizeof(why)));
	assert_null(format_parse("%99999999999a", why, sizeof(why)));
	assert_null(format_parse("%--1a", why, sizeof(why)));
}

struct csv {
	struct printed printed;
	struct parse *parse;
};

static void on_request(void *ctx, const struct xblk_request *r)
{
	struct csv *c = ctx;

	csv_request_print(c->printed.out, c->parse->join.start_ns, r);
}

static void numbers_by_hand(void **ctx)
{
	static const int64_t numbers[] = {0, 9, 10, -1, -10, INT64_MAX, INT64_MIN};
	char expected[64], got[64];
	struct text t = {0};

	(void)ctx;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		t.len = 0;
		text_i64(&t, numbers[i]);
		text_char(&t, ',');
		text_u64(&t, (uint64_t)numbers[i]);
		snprintf(got, sizeof(got), "%.*s", (int)t.len, t.line);
		snprintf(expected, sizeof(expected), "%" PRId64 ",%" PRIu64, numbers[i],
			 (uint64_t)numbers[i]);
		assert_string_equal(got, expected);
	}
	t.len = 0;
	text_char(&t, '-');
	text_number(&t, 12, 5, '0');
	text_right(&t, 0, 7);
	text_right(&t, 0, 3);
	assert_int_equal(t.len, 7);
	assert_memory_equal(t.line, " -00012", 7);
	for (uint64_t n = 1, i = 0; i < 20; n *= 10, i++) {
		t.len = 0;
		text_u64(&t, n - 1);
		text_char(&t, ',');
		text_u64(&t, n);
		snprintf(got, sizeof(got), "%.*s", (int)t.len, t.line);
		snprintf(expected, sizeof(expected), "%" PRIu64 ",%" PRIu64, n - 1, n);
		assert_string_equal(got, expected);
	}
	/* A line that is full stays as it is. */
	t.len = TEXT_SIZE - 2;
	text_u64(&t, 1234);
	assert_int_equal(t.len, TEXT_SIZE - 2);
	text_print(&t, "%d", 12);
	text_right(&t, t.len, 3);
	assert_int_equal(t.len, TEXT_SIZE - 2);
	text_string(&t, "abc");
	assert_int_equal(t.len, TEXT_SIZE);
}

static void csv_requests(void **ctx)
{
	struct outcome o;
	struct csv c;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	gen_process(&g, GEN_GUEST, 1, 10, 500, "a,\"b", 0);
	one(&g, 2000, XBLK_OP_READ, 64, 8);
	GUEST(50000, COMPLETE, READ, 640, 8, 101, 0);
	GUEST(60000, QUEUE, READ, 64, 8, 1, 501);
	GUEST(61000, ISSUE, READ, 64, 8, 100, 1);
	gen_end(&g, 100000);
	msg_silent = true;
	outcome_init(&o, g.data, g.len);
	printed_init(&c.printed);
	c.parse = &o.parse;
	o.parse.tally.on_request = on_request;
	o.parse.tally.ctx = &c;
	csv_request_titles(c.printed.out);
	parse_run(&o.parse);
	printed_is(
		&c.printed,
		"domid,guest,disk,op,sector,sectors,queued_ns,issued_ns,completed_ns,pid,"
		"process,bios,backend_bios,requeues,error,bin,u_q2d_ns,u_t_ns,0_q2d_ns,"
		"0_d2c_ns,0_t_ns,q2c_ns,guest_flush_wait_ns,backend_flush_wait_ns\n"
		"3,guest1,xvda,R,64,8,2000,4000,17000,500,\"a,\"\"b\",1,1,0,5,joined,"
		"2000,2000,2000,4000,5000,15000,0,0\n"
		"3,guest1,xvda,R,640,8,,,50000,0,,0,0,0,0,before_trace,,,,,,,,\n"
		"3,guest1,xvda,R,64,8,60000,61000,,501,?,1,0,0,0,in_flight,,,,,,,,\n");
	done(&o, &g);
}

static void csv_stages(void **ctx)
{
	static const struct filter all;
	struct printed p;
	struct outcome o;
	struct gen g;

	(void)ctx;
	generate(&g);
	run(&o, g.data, g.len);
	printed_init(&p);
	csv_summary(p.out, &o.parse, &all);
	printed_has(&p, "\n3,guest1,xvda,0-D2C,1,4000,4000,4000,4000,4000,4000,4000,"
			"0.266666667\n");
	printed_deinit(&p);
	done(&o, &g);
}

/* The members that xblkparse(1) promises are there, of the busy disk and of idle ones. */
static void json_members(void **ctx)
{
	static const struct filter all;
	static const char *const top[] = {"version",	  "format",
					  "requests",	  "joined",
					  "not_chosen",	  "records",
					  "records_lost", "causality_violations",
					  "disks",	  "streams"};
	static const char *const disk[] = {
		"by_operation", "by_size",  "by_process", "by_process_others",
		"bands",	"timeline", "slowest",	  "in_flight",
		"flush_waits",	"stages",   "histograms", "merges"};
	struct printed p;
	struct outcome o;
	struct gen g;
	json_t *j, *d;
	size_t i;

	(void)ctx;
	generate(&g);
	run(&o, g.data, g.len);
	printed_init(&p);
	assert_true(json_print(p.out, &o.parse, &all));
	fflush(p.out);
	j = json_loads(p.text, 0, NULL);
	assert_non_null(j);
	for (size_t k = 0; k < ARRAY_SIZE(top); k++)
		assert_non_null(json_object_get(j, top[k]));
	json_array_foreach (json_object_get(j, "disks"), i, d) {
		for (size_t k = 0; k < ARRAY_SIZE(disk); k++)
			assert_non_null(json_object_get(d, disk[k]));
	}
	d = json_array_get(json_object_get(j, "disks"), 0);
	assert_int_equal(
		json_integer_value(json_object_get(
			json_object_get(json_object_get(d, "by_operation"), "read"),
			"count")),
		1);
	assert_int_equal(json_array_size(json_object_get(d, "bands")), BANDS);
	assert_int_equal(json_array_size(json_object_get(d, "slowest")), 1);
	json_decref(j);
	printed_deinit(&p);
	done(&o, &g);
}

static void tables(void **ctx)
{
	static const struct filter all;
	struct report_options o = {.by = ~0u, .slowest = true};
	struct outcome out;
	struct printed p;
	struct gen g;

	(void)ctx;
	generate(&g);
	GUEST(1050000000, QUEUE, READ, 64, 8, 1, 501);
	run(&out, g.data, g.len);
	printed_init(&p);
	report_print(p.out, &out.parse, &all, &o);
	printed_has(&p, "\n  read ");
	printed_has(&p, "\n  8-15 ");
	printed_has(&p, "\n  fio 500 ");
	printed_has(&p, "\n  p0-50 ");
	printed_has(&p, "most in 0-T");
	assert_null(strchr(p.text, '\033'));
	o.colour = true;
	report_print(p.out, &out.parse, &all, &o);
	printed_has(&p, "\033[");
	printed_deinit(&p);
	done(&out, &g);
}

/* What the kernels let us probe, and what they do not, of those that tell. */
static void probes(void **ctx)
{
	static const char meta[] =
		"{\"host\": \"host\","
		" \"backend\": {\"domid\": 0, \"probes\": [\"make_response\", 7,"
		"  \"block_rq_issue\", \"xen_blkif_be_int\"]},"
		" \"guests\": [{\"domid\": 3, \"name\": \"guest1\", \"probes\": []},"
		"  {\"domid\": 4, \"name\": \"guest2\","
		"   \"probes\": [\"blkif_interrupt\"]},"
		"  {\"domid\": 5, \"name\": \"old\"}]}";
	static const char nothing[] =
		"{\"host\": \"host\", \"backend\": {\"domid\": 0, \"probes\": [\"block_rq_issue\"]},"
		" \"guests\": [{\"domid\": 3, \"name\": \"guest1\", \"probes\": []}]}";
	static const struct report_options o;
	static const struct filter all, guest2 = {.guests = {1, {{NULL, 4}}}};
	struct outcome out;
	struct printed p;
	json_t *j, *of;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	gen_end(&g, 1000);
	run(&out, g.data, g.len);
	printed_init(&p);
	report_print(p.out, &out.parse, &all, &o);
	printed_has(&p, "records");
	assert_null(strstr(p.text, "probes"));
	printed_deinit(&p);
	done(&out, &g);

	gen_init(&g);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, nothing, strlen(nothing));
	gen_end(&g, 1000);
	run(&out, g.data, g.len);
	printed_init(&p);
	report_print(p.out, &out.parse, &all, &o);
	printed_has(&p, "\nprobes: none; not offered: dom0 (0) xen_blkif_be_int "
			"xen_blkbk_map make_response, guest1 (3) blkif_interrupt\n");
	printed_deinit(&p);
	done(&out, &g);

	gen_init(&g);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, meta, strlen(meta));
	gen_end(&g, 1000);
	run(&out, g.data, g.len);
	printed_init(&p);
	report_print(p.out, &out.parse, &all, &o);
	printed_has(&p,
		    "\nprobes: dom0 (0) xen_blkif_be_int make_response, "
		    "guest2 (4) blkif_interrupt; "
		    "not offered: dom0 (0) xen_blkbk_map, guest1 (3) blkif_interrupt\n");
	report_print(p.out, &out.parse, &guest2, &o);
	printed_has(&p, "guest2 (4) blkif_interrupt; not offered: dom0 (0) "
			"xen_blkbk_map\n");
	printed_deinit(&p);

	printed_init(&p);
	json_print(p.out, &out.parse, &all);
	fflush(p.out);
	j = json_loads(p.text, 0, NULL);
	of = json_object_get(j, "probes");
	assert_int_equal(json_array_size(of), 3);
	of = json_array_get(of, 0);
	assert_int_equal(json_array_size(json_object_get(of, "offered")), 2);
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(of, "missing"), 0)),
		"xen_blkbk_map");
	json_decref(j);
	printed_deinit(&p);
	done(&out, &g);
}

static void tables_chosen(void **ctx)
{
	unsigned int by;

	(void)ctx;
	assert_true(report_parse_by(&by, "op,size"));
	assert_int_equal(by, REPORT_OP | REPORT_SIZE);
	assert_true(report_parse_by(&by, "none"));
	assert_int_equal(by, 0);
	assert_false(report_parse_by(&by, ""));
	assert_false(report_parse_by(&by, "op,"
					  ",size"));
	assert_false(report_parse_by(&by, "ops"));
}

struct running {
	struct live live;
	struct parse *parse;
	size_t flushed[8]; /* bytes of output by the end of each chunk */
	unsigned int chunks;
	struct printed *printed;
};

static void on_live_event(void *ctx, struct stream *s, const struct xblk_record *r)
{
	struct running *l = ctx;

	if (s->dom->backend)
		live_advance(&l->live, l->parse, r->time);
}

static bool on_live_chunk(void *ctx, const struct parse *p)
{
	struct running *l = ctx;

	live_advance(&l->live, p, p->join.now_ns);
	/* open_memstream() tells a length only of what was flushed */
	if (l->chunks < 8)
		l->flushed[l->chunks++] = l->printed->len;
	return true;
}

/* Lines come as the trace's time goes on, also where nothing happens. */
static void live(void **ctx)
{
	static const struct filter all = {.disks = {1, {{"xvda"}}}};
	struct printed p = {0};
	struct running l;
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	one(&g, 500000000, XBLK_OP_READ, 64, 8);
	one(&g, 1500000000, XBLK_OP_WRITE, 64, 2048);
	one(&g, 1600000000, XBLK_OP_WRITE, 64, 2048);
	gen_round(&g, 2100000000);
	gen_round(&g, 3100000000);
	gen_round(&g, 4100000000);
	gen_end(&g, 4200000000);
	msg_silent = true;
	outcome_init(&o, g.data, g.len);
	printed_init(&p);
	live_init(&l.live, p.out, &all, 1000000000);
	l.parse = &o.parse;
	l.chunks = 0;
	l.printed = &p;
	o.parse.tally.windows = true;
	o.parse.on_event = on_live_event;
	o.parse.on_chunk = on_live_chunk;
	o.parse.ctx = &l;
	parse_run(&o.parse);
	live_finish(&l.live, &o.parse);
	printed_has(&p, "\n     1.000 3:xvda              1.00     0.004     0.000");
	printed_has(
		&p,
		"\n     2.000 3:xvda             0.000     0.000      2.00      2.10");
	printed_has(&p, "\n     3.000 3:xvda             0.000     0.000     0.000");
	/* metadata, two chunks of records, three rounds (each sorts what is before the
	 * last), end */
	assert_int_equal(l.chunks, 7);
	assert_int_equal(l.flushed[3], 0);
	assert_true(l.flushed[4] > 0);
	assert_true(l.flushed[5] > l.flushed[4]);
	live_deinit(&l.live);
	printed_deinit(&p);
	done(&o, &g);
}

/* Tables and running report alike. */
static void unit_is(const char *locale, const char *table, const char *running)
{
	static const struct filter all;
	struct report_options opt = {0};
	struct printed p;
	struct live l;
	struct outcome o;
	struct gen g;

	assert_non_null(setlocale(LC_CTYPE, locale));
	generate(&g);
	run(&o, g.data, g.len);
	printed_init(&p);
	report_print(p.out, &o.parse, &all, &opt);
	printed_has(&p, table);
	printed_deinit(&p);

	printed_init(&p);
	live_init(&l, p.out, &all, 1000000000);
	live_advance(&l, &o.parse, GEN_START + 1100000000);
	printed_has(&p, running);
	live_deinit(&l);
	printed_deinit(&p);
	setlocale(LC_CTYPE, "C");
	done(&o, &g);
}

/* The letter is one character wide, and only where the locale has it. */
static void micro(void **ctx)
{
	(void)ctx;
	unit_is("C.UTF-8", "  mean \u00b5s    p50 \u00b5s",
		" U-T \u00b5s  0-Q2D \u00b5s");
	unit_is("C", "  mean us    p50 us", " U-T us  0-Q2D us");
}

static void on_verify(void *ctx, struct stream *s, const struct xblk_record *r)
{
	verify_record(ctx, s, r);
}

static void on_verify_request(void *ctx, const struct xblk_request *r)
{
	verify_request(ctx, r);
}

static bool verified(const uint8_t *data, size_t len, struct printed *p)
{
	struct verify v;
	struct outcome o;
	bool good;

	msg_silent = true;
	outcome_init(&o, data, len);
	verify_init(&v);
	o.parse.on_event = on_verify;
	o.parse.ctx = &v;
	o.parse.tally.on_request = on_verify_request;
	o.parse.tally.ctx = &v;
	parse_run(&o.parse);
	printed_init(p);
	good = verify_print(p->out, &v, &o.parse);
	verify_deinit(&v);
	parse_deinit(&o.parse);
	return good;
}

/* One request, and what a fault makes of what was counted of it. */
static void check_fault(void (*fault)(struct verify *v, struct disk_counts *counts),
			const char *line)
{
	struct printed p;
	struct verify v;
	struct outcome o;
	struct gen g;

	generate(&g);
	msg_silent = true;
	outcome_init(&o, g.data, g.len);
	verify_init(&v);
	o.parse.tally.on_request = on_verify_request;
	o.parse.tally.ctx = &v;
	parse_run(&o.parse);
	fault(&v, disk_counts(&o, GEN_GUEST, 0));
	printed_init(&p);
	assert_false(verify_print(p.out, &v, &o.parse));
	printed_has(&p, line);
	printed_deinit(&p);
	verify_deinit(&v);
	done(&o, &g);
}

static void issued_once_more(struct verify *v, struct disk_counts *counts)
{
	(void)v;
	counts->guest.issued++;
}

static void told_twice(struct verify *v, struct disk_counts *counts)
{
	(void)counts;
	v->requests++;
}

static void sectors_more(struct verify *v, struct disk_counts *counts)
{
	(void)v;
	counts->done[KIND_READ].sectors++;
}

/* Each time is of one clock, and none of them is behind the next. */
static void backwards_in_dom0(struct verify *v, struct disk_counts *counts)
{
	struct xblk_request r = {.q_ns = 1,
				 .d_ns = 2,
				 .c_ns = 9,
				 .backend_q_ns = 4,
				 .backend_d_ns = 3,
				 .backend_c_ns = 5,
				 .measured = true};

	verify_request(v, &r);
	counts->guest.issued++;
	counts->done[KIND_READ].ios++;
}

/* The checks are of what can differ. */
static void verify_faults(void **ctx)
{
	(void)ctx;
	check_fault(issued_once_more, "FAIL  bins");
	check_fault(told_twice, "FAIL  bins");
	check_fault(sectors_more, "FAIL  done");
	check_fault(backwards_in_dom0, "FAIL  waypoints");
}

static void verify_good(void **ctx)
{
	struct printed p;
	struct gen g;

	(void)ctx;
	generate(&g);
	assert_true(verified(g.data, g.len, &p));
	fflush(p.out);
	assert_null(strstr(p.text, "FAIL"));
	printed_deinit(&p);
	gen_deinit(&g);
}

static void check_bad(struct gen *g, const char *line)
{
	struct printed p;

	assert_false(verified(g->data, g->len, &p));
	printed_has(&p, line);
	printed_deinit(&p);
	gen_deinit(g);
}

/* Each check fails for the trace that breaks it. */
static void verify_bad(void **ctx)
{
	struct gen g, other;

	(void)ctx;
	generate(&g);
	g.len -= 64;
	check_bad(&g, "FAIL  end");

	generate(&g);
	g.data[g.len / 2] ^= 1;
	check_bad(&g, "FAIL  checksums");

	gen_init(&g);
	gen_skip(&g, GEN_GUEST, 1, 7);
	one(&g, 1000, XBLK_OP_READ, 64, 8);
	gen_end(&g, 1100000000);
	check_bad(&g, "FAIL  sequence      7 records missing");

	gen_init(&g);
	one(&g, 100000, XBLK_OP_READ, 64, 8);
	one(&g, 50000, XBLK_OP_READ, 64, 8);
	gen_end(&g, 1100000000);
	check_bad(&g, "FAIL  order");

	gen_init(&g);
	one(&g, 100000, 6, 64, 8);
	gen_end(&g, 1100000000);
	check_bad(&g, "FAIL  records");

	gen_init(&g);
	one(&g, 100000, XBLK_OP_READ, 64, 8);
	g.streams[1].produced += 3;
	gen_end(&g, 1100000000);
	check_bad(&g, "FAIL  conservation");

	gen_init(&g);
	GUEST(10, ISSUE, READ, 128, 8, 101, 0);
	GUEST(20, COMPLETE, READ, 128, 8, 101, 0);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	DOM0(1005, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(2110, ISSUE, READ, 64, 8, 200, 2);
	DOM0(3000, COMPLETE, READ, 64, 8, 200, 0);
	GUEST(4000, COMPLETE, READ, 64, 8, 100, 0);
	gen_end(&g, 1100000000);
	check_bad(&g, "FAIL  causality");

	generate(&g);
	generate(&other);
	g.data = realloc(g.data, g.len + other.len);
	memcpy(g.data + g.len, other.data, other.len);
	g.len += other.len;
	gen_deinit(&other);
	check_bad(&g, "FAIL  one trace");

	gen_init_bare(&g);
	g.data[0] ^= 1;
	check_bad(&g, "FAIL  header");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats),	   cmocka_unit_test(bad_formats),
		cmocka_unit_test(numbers_by_hand), cmocka_unit_test(csv_requests),
		cmocka_unit_test(csv_stages),	   cmocka_unit_test(json_members),
		cmocka_unit_test(tables),	   cmocka_unit_test(probes),
		cmocka_unit_test(tables_chosen),   cmocka_unit_test(live),
		cmocka_unit_test(micro),	   cmocka_unit_test(verify_good),
		cmocka_unit_test(verify_bad),	   cmocka_unit_test(verify_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
