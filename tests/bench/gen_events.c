// SPDX-License-Identifier: GPL-2.0-only
/*
 * One stream of events -> a trace of ours and blktrace's per-CPU files.
 *
 * A guest's requests go one to one through dom0's disk, a fixed number of them
 * in flight at all times: Q and D in the guest, Q, D and C in dom0, C in the
 * guest, each after a random time, on a random CPU of its side.  For blktrace
 * the guest's disk and dom0's are two devices of one machine.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/blktrace_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

#include <xblk/trace.h>

#define NR_CPUS	       2
#define START_NS       1000000000ull
#define GUEST	       3
#define GUEST_PID      500
#define THREAD_PID     77
#define EVENTS_A_ROUND 16384
#define PACK_SIZE      (XBLK_CHUNK_MAX_PAYLOAD - 8 * 1024) /* these two as xblktrace's */
#define PACK_LEVEL     1
#define GUEST_DEV      ((8u << 20) | 0)
#define DOM0_DEV       ((259u << 20) | 0)

enum {
	SIDE_GUEST,
	SIDE_DOM0,
	SIDES
};

static const struct step {
	uint8_t side, event;
	uint32_t blk_action;
} steps[] = {
	{SIDE_GUEST, XBLK_EV_QUEUE, BLK_TA_QUEUE},
	{SIDE_GUEST, XBLK_EV_ISSUE, BLK_TA_ISSUE},
	{SIDE_DOM0, XBLK_EV_QUEUE, BLK_TA_QUEUE},
	{SIDE_DOM0, XBLK_EV_ISSUE, BLK_TA_ISSUE},
	{SIDE_DOM0, XBLK_EV_COMPLETE, BLK_TA_COMPLETE},
	{SIDE_GUEST, XBLK_EV_COMPLETE, BLK_TA_COMPLETE},
};

#define NR_STEPS (sizeof(steps) / sizeof(steps[0]))

struct request {
	uint64_t time; /* of its next event */
	uint64_t sector;
	uint32_t slot, step;
	bool write;
};

struct stream {
	struct xblk_record *records;
	size_t nr, room;
	uint64_t sequence;
	FILE *blktrace;
	uint32_t blk_sequence;
};

/* dom0's, then each guest's. */
static struct stream *streams;
static unsigned int nr_guests = 1, guest_cpus = NR_CPUS;
static uint64_t round_events = EVENTS_A_ROUND;
static uint64_t random_state;
static uint64_t step_ns = 8192; /* the longest time between two events of a request */
static FILE *trace;
static bool compress;
static uint8_t pack[PACK_SIZE] __attribute__((aligned(32)));
static size_t pack_used;

