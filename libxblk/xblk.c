// SPDX-License-Identifier: GPL-2.0-only
/* The handle: bytes in, callbacks out. */
#include "xblk.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/event.h"
#include "base/util.h"
#include "handle.h"
#include "span.h"

__attribute__((format(printf, 3, 4))) static int fail(struct xblk *x, int error,
						      const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(x->text, sizeof(x->text), fmt, ap);
	va_end(ap);
	return -error;
}

static void tell_user(void *ctx, const char *text)
{
	const struct xblk *x = ctx;

	if (x->options.on_message)
		x->options.on_message(x->options.user, text);
}

/* What is wrong before the trace begins is an error; then the trace is what it is. */
static void on_tell(void *ctx, const char *text)
{
	struct xblk *x = ctx;

	if (!x->parse.began)
		fail(x, EBADMSG, "%s", text);
	else
		tell_user(x, text);
}

static void on_request(void *ctx, const struct xblk_request *r)
{
	const struct xblk *x = ctx;

	x->options.on_request(x->options.user, r);
}

static bool in_span(const struct xblk *x, uint64_t ns)
{
	uint64_t since = sub_sat(ns, x->parse.join.start_ns);

	return !x->filter.have_time ||
	       (since >= x->filter.from_ns && since < x->filter.to_ns);
}

static void tell_event(struct xblk *x, struct stream *s, const struct xblk_record *r)
{
	const struct disk *disk =
		event_has(r->event, EVENT_DISK) ? domain_disk(s->dom, r->disk) : NULL;
	const struct xblk_event_record e = {
		.record = r,
		.domid = s->dom->domid,
		.backend = s->dom->backend,
		.domain = s->dom->name,
		.cpu = s->cpu,
		.stream = s->nr,
		.sequence = s->sequence,
		.letter = event_letter(r->event),
		.disk = disk ? disk->nr : XBLK_NO_DISK_NR,
		.label = disk ? disk->label : NULL,
		.of = s,
	};

	if (in_span(x, r->time))
		x->options.on_event(x->options.user, &e);
}

static void on_event(void *ctx, struct stream *s, const struct xblk_record *r)
{
	struct xblk *x = ctx;

	if (x->options.on_event)
		tell_event(x, s, r);
	if (s->dom->backend && r->event != EV_GAP)
		intervals_advance(&x->intervals, &x->parse, r->time);
}

static bool on_progress(void *ctx, const struct parse *p)
{
	struct xblk *x = ctx;

	intervals_advance(&x->intervals, p, p->join.now_ns);
	/* A capture that writes into a pipe would miss its reader. */
	if (p->index && !p->rest && span_over(p, &x->filter)) {
		x->read_to_ns = p->merge.processed_ns;
		parse_rest(&x->parse);
	}
	if (x->options.on_progress) {
		struct xblk_trace t;

		xblk_get_trace(x, &t);
		x->options.on_progress(x->options.user, &t);
	}
	return true;
}

static void before_end(void *ctx, const struct parse *p)
{
	struct xblk *x = ctx;

	intervals_end(&x->intervals, p);
}

static void on_forgotten(void *ctx, const struct domain *guest, uint32_t pid,
			 const char *name)
{
	const struct xblk *x = ctx;

	if (x->analysis.on_process_gone)
		x->analysis.on_process_gone(x->options.user, guest->domid, guest->name,
					    pid, name);
}

static ssize_t read_fed(struct xblk *x, void *buf, size_t size)
{
	size = min_u64(size, x->nr_fed);
	/* Nothing may have been fed at all. */
	if (size)
		memcpy(buf, x->fed, size);
	x->fed += size;
	x->nr_fed -= size;
	if (size || x->no_more)
		return size;
	errno = EAGAIN;
	return -1;
}

static ssize_t read_fd(void *ctx, void *buf, size_t size)
{
	struct xblk *x = ctx;

	if (x->fd < 0)
		return read_fed(x, buf, size);
	/* A signal that does not stop us must not look like the end. */
	while (!x->stop) {
		struct pollfd pfd = {.fd = x->fd, .events = POLLIN};
		ssize_t n = read(x->fd, buf, size);

		if (n >= 0 || (errno != EINTR && errno != EAGAIN))
			return n;
		if (errno == EAGAIN)
			poll(&pfd, 1, -1);
	}
	errno = EAGAIN;
	return -1;
}

static int seek_fd(void *ctx, uint64_t offset)
{
	const struct xblk *x = ctx;

	return lseek(x->fd, offset, SEEK_SET) < 0 ? -1 : 0;
}

static ssize_t pread_fd(void *ctx, void *buf, size_t size, uint64_t offset)
{
	const struct xblk *x = ctx;

	return pread(x->fd, buf, size, offset);
}

static void set_up(struct xblk *x)
{
	struct parse *p = &x->parse;

	parse_init(p, read_fd, x);
	p->tell = (struct tell){on_tell, x};
	p->model.on_forgotten = on_forgotten;
	p->model.ctx = x;
	p->stop = &x->stop;
	p->ctx = x;
	p->on_progress = on_progress;
	p->on_end = before_end;
	if (x->options.on_event || x->options.interval_ns)
		p->on_event = on_event;
	p->tally.timeline = p->tally.processes = false;
	p->tally.top = 0;
	p->tally.windows = p->tally.latencies = x->options.interval_ns;
	p->tally.ctx = x;
	if (x->options.on_request)
		p->tally.on_request = on_request;
	if (x->filter.have_time)
		p->tally.filter = &x->filter;
}

/*
 * Where memory lacks, what is to be had with it comes back here: then the handle can only
 * be closed.
 */
