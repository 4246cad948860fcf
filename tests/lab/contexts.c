// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reader of the channel "contexts" of a guest, into which modules/lab-contexts.c
 * writes: dom0's half of the scenario contexts.
 *
 *	lab-contexts DOMID
 *
 * It says "reading" when it is connected, and reads until SIGTERM.  Then it says
 *
 *	items CPU CONTEXT READ MISSED	numbers that it has read, and those in between
 *	ring CPU READ LOST LOST_NMI	what it has read, and what the ring lost
 *
 * What must not be in a ring is said on stderr; the exit status is 0 only without.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "modules/lab-contexts.h"
#include "xenrelay-reader.h"

enum {
	MAX_RINGS = 8,
	MAX_ITEMS = 256, /* of one read */
	MAX_SAID = 20,	 /* lines of what is wrong */
};

static const char *const names[LAB_CONTEXTS] = {"task", "softirq", "hardirq", "nmi"};

/**
 * struct series - the items of one context in one ring
 * @next:	the number that is next, if none is lost
 * @read:	how many there were
 * @missed:	numbers that were not there
 * @told:	&struct ring.told when the last one was read
 */
struct series {
	uint64_t next, read, missed, told;
};

/**
 * struct ring - what has been seen of a ring
 * @series:	by context
 * @told:	items whose loss the ring has told so far
 * @missed:	numbers that were not there, of all contexts
 */
struct ring {
	struct series series[LAB_CONTEXTS];
	uint64_t told, missed;
};

static struct ring rings[MAX_RINGS];
static struct xenrelay_properties props = {.size = sizeof(props)};
static unsigned int nr_wrong;
static volatile sig_atomic_t ending;

static void end(int signal)
{
	(void)signal;
	ending = 1;
}

__attribute__((format(printf, 2, 3))) static void wrong(unsigned int ring,
							const char *fmt, ...)
{
	va_list ap;

	if (nr_wrong++ >= MAX_SAID)
		return;
	fprintf(stderr, "contexts: ring %u: ", ring);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
}

/* Only what the ring has told since may be missing, and of that each but once. */
static void check_seq(unsigned int n, const struct lab_contexts_item *item)
{
	struct ring *ring = &rings[n];
	struct series *series = &ring->series[item->context];
	uint64_t told = ring->told - series->told, left = ring->told - ring->missed;
	uint64_t missed = item->seq - series->next;

	if (item->seq < series->next || missed > told || missed > left) {
		wrong(n,
		      "%s %" PRIu64 " behind %" PRIu64 ", with %" PRIu64
		      " losses in between, %" PRIu64 " that may be its own",
		      names[item->context], (uint64_t)item->seq, series->next - 1, told,
		      left);
	} else {
		series->missed += missed;
		ring->missed += missed;
	}
	series->next = item->seq + 1;
	series->told = ring->told;
	series->read++;
}

static void check_item(unsigned int ring, const unsigned char *bytes)
{
	struct lab_contexts_item item = {}, whole;

	memcpy(&item, bytes, props.item_size);
	whole = item;
	lab_contexts_fill(&whole);
	if (memcmp(&whole, bytes, props.item_size) != 0)
		wrong(ring, "an item that says %" PRIu64 ", context %u, CPU %u is torn",
		      (uint64_t)item.seq, item.context, item.cpu);
	else if (item.context >= LAB_NMI || item.cpu != ring)
		wrong(ring, "an item of context %u, CPU %u", item.context, item.cpu);
	else
		check_seq(ring, &item);
}

/* Return: items read; -1: the ring cannot be read. */
static ssize_t read_ring(struct xenrelay_channel *ch, unsigned int ring)
{
	static unsigned char buf[MAX_ITEMS * sizeof(struct lab_contexts_item)];
	struct xenrelay_loss loss;
	ssize_t n, i, sum = 0;

	do {
		n = xenrelay_read(ch, ring, buf, MAX_ITEMS, &loss);
		if (n < 0)
			return -1;
		rings[ring].told += loss.count;
		for (i = 0; i < n; i++)
			check_item(ring, buf + i * props.item_size);
		sum += n;
	} while (n || loss.count);
	return sum;
}

static ssize_t read_all(struct xenrelay_channel *ch)
{
	ssize_t n, sum = 0;
	unsigned int i;

	for (i = 0; i < props.nr_rings; i++) {
		n = read_ring(ch, i);
		if (n < 0)
			return -1;
		sum += n;
	}
	return sum;
}

/* Return: whether the channel was read until it had stopped, and to its end. */
static bool read_until_end(struct xenrelay_channel *ch)
{
	ssize_t n;

	while (!ending) {
		n = read_all(ch);
		if (n < 0)
			return false;
		if (!n)
			usleep(500);
	}
	return !xenrelay_disconnect(ch, 10000) && read_all(ch) >= 0;
}

static void say_counts(struct xenrelay_channel *ch)
{
	struct xenrelay_ring_stats stats = {.size = sizeof(stats)};
	unsigned int i, context;

	for (i = 0; i < props.nr_rings; i++) {
		for (context = 0; context < LAB_CONTEXTS; context++)
			printf("items %u %s %" PRIu64 " %" PRIu64 "\n", i, names[context],
			       rings[i].series[context].read,
			       rings[i].series[context].missed);
		if (xenrelay_get_ring_stats(ch, i, &stats))
			wrong(i, "no counters");
		else if (stats.met != stats.lost || stats.read != stats.produced)
			wrong(i,
			      "%" PRIu64 " items were written, %" PRIu64 " read, %" PRIu64
			      " lost, of which %" PRIu64 " were told",
			      stats.produced, stats.read, stats.lost, stats.met);
		printf("ring %u %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", i, stats.read,
		       stats.lost, stats.lost_nmi);
	}
}

static int read_channel(struct xenrelay_reader *reader, unsigned int domid)
{
	struct xenrelay_channel *ch;

	if (xenrelay_connect(reader, domid, "contexts", NULL, &ch))
		return -1;
	xenrelay_get_properties(ch, &props);
	if (props.nr_rings > MAX_RINGS ||
	    props.item_size > sizeof(struct lab_contexts_item) ||
	    props.item_size < LAB_CONTEXTS_MIN_SIZE) {
		wrong(0, "not one that this reads");
		return -1;
	}
	puts("reading");
	if (!read_until_end(ch))
		return -1;
	say_counts(ch);
	xenrelay_release(ch);
	return nr_wrong ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = end};
	struct xenrelay_reader *reader;
	int ret;

	if (argc != 2) {
		fprintf(stderr, "usage: lab-contexts DOMID\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGTERM, &action, NULL);
	ret = xenrelay_reader_open(&reader);
	if (!ret)
		ret = read_channel(reader, strtoul(argv[1], NULL, 10));
	if (nr_wrong)
		fprintf(stderr, "contexts: %u wrong\n", nr_wrong);
	else if (ret)
		fprintf(stderr, "contexts: %s\n", xenrelay_strerror(reader));
	xenrelay_reader_close(reader);
	return ret != 0;
}
