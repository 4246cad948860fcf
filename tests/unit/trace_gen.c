// SPDX-License-Identifier: GPL-2.0-only
#include "trace_gen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

const char *const gen_meta_text =
	"{\"tool\": \"test\", \"host\": \"host\", \"clock_uncertainty_ns\": 500,"
	" \"backend\": {\"domid\": 0, \"nr_cpus\": 2, \"clock_uncertainty_ns\": 200,"
	"  \"disks\": [{\"index\": 0, \"dev\": \"259:0\", \"name\": \"nvme0n1\","
	"   \"scheduler\": \"none\", \"part_of\": null},"
	"   {\"index\": 1, \"dev\": \"252:0\", \"name\": \"nullb0\"},"
	"   {\"index\": 2, \"dev\": \"254:0\", \"name\": \"dm-0\"}]},"
	" \"guests\": [{\"domid\": 3, \"name\": \"guest1\", \"nr_rings\": 2,"
	"  \"clock_uncertainty_ns\": 300,"
	"  \"disks\": [{\"index\": 0, \"devid\": 51712, \"name\": \"xvda\","
	"    \"backend_disk\": 0, \"start_sector\": 0},"
	"   {\"index\": 1, \"devid\": 51728, \"name\": \"xvdb\","
	"    \"backend_disk\": 1, \"start_sector\": 2048},"
	"   {\"index\": 2, \"devid\": 51744, \"name\": \"xvdc\", \"backend_disk\": null},"
	"   {\"index\": 3, \"devid\": 51760, \"name\": \"xvdd\","
	"    \"backend_disk\": 2, \"start_sector\": 0}]}]}";

void gen_append(struct gen *g, const void *bytes, size_t len)
{
	if (g->len + len >= g->room) {
		g->room = 2 * (g->len + len) + 1024;
		g->data = realloc(g->data, g->room);
		if (!g->data)
			abort();
	}
	if (bytes)
		memcpy(g->data + g->len, bytes, len);
	else
		memset(g->data + g->len, 0, len);
	g->len += len;
}

void gen_init_bare(struct gen *g)
{
	struct xblk_trace_header h = {
		.magic = XBLK_TRACE_MAGIC,
		.version = XBLK_TRACE_VERSION_PLAIN,
		.header_size = sizeof(h),
		.endian = XBLK_TRACE_ENDIAN,
		.record_size = XBLK_RECORD_SIZE,
		.wall_ns = 1700000000000000000ull,
		.xen_ns = GEN_START,
	};

	memset(g, 0, sizeof(*g));
	h.checksum = XXH3_64bits(&h, offsetof(struct xblk_trace_header, checksum));
	gen_append(g, &h, sizeof(h));
}

void gen_init(struct gen *g)
{
	gen_init_bare(g);
	gen_chunk(g, XBLK_CHUNK_META, 0, 0, 0, 0, gen_meta_text, strlen(gen_meta_text));
	gen_process(g, 0, 0, 0, GEN_KTHREAD, "3.xvda-0", XBLK_PROCESS_KTHREAD);
}

void gen_deinit(struct gen *g)
{
	for (unsigned int i = 0; i < g->nr_streams; i++)
		free(g->streams[i].records);
	free(g->data);
}

void gen_fix_checksum(struct gen *g, size_t offset)
{
	const size_t covered = offsetof(struct xblk_chunk, checksum);
	struct xblk_chunk c;
	XXH3_state_t *state = XXH3_createState();

	memcpy(&c, g->data + offset, sizeof(c));
	XXH3_64bits_reset(state);
	XXH3_64bits_update(state, &c, covered);
	XXH3_64bits_update(state, g->data + offset + sizeof(c), c.payload);
	c.checksum = XXH3_64bits_digest(state);
	XXH3_freeState(state);
	memcpy(g->data + offset, &c, sizeof(c));
}

void gen_chunk(struct gen *g, unsigned int type, unsigned int domid, uint32_t cpu,
	       uint64_t sequence, uint64_t ns, const void *payload, size_t len)
{
	struct xblk_chunk c = {
		.magic = XBLK_CHUNK_MAGIC,
		.type = type,
		.domid = domid,
		.cpu = cpu,
		.payload = len,
		.sequence = sequence,
		.time = GEN_START + ns,
	};
	size_t offset = g->len;

	gen_append(g, &c, sizeof(c));
	if (len)
		gen_append(g, payload, len);
	gen_append(g, NULL, (32 - len % 32) % 32);
	gen_fix_checksum(g, offset);
}

void gen_pack(struct gen *g, size_t offset)
{
	struct xblk_trace_header *h;
	size_t unpacked = g->len - offset, room = ZSTD_compressBound(unpacked);
	void *packed = malloc(room);
	struct xblk_chunk c;
	size_t len = ZSTD_compress(packed, room, g->data + offset, unpacked, 1);

	if (!packed || ZSTD_isError(len))
		abort();
	g->len = offset;
	gen_chunk(g, XBLK_CHUNK_PACK, 0, 0, 0, 0, packed, len);
	memcpy(&c, g->data + offset, sizeof(c));
	c.unpacked = unpacked;
	memcpy(g->data + offset, &c, sizeof(c));
	gen_fix_checksum(g, offset);
	free(packed);
	h = (struct xblk_trace_header *)g->data;
	h->version = XBLK_TRACE_VERSION_PACKED;
	h->checksum = XXH3_64bits(h, offsetof(struct xblk_trace_header, checksum));
}

