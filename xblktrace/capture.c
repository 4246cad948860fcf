// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "capture.h"
#include "msg.h"
#include "progress.h"
#include "signals.h"

#define NSEC_PER_SEC  1000000000ull
#define NSEC_PER_MSEC 1000000ull

#define FLUSH_NS    (200 * NSEC_PER_MSEC) /* what a crash may cost of the file */
#define FLUSH_BYTES (256 * 1024)
#define ROUND_NS    NSEC_PER_SEC /* the longest time without a ROUND chunk */
/* Detaching its probes takes a guest milliseconds, but seconds under emulation. */
#define STOP_WAIT_NS (10 * NSEC_PER_SEC)

#define MAX_SLEEP_MS 100
/* Records a millisecond that one ring is taken to get at the very most. */
#define PEAK_RATE 1000

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static void stop(struct capture *c, const char *reason)
{
	if (!c->reason) {
		c->reason = reason;
		c->give_up_at = clock_ns(CLOCK_MONOTONIC) + STOP_WAIT_NS;
		msg_verbose("ending: %s", reason);
	}
}

/* An error that has been told: end as soon as possible. */
static void fail(struct capture *c, const char *reason)
{
	stop(c, reason);
	c->failed = true;
	c->give_up_at = 0;
}

/* Once if writing has failed; further calls say nothing. */
static void fail_output(struct capture *c)
{
	struct writer *w = c->writer;

	if (!w->error || c->output_told)
		return;
	c->output_told = true;
	if (w->error == -EINTR)
		msg_error("%s: nobody reads it: given up", w->path);
	else if (w->error == -EPIPE)
		msg_error("%s: its reader has gone", w->path);
	else
		msg_error("%s: %s: the capture ends here", w->path, strerror(-w->error));
	fail(c, "output failed");
}

static void take_signals(struct capture *c)
{
	c->signals += signals_take(c->signal_fd);
	if (c->signals)
		stop(c, "interrupted");
	/* The second time the user means at once. */
	if (c->signals > 1)
		c->give_up_at = 0;
}

/* Called while a full pipe is waited for. */
static bool write_interrupted(void *arg)
{
	struct capture *c = arg;

	take_signals(c);
	return c->signals > 1;
}

static bool any_guest_left(const struct capture *c)
{
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++)
		if (c->guests[i].channel)
			return true;
	return false;
}

/*
 * Which guests have stopped writing.  Before the rings are drained: what is
 * read after a stop was seen is all there will be.
 */
static void look_at_guests(struct capture *c)
{
	unsigned int i;

	if (c->store_changed && xenrelay_dispatch(c->reader) < 0) {
		msg_error("%s", xenrelay_strerror(c->reader));
		fail(c, "XenStore is gone");
	}
	for (i = 0; i < c->facts.nr_guests; i++) {
		struct guest *guest = &c->guests[i];

		if (!guest->channel || guest->ending)
			continue;
		if (c->reason) {
			/* Asks once; nothing more can be done about an error. */
			xenrelay_disconnect(guest->channel, 0);
			if (xenrelay_stopped(guest->channel))
				guest->ending = c->reason;
		} else if (xenrelay_stopped(guest->channel)) {
			guest->ending =
				xenrelay_domain_exists(c->reader, guest->domain->domid)
					? "tracer unloaded"
					: "guest gone";
		}
	}
}

static void end_guests(struct capture *c, bool all)
{
	const char *last = NULL;
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++) {
		struct guest *guest = &c->guests[i];

		if (!guest->channel || !(all || guest->ending))
			continue;
		if (guest->failed) {
			c->guest_failed = true;
		} else if (!guest->ending) {
			if (!c->failed && c->signals < 2)
				msg_say("domain %u (%s) did not stop in time: let go of",
					guest->domain->domid, guest->domain->name);
		} else if (!c->reason) {
			msg_say("domain %u (%s): %s", guest->domain->domid,
				guest->domain->name, guest->ending);
		}
		last = guest->ending;
		guest_end(guest);
	}
	if (last && !any_guest_left(c))
		stop(c, last);
}

/* Return: records moved, or -1 after an error message. */
static int64_t drain(struct capture *c, uint64_t time, unsigned int *permille)
{
	int64_t records = 0, n;
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++) {
		n = guest_drain(&c->guests[i], c->writer, time, permille);
		if (n < 0)
			goto failed;
		records += n;
	}
	n = dom0_drain(c->dom0, c->writer, time, permille);
	if (n >= 0)
		return records + n;
