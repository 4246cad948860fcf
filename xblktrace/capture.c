// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "capture.h"
#include "clock.h"
#include "connect.h"
#include "describe.h"
#include "ending.h"
#include "hotplug.h"
#include "msg.h"
#include "progress.h"
#include "rotate.h"
#include "signals.h"
#include "silence.h"
#include "tap-begin.h"
#include "tap-control.h"

#define NSEC_PER_SEC  1000000000ull
#define NSEC_PER_MSEC 1000000ull

/*
 * With nothing to do: guests that say nothing in XenStore are looked at so often, or, as
 * poll_unhurried() has it, half a second later.
 */
#define WAIT_MS	 1000
#define SLACK_MS 500
/* Taps are looked after without being told. */
#define TAPPED_MS 500
/* When something may be attached, but it is too early to look again. */
#define LOOK_MS 100
/* While guests are connected to, for their time-outs. */
#define CONNECTING_MS 100
/* Those that have not answered by then join a capture that runs. */
#define ANSWER_NS (2 * NSEC_PER_SEC)
/* While guests stop, which they say in their memory first. */
#define STOPPING_MS 20
/* While the output takes the rest of a file that is full: nothing is read meanwhile. */
#define ROTATING_MS 2

/* At so many guests until it is asked whether something else is wanted. */
#define LOOKS 16

static void take_signals(struct capture *c)
{
	c->signals += signals_take(c->signal_fd, &c->snapshot_asked);
	if (c->snapshot_asked && c->started && c->facts.opts->overwrite && !c->reason)
		drain_want_snapshot(&c->drain);
	c->snapshot_asked = false;
	if (c->signals)
		capture_stop(c, "interrupted");
	/* The second time the user means at once. */
	if (c->signals > 1)
		c->give_up_at = 0;
}

static void end_in_time(struct capture *c)
{
	if (c->end_at && monotonic_ns() >= c->end_at)
		capture_stop(c, "timeout");
}

static bool any_guest_left(const struct capture *c)
{
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++)
		if (c->guests[i].channel)
			return true;
	return false;
}

/* What the drain reads once it has learnt of a guest's end is all there will be. */
static void look_at_guest(struct capture *c, struct guest *guest)
{
	struct guest_over *over = &guest->over;

	if (c->reason) {
		/* Asks until it is heard; nothing can be done about an error. */
		xenrelay_disconnect(guest->channel, 0);
		if (xenrelay_stopped(guest->channel))
			over->why = c->reason;
	} else {
		over->why = guest_look(guest, &over->broke);
	}
}

/* Guests can write there without end: what has come is taken, whatever else waits. */
static void hear_xenstore(struct capture *c)
{
	int changed = c->reader_woken ? xenrelay_dispatch(c->reader) : 0;

	c->reader_woken = false;
	if (changed < 0) {
		c->store_gone = true;
		if (!c->store_given_up)
			msg_error("%s", xenrelay_strerror(c->reader));
		capture_fail(c, "XenStore is gone");
	} else {
		hotplug_changed(c, changed);
		if (changed & XENRELAY_RANG)
			drain_wake(&c->drain);
	}
}

/* XenStore may have been given up since the last turn. */
static void hear_of_silence(struct capture *c)
{
	if (c->store_given_up && !c->store_gone)
		hear_xenstore(c);
}

/* There is something that does not wait until all guests have been looked at. */
static bool is_wanted(const struct capture *c)
{
	return c->reason ? signals_waiting() : capture_is_to_end(c);
}

/* Each may take a few requests to XenStore. */
static void look_at_guests(struct capture *c)
{
	unsigned int i, nr = 0;

	hear_xenstore(c);
	for (i = 0; i < c->facts.nr_guests; i++) {
		struct guest *guest = &c->guests[i];

		if (!guest->channel || guest->over.ending)
			continue;
		look_at_guest(c, guest);
		if (++nr % LOOKS == 0 && is_wanted(c))
			break;
	}
	drain_exchange(&c->drain);
}

