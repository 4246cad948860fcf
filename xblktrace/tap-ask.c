// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "chunk.h"
#include "clock.h"
#include "figure.h"
#include "msg.h"
#include "output.h"
#include "service.h"
#include "signals.h"
#include "sink.h"
#include "tap-ask.h"
#include "tap-request.h"
#include "xblk/trace.h"

#define NSEC_PER_SEC 1000000000ull
#define NR_BLOCKS    3 /* the fewest that a sink can have */
/* Once it was told to end, for the capture to say so. */
#define END_NS	(15 * NSEC_PER_SEC)
#define WAIT_MS 500
/* While the output takes the rest. */
#define REST_MS 20

/**
 * struct follower - where in a trace a stream of bytes is
 * @chunk:	the header of the chunk that it is in; @used bytes of that, or of the
 * file's
 * @began:	the file's is over
 * @left:	bytes to the next chunk
 * @end:	the text of END, @end_used bytes so far; NULL: there is none yet
 */
struct follower {
	struct xblk_chunk chunk;
	size_t used;
	bool began;
	size_t left;
	char *end;
	size_t end_used;
};

/**
 * struct tapping - a tap, as who asked for it has it
 * @sock:	where it comes from; @ended: nothing comes any more
 * @sink:	takes it to @out, with a thread of its own: a file can hang, as a
 * network's does, and a signal is to be taken all the same
 * @bytes:	that have come
 * @told:	it was told to end
 * @began, @give_up_at, @shown_at: monotonic, ns; 0: never
 */
struct tapping {
	const struct options *opts;
	struct output out;
	int sock;
	int signal_fd;
	bool ended;
	bool told;
	unsigned int signals;
	struct follower follower;
	struct sink *sink;
	uint64_t bytes;
	uint64_t began;
	uint64_t give_up_at;
	uint64_t shown_at;
};

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* A header is complete. */
static void begin_chunk(struct follower *f)
{
	f->used = 0;
	if (!f->began) {
		f->began = true;
		return;
	}
	f->left = (f->chunk.payload + 31) / 32 * 32;
	if (f->chunk.type != XBLK_CHUNK_END || f->chunk.payload > XBLK_CHUNK_MAX_PAYLOAD)
		return;
	free(f->end);
	f->end = calloc(1, f->left + 1);
	f->end_used = 0;
}

static void follow(struct follower *f, const unsigned char *bytes, size_t nr)
{
	_Static_assert(sizeof(struct xblk_trace_header) == sizeof(f->chunk),
		       "the file's header is as long as a chunk's");

	while (nr) {
		size_t n;

		if (f->left) {
			n = min_size(nr, f->left);
			if (f->end)
				memcpy(f->end + f->end_used, bytes, n);
			f->end_used += n;
			f->left -= n;
		} else {
			n = min_size(nr, sizeof(f->chunk) - f->used);
			memcpy((unsigned char *)&f->chunk + f->used, bytes, n);
			f->used += n;
			if (f->used == sizeof(f->chunk))
				begin_chunk(f);
		}
		bytes += n;
		nr -= n;
	}
}

static bool is_complete(const struct follower *f)
{
	return f->end && !f->left && !f->used;
}

/* What one tap cannot have otherwise than the capture has it. */
static int check_options(const struct options *opts)
{
	const char *of_capture = opts->sized		  ? "-b and -n"
				 : opts->ops		  ? "-a and -A"
				 : opts->no_merges	  ? "--no-merges"
				 : opts->overwrite	  ? "--overwrite"
				 : opts->doorbell_percent ? "--doorbell"
				 : opts->max_memory	  ? "--max-memory"
				 : opts->max_size	  ? "--max-size"
				 : opts->follow		  ? "-F"
							  : NULL;

	if (!of_capture)
		return 0;
	return msg_error(
		"another xblktrace is running, which can be tapped, but %s cannot be "
		"chosen for that: leave it out, or end that one with 'xblktrace "
		"-k'",
		of_capture);
}

static int fail_lost(const struct tapping *t)
{
	return msg_error(
		"%s: the xblktrace that was tapped ended without a word: what had "
		"come until then can be read",
		t->out.path);
}

static int send_request(const struct tapping *t)
{
	char *text = tap_request_text(t->opts);
	size_t at = 0, len = text ? strlen(text) : 0;
	ssize_t n = 0;

	if (!text)
		return msg_error("out of memory");
	if (len > TAP_REQUEST_MAX) {
		free(text);
		return msg_error("the command line is too long for a tap: name fewer "
				 "domains");
	}
	for (; at < len && n >= 0; at += n)
		n = send(t->sock, text + at, len - at, MSG_NOSIGNAL);
	free(text);
	/* What it says of that is told first. */
	return n < 0 && errno != EPIPE
		       ? msg_error("the xblktrace that is running does not "
				   "listen: %s",
				   strerror(errno))
		       : 0;
}

