// SPDX-License-Identifier: GPL-2.0-only
/* Lies in XenStore, and a bell that does not stop. */
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <xen/events.h>
#include <xen/xenbus.h>
#include "xr-hostile.h"

static void state_huge(void)
{
	char *text = kmalloc(2000, GFP_KERNEL);

	if (!text)
		return;
	memset(text, '7', 1999);
	memcpy(text, "ready ", 6);
	text[1999] = '\0';
	say("state", text);
	kfree(text);
}

static void state_negative(void)
{
	set_state("ready -1 -5");
}
static void state_binary(void)
{
	say("state", "\001\377\033[2Jready");
}
static void state_empty(void)
{
	say("state", "");
}

static void state_words(void)
{
	set_state("failed %llu 5 \033[31m\033]0;owned\007", peer.session);
}

static void flap_version(unsigned int n)
{
	say("version", "99999999999999999999-\033[2J");
}

/* The same "ready" again and again: nothing changes, and the reader is told each time. */
static void flap_state(unsigned int n)
{
	announce_ready();
}

/* Whatever the reader has in hand in a transaction meets another write. */
static void flap_nodes(unsigned int n)
{
	say(n % 2 ? "state" : "config", n % 2 ? "open" : "");
}

/* Channels that come and go, with names that a path or a terminal would mind. */
static void flap_channels(unsigned int n)
{
	char name[64];

	snprintf(name, sizeof(name), "../other%u_%u", n, get_random_u32() % 8);
	xenbus_write(XBT_NIL, XENRELAY_XS_DIR, name + 3, "");
	xenbus_rm(XBT_NIL, XENRELAY_XS_DIR, name + 3);
}

/* The channel ends and is there again, as fast as XenStore takes it. */
static void storm(void)
{
	set_state("stopped %llu", peer.session);
	say("state", "open");
	announce_ready();
	xenbus_rm(XBT_NIL, hostile_dir, "");
	xenbus_write(XBT_NIL, hostile_dir, "version", "1");
	announce_ready();
}

/* Events without end, asked for or not. */
static void ring_bell(void)
{
	unsigned int i;

	for (i = 0; i < 1000 && peer.bufs->doorbell.mark; i++)
		notify_remote_via_irq(peer.bufs->doorbell.irq);
}

const struct attack hostile_store[] = {
	{"state-huge", .announce = state_huge},
	{"state-negative", .announce = state_negative},
	{"state-binary", .announce = state_binary},
	{"state-empty", .announce = state_empty},
	{"state-words", .announce = state_words},
	{"version-words", .flap = flap_version, .flap_always = true},
	{"mute", .mute = true},
	{"deaf", .deaf = true},
	{"nodes-flap", .flap = flap_nodes, .flap_always = true},
	{"channels-flap", .flap = flap_channels, .flap_always = true},
	{"state-flap", .flap = flap_state},
	{"storm", .turn = storm},
	{"bell", .turn = ring_bell, .busy = true},
	{},
};
