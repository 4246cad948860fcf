// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <malloc.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
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
#include "base/util.h"
#include "sinks/verify.h"
#include "xblk.h"

/* Shorter silence of a pipe is usual: a capture tells of its time once a second. */
#define SILENCE_MS 3000

struct run {
	struct options opt;
	struct xblk *x;
	struct live live;
	struct verify verify;
	struct outputs outputs;
	struct chosen chosen;
	int fd;
	struct timespec began, progress_shown;
	bool progress;
};

static volatile sig_atomic_t stop;
static bool input_is_stream;
static struct run run;

/*
 * Ctrl-C goes to a whole pipeline.  The capture then ends in good order, and
 * what it still writes belongs to it; a second one means it.
 */
static void on_signal(int sig)
{
	static volatile sig_atomic_t times;

	if (sig != SIGTERM && input_is_stream && !times++)
		return;
	stop = 1;
	if (run.x)
		xblk_stop(run.x);
}

static void on_process_gone(void *user, unsigned int domid, const char *guest,
			    uint32_t pid, const char *name)
{
	(void)user;
	chosen_look(&run.chosen, &run.opt.filter, domid, guest, pid, name);
}

static void on_event(void *user, const struct xblk_event_record *e)
{
	const struct options *o = &run.opt;

	(void)user;
	if (o->verify)
		verify_record(&run.verify, e);
	else if (!event_shown(run.x, &o->filter, e))
		return;
	else if (o->format)
		format_print(run.outputs.main, o->format, run.x, e);
	else
		event_print(&run.outputs.text, xblk_start_ns(run.x), e);
}

static void on_request(void *user, const struct xblk_request *r)
{
	(void)user;
	if (run.opt.verify)
		verify_request(&run.verify, r);
	else if (filter_shows(&run.opt.filter, r))
		outputs_request(&run.outputs, xblk_start_ns(run.x), r);
}

static void on_interval(void *user, const struct xblk_interval *i)
{
	(void)user;
	live_print(run.outputs.main, &run.live, run.x, &run.opt.filter, i);
}

static void on_message(void *user, const char *text)
{
	(void)user;
	msg_say("%s", text);
}

static double seconds(const struct timespec *from, const struct timespec *to)
{
	return to->tv_sec - from->tv_sec + (to->tv_nsec - from->tv_nsec) / 1e9;
}

