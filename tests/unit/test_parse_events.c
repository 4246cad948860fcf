// SPDX-License-Identifier: GPL-2.0-only
/* The table of events, what the man pages say, and bios that end without a request. */
#include <stdio.h>
#include <stdlib.h>

#include "base/event.h"
#include "printed_json.h"

struct event_row {
	unsigned int number;
	const char *name;
	char letter;
	unsigned int by, fields;
	const char *id, *aux, *text;
};

static const struct event_row rows[] = {
#define XBLK_EVENT(number, name, ...) {number, #name, __VA_ARGS__},
#include <xblk/events.def>
};

/* A file of the tree's, which tests are run from. */
static char *contents(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (!f)
		fail_msg("%s cannot be read", path);
	if (getdelim(&text, &size, '\0', f) < 0)
		fail_msg("%s is empty", path);
	fclose(f);
	return text;
}

static void has(const char *path, const char *text, const char *want)
{
	if (!strstr(text, want))
		fail_msg("%s has not what xblk/events.def says:\n%s", path, want);
}

static unsigned int count(const char *text, const char *of)
{
	unsigned int n = 0;

	while ((text = strstr(text, of))) {
		n++;
		text++;
	}
	return n;
}

static void numbers_and_letters(void **ctx)
{
	bool seen[256] = {false};

	(void)ctx;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned char letter = rows[i].letter;

		assert_int_equal(rows[i].number, i + 1);
		assert_int_equal(event_letter(i + 1), letter);
		if (seen[letter])
			fail_msg("%c is %s, and another event", letter, rows[i].name);
		seen[letter] = true;
		/* record_valid() looks at no more than this. */
		if (i < XBLK_EV_COMPLETE) {
			assert_int_equal(rows[i].by, EVENT_GUEST | EVENT_BACKEND);
			assert_int_equal(rows[i].fields & ~(EVENT_PID | EVENT_ERROR),
					 EVENT_DISK | EVENT_OP | EVENT_POSITION);
		}
	}
	assert_int_equal(XBLK_EV_MAX, ARRAY_SIZE(rows) + 1);
	assert_int_equal(event_letter(XBLK_EV_BIO_COMPLETE), 'c');
	assert_int_equal(event_letter(EV_GAP), 'L');
	assert_int_equal(event_letter(XBLK_EV_NONE), '?');
	assert_int_equal(event_letter(EV_GAP + 1), '?');
	assert_int_equal(event_letter(255), '?');
}

static const char *by_text(unsigned int by)
{
	switch (by) {
	case EVENT_GUEST | EVENT_BACKEND:
		return "guest, backend";
	case EVENT_GUEST:
		return "guest";
	case EVENT_BACKEND:
		return "backend";
	default:
		return "reader";
	}
}

static void print_fields(FILE *to, unsigned int fields)
{
	if (!(fields & (EVENT_DISK | EVENT_OP | EVENT_POSITION))) {
		fputs("\\-\n", to);
		return;
	}
	fputs(fields & EVENT_DISK_OR_NONE ? "disk or none" : "disk", to);
	fputs(fields & EVENT_OP ? ", op" : "", to);
	fputs(fields & EVENT_POSITION ? ", sector, nr_sectors\n" : "\n", to);
}

static void format_page(void **ctx)
{
	static const char path[] = "man/xblk-trace.5";
	char *page = contents(path), *table;
	size_t len;
	FILE *f = open_memstream(&table, &len);
	char line[200];

	(void)ctx;
	assert_non_null(f);
	fputs(".It Em Event Ta Em By Ta Em Fields\n", f);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct event_row *r = &rows[i];

		snprintf(line, sizeof(line), "\n.It %u  %s (%c): %s, %s\n", r->number,
			 r->name, r->letter, r->id, r->aux);
		has(path, page, line);
		fprintf(f, ".It %s Ta %s Ta ", r->name, by_text(r->by));
		print_fields(f, r->fields);
	}
	fputs(".El\n", f);
	fclose(f);
	has(path, page, table);
	assert_int_equal(count(page, "): "), ARRAY_SIZE(rows));
	free(table);
	free(page);
}

