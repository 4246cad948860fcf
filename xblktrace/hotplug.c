// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "capture.h"
#include "disks.h"
#include "hotplug.h"
#include "msg.h"
#include "xblk/control.h"
#include "xblk/guest.h"

/*
 * A look reads many nodes of XenStore.  Guests can cause looks, so there are few a
 * second, and they take a tenth of the time at most.
 */
#define LOOK_NS	   250000000ull
#define LOOK_SHARE 10

/* Without a cause, so less often: of a thousand volumes a look takes 70 ms. */
#define LOOK_BELOW_NS	 1000000000ull
#define LOOK_BELOW_SHARE 100

/*
 * A guest whose module may be loaded again is looked after so often at first, and one
 * that did not answer, which is waited for, less often; each time that nothing comes of
 * it the pause is doubled.
 */
#define AGAIN_NS	1000000000ull
#define AGAIN_FAILED_NS 30000000000ull
#define AGAIN_MAX_NS	600000000000ull

int hotplug_watch(struct capture *c)
{
	char path[64];

	snprintf(path, sizeof(path), "/local/domain/%u/backend/vbd", c->facts.own_domid);
	if (xenrelay_watch_nodes(c->reader, path) ||
	    xenrelay_watch_channels(c->reader, XENRELAY_EVERY_DOMAIN))
		return msg_error("%s", xenrelay_strerror(c->reader));
	return 0;
}

void hotplug_changed(struct capture *c, int changed)
{
	struct xenrelay_offer offer;

	if (changed & XENRELAY_CHANGED_NODES)
		c->look_wanted = true;
	while (xenrelay_next_offer(c->reader, &offer) > 0)
		if (offer.present && !strcmp(offer.channel, XBLK_GUEST_CHANNEL))
			c->look_wanted = true;
}

/**
 * struct news - what a look has found
 * @first_guest: likewise, of domains
 * @nr_guests:	of domains, with the new ones
 * @disks:	disks of guests that were known have come or gone
 * @tell:	for each of these guests, whether it is one of those
 * @again:	for each, whether it is to be connected to once more
 */
struct news {
	unsigned int first_guest;
	unsigned int nr_guests;
	bool disks;
	bool tell[MAX_DOMAINS];
	bool again[MAX_DOMAINS];
	bool any_again;
};

static void pause_at_least(struct guest *guest, uint64_t ns)
{
	if (guest->again_pause < ns)
		guest->again_pause = ns;
	guest->again_at = capture_clock() + guest->again_pause;
	guest->again_pause *= 2;
	if (guest->again_pause > AGAIN_MAX_NS)
		guest->again_pause = AGAIN_MAX_NS;
}

void hotplug_failed(struct guest *guest)
{
	pause_at_least(guest, AGAIN_FAILED_NS);
}

/* It has no channel, but may get one. */
static bool is_due(const struct guest *guest, uint64_t now)
{
	return !guest->channel && !guest->failed && !guest->gone &&
	       now >= guest->again_at;
}

static bool any_due(const struct capture *c, uint64_t now)
{
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++)
		if (is_due(&c->guests[i], now))
			return true;
	return false;
}

static bool comes_again(struct capture *c, struct guest *guest)
{
	unsigned int domid = guest->domain->domid;

	if (!is_due(guest, capture_clock()))
		return false;
	guest->gone = !xenrelay_domain_exists(c->reader, domid);
	pause_at_least(guest, AGAIN_NS);
	return !guest->gone && domain_offers_channel(c->reader, domid) > 0;
}

static int find_news(struct capture *c, struct news *news)
{
	unsigned int i;
	int changes;

	*news = (struct news){
		.first_guest = c->facts.nr_guests,
		.nr_guests = c->facts.nr_guests,
	};
	for (i = 0; i < news->first_guest; i++) {
		news->again[i] = comes_again(c, &c->guests[i]);
		news->any_again |= news->again[i];
		if (!news->again[i] && (!c->guests[i].channel || c->guests[i].ending))
			continue;
		changes = disks_update(c->reader, &c->domains[i], c->backing,
				       c->facts.opts);
		if (changes < 0)
			return -1;
		news->tell[i] = changes > 0 && !news->again[i];
		news->disks |= changes > 0;
	}
	return domains_add_new(c->reader, c->facts.opts, c->backing, c->domains,
			       &news->nr_guests);
}

static int connect_new(struct capture *c, struct guest *guest)
{
	const struct domain *domain = guest->domain;

	if (!capture_connect(c, guest))
		msg_say("domain %u (%s): traced from now on", domain->domid,
			domain->name);
	else
		hotplug_failed(guest);
	guest->expected = false;
	/* Now also with what only a connection tells. */
	return capture_describe(c);
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
static int add_to_backend(struct capture *c, const struct news *news)
{
	int err = tell_devices(c);
	unsigned int i;

	for (i = news->first_guest; !err && i < news->nr_guests; i++)
		err = dom0_add(c->dom0, c->backing, c->backing->nr, &c->domains[i], 1);
	return err;
}

static int trace_news(struct capture *c, const struct news *news)
{
	unsigned int i;

	c->facts.nr_guests = news->nr_guests;
	for (i = 0; i < news->nr_guests; i++)
		c->guests[i].expected = i >= news->first_guest || news->again[i];
	/* Described, then traced here, then in the guests: as at the start. */
	if (capture_describe(c))
		return -1;
	if (add_to_backend(c, news)) {
		capture_fail(c, "backend failed");
		return -1;
	}
	for (i = 0; i < news->first_guest; i++)
		if (news->tell[i])
			guest_tell_disks(&c->guests[i]);
	for (i = 0; !c->reason && i < news->nr_guests; i++)
		if (c->guests[i].expected && connect_new(c, &c->guests[i]))
			return -1;
	return 0;
}

static uint64_t next_look(uint64_t began, uint64_t pause, unsigned int share)
{
	uint64_t took = (capture_clock() - began) * share;

	return began + (took > pause ? took : pause);
}

void hotplug_look(struct capture *c)
{
	uint64_t began = capture_clock();
	struct news news;

	if (began < c->look_at || (!c->look_wanted && !any_due(c, began)))
		return;
	c->look_wanted = false;
	if (find_news(c, &news)) {
		capture_fail(c, "reading failed");
		return;
	}
	c->look_at = next_look(began, LOOK_NS, LOOK_SHARE);
	if (news.disks || news.any_again || news.nr_guests > news.first_guest)
		trace_news(c, &news);
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

void hotplug_look_below(struct capture *c)
{
	uint64_t began = capture_clock();
	unsigned int first = c->nr_told, i;
	int err;

	if (began < c->look_below_at)
		return;
	err = backing_update(c->backing, "/sys");
	if (c->backing->nr > XBLK_MAX_DISKS)
		leave_out_below(c);
	c->look_below_at = next_look(began, LOOK_BELOW_NS, LOOK_BELOW_SHARE);
	if (err && !c->below_failed)
		msg_say("what traced disks lie on cannot be looked at: %s",
			strerror(-err));
	c->below_failed = err;
	if (c->backing->nr == first || capture_describe(c))
		return;
	if (tell_devices(c)) {
		capture_fail(c, "backend failed");
		return;
	}
	for (i = first; i < c->backing->nr; i++) {
		const struct backing *b = &c->backing->entries[i];

		if (b->part_of >= 0)
			msg_say("%s lies below %s now: traced from now on", b->name,
				c->backing->entries[b->part_of].name);
	}
}
