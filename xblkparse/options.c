// SPDX-License-Identifier: GPL-2.0-only
#include "options.h"

#include <getopt.h>
#include <string.h>

#include <xblk/version.h>

#include "bad-option.h"
#include "msg.h"
#include "number.h"
#include "util.h"

/* Shorter ones make no sense: nothing is read more often. */
#define MIN_INTERVAL_NS 10000000ull

enum {
	OPT_BY = 0x100,
	OPT_COLOUR,
	OPT_CSV,
	OPT_EVENTS,
	OPT_JSON,
	OPT_LATENCY,
	OPT_OP,
	OPT_REQUESTS,
	OPT_SECTORS,
	OPT_TOP,
	OPT_VERIFY,
};

static void usage(FILE *to)
{
	fputs("Usage: xblkparse [options] [FILE]\n"
	      "Show where the time of guests' block I/O goes, from a trace of xblktrace.\n"
	      "FILE may be missing or '-': the trace comes from standard input.\n"
	      "\n"
	      "What to print:\n"
	      "      --by LIST          tables beside the stages: band,op,size,process,time;\n"
	      "                         all or none (default: band,op)\n"
	      "      --top N            a table of the N slowest requests\n"
	      "  -i, --interval SECONDS a running report while the trace is read\n"
	      "      --requests         a line for each guest request\n"
	      "      --events           a line for each event, in the order of time\n"
	      "  -f, --format FORMAT    what such a line is, as blkparse's -f\n"
	      "      --json[=FILE]      the summary as JSON, instead of the tables or to FILE\n"
	      "  -J FILE                the same as --json=FILE\n"
	      "      --csv              the stages as CSV; with --requests, the requests\n"
	      "      --verify           check the trace: a line a check\n"
	      "Of which requests and events:\n"
	      "  -d, --domid DOMID      only of the guest DOMID\n"
	      "  -D, --disk DISK        only of guests' disks of that name, e.g. xvda\n"
	      "      --op LIST          only these operations: read, write, flush, discard,\n"
	      "                         secure_discard, write_zeroes, other\n"
	      "      --sectors A[-[B]]  only with a sector from A to B of the disk\n"
	      "  -p, --process PID|NAME only of this process of a guest\n"
	      "  -w, --time [A:][B]     only from A to B seconds of the trace\n"
	      "      --min-latency TIME only what took at least so long: 500us, 2ms, 1s\n"
	      "Where to:\n"
	      "  -o, --output FILE      write there instead of standard output\n"
	      "      --color WHEN       auto (to a terminal), always or never\n"
	      "  -q, --quiet            no tables at the end, no progress\n"
	      "  -h, --help             this text\n"
	      "  -V, --version          the version\n",
	      to);
}

static int bad_usage(const char *what, const char *arg)
{
	msg_say("usage: %s%s%s; see xblkparse --help", what, arg ? ": " : "",
		arg ? arg : "");
	return 2;
}

static const char *parse_top(struct options *o, const char *arg)
{
	o->report.slowest = true;
	return number_uint(arg, 1, SLOWEST_MAX, &o->top);
}

static bool parse_colour(struct options *o, const char *arg)
{
	o->colour_always = !strcmp(arg, "always");
	o->colour_never = !strcmp(arg, "never");
	return o->colour_always || o->colour_never || !strcmp(arg, "auto");
}

static int parse_format(struct options *o, const char *arg)
{
	char why[80];

	format_free(o->format);
	o->format = format_parse(arg, why, sizeof(why));
	return o->format ? -1 : bad_usage(why, arg);
}