static void on_progress(void *user, const struct xblk_trace *t)
{
	struct timespec now;

	(void)user;
	outputs_write(&run.outputs);
	if (outputs_failed(&run.outputs))
		xblk_stop(run.x);
	if (!run.progress)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (seconds(&run.began, &now) > 2 && seconds(&run.progress_shown, &now) > 0.5) {
		msg_progress("xblkparse: %" PRIu64 " MiB read, %" PRIu64 " records",
			     t->bytes >> 20, t->records);
		run.progress_shown = now;
	}
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
static int prepare(void)
{
	const struct options *o = &run.opt;
	struct xblk_options options = {
		.on_message = on_message,
		.on_progress = on_progress,
		.interval_ns = o->interval_ns,
	};
	struct xblk_analysis analysis = {
		.on_process_gone = on_process_gone,
		.top = o->top,
		.latencies = outputs_want_summary(&run.outputs) || o->verify,
		.timeline = o->json.wanted || o->report.by & REPORT_TIME,
		.processes = o->json.wanted || o->report.by & REPORT_PROCESS,
	};

	if (o->events || o->verify)
		options.on_event = on_event;
	if (o->interval_ns)
		options.on_interval = on_interval;
	if (o->verify || outputs_want_requests(&run.outputs))
		options.on_request = on_request;
	/* What is checked is all of the trace. */
	if (filter_chooses(&o->filter) && !o->verify)
		analysis.filter = &o->filter;
	if (o->filter.have_time && !o->verify) {
		options.from_ns = o->filter.from_ns;
		options.to_ns = o->filter.to_ns;
	}
	if (xblk_open(&run.x, &options))
		return msg_error("%s", xblk_strerror(NULL));
	xblk_analyse(run.x, &analysis);
	verify_init(&run.verify);
	clock_gettime(CLOCK_MONOTONIC, &run.began);
	run.progress_shown = run.began;
	run.progress =
		!o->quiet && isatty(STDERR_FILENO) &&
		!((o->events || o->requests || o->interval_ns) && isatty(STDOUT_FILENO));
	return 0;
}

/* A running report says that it is alive also where nothing comes. */
static void wait_for_input(void)
{
	struct pollfd pfd = {.fd = run.fd, .events = POLLIN};
	unsigned int silent = 0;
	int ret;

	while (!(ret = poll(&pfd, 1, SILENCE_MS)) || (ret < 0 && errno == EINTR)) {
		if (stop)
			return;
		if (ret)
			continue;
		silent += SILENCE_MS / 1000;
		fprintf(run.outputs.main, "%10s nothing from the capture for %u s\n", "",
			silent);
		fflush(run.outputs.main);
	}
}

/* The running report of a capture that goes on. */
static int feed(void)
{
	static char buf[64 << 10];
	int ret = 0;

	while (!ret && !stop) {
		ssize_t n;

		wait_for_input();
		n = stop ? 0 : read(run.fd, buf, sizeof(buf));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return msg_error("input: %s", strerror(errno));
		if (!n)
			break;
		ret = xblk_feed(run.x, buf, n);
	}
	return ret;
}

/* Return: a negative errno after a message; after -ENOMEM the handle can only be closed. */
static int read_trace(void)
{
	bool fed = run.opt.interval_ns && input_is_stream;
	int bad = fed ? feed() : 0;
	int ret = fed ? xblk_finish(run.x) : xblk_read(run.x, run.fd);

	msg_progress_end();
	if (ret)
		msg_say("%s", xblk_strerror(run.x));
	return ret ? ret : bad;
}

/* What is printed at the end; false if that fails or the trace is bad. */
static bool conclude(void)
{
	const struct options *o = &run.opt;
	struct xblk_trace t;
	bool good = true;

	xblk_get_trace(run.x, &t);
	if (o->verify)
		good = verify_print(run.outputs.main, &run.verify, run.x);
	if (!t.version)
		return good;
	if (!o->verify && !outputs_have_tables(&run.outputs))
		report_tell_few(run.x, &o->filter);
	return !outputs_end(&run.outputs, run.x, o) && good;
}

/* Of a part that is less than the trace. */
static void tell_part(const struct xblk_trace *t)
{
	double from = sub_sat(t->from_ns, t->start_ns) / 1e9;
	double to = sub_sat(t->to_ns, t->start_ns) / 1e9;

	if (t->to_ns)
		msg_say("the trace was read from %.3f s to %.3f s of it, where what -w asks "
			"for is complete: what else is told is of that part",
			from, to);
	else if (t->partial)
		msg_say("the trace was read from %.3f s of it on: what else is told than -w "
			"asks for is of that part",
			from);
}

/* What is known of the trace when it has been read, @good to its end. */
static int tell_all(bool good)
{
	struct xblk_trace t;
	bool interrupted;

	xblk_get_trace(run.x, &t);
	interrupted = t.stopped && stop;
	if (interrupted)
		msg_say("interrupted: what was read by then follows");
	else
		tell_part(&t);
	good &= conclude();
	if (t.version && !interrupted)
		good &= chosen_tell(run.x, &run.opt.filter, &run.chosen);
	return good && !t.problems && !interrupted ? 0 : 1;
}

static int run_all(void)
{
	int ret;

	if (prepare())
		return 1;
	ret = read_trace();
	ret = ret == -ENOMEM ? 1 : tell_all(!ret);
	verify_deinit(&run.verify);
	return ret;
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = on_signal};
	jmp_buf out_of_memory;
	int ret;

	if (setjmp(out_of_memory)) {
		msg_error("%s", xblk_strerror(NULL));
		return 1;
	}
	no_memory = &out_of_memory;
	/* Else the largest buffer that was ever freed says what is given back. */
	mallopt(M_MMAP_THRESHOLD, 128 << 10);
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
	if (outputs_open(&run.outputs, &run.opt, run.fd)) {
		outputs_close(&run.outputs);
		return 1;
	}
	/* No SA_RESTART: a read that waits for a pipe has to come back. */
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	ret = run_all();
	if (outputs_close(&run.outputs))
		ret = 1;
	xblk_close(run.x);
	options_deinit(&run.opt);
	return ret;
}