static void tell_of_end(struct capture *c, const struct guest *guest)
{
	const struct domain *domain = guest->domain;

	if (guest->failed) {
		c->guest_failed = true;
		guest_tell_broken(guest);
	} else if (!guest->read_out) {
		if (!c->failed && c->signals < 2)
			msg_say("domain %u (%s) %s: let go of", domain->domid,
				domain->name,
				guest->ending ? "cannot be read to its end, for lack of "
						"room in the output"
					      : "did not stop in time");
	} else if (!c->reason) {
		msg_say("domain %u (%s): %s", domain->domid, domain->name, guest->ending);
	}
}

static void end_guest(struct capture *c, struct guest *guest)
{
	tell_of_end(c, guest);
	guest_end(guest);
	changes_add(&c->changes, guest->domain->domid);
}

static bool is_to_be_let_go_of(const struct guest *guest, bool all)
{
	return guest->channel && (all || guest->over.read_out);
}

static void end_guests(struct capture *c, bool all)
{
	struct guest *guest, *end = c->guests + c->facts.nr_guests;

	for (guest = c->guests; guest < end && !is_to_be_let_go_of(guest, all); guest++)
		;
	if (guest < end)
		drain_remove(&c->drain, all);
	for (; guest < end; guest++) {
		if (!is_to_be_let_go_of(guest, all))
			continue;
		end_guest(c, guest);
		c->last_ending = guest->ending;
	}
}

/* When all have, this domain's tracer stops, and they are let go of meanwhile. */
static void hear_of_stopped(struct capture *c)
{
	unsigned int stopped = drain_count_read_out(&c->drain, &c->all_read_out);

	if (stopped > c->nr_stopped)
		capture_guest_stopped(c);
	c->nr_stopped = stopped;
}

/* Also one that is still to be connected to, or to be described before that. */
static bool any_guest_coming(const struct capture *c)
{
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++)
		if (c->guests[i].expected)
			return true;
	return connect_is_under_way(c, false);
}

/* The last one is gone. */
static void end_without_guests(struct capture *c)
{
	if (c->last_ending && !c->facts.opts->follow && !any_guest_left(c) &&
	    !any_guest_coming(c))
		capture_stop(c, c->last_ending);
}

/* Told when it is in the output, or that does not take it. */
static void tell_of_snapshot(struct capture *c, unsigned int nr, int64_t records,
			     uint64_t time)
{
	if (nr == c->snapshots || (!c->all_out && !capture_output_stalls(c)))
		return;
	c->snapshots = nr;
	msg_say("snapshot %u: %lld records, after %.1f s", nr, (long long)records,
		(time - c->started_at) / 1e9);
}

/* What it has to tell of. */
static void hear_drain(struct capture *c)
{
	struct drain *d = &c->drain;
	enum drain_failure failure;
	unsigned int snapshots;
	uint64_t time;
	int64_t records;

	drain_hold(d);
	failure = d->failure;
	snapshots = d->snapshots;
	records = d->snapshot_records;
	time = d->now;
	drain_release(d);
	if (failure == DRAIN_READING)
		capture_fail(c, "reading failed");
	capture_check_output(c);
	capture_check_name(c);
	tell_of_snapshot(c, snapshots, records, time);
	c->snapshot_untold = snapshots != c->snapshots;
}

static void at_most(unsigned int *ms, uint64_t now, uint64_t time)
{
	uint64_t left = time > now ? (time - now) / NSEC_PER_MSEC + 1 : 0;

	if (time && left < *ms)
		*ms = left;
}