/* Byte by byte: behind it the trace begins.  Return: 0, or -1 if it does not answer. */
static int read_answer(int sock, char *line, size_t size)
{
	size_t used = 0;

	while (used < size - 1) {
		if (recv(sock, line + used, 1, 0) <= 0)
			return -1;
		if (line[used] == '\n')
			break;
		used++;
	}
	line[used] = '\0';
	return 0;
}

/* What the capture writes must not be emptied, nor lose its name. */
static int check_output(const struct tapping *t, unsigned long long device,
			unsigned long long inode)
{
	const char *path = t->opts->output ? t->opts->output : DEFAULT_OUTPUT;
	struct stat st;
	int err = strcmp(path, "-") ? stat(path, &st) : fstat(STDOUT_FILENO, &st);

	if (err || !S_ISREG(st.st_mode) || st.st_dev != device || st.st_ino != inode)
		return 0;
	return msg_error("%s: the xblktrace that is running writes to it: choose another "
			 "file with -o",
			 path);
}

static int ask(const struct tapping *t)
{
	const size_t error_len = strlen(TAP_ERROR);
	unsigned long long device, inode;
	char line[1024];

	if (send_request(t))
		return -1;
	if (read_answer(t->sock, line, sizeof(line)))
		return msg_error(
			"another xblktrace is running, and does not answer: it may "
			"be an older one, which cannot be tapped");
	if (!strncmp(line, TAP_ERROR, error_len))
		return msg_error("%s", line + error_len);
	if (sscanf(line, TAP_OK, &device, &inode) != 2)
		return msg_error(
			"the xblktrace that is running answers something that is "
			"not known here");
	if (fcntl(t->sock, F_SETFL, O_NONBLOCK))
		return msg_error("%s", strerror(errno));
	return check_output(t, device, inode);
}

static void take_signals(struct tapping *t)
{
	bool snapshot = false;

	t->signals += signals_take(t->signal_fd, &snapshot);
	if (!t->signals || t->told)
		return;
	t->told = true;
	t->give_up_at = monotonic_ns() + END_NS;
	shutdown(t->sock, SHUT_WR);
}

static bool has_room(const struct tapping *t)
{
	return sink_block(t->sink)->used < SINK_BLOCK_SIZE;
}

static void receive(struct tapping *t)
{
	struct sink_block *b = sink_block(t->sink);
	ssize_t n = recv(t->sock, b->buf + b->used, SINK_BLOCK_SIZE - b->used, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		t->ended = true;
		return;
	}
	follow(&t->follower, b->buf + b->used, n);
	b->used += n;
	/* What comes has its checksums. */
	b->chunks = b->used;
	t->bytes += n;
}

static void pass_on(struct tapping *t)
{
	if (!sink_block(t->sink)->used || !sink_ready(t->sink))
		return;
	while (sink_written(t->sink))
		;
	sink_hand_over(t->sink);
}

/* Return: 0, or -1 after an error message. */
static int check_sink(const struct tapping *t)
{
	int err = sink_error(t->sink);

	if (err == -EPIPE)
		return msg_error("%s: its reader has gone", t->out.path);
	if (err)
		return msg_error("%s: %s: the tap ends here", t->out.path,
				 strerror(-err));
	return 0;
}

static void show_progress(struct tapping *t)
{
	uint64_t now = monotonic_ns();

	if (!msg_progress_wanted() || now - t->shown_at < NSEC_PER_SEC)
		return;
	t->shown_at = now;
	msg_progress("%.1f s  %.1f MB", (now - t->began) / 1e9, t->bytes / 1e6);
}

static void wait_for_news(const struct tapping *t)
{
	struct pollfd pfd[] = {
		{.fd = t->signal_fd, .events = POLLIN},
		{.fd = !t->ended && has_room(t) ? t->sock : -1, .events = POLLIN},
		{.fd = sink_fd(t->sink), .events = POLLIN},
	};
	eventfd_t count;

	if (poll(pfd, 3, t->ended ? REST_MS : WAIT_MS) > 0 && pfd[2].revents)
		eventfd_read(sink_fd(t->sink), &count);
}

