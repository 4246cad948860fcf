// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "connect.h"
#include "describe.h"
#include "disks.h"
#include "ending.h"
#include "gone.h"
#include "guest-connect.h"
#include "hotplug.h"
#include "msg.h"
#include "state.h"
#include "xblk/control.h"
#include "xblk/guest.h"

/*
 * A look reads nodes of XenStore, of each domain that has changed.  Guests can cause
 * looks, so there are few a second, and they take a tenth of the time at most; what is
 * left after so much of it has to wait for the next one.
 */
#define LOOK_NS	     250000000ull
#define LOOK_MOST_NS 50000000ull
#define LOOK_SHARE   10

/* Without a cause, so less often: of a thousand volumes a look takes 70 ms. */
#define LOOK_BELOW_NS	 1000000000ull
#define LOOK_BELOW_SHARE 100

/*
 * A guest whose module may be loaded again is looked after so often at first, and so many
 * times after something has changed: one that gives its channels no generations may have
 * let go of one and opened the next before that was seen.
 */
#define AGAIN_NS    1000000000ull
#define AGAIN_LOOKS 3

int hotplug_watch(struct capture *c)
{
	char path[64];

	/* Below it is a directory of each domain, and of each of its disks. */
	snprintf(path, sizeof(path), "/local/domain/%u/backend/vbd", c->facts.own_domid);
	if (xenrelay_watch_nodes(c->reader, path, 1) ||
	    xenrelay_watch_channels(c->reader, XENRELAY_EVERY_DOMAIN))
		return msg_error("%s", xenrelay_strerror(c->reader));
	return 0;
}

static void take_nodes(struct capture *c)
{
	char path[XENRELAY_NODE_SIZE];
	unsigned int domid;
	int ret;

	while ((ret = xenrelay_next_node(c->reader, path, sizeof(path))) > 0) {
		if (sscanf(path, "/local/domain/%*u/backend/vbd/%u", &domid) != 1)
			c->changes.all = true;
		else if (domid < CHANGES_DOMIDS)
			changes_add(&c->changes, domid);
	}
	c->changes.all |= ret < 0;
}

/* It has no channel, and there is none about to come. */
static bool is_idle(const struct guest *guest)
{
	return !guest->channel && !guest->attempt.channel && !guest->expected &&
	       !guest->gone;
}

void hotplug_changed(struct capture *c, int changed)
{
	struct xenrelay_offer offer = {.size = sizeof(offer)};
	unsigned int i;

	if (changed & XENRELAY_CHANGED_NODES)
		take_nodes(c);
	while (xenrelay_next_offer(c->reader, &offer) > 0)
		if (!strcmp(offer.channel, XBLK_GUEST_CHANNEL))
			changes_add(&c->changes, offer.domid);
	if (!(changed & XENRELAY_CHANGED_DOMAIN))
		return;
	/* Those with a channel learn by that one that they have gone. */
	for (i = 0; i < c->facts.nr_guests; i++)
		if (is_idle(&c->guests[i]))
			changes_add(&c->changes, c->guests[i].domain->domid);
}

/* It may have got a tracer, or is to be tried again, and its time has come. */
static bool is_due(const struct guest *guest, uint64_t now)
{
	return is_idle(guest) && !guest->failed && guest->looks && now >= guest->again.at;
}

static bool any_due(const struct capture *c, uint64_t now)
{
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++)
		if (is_due(&c->guests[i], now))
			return true;
	return false;
}

static bool is_to_end(const void *arg)
{
	return capture_is_to_end(arg);
}

/* What fails for one guest, which is told, costs that guest alone. */
static void look_at_disks(struct capture *c, struct guest *guest)
{
	const struct patience patience = {.ends = is_to_end, .arg = c};
	unsigned int i = guest - c->guests;
	int changes = disks_update(c->reader, &c->domains->entries[i], c->backing,
				   c->facts.opts, &patience);

	guest->disks_untold |= changes > 0;
	c->describe_wanted |= changes > 0;
}

static void try_again(struct capture *c, struct guest *guest)
{
	guest->looks--;
	backoff(&guest->again, monotonic_ns(), AGAIN_NS);
	if (domain_offers_channel(c->reader, guest->domain->domid) <= 0)
		return;
	look_at_disks(c, guest);
	guest->expected = true;
	c->describe_wanted = true;
}

static void look_at_known(struct capture *c, struct guest *guest)
{
	if (is_idle(guest)) {
		guest->gone = !xenrelay_domain_exists(c->reader, guest->domain->domid);
		guest->looks = AGAIN_LOOKS;
		c->describe_wanted |= guest->gone && guest->rings;
	} else if (!guest->gone && !guest->over.ending) {
		look_at_disks(c, guest);
	}
}

static void look_at(struct capture *c, unsigned int domid)
{
	const struct patience patience = {.ends = is_to_end, .arg = c};
	struct domain *domain = domains_find(c->domains, domid);

	if (domain) {
		look_at_known(c, &c->guests[domain - c->domains->entries]);
		return;
	}
	if (domid == c->facts.own_domid ||
	    domains_add(c->reader, c->facts.opts, c->backing, c->domains, domid,
			&patience) <= 0)
		return;
	domain = domains_find(c->domains, domid);
	c->guests[domain - c->domains->entries] =
		(struct guest){.domain = domain, .expected = true};
	c->facts.nr_guests = c->domains->nr;
	c->describe_wanted = true;
}

