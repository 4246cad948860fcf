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
#include "msg.h"
#include "option-table.h"
#include "options.h"
#include "outputs.h"
#include "base/util.h"
#include "xblk.h"

/* Shorter silence of a pipe is usual: a capture tells of its time once a second. */
#define SILENCE_MS 3000

struct run {
	struct options opt;
	struct xblk *x;
	struct outputs outputs;
	struct chosen chosen;
	int fd;
	bool live; /* fed, so that silence of its capture is told of */
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
	(void)user;
	outputs_event(&run.outputs, run.x, e);
}

static void on_request(void *user, const struct xblk_request *r)
{
	(void)user;
	outputs_request(&run.outputs, run.x, r);
}

static void on_interval(void *user, const struct xblk_interval *i)
{
	(void)user;
	outputs_interval(&run.outputs, run.x, i);
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

/* As what is printed wants it. */
static int open_trace(void)
{
	const struct options *o = &run.opt;
	struct wants wants = outputs_want(&run.outputs);
	struct xblk_options options = {
		.on_message = on_message,
		.on_progress = on_progress,
		.on_request = wants.requests ? on_request : NULL,
		.on_event = wants.events ? on_event : NULL,
		.on_interval = wants.intervals ? on_interval : NULL,
		.interval_ns = o->interval_ns,
	};

	wants.analysis.on_process_gone = on_process_gone;
	wants.analysis.top = o->top;
	if (filter_chooses(&o->filter) && !wants.whole)
		wants.analysis.filter = &o->filter;
	if (o->filter.have_time && !wants.whole) {
		options.from_ns = o->filter.from_ns;
		options.to_ns = o->filter.to_ns;
	}
	if (xblk_open(&run.x, &options))
		return msg_error("%s", xblk_strerror(NULL));
	xblk_analyse(run.x, &wants.analysis);
	clock_gettime(CLOCK_MONOTONIC, &run.began);
	run.progress_shown = run.began;
	run.progress = !o->quiet && isatty(STDERR_FILENO) &&
		       !(wants.lines && isatty(STDOUT_FILENO));
	run.live = wants.silence && input_is_stream;
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
		outputs_silence(&run.outputs, silent);
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
	int bad = run.live ? feed() : 0;
	int ret = run.live ? xblk_finish(run.x) : xblk_read(run.x, run.fd);

	msg_progress_end();
	if (ret)
		msg_say("%s", xblk_strerror(run.x));
	return ret ? ret : bad;
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
	good &= !outputs_end(&run.outputs, run.x);
	if (t.version && !interrupted)
		good &= chosen_tell(run.x, &run.opt.filter, &run.chosen);
	return good && !t.problems && !interrupted ? 0 : 1;
}

static int run_all(void)
{
	int ret;

	if (open_trace())
		return 1;
	ret = read_trace();
	return ret == -ENOMEM ? 1 : tell_all(!ret);
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