static struct gen_stream *stream(struct gen *g, unsigned int domid, unsigned int cpu)
{
	unsigned int i;

	for (i = 0; i < g->nr_streams; i++) {
		if (g->streams[i].domid == domid && g->streams[i].cpu == cpu)
			return &g->streams[i];
	}
	if (i == GEN_STREAMS)
		abort();
	g->streams[i].domid = domid;
	g->streams[i].cpu = cpu;
	g->nr_streams++;
	return &g->streams[i];
}

void gen_add(struct gen *g, unsigned int domid, unsigned int cpu,
	     const struct xblk_record *r)
{
	struct gen_stream *s = stream(g, domid, cpu);

	if (s->nr == s->room) {
		s->room = s->room ? 2 * s->room : 16;
		s->records = realloc(s->records, s->room * sizeof(*r));
		if (!s->records)
			abort();
	}
	s->records[s->nr++] = *r;
	s->produced++;
}

struct xblk_record *gen_last(struct gen *g, unsigned int domid, unsigned int cpu)
{
	struct gen_stream *s = stream(g, domid, cpu);

	return &s->records[s->nr - 1];
}

void gen_flush(struct gen *g, uint64_t ns)
{
	for (unsigned int i = 0; i < g->nr_streams; i++) {
		struct gen_stream *s = &g->streams[i];
		size_t done = 0;

		while (done < s->nr) {
			size_t nr = s->nr - done, most = XBLK_CHUNK_MAX_PAYLOAD / 32;

			if (nr > most)
				nr = most;
			gen_chunk(g, XBLK_CHUNK_DATA, s->domid, s->cpu, s->sequence, ns,
				  s->records + done, nr * sizeof(*s->records));
			s->sequence += nr;
			done += nr;
		}
		s->nr = 0;
	}
}

void gen_round(struct gen *g, uint64_t ns)
{
	gen_flush(g, ns);
	gen_chunk(g, XBLK_CHUNK_ROUND, 0, 0, 0, ns, NULL, 0);
}

void gen_skip(struct gen *g, unsigned int domid, unsigned int cpu, uint64_t nr)
{
	gen_flush(g, 0);
	stream(g, domid, cpu)->sequence += nr;
	stream(g, domid, cpu)->produced += nr;
}

/* "streams": of all, or of a domain. */
static size_t print_streams(const struct gen *g, int domid, char *text, size_t size)
{
	size_t len = snprintf(text, size, "\"streams\": [");
	const char *comma = "";

	for (unsigned int i = 0; i < g->nr_streams; i++) {
		const struct gen_stream *s = &g->streams[i];

		if (domid >= 0 && s->domid != (unsigned int)domid)
			continue;
		len += snprintf(text + len, size - len,
				"%s{\"domid\": %u, \"cpu\": %u, \"produced\": %llu,"
				" \"written\": %llu, \"lost\": %llu}",
				comma, s->domid, s->cpu,
				(unsigned long long)(s->produced + s->lost),
				(unsigned long long)s->produced,
				(unsigned long long)s->lost);
		comma = ", ";
	}
	return len + snprintf(text + len, size - len, "]");
}

void gen_gone(struct gen *g, unsigned int domid, uint64_t ns)
{
	char text[96 * GEN_STREAMS + 1024];
	size_t len;

	gen_round(g, ns);
	gen_round(g, ns);
	len = snprintf(text, sizeof(text), "{\"backend\": {\"domid\": 0}, \"ended\": {");
	len += print_streams(g, domid, text + len, sizeof(text) - len);
	len += snprintf(text + len, sizeof(text) - len,
			", \"events_sent\": [{\"domid\": %u, \"events\": 2}]}}", domid);
	gen_chunk(g, XBLK_CHUNK_META, 0, 0, 0, ns, text, len);
	for (unsigned int i = g->nr_streams; i-- > 0;) {
		if (g->streams[i].domid != domid)
			continue;
		free(g->streams[i].records);
		g->streams[i] = g->streams[--g->nr_streams];
		g->streams[g->nr_streams] = (struct gen_stream){0};
	}
}

void gen_end(struct gen *g, uint64_t ns)
{
	char text[96 * GEN_STREAMS + 1024];
	size_t len = 0;

	gen_flush(g, ns);
	len += snprintf(text, sizeof(text),
			"{\"reason\": \"stopped\", \"duration_ns\": %llu, ",
			(unsigned long long)ns);
	len += print_streams(g, -1, text + len, sizeof(text) - len);
	len += snprintf(text + len, sizeof(text) - len,
			", \"events_sent\": [{\"domid\": 3, \"events\": 0}]}");
	gen_chunk(g, XBLK_CHUNK_END, 0, 0, 0, ns, text, len);
}

