// SPDX-License-Identifier: GPL-2.0-only
/* Several formats at once, each to its file, and none to the trace. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "outputs.h"
#include "said.h"
#include "test_parse_util.h"

static char folder[] = "/tmp/outputsXXXXXX";

static const char *in_folder(const char *name)
{
	static char paths[32][64];
	static unsigned int nr;
	char *path = paths[nr++ % 32];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static char *contents(const char *name)
{
	static char text[4][65536];
	static unsigned int nr;
	char *to = text[nr++ % 4];
	FILE *f = fopen(in_folder(name), "r");

	assert_non_null(f);
	to[fread(to, 1, sizeof(text[0]) - 1, f)] = '\0';
	fclose(f);
	return to;
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(in_folder(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int open_trace(void)
{
	int fd;

	write_file("trace", "a trace");
	fd = open(in_folder("trace"), O_RDONLY);
	assert_true(fd >= 0);
	return fd;
}

struct told {
	struct outputs outputs;
	struct xblk *x;
};

static void on_request(void *user, const struct xblk_request *r)
{
	struct told *t = user;

	outputs_request(&t->outputs, t->x, r);
}

static void on_event(void *user, const struct xblk_event_record *e)
{
	struct told *t = user;

	outputs_event(&t->outputs, t->x, e);
}

static void on_interval(void *user, const struct xblk_interval *i)
{
	struct told *t = user;

	outputs_interval(&t->outputs, t->x, i);
}

static void open_told(struct told *t)
{
	struct wants wants = outputs_want(&t->outputs);

	t->x = open_handle((struct xblk_options){
		.user = t,
		.on_request = wants.requests ? on_request : NULL,
		.on_event = wants.events ? on_event : NULL,
		.on_interval = wants.intervals ? on_interval : NULL,
		.interval_ns = wants.intervals ? 1000000000 : 0,
	});
	xblk_analyse(t->x, &wants.analysis);
}

/* One request, in a capture that ended in good order, or not. */
static struct gen gen_one(bool ended)
{
	struct gen g;

