// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "state.h"
#include "tap-admit.h"
#include "tap-describe.h"

/* Those that there are, also those that are being connected to. */
static void choose_guests(struct capture *c, struct tap *tap)
{
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++) {
		const struct guest *guest = &c->guests[i];

		if (guest->channel || guest->expected)
			tap->wanted[i] |= tap_asks_for(tap, guest->domain);
	}
}

struct capture_facts tap_facts(const struct capture *c, const struct tap *tap,
			       unsigned int place)
{
	struct capture_facts facts = c->facts;

	facts.opts = &tap->opts;
	facts.wanted = tap->wanted;
	facts.trace = 1 + place;
	return facts;
}

void tap_make_meta(struct capture *c, struct tap *tap, const struct capture_facts *facts)
{
	choose_guests(c, tap);
	while (!tap->reason && meta_has_news(facts))
		if (tap_add_untold(tap, meta_text(facts)))
			tap->reason = "out of memory";
}

void tap_put_meta(struct capture *c, struct tap *tap)
{
	unsigned int i;
	uint64_t now;

	for (i = 0; i < c->facts.nr_guests; i++)
		if (tap->wanted[i] && tap_choose_disks(tap, c->guests[i].domain, i) &&
		    !tap->reason)
			tap->reason = "out of memory";
	tap->meta_owed = true;
	if (dom0_now(c->dom0, &now))
		return;
	if (tap_put_untold(tap, now) == -EFBIG && !tap->reason)
		tap->reason = "too much to describe";
	if (tap->nr_ending && !tap->meta_owed)
		tap_put_ended(tap, meta_text_of_ended, &c->facts, now);
}

void tap_describe(struct capture *c, unsigned int place)
{
	struct tap *tap = c->drain.taps.each[place];
	const struct capture_facts facts = tap_facts(c, tap, place);

	tap_make_meta(c, tap, &facts);
	/* Another disk may have the place of one that was chosen. */
	if (!tap->nr_untold && !tap->nr_ending && !tap->opts.nr_disks)
		return;
	drain_hold(&c->drain);
	tap_put_meta(c, tap);
	drain_release(&c->drain);
}

void taps_describe(struct capture *c)
{
	unsigned int i;

	for (i = 0; i < TAP_MAX; i++) {
		struct tap *tap = c->drain.taps.each[i];

		if (tap && !tap->finishing)
			tap_describe(c, i);
	}
}