/* Of what records have said so far. */
struct index_known {
	uint32_t flushed_by[GEN_GUEST + 1][GEN_STREAMS]; /* the last one's request */
	uint32_t thread_of[GEN_RINGS];			 /* by a ring's identity */
};

static uint32_t index_flags(const struct xblk_chunk *c, const uint8_t *payload,
			    struct index_known *known)
{
	uint32_t flags = c->type == XBLK_CHUNK_META ? XBLK_INDEX_META : 0;
	struct xblk_record r;

	for (size_t at = 0; c->type == XBLK_CHUNK_DATA && at < c->payload;
	     at += sizeof(r)) {
		memcpy(&r, payload + at, sizeof(r));
		flags |= r.event == XBLK_EV_PROCESS ? XBLK_INDEX_NAMES : 0;
		flags |= r.event == XBLK_EV_LOST ? XBLK_INDEX_LOSSES : 0;
		if (r.event == XBLK_EV_ISSUE && r.op == XBLK_OP_FLUSH &&
		    known->flushed_by[c->domid][c->cpu] != r.id) {
			known->flushed_by[c->domid][c->cpu] = r.id;
			flags |= XBLK_INDEX_FLUSHES;
		}
		if (r.event == XBLK_EV_RING &&
		    known->thread_of[r.id % GEN_RINGS] != r.aux) {
			known->thread_of[r.id % GEN_RINGS] = r.aux;
			flags |= XBLK_INDEX_RINGS;
		}
	}
	/* It may hold anything. */
	return c->type == XBLK_CHUNK_PACK ? XBLK_INDEX_NAMES | XBLK_INDEX_LOSSES |
						    XBLK_INDEX_FLUSHES | XBLK_INDEX_RINGS
					  : flags;
}

static void gen_index(struct gen *g, uint64_t ns, size_t row)
{
	struct xblk_index_entry *rows = malloc(XBLK_CHUNK_MAX_PAYLOAD);
	struct index_known known = {0};
	uint64_t newest = 0;
	struct xblk_chunk c;
	size_t nr = 0;

	if (!rows)
		abort();
	for (size_t at = sizeof(struct xblk_trace_header); at < g->len;
	     at += sizeof(c) + (c.payload + 31) / 32 * 32) {
		memcpy(&c, g->data + at, sizeof(c));
		if (!nr || (at - rows[nr - 1].offset >= row && c.time > newest)) {
			if (nr == XBLK_INDEX_MAX)
				abort();
			rows[nr] = (struct xblk_index_entry){at, c.time, 0, 0};
			rows[nr].flags = nr ? 0 : XBLK_INDEX_RINGS;
			nr++;
		}
		rows[nr - 1].flags |= index_flags(&c, g->data + at + sizeof(c), &known);
		newest = c.time;
	}
	gen_chunk(g, XBLK_CHUNK_INDEX, 0, 0, 0, ns, rows, nr * sizeof(*rows));
	free(rows);
}

void gen_end_indexed(struct gen *g, uint64_t ns, size_t row)
{
	uint64_t index;
	size_t end;

	gen_flush(g, ns);
	index = g->len;
	gen_index(g, ns, row);
	end = g->len;
	gen_end(g, ns);
	memcpy(g->data + end + offsetof(struct xblk_chunk, index), &index, sizeof(index));
	gen_fix_checksum(g, end);
}

void gen_event(struct gen *g, unsigned int domid, unsigned int cpu, uint64_t ns,
	       unsigned int event, unsigned int op, uint64_t sector, uint32_t nr,
	       uint32_t id, uint32_t aux)
{
	struct xblk_record r = {
		.time = GEN_START + ns,
		.sector = sector,
		.nr_sectors = nr,
		.id = id,
		.aux = aux,
		.disk = 0,
		.event = event,
		.op = op,
	};

	gen_add(g, domid, cpu, &r);
}

void gen_process(struct gen *g, unsigned int domid, unsigned int cpu, uint64_t ns,
		 uint32_t pid, const char *comm, unsigned int flags)
{
	struct xblk_record r = {
		.time = GEN_START + ns,
		.aux = pid,
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_PROCESS,
		.op = flags,
	};

	strncpy(r.comm, comm, sizeof(r.comm));
	gen_add(g, domid, cpu, &r);
}

void gen_lost(struct gen *g, unsigned int domid, unsigned int cpu, uint64_t from,
	      uint64_t until, uint64_t count)
{
	struct xblk_record r = {
		.time = GEN_START + from,
		.lost = {.until = GEN_START + until, .count = count},
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_LOST,
	};

	gen_add(g, domid, cpu, &r);
	stream(g, domid, cpu)->lost += count;
}

void gen_count_lost(struct gen *g, unsigned int domid, unsigned int cpu, uint64_t count)
{
	stream(g, domid, cpu)->lost += count;
}
