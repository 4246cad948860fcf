// SPDX-License-Identifier: GPL-2.0-only
#include "outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "msg.h"

static bool same_file(const struct stat *a, int fd)
{
	struct stat b;

	return !fstat(fd, &b) && S_ISREG(b.st_mode) && a->st_dev == b.st_dev &&
	       a->st_ino == b.st_ino;
}

static bool is_open(const struct outputs *outputs, const struct stat *st)
{
	if (outputs->main && same_file(st, fileno(outputs->main)))
		return true;
	for (unsigned int i = 0; i < outputs->nr; i++) {
		const struct output *to = &outputs->of[i];

		if (to->file && to->out && same_file(st, fileno(to->out)))
			return true;
	}
	return false;
}

/* Whether a file may be written to: it is none of those in use, whatever its name. */
static bool may_write(const struct outputs *outputs, const char *name,
		      const struct stat *st)
{
	if (same_file(st, outputs->input))
		msg_say("%s is the trace itself: write to another file", name);
	else if (is_open(outputs, st))
		msg_say("%s is an output already: write to another file", name);
	else
		return true;
	return false;
}

/* What is in it stays so far.  NULL after a message. */
static FILE *open_file(const struct outputs *outputs, const char *name, bool *made)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC);
	FILE *f = NULL;
	struct stat st;

	*made = fd < 0 && errno == ENOENT;
	if (*made)
		fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || fstat(fd, &st))
		goto err;
	if (!may_write(outputs, name, &st)) {
		close(fd);
		return NULL;
	}
	f = fdopen(fd, "w");
	if (f)
		return f;
err:
	msg_say("%s: %s", name, strerror(errno));
	if (fd >= 0)
		close(fd);
	return NULL;
}

/* From here on what is in it is ours. */
static int empty(FILE *f, const char *name)
{
	struct stat st;

	if (fstat(fileno(f), &st) || (S_ISREG(st.st_mode) && ftruncate(fileno(f), 0)))
		return msg_error("%s: %s", name, strerror(errno));
	return 0;
}

static bool chooses(const struct filter *f)
{
	return f->guests.nr || f->disks.nr || filter_chooses(f);
}

static void add(struct outputs *outputs, enum sink_id id, const char *file)
{
	struct output *to = &outputs->of[outputs->nr++];

	/* Field by field: nearly all of it is room for lines. */
	to->sink = sinks[id];
	to->options = &outputs->options;
	to->state = to->sink->new_state ? to->sink->new_state() : NULL;
	to->all = to->sink->whole || !chooses(outputs->options.filter);
	to->file = file;
	to->out = NULL;
	to->made = to->begun = false;
	text_init(&to->text, NULL);
}

static void choose(struct outputs *outputs, const struct options *o)
{
	if (o->verify)
		add(outputs, SINK_VERIFY, NULL);
	if (o->interval_ns)
		add(outputs, SINK_LIVE, NULL);
	if (o->events)
		add(outputs, o->format ? SINK_FORMAT : SINK_EVENTS, NULL);
	if (o->requests && !o->csv.wanted)
		add(outputs, SINK_REQUESTS, NULL);
	if (o->csv.wanted)
		add(outputs, o->requests ? SINK_CSV_REQUESTS : SINK_CSV, o->csv.file);
	if (o->json.wanted)
		add(outputs, SINK_JSON, o->json.file);
	if (!o->quiet && !o->verify && !option_to_main(&o->csv) &&
	    !option_to_main(&o->json))
		add(outputs, SINK_TABLES, NULL);
}

static int open_output(struct outputs *outputs, struct output *to)
{
	to->out = to->file ? open_file(outputs, to->file, &to->made) : outputs->main;
	text_init(&to->text, to->out);
	return to->out ? 0 : -1;
}

static int begin(struct output *to)
{
	to->begun = true;
	return to->file ? empty(to->out, to->file) : 0;
}

static int open_main(struct outputs *outputs)
{
	struct stat st;

	if (outputs->main_file)
		outputs->main =
			open_file(outputs, outputs->main_file, &outputs->main_made);
	else if (fstat(STDOUT_FILENO, &st) || may_write(outputs, "standard output", &st))
		outputs->main = stdout;
	return outputs->main ? 0 : -1;
}

static bool coloured(const struct outputs *outputs, const struct options *o)
{
	const char *no = getenv("NO_COLOR");

	if (o->colour_always || o->colour_never)
		return o->colour_always;
	return outputs->main == stdout && isatty(STDOUT_FILENO) && !(no && *no);
}

int outputs_open(struct outputs *outputs, const struct options *o, int input)
{
	outputs->main_file = o->output;
	outputs->main = NULL;
	outputs->main_made = outputs->main_begun = false;
	outputs->input = input;
	outputs->nr = 0;
	if (open_main(outputs))
		return -1;
	outputs->options = (struct sink_options){
		.filter = &o->filter,
		.format = o->format,
		.report = o->report,
	};
	outputs->options.report.colour = coloured(outputs, o);
	choose(outputs, o);
	for (unsigned int i = 0; i < outputs->nr; i++) {
		if (open_output(outputs, &outputs->of[i]))
			return -1;
	}
	outputs->main_begun = true;
	if (outputs->main_file && empty(outputs->main, outputs->main_file))
		return -1;
	for (unsigned int i = 0; i < outputs->nr; i++) {
		struct output *to = &outputs->of[i];

		if (!to->sink->begin)
			continue;
		if (begin(to))
			return -1;
		to->sink->begin(to);
	}
	return 0;
}

