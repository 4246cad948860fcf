// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostile-trace HOSTILE: a trace, to standard output, of one guest that does ordinary I/O
 * (domain 3) and of HOSTILE others that write the worst that valid records can say.  What
 * there is of dom0's and of the first guest's is the same whatever HOSTILE is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xblk/record.h>

#include "trace_gen.h"

#define FRIEND	   GEN_GUEST
#define CPUS	   64	/* as many as a channel has rings */
#define STREAMS	   8000 /* so many there may be at once: a few less than are read */
#define MAX_GUESTS 1000
#define THREAD(d)  (1000 + (d)) /* of a guest's disk */
#define FAR_NS	   (1ull << 46) /* for so long there is little */
#define SLOTS	   64		/* requests that are under way while a guest is served */

/* All hostile guests' together; so many in each trace, whatever their number. */
#define NAMES	  400000
#define SERVED	  150000
#define IN_FLIGHT 1000000 /* of each of Q and D */
#define OTHERS	  300000
#define WAITING	  2000000

struct stream {
	struct xblk_record *records;
	size_t nr, room;
	uint64_t sequence;
};

static struct stream dom0, friends, streams[MAX_GUESTS][CPUS];
static unsigned int nr_guests, nr_cpus; /* of each hostile guest */
static uint64_t now = 1000000;
static uint64_t random_state, friend_id;
static struct gen g;