static unsigned int choose_wait(const struct capture *c)
{
	uint64_t now = monotonic_ns();
	unsigned int ms = taps_any(c) ? TAPPED_MS : WAIT_MS;

	if (changes_any(&c->changes))
		ms = LOOK_MS;
	if (c->rotate_waits)
		ms = ROTATING_MS;
	else if (c->reason || c->snapshot_untold)
		ms = STOPPING_MS;
	else
		at_most(&ms, now, c->end_at);
	at_most(&ms, now, taps_end_at(c));
	return ms;
}

/*
 * What is not urgent waits for the next time that the processor is woken anyhow, as by
 * the drain's own wait, so that an idle capture does not wake it twice as often.  It is
 * for this wait alone: a thread that is made meanwhile would have it for good.
 */
static int poll_unhurried(struct pollfd *pfd, nfds_t nr, unsigned int ms)
{
	int ready;

	prctl(PR_SET_TIMERSLACK, SLACK_MS * NSEC_PER_MSEC);
	ready = poll(pfd, nr, ms);
	prctl(PR_SET_TIMERSLACK, 0); /* what the thread began with */
	return ready;
}

static void wait_for_news(struct capture *c, unsigned int ms)
{
	struct pollfd pfd[3 + SERVICE_FDS + TAP_MAX] = {
		{.fd = c->signal_fd, .events = POLLIN},
		{.fd = c->store_gone ? -1 : xenrelay_fd(c->reader), .events = POLLIN},
		{.fd = c->drain.tell, .events = POLLIN},
	};
	const nfds_t nr = sizeof(pfd) / sizeof(*pfd);
	eventfd_t count;
	int ready;

	service_poll(c->service, pfd + 3);
	taps_poll(c, pfd + 3 + SERVICE_FDS);
	if (ms == WAIT_MS)
		ready = poll_unhurried(pfd, nr, ms);
	else
		ready = poll(pfd, nr, ms);
	if (ready <= 0)
		return;
	c->reader_woken |= !!pfd[1].revents;
	if (pfd[2].revents)
		eventfd_read(c->drain.tell, &count);
}

static char *make_status(void *arg)
{
	struct capture *c = arg;
	char *text;

	drain_hold(&c->drain);
	text = progress_status(c, c->started ? monotonic_ns() - c->began_at : 0,
			       c->path ? c->path : c->writer->out.path);
	drain_release(&c->drain);
	return text;
}

static const struct service_answers answers = {
	.status = make_status,
	.tap = taps_ask,
};

static const char *refuse_tap(void *arg, char *request, int fd, pid_t pid)
{
	(void)arg, (void)request, (void)fd, (void)pid;
	return "the xblktrace that is running waits for its output: try again when that "
	       "goes on";
}

static const struct service_answers answers_meanwhile = {
	.status = make_status,
	.tap = refuse_tap,
};

static void show_progress(struct capture *c)
{
	uint64_t now = monotonic_ns();

	if (!c->started || now - c->shown_at < NSEC_PER_SEC)
		return;
	drain_hold(&c->drain);
	progress_show(c, now - c->began_at);
	drain_release(&c->drain);
	c->shown_at = now;
}

static void tell_of_stall(struct capture *c)
{
	if (!c->stall_told)
		msg_say("%s: takes nothing: it is waited for; Ctrl-C gives it up",
			c->writer->out.path);
	c->stall_told = true;
}

/*
 * Whoever reads the output may take his time, unless the user has had enough.  Guests are
 * told of an end meanwhile, and who asks is answered.
 */
static bool wait_on(void *arg)
{
	struct capture *c = arg;

	wait_for_news(c, STOPPING_MS);
	take_signals(c);
	end_in_time(c);
	look_at_guests(c);
	capture_watch_output(c);
	taps_turn(c);
	service_turn(c->service, &answers_meanwhile, c);
	if (!capture_output_is_stuck(c) && c->signals < 2)
		return true;
	if (c->signals)
		return false;
	tell_of_stall(c);
	return true;
}

