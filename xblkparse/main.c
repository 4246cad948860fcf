// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "output.h"
#include "util.h"

#ifndef XBLK_VERSION
#define XBLK_VERSION "0.1"
#endif

struct options {
	const char *input, *output, *json_file;
	bool requests, events, json, quiet;
	struct filter filter;
};

struct run {
	struct options opt;
	struct parse parse;
	FILE *out;
	struct timespec began, shown;
	bool progress;
};

static volatile sig_atomic_t stop;
static bool input_is_stream;

/*
 * Ctrl-C goes to a whole pipeline.  The capture then ends in good order, and
 * what it still writes belongs to it; a second one means it.
 */
static void on_signal(int sig)
{
	static volatile sig_atomic_t times;

	if (sig == SIGTERM || !input_is_stream || times++)
		stop = 1;
}

static void usage(FILE *to)
{
	fputs("Usage: xblkparse [options] [FILE]\n"
	      "Show where the time of guests' block I/O goes, from a trace of xblktrace.\n"
	      "FILE may be missing or '-': the trace comes from standard input.\n"
	      "\n"
	      "      --requests     a line for each guest request\n"
	      "      --events       a line for each event, in the order of time\n"
	      "      --json[=FILE]  the summary as JSON, instead of the tables or to FILE\n"
	      "  -J FILE            the same as --json=FILE\n"
	      "  -d, --domid DOMID  only the guest DOMID\n"
	      "  -D, --disk DISK    only guests' disks of that name, e.g. xvda\n"
	      "  -o, --output FILE  write there instead of standard output\n"
	      "  -q, --quiet        no tables at the end, no progress\n"
	      "  -h, --help         this text\n"
	      "  -V, --version      the version\n",
	      to);
}

static int bad_usage(const char *what, const char *arg)
{
	msg("usage: %s%s%s; see xblkparse --help", what, arg ? ": " : "", arg ? arg : "");
	return 2;
}

/* -1: go on; else the exit status. */
static int parse_options(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{"requests", no_argument, NULL, 'r'},
		{"events", no_argument, NULL, 'e'},
		{"json", optional_argument, NULL, 'j'},
		{"domid", required_argument, NULL, 'd'},
		{"disk", required_argument, NULL, 'D'},
		{"output", required_argument, NULL, 'o'},
		{"quiet", no_argument, NULL, 'q'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "J:d:D:o:qhV", longs, NULL)) != -1) {
		switch (c) {
		case 'r':
			o->requests = true;
			break;
		case 'e':
			o->events = true;
			break;
		case 'j':
		case 'J':
			if (optarg)
				o->json_file = optarg;
			else
				o->json = true;
			break;
		case 'd':
			if (!filter_parse_domid(&o->filter, optarg))
				return bad_usage("not a domain id", optarg);
			break;
		case 'D':
			o->filter.disk = optarg;
			break;
		case 'o':
			o->output = optarg;
			break;
		case 'q':
			o->quiet = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		case 'V':
			puts("xblkparse " XBLK_VERSION);
			return 0;
		default:
			fputs("xblkparse: usage: see xblkparse --help\n", stderr);
			return 2;
		}
	}
	if (optind < argc)
		o->input = argv[optind++];
	if (optind < argc)
		return bad_usage("more than one trace", argv[optind]);
	if (o->requests && o->events)
		return bad_usage("--requests and --events exclude each other", NULL);
	if (o->json && (o->requests || o->events))
		return bad_usage("--json needs a file next to other output (-J FILE)",
				 NULL);
	return -1;
}

static ssize_t read_fd(void *ctx, void *buf, size_t size)
{
	ssize_t n;

	/* A signal that does not stop us must not look like the end. */
	do {
		n = read(*(int *)ctx, buf, size);
	} while (n < 0 && errno == EINTR && !stop);
	return n < 0 && stop ? 0 : n;
}

static void on_event(void *ctx, struct stream *s, const struct xblk_record *r)
{
	struct run *run = ctx;

	event_print(run->out, &run->parse, &run->opt.filter, s, r);
}

static void on_request(void *ctx, const struct rq *rq, enum bin bin,
		       const int64_t stages[STAGE_MAX])
{
	struct run *run = ctx;

	request_print(run->out, &run->parse, &run->opt.filter, rq, bin, stages);
}

