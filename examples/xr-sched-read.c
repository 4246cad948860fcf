// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * xr-sched-read DOMID: how a guest's CPUs were shared until Ctrl-C, from the
 * context switches that xr-sched.ko sends.  A reader in its simplest form.
 */
#include <ctype.h>
#include <err.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xenrelay-reader.h"
#include "xr-sched.h"

#define BATCH 512

static struct cpu {
	struct xr_sched_item last; /* who has the CPU since when */
	uint64_t switches, lost, idle_ns, total_ns;
	uint64_t longest_ns;	      /* that a thread stayed on the CPU */
	struct xr_sched_item longest; /* which one */
} * cpus;

static volatile sig_atomic_t interrupted;

static void interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* One item behind the other, but for @gap: others were lost between them. */
static void account(struct cpu *cpu, const struct xr_sched_item *item, bool gap)
{
	uint64_t ns = item->time_ns - cpu->last.time_ns;

	/* The items are the guest's word: a clock that runs backwards counts nothing. */
	if (cpu->switches && !gap && item->time_ns > cpu->last.time_ns) {
		cpu->total_ns += ns;
		if (!cpu->last.next_pid)
			cpu->idle_ns += ns;
		else if (ns > cpu->longest_ns) {
			cpu->longest_ns = ns;
			cpu->longest = cpu->last;
		}
	}
	cpu->last = *item;
	cpu->switches++;
}

/*
 * What is there, but no more than a ring can hold, which is its items and two losses:
 * a guest may write without end.
 */
static void drain(struct xenrelay_channel *ch, unsigned int ring, uint64_t capacity)
{
	struct xr_sched_item items[BATCH];
	int64_t max = capacity + 2;
	struct xenrelay_loss loss;
	ssize_t n, i;

	do {
		n = xenrelay_read(ch, ring, items, BATCH, &loss);
		if (n < 0)
			errx(1, "%s", xenrelay_channel_strerror(ch));
		cpus[ring].lost += loss.count;
		for (i = 0; i < n; i++)
			account(&cpus[ring], &items[i], !i && loss.count);
		max -= n + !!loss.count;
	} while ((n || loss.count) && max > 0);
}

static void print_cpu(unsigned int n, const struct cpu *cpu)
{
	char comm[sizeof(cpu->longest.next_comm) + 1] = "";
	size_t i;

	/* A name may hold anything, a terminal's escape sequences for one. */
	for (i = 0; i < sizeof(comm) - 1 && cpu->longest.next_comm[i]; i++)
		comm[i] = isprint((unsigned char)cpu->longest.next_comm[i])
				  ? cpu->longest.next_comm[i]
				  : '?';
	printf("cpu %u: %" PRIu64 " switches, %" PRIu64 " lost, idle %.1f %%, ", n,
	       cpu->switches, cpu->lost,
	       cpu->total_ns ? 100.0 * cpu->idle_ns / cpu->total_ns : 0);
	printf("longest run %.3f ms (%s, pid %u)\n", cpu->longest_ns / 1e6, comm,
	       cpu->longest.next_pid);
}

int main(int argc, char **argv)
{
	struct xenrelay_properties properties = {.size = sizeof(properties)};
	struct xenrelay_reader *reader;
	struct xenrelay_channel *ch;
	unsigned int i;
	bool last = false;

	if (argc != 2)
		errx(2, "usage: xr-sched-read DOMID");
	signal(SIGINT, interrupt);
	if (xenrelay_reader_open(&reader) ||
	    xenrelay_connect(reader, strtoul(argv[1], NULL, 10), XR_SCHED_CHANNEL, NULL,
			     &ch))
		errx(1, "%s", xenrelay_strerror(reader));
	xenrelay_get_properties(ch, &properties);
	if (properties.item_size != sizeof(struct xr_sched_item) ||
	    properties.client_version != XR_SCHED_VERSION)
		errx(1, "the guest's xr-sched writes other items");
	cpus = calloc(properties.nr_rings, sizeof(*cpus));
	if (!cpus)
		errx(1, "out of memory");
	fprintf(stderr, "connected, %u rings\n", properties.nr_rings);

	while (!last) {
		usleep(10000);
		xenrelay_dispatch(reader);
		last = interrupted;
		if (last && xenrelay_disconnect(ch, 5000))
			warnx("%s", xenrelay_strerror(reader));
		/* Ask before reading: what is there after a stop is all there will be. */
		last |= xenrelay_stopped(ch);
		for (i = 0; i < properties.nr_rings; i++)
			drain(ch, i, properties.capacity);
	}
	for (i = 0; i < properties.nr_rings; i++)
		print_cpu(i, &cpus[i]);
	xenrelay_release(ch);
	xenrelay_reader_close(reader);
	free(cpus);
	return 0;
}
