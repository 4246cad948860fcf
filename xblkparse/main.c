// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "chosen.h"
#include "sinks/live.h"
#include "msg.h"
#include "option-table.h"
#include "options.h"
#include "outputs.h"
#include "span.h"
#include "base/util.h"
#include "sinks/verify.h"

/* Shorter silence of a pipe is usual: a capture tells of its time once a second. */
#define SILENCE_MS 3000

struct run {
	struct options opt;
	struct parse parse;
	struct live live;
	struct verify verify;
	struct shown shown;
	struct outputs outputs;
	int fd;
	struct index index;
	uint64_t read_to_ns; /* when the span was complete; 0: not so far */
	struct timespec began, progress_shown;
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

/* A running report says that it is alive also where nothing comes. */
static void wait_for_input(struct run *run)
{
	struct pollfd pfd = {.fd = run->fd, .events = POLLIN};
	unsigned int silent = 0;
	int ret;

	while (!(ret = poll(&pfd, 1, SILENCE_MS)) || (ret < 0 && errno == EINTR)) {
		if (stop)
			return;
		if (ret)
			continue;
		silent += SILENCE_MS / 1000;
		fprintf(run->outputs.main, "%10s nothing from the capture for %u s\n", "",
			silent);
		fflush(run->outputs.main);
	}
}

static ssize_t read_fd(void *ctx, void *buf, size_t size)
{
	struct run *run = ctx;
	ssize_t n;

	if (run->opt.interval_ns && input_is_stream)
		wait_for_input(run);
	if (stop)
		return 0;
	/* A signal that does not stop us must not look like the end. */
	do {
		n = read(run->fd, buf, size);
	} while (n < 0 && errno == EINTR && !stop);
	return n < 0 && stop ? 0 : n;
}

static int seek_fd(void *ctx, uint64_t offset)
{
	const struct run *run = ctx;

	return lseek(run->fd, offset, SEEK_SET) < 0 ? -1 : 0;
}

static ssize_t pread_fd(void *ctx, void *buf, size_t size, uint64_t offset)
{
	const struct run *run = ctx;

	return pread(run->fd, buf, size, offset);
}

static void on_event(void *ctx, struct stream *s, const struct xblk_record *r)
{
	struct run *run = ctx;
	const struct options *o = &run->opt;

	if (o->verify) {
		verify_record(&run->verify, s, r);
	} else if (o->interval_ns) {
		if (s->dom->backend && r->event != EV_GAP)
			live_advance(&run->live, &run->parse, r->time);
	} else if (event_shown(&run->shown, &run->parse, &o->filter, s, r)) {
		if (o->format)
			format_print(run->outputs.main, o->format, &run->parse, s, r);
		else
			event_print(run->outputs.main, &run->parse, s, r);
	}
}

static void on_request(void *ctx, const struct xblk_request *r)
{
	struct run *run = ctx;

	if (run->opt.verify) {
		verify_request(&run->verify, r);
		return;
	}
	if (filter_shows(&run->opt.filter, r))
		outputs_request(&run->outputs, run->parse.join.start_ns, r);
}

static void on_end(void *ctx, const struct parse *p)
{
	struct run *run = ctx;

	if (run->opt.interval_ns)
		live_end(&run->live, p);
}

static double seconds(const struct timespec *from, const struct timespec *to)
{
	return to->tv_sec - from->tv_sec + (to->tv_nsec - from->tv_nsec) / 1e9;
}

static bool on_chunk(void *ctx, const struct parse *p)
{
	struct run *run = ctx;
	struct timespec now;

	if (outputs_failed(&run->outputs))
		return false;
	if (run->opt.interval_ns)
		live_advance(&run->live, p, p->join.now_ns);
	/* A capture that writes into a pipe would miss its reader. */
	if (p->index && !p->rest && span_over(p, &run->opt.filter)) {
		run->read_to_ns = p->merge.processed_ns;
		parse_rest(&run->parse);
	}
	if (!run->progress)
		return true;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (seconds(&run->began, &now) > 2 && seconds(&run->progress_shown, &now) > 0.5) {
		msg_progress("xblkparse: %" PRIu64 " MiB read, %" PRIu64 " records",
			     p->reader.offset >> 20, p->join.records);
		run->progress_shown = now;
	}
	return true;
}

static int open_input(const struct options *o)
{
	struct stat st;
	int fd = STDIN_FILENO;

	if (o->input) {
		fd = open(o->input, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			return msg_error("%s: %s", o->input, strerror(errno));
		}
	}
	if (isatty(fd))
		return -bad_usage("no trace: standard input is a terminal");
	input_is_stream = !fstat(fd, &st) && !S_ISREG(st.st_mode);
	return fd;
}

/* What is printed, and kept for that, while the trace is read. */
static void prepare(struct run *run)
{
	const struct options *o = &run->opt;
	struct parse *p = &run->parse;

	if (o->events || o->interval_ns || o->verify)
		p->on_event = on_event;
	if (o->verify || outputs_want_requests(&run->outputs)) {
		p->tally.on_request = on_request;
		p->tally.ctx = run;
	}
	/* What is checked is all of the trace. */
	if (filter_chooses(&o->filter) && !o->verify)
		p->tally.filter = &o->filter;
	p->tally.top = o->top;
	p->tally.windows = o->interval_ns;
	p->tally.timeline = o->json.wanted || o->report.by & REPORT_TIME;
	p->tally.processes = o->json.wanted || o->report.by & REPORT_PROCESS;
	p->on_chunk = on_chunk;
	p->on_end = on_end;
	p->ctx = run;
	p->stop = &stop;
	live_init(&run->live, run->outputs.main, &o->filter, o->interval_ns);
	verify_init(&run->verify);
	shown_init(&run->shown);
	clock_gettime(CLOCK_MONOTONIC, &run->began);
	run->progress_shown = run->began;
	run->progress =
		!o->quiet && isatty(STDERR_FILENO) &&
		!((o->events || o->requests || o->interval_ns) && isatty(STDOUT_FILENO));
}

/* What is printed at the end; false if that fails or the trace is bad. */
static bool conclude(struct run *run)
{
	const struct options *o = &run->opt;
	const struct parse *p = &run->parse;
	bool good = true;

	if (o->verify)
		good = verify_print(run->outputs.main, &run->verify, p);
	if (!p->began)
		return good;
	if (o->interval_ns)
		live_finish(&run->live, p);
	return !outputs_end(&run->outputs, p, o) && good;
}

static bool several_processors(void)
{
	cpu_set_t ours;

	return !sched_getaffinity(0, sizeof(ours), &ours) && CPU_COUNT(&ours) > 1;
}

/* A file need not be read from its beginning on; the running report tells of all. */
static void find_span(struct run *run)
{
	const struct options *o = &run->opt;
	struct seekable src = {.pread = pread_fd, .ctx = run};
	struct stat st;

	if (input_is_stream || o->verify || o->interval_ns || !o->filter.have_time ||
	    fstat(run->fd, &st) || lseek(run->fd, 0, SEEK_CUR))
		return;
	src.size = st.st_size;
	run->parse.reader.seek = seek_fd;
	if (index_load(&run->index, &src))
		span_begin(&run->parse, &src, &run->index, &o->filter);
}

/* Of a part that is less than the trace. */
static void tell_part(const struct run *run)
{
	const struct parse *p = &run->parse;
	double from = sub_sat(parse_from_ns(p), p->join.start_ns) / 1e9;
	double to = sub_sat(run->read_to_ns, p->join.start_ns) / 1e9;

	if (run->read_to_ns)
		msg_say("the trace was read from %.3f s to %.3f s of it, where what -w asks "
			"for is complete: what else is told is of that part",
			from, to);
	else if (p->merge.partial)
		msg_say("the trace was read from %.3f s of it on: what else is told than -w "
			"asks for is of that part",
			from);
}

static int run_all(struct run *run)
{
	struct parse *p = &run->parse;
	bool good;

	prepare(run);
	p->reader.go_ahead = !input_is_stream && several_processors();
	find_span(run);
	parse_run(p);
	msg_progress_end();
	if (p->stopped && stop)
		msg_say("interrupted: what was read by then follows");
	else
		tell_part(run);
	good = conclude(run);
	if (p->began && !(p->stopped && stop))
		good &= chosen_tell(p, &run->opt.filter);
	live_deinit(&run->live);
	verify_deinit(&run->verify);
	shown_deinit(&run->shown);
	index_deinit(&run->index);
	return good && !p->problems && !(p->stopped && stop) ? 0 : 1;
}

int main(int argc, char **argv)
{
	static struct run run;
	struct sigaction sa = {.sa_handler = on_signal};
	int ret;

	/* Which characters the output can have; numbers are the same everywhere. */
	setlocale(LC_CTYPE, "");
	ret = options_parse(&run.opt, argc, argv);
	if (ret >= 0) {
		options_deinit(&run.opt);
		return ret;
	}
	run.fd = open_input(&run.opt);
	if (run.fd < 0)
		return -run.fd;
	if (outputs_open(&run.outputs, &run.opt, run.fd))
		return 1;
	/* No SA_RESTART: a read that waits for a pipe has to come back. */
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	parse_init(&run.parse, read_fd, &run);
	ret = run_all(&run);
	if (outputs_close(&run.outputs))
		ret = 1;
	parse_deinit(&run.parse);
	options_deinit(&run.opt);
	return ret;
}
