// SPDX-License-Identifier: GPL-2.0-only
/*
 * Readers that connect, read, disconnect, release and die in random orders, from a seed:
 * dom0's half of long/cycles, whose other half is modules/lab-cycles.c in a guest.
 *
 *	lab-cycles SEED DOMID CHANNELS CONNECTIONS
 *
 * Two processes for each channel try until there have been CONNECTIONS in all.  A line
 * "TAG MODE READ LOST" on stdout is a connection that ended in good order with all read:
 * its sums must be the guest's.  The last line says what happened how often.  What must
 * not happen is said on stderr; the exit status is 0 only without.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xenstore.h>

#include "modules/lab-cycles.h"
#include "xenrelay-reader.h"

enum {
	WORKERS_PER_CHANNEL = 2,
	MAX_RINGS = 64,
	MAX_ITEMS = 256, /* of one read */
	MAX_ITEM_SIZE = 5000,
};

/* Of all processes. */
static struct shared {
	atomic_uint tries, tags, connected, busy, absent, refused, timed_out, closed;
	atomic_uint orderly, let_go, killed, words, wrong;
} * shared;

static unsigned int domid, channels, connections;
static uint64_t state; /* of the random numbers: splitmix64 */

struct connection {
	struct xenrelay_channel *ch;
	struct xenrelay_properties props;
	unsigned int tag;
	uint64_t read[MAX_RINGS], lost[MAX_RINGS];
};

static uint32_t below(uint32_t n)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (z ^ (z >> 31)) % n;
}

static void nap(unsigned int ms)
{
	usleep(below(ms + 1) * 1000);
}

__attribute__((format(printf, 1, 2))) static void wrong(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "cycles: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	shared->wrong++;
}

static void die(void)
{
	shared->killed++;
	kill(getpid(), SIGKILL);
}

static void check_item(struct connection *c, unsigned int ring,
		       const unsigned char *bytes)
{
	struct lab_cycles_item item;
	uint64_t seq = c->read[ring] + c->lost[ring];
	uint32_t i;

	memcpy(&item, bytes, sizeof(item));
	if (item.seq != seq || item.tag != c->tag || item.cpu != ring)
		wrong("tag %u, ring %u: item %" PRIu64
		      " of tag %u, CPU %u, where %" PRIu64 " should be",
		      c->tag, ring, (uint64_t)item.seq, item.tag, item.cpu, seq);
	for (i = sizeof(item); i < c->props.item_size; i++) {
		if (bytes[i] != (unsigned char)seq) {
			wrong("tag %u, ring %u: item %" PRIu64 " is torn at byte %u",
			      c->tag, ring, seq, i);
			break;
		}
	}
}

/* Return: whether there may be more. */
static bool read_ring(struct connection *c, unsigned int ring)
{
	static unsigned char buf[MAX_ITEMS * MAX_ITEM_SIZE];
	size_t max = 1 + below(MAX_ITEMS);
	struct xenrelay_loss loss;
	ssize_t n, i;

	n = xenrelay_read(c->ch, ring, buf, max, &loss);
	if (n < 0) {
		wrong("tag %u: %s", c->tag, xenrelay_channel_strerror(c->ch));
		return false;
	}
	c->lost[ring] += loss.count;
	for (i = 0; i < n; i++) {
		check_item(c, ring, buf + i * c->props.item_size);
		c->read[ring]++;
	}
	return n || loss.count;
}

static void read_all(struct connection *c)
{
	unsigned int ring;

	for (ring = 0; ring < c->props.nr_rings; ring++)
		while (read_ring(c, ring))
			;
}

static void say_sums(const struct connection *c)
{
	uint64_t read = 0, lost = 0;
	char line[96];
	unsigned int i;
	int n;

	for (i = 0; i < c->props.nr_rings; i++) {
		read += c->read[i];
		lost += c->lost[i];
	}
	n = snprintf(line, sizeof(line), "%u %s %" PRIu64 " %" PRIu64 "\n", c->tag,
		     c->props.overwrite ? "overwrite" : "discard", read, lost);
	/* In one piece: several processes write here. */
	if (write(STDOUT_FILENO, line, n) != n)
		wrong("stdout: %s", strerror(errno));
	shared->orderly++;
}

/* Words that no reader would say at this moment, past the library. */
static void say_nonsense(struct xenrelay_reader *reader, const char *name)
{
	static const char *const verbs[] = {"release", "disconnect", "connect", "",
					    "stopped"};
	struct xs_handle *xs = xenrelay_xenstore(reader);
	xs_transaction_t t = xs_transaction_start(xs);
	char path[128], text[64], *there;
	bool said;

	snprintf(path, sizeof(path), "/local/domain/%u/data/xenrelay/%s/reader", domid,
		 name);
	snprintf(text, sizeof(text), "%s %u%s", verbs[below(5)], below(3),
		 below(2) ? "" : " x y z");
	there = xs_read(xs, t, path, NULL);
	/* Where there is no channel, or none any more, this would make a node. */
	said = there && !*there && xs_write(xs, t, path, text, strlen(text));
	if (xs_transaction_end(xs, t, !said) && said)
		shared->words++;
	free(there);
}