/* Which domains have changed is not known: all that there are, and were. */
static void expect_all(struct capture *c)
{
	unsigned int *domids, i;
	int nr = xenrelay_list_domains(c->reader, &domids);

	c->changes.all = false;
	/* XenStore may just have been given up. */
	if (nr < 0 && capture_is_to_end(c))
		return;
	if (nr < 0) {
		msg_error("%s", xenrelay_strerror(c->reader));
		capture_fail(c, "reading failed");
		return;
	}
	while (nr)
		changes_add(&c->changes, domids[--nr]);
	free(domids);
	for (i = 0; i < c->facts.nr_guests; i++)
		if (!c->guests[i].gone)
			changes_add(&c->changes, c->guests[i].domain->domid);
}

static uint64_t next_look(uint64_t began, uint64_t pause, unsigned int share)
{
	uint64_t took = (monotonic_ns() - began) * share;

	return began + (took > pause ? took : pause);
}

static bool look_goes_on(const struct capture *c, uint64_t began)
{
	return monotonic_ns() - began <= LOOK_MOST_NS && !capture_is_to_end(c);
}

static void look(struct capture *c)
{
	uint64_t began = monotonic_ns();
	unsigned int domid, i;

	if (began < c->look_at || (!changes_any(&c->changes) && !any_due(c, began)))
		return;
	if (c->changes.all)
		expect_all(c);
	while (look_goes_on(c, began) && changes_take(&c->changes, &domid))
		look_at(c, domid);
	for (i = 0; i < c->facts.nr_guests && look_goes_on(c, began); i++)
		if (is_due(&c->guests[i], began))
			try_again(c, &c->guests[i]);
	c->look_at = next_look(began, LOOK_NS, LOOK_SHARE);
}

/* As many as the module takes. */
static void leave_out_below(struct capture *c)
{
	unsigned int i;

	if (!c->below_left_out)
		for (i = XBLK_MAX_DISKS; i < c->backing->nr; i++)
			msg_say("%s, which lies below a traced disk now, is not traced: as "
				"many are traced as can be",
				c->backing->entries[i].name);
	c->below_left_out = true;
	c->backing->nr = XBLK_MAX_DISKS;
}

static void look_below(struct capture *c)
{
	unsigned int i, nr_before = c->backing->nr;
	uint64_t began = monotonic_ns();
	int err;

	if (began < c->look_below_at || capture_is_to_end(c))
		return;
	err = backing_update(c->backing, "/sys");
	if (c->backing->nr > XBLK_MAX_DISKS)
		leave_out_below(c);
	c->look_below_at = next_look(began, LOOK_BELOW_NS, LOOK_BELOW_SHARE);
	if (err && !c->below_failed)
		msg_say("what traced disks lie on cannot be looked at: %s",
			strerror(-err));
	c->below_failed = err;
	for (i = nr_before; i < c->backing->nr; i++) {
		const struct backing *b = &c->backing->entries[i];

		if (b->part_of >= 0)
			msg_say("%s lies below %s now: traced from now on", b->name,
				c->backing->entries[b->part_of].name);
	}
	c->describe_wanted |= c->backing->nr > c->nr_told;
}

/*
 * The module is told of each device, in order, also of one that led to nothing: an index
 * is a place among all that it was told of.
 */
static int tell_devices(struct capture *c)
{
	int err = dom0_add(c->dom0, c->backing, c->nr_told, NULL, 0);

	c->nr_told = c->backing->nr;
	return err;
}

/* Guests one by one: any number may have come, and a command has an end. */
static int tell_domains(struct capture *c)
{
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++) {
		struct guest *guest = &c->guests[i];

		if (!guest->backend_told &&
		    dom0_add(c->dom0, c->backing, c->backing->nr, guest->domain, 1))
			return -1;
		guest->backend_told = true;
	}
	return 0;
}

static void tell_guest(struct capture *c, struct guest *guest)
{
	if (!guest->channel && !guest->attempt.channel) {
		guest->disks_untold = false;
		if (guest->expected)
			connect_start(c, guest);
	} else if (guest->channel && guest->disks_untold) {
		guest->disks_untold = false;
		guest_tell_disks(guest);
	}
}

/* Described, then traced here, then in the guests: as at the start. */
static void trace_news(struct capture *c)
{
	unsigned int i;
	int err;

	if (!drain_rounds_are_done(&c->drain))
		return;
	err = describe_news(c);
	/* While the output has no room it is tried again. */
	if (err == -EAGAIN)
		return;
	c->describing = false;
	if (err) {
		capture_fail(c, "output failed");
		return;
	}
	if (tell_devices(c) || tell_domains(c)) {
		capture_fail(c, "backend failed");
		return;
	}
	for (i = 0; i < c->facts.nr_guests && !capture_is_to_end(c); i++)
		tell_guest(c, &c->guests[i]);
}

void hotplug_turn(struct capture *c)
{
	gone_turn(c);
	if (c->describing) {
		trace_news(c);
		return;
	}
	look(c);
	look_below(c);
	if (c->reason || !c->describe_wanted)
		return;
	c->describe_wanted = false;
	c->describing = true;
	/* xblkparse goes, at a ROUND, as far as the one before. */
	drain_want_rounds(&c->drain, 2);
}