struct wants outputs_want(const struct outputs *outputs)
{
	struct wants wants = {0};

	for (unsigned int i = 0; i < outputs->nr; i++) {
		const struct sink *sink = outputs->of[i].sink;

		wants.requests |= sink->request != NULL;
		wants.events |= sink->event != NULL;
		wants.intervals |= sink->interval != NULL;
		wants.silence |= sink->silence != NULL;
		wants.whole |= sink->whole;
		wants.lines |= !sink->end;
		if (sink->ask)
			sink->ask(&wants.analysis, &outputs->options);
	}
	return wants;
}

void outputs_request(struct outputs *outputs, const struct xblk *x,
		     const struct xblk_request *r)
{
	for (unsigned int i = 0; i < outputs->nr; i++) {
		struct output *to = &outputs->of[i];

		if (to->sink->request &&
		    (to->all || filter_shows(outputs->options.filter, r)))
			to->sink->request(to, x, r);
	}
}

void outputs_event(struct outputs *outputs, const struct xblk *x,
		   const struct xblk_event_record *e)
{
	for (unsigned int i = 0; i < outputs->nr; i++) {
		struct output *to = &outputs->of[i];

		if (to->sink->event &&
		    (to->all || event_shown(x, outputs->options.filter, e)))
			to->sink->event(to, x, e);
	}
}

void outputs_interval(struct outputs *outputs, const struct xblk *x,
		      const struct xblk_interval *i)
{
	for (unsigned int k = 0; k < outputs->nr; k++) {
		struct output *to = &outputs->of[k];

		if (to->sink->interval)
			to->sink->interval(to, x, i);
	}
}

void outputs_silence(struct outputs *outputs, unsigned int seconds)
{
	for (unsigned int i = 0; i < outputs->nr; i++) {
		struct output *to = &outputs->of[i];

		if (to->sink->silence)
			to->sink->silence(to, seconds);
	}
}

void outputs_write(struct outputs *outputs)
{
	for (unsigned int i = 0; i < outputs->nr; i++)
		text_write(&outputs->of[i].text);
}

bool outputs_failed(const struct outputs *outputs)
{
	for (unsigned int i = 0; i < outputs->nr; i++) {
		if (outputs->of[i].out && ferror(outputs->of[i].out))
			return true;
	}
	return ferror(outputs->main);
}

static bool few_told(const struct outputs *outputs)
{
	for (unsigned int i = 0; i < outputs->nr; i++) {
		if (outputs->of[i].sink->tells_few)
			return true;
	}
	return false;
}

/* Whether all went well. */
static bool end(struct output *to, const struct xblk *x)
{
	return !begin(to) && to->sink->end(to, x);
}

int outputs_end(struct outputs *outputs, const struct xblk *x)
{
	struct xblk_trace t;
	bool good = true;

	xblk_get_trace(x, &t);
	if (t.version && !few_told(outputs))
		report_tell_few(x, outputs->options.filter);
	outputs_write(outputs);
	for (unsigned int i = 0; i < outputs->nr; i++) {
		struct output *to = &outputs->of[i];

		if (to->sink->end && (t.version || to->sink->whole))
			good &= end(to, x);
	}
	return good ? 0 : -1;
}

/* Whoever read the pipe that we write to has gone. */
static bool reader_left(FILE *out)
{
	struct pollfd fd = {.fd = fileno(out)};

	return poll(&fd, 1, 0) > 0 && fd.revents & POLLERR;
}

/* Why lines did not get to @out; 0: they did. */
static int lines_error(const struct outputs *outputs, const FILE *out)
{
	int error = 0;

	for (unsigned int i = 0; i < outputs->nr && !error; i++) {
		if (outputs->of[i].text.out == out)
			error = outputs->of[i].text.error;
	}
	return error;
}

/* A reader that went away is no failure of ours. */
static int close_file(const struct outputs *outputs, FILE *out, const char *name)
{
	bool left = reader_left(out), bad = ferror(out);

	errno = lines_error(outputs, out);
	if (out == stdout ? fflush(out) : fclose(out))
		bad = true;
	if (!bad || left || errno == EPIPE)
		return 0;
	return msg_error("%s: %s", name, errno ? strerror(errno) : "writing failed");
}

static void free_states(struct outputs *outputs)
{
	for (unsigned int i = 0; i < outputs->nr; i++) {
		struct output *to = &outputs->of[i];

		if (to->sink->free_state)
			to->sink->free_state(to->state);
	}
}

int outputs_close(struct outputs *outputs)
{
	int ret = 0;

	outputs_write(outputs);
	free_states(outputs);
	for (unsigned int i = 0; i < outputs->nr; i++) {
		struct output *to = &outputs->of[i];

		if (!to->file || !to->out)
			continue;
		if (close_file(outputs, to->out, to->file))
			ret = -1;
		/* Nobody came so far as to put something into it. */
		if (to->made && !to->begun)
			unlink(to->file);
	}
	if (outputs->main_made && !outputs->main_begun)
		unlink(outputs->main_file);
	if (outputs->main &&
	    close_file(outputs, outputs->main,
		       outputs->main_file ? outputs->main_file : "standard output"))
		ret = -1;
	return ret;
}
