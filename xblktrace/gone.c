// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "gone.h"
#include "progress.h"
#include "saturate.h"
#include "state.h"
#include "tap-control.h"

/* It never was connected to, or all that is to be told of it is in the trace. */
static bool is_told(const struct capture *c, const struct guest *guest)
{
	/* A vacant place is also one of a guest that has gone. */
	return guest->gone &&
	       domains_find(c->domains, guest->domain->domid) == guest->domain &&
	       (!guest->rings || guest->end_at);
}

/* What is in the file.  Also of one that was never connected to: a tap may have wanted
 * it. */
static void remove_streams(struct capture *c, struct guest *guest)
{
	if (guest->rings && !writer_is_out(c->writer, guest->end_at))
		return;
	taps_guest_goes(c, guest);
	if (guest->rings)
		writer_remove_streams(c->writer, guest->domain->domid);
	guest->over.removed = true;
}

static void remove_guest(struct capture *c, struct guest *guest)
{
	struct domain *domain = guest->domain;

	if (guest->rings) {
		progress_guest(c, guest);
		c->records_gone += guest_records(guest);
		c->lost_gone = add_sat(c->lost_gone, guest_lost(guest));
	}
	guest_free(guest);
	/* Its number may have come to another one meanwhile, or another one waits. */
	changes_add(&c->changes, domain->domid);
	c->changes.all |= c->domains->left_out;
	c->domains->left_out = false;
	domains_remove(c->domains, domain);
	*guest = (struct guest){.domain = domain, .gone = true, .backend_told = true};
}

void gone_turn(struct capture *c)
{
	struct guest *guest, *first = c->guests, *end = first + c->facts.nr_guests;

	while (first < end && !is_told(c, first))
		first++;
	if (first == end)
		return;
	/* The drain is waited for once, however many have gone. */
	drain_hold(&c->drain);
	for (guest = first; guest < end; guest++)
		if (is_told(c, guest))
			remove_streams(c, guest);
	drain_release(&c->drain);
	for (guest = first; guest < end; guest++)
		if (guest->over.removed)
			remove_guest(c, guest);
}
