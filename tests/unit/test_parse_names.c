// SPDX-License-Identifier: GPL-2.0-only
/* How processes are called, when, and what of any bytes is shown as a name. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "select/filter.h"
#include "sinks/name.h"
#include "sinks/report.h"
#include "sinks/output.h"
#include "sinks/requests.h"
#include "filter-args.h"
#include "test_parse_util.h"

/* A read of @pid's all the way; 1 us from one event to the next. */
static void one(struct gen *g, uint64_t t, uint64_t sector, uint32_t pid)
{
	gen_event(g, GEN_GUEST, 0, t, XBLK_EV_QUEUE, XBLK_OP_READ, sector, 8, 1, pid);
	gen_event(g, GEN_GUEST, 0, t + 1000, XBLK_EV_ISSUE, XBLK_OP_READ, sector, 8, 100,
		  1);
	gen_event(g, 0, 0, t + 2000, XBLK_EV_QUEUE, XBLK_OP_READ, sector, 8, 2,
		  GEN_KTHREAD);
	gen_event(g, 0, 0, t + 3000, XBLK_EV_ISSUE, XBLK_OP_READ, sector, 8, 200, 2);
	gen_event(g, 0, 0, t + 4000, XBLK_EV_COMPLETE, XBLK_OP_READ, sector, 8, 200, 0);
	gen_event(g, GEN_GUEST, 0, t + 5000, XBLK_EV_COMPLETE, XBLK_OP_READ, sector, 8,
		  100, 0);
}

static void name(struct gen *g, uint64_t t, uint32_t pid, const char *comm)
{
	gen_process(g, GEN_GUEST, 0, t, pid, comm, 0);
}

struct printed {
	char *text;
	size_t len;
	FILE *out;
	struct text lines;
	struct parse *parse;
};

static void print_row(void *ctx, const struct xblk_request *r)
{
	struct printed *p = ctx;

	csv_request_print(&p->lines, p->parse->join.start_ns, r);
}

static void has(const struct printed *p, const char *want)
{
	if (!strstr(p->text, want))
		fail_msg("\"%s\" is not in:\n%s", want, p->text);
}

static unsigned int times(const struct printed *p, const char *what)
{
	unsigned int nr = 0;

	for (const char *at = p->text; (at = strstr(at, what)); at++)
		nr++;
	return nr;
}

/* Rows, tables and JSON of @g, ended, in one text; requests by @filter or all. */
static void print_all(struct printed *p, struct gen *g, const struct filter *filter)
{
	static const struct filter all;
	const struct report_options opt = {.by = REPORT_PROCESS, .slowest = true};
	struct outcome o;

	gen_end(g, 1000000000);
	msg_silent = true;
	outcome_init(&o, g->data, g->len);
	p->out = open_memstream(&p->text, &p->len);
	text_init(&p->lines, p->out);
	p->parse = &o.parse;
	o.parse.tally.filter = filter;
	o.parse.tally.on_request = print_row;
	o.parse.tally.ctx = p;
	parse_run(&o.parse);
	assert_false(o.parse.problems);
	text_write(&p->lines);
	fputs("tables:\n", p->out);
	report_print(p->out, &o.x, &all, &opt);
	json_print(p->out, &o.x, &all);
	fclose(p->out);
	done(&o, g);
}

