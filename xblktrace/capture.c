// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "budget.h"
#include "capture.h"
#include "hotplug.h"
#include "msg.h"
#include "progress.h"
#include "signals.h"

#define NSEC_PER_SEC  1000000000ull
#define NSEC_PER_MSEC 1000000ull

#define FLUSH_NS    (200 * NSEC_PER_MSEC) /* what a crash may cost of the file */
#define FLUSH_BYTES (64 * 1024)
#define ROUND_NS    NSEC_PER_SEC /* the longest time without a ROUND chunk */
/* Detaching its probes takes a guest up to a second, but seconds under emulation. */
#define STOP_WAIT_NS (10 * NSEC_PER_SEC)
/* With nothing to read: a doorbell or a signal ends the sleep. */
#define WAIT_MS 1000
/* When something may be attached, but it is too early to look again. */
#define LOOK_MS 100

#define ANY_LEVEL UINT64_MAX

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

uint64_t capture_clock(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static void stop(struct capture *c, const char *reason)
{
	if (!c->reason) {
		c->reason = reason;
		c->give_up_at = capture_clock() + STOP_WAIT_NS;
		msg_verbose("ending: %s", reason);
	}
}

void capture_fail(struct capture *c, const char *reason)
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
		msg_error("%s: nobody reads it: given up", w->out.path);
	else if (w->error == -EPIPE)
		msg_error("%s: its reader has gone", w->out.path);
	else
		msg_error("%s: %s: the capture ends here", w->out.path,
			  strerror(-w->error));
	capture_fail(c, "output failed");
}

/* A flight recorder is left alone, but for snapshots and for guests that end. */
static bool recording(const struct capture *c)
{
	return c->facts.opts->overwrite && !c->reason;
}

static void take_signals(struct capture *c)
{
	bool snapshot = false;

	c->signals += signals_take(c->signal_fd, &snapshot);
	if (snapshot && c->started && recording(c))
		c->snapshot_wanted = true;
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
	int changed = c->reader_woken ? xenrelay_dispatch(c->reader) : 0;
	unsigned int i;

	if (changed < 0) {
		msg_error("%s", xenrelay_strerror(c->reader));
		capture_fail(c, "XenStore is gone");
	} else {
		hotplug_changed(c, changed);
	}
	for (i = 0; i < c->facts.nr_guests; i++) {
		struct guest *guest = &c->guests[i];

		if (!guest->channel || guest->ending)
			continue;
		if (c->reason) {
			/* Asks until it is heard; nothing can be done about an error. */
			xenrelay_disconnect(guest->channel, 0);
			if (xenrelay_stopped(guest->channel))
				guest->ending = c->reason;
		} else {
			guest->ending = guest_look(guest);
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
	if (last && !any_guest_left(c) && !c->facts.opts->follow)
		stop(c, last);
}

/* Read the clock.  *@level: how many records wait in this domain's fullest buffer. */
static int look(struct capture *c, uint64_t *level)
{
	if (dom0_look(c->dom0, &c->now, level)) {
		capture_fail(c, "reading failed");
		return -1;
	}
	if (!c->reason)
		c->ended_at = c->now;
	return c->failed ? -1 : 0;
}

static bool takes_part(const struct capture *c, unsigned int i, bool all)
{
	return all || c->guests[i].ending;
}

static void begin_round(struct capture *c, bool all, unsigned int *permille)
{
	unsigned int i;

	c->round_began_at = c->now;
	for (i = 0; i < c->facts.nr_guests; i++)
		if (takes_part(c, i, all))
			guest_begin_round(&c->guests[i], permille);
}

static bool any_behind(const struct capture *c, bool all)
{
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++)
		if (takes_part(c, i, all) && guest_behind(&c->guests[i]))
			return true;
	return false;
}

/*
 * A turn: a bounded amount of each guest's records, and this domain's.
 *
 * @all:   not only the guests that are about to end.
 * @level: how many records wait in this domain's fullest buffer, or ANY_LEVEL.
 * Return: records moved, or -1 after an error message.
 */
static int64_t drain(struct capture *c, bool all, uint64_t level, unsigned int *permille)
{
	int64_t records = 0, n;
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++) {
		if (!takes_part(c, i, all))
			continue;
		n = guest_drain(&c->guests[i], c->writer, c->now);
		if (n < 0)
			goto failed;
		records += n;
	}
	if (!all || !level)
		return records;
	n = dom0_drain(c->dom0, c->writer, c->now, permille);
	if (n >= 0)
		return records + n;
failed:
	if (c->writer->error)
		fail_output(c);
	else
		capture_fail(c, "reading failed");
	return -1;
}