static void one_step(struct xenrelay_reader *reader, struct connection *c)
{
	int ret;

	switch (below(8)) {
	case 0:
		ret = xenrelay_disconnect(c->ch, below(2) ? 0 : 100);
		if (ret && ret != -ETIMEDOUT && ret != -EINPROGRESS)
			wrong("disconnect: %s", xenrelay_strerror(reader));
		break;
	case 1:
		if (xenrelay_read(c->ch, c->props.nr_rings, NULL, 0, NULL) != -EINVAL)
			wrong("a ring that is none was read");
		break;
	case 2:
		xenrelay_dispatch(reader);
		break;
	case 3:
	case 4:
		nap(20);
		break;
	default:
		read_all(c);
	}
}

static bool connect_one(struct xenrelay_reader *reader, const char *name,
			struct connection *c)
{
	static const unsigned int sizes[] = {0, 1, 64, 512};
	struct xenrelay_options opts = {
		.size = sizeof(opts),
		.ring_kib = sizes[below(4)],
		.timeout_ms = below(16) ? 5000 : 1,
		.busy_ms = 1 + below(300),
		.mode = below(3),
	};
	char config[32];
	int err;

	memset(c, 0, sizeof(*c));
	c->tag = ++shared->tags;
	snprintf(config, sizeof(config), below(16) ? "tag=%u" : "refuse %u", c->tag);
	opts.config = config;
	err = xenrelay_connect(reader, domid, name, &opts, &c->ch);
	switch (err) {
	case 0:
		shared->connected++;
		c->props.size = sizeof(c->props);
		xenrelay_get_properties(c->ch, &c->props);
		return true;
	case -ENOENT:
		shared->absent++;
		break;
	case -EBUSY:
		shared->busy++;
		break;
	case -ETIMEDOUT:
		shared->timed_out++;
		break;
	case -ECONNREFUSED:
	case -EOPNOTSUPP:
		shared->refused++;
		break;
	default:
		wrong("connect: %s", xenrelay_strerror(reader));
	}
	return false;
}

static void one_round(struct xenrelay_reader *reader, unsigned int channel)
{
	unsigned int steps = below(10);
	struct connection c;
	char name[XENRELAY_NAME_SIZE];

	snprintf(name, sizeof(name), "cycles%u", channel);
	if (!below(10))
		say_nonsense(reader, name);
	if (!connect_one(reader, name, &c)) {
		nap(60);
		return;
	}
	while (steps--) {
		if (!below(100))
			die();
		one_step(reader, &c);
	}
	if (!below(30))
		die();
	/* Then in good order, or just so; what is not released the reader's end releases.
	 */
	if (below(4) && !xenrelay_disconnect(c.ch, 5000)) {
		read_all(&c);
		say_sums(&c);
	} else {
		shared->let_go++;
	}
	if (below(8))
		xenrelay_release(c.ch);
}

/* Until there have been enough, or its own end. */
static void live(unsigned int channel)
{
	struct xenrelay_reader *reader;
	unsigned int left = 1 + below(40);

	if (xenrelay_reader_open(&reader)) {
		wrong("%s", xenrelay_strerror(reader));
		return;
	}
	while (left-- && shared->connected < connections) {
		shared->tries++;
		one_round(reader, channel);
	}
	xenrelay_reader_close(reader);
}

/* One life after the other, each in a process that may be killed. */
static void worker(unsigned int channel)
{
	while (shared->connected < connections) {
		uint64_t seed = state + below(1u << 31);
		pid_t pid = fork();

		if (!pid) {
			state = seed;
			live(channel);
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, NULL, 0) != pid) {
			wrong("fork: %s", strerror(errno));
			return;
		}
	}
}

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc != 5) {
		fprintf(stderr, "usage: lab-cycles SEED DOMID CHANNELS CONNECTIONS\n");
		return 2;
	}
	domid = atoi(argv[2]);
	channels = atoi(argv[3]);
	connections = atoi(argv[4]);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		perror("cycles");
		return 1;
	}
	for (i = 0; i < channels * WORKERS_PER_CHANNEL; i++) {
		if (fork())
			continue;
		state = strtoull(argv[1], NULL, 10) * 1000 + i;
		worker(i / WORKERS_PER_CHANNEL);
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	printf("%u tries: %u connected (%u read to the end, %u let go of, %u killed), "
	       "%u no channel, %u busy, %u refused, %u timed out, %u words out of turn, "
	       "%u wrong\n",
	       shared->tries, shared->connected, shared->orderly, shared->let_go,
	       shared->killed, shared->absent, shared->busy, shared->refused,
	       shared->timed_out, shared->words, shared->wrong);
	return shared->wrong != 0;
}
