// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "gone.h"
#include "progress.h"
#include "state.h"
#include "tap-control.h"

/* Nothing of it is left to be told, or to be written. */
static bool is_done_with(struct capture *c, const struct guest *guest)
{
	bool out;

	/* It never was connected to. */
	if (!guest->rings)
		return true;
	if (!guest->end_at)
		return false;
	drain_hold(&c->drain);
	out = writer_is_out(c->writer, guest->end_at);
	drain_release(&c->drain);
	return out;
}

/* Also one that was never connected to: a tap may have wanted it. */
static void remove_streams(struct capture *c, struct guest *guest)
{
	if (guest->rings) {
		progress_guest(c, guest);
		c->records_gone += guest_records(guest);
		c->lost_gone += guest_lost(guest);
	}
	drain_hold(&c->drain);
	taps_guest_goes(c, guest);
	if (guest->rings)
		writer_remove_streams(c->writer, guest->domain->domid);
	drain_release(&c->drain);
	guest_free(guest);
}

static void remove_guest(struct capture *c, struct guest *guest)
{
	struct domain *domain = guest->domain;

	remove_streams(c, guest);
	/* Its number may have come to another one meanwhile, or another one waits. */
	changes_add(&c->changes, domain->domid);
	c->changes.all |= c->domains->left_out;
	c->domains->left_out = false;
	domains_remove(c->domains, domain);
	*guest = (struct guest){.domain = domain, .gone = true, .backend_told = true};
}

void gone_turn(struct capture *c)
{
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++) {
		struct guest *guest = &c->guests[i];

		/* A vacant place is also one of a guest that has gone. */
		if (guest->gone &&
		    domains_find(c->domains, guest->domain->domid) == guest->domain &&
		    is_done_with(c, guest))
			remove_guest(c, guest);
	}
}