/* A shell that reads, and then becomes fio: each request has the name of its time. */
static void exec(void **ctx)
{
	struct printed p;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	name(&g, 10, 500, "sh");
	for (unsigned int i = 0; i < 10; i++)
		one(&g, 10000 + 10000 * i, 64 * i, 500);
	/* queued by the shell, and back when it is one no longer */
	GUEST(200000, QUEUE, READ, 6400, 8, 1, 500);
	name(&g, 200500, 500, "fio");
	GUEST(201000, ISSUE, READ, 6400, 8, 100, 1);
	DOM0(202000, QUEUE, READ, 6400, 8, 2, GEN_KTHREAD);
	DOM0(203000, ISSUE, READ, 6400, 8, 200, 2);
	DOM0(204000, COMPLETE, READ, 6400, 8, 200, 0);
	GUEST(205000, COMPLETE, READ, 6400, 8, 100, 0);
	one(&g, 300000, 12800, 500);
	print_all(&p, &g, NULL);
	assert_int_equal(times(&p, ",500,sh,"), 11);
	assert_int_equal(times(&p, ",500,fio,"), 1);
	has(&p, "\n  sh 500                     11 ");
	has(&p, "\n  fio 500                     1 ");
	/* by_process and the ten slowest */
	assert_true(times(&p, "\"comm\": \"sh\"") >= 10);
	assert_true(times(&p, "\"comm\": \"fio\"") >= 1);
	free(p.text);
}

/* What is chosen by a name is chosen by that of its time. */
static void chosen_by_name(void **ctx)
{
	struct filter f = {0};
	struct printed p;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	name(&g, 10, 500, "dd");
	one(&g, 10000, 64, 500);
	one(&g, 20000, 128, 500);
	/* the pid comes to another one */
	name(&g, 30000, 500, "cat");
	one(&g, 30000, 192, 500);
	assert_null(filter_parse_process(&f, "dd"));
	print_all(&p, &g, &f);
	assert_int_equal(times(&p, ",500,dd,"), 2);
	assert_int_equal(times(&p, ",500,cat,"), 0);
	assert_int_equal(times(&p, "\"comm\": \"cat\""), 0);
	free(p.text);
}

/* So often that not all names are kept: then it is not known. */
static void names_forgotten(void **ctx)
{
	struct outcome o;
	struct gen g;
	char comm[16];

	(void)ctx;
	gen_init(&g);
	for (unsigned int i = 0; i < 10; i++) {
		snprintf(comm, sizeof(comm), "n%u", i);
		name(&g, 1000 * i, 500, comm);
	}
	run_gen(&o, &g);
	for (unsigned int i = 0; i < 10; i++) {
		const char *was = process_name_at(model_domain(&o.parse.model, GEN_GUEST),
						  500, GEN_START + 1000 * i + 500);

		snprintf(comm, sizeof(comm), "n%u", i);
		assert_string_equal(was, i < 5 ? "?" : comm);
	}
	done(&o, &g);
}

/*
 * More processes than are kept, then a ring's thread: it is known, and so are those that
 * serve all the time.
 */
static void many_processes(void **ctx)
{
	const uint32_t nr = MAX_PROCESSES + 2000;
	struct xblk_record *r = calloc(nr, sizeof(*r));
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	one(&g, 100, 64, 500);
	gen_round(&g, 10000);
	for (uint32_t i = 0; i < nr; i++)
		r[i] = (struct xblk_record){.time = GEN_START + 20000 + i,
					    .event = XBLK_EV_PROCESS,
					    .disk = XBLK_NO_DISK,
					    .comm = "cron",
					    .aux = 1000 + i};
	for (uint32_t i = 0; i < nr; i += 1000)
		gen_chunk(&g, XBLK_CHUNK_DATA, 0, 1, i, 200000, r + i,
			  (nr - i < 1000 ? nr - i : 1000) * sizeof(*r));
	free(r);
	gen_process(&g, 0, 0, 300000, 500000, "3.xvdb-0", XBLK_PROCESS_KTHREAD);
	one(&g, 400000, 128, 500);
	GUEST(500000, QUEUE, READ, 64, 8, 1, 500);
	gen_last(&g, GEN_GUEST, 0)->disk = 1;
	GUEST(501000, ISSUE, READ, 64, 8, 100, 1);
	gen_last(&g, GEN_GUEST, 0)->disk = 1;
	DOM0(502000, QUEUE, READ, 64 + 2048, 8, 2, 500000);
	gen_last(&g, 0, 0)->disk = 1;
	DOM0(503000, ISSUE, READ, 64 + 2048, 8, 200, 2);
	gen_last(&g, 0, 0)->disk = 1;
	DOM0(504000, COMPLETE, READ, 64 + 2048, 8, 200, 0);
	gen_last(&g, 0, 0)->disk = 1;
	GUEST(505000, COMPLETE, READ, 64, 8, 100, 0);
	gen_last(&g, GEN_GUEST, 0)->disk = 1;
	gen_round(&g, 600000);
	run(&o, g.data, g.len);
	assert_int_equal(disk_stats(&o, GEN_GUEST, 0)->bins[BIN_JOINED], 2);
	assert_int_equal(disk_stats(&o, GEN_GUEST, 1)->bins[BIN_JOINED], 1);
	assert_true(o.parse.model.backend->processes.nr <= MAX_PROCESSES);
	done(&o, &g);
}