static double seconds(const struct timespec *from, const struct timespec *to)
{
	return to->tv_sec - from->tv_sec + (to->tv_nsec - from->tv_nsec) / 1e9;
}

static bool on_chunk(void *ctx, const struct parse *p)
{
	struct run *run = ctx;
	struct timespec now;

	if (ferror(run->out))
		return false;
	if (!run->progress)
		return true;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (seconds(&run->began, &now) > 2 && seconds(&run->shown, &now) > 0.5) {
		fprintf(stderr,
			"\rxblkparse: %" PRIu64 " MiB read, %" PRIu64 " records\033[K",
			p->reader.offset >> 20, p->join.records);
		run->shown = now;
	}
	return true;
}

static int open_input(const struct options *o)
{
	struct stat st;
	int fd = STDIN_FILENO;

	if (o->input && strcmp(o->input, "-")) {
		fd = open(o->input, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			msg("%s: %s", o->input, strerror(errno));
			return -1;
		}
	}
	if (isatty(fd)) {
		bad_usage("no trace: standard input is a terminal", NULL);
		return -2;
	}
	input_is_stream = !fstat(fd, &st) && !S_ISREG(st.st_mode);
	return fd;
}

/* 0, or -1 after a message; a reader that went away is no failure of ours. */
static int close_output(FILE *out, const char *name)
{
	int bad;

	errno = 0;
	bad = ferror(out);
	if (out == stdout ? fflush(out) : fclose(out))
		bad = 1;
	if (!bad || errno == EPIPE)
		return 0;
	msg("%s: %s", name, errno ? strerror(errno) : "writing failed");
	return -1;
}

static int write_json_file(struct run *run)
{
	const char *name = run->opt.json_file;
	FILE *f = fopen(name, "we");

	if (!f) {
		msg("%s: %s", name, strerror(errno));
		return -1;
	}
	json_print(f, &run->parse, &run->opt.filter);
	return close_output(f, name);
}

static int run_all(struct run *run)
{
	const struct options *o = &run->opt;
	struct parse *p = &run->parse;
	int ret = 0;

	if (o->events)
		p->on_event = on_event;
	if (o->requests) {
		p->join.on_request = on_request;
		p->join.ctx = run;
		request_titles(run->out);
	}
	p->on_chunk = on_chunk;
	p->ctx = run;
	p->stop = &stop;
	clock_gettime(CLOCK_MONOTONIC, &run->began);
	run->shown = run->began;
	run->progress = !o->quiet && isatty(STDERR_FILENO) &&
			!((o->events || o->requests) && isatty(STDOUT_FILENO));
	parse_run(p);
	if (seconds(&run->began, &run->shown) > 0)
		fputs("\r\033[K", stderr);
	if (p->stopped && stop)
		msg("interrupted: what was read by then follows");
	if (p->began) {
		if (o->json)
			json_print(run->out, p, &o->filter);
		else if (!o->quiet)
			report_print(run->out, p, &o->filter,
				     run->out == stdout && isatty(STDOUT_FILENO));
		if (o->json_file && write_json_file(run))
			ret = 1;
	}
	return p->problems || (p->stopped && stop) ? 1 : ret;
}

int main(int argc, char **argv)
{
	static struct run run;
	struct sigaction sa = {.sa_handler = on_signal};
	int ret, fd;

	ret = parse_options(&run.opt, argc, argv);
	if (ret >= 0)
		return ret;
	fd = open_input(&run.opt);
	if (fd < 0)
		return -fd;
	run.out = stdout;
	if (run.opt.output && strcmp(run.opt.output, "-")) {
		run.out = fopen(run.opt.output, "we");
		if (!run.out) {
			msg("%s: %s", run.opt.output, strerror(errno));
			return 1;
		}
	}
	/* No SA_RESTART: a read that waits for a pipe has to come back. */
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	parse_init(&run.parse, read_fd, &fd);
	ret = run_all(&run);
	if (close_output(run.out, run.opt.output ? run.opt.output : "standard output"))
		ret = 1;
	parse_deinit(&run.parse);
	return ret;
}
