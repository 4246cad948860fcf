// SPDX-License-Identifier: GPL-2.0-only
/* The report: tables, the line of probes, units. */
#include <locale.h>

#include "filter-args.h"
#include "printed_json.h"
#include "said.h"
#include "sinks/live.h"
#include "sinks/report.h"

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
	report_print(p.out, &out.x, &all, &o);
	printed_has(&p, "\n  read ");
	printed_has(&p, "\n  8-15 ");
	printed_has(&p, "\n  fio 500 ");
	printed_has(&p, "\n  p0-50 ");
	printed_has(&p, "most in 0-T");
	printed_has(&p,
		    "\n  guest  1 bios, 0 merged (0 back, 0 front), 0 requests merged; ");
	assert_null(strchr(p.text, '\033'));
	disk_at(&out, GEN_GUEST, 0)->dom->no_merges = true;
	report_print(p.out, &out.x, &all, &o);
	printed_has(&p, "\n  guest  1 bios, - merged, - requests merged; ");
	printed_has(&p,
		    "\n  dom0   1 bios, 0 merged (0 back, 0 front), 0 requests merged; ");
	o.colour = true;
	report_print(p.out, &out.x, &all, &o);
	printed_has(&p, "\033[");
	printed_deinit(&p);
	done(&out, &g);
}

/* Of a row or stage that got no room for all of its times they are not known, nor bands. */
static void row_without_room(void **ctx)
{
	static const struct filter all;
	static const struct report_options o = {.by = REPORT_BAND | REPORT_OP |
						      REPORT_PROCESS};
	struct room full = {.used = ROOM_OWN};
	struct disk_stats *st;
	struct outcome out;
	struct printed p;
	struct gen g;

	(void)ctx;
	generate(&g);
	run(&out, g.data, g.len);
	st = stats_of(domain_disk(model_domain(&out.parse.model, GEN_GUEST), 0));
	hist_add(&st->analysis->breakdown.cells[XBLK_OP_READ][size_class(8)]->q2c, 30000,
		 &full);
	printed_init(&p);
	report_print(p.out, &out.x, &all, &o);
	printed_has(&p, "22.5         -         -      30.0\n");
	printed_has(&p, "15.0      15.0      15.0      15.0\n");
	printed_has(&p, "\n  p0-50 ");
	json_print(p.out, &out.x, &all);
	printed_has(&p, "\"p99_ns\": null");
	printed_deinit(&p);
	hist_add(&st->stages[STAGE_Q2C], 30000, &full);
	printed_init(&p);
	report_print(p.out, &out.x, &all, &o);
	printed_has(&p, "22.5         -         -         -         -      30.0");
	printed_has(&p, "slowness   not known");
	json_print(p.out, &out.x, &all);
	printed_has(&p, "\"bands\": []");
	csv_summary(p.out, &out.x, &all);
	printed_has(&p, ",Q2C,2,22500,15000,,,,,30000,");
	printed_deinit(&p);
	done(&out, &g);
}

/* What is printed is only looked at: it is all there to be printed once more. */
static void twice(void **ctx)
{
	static const struct filter all;
	static const struct report_options o = {.by = ~0u, .slowest = true};
	struct printed first, second;
	struct outcome out;
	struct gen g;

	(void)ctx;
	generate(&g);
	GUEST(1050000000, QUEUE, READ, 64, 8, 1, 501);
	run(&out, g.data, g.len);
	printed_init(&first);
	report_print(first.out, &out.x, &all, &o);
	fflush(first.out);
	printed_init(&second);
	report_print(second.out, &out.x, &all, &o);
	fflush(second.out);
	assert_string_equal(first.text, second.text);
	printed_deinit(&second);
	printed_deinit(&first);
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
	report_print(p.out, &out.x, &all, &o);
	printed_has(&p, "records");
	assert_null(strstr(p.text, "probes"));
	printed_deinit(&p);
	done(&out, &g);

	gen_init(&g);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, nothing, strlen(nothing));
	gen_end(&g, 1000);
	run(&out, g.data, g.len);
	printed_init(&p);
	report_print(p.out, &out.x, &all, &o);
	printed_has(&p, "\nprobes: none; not offered: dom0 (0) xen_blkif_be_int "
			"xen_blkbk_map make_response, guest1 (3) blkif_interrupt\n");
	printed_deinit(&p);
	done(&out, &g);

	gen_init(&g);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, meta, strlen(meta));
	gen_end(&g, 1000);
	run(&out, g.data, g.len);
	printed_init(&p);
	report_print(p.out, &out.x, &all, &o);
	printed_has(&p,
		    "\nprobes: dom0 (0) xen_blkif_be_int make_response, "
		    "guest2 (4) blkif_interrupt; "
		    "not offered: dom0 (0) xen_blkbk_map, guest1 (3) blkif_interrupt\n");
	report_print(p.out, &out.x, &guest2, &o);
	printed_has(&p, "guest2 (4) blkif_interrupt; not offered: dom0 (0) "
			"xen_blkbk_map\n");
	printed_deinit(&p);

	j = printed_json(&p, &out, &all);
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

