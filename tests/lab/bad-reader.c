// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reader that is let in, and does what it should not; without libxenrelay, which would
 * not.
 *
 *	lab-bad-reader keep DOMID CHANNEL KIB CONNECTIONS
 *		connects, maps all pages of the channel and releases it without unmapping
 *		them, so often or until it is refused; then it sleeps until it is killed
 *	lab-bad-reader storm DOMID CHANNEL SECONDS
 *		sends events to the guest's end of the doorbell without a pause
 *
 * The last line on stdout says how often it did so.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "xenrelay/wire.h"

enum {
	PATIENCE_S = 30,
	PAUSE_US = 20000,
};

static struct xs_handle *xs;
static xengnttab_handle *xgt;
static unsigned int domid, session;
static char dir[128];

static void fail(const char *what)
{
	fprintf(stderr, "bad-reader: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void say(const char *fmt, unsigned int kib)
{
	char path[160], text[96];

	snprintf(path, sizeof(path), "%s/reader", dir);
	snprintf(text, sizeof(text), fmt, session, kib);
	if (!xs_write(xs, XBT_NULL, path, text, strlen(text)))
		fail("XenStore");
}

/* Wait until the channel's state begins so.  Return: it, or one that says "failed". */
static const char *await_state(const char *prefix)
{
	static char state[160];
	double end = seconds() + PATIENCE_S;
	char path[160], *text;

	snprintf(path, sizeof(path), "%s/state", dir);
	while (seconds() < end) {
		text = xs_read(xs, XBT_NULL, path, NULL);
		snprintf(state, sizeof(state), "%s", text ? text : "");
		free(text);
		if (!strncmp(state, prefix, strlen(prefix)) ||
		    !strncmp(state, "failed ", strlen("failed ")))
			return state;
		usleep(PAUSE_US);
	}
	errno = ETIMEDOUT;
	fail(prefix);
	return NULL;
}

static void *map(uint32_t *refs, uint32_t count, int prot)
{
	void *pages = xengnttab_map_domain_grant_refs(xgt, count, domid, refs, prot);

	if (!pages)
		fail("mapping");
	return pages;
}

/* Return: the info page, or NULL where the guest has refused. */
static struct xenrelay_info *connect_channel(const char *words, unsigned int kib)
{
	unsigned int said;
	const char *state;
	uint32_t ref;

	session++;
	say(words, kib);
	state = await_state("ready ");
	if (sscanf(state, "ready %u %" SCNu32, &said, &ref) == 2 && said == session)
		return map(&ref, 1, PROT_READ);
	printf("refused: %s\n", state);
	return NULL;
}

/* All but the info page; it asks for no more than 63 rings.  Return: how many. */
static unsigned int map_all(struct xenrelay_info *info)
{
	uint32_t *dir_refs = (uint32_t *)((char *)info + info->info_size);
	uint32_t count = info->nr_rings * info->ring_pages;
	uint32_t *refs = map(dir_refs, info->nr_dir_pages, PROT_READ);

	map(refs, count, PROT_READ);
	map(&info->producer_ref, 1, PROT_READ);
	map(&info->loss_ref, 1, PROT_READ);
	map(&info->consumer_ref, 1, PROT_READ | PROT_WRITE);
	return info->nr_dir_pages + count + 3;
}

static void keep(unsigned int kib, unsigned int connections)
{
	unsigned int done, pages = 0;
	struct xenrelay_info *info;

	for (done = 0; done < connections; done++) {
		info = connect_channel("connect %u 0 %u", kib);
		if (!info)
			break;
		pages += 1 + map_all(info);
		say("release %u", 0);
		await_state("open");
	}
	printf("connections %u pages %u\n", done, pages);
	fflush(stdout);
	pause();
}

static void storm(unsigned int duration)
{
	struct xenrelay_info *info = connect_channel("connect %u 0 64 doorbell=50", 0);
	xenevtchn_handle *xce = xenevtchn_open(NULL, 0);
	union xenrelay_consumer_line *consumer;
	xenevtchn_port_or_error_t port;
	uint64_t sent = 0;
	double end;

	if (!info || !xce)
		fail("connecting");
	consumer = map(&info->consumer_ref, 1, PROT_READ | PROT_WRITE);
	consumer->channel.attached = 1;
	port = xenevtchn_bind_interdomain(xce, domid, info->doorbell_port);
	if (port < 0)
		fail("binding");
	for (end = seconds() + duration; seconds() < end; sent++)
		if (xenevtchn_notify(xce, port))
			fail("sending");
	consumer->channel.attached = 0;
	say("release %u", 0);
	await_state("open");
	printf("events %" PRIu64 "\n", sent);
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 2;
	domid = strtoul(argv[2], NULL, 10);
	snprintf(dir, sizeof(dir), "/local/domain/%u/" XENRELAY_XS_DIR "/%s", domid,
		 argv[3]);
	session = getpid() << 10;
	xs = xs_open(0);
	xgt = xengnttab_open(NULL, 0);
	if (!xs || !xgt)
		fail("opening");
	if (!strcmp(argv[1], "keep") && argc == 6)
		keep(strtoul(argv[4], NULL, 10), strtoul(argv[5], NULL, 10));
	else if (!strcmp(argv[1], "storm"))
		storm(strtoul(argv[4], NULL, 10));
	else
		return 2;
	return 0;
}