static uint64_t next_random(void)
{
	uint64_t z = (random_state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static void put(FILE *f, const void *bytes, size_t len)
{
	if (fwrite(bytes, 1, len, f) == len)
		return;
	perror("gen_events: writing");
	exit(1);
}

static unsigned int nr_streams(void)
{
	return NR_CPUS + nr_guests * guest_cpus;
}

static struct stream *stream_of(unsigned int side, unsigned int guest, unsigned int cpu)
{
	return &streams[side == SIDE_DOM0 ? cpu : NR_CPUS + guest * guest_cpus + cpu];
}

static struct xblk_record *next_record(struct stream *s)
{
	if (s->nr == s->room) {
		s->room = s->room ? 2 * s->room : 16;
		s->records = realloc(s->records, s->room * sizeof(*s->records));
		if (!s->records)
			exit(1);
	}
	return &s->records[s->nr++];
}

static const char padding[32];

static size_t padding_of(size_t len)
{
	return (32 - len % 32) % 32;
}

static void write_chunk(struct xblk_chunk c, const void *payload)
{
	XXH3_state_t *state = XXH3_createState();

	XXH3_64bits_reset(state);
	XXH3_64bits_update(state, &c, offsetof(struct xblk_chunk, checksum));
	XXH3_64bits_update(state, payload, c.payload);
	c.checksum = XXH3_64bits_digest(state);
	XXH3_freeState(state);
	put(trace, &c, sizeof(c));
	put(trace, payload, c.payload);
	put(trace, padding, padding_of(c.payload));
}

static void write_pack(void)
{
	static uint8_t packed[ZSTD_COMPRESSBOUND(PACK_SIZE)];
	const struct xblk_chunk *first = (const void *)pack;
	size_t len;

	if (!pack_used)
		return;
	len = ZSTD_compress(packed, sizeof(packed), pack, pack_used, PACK_LEVEL);
	if (ZSTD_isError(len)) {
		fputs("gen_events: compressing failed\n", stderr);
		exit(1);
	}
	write_chunk(
		(struct xblk_chunk){
			.magic = XBLK_CHUNK_MAGIC,
			.type = XBLK_CHUNK_PACK,
			.payload = len,
			.unpacked = pack_used,
			.time = first->time,
		},
		packed);
	pack_used = 0;
}

static void add_to_pack(const void *bytes, size_t len)
{
	memcpy(pack + pack_used, bytes, len);
	pack_used += len;
}

static void chunk(unsigned int type, unsigned int domid, unsigned int cpu,
		  uint64_t sequence, uint64_t time, const void *payload, size_t len)
{
	struct xblk_chunk c = {
		.magic = XBLK_CHUNK_MAGIC,
		.type = type,
		.domid = domid,
		.cpu = cpu,
		.payload = len,
		.sequence = sequence,
		.time = time,
	};

	if (!compress || (type != XBLK_CHUNK_DATA && type != XBLK_CHUNK_ROUND)) {
		write_pack();
		write_chunk(c, payload);
		return;
	}
	if (PACK_SIZE - pack_used < sizeof(c) + len + padding_of(len))
		write_pack();
	add_to_pack(&c, sizeof(c));
	add_to_pack(payload, len);
	add_to_pack(padding, padding_of(len));
}

static unsigned int domid_of(unsigned int stream)
{
	return stream < NR_CPUS ? 0 : GUEST + (stream - NR_CPUS) / guest_cpus;
}

static unsigned int cpu_of(unsigned int stream)
{
	return stream < NR_CPUS ? stream : (stream - NR_CPUS) % guest_cpus;
}

static void flush_round(uint64_t time)
{
	if (!trace)
		return;
	for (unsigned int i = 0; i < nr_streams(); i++) {
		struct stream *s = &streams[i];

		if (s->nr)
			chunk(XBLK_CHUNK_DATA, domid_of(i), cpu_of(i), s->sequence, time,
			      s->records, s->nr * sizeof(s->records[0]));
		s->sequence += s->nr;
		s->nr = 0;
	}
	chunk(XBLK_CHUNK_ROUND, 0, 0, 0, time, "", 0);
}

static void begin_trace(void)
{
	char *meta = malloc(256 + 160ul * nr_guests);
	int len;
	struct xblk_trace_header h = {
		.magic = XBLK_TRACE_MAGIC,
		.version = compress ? XBLK_TRACE_VERSION_PACKED
				    : XBLK_TRACE_VERSION_PLAIN,
		.header_size = sizeof(h),
		.endian = XBLK_TRACE_ENDIAN,
		.record_size = XBLK_RECORD_SIZE,
		.wall_ns = 1700000000000000000ull,
		.xen_ns = START_NS,
	};

	h.checksum = XXH3_64bits(&h, offsetof(struct xblk_trace_header, checksum));
	put(trace, &h, sizeof(h));
	if (!meta)
		exit(1);
	len = sprintf(meta,
		      "{\"tool\": \"gen_events\", \"backend\": {\"domid\": 0, \"disks\":"
		      " [{\"index\": 0, \"dev\": \"259:0\", \"name\": \"nvme0n1\"}]},"
		      " \"guests\": [");
	for (unsigned int i = 0; i < nr_guests; i++)
		len += sprintf(meta + len,
			       "%s{\"domid\": %u, \"name\": \"guest\", \"disks\":"
			       " [{\"index\": 0, \"devid\": 51712, \"name\": \"xvda\","
			       " \"backend_disk\": 0, \"start_sector\": 0}]}",
			       i ? ", " : "", GUEST + i);
	len += sprintf(meta + len, "]}");
	chunk(XBLK_CHUNK_META, 0, 0, 0, START_NS, meta, len);
	free(meta);
	for (unsigned int i = 0; i < NR_CPUS * nr_guests; i++) {
		struct xblk_record *r = next_record(&streams[i % NR_CPUS]);
		char comm[32];

		*r = (struct xblk_record){
			.time = START_NS,
			.aux = THREAD_PID + i / NR_CPUS,
			.disk = XBLK_NO_DISK,
			.event = XBLK_EV_PROCESS,
			.op = XBLK_PROCESS_KTHREAD,
		};
		snprintf(comm, sizeof(comm), "%u.xvda-0", GUEST + i / NR_CPUS);
		memcpy(r->comm, comm, strnlen(comm, XBLK_COMM_LEN - 1));
	}
}

static void end_trace(uint64_t time)
{
	char *text = malloc(256 + 128ul * nr_streams());
	int len;

	if (!text)
		exit(1);
	len = sprintf(text,
		      "{\"reason\": \"timeout\", \"duration_ns\": %llu, \"streams\": [",
		      (unsigned long long)(time - START_NS));

	for (unsigned int i = 0; i < nr_streams(); i++) {
		unsigned long long n = streams[i].sequence;

		len += sprintf(text + len,
			       "%s{\"domid\": %u, \"cpu\": %u, \"produced\": %llu,"
			       " \"written\": %llu, \"lost\": 0}",
			       i ? ", " : "", domid_of(i), cpu_of(i), n, n);
	}
	len += sprintf(text + len, "]}");
	chunk(XBLK_CHUNK_END, 0, 0, 0, time, text, len);
	free(text);
}

static void add_record(const struct request *r, uint64_t bits)
{
	const struct step *step = &steps[r->step];
	unsigned int guest = r->slot % nr_guests;
	unsigned int cpu = bits % (step->side == SIDE_GUEST ? guest_cpus : NR_CPUS);
	struct stream *s = stream_of(step->side, guest, cpu);
	/* Identities are what a hash makes of addresses that are used again. */
	uint32_t bio = (2 * r->slot + step->side + 1) * 0x9e3779b1u;
	uint32_t rq = (2 * r->slot + step->side + 1) * 0x85ebca6bu;
	struct xblk_record *to = next_record(s);

	*to = (struct xblk_record){
		.time = r->time,
		.sector = r->sector,
		.nr_sectors = 8,
		.id = step->event == XBLK_EV_QUEUE ? bio : rq,
		.event = step->event,
		.op = r->write ? XBLK_OP_WRITE : XBLK_OP_READ,
	};
	if (step->event == XBLK_EV_QUEUE)
		to->aux = step->side == SIDE_GUEST ? GUEST_PID : THREAD_PID + guest;
	else if (step->event == XBLK_EV_ISSUE)
		to->aux = bio;
}

static void add_blktrace(const struct request *r, unsigned int cpu)
{
	const struct step *step = &steps[r->step];
	struct stream *s = stream_of(step->side, 0, cpu);
	struct blk_io_trace t = {
		.magic = BLK_IO_TRACE_MAGIC | BLK_IO_TRACE_VERSION,
		.sequence = ++s->blk_sequence,
		.time = r->time - START_NS,
		.sector = r->sector,
		.bytes = 8 * 512,
		.action = step->blk_action |
			  BLK_TC_ACT(r->write ? BLK_TC_WRITE : BLK_TC_READ),
		.pid = step->side == SIDE_GUEST ? GUEST_PID : THREAD_PID,
		.device = step->side == SIDE_GUEST ? GUEST_DEV : DOM0_DEV,
		.cpu = cpu,
	};

	put(s->blktrace, &t, sizeof(t));
}

static void begin_blktrace(const char *dir)
{
	static const char *const names[SIDES] = {"xvda", "nvme0n1"};
	char path[4096];

	for (unsigned int i = 0; i < nr_streams(); i++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s.blktrace.%u", dir,
			 names[!domid_of(i)], cpu_of(i));
		f = fopen(path, "we");
		if (!f) {
			perror(path);
			exit(1);
		}
		streams[i].blktrace = f;
	}
}

static void start(struct request *r, uint64_t now)
{
	uint64_t bits = next_random();

	r->time = now + 1 + bits % step_ns;
	r->sector = (bits >> 16) % (1ull << 28) * 8;
	r->write = bits >> 63;
	r->step = 0;
}

/* The heap's first request has another time now. */
static void sift_down(struct request *heap, unsigned int nr)
{
	struct request r = heap[0];
	unsigned int i = 0;

	for (;;) {
		unsigned int child = 2 * i + 1;

		if (child >= nr)
			break;
		if (child + 1 < nr && heap[child + 1].time < heap[child].time)
			child++;
		if (heap[child].time >= r.time)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = r;
}

static void generate(uint64_t nr_events, unsigned int depth, bool blktrace)
{
	struct request *heap = calloc(depth, sizeof(*heap));
	uint64_t left = (nr_events + NR_STEPS - 1) / NR_STEPS, now = START_NS, n = 0;
	unsigned int nr;

	if (!heap)
		exit(1);
	if (left < depth)
		depth = left;
	left -= depth;
	for (nr = 0; nr < depth; nr++) {
		heap[nr].slot = nr;
		start(&heap[nr], START_NS);
	}
	for (unsigned int i = 1; i < nr; i++) {
		for (unsigned int at = i; at && heap[at].time < heap[(at - 1) / 2].time;
		     at = (at - 1) / 2) {
			struct request parent = heap[(at - 1) / 2];

			heap[(at - 1) / 2] = heap[at];
			heap[at] = parent;
		}
	}
	while (nr) {
		struct request *r = &heap[0];
		uint64_t bits = next_random();
		unsigned int cpu = bits % NR_CPUS;

		now = r->time;
		if (trace)
			add_record(r, bits);
		if (blktrace)
			add_blktrace(r, cpu);
		if (++n % round_events == 0)
			flush_round(now);
		r->time += 1 + (bits >> 32) % step_ns;
		if (++r->step == NR_STEPS) {
			if (left) {
				left--;
				start(r, now);
			} else {
				heap[0] = heap[--nr];
			}
		}
		if (nr)
			sift_down(heap, nr);
	}
	flush_round(now + 1);
	if (trace)
		end_trace(now + 1);
	free(heap);
}

static int usage(void)
{
	fputs("usage: gen_events [-n EVENTS] [-q IN_FLIGHT] [-s SEED] [-l STEP_NS] [-f FIRST]\n"
	      "                  [-g GUESTS] [-c CPUS] [-r EVENTS]\n"
	      "                  [-x TRACE [-z]] [-b DIR]\n"
	      "STEP_NS: the longest time between two events of a request; FIRST: how many\n"
	      "records of each stream come before the trace's first ones, and are missing;\n"
	      "CPUS: of each of the GUESTS, without -b; EVENTS:\n"
	      "of a round; -z: the trace is compressed\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	const char *path = NULL, *dir = NULL;
	uint64_t nr_events = 10000000, first = 0;
	unsigned int depth = 256;
	int c;

	while ((c = getopt(argc, argv, "n:q:s:l:f:g:c:r:x:zb:")) != -1) {
		switch (c) {
		case 'n':
			nr_events = strtoull(optarg, NULL, 0);
			break;
		case 'q':
			depth = strtoul(optarg, NULL, 0);
			break;
		case 's':
			random_state = strtoull(optarg, NULL, 0);
			break;
		case 'l':
			step_ns = strtoull(optarg, NULL, 0);
			break;
		case 'f':
			first = strtoull(optarg, NULL, 0);
			break;
		case 'g':
			nr_guests = strtoul(optarg, NULL, 0);
			break;
		case 'c':
			guest_cpus = strtoul(optarg, NULL, 0);
			break;
		case 'r':
			round_events = strtoull(optarg, NULL, 0);
			break;
		case 'x':
			path = optarg;
			break;
		case 'z':
			compress = true;
			break;
		case 'b':
			dir = optarg;
			break;
		default:
			return usage();
		}
	}
	if (optind < argc || !nr_events || !depth || !step_ns || (!path && !dir) ||
	    !nr_guests || nr_guests > 10000 || !guest_cpus || guest_cpus > 64 ||
	    !round_events || (dir && (nr_guests > 1 || guest_cpus != NR_CPUS)))
		return usage();
	streams = calloc(nr_streams(), sizeof(*streams));
	if (!streams)
		return 1;
	for (unsigned int i = 0; i < nr_streams(); i++)
		streams[i].sequence = first;
	if (path) {
		trace = strcmp(path, "-") ? fopen(path, "we") : stdout;
		if (!trace) {
			perror(path);
			return 1;
		}
		begin_trace();
	}
	if (dir)
		begin_blktrace(dir);
	generate(nr_events, depth, dir);
	for (unsigned int i = 0; dir && i < nr_streams(); i++) {
		if (fclose(streams[i].blktrace)) {
			perror(dir);
			return 1;
		}
	}
	if (trace && fclose(trace)) {
		perror(path);
		return 1;
	}
	return 0;
}