/* Return: 0, or -1 after an error message. */
static int take_turn(struct tapping *t)
{
	wait_for_news(t);
	take_signals(t);
	show_progress(t);
	if (t->signals > 1 || (t->give_up_at && monotonic_ns() >= t->give_up_at))
		return msg_error("%s: given up: its end is missing", t->out.path);
	if (!t->ended && has_room(t))
		receive(t);
	pass_on(t);
	return check_sink(t);
}

static uint64_t member(const json_t *stream, const char *name)
{
	return json_integer_value(json_object_get(stream, name));
}

static void tell_domain(const json_t *streams, unsigned int domid)
{
	char count[FIGURE_SIZE], losses[FIGURE_SIZE];
	uint64_t records = 0, lost = 0;
	const json_t *stream;
	size_t i;

	json_array_foreach (streams, i, stream) {
		if (member(stream, "domid") != domid)
			continue;
		records += member(stream, "written") + member(stream, "marks");
		lost += member(stream, "lost");
	}
	msg_say("domain %u: %s records, %s lost", domid, figure_count(records, count),
		figure_count(lost, losses));
}

/* As the capture says it: a line for each domain, and one for the whole. */
static void tell_summary(const struct tapping *t)
{
	json_t *root = json_loads(t->follower.end, 0, NULL);
	const json_t *streams = json_object_get(root, "streams"), *stream;
	const char *reason = json_string_value(json_object_get(root, "reason"));
	uint64_t records = 0, lost = 0, domid, before = UINT64_MAX;
	char count[FIGURE_SIZE], losses[FIGURE_SIZE], bytes[FIGURE_SIZE];
	size_t i;

	json_array_foreach (streams, i, stream) {
		records += member(stream, "written") + member(stream, "marks");
		lost += member(stream, "lost");
		domid = member(stream, "domid");
		if (domid != before)
			tell_domain(streams, domid);
		before = domid;
	}
	msg_say("%s: %.1f s, %s records, %s lost, %s (%s)", t->out.path,
		member(root, "duration_ns") / 1e9, figure_count(records, count),
		figure_count(lost, losses), figure_bytes(t->bytes, bytes),
		reason ? reason : "?");
	json_decref(root);
}

static int take_name(struct tapping *t)
{
	int ret = output_take_name(&t->out);

	if (ret > 0)
		msg_say("the %s that was there is now %s" OLD_OUTPUT, t->out.path,
			t->out.path);
	return ret < 0 ? msg_error("%s: %s", t->out.path, strerror(-ret)) : 0;
}

static int copy(struct tapping *t)
{
	t->began = t->shown_at = monotonic_ns();
	msg_say("another xblktrace is running: it is tapped");
	while (!t->ended || sink_block(t->sink)->used || sink_pending(t->sink))
		if (take_turn(t))
			return -1;
	if (!is_complete(&t->follower))
		return fail_lost(t);
	tell_summary(t);
	return 0;
}

static int open_output(struct tapping *t)
{
	int err = output_open(&t->out, t->opts->output);

	if (err == -ENOTTY)
		return msg_error("-o -: a trace is not for a terminal: redirect standard "
				 "output");
	return err ? msg_error("%s: %s", t->out.path, strerror(-err)) : 0;
}

/* Signals end the process until then: it may wait for the reader of a pipe. */
static int take_signals_from_now_on(struct tapping *t)
{
	signals_block();
	t->signal_fd = signals_open();
	return t->signal_fd < 0 ? msg_error("signalfd: %s", strerror(errno)) : 0;
}

static int run(struct tapping *t, const char *path)
{
	t->sock = service_connect(path, "another xblktrace is running, which cannot be "
					"tapped: it has just begun or is about to end, "
					"or is an older one: try again in a moment");
	if (t->sock < 0 || ask(t) || open_output(t) || take_signals_from_now_on(t) ||
	    take_name(t))
		return -1;
	t->sink = sink_new(&t->out, NR_BLOCKS);
	return t->sink ? copy(t) : msg_error("out of memory");
}

int tap_ask(const char *path, const struct options *opts)
{
	struct tapping t = {
		.opts = opts,
		.out = {.fd = -1},
		.sock = -1,
		.signal_fd = -1,
	};
	int ret, err;

	if (check_options(opts))
		return -1;
	signals_ignore_output();
	ret = run(&t, path);
	/* To close what hangs would wait, too. */
	if (t.sink && !sink_free(t.sink))
		t.out.fd = -1;
	err = output_close(&t.out);
	if (err && !ret)
		ret = msg_error("%s: %s", t.out.path, strerror(-err));
	if (t.sock >= 0)
		close(t.sock);
	if (t.signal_fd >= 0)
		close(t.signal_fd);
	free(t.follower.end);
	return ret;
}