/* All but what comes and goes. */
static void take_turn(struct capture *c)
{
	take_signals(c);
	silence_turn(c);
	end_in_time(c);
	look_at_guests(c);
	capture_watch_output(c);
	hear_drain(c);
	if (!c->reason)
		rotate(c, wait_on);
	if (c->reason) {
		hear_of_stopped(c);
		connect_cancel(c);
	} else {
		end_guests(c, false);
		connect_turn(c);
	}
	end_without_guests(c);
	show_progress(c);
	taps_turn(c);
	service_turn(c->service, &answers, c);
}

static bool goes_on(const struct capture *c)
{
	/* Without room nothing more is read of them. */
	bool stalled = capture_output_stalls(c) && !writer_ready(c->writer);

	return !c->reason ||
	       (!c->all_read_out && monotonic_ns() < c->give_up_at && !stalled);
}

static void run(struct capture *c)
{
	while (goes_on(c)) {
		take_turn(c);
		if (!c->reason)
			hotplug_turn(c);
		if (goes_on(c))
			wait_for_news(c, choose_wait(c));
	}
}

/* One that was asked for by name cannot be connected to, and is not waited for. */
static bool ends_the_start(const struct capture *c)
{
	return c->connect_failed && !c->facts.opts->follow;
}

/*
 * It begins with those that answer, the others join it; but not without one that was
 * asked for by name.
 */
static bool may_begin(const struct capture *c, uint64_t late)
{
	if (c->reason || ends_the_start(c) || !connect_is_under_way(c, false))
		return true;
	return c->nr_connected && !connect_is_under_way(c, true) &&
	       monotonic_ns() >= late;
}

static void tell_of_late(const struct capture *c)
{
	unsigned int i;

	for (i = 0; !c->reason && i < c->facts.nr_guests; i++)
		if (c->guests[i].attempt.channel)
			msg_say("domain %u (%s): has not answered yet: it joins when it does",
				c->guests[i].domain->domid, c->guests[i].domain->name);
}

static int connect_guests(struct capture *c)
{
	uint64_t late = monotonic_ns() + ANSWER_NS;
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests && !capture_is_to_end(c); i++)
		connect_start(c, &c->guests[i]);
	take_signals(c);
	while (!may_begin(c, late)) {
		wait_for_news(c, CONNECTING_MS);
		take_turn(c);
	}
	if (c->failed || (ends_the_start(c) && !c->reason))
		return -1;
	tell_of_late(c);
	return c->nr_connected || c->reason || c->facts.opts->follow ? 0 : -1;
}

/* What had the name before goes now, and not for a capture that never began. */
static int take_name(struct capture *c)
{
	struct output *out = &c->writer->out;
	int ret;

	if (!c->nr_connected && c->reason) {
		msg_say("no guest was traced: nothing is kept");
		return 0;
	}
	c->writer->waits = wait_on;
	c->writer->arg = c;
	ret = writer_take_name(c->writer);
	c->writer->waits = NULL;
	if (ret == -EINTR) {
		capture_check_output(c);
		return -1;
	}
	if (ret < 0)
		return msg_error("%s: %s", out->path, strerror(-ret));
	/* Now: later the file system may hang. */
	c->path = realpath(out->path, NULL);
	if (ret)
		msg_say("the %s that was there is now %s" OLD_OUTPUT, out->path,
			out->path);
	return 0;
}

static int start_drain(struct capture *c)
{
	unsigned int i;
	int err;

	for (i = 0; i < c->dom0->nr_cpus; i++)
		writer_add_stream(c->writer, &c->dom0->cpus[i].stream);
	err = drain_start(&c->drain);
	return err ? msg_error("no thread to read with: %s", strerror(-err)) : 0;
}

