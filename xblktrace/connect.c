// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "budget.h"
#include "clock.h"
#include "connect.h"
#include "ending.h"
#include "guest-connect.h"
#include "msg.h"
#include "state.h"
#include "tap-control.h"

/* One that did not answer, which is waited for, is tried again after so long at first. */
#define AGAIN_FAILED_NS 30000000000ull

/* Whether guests may come later: another one, or one of those that were named once more. */
static bool more_may_come(const struct options *opts)
{
	unsigned int i;

	for (i = 0; i < opts->nr_domains; i++)
		if (!strcmp(opts->domains[i], "all"))
			return true;
	return opts->follow;
}

/* What is mapped, and what may be by those that are being connected; but @guest. */
static uint64_t used_kib(const struct capture *c, const struct guest *guest)
{
	const struct guest *other, *end = c->guests + c->facts.nr_guests;
	uint64_t sum = 0;

	for (other = c->guests; other < end; other++)
		if (other != guest)
			sum += guest_mapped_kib(other) + other->attempt.max_kib;
	return sum;
}

/* It, those that have not been tried yet, and one that may come. */
static unsigned int count_waiting(const struct capture *c, const struct guest *guest)
{
	const struct guest *other, *end = c->guests + c->facts.nr_guests;
	unsigned int nr = 1 + more_may_come(c->facts.opts);

	for (other = guest + 1; other < end; other++)
		nr += !other->channel && !other->attempt.channel && !other->gone &&
		      !other->again.pause;
	return nr;
}

static void fail(struct capture *c, struct guest *guest)
{
	c->connect_failed |= guest->domain->named;
	guest->expected = false;
	/* It may have gone, which nobody looked at while there was an attempt. */
	changes_add(&c->changes, guest->domain->domid);
	backoff(&guest->again, monotonic_ns(), AGAIN_FAILED_NS);
	c->describe_wanted = c->started;
}

void connect_start(struct capture *c, struct guest *guest)
{
	uint64_t share =
		budget_share(c->max_kib, used_kib(c, guest), count_waiting(c, guest));

	guest->expected = true;
	if (dom0_now(c->dom0, &guest->asked_at) ||
	    guest_connect_start(guest, c->reader, c->facts.opts, share))
		fail(c, guest);
}

/* A guest that comes again goes on with the streams that it has. */
static int check_streams(const struct capture *c, const struct guest *guest)
{
	unsigned int nr = writer_count_streams(c->writer);

	if (guest->properties.nr_rings > guest->nr_streams)
		nr += guest->properties.nr_rings - guest->nr_streams;
	return nr > XBLK_MAX_STREAMS
		       ? msg_error(
				 "domain %u (%s): with its %u vCPUs there are more than %d "
				 "streams in the trace: trace fewer guests",
				 guest->domain->domid, guest->domain->name,
				 guest->properties.nr_rings, XBLK_MAX_STREAMS)
		       : 0;
}

/* It is part of the trace from now on. */
static int begin_guest(struct capture *c, struct guest *guest)
{
	int err = check_streams(c, guest);

	if (err) {
		guest_drop(guest);
		return err;
	}
	drain_hold(&c->drain);
	err = guest_begin(guest, c->writer);
	if (!err)
		taps_guest_begins(c, guest);
	if (!err && drain_add(&c->drain, guest))
		err = msg_error("out of memory");
	if (!err)
		guest->names.pool = &c->drain.names;
	drain_release(&c->drain);
	if (err)
		guest_drop(guest);
	return err;
}

static void connected(struct capture *c, struct guest *guest)
{
	const struct domain *domain = guest->domain;

	if (begin_guest(c, guest)) {
		fail(c, guest);
		return;
	}
	c->nr_connected++;
	guest->expected = false;
	guest->told = 0;
	if (!c->started)
		return;
	msg_say("domain %u (%s): traced from now on", domain->domid, domain->name);
	/* Now also with what only a connection tells. */
	c->describe_wanted = true;
}

void connect_turn(struct capture *c)
{
	struct guest *guest, *end = c->guests + c->facts.nr_guests;

	for (guest = c->guests; guest < end; guest++) {
		uint64_t rest;
		int ret;

		if (!guest->attempt.channel)
			continue;
		if (capture_is_to_end(c))
			return;
		rest = budget_share(c->max_kib, used_kib(c, guest), 1);
		ret = guest_connect_poll(guest, rest);
		if (ret < 0)
			fail(c, guest);
		else if (ret)
			connected(c, guest);
	}
}

void connect_cancel(struct capture *c)
{
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++)
		guest_connect_cancel(&c->guests[i]);
}

bool connect_is_under_way(const struct capture *c, bool named)
{
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++)
		if (c->guests[i].attempt.channel &&
		    (!named || c->guests[i].domain->named))
			return true;
	return false;
}