static void program_page(void **ctx)
{
	static const char path[] = "man/xblkparse.1";
	char *page = contents(path), *table;
	size_t len;
	FILE *f = open_memstream(&table, &len);

	(void)ctx;
	assert_non_null(f);
	fputs("\nEvents are\n.TS\nl l.\n", f);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		fprintf(f, "\\fB%c\\fR\t%s\n", rows[i].letter, rows[i].text);
	fputs(".TE\n", f);
	fclose(f);
	has(path, page, table);
	free(table);
	free(page);
}

/* What tells of bins tells of all of them. */
static void all_bins(void **ctx)
{
	static const char report[] = "scripts/xblk-report", page[] = "man/xblkparse.1";
	char *script = contents(report), *man = contents(page), line[80];

	(void)ctx;
	for (unsigned int i = 0; i < BIN_MAX; i++) {
		snprintf(line, sizeof(line), "\n    \"%s\": \"", bin_names[i]);
		has(report, script, line);
		snprintf(line, sizeof(line), "\n.TP\n.B %s\n", bin_names[i]);
		has(page, man, line);
	}
	free(script);
	free(man);
}

/* Only who has an event to tell may write it; what is no event is invalid. */
static void who_writes_it(void **ctx)
{
	static const struct {
		unsigned int domid, event;
		bool invalid;
	} cases[] = {
		{GEN_GUEST, XBLK_EV_CLOCK, false},
		{0, XBLK_EV_CLOCK, true},
		{GEN_GUEST, XBLK_EV_RESPONSE, true},
		{0, XBLK_EV_RESPONSE, false},
		{GEN_GUEST, XBLK_EV_RING, true},
		{0, XBLK_EV_RING, false},
		{GEN_GUEST, XBLK_EV_INTERRUPT, false},
		{0, XBLK_EV_INTERRUPT, false},
		{GEN_GUEST, XBLK_EV_BIO_COMPLETE, false},
		{0, XBLK_EV_BIO_COMPLETE, false},
		{GEN_GUEST, XBLK_EV_NONE, true},
		{GEN_GUEST, XBLK_EV_MAX, true},
		{GEN_GUEST, 255, true},
	};

	(void)ctx;
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct account a;
		struct outcome o;
		struct gen g;

		gen_init(&g);
		gen_event(&g, cases[i].domid, 0, 1000, cases[i].event, XBLK_OP_READ, 0, 0,
			  1, 2);
		gen_end(&g, 1000000000);
		run(&o, g.data, g.len);
		parse_account(&o.parse, model_domain(&o.parse.model, cases[i].domid), &a);
		if (a.invalid != cases[i].invalid)
			fail_msg("event %u of domain %u: %u invalid", cases[i].event,
				 cases[i].domid, (unsigned int)a.invalid);
		done(&o, &g);
	}
}

static void on_event(void *user, const struct xblk_event_record *e)
{
	event_print(user, GEN_START, e);
}

static void end_is_printed(void **ctx)
{
	struct xblk *x;
	struct gen g;
	char *text;
	size_t len;
	struct text lines = {.out = open_memstream(&text, &len)};

	(void)ctx;
	assert_non_null(lines.out);
	gen_init(&g);
	GUEST(1000, BIO_COMPLETE, READ, 0, 0, 1, 11);
	gen_end(&g, 1000000000);
	x = open_handle((struct xblk_options){.user = &lines, .on_event = on_event});
	feed_all(x, g.data, g.len);
	text_write(&lines);
	fclose(lines.out);
	has("the line", text, "3:xvda ");
	has("the line", text, "  c    R [11]\n");
	free(text);
	xblk_close(x);
	gen_deinit(&g);
}