/* Tables and running report alike. */
static void unit_is(const char *locale, const char *table, const char *running)
{
	static const struct filter all;
	struct report_options opt = {0};
	struct printed p;
	const struct xblk_interval second = {
		.from_ns = GEN_START, .to_ns = GEN_START + 1000000000, .disk = 3};
	struct live l = {0};
	struct outcome o;
	struct gen g;

	assert_non_null(setlocale(LC_CTYPE, locale));
	generate(&g);
	run(&o, g.data, g.len);
	printed_init(&p);
	report_print(p.out, &o.x, &all, &opt);
	printed_has(&p, table);
	printed_deinit(&p);

	printed_init(&p);
	live_print(p.out, &l, &o.x, &all, &second);
	printed_has(&p, running);
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

/* A row of the table over time: when it begins, and the guest's requests a second. */
struct time_row {
	double begin, rate;
};

/* Those of the guest's first disk of @g, ended, of the span; to be freed. */
static struct time_row *time_rows(struct gen *g, const char *span, unsigned int *nr)
{
	static const struct report_options by_time = {.by = REPORT_TIME};
	struct time_row *rows = calloc(64, sizeof(*rows));
	struct filter filter = {0};
	const char *line;
	struct outcome o;
	struct printed p;

	assert_null(filter_parse_time(&filter, span));
	msg_silent = true;
	outcome_init(&o, g->data, g->len);
	o.parse.tally.filter = &filter;
	parse_run(&o.parse);
	printed_init(&p);
	report_print(p.out, &o.x, &filter, &by_time);
	fflush(p.out);
	line = strstr(p.text, "  time s ");
	assert_non_null(line);
	*nr = 0;
	for (line = strchr(line, '\n'); line; line = strchr(line + 1, '\n')) {
		struct time_row *row = &rows[*nr];

		if (sscanf(line, "\n %lf %lf ", &row->begin, &row->rate) != 2)
			break;
		assert_in_range(++*nr, 1, 63);
	}
	printed_deinit(&p);
	done(&o, g);
	return rows;
}

/* 8,333 a second are so many in the last interval, too, however little there is of it. */
static void constant_load(void **ctx)
{
	const uint64_t end = 1001000000;
	struct time_row *rows;
	unsigned int nr;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	for (uint64_t ns = 0; ns < end - 120000; ns += 120000)
		one(&g, ns, XBLK_OP_READ, 64, 8);
	gen_end(&g, end);
	rows = time_rows(&g, ":", &nr);
	assert_int_equal(nr, 30);
	for (unsigned int i = 0; i < nr; i++)
		assert_true(rows[i].rate > 8200 && rows[i].rate < 8460);
	free(rows);
}

/* Ten seconds of many: a second's load is seen as that, in the rows of these ten. */
static void of_a_window(void **ctx)
{
	unsigned int nr, busy = 0;
	struct time_row *rows;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	for (uint64_t ms = 0; ms < 520000; ms += 100) {
		unsigned int nr_ios = ms >= 505000 && ms < 506000 ? 10 : 1;

		for (unsigned int i = 0; i < nr_ios; i++)
			one(&g, ms * 1000000 + i * 100000, XBLK_OP_READ, 64, 8);
		if (ms % 1000 == 0)
			gen_round(&g, ms * 1000000 + 9000000);
	}
	gen_end(&g, 520000000000);
	rows = time_rows(&g, "500:510", &nr);
	assert_int_equal(nr, 19);
	assert_true(rows[0].begin == 500);
	assert_true(rows[nr - 1].begin > 509 && rows[nr - 1].begin < 510);
	for (unsigned int i = 0; i < nr; i++)
		busy += rows[i].rate > 50;
	assert_in_range(busy, 1, 3);
	for (unsigned int i = 0; i < nr; i++)
		assert_true(rows[i].rate > 7 && rows[i].rate < 120);
	free(rows);
}

/* A disk whose requests do not join as a rule: why, and what to do. */
static void few_joined(void **ctx)
{
	static const struct report_options tables = {0};
	static const struct filter all;
	struct said said;
	struct outcome o;
	struct printed p;
	struct gen g;

	(void)ctx;
	for (unsigned int nr_joined = 0; nr_joined <= 20; nr_joined += 10) {
		gen_init(&g);
		for (unsigned int i = 0; i < nr_joined; i++)
			one(&g, 1000000 * i, XBLK_OP_READ, 64, 8);
		/* a layer sends them on to where nothing is traced */
		for (unsigned int i = 0; i < 20; i++) {
			uint64_t ns = 100000000 + 1000000 * i;

			GUEST(ns, QUEUE, READ, 64, 8, 1, 500);
			GUEST(ns + 10, ISSUE, READ, 64, 8, 100, 1);
			DOM0(ns + 100, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
			GUEST(ns + 1000, COMPLETE, READ, 64, 8, 100, 0);
		}
		gen_end(&g, 1000000000);
		run(&o, g.data, g.len);
		assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_INCOMPLETE], 20);
		printed_init(&p);
		report_print(p.out, &o.x, &all, &tables);
		if (nr_joined < 20) {
			printed_has(&p, "\n  few are joined, of the others most are "
					"incomplete: dom0 does not show how ");
		} else {
			fflush(p.out);
			assert_null(strstr(p.text, "few are joined"));
		}
		printed_deinit(&p);
		/* Where they are not printed it is said all the same. */
		msg_silent = false;
		said_begin(&said, STDERR_FILENO);
		report_tell_few(&o.x, &all);
		said_end(&said);
		assert_string_equal(
			said.text,
			nr_joined < 20 ? "test_parse_report: guest1 (3) xvda: few are "
					 "joined, of the others most are "
					 "incomplete: dom0 does not show how their "
					 "I/O ended; see what is below\n"
				       : "");
		done(&o, &g);
	}
}