failed:
	if (c->writer->error)
		fail_output(c);
	else
		fail(c, "reading failed");
	return -1;
}

static void write_round(struct capture *c, uint64_t time)
{
	writer_chunk(c->writer, XBLK_CHUNK_ROUND, NULL, 0, time);
	c->round_at = time;
}

/*
 * Sleep so long that a ring that was empty cannot be full: idle time costs
 * little, and a burst nothing.
 */
static unsigned int choose_sleep(struct capture *c, unsigned int permille)
{
	if (permille >= 500)
		c->sleep_ms = 0;
	else if (permille >= 125)
		c->sleep_ms /= 2;
	else if (permille < 30)
		c->sleep_ms = c->sleep_ms ? c->sleep_ms * 2 : 1;
	else if (!c->sleep_ms)
		c->sleep_ms = 1;
	if (c->sleep_ms > c->max_sleep_ms)
		c->sleep_ms = c->max_sleep_ms;
	return c->sleep_ms;
}

static void sleep_until_next(struct capture *c, unsigned int permille)
{
	struct pollfd pfd[] = {{.fd = c->signal_fd, .events = POLLIN},
			       {.fd = xenrelay_fd(c->reader), .events = POLLIN}};

	if (poll(pfd, 2, choose_sleep(c, permille)) > 0) {
		c->signal_came = pfd[0].revents;
		c->store_changed = pfd[1].revents;
	}
}

static void one_round(struct capture *c)
{
	unsigned int permille = 0;
	uint64_t now, xen;
	int64_t records;

	if (c->signal_came)
		take_signals(c);
	look_at_guests(c);
	c->signal_came = c->store_changed = false;
	if (dom0_now(c->dom0, &xen))
		fail(c, "reading failed");
	else if (!c->reason)
		c->xen_end = xen;
	records = c->failed ? -1 : drain(c, xen, &permille);
	if (records > 0 || (!records && xen - c->round_at >= ROUND_NS))
		write_round(c, xen);
	end_guests(c, false);

	now = clock_ns(CLOCK_MONOTONIC);
	if (c->writer->used >= FLUSH_BYTES || now - c->flushed_at >= FLUSH_NS) {
		writer_flush(c->writer);
		c->flushed_at = now;
	}
	fail_output(c);
	if (now - c->shown_at >= NSEC_PER_SEC) {
		progress_show(c, now - c->started_at);
		c->shown_at = now;
	}
	if (c->end_at && now >= c->end_at)
		stop(c, "timeout");
	if (!c->reason || (any_guest_left(c) && now < c->give_up_at))
		sleep_until_next(c, permille);
}

static void run(struct capture *c)
{
	while (!c->reason ||
	       (any_guest_left(c) && clock_ns(CLOCK_MONOTONIC) < c->give_up_at))
		one_round(c);
	/* What guests that did not stop have written up to now. */
	if (!c->failed) {
		unsigned int permille = 0;
		uint64_t xen;

		if (!dom0_now(c->dom0, &xen))
			drain(c, xen, &permille);
	}
	end_guests(c, true);
}

/* Pair wall-clock time with Xen's: of several tries the tightest. */
static int write_header(struct capture *c)
{
	uint64_t wall = 0, xen = 0, best = UINT64_MAX;
	int i, err;

	for (i = 0; i < 8; i++) {
		uint64_t before = clock_ns(CLOCK_REALTIME), t, took;

		if (dom0_now(c->dom0, &t))
			return -1;
		took = clock_ns(CLOCK_REALTIME) - before;
		if (took < best) {
			best = took;
			wall = before + took / 2;
			xen = t;
		}
	}
	c->round_at = xen;
	err = writer_header(c->writer, wall, xen);
	if (err)
		fail_output(c);
	return err ? -1 : 0;
}

static int write_meta(struct capture *c)
{
	char *text = meta_text(&c->facts);
	uint64_t xen;
	int err;

	if (!text)
		return msg_error("out of memory");
	err = dom0_now(c->dom0, &xen);
	if (!err) {
		err = writer_chunk(c->writer, XBLK_CHUNK_META, text, strlen(text), xen);
		if (err == -EFBIG)
			msg_error(
				"the description of %u guests does not fit a trace: name "
				"fewer guests",
				c->facts.nr_guests);
		else
			err = writer_flush(c->writer);
		fail_output(c);
	}
	free(text);
	return err ? -1 : 0;
}

