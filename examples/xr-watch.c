// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * xr-watch [PERCENT]: every channel of every guest, read in one loop that sleeps until a
 * doorbell rings (at PERCENT of a ring, 50 without it), a channel comes or goes, or a
 * second has passed.  Throws the items away and says how many there were.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "xenrelay-reader.h"

#define BUFFER	  (1u << 20) /* an item is not larger */
#define PERIOD_MS 1000

/* One that is being connected or read. */
struct tap {
	struct tap *next;
	struct xenrelay_channel *ch;
	struct xenrelay_properties is;
	struct xenrelay_offer offer;
	bool connected;
	bool ended;
};

static volatile sig_atomic_t interrupted;
static unsigned int percent = 50;

static void interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* Does not wait for the guest: see go_on_connecting(). */
static void tap_channel(struct xenrelay_reader *reader, struct tap **taps,
			const struct xenrelay_offer *offer)
{
	const struct xenrelay_options options = {.size = sizeof(options),
						 .doorbell_percent = percent};
	struct tap *tap = calloc(1, sizeof(*tap));

	if (!tap)
		errx(1, "out of memory");
	if (xenrelay_connect_start(reader, offer->domid, offer->channel, &options,
				   &tap->ch)) {
		warnx("%s", xenrelay_strerror(reader));
		free(tap);
		return;
	}
	xenrelay_set_user(tap->ch, tap);
	tap->offer = *offer;
	tap->next = *taps;
	*taps = tap;
}

static void see_offers(struct xenrelay_reader *reader, struct tap **taps)
{
	struct xenrelay_offer offer = {.size = sizeof(offer)};

	while (xenrelay_next_offer(reader, &offer) == 1) {
		printf("domain %u, channel %s: %s (generation %" PRIx64 ")\n",
		       offer.domid, offer.channel, offer.present ? "here" : "gone",
		       offer.generation);
		fflush(stdout);
		if (offer.present)
			tap_channel(reader, taps, &offer);
	}
}

static void go_on_connecting(struct xenrelay_reader *reader, struct tap *tap)
{
	int err = xenrelay_connect_poll(tap->ch);

	if (err == -EINPROGRESS)
		return;
	if (err) {
		warnx("%s", xenrelay_strerror(reader));
		tap->ended = true;
		return;
	}
	tap->connected = true;
	tap->is.size = sizeof(tap->is);
	xenrelay_get_properties(tap->ch, &tap->is);
	printf("domain %u, channel %s: connected, %u rings, doorbell %s\n",
	       tap->offer.domid, tap->offer.channel, tap->is.nr_rings,
	       tap->is.doorbell == 1 ? "yes" : "no");
	fflush(stdout);
}

static void see_changed(struct xenrelay_reader *reader)
{
	struct xenrelay_channel *ch;

	while ((ch = xenrelay_next_changed(reader))) {
		struct tap *tap = xenrelay_get_user(ch);

		if (!tap->connected && !tap->ended)
			go_on_connecting(reader, tap);
	}
}

/* Each ring to its end, but no more than it holds: others want their turn. */
static void drain(struct tap *tap, void *buf)
{
	size_t max = BUFFER / tap->is.item_size;
	struct xenrelay_loss loss;
	unsigned int ring;
	ssize_t n, left;

	if (!tap->connected)
		return;
	/* Before the reads: then they see all there is. */
	tap->ended = xenrelay_stopped(tap->ch);
	for (ring = 0; ring < tap->is.nr_rings; ring++) {
		left = tap->is.capacity + 2; /* items and losses */
		do {
			n = xenrelay_read(tap->ch, ring, buf, max, &loss);
			left -= n + !!loss.count;
		} while (left > 0 && (n > 0 || (!n && loss.count)));
		if (n < 0) {
			warnx("%s", xenrelay_channel_strerror(tap->ch));
			tap->ended = true;
			return;
		}
	}
}

static void untap(struct tap **link)
{
	struct tap *tap = *link;
	struct xenrelay_channel_stats stats = {.size = sizeof(stats)};
	struct xenrelay_ring_stats sum = {.size = sizeof(sum)};

	if (tap->connected) {
		xenrelay_get_channel_stats(tap->ch, &stats);
		xenrelay_get_ring_stats(tap->ch, XENRELAY_EVERY_RING, &sum);
		printf("domain %u, channel %s: %" PRIu64 " items, %" PRIu64
		       " lost, %" PRIu64 " events sent, %" PRIu64 " came\n",
		       tap->offer.domid, tap->offer.channel, sum.read,
		       sum.lost + sum.lost_nmi, stats.events_sent, stats.rang);
		fflush(stdout);
	}
	xenrelay_release(tap->ch);
	*link = tap->next;
	free(tap);
}

int main(int argc, char **argv)
{
	struct tap *taps = NULL, *tap, **link;
	struct xenrelay_watch_stats stats = {.size = sizeof(stats)};
	struct xenrelay_reader *reader;
	uint64_t turns = 0;
	char *buf = malloc(BUFFER);
	bool awake;

	if (argc > 1)
		percent = strtoul(argv[1], NULL, 10);
	signal(SIGINT, interrupt);
	if (!buf)
		errx(1, "out of memory");
	if (xenrelay_reader_open(&reader) ||
	    xenrelay_watch_channels(reader, XENRELAY_EVERY_DOMAIN))
		errx(1, "%s", xenrelay_strerror(reader));

	for (; !interrupted; turns++) {
		struct pollfd pfd = {.fd = xenrelay_fd(reader), .events = POLLIN};

		if (xenrelay_dispatch(reader) < 0)
			errx(1, "%s", xenrelay_strerror(reader));
		see_offers(reader, &taps);
		see_changed(reader);
		for (link = &taps; *link;) {
			drain(*link, buf);
			if ((*link)->ended)
				untap(link);
			else
				link = &(*link)->next;
		}
		awake = false;
		for (tap = taps; tap; tap = tap->next)
			awake |= xenrelay_arm(tap->ch) == 1;
		if (poll(&pfd, 1, awake ? 0 : PERIOD_MS) < 0 && errno != EINTR)
			err(1, "poll");
	}
	while (taps) {
		if (taps->connected && xenrelay_disconnect(taps->ch, 5000))
			warnx("%s", xenrelay_strerror(reader));
		drain(taps, buf);
		untap(&taps);
	}
	xenrelay_get_watch_stats(reader, &stats);
	printf("%" PRIu64 " turns, %" PRIu64 " events of XenStore, %" PRIu64
	       " times a guest was muted\n",
	       turns, stats.events, stats.muted);
	xenrelay_reader_close(reader);
	free(buf);
	return 0;
}