static int start(struct capture *c)
{
	unsigned int i;
	int ret;

	if (hotplug_watch(c) || describe_begin(c) || describe(c))
		return -1;
	/* The backend first and until last, so that no guest request lacks its half. */
	if (dom0_start(c->dom0, c->facts.own_domid, c->facts.opts, c->facts.backing,
		       c->facts.domains, c->facts.nr_guests))
		return -1;
	c->nr_told = c->backing->nr;
	for (i = 0; i < c->facts.nr_guests; i++)
		c->guests[i].backend_told = true;
	if (start_drain(c) || connect_guests(c) || take_name(c))
		return -1;
	c->started = true;
	if (dom0_now(c->dom0, &c->started_at))
		return -1;
	c->ended_at = c->file_at = c->started_at;
	c->began_at = c->shown_at = monotonic_ns();
	c->facts.connected_only = true;
	ret = describe(c);
	/* All that is needed to read it has been told before, so it may come later. */
	c->describe_wanted |= ret == -EAGAIN;
	if (ret && ret != -EAGAIN)
		return -1;
	drain_begin_marks(&c->drain);
	return 0;
}

/* Room for what this domain's buffers still hold. */
static bool wait_for_room(struct capture *c)
{
	while (!writer_ready(c->writer))
		if (!wait_on(c))
			writer_give_up(c->writer);
	return !writer_error(c->writer);
}

/* The backend's last records, the counters, the END chunk. */
static void finish(struct capture *c)
{
	uint64_t duration = c->ended_at - c->started_at;
	struct drain *d = &c->drain;
	unsigned int i;
	bool stopped;
	int n = 1;

	c->writer->waits = wait_on;
	c->writer->arg = c;

	stopped = !dom0_stop(c->dom0);
	/* A loss behind the last record is told only now. */
	while (stopped && d->failure != DRAIN_READING && n > 0 && wait_for_room(c))
		n = drain_rest(d);
	if (!stopped || d->failure == DRAIN_READING)
		c->failed = true;
	if (dom0_read_stats(c->dom0))
		c->failed = true;
	if (!writer_error(c->writer))
		drain_mark(d, d->now);
	taps_end(c);
	writer_flush(c->writer);
	/* Whether META has got so far then, nobody knows. */
	for (i = 0; writer_error(c->writer) && i < c->facts.nr_guests; i++)
		c->guests[i].end_at = 0;
	describe_end(c, c->reason,
		     c->ended_at > c->file_at ? c->ended_at - c->file_at : 0, false,
		     d->now);
	capture_check_output(c);
	capture_check_name(c);
	taps_wait(c);
	progress_summary(c, duration);
	writer_end(c->writer);
	capture_check_output(c);
	c->writer->waits = NULL;
}

int capture_run(struct capture *c)
{
	int ret;

	signals_block();
	signals_ignore_output();
	c->signal_fd = signals_open();
	if (c->signal_fd < 0)
		return msg_error("signalfd: %s", strerror(errno));
	if (silence_begin(c)) {
		close(c->signal_fd);
		return -1;
	}
	c->stalled_since = monotonic_ns();
	ret = drain_init(&c->drain, c->dom0, c->writer, c->facts.opts);
	if (ret)
		msg_error("eventfd: %s", strerror(-ret));
	else
		ret = start(c);
	if (!ret) {
		/* What came while guests were being connected to. */
		c->reader_woken = true;
		if (c->facts.opts->duration_ns)
			c->end_at = c->began_at + c->facts.opts->duration_ns;
		msg_verbose("tracing; Ctrl-C ends it");
		run(c);
		capture_tell_wait(c);
	} else {
		c->failed = true;
	}
	connect_cancel(c);
	drain_stop(&c->drain);
	if (!ret)
		dom0_stop_begin(c->dom0);
	hear_of_silence(c);
	end_guests(c, true);
	hear_of_silence(c);
	if (!ret) {
		finish(c);
		if (c->failed || c->guest_failed || c->nameless)
			ret = -1;
	}
	drain_free(&c->drain);
	free(c->untold);
	free(c->path);
	silence_end(c);
	close(c->signal_fd);
	return ret;
}