/*
 * Read the clock, then all that was there by then, turn after turn: one guest's full
 * rings must not keep the others' from being emptied.
 *
 * Return: as drain().
 */
static int64_t drain_round(struct capture *c, bool all, unsigned int *permille)
{
	int64_t records = 0, n;
	uint64_t level;

	if (look(c, &level))
		return -1;
	begin_round(c, all, permille);
	for (;;) {
		n = drain(c, all, level, permille);
		if (n < 0)
			return -1;
		records += n;
		if (!any_behind(c, all))
			return records;
		if (look(c, &level))
			return -1;
	}
}

/* All that was written before @time is in the trace. */
static void write_round(struct capture *c, uint64_t time)
{
	writer_chunk(c->writer, XBLK_CHUNK_ROUND, NULL, 0, time);
	c->round_at = time;
}

static void flush(struct capture *c)
{
	writer_flush(c->writer);
	c->flushed_at = c->now;
	fail_output(c);
}

static void finish_snapshot(struct capture *c, int64_t records)
{
	flush(c);
	msg_say("snapshot %u: %lld records, after %.1f s", ++c->snapshots,
		(long long)records, (c->now - c->started_at) / 1e9);
}

/* Whether each guest's doorbell ends a sleep, none being full already. */
static bool arm_doorbells(struct capture *c)
{
	bool armed = true;
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++)
		if (c->guests[i].channel && xenrelay_arm(c->guests[i].channel))
			armed = false;
	return armed;
}

static unsigned int choose_sleep(struct capture *c, unsigned int permille)
{
	uint64_t elapsed_ms = (c->now - c->drained_at) / NSEC_PER_MSEC;
	unsigned int ms = WAIT_MS;

	if (recording(c)) {
		if (c->snapshot_wanted)
			ms = 0;
	} else {
		c->drained_at = c->now;
		ms = pace_next(&c->pace, permille, elapsed_ms);
		if (c->facts.opts->doorbell_percent && ms == PACE_MAX_MS &&
		    arm_doorbells(c))
			ms = WAIT_MS;
	}
	if (c->look_wanted && ms > LOOK_MS)
		ms = LOOK_MS;
	if (c->end_at && c->end_at - c->now < ms * NSEC_PER_MSEC)
		ms = (c->end_at - c->now) / NSEC_PER_MSEC + 1;
	return ms;
}

/* Whether a buffer is so full that there is no more waiting; also when all fails. */
static bool full_enough(struct capture *c)
{
	unsigned int i;
	uint64_t level;

	if (look(c, &level) || dom0_fullness(c->dom0, level) >= PACE_AIM_PERMILLE)
		return true;
	for (i = 0; i < c->facts.nr_guests; i++)
		if (guest_fullness(&c->guests[i]) >= PACE_AIM_PERMILLE)
			return true;
	return false;
}

/*
 * A guest's I/O fills the buffers of this domain, too, and its own kernel says, each time
 * that they have got a little fuller, when to look at the guests' rings.  So a burst ends
 * the sleep, and no guest need send an event for that.
 */
