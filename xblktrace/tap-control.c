// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "msg.h"
#include "state.h"
#include "tap-admit.h"
#include "tap-control.h"
#include "tap-describe.h"

#define NSEC_PER_SEC 1000000000ull

/* A round is not over by then if the capture's own output takes nothing. */
#define FORCE_NS (2 * NSEC_PER_SEC)
/* For the peer to read what is left; and when the capture ends. */
#define FINISH_NS    (10 * NSEC_PER_SEC)
#define LAST_NS	     NSEC_PER_SEC
#define LAST_STEP_US 5000

void taps_guest_begins(struct capture *c, struct guest *guest)
{
	unsigned int i, nr = guest - c->guests;

	for (i = 0; i < TAP_MAX; i++) {
		struct tap *tap = c->drain.taps.each[i];

		if (!tap || tap->finishing)
			continue;
		tap->wanted[nr] |= tap_asks_for(tap, guest->domain);
		if (tap->wanted[nr] && tap_add_guest(tap, guest, nr) && !tap->reason)
			tap->reason = "no room for another guest";
	}
}

void taps_guest_goes(struct capture *c, const struct guest *guest)
{
	unsigned int i, nr = guest - c->guests;

	for (i = 0; i < TAP_MAX; i++) {
		struct tap *tap = c->drain.taps.each[i];

		if (!tap)
			continue;
		tap->wanted[nr] = false;
		if (!tap->finishing)
			tap_end_guest(tap, guest);
	}
}

void taps_poll(const struct capture *c, struct pollfd *pfd)
{
	unsigned int i;

	for (i = 0; i < TAP_MAX; i++) {
		const struct tap *tap = c->drain.taps.each[i];

		pfd[i] = (struct pollfd){
			.fd = tap && !tap->heard && !tap->finishing ? tap->fd : -1,
			.events = POLLIN,
		};
	}
}

uint64_t taps_end_at(const struct capture *c)
{
	uint64_t first = 0;
	unsigned int i;

	for (i = 0; i < TAP_MAX; i++) {
		const struct tap *tap = c->drain.taps.each[i];

		if (tap && !tap->reason && tap->end_at && (!first || tap->end_at < first))
			first = tap->end_at;
	}
	return first;
}

/* Who asked has closed his side, or has gone; there is nothing that he could say. */
static void hear(struct tap *tap)
{
	char rest;

	if (!tap->heard)
		tap->heard = recv(tap->fd, &rest, 1, MSG_DONTWAIT) >= 0 ||
			     (errno != EAGAIN && errno != EINTR);
}

/* Return: NULL while one of its guests is read. */
static const char *guests_gone(const struct capture *c, const struct tap *tap)
{
	const char *last = NULL;
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++) {
		const struct guest *guest = &c->guests[i];

		if (!tap->wanted[i])
			continue;
		if (guest->channel)
			return NULL;
		last = guest->ending;
	}
	return last ? last : "guest gone";
}

static const char *why_to_end(const struct capture *c, const struct tap *tap)
{
	if (writer_error(&tap->writer))
		return "output failed";
	if (tap->heard)
		return "interrupted";
	if (tap->end_at && monotonic_ns() >= tap->end_at)
		return "timeout";
	return guests_gone(c, tap);
}

/* With the drain's next round; nobody waits for one where nobody reads. */
static void end(struct capture *c, struct tap *tap)
{
	bool at_once = writer_error(&tap->writer);

	tap->force_at = at_once ? 1 : monotonic_ns() + FORCE_NS;
	drain_hold(&c->drain);
	if (tap->state == TAP_RUNS)
		tap->state = TAP_ENDS;
	drain_release(&c->drain);
	drain_wake(&c->drain);
}

static void forget(struct capture *c, struct tap **place)
{
	struct tap *tap = *place;

	msg_verbose("process %d taps the capture no more (%s)", (int)tap->pid,
		    tap->reason);
	drain_hold(&c->drain);
	*place = NULL;
	drain_release(&c->drain);
	tap_free(tap);
}

/* It gets nothing more, and its end may be written. */
static void finish(struct capture *c, struct tap **place, uint64_t patience)
{
	struct tap *tap = *place;
	unsigned int i;
	int err;

	drain_hold(&c->drain);
	tap_end_at(tap, c->drain.now);
	for (i = 0; i < c->facts.nr_guests; i++)
		if (tap->wanted[i])
			guest_read_stats(&c->guests[i]);
	tap_settle_losses(tap);
	drain_release(&c->drain);
	tap->give_up_at = monotonic_ns() + patience;
	err = tap_finish(tap);
	if (err)
		forget(c, place);
}

/* Return: whether it has nothing more to get, or has been long in coming to that. */
static bool is_done(struct capture *c, const struct tap *tap)
{
	bool done;

	drain_hold(&c->drain);
	done = tap->state == TAP_DONE;
	drain_release(&c->drain);
	return done || (tap->force_at && monotonic_ns() >= tap->force_at);
}

static void look_after(struct capture *c, struct tap **place)
{
	struct tap *tap = *place;

	if (tap->finishing) {
		if (monotonic_ns() >= tap->give_up_at)
			tap_give_up(tap);
		if (tap_has_finished(tap))
			forget(c, place);
		return;
	}
	hear(tap);
	if (tap->meta_owed || tap->nr_ending)
		tap_describe(c, place - c->drain.taps.each);
	if (!tap->reason)
		tap->reason = why_to_end(c, tap);
	if (tap->reason && !tap->force_at)
		end(c, tap);
	if (is_done(c, tap))
		finish(c, place, FINISH_NS);
}

void taps_turn(struct capture *c)
{
	unsigned int i;

	for (i = 0; i < TAP_MAX; i++)
		if (c->drain.taps.each[i])
			look_after(c, &c->drain.taps.each[i]);
}

void taps_end(struct capture *c)
{
	struct tap **place, **end = c->drain.taps.each + TAP_MAX;

	for (place = c->drain.taps.each; place < end; place++) {
		struct tap *tap = *place;
		const uint64_t last = monotonic_ns() + LAST_NS;

		if (!tap)
			continue;
		if (!tap->reason)
			tap->reason = c->reason;
		if (!tap->finishing)
			finish(c, place, LAST_NS);
		else if (tap->give_up_at > last)
			tap->give_up_at = last;
	}
}

bool taps_any(const struct capture *c)
{
	unsigned int i;

	for (i = 0; i < TAP_MAX; i++)
		if (c->drain.taps.each[i])
			return true;
	return false;
}

void taps_wait(struct capture *c)
{
	for (; taps_any(c); usleep(LAST_STEP_US))
		taps_turn(c);
}