	gen_init(&g);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(2000, ISSUE, READ, 64, 8, 100, 1);
	DOM0(3000, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(4000, ISSUE, READ, 64, 8, 200, 2);
	DOM0(5000, COMPLETE, READ, 64, 8, 200, 0);
	GUEST(6000, COMPLETE, READ, 64, 8, 100, 0);
	if (ended)
		gen_end(&g, 1000000);
	return g;
}

/* Through all that is open.  Return: what there was to say at its end. */
static int print_trace(struct told *t, bool ended)
{
	struct gen g = gen_one(ended);
	int ret;

	open_told(t);
	feed_all(t->x, g.data, g.len);
	ret = outputs_end(&t->outputs, t->x);
	assert_int_equal(outputs_close(&t->outputs), 0);
	xblk_close(t->x);
	gen_deinit(&g);
	return ret;
}

static void print_one(struct told *t)
{
	assert_int_equal(print_trace(t, true), 0);
}

static void all_at_once(void **ctx)
{
	struct options opt = {.requests = true,
			      .csv = {true, in_folder("rows.csv")},
			      .json = {true, in_folder("sums.json")},
			      .output = in_folder("tables")};
	struct told t;
	int fd = open_trace();

	(void)ctx;
	write_file("sums.json", "older");
	assert_int_equal(outputs_open(&t.outputs, &opt, fd), 0);
	/* as long as there is nothing to put into it */
	assert_string_equal(contents("sums.json"), "older");
	print_one(&t);
	assert_non_null(strstr(contents("rows.csv"), "\n3,guest1,xvda,R,64,8,"));
	assert_int_equal(*contents("sums.json"), '{');
	assert_non_null(strstr(contents("tables"), "1 requests, 1 joined"));
	close(fd);
}

/* A format without a file takes the tables' place. */
static void instead_of_tables(void **ctx)
{
	struct options opt = {.json = {true, NULL}, .output = in_folder("tables")};
	struct told t;
	int fd = open_trace();

	(void)ctx;
	assert_int_equal(outputs_open(&t.outputs, &opt, fd), 0);
	print_one(&t);
	assert_int_equal(*contents("tables"), '{');
	assert_null(strstr(contents("tables"), "joined ("));
	close(fd);
}

static const char *in_tables(const struct options *opt)
{
	struct told t;
	int fd = open_trace();

	assert_int_equal(outputs_open(&t.outputs, opt, fd), 0);
	print_one(&t);
	close(fd);
	return contents("tables");
}

/* What is printed while the trace is read comes before the tables. */
static void lines(void **ctx)
{
	const char *tables = ", 1 joined (100.00%)", *text;
	struct options opt = {.output = in_folder("tables"), .events = true};
	char why[80];

	(void)ctx;
	text = in_tables(&opt);
	assert_non_null(strstr(text, "  Q    R 64 + 8"));
	assert_true(strstr(text, "  C    R 64 + 8") < strstr(text, tables));
	opt.filter.ops = 1u << XBLK_OP_WRITE;
	assert_null(strstr(in_tables(&opt), "R 64"));
	opt.filter.ops = 0;
	opt.format = format_parse("<%a>", why, sizeof(why));
	text = in_tables(&opt);
	assert_non_null(strstr(text, "<Q><D><Q><D><C><C>"));
	assert_non_null(strstr(text, tables));
	format_free(opt.format);
	opt = (struct options){.output = in_folder("tables"), .interval_ns = 1000000000};
	text = in_tables(&opt);
	assert_int_equal(strncmp(text, "    time s disk ", 16), 0);
	assert_true(strstr(text, " 3:xvda ") < strstr(text, tables));
}

/* A check is of all of a trace, also of one that is none. */
static void checks(void **ctx)
{
	struct options opt = {.output = in_folder("tables"),
			      .verify = true,
			      .filter.ops = 1u << XBLK_OP_WRITE};
	int fd = open_trace();
	struct told t;

	(void)ctx;
	msg_silent = true;
	assert_non_null(strstr(in_tables(&opt), "ok    done          1 requests"));
	assert_null(strstr(in_tables(&opt), "joined ("));
	assert_int_equal(outputs_open(&t.outputs, &opt, fd), 0);
	assert_true(outputs_want(&t.outputs).whole);
	assert_int_equal(print_trace(&t, false), -1);
	assert_non_null(strstr(contents("tables"), "FAIL  end "));
	opt.filter.ops = 0;
	opt.json = (struct option_format){true, in_folder("sums.json")};
	write_file("sums.json", "older");
	assert_int_equal(outputs_open(&t.outputs, &opt, fd), 0);
	open_told(&t);
	xblk_finish(t.x);
	assert_int_equal(outputs_end(&t.outputs, t.x), -1);
	assert_int_equal(outputs_close(&t.outputs), 0);
	xblk_close(t.x);
	assert_non_null(strstr(contents("tables"), "FAIL  header"));
	assert_string_equal(contents("sums.json"), "older");
	msg_silent = false;
	close(fd);
}

/* Requests in a file of their own, while what else there is goes on. */
static void rows_beside_lines(void **ctx)
{
	const char *row = "\n3,guest1,xvda,R,64,8,", *rows = in_folder("rows.csv");
	struct options opt = {.output = in_folder("tables"),
			      .events = true,
			      .requests = true,
			      .csv = {true, rows}};

	(void)ctx;
	assert_non_null(strstr(in_tables(&opt), "  Q    R 64 + 8"));
	assert_non_null(strstr(contents("rows.csv"), row));
	opt.events = false;
	opt.verify = true;
	assert_non_null(strstr(in_tables(&opt), "ok    done          1 requests"));
	assert_non_null(strstr(contents("rows.csv"), row));
	opt.verify = false;
	opt.interval_ns = 1000000000;
	assert_non_null(strstr(in_tables(&opt), "inflight"));
	assert_non_null(strstr(contents("rows.csv"), row));
}

static bool opens(const struct options *opt, int fd)
{
	struct outputs outputs;
	bool good = !outputs_open(&outputs, opt, fd);

	outputs_close(&outputs);
	return good;
}

static void onto_each_other(void **ctx)
{
	struct options opt;
	struct said said;
	int fd = open_trace();

	(void)ctx;
	unlink(in_folder("x"));
	opt = (struct options){.output = in_folder("trace")};
	said_begin(&said, STDERR_FILENO);
	assert_false(opens(&opt, fd));
	/* Not as a wrong command line, whose exit status is another one. */
	assert_non_null(strstr(said_end(&said), "/trace is the trace itself"));
	assert_null(strstr(said.text, "usage"));
	msg_silent = true;
	opt = (struct options){.output = in_folder("x"),
			       .json = {true, in_folder("trace")}};
	assert_false(opens(&opt, fd));
	opt.json.file = in_folder("x");
	assert_false(opens(&opt, fd));
	/* by another name */
	assert_int_equal(link(in_folder("trace"), in_folder("linked")), 0);
	opt = (struct options){.output = in_folder("x"),
			       .requests = true,
			       .csv = {true, in_folder("linked")}};
	assert_false(opens(&opt, fd));
	assert_string_equal(contents("trace"), "a trace");
	close(fd);
}

static bool exists(const char *name)
{
	return !access(in_folder(name), F_OK);
}

/* What cannot be written to is told before the trace is read, and nothing is left. */
static void refused_at_once(void **ctx)
{
	struct options opt;
	int fd = open_trace();

	(void)ctx;
	msg_silent = true;
	unlink(in_folder("x"));
	write_file("tables", "older");
	opt = (struct options){.output = in_folder("tables"),
			       .json = {true, in_folder("x")},
			       .csv = {true, in_folder("no/folder")}};
	assert_false(opens(&opt, fd));
	assert_false(exists("x"));
	assert_string_equal(contents("tables"), "older");
	/* a file of two outputs that was not there */
	opt.csv.file = in_folder("x");
	assert_false(opens(&opt, fd));
	assert_false(exists("x"));
	/* and one of which nothing came, as there was no trace */
	opt.csv.file = in_folder("rows.csv");
	unlink(in_folder("rows.csv"));
	assert_true(opens(&opt, fd));
	assert_false(exists("x"));
	assert_false(exists("rows.csv"));
	close(fd);
}

/* Why lines could not be written, also if all that there are failed at once. */
static void full(void **ctx)
{
	struct options opt = {.requests = true,
			      .output = in_folder("tables"),
			      .csv = {true, "/dev/full"}};
	struct xblk_request r = {.guest = "", .label = "", .uuid = "", .why = ""};
	struct xblk *x = open_handle((struct xblk_options){0});
	struct outputs outputs;
	struct said said;
	int fd = open_trace();

	(void)ctx;
	msg_silent = false;
	assert_int_equal(outputs_open(&outputs, &opt, fd), 0);
	for (int i = 0; i < 1000; i++)
		outputs_request(&outputs, x, &r);
	said_begin(&said, STDERR_FILENO);
	assert_int_equal(outputs_close(&outputs), -1);
	assert_non_null(strstr(said_end(&said), "/dev/full: No space left on device"));
	xblk_close(x);
	close(fd);
}

static int make_folder(void **ctx)
{
	(void)ctx;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **ctx)
{
	static const char *const names[] = {"trace",  "rows.csv", "sums.json",
					    "tables", "x",	  "linked"};

	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlink(in_folder(names[i]));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_at_once),
		cmocka_unit_test(instead_of_tables),
		cmocka_unit_test(lines),
		cmocka_unit_test(checks),
		cmocka_unit_test(rows_beside_lines),
		cmocka_unit_test(onto_each_other),
		cmocka_unit_test(refused_at_once),
		cmocka_unit_test(full),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