static void sleep_until_next(struct capture *c, unsigned int permille)
{
	struct pollfd pfd[] = {{.fd = c->signal_fd, .events = POLLIN},
			       {.fd = xenrelay_fd(c->reader), .events = POLLIN},
			       {.fd = c->dom0->now, .events = POLLIN}};
	unsigned int ms = choose_sleep(c, permille);
	const uint64_t until = c->now + ms * NSEC_PER_MSEC;

	while (poll(pfd, recording(c) ? 2 : 3, ms) > 0) {
		c->signal_came = pfd[0].revents;
		c->reader_woken = pfd[1].revents;
		if (c->signal_came || c->reader_woken || full_enough(c) ||
		    c->now >= until)
			break;
		ms = (until - c->now) / NSEC_PER_MSEC + 1;
	}
}

/* What is due now and then. */
static void after_reading(struct capture *c)
{
	if (c->writer->used >= FLUSH_BYTES || c->now - c->flushed_at >= FLUSH_NS)
		flush(c);
	if (c->now - c->shown_at >= NSEC_PER_SEC) {
		progress_show(c, c->now - c->started_at);
		c->shown_at = c->now;
	}
	if (c->end_at && c->now >= c->end_at)
		stop(c, "timeout");
}

/* Return: how full the fullest buffer was, permille. */
static unsigned int one_round(struct capture *c)
{
	unsigned int permille = 0;
	bool snapshot, all;
	int64_t records;

	if (c->signal_came)
		take_signals(c);
	look_at_guests(c);
	/* Signals that come while this round writes are for the next one. */
	snapshot = c->snapshot_wanted;
	all = snapshot || !recording(c);
	c->signal_came = c->reader_woken = c->snapshot_wanted = false;
	records = drain_round(c, all, &permille);
	if (all && (records > 0 || (!records && c->now - c->round_at >= ROUND_NS)))
		write_round(c, c->round_began_at);
	if (snapshot && records >= 0)
		finish_snapshot(c, records);
	end_guests(c, false);

	after_reading(c);
	return permille;
}

static bool goes_on(const struct capture *c)
{
	return !c->reason || (any_guest_left(c) && capture_clock() < c->give_up_at);
}

static void run(struct capture *c)
{
	unsigned int permille = 0;

	while (goes_on(c)) {
		permille = one_round(c);
		if (!c->reason)
			hotplug_look(c);
		if (!c->reason)
			hotplug_look_below(c);
		if (goes_on(c))
			sleep_until_next(c, permille);
	}
	/* What guests that did not stop have written up to now. */
	if (!c->failed)
		drain_round(c, true, &permille);
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

/* Called while a guest is waited for: the others' buffers fill meanwhile. */
static int while_connecting(void *arg)
{
	unsigned int permille = 0;
	struct capture *c = arg;
	int64_t records;

	take_signals(c);
	if (c->reason)
		return 1;
	records = drain_round(c, !recording(c), &permille);
	if (records > 0 && c->started && !recording(c))
		write_round(c, c->round_began_at);
	if (records >= 0 && c->started)
		after_reading(c);
	return records < 0 || c->reason;
}

/* Whether guests may come later: another one, or one of those that were named once more. */
static bool more_may_come(const struct options *opts)
{
	unsigned int i;

	for (i = 0; i < opts->nr_domains; i++)
		if (!strcmp(opts->domains[i], "all"))
			return true;
	return opts->follow;
}

static uint64_t mapped_kib(const struct capture *c)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++)
		sum += guest_mapped_kib(&c->guests[i]);
	return sum;
}

/* It, those that have not been tried yet, and one that may come. */
static unsigned int count_waiting(const struct capture *c, const struct guest *guest)
{
	const struct guest *other, *end = c->guests + c->facts.nr_guests;
	unsigned int nr = 1 + more_may_come(c->facts.opts);

	for (other = guest + 1; other < end; other++)
		nr += !other->channel && !other->again_pause;
	return nr;
}