/* What becomes of the guest's request 100 from blkback's Q on. */
static void served(struct gen *g, uint64_t ns)
{
	gen_event(g, 0, 0, ns, XBLK_EV_QUEUE, XBLK_OP_READ, 64, 8, 10, GEN_KTHREAD);
	gen_event(g, 0, 0, ns + 100, XBLK_EV_ISSUE, XBLK_OP_READ, 64, 8, 200, 10);
	gen_event(g, 0, 0, ns + 200, XBLK_EV_COMPLETE, XBLK_OP_READ, 64, 8, 200, 0);
	gen_event(g, GEN_GUEST, 0, ns + 300, XBLK_EV_COMPLETE, XBLK_OP_READ, 64, 8, 100,
		  0);
}

/* What the JSON says of it, for the disk's guest. */
static void ended_in_json(const struct outcome *o, int want)
{
	static const struct filter all;
	struct printed p;
	json_t *j = printed_json(&p, o, &all);
	int ended;

	assert_int_equal(json_unpack(j, "{s[{s{s{si}}}]}", "disks", "merges", "guest",
				     "ended", &ended),
			 0);
	assert_int_equal(ended, want);
	json_decref(j);
	printed_deinit(&p);
}

/* The queue is full: the bio ends, and another one has its identity at once. */
static void given_up(void **ctx)
{
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 640, 8, 1, 500);
	GUEST(1010, BIO_COMPLETE, READ, 0, 0, 1, 11);
	GUEST(1100, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1110, ISSUE, READ, 64, 8, 100, 1);
	served(&g, 1200);
	GUEST(1600, QUEUE, READ, 640, 8, 2, 500);
	GUEST(1610, BIO_COMPLETE, READ, 0, 0, 2, 11);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_stages(&o.results[0], 10, 90, 100, 100, 100);
	assert_int_equal(disk_counts(&o, GEN_GUEST, 0)->guest.bios, 3);
	assert_int_equal(disk_counts(&o, GEN_GUEST, 0)->guest.ended, 2);
	ended_in_json(&o, 2);
	assert_int_equal(disk_counts(&o, GEN_GUEST, 0)->queued_bios, 0);
	assert_int_equal(model_domain(&o.parse.model, GEN_GUEST)->stale_bios, 0);
	done(&o, &g);
}

/* It is no origin of a split that came later, whose own Q is missing. */
static void given_up_is_no_origin(void **ctx)
{
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 16, 1, 500);
	GUEST(1010, BIO_COMPLETE, READ, 0, 0, 1, 11);
	GUEST(9000, SPLIT, READ, 64, 8, 2, 500);
	GUEST(9010, ISSUE, READ, 64, 8, 100, 2);
	served(&g, 9100);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_int_equal(o.results[0].bin, BIN_BEFORE_TRACE);
	assert_int_equal(disk_counts(&o, GEN_GUEST, 0)->guest.splits, 0);
	done(&o, &g);
}

/* Nothing that has been issued ends by it: that the request's C tells. */
static void issued_is_not_ended(void **ctx)
{
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	GUEST(1020, BIO_COMPLETE, READ, 0, 0, 1, 11);
	GUEST(1030, BIO_COMPLETE, READ, 0, 0, 7, 11);
	served(&g, 1200);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 1);
	assert_stages(&o.results[0], 10, 190, 100, 100, 100);
	assert_int_equal(disk_counts(&o, GEN_GUEST, 0)->guest.ended, 0);
	done(&o, &g);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_letters),
		cmocka_unit_test(format_page),
		cmocka_unit_test(program_page),
		cmocka_unit_test(all_bins),
		cmocka_unit_test(who_writes_it),
		cmocka_unit_test(end_is_printed),
		cmocka_unit_test(given_up),
		cmocka_unit_test(given_up_is_no_origin),
		cmocka_unit_test(issued_is_not_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