/* Names stay what they are in UTF-8; what is none, or controls a terminal, does not. */
static void any_bytes(void **ctx)
{
	static const struct {
		const char *from, *to;
	} names[] = {
		{"fio", "fio"},
		{"gr\xc3\xb6\xc3\x9f"
		 "e",
		 "gr\xc3\xb6\xc3\x9f"
		 "e"},
		{"\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac"},
		{"\xf0\x9f\x90\xa7", "\xf0\x9f\x90\xa7"},
		{"a\033[2Jb\n", "a?[2Jb?"},
		{"\x7f\xc2\x9b"
		 "2J",
		 "??2J"}, /* the second is a control sequence, too */
		{"\xe2\x80\xae"
		 "txt",
		 "?txt"}, /* right to left */
		{"gr\xf6\xdf"
		 "e",
		 "gr??e"},			   /* Latin-1 */
		{"\xc0\xaf\xed\xa0\x80", "?????"}, /* too long, half a pair */
		{"kworker/\xc3", "kworker/?"},	   /* cut by the kernel */
	};
	char to[64];

	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		copy_printable(to, sizeof(to), names[i].from, strlen(names[i].from));
		assert_string_equal(to, names[i].to);
	}
	/* no half characters where there is no room */
	copy_printable(to, 4, "gr\xc3\xb6", 4);
	assert_string_equal(to, "gr");
}

/* Found, told apart and shown, by what the locale has. */
static void not_ascii(void **ctx)
{
	static const char *const locales[] = {"C", "C.UTF-8"};
	struct filter f = {0};
	struct printed p;
	struct gen g;

	(void)ctx;
	assert_null(filter_parse_process(&f, "gr\xc3\xb6\xc3\x9f"
					     "e"));
	for (size_t i = 0; i < ARRAY_SIZE(locales); i++) {
		assert_non_null(setlocale(LC_CTYPE, locales[i]));
		gen_init(&g);
		name(&g, 10, 500,
		     "gr\xc3\xb6\xc3\x9f"
		     "e");
		name(&g, 10, 501,
		     "gr\xc3\xa4\xc3\x9f"
		     "e");
		one(&g, 10000, 64, 500);
		one(&g, 20000, 128, 501);
		print_all(&p, &g, &f);
		/* machines get it as it is */
		has(&p, "\"comm\": \"gr\xc3\xb6\xc3\x9f"
			"e\"");
		has(&p, ",500,gr\xc3\xb6\xc3\x9f"
			"e,");
		has(&p, i ? "\n  gr\xc3\xb6\xc3\x9f"
			    "e 500                   1 "
			  : "\n  gr??e 500                   1 ");
		assert_int_equal(times(&p, ",501,"), 0);
		free(p.text);
	}
	setlocale(LC_CTYPE, "C");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exec),
		cmocka_unit_test(chosen_by_name),
		cmocka_unit_test(names_forgotten),
		cmocka_unit_test(many_processes),
		cmocka_unit_test(any_bytes),
		cmocka_unit_test(not_ascii),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