static int guarded(struct xblk *x, int (*fn)(struct xblk *x))
{
	jmp_buf here, *outer = no_memory;
	int ret;

	if (x->error)
		return x->error;
	no_memory = &here;
	if (setjmp(here))
		ret = fail(x, ENOMEM, "memory: none left");
	else
		ret = fn(x);
	no_memory = outer;
	x->error = ret;
	return ret;
}

static int open_handle(struct xblk *x)
{
	set_up(x);
	return 0;
}

static void set_span(struct filter *f, const struct xblk_options *o)
{
	if (!o->from_ns && !o->to_ns)
		return;
	f->have_time = true;
	f->from_ns = o->from_ns;
	f->to_ns = o->to_ns ? o->to_ns : UINT64_MAX;
}

int xblk_open(struct xblk **to, const struct xblk_options *options)
{
	static const struct xblk_options nothing;
	const struct xblk_options *o = options ? options : &nothing;
	struct xblk *x;

	if (!to || (o->to_ns && o->to_ns <= o->from_ns) ||
	    !o->on_interval != !o->interval_ns)
		return -EINVAL;
	*to = x = calloc(1, sizeof(*x));
	if (!x)
		return -ENOMEM;
	x->fd = -1;
	x->options = *o;
	set_span(&x->filter, o);
	x->intervals.length_ns = o->interval_ns;
	x->intervals.fn = o->on_interval;
	x->intervals.user = o->user;
	if (!guarded(x, open_handle))
		return 0;
	xblk_close(x);
	*to = NULL;
	return -ENOMEM;
}

void xblk_analyse(struct xblk *x, const struct xblk_analysis *a)
{
	struct tally *t = &x->parse.tally;

	x->analysis = *a;
	if (a->filter) {
		x->filter = *a->filter;
		set_span(&x->filter, &x->options);
		t->filter = &x->filter;
	}
	t->top = a->top;
	t->latencies |= a->latencies;
	t->timeline = a->timeline;
	t->processes = a->processes;
}

/* What is there is read. */
static int read_some(struct xblk *x)
{
	struct parse *p = &x->parse;
	bool more = parse_some(p);

	if (p->reader.error)
		return fail(x, p->reader.error, "input: %s", strerror(p->reader.error));
	if (!p->began && !more && !p->stopped)
		return -EBADMSG;
	return 0;
}

/* An error is told of when all is done that can be done. */
static int finish(struct xblk *x)
{
	struct parse *p = &x->parse;
	int ret = 0;

	x->over = true;
	if (!x->stop)
		ret = read_some(x);
	p->stopped |= x->stop;
	if (!p->began)
		return ret;
	parse_finish(p);
	intervals_finish(&x->intervals, p);
	if (x->options.on_end) {
		struct xblk_trace t;

		xblk_get_trace(x, &t);
		x->options.on_end(x->options.user, &t);
	}
	return ret;
}

int xblk_feed(struct xblk *x, const void *bytes, size_t size)
{
	int ret;

	if (!x)
		return -EINVAL;
	if (x->over || (!bytes && size))
		return fail(x, EINVAL, "feed: the trace is over, or there are no bytes");
	if (x->stop)
		return fail(x, ECANCELED, "feed: it was stopped");
	x->fed = bytes;
	x->nr_fed = size;
	ret = guarded(x, read_some);
	if (!ret && x->stop)
		return fail(x, ECANCELED, "feed: it was stopped");
	return ret;
}

int xblk_finish(struct xblk *x)
{
	if (!x)
		return -EINVAL;
	if (x->over)
		return fail(x, EINVAL, "finish: the trace is over");
	x->no_more = true;
	x->nr_fed = 0;
	return guarded(x, finish);
}

static bool several_processors(void)
{
	cpu_set_t ours;

	return !sched_getaffinity(0, sizeof(ours), &ours) && CPU_COUNT(&ours) > 1;
}

/* Of a file, what helps. */
static void look_at_file(struct xblk *x)
{
	struct seekable src = {.pread = pread_fd, .ctx = x};
	const struct tell to = {tell_user, x};
	struct reader *r = &x->parse.reader;
	struct stat st;

	if (fstat(x->fd, &st) || !S_ISREG(st.st_mode))
		return;
	r->go_ahead = several_processors();
	if (!x->filter.have_time || x->options.interval_ns || lseek(x->fd, 0, SEEK_CUR))
		return;
	src.size = st.st_size;
	r->seek = seek_fd;
	if (!index_load(&x->index, &src, &to))
		return;
	/* Whom each event is for takes all of what an early index does not tell of. */
	if (!x->options.on_event || x->index.rows[0].flags & XBLK_INDEX_RINGS)
		span_begin(&x->parse, &src, &x->index, &x->filter);
}

static int read_all(struct xblk *x)
{
	look_at_file(x);
	return finish(x);
}

int xblk_read(struct xblk *x, int fd)
{
	if (!x)
		return -EINVAL;
	if (x->over || x->parse.reader.end || x->parse.began || fd < 0)
		return fail(x, EINVAL, "read: the trace has begun, or there is no file");
	x->fd = fd;
	return guarded(x, read_all);
}

void xblk_stop(struct xblk *x)
{
	x->stop = 1;
}

const char *xblk_strerror(const struct xblk *x)
{
	return x ? x->text : "memory: none left";
}

void xblk_close(struct xblk *x)
{
	if (!x)
		return;
	intervals_deinit(&x->intervals);
	parse_deinit(&x->parse);
	index_deinit(&x->index);
	free(x);
}
