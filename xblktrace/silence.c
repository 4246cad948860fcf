// SPDX-License-Identifier: GPL-2.0-only
#include "ending.h"
#include "msg.h"
#include "signals.h"
#include "silence.h"
#include "state.h"

/* So long it may take after a second signal, as an output may. */
#define LAST_MS 1000

/* The drain goes on meanwhile: only what is to end, or has not begun, is kept from that. */
static bool is_kept(const struct capture *c)
{
	return capture_is_to_end(c) || !c->started || writer_error(c->writer);
}

/*
 * By the control, in the middle of whatever has asked XenStore.  Nobody else takes its
 * signals meanwhile; what they mean is for its next turn.
 */
static bool waits(void *arg, unsigned int ms)
{
	struct capture *c = arg;

	c->signals += signals_take(c->signal_fd, &c->snapshot_asked);
	if (ms < c->store_ms && (ms < LAST_MS || c->signals < 2))
		return true;
	if (c->signals > 1 || is_kept(c)) {
		msg_error("XenStore does not answer: given up");
		c->store_given_up = c->reader_woken = true;
		return false;
	}
	if (!c->silence_told)
		msg_say("XenStore does not answer: it is waited for; Ctrl-C gives it up");
	c->silence_told = true;
	return true;
}

int silence_begin(struct capture *c)
{
	if (xenrelay_set_patience(c->reader, waits, c))
		return msg_error("%s", xenrelay_strerror(c->reader));
	return 0;
}

void silence_end(struct capture *c)
{
	xenrelay_set_patience(c->reader, NULL, NULL);
}

void silence_turn(struct capture *c)
{
	if (c->silence_told && !c->store_given_up)
		msg_say("XenStore answers again");
	c->silence_told = false;
}