/* Guests that cannot be connected to are left out, unless asked for by name. */
static int connect_guests(struct capture *c)
{
	unsigned int i, permille = 0, connected = 0;
	uint64_t xen;

	if (dom0_now(c->dom0, &xen))
		return -1;
	for (i = 0; i < c->facts.nr_guests && !c->reason; i++) {
		struct guest *guest = &c->guests[i];

		if (!guest_connect(guest, c->reader, c->facts.opts, c->writer, xen))
			connected++;
		else if (guest->domain->named)
			return -1;
		/* Its connecting may have taken seconds. */
		if (dom0_now(c->dom0, &xen) || drain(c, xen, &permille) < 0)
			return -1;
		take_signals(c);
	}
	return connected || c->reason ? 0 : -1;
}

static int start(struct capture *c)
{
	unsigned int i;

	if (write_header(c) || write_meta(c))
		return -1;
	/* The backend first and until last, so that no guest request lacks its half. */
	if (dom0_start(c->dom0, c->facts.own_domid, c->facts.opts, c->facts.backing,
		       c->facts.domains, c->facts.nr_guests))
		return -1;
	for (i = 0; i < c->dom0->nr_cpus; i++)
		writer_add_stream(c->writer, &c->dom0->cpus[i].stream);
	if (connect_guests(c))
		return -1;
	c->started = true;
	if (dom0_now(c->dom0, &c->xen_start))
		return -1;
	c->xen_end = c->xen_start;
	c->facts.connected_only = true;
	return write_meta(c);
}

static void choose_max_sleep(struct capture *c)
{
	uint64_t smallest = c->dom0->buffer_bytes / XBLK_RECORD_SIZE;
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++) {
		const struct guest *guest = &c->guests[i];

		if (guest->channel && guest->properties.capacity < smallest)
			smallest = guest->properties.capacity;
	}
	smallest /= 2 * PEAK_RATE;
	c->max_sleep_ms = smallest < 1		    ? 1
			  : smallest > MAX_SLEEP_MS ? MAX_SLEEP_MS
						    : smallest;
	c->sleep_ms = 1;
}

/* The backend's last records, the counters, the END chunk. */
static void finish(struct capture *c)
{
	unsigned int permille = 0;
	uint64_t duration = c->xen_end - c->xen_start, xen = c->round_at;
	int64_t n = 1;
	char *text;

	if (dom0_stop(c->dom0))
		c->failed = true;
	while (!c->failed && n > 0) {
		if (dom0_now(c->dom0, &xen))
			c->failed = true;
		n = drain(c, xen, &permille);
	}
	if (dom0_read_stats(c->dom0))
		c->failed = true;
	if (!c->writer->error)
		write_round(c, xen);
	writer_flush(c->writer);
	fail_output(c);

	text = end_text(&c->facts, c->reason, duration);
	if (text)
		writer_last_chunk(c->writer, XBLK_CHUNK_END, text, strlen(text), xen);
	fail_output(c);
	free(text);
	progress_summary(c, duration);
}

int capture_run(struct capture *c)
{
	unsigned int i;
	int ret;

	signals_block();
	signals_ignore_output();
	c->signal_fd = signals_open();
	if (c->signal_fd < 0)
		return msg_error("signalfd: %s", strerror(errno));
	c->writer->interrupt_fd = c->signal_fd;
	c->writer->interrupted = write_interrupted;
	c->writer->arg = c;

	ret = start(c);
	if (!ret) {
		choose_max_sleep(c);
		/* What came while guests were being connected to. */
		c->signal_came = c->store_changed = true;
		c->started_at = c->shown_at = c->flushed_at = clock_ns(CLOCK_MONOTONIC);
		if (c->facts.opts->duration_ns)
			c->end_at = c->started_at + c->facts.opts->duration_ns;
		msg_verbose("tracing; Ctrl-C ends it");
		run(c);
		finish(c);
		if (c->failed || c->guest_failed)
			ret = -1;
	}
	for (i = 0; i < c->facts.nr_guests; i++)
		if (c->guests[i].channel)
			guest_end(&c->guests[i]);
	c->writer->interrupt_fd = -1;
	close(c->signal_fd);
	return ret;
}