static uint64_t next_random(void)
{
	uint64_t z = (random_state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* From 1 to 2^@bits, all sizes alike. */
static uint64_t spread(unsigned int bits)
{
	uint64_t top = 1ull << next_random() % bits;

	return top + next_random() % top;
}

static void write_out(void)
{
	if (fwrite(g.data, 1, g.len, stdout) != g.len)
		exit(1);
	g.len = 0;
}

static struct xblk_record *add(struct stream *s, uint64_t ns, unsigned int event)
{
	struct xblk_record *r;

	if (s->nr == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		s->records = realloc(s->records, s->room * sizeof(*s->records));
		if (!s->records)
			abort();
	}
	r = &s->records[s->nr++];
	*r = (struct xblk_record){.time = GEN_START + ns, .event = event};
	return r;
}

static void event(struct stream *s, uint64_t ns, unsigned int event, unsigned int op,
		  uint64_t sector, uint32_t nr, uint32_t id, uint32_t aux)
{
	struct xblk_record *r = add(s, ns, event);

	r->op = op;
	r->sector = sector;
	r->nr_sectors = nr;
	r->id = id;
	r->aux = aux;
}

static void name(struct stream *s, uint64_t ns, uint32_t pid, const char *comm,
		 unsigned int flags)
{
	struct xblk_record *r = add(s, ns, XBLK_EV_PROCESS);

	r->disk = XBLK_NO_DISK;
	r->aux = pid;
	r->op = flags;
	memcpy(r->comm, comm, strnlen(comm, sizeof(r->comm)));
}

static void flush_stream(struct stream *s, unsigned int domid, unsigned int cpu)
{
	for (size_t at = 0, nr; at < s->nr; at += nr) {
		nr = s->nr - at < 8192 ? s->nr - at : 8192;
		gen_chunk(&g, XBLK_CHUNK_DATA, domid, cpu, s->sequence, now,
			  s->records + at, nr * sizeof(*s->records));
		s->sequence += nr;
	}
	s->nr = 0;
}

static void flush(void)
{
	flush_stream(&dom0, 0, 0);
	flush_stream(&friends, FRIEND, 0);
	for (unsigned int i = 0; i < nr_guests * nr_cpus; i++)
		flush_stream(&streams[i / nr_cpus][i % nr_cpus], FRIEND + 1 + i / nr_cpus,
			     i % nr_cpus);
	write_out();
}

static void next_round(void)
{
	now += 1000;
	flush();
	gen_chunk(&g, XBLK_CHUNK_ROUND, 0, 0, 0, now, NULL, 0);
}

static void begin(void)
{
	static char meta[1 << 18];
	size_t len;

	gen_init_bare(&g);
	len = sprintf(meta,
		      "{\"tool\": \"test\", \"backend\": {\"domid\": 0, \"disks\":"
		      " [{\"index\": 0, \"dev\": \"259:0\", \"name\": \"nvme0n1\"}]},"
		      " \"guests\": [");
	for (unsigned int i = 0; i <= nr_guests; i++)
		len += sprintf(meta + len,
			       "%s{\"domid\": %u, \"name\": \"guest\", \"disks\":"
			       " [{\"index\": 0, \"devid\": 51712, \"name\": \"xvda\","
			       " \"backend_disk\": 0, \"start_sector\": %llu}]}",
			       i ? ", " : "", FRIEND + i, (unsigned long long)i << 32);
	len += sprintf(meta + len, "]}");
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, meta, len);
	for (unsigned int i = 0; i <= nr_guests; i++) {
		char comm[32];

		snprintf(comm, sizeof(comm), "%u.xvda-0", FRIEND + i);
		name(&dom0, 0, THREAD(FRIEND + i), comm, XBLK_PROCESS_KTHREAD);
	}
}

/* What dom0 does for a request, from @now on: that takes some time, and is ordinary. */
static void serve(unsigned int domid, unsigned int op, uint64_t sector, uint32_t nr)
{
	uint32_t bio = 2 * domid, rq = bio + 1, ring = 0x10000 + domid;

	sector += (uint64_t)(domid - FRIEND) << 32;
	add(&dom0, now += 1000, XBLK_EV_INTERRUPT)->aux = ring;
	event(&dom0, now += 1000, XBLK_EV_RING, 0, 0, 0, ring, THREAD(domid));
	event(&dom0, now += 1000, XBLK_EV_QUEUE, op, sector, nr, bio, THREAD(domid));
	event(&dom0, now += 2000, XBLK_EV_ISSUE, op, sector, nr, rq, bio);
	event(&dom0, now += 70000, XBLK_EV_COMPLETE, op, sector, nr, rq, 0);
	event(&dom0, now += 1000, XBLK_EV_RESPONSE, 0, 0, 0, 0, ring);
}

/* The ordinary guest: a request, of which a part of the times is by chance. */
static void be_served(void)
{
	uint64_t n = friend_id++, sector = n % 100000 * 8;
	uint32_t bio = 1 + 2 * (n % 32), rq = bio + 1;
	unsigned int op = n % 3 ? XBLK_OP_READ : XBLK_OP_WRITE;

	event(&friends, now += 1000 + n % 977, XBLK_EV_QUEUE, op, sector, 8, bio, 500);
	event(&friends, now += 1000 + n % 499, XBLK_EV_ISSUE, op, sector, 8, rq, bio);
	serve(FRIEND, op, sector, 8);
	event(&friends, now += 1000 + n % 3001, XBLK_EV_COMPLETE, op, sector, 8, rq, 0);
}

static struct stream *any_cpu(unsigned int guest)
{
	return &streams[guest][next_random() % nr_cpus];
}

static uint64_t sub(uint64_t ns, uint64_t less)
{
	return ns > less ? ns - less : 1;
}

/* All of a guest's times are as far in the past as it likes, or ten seconds ahead. */
static uint64_t any_time(void)
{
	return next_random() % 4 ? sub(now, spread(47)) : now + spread(33);
}

static unsigned int any_op(void)
{
	unsigned int op = next_random() % 8;

	return op == 6 ? (unsigned int)XBLK_OP_OTHER : op;
}

static void names(unsigned int guest)
{
	char comm[32];

	snprintf(comm, sizeof(comm), "%llx", (unsigned long long)next_random());
	name(any_cpu(guest), any_time(), next_random() % 16384, comm, next_random() & 1);
}

/* What is under way of a guest that is served. */
static struct slot {
	uint64_t sector;
	uint32_t nr, id;
	unsigned int op;
} slots[MAX_GUESTS][SLOTS];

static void come_back(unsigned int guest, const struct slot *slot)
{
	struct stream *s = any_cpu(guest);

	if (!slot->id)
		return;
	add(s, now - 1, XBLK_EV_INTERRUPT)->disk = XBLK_NO_DISK;
	event(s, now, XBLK_EV_COMPLETE, slot->op, slot->sector, slot->nr, slot->id, 0);
}

/*
 * It is served at once, and says that it asked long before; what has come back it says
 * after as much time as it likes.
 */
static void served(unsigned int guest)
{
	static const unsigned int ops[] = {XBLK_OP_READ, XBLK_OP_WRITE, XBLK_OP_DISCARD,
					   XBLK_OP_WRITE_ZEROES, XBLK_OP_OTHER};
	static uint32_t n;
	struct slot *slot = &slots[guest][next_random() % SLOTS];
	struct stream *s = any_cpu(guest);
	uint64_t d_ns = sub(now, spread(46)), q_ns = sub(d_ns, spread(46));

	come_back(guest, slot);
	if (++n % 1000 == 0)
		now += spread(38);
	*slot = (struct slot){n * 8ull, spread(22), n, ops[next_random() % 5]};
	event(s, q_ns, XBLK_EV_QUEUE, slot->op, slot->sector, slot->nr, n,
	      next_random() % 100);
	event(s, d_ns, XBLK_EV_ISSUE, slot->op, slot->sector, slot->nr, n, n);
	serve(FRIEND + 1 + guest, slot->op, slot->sector, slot->nr);
}

/* What never comes back. */
static void in_flight(unsigned int guest)
{
	uint32_t bio = next_random(), rq = next_random();
	uint64_t sector = next_random() >> 5; /* beyond that it is no sector */
	unsigned int op = any_op();
	struct stream *s = any_cpu(guest);
	uint64_t ns = any_time();

	event(s, ns, XBLK_EV_QUEUE, op, sector, 8, bio, next_random());
	event(s, ns, XBLK_EV_ISSUE, op, sector, 8, rq, next_random() % 4 ? bio : 0);
	event(s, ns, XBLK_EV_ORDER, 0, 0, next_random() % 65536, rq, next_random());
	if (next_random() % 2)
		event(s, ns, XBLK_EV_QUEUE, op, sector, 8, next_random(), 1);
}

/* Of everything else something: flushes, losses, what nobody has asked for. */
static void others(unsigned int guest)
{
	static const unsigned int events[] = {
		XBLK_EV_BACKMERGE,  XBLK_EV_FRONTMERGE, XBLK_EV_RQMERGE,
		XBLK_EV_SPLIT,	    XBLK_EV_REQUEUE,	XBLK_EV_PART,
		XBLK_EV_COMPLETE,   XBLK_EV_COMPLETE,	XBLK_EV_REMAP,
		XBLK_EV_REMAP_FROM, XBLK_EV_CLOCK,	XBLK_EV_BIO_COMPLETE,
	};
	struct stream *s = any_cpu(guest);
	uint64_t ns = any_time();

	event(s, ns, XBLK_EV_QUEUE, XBLK_OP_FLUSH | XBLK_OP_F_PREFLUSH, 0, 0,
	      next_random() % 4096, next_random());
	event(s, ns, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0, next_random() % 4096, 0);
	event(s, any_time(), events[next_random() % 12], any_op(), next_random() % 4096,
	      8, next_random() % 4096, next_random() % 4096);
	if (next_random() % 16)
		return;
	event(s, ns, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, next_random() % 4096, 0);
	/* Malformed: that is a loss. */
	event(s, ns, XBLK_EV_QUEUE, 6, 0, 8, 1, 1);
}

/* So much of one CPU after the other that no round has it before its turn. */
static void waiting(unsigned int guest)
{
	static uint32_t n;

	add(&streams[guest][n++ / (WAITING / 8) % nr_cpus], now + 1, XBLK_EV_INTERRUPT)
		->disk = XBLK_NO_DISK;
}

/* So many of one kind, of each guest in turn, while the ordinary one goes on. */
static void some(void (*one)(unsigned int guest), unsigned int nr, unsigned int round)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (nr_guests)
			one(i % nr_guests);
		if (i % round == round - 1) {
			be_served();
			next_round();
		}
		if (nr_guests && i % 65536 == 65535)
			flush();
	}
}

int main(int argc, char **argv)
{
	static const char end[] = "{\"reason\": \"stopped\", \"duration_ns\": 1}";

	nr_guests = argc == 2 ? strtoul(argv[1], NULL, 0) : MAX_GUESTS + 1;
	if (nr_guests > MAX_GUESTS)
		return 2;
	nr_cpus = nr_guests * CPUS > STREAMS ? STREAMS / nr_guests : CPUS;
	begin();
	be_served();
	next_round();
	now += FAR_NS;
	some(names, NAMES, 1000);
	some(served, SERVED, 20);
	some(in_flight, IN_FLIGHT, 1000);
	some(others, OTHERS, 1000);
	some(waiting, WAITING, WAITING);
	next_round();
	gen_chunk(&g, XBLK_CHUNK_END, 0, 0, 0, now, end, strlen(end));
	write_out();
	return 0;
}