/* What dom0 did is not in the trace: its disk is not to be looked into. */
static void nothing_of_dom0(void **ctx)
{
	static const struct report_options tables;
	static const struct filter all;
	struct outcome o;
	struct printed p;
	struct gen g;

	(void)ctx;
	gen_init_bare(&g);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, gen_meta_text, strlen(gen_meta_text));
	for (unsigned int i = 0; i < 20; i++) {
		uint64_t ns = 100000000 + 1000000 * i;

		GUEST(ns, QUEUE, READ, 64, 8, 1, 500);
		GUEST(ns + 10, ISSUE, READ, 64, 8, 100, 1);
		GUEST(ns + 1000, COMPLETE, READ, 64, 8, 100, 0);
	}
	gen_end(&g, 1000000000);
	run(&o, g.data, g.len);
	printed_init(&p);
	report_print(p.out, &o.x, &all, &tables);
	printed_has(&p, "\n  none is joined: the trace has no record of dom0");
	assert_null(strstr(p.text, "see what serves the disk"));
	printed_deinit(&p);
	done(&o, &g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables),	   cmocka_unit_test(twice),
		cmocka_unit_test(probes),	   cmocka_unit_test(tables_chosen),
		cmocka_unit_test(micro),	   cmocka_unit_test(constant_load),
		cmocka_unit_test(of_a_window),	   cmocka_unit_test(few_joined),
		cmocka_unit_test(nothing_of_dom0), cmocka_unit_test(row_without_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