/* Those with an argument that may make no sense. */
static int parse_argument(struct options *o, int c, const char *arg)
{
	struct filter *f = &o->filter;
	const char *why;

	switch (c) {
	case OPT_BY:
		return report_parse_by(&o->report.by, arg)
			       ? -1
			       : bad_usage("not a list of tables", arg);
	case OPT_COLOUR:
		return parse_colour(o, arg)
			       ? -1
			       : bad_usage("auto, always or never, not", arg);
	case 'f':
		return parse_format(o, arg);
	case OPT_TOP:
		why = parse_top(o, arg);
		break;
	case 'i':
		why = number_seconds(arg, MIN_INTERVAL_NS, NUMBER_MAX_NS,
				     &o->interval_ns);
		break;
	case 'd':
		why = filter_parse_domid(f, arg);
		break;
	case OPT_OP:
		why = filter_parse_ops(f, arg);
		break;
	case OPT_SECTORS:
		why = filter_parse_sectors(f, arg);
		break;
	case 'p':
		why = filter_parse_process(f, arg);
		break;
	case 'w':
		why = filter_parse_time(f, arg);
		break;
	case OPT_LATENCY:
		why = filter_parse_latency(f, arg);
		break;
	default:
		return 2;
	}
	return why ? bad_usage(why, arg) : -1;
}

static int parse_option(struct options *o, int c, const char *arg)
{
	switch (c) {
	case OPT_REQUESTS:
		o->requests = true;
		return -1;
	case OPT_EVENTS:
		o->events = true;
		return -1;
	case OPT_CSV:
		o->csv = true;
		return -1;
	case OPT_VERIFY:
		o->verify = true;
		return -1;
	case OPT_JSON:
	case 'J':
		if (arg)
			o->json_file = arg;
		else
			o->json = true;
		return -1;
	case 'D':
		o->filter.disk = arg;
		return -1;
	case 'o':
		o->output = arg;
		return -1;
	case 'q':
		o->quiet = true;
		return -1;
	case 'h':
		usage(stdout);
		return 0;
	case 'V':
		puts("xblkparse " XBLK_VERSION);
		return 0;
	default:
		return parse_argument(o, c, arg);
	}
}

/* What goes to the output while the trace is read: at most one of them. */
static int check(const struct options *o)
{
	int lines = o->requests + o->events + (o->interval_ns > 0) + o->verify;

	if (lines > 1)
		return bad_usage(
			"--requests, --events, -i and --verify exclude each other", NULL);
	if (o->json && (lines || o->csv))
		return bad_usage("--json needs a file next to other output (-J FILE)",
				 NULL);
	if (o->csv && lines && !o->requests)
		return bad_usage("--csv is of the stages or of --requests", NULL);
	if (o->format && !o->events)
		return bad_usage("-f is of --events", NULL);
	return -1;
}

int options_parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{"by", required_argument, NULL, OPT_BY},
		{"color", required_argument, NULL, OPT_COLOUR},
		{"csv", no_argument, NULL, OPT_CSV},
		{"disk", required_argument, NULL, 'D'},
		{"domid", required_argument, NULL, 'd'},
		{"events", no_argument, NULL, OPT_EVENTS},
		{"format", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{"interval", required_argument, NULL, 'i'},
		{"json", optional_argument, NULL, OPT_JSON},
		{"min-latency", required_argument, NULL, OPT_LATENCY},
		{"op", required_argument, NULL, OPT_OP},
		{"output", required_argument, NULL, 'o'},
		{"process", required_argument, NULL, 'p'},
		{"quiet", no_argument, NULL, 'q'},
		{"requests", no_argument, NULL, OPT_REQUESTS},
		{"sectors", required_argument, NULL, OPT_SECTORS},
		{"time", required_argument, NULL, 'w'},
		{"top", required_argument, NULL, OPT_TOP},
		{"verify", no_argument, NULL, OPT_VERIFY},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	char typed[4096];
	int c, ret;

	o->top = SLOWEST_DEFAULT;
	o->report.by = REPORT_BAND | REPORT_OP;
	/* getopt() would print what was typed as it is. */
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":J:d:D:f:i:o:p:qw:hV", longs, NULL)) != -1) {
		if (c == '?' || c == ':') {
			describe_bad_option(typed, sizeof(typed), c, argv);
			return bad_usage(typed, NULL);
		}
		ret = parse_option(o, c, optarg);
		if (ret >= 0)
			return ret;
	}
	if (optind < argc)
		o->input = argv[optind++];
	if (optind < argc)
		return bad_usage("more than one trace", argv[optind]);
	return check(o);
}

void options_deinit(struct options *o)
{
	format_free(o->format);
}
