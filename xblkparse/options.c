// SPDX-License-Identifier: GPL-2.0-only
#include "options.h"

#include <getopt.h>
#include <stddef.h>
#include <string.h>

#include <xblk/version.h>

#include "filter-args.h"
#include "number.h"
#include "option-table.h"

/* Shorter ones make no sense: nothing is read more often. */
#define MIN_INTERVAL_NS 10000000ull

static const char *set_by(void *to, const char *arg)
{
	return report_parse_by(to, arg) ? NULL : "not a list of tables";
}

static const char *set_top(void *to, const char *arg)
{
	struct options *o = to;

	o->report.slowest = true;
	return number_uint(arg, 1, SLOWEST_MAX, &o->top);
}

static const char *set_interval(void *to, const char *arg)
{
	return number_seconds(arg, MIN_INTERVAL_NS, NUMBER_MAX_NS, to);
}

static const char *set_format(void *to, const char *arg)
{
	struct options *o = to;
	static char why[80];

	format_free(o->format);
	o->format = format_parse(arg, why, sizeof(why));
	return o->format ? NULL : why;
}

static const char no_file_name[] = "no file name";

/* "-" is standard output, as it is with other tools. */
static const char *file_or_standard(const char *arg)
{
	return arg && strcmp(arg, "-") ? arg : NULL;
}

static const char *set_file(void *to, const char *arg)
{
	*(const char **)to = file_or_standard(arg);
	return *arg ? NULL : no_file_name;
}

static const char *set_format_file(void *to, const char *arg)
{
	struct option_format *f = to;

	if (f->wanted)
		return "there is one already, and it has one file";
	if (arg && !*arg)
		return no_file_name;
	f->wanted = true;
	f->file = file_or_standard(arg);
	return NULL;
}

static const char *set_colour(void *to, const char *arg)
{
	struct options *o = to;

	o->colour_always = !strcmp(arg, "always");
	o->colour_never = !strcmp(arg, "never");
	if (o->colour_always || o->colour_never || !strcmp(arg, "auto"))
		return NULL;
	return "not auto, always or never";
}

#define AT(member) offsetof(struct options, member)

static const struct option_row rows[] = {
	{.help = "What to print:"},
	{0, "by", " LIST",
	 "tables beside the stages: band,op,size,process,time;\n"
	 "all or none (default: band,op)",
	 set_by, AT(report.by)},
	{0, "top", " N", "a table of the N slowest requests", set_top, 0},
	{'i', "interval", " SECONDS", "a running report while the trace is read",
	 set_interval, AT(interval_ns)},
	{0, "requests", NULL, "a line for each guest request", option_set_flag,
	 AT(requests)},
	{0, "events", NULL, "a line for each event, in the order of time",
	 option_set_flag, AT(events)},
	{'f', "format", " FORMAT", "what such a line is, as blkparse's -f", set_format,
	 0},
	{0, "json", "[=FILE]", "the summary as JSON, instead of the tables or to FILE",
	 set_format_file, AT(json)},
	{'J', NULL, " FILE", "the same as --json=FILE", set_format_file, AT(json)},
	{0, "csv", "[=FILE]",
	 "the stages as CSV, likewise; with --requests, the\n"
	 "requests, to FILE also beside --events, -i or --verify",
	 set_format_file, AT(csv)},
	{0, "verify", NULL, "check the trace: a line a check", option_set_flag,
	 AT(verify)},
	{.help = "Of which requests and events:"},
	{'d', "domid", " DOMID|NAME", "only of this guest; several: of any of them",
	 filter_parse_guest, AT(filter)},
	{'D', "disk", " DISK", "only of guests' disks of that name, e.g. xvda; likewise",
	 filter_parse_disk, AT(filter)},
	{0, "op", " LIST",
	 "only these operations: read, write, flush, discard,\n"
	 "secure_discard, write_zeroes, other",
	 filter_parse_ops, AT(filter)},
	{0, "sectors", " A[-[B]]", "only with a sector from A to B of the disk",
	 filter_parse_sectors, AT(filter)},
	{'p', "process", " PID|NAME", "only of this process of a guest; likewise",
	 filter_parse_process, AT(filter)},
	{'w', "time", " [A:][B]", "only from A to B seconds of the trace",
	 filter_parse_time, AT(filter)},
	{0, "min-latency", " TIME", "only what took at least so long: 500us, 2ms, 1s",
	 filter_parse_latency, AT(filter)},
	{.help = "Where to:"},
	{'o', "output", " FILE", "write there instead of standard output", set_file,
	 AT(output)},
	{0, "color", " WHEN", "auto (to a terminal), always or never", set_colour, 0},
	{'q', "quiet", NULL, "no tables at the end, no progress", option_set_flag,
	 AT(quiet)},
	{'h', "help", NULL, "this text", NULL, 0},
	{'V', "version", NULL, "the version", NULL, 0},
	{0},
};

static const char *const once[] = {
	"by",	"top",	  "interval",	 "format", "sectors",
	"time", "output", "min-latency", NULL,
};

static const struct option_table table = {
	.before = "Usage: xblkparse [options] [FILE]\n"
		  "Show where the time of guests' block I/O goes, from a trace of "
		  "xblktrace.\n"
		  "FILE may be missing or '-': the trace comes from standard input.\n\n",
	.rows = rows,
	.once = once,
	.column = 25,
	.after = "",
	.version = "xblkparse " XBLK_VERSION,
};

/* What goes to the output while the trace is read: at most one of them. */
static int check(const struct options *o)
{
	bool requests = o->requests && !o->csv.file;
	int lines = requests + o->events + (o->interval_ns > 0) + o->verify;

	if (lines > 1)
		return bad_usage("--requests, --events, -i and --verify exclude each "
				 "other, but for --requests --csv=FILE");
	if (option_to_main(&o->json) && (lines || option_to_main(&o->csv)))
		return bad_usage("--json needs a file next to other output (-J FILE)");
	if (option_to_main(&o->csv) && lines && !o->requests)
		return bad_usage("--csv needs a file next to other output (--csv=FILE)");
	if (o->verify && filter_chooses(&o->filter) && (o->json.wanted || o->csv.wanted))
		return bad_usage(
			"--verify checks all requests: --json or --csv of some is "
			"another run");
	if (o->format && !o->events)
		return bad_usage("-f is of --events");
	return -1;
}

int options_parse(struct options *o, int argc, char **argv)
{
	int status;

	o->top = SLOWEST_DEFAULT;
	o->report.by = REPORT_BAND | REPORT_OP;
	status = option_table_read(&table, argc, argv, o);
	if (status >= 0)
		return status;
	if (optind < argc)
		o->input = file_or_standard(argv[optind++]);
	if (optind < argc)
		return bad_usage("more than one trace: %s", argv[optind]);
	return check(o);
}

void options_deinit(struct options *o)
{
	format_free(o->format);
}