int capture_connect(struct capture *c, struct guest *guest)
{
	uint64_t used = mapped_kib(c);
	const struct guest_connection connection = {
		.reader = c->reader,
		.opts = c->facts.opts,
		.writer = c->writer,
		.max_kib = budget_share(c->max_kib, used, count_waiting(c, guest)),
		.rest_kib = budget_share(c->max_kib, used, 1),
		.idle = while_connecting,
		.idle_arg = c,
	};

	/* Waiting takes in what has happened to others. */
	c->reader_woken = true;
	return guest_connect(guest, &connection, c->now);
}

int capture_describe(struct capture *c)
{
	unsigned int permille = 0, i;

	/* xblkparse goes, at a ROUND, as far as the one before. */
	for (i = 0; i < 2; i++) {
		if (drain_round(c, true, &permille) < 0)
			return -1;
		write_round(c, c->round_began_at);
	}
	if (!write_meta(c))
		return 0;
	if (!c->reason)
		capture_fail(c, "too much to describe");
	return -1;
}

/* Guests that cannot be connected to are left out, unless asked for by name. */
static int connect_guests(struct capture *c, unsigned int *connected)
{
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++) {
		struct guest *guest = &c->guests[i];

		if (while_connecting(c))
			break;
		if (!capture_connect(c, guest))
			++*connected;
		else if (guest->domain->named && !c->reason)
			return -1;
		else
			hotplug_failed(guest);
	}
	if (c->failed)
		return -1;
	return *connected || c->reason || c->facts.opts->follow ? 0 : -1;
}

/* What had the name before goes now, and not for a capture that never began. */
static int take_name(struct capture *c, unsigned int connected)
{
	struct output *out = &c->writer->out;
	int ret;

	if (!connected && c->reason) {
		msg_say("no guest was traced: nothing is kept");
		return 0;
	}
	ret = output_take_name(out);
	if (ret > 0)
		msg_say("the %s that was there is now %s" OLD_OUTPUT, out->path,
			out->path);
	return ret < 0 ? msg_error("%s: %s", out->path, strerror(-ret)) : 0;
}

static int start(struct capture *c)
{
	unsigned int i, connected = 0;

	if (hotplug_watch(c) || write_header(c) || write_meta(c))
		return -1;
	/* The backend first and until last, so that no guest request lacks its half. */
	if (dom0_start(c->dom0, c->facts.own_domid, c->facts.opts, c->facts.backing,
		       c->facts.domains, c->facts.nr_guests))
		return -1;
	c->nr_told = c->backing->nr;
	for (i = 0; i < c->dom0->nr_cpus; i++)
		writer_add_stream(c->writer, &c->dom0->cpus[i].stream);
	if (connect_guests(c, &connected) || take_name(c, connected))
		return -1;
	c->started = true;
	if (dom0_now(c->dom0, &c->now))
		return -1;
	c->started_at = c->ended_at = c->now;
	c->facts.connected_only = true;
	return write_meta(c);
}

/* The backend's last records, the counters, the END chunk. */
static void finish(struct capture *c)
{
	unsigned int permille = 0;
	uint64_t duration = c->ended_at - c->started_at;
	int64_t n = 1;
	char *text;

	if (dom0_stop(c->dom0))
		c->failed = true;
	/* A loss behind the last record is told only now. */
	while (!c->failed && n > 0) {
		if (dom0_now(c->dom0, &c->now))
			c->failed = true;
		n = drain(c, true, ANY_LEVEL, &permille);
	}
	if (dom0_read_stats(c->dom0))
		c->failed = true;
	if (!c->writer->error)
		write_round(c, c->now);
	flush(c);

	text = end_text(&c->facts, c->reason, duration);
	if (text)
		writer_last_chunk(c->writer, XBLK_CHUNK_END, text, strlen(text), c->now);
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
		c->pace = (struct pace){.sleep_ms = 1};
		/* What came while guests were being connected to. */
		c->signal_came = c->reader_woken = true;
		c->drained_at = c->shown_at = c->flushed_at = c->started_at;
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
