// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "ending.h"
#include "msg.h"
#include "signals.h"
#include "state.h"

#define NSEC_PER_SEC  1000000000ull
#define NSEC_PER_MSEC 1000000ull

/* Detaching its probes takes a guest up to a second, but seconds under emulation. */
#define STOP_WAIT_NS (10 * NSEC_PER_SEC)
/* When others have done it: so long after the last of them. */
#define STRAGGLER_NS (NSEC_PER_SEC * 9 / 10)

void capture_stop(struct capture *c, const char *reason)
{
	if (c->reason)
		return;
	c->reason = reason;
	c->rotate_waits = false;
	c->stopping_since = monotonic_ns();
	c->give_up_at = c->stopping_since + STOP_WAIT_NS;
	if (c->started && dom0_now(c->dom0, &c->ended_at))
		c->failed = true;
	drain_read_all(&c->drain);
	xenrelay_wind_down(c->reader);
	msg_verbose("ending: %s", reason);
}

bool capture_is_to_end(const struct capture *c)
{
	return c->reason || (c->end_at && monotonic_ns() >= c->end_at) || c->signals ||
	       c->store_given_up || signals_waiting();
}

void capture_guest_stopped(struct capture *c)
{
	uint64_t now = monotonic_ns(), until = now + STRAGGLER_NS;

	c->guest_stopped_at = now;
	if (c->give_up_at && until < c->stopping_since + STOP_WAIT_NS)
		c->give_up_at = until;
}

void capture_tell_wait(const struct capture *c)
{
	uint64_t since = c->stopping_since, last = c->guest_stopped_at;
	uint64_t ns = monotonic_ns() - since;
	uint64_t beyond_ns = last > since ? ns - (last - since) : ns;

	msg_verbose("guests had %u ms to stop, %u ms of it after the last that has",
		    (unsigned int)(ns / NSEC_PER_MSEC),
		    (unsigned int)(beyond_ns / NSEC_PER_MSEC));
}

void capture_fail(struct capture *c, const char *reason)
{
	capture_stop(c, reason);
	c->failed = true;
	c->give_up_at = 0;
}

void capture_check_output(struct capture *c)
{
	const char *path = c->writer->out.path;
	int err = writer_error(c->writer);

	if (!err || c->output_told)
		return;
	c->output_told = true;
	if (err == -EINTR)
		msg_error("%s: %s: given up", path,
			  c->writer->out.regular ? "takes nothing" : "nobody reads it");
	else if (err == -EPIPE)
		msg_error("%s: its reader has gone", path);
	else
		msg_error("%s: %s: the capture ends here", path, strerror(-err));
	capture_fail(c, "output failed");
}

void capture_check_name(struct capture *c)
{
	enum output_name name = writer_name(c->writer);
	unsigned int nr = c->writer->nr_ended + 1;

	if (name == OUTPUT_NAMED || c->nameless == nr)
		return;
	c->nameless = nr;
	if (name == OUTPUT_REMOVED)
		msg_error("%s: was removed: what is written to it is lost",
			  c->writer->out.path);
	else
		msg_error("%s: was renamed or replaced: the trace is under its new name",
			  c->writer->out.path);
}

void capture_watch_output(struct capture *c)
{
	uint64_t bytes = writer_bytes_out(c->writer);
	bool had_some = !c->all_out;

	drain_hold(&c->drain);
	c->all_out = !writer_sync(c->writer, 0);
	drain_release(&c->drain);
	/* What was not there at the last look may have come at any time since. */
	if (!had_some || c->all_out || bytes != c->bytes_out)
		c->stalled_since = monotonic_ns();
	c->bytes_out = bytes;
}

static bool stalls_for(const struct capture *c, uint64_t ms)
{
	return monotonic_ns() - c->stalled_since >= ms * NSEC_PER_MSEC;
}

bool capture_output_stalls(const struct capture *c)
{
	return stalls_for(c, WRITER_PATIENCE_MS);
}

bool capture_output_is_stuck(const struct capture *c)
{
	return stalls_for(c, c->writer->out.regular ? WRITER_FILE_PATIENCE_MS
						    : WRITER_PATIENCE_MS);
}
