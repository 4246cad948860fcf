// SPDX-License-Identifier: GPL-2.0-only
#include "input/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
/* By itself XXH3 keeps to what every x86-64 has; with this, to what this one has. */
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#endif

#include "base/util.h"

/* Grows with the chunks; what it holds should stay in the cache until it is used. */
#define BUF_SIZE   (64u << 10)
#define READ_SIZE  BUF_SIZE /* beyond it only what is wanted: the rest would be moved */
#define MAX_HEADER 4096
/*
 * What is hashed of would-be chunks whose checksum is wrong: each may cost the
 * hashing of a whole chunk for a few bytes of trace, so there is an end.
 */
#define WASTE_MIN    (1ull << 30)
#define WASTE_FACTOR 4

bool reader_trust_checksums;

void reader_init(struct reader *r, reader_read_fn read, void *ctx)
{
	memset(r, 0, sizeof(*r));
	r->read = read;
	r->ctx = ctx;
	r->tell = &tell_nobody;
	r->size = BUF_SIZE;
	r->buf = xaligned_alloc(64, r->size);
}

void reader_deinit(struct reader *r)
{
	ahead_free(r->ahead);
	unpack_deinit(&r->unpack);
	free(r->buf);
	r->buf = NULL;
}

/* What is in the buffer to its start, and room for @want bytes there. */
static void make_room(struct reader *r, size_t want)
{
	uint8_t *old = r->buf;
	size_t len = r->end - r->start;

	if (want > r->size) {
		while (r->size < want)
			r->size *= 2;
		r->buf = xaligned_alloc(64, r->size);
		memcpy(r->buf, old + r->start, len);
		free(old);
	} else {
		memmove(r->buf, r->buf + r->start, len);
	}
	r->start = 0;
	r->end = len;
}

static bool read_more(struct reader *r, size_t want)
{
	r->waits = false;
	while (r->end - r->start < want && !r->eof) {
		size_t size;
		ssize_t n;

		if (r->size - r->start < want)
			make_room(r, want);
		size = max_u64(r->start + want - r->end, READ_SIZE);
		n = r->read(r->ctx, r->buf + r->end, min_u64(size, r->size - r->end));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			r->waits = true;
			break;
		}
		if (n < 0)
			r->error = errno ? errno : EIO;
		if (n <= 0)
			r->eof = true;
		else
			r->end += n;
	}
	return r->end - r->start >= want;
}

/* Have at least @want bytes at buf[start], if the trace has them. */
static inline bool fill(struct reader *r, size_t want)
{
	return r->end - r->start >= want || read_more(r, want);
}

static void consume(struct reader *r, size_t n)
{
	r->start += n;
	r->offset += n;
	/* Chunks stay aligned in the buffer if it is refilled at its start. */
	if (r->start == r->end)
		r->start = r->end = 0;
}

int reader_open(struct reader *r)
{
	struct xblk_trace_header *h = &r->header;

	if (!fill(r, sizeof(*h))) {
		if (r->waits)
			return -EAGAIN;
		if (r->error)
			tell(r->tell, "input: %s", strerror(r->error));
		else if (r->end == 0)
			tell(r->tell, "input: it is empty");
		else
			tell(r->tell, "input: %zu bytes are too short for a trace",
			     r->end);
		return -1;
	}
	memcpy(h, r->buf, sizeof(*h));
	if (h->magic == __builtin_bswap64(XBLK_TRACE_MAGIC) ||
	    (h->magic == XBLK_TRACE_MAGIC &&
	     h->endian == __builtin_bswap32(XBLK_TRACE_ENDIAN)))
		return tell(r->tell,
			    "input: written on a machine of the other byte order");
	if (h->magic != XBLK_TRACE_MAGIC)
		return tell(r->tell, "input: not a trace of xblktrace");
	if (h->version > XBLK_TRACE_VERSION)
		return tell(
			r->tell,
			"input: format %u is newer than this xblkparse, which knows %u",
			h->version, XBLK_TRACE_VERSION);
	if (!reader_trust_checksums &&
	    h->checksum != XXH3_64bits(h, offsetof(struct xblk_trace_header, checksum)))
		return tell(r->tell,
			    "input: the header is damaged: its checksum does not match");
	if (h->version == 0 || h->endian != XBLK_TRACE_ENDIAN ||
	    h->record_size != XBLK_RECORD_SIZE || h->header_size < sizeof(*h) ||
	    h->header_size > MAX_HEADER || h->header_size % CHUNK_ALIGN)
		return tell(r->tell, "input: the header makes no sense");
	if (!fill(r, h->header_size) && r->waits)
		return -EAGAIN;
	if (r->end - r->start < h->header_size)
		return tell(r->tell, "input: it ends inside its header");
	consume(r, h->header_size);
	if (r->go_ahead && h->version >= XBLK_TRACE_VERSION_PACKED)
		r->ahead = ahead_new();
	return 0;
}

#define COVERED offsetof(struct xblk_chunk, checksum) /* of the header */

/* A chunk may have one record: these are a few registers, where memmove() is a call. */
static void move_covered(void *to, const void *from)
{
	typedef uint64_t pair __attribute__((vector_size(16), aligned(8), may_alias));
	const pair *p = from;
	const pair first = p[0], second = p[1], third = p[2];
	const uint64_t last = *(const uint64_t *)(p + 3);

	_Static_assert(COVERED == 3 * sizeof(pair) + sizeof(last), "all of it is moved");
	((pair *)to)[0] = first;
	((pair *)to)[1] = second;
	((pair *)to)[2] = third;
	*(uint64_t *)((pair *)to + 3) = last;
}

/* To hash two pieces as one takes longer than to have them in one for a while. */
bool chunk_intact(struct xblk_chunk *c)
{
	const uint64_t stated = c->checksum;
	const size_t size = COVERED + c->payload;
	uint8_t *whole = (uint8_t *)(c + 1) - COVERED;
	uint64_t sum;

	if (reader_trust_checksums)
		return true;
	move_covered(whole, c);
	sum = XXH3_64bits(whole, size);
	move_covered(c, whole);
	c->checksum = stated;
	return sum == stated;
}

static const char *type_name(unsigned int type)
{
	switch (type) {
	case XBLK_CHUNK_META:
		return "metadata";
	case XBLK_CHUNK_DATA:
		return "data";
	case XBLK_CHUNK_ROUND:
		return "round";
	case XBLK_CHUNK_END:
		return "end";
	case XBLK_CHUNK_PACK:
		return "packed";
	default:
		return "unknown";
	}
}

/* The first finding of a stretch names it; the rest follows from it. */
static void damage(struct reader *r, const struct xblk_chunk *c, const char *why)
{
	if (r->in_damage)
		return;
	r->in_damage = true;
	r->damage_offset = r->offset;
	if (c && c->type == XBLK_CHUNK_DATA)
		snprintf(r->damage_what, sizeof(r->damage_what),
			 "data chunk of domain %u, cpu %u: %s", c->domid, c->cpu, why);
	else if (c)
		snprintf(r->damage_what, sizeof(r->damage_what), "%s chunk: %s",
			 type_name(c->type), why);
	else
		snprintf(r->damage_what, sizeof(r->damage_what), "%s", why);
}

static void damage_ends(struct reader *r)
{
	if (!r->in_damage)
		return;
	r->in_damage = false;
	r->damaged++;
	r->damaged_bytes += r->offset - r->damage_offset;
	tell(r->tell, "input: bytes %" PRIu64 " to %" PRIu64 " cannot be used: %s",
	     r->damage_offset, r->offset, r->damage_what);
}

static bool magic_at(struct reader *r, size_t at)
{
	uint32_t magic;

	if (!fill(r, at + sizeof(magic)))
		return false;
	memcpy(&magic, r->buf + r->start + at, sizeof(magic));
	return magic == XBLK_CHUNK_MAGIC;
}

static struct xblk_chunk *at_start(const struct reader *r)
{
	return (struct xblk_chunk *)(r->buf + r->start);
}

/*
 * How far to go on from a place where no good chunk is, but @c, which may move; 0: that
 * is not known so far.
 */
static size_t next_try(struct reader *r, const struct xblk_chunk *c)
{
	size_t total = chunk_size(c->payload);

	/*
	 * Prefer the length that the header states over a search: what lies
	 * between are a guest's records, which could look like a chunk.
	 */
	if (c->magic == XBLK_CHUNK_MAGIC && c->payload <= XBLK_CHUNK_MAX_PAYLOAD) {
		if (magic_at(r, total))
			return total;
		if (r->waits)
			return 0;
		if (r->eof && r->end - r->start == total)
			return total;
	}
	return CHUNK_ALIGN;
}

static int at_end(struct reader *r)
{
	size_t rest = r->end - r->start;

	if (rest) {
		damage(r, NULL, "the trace ends in the middle of a chunk");
		consume(r, rest);
	}
	damage_ends(r);
	return r->error ? -1 : 0;
}

/* The rest is more likely made to cost time than a trace. */
static int give_up(struct reader *r)
{
	damage_ends(r);
	tell(r->tell,
	     "input: from byte %" PRIu64 " on it is not read: too much of it only "
	     "looks like chunks",
	     r->offset);
	r->damaged++;
	r->eof = true;
	consume(r, r->end - r->start);
	return 0;
}

/* Give the packs behind the one that is being read to be unpacked. */
static void look_ahead(struct reader *r)
{
	struct xblk_chunk c;
	size_t at = r->step;

	if (r->given_to > r->offset + at)
		at = r->given_to - r->offset;
	while (ahead_has_room(r->ahead) && fill(r, at + sizeof(c))) {
		memcpy(&c, r->buf + r->start + at, sizeof(c));
		if (c.magic != XBLK_CHUNK_MAGIC || c.type != XBLK_CHUNK_PACK ||
		    c.payload > XBLK_CHUNK_MAX_PAYLOAD ||
		    !fill(r, at + sizeof(c) + c.payload))
			return;
		ahead_give(r->ahead, r->offset + at, &c,
			   r->buf + r->start + at + sizeof(c));
		at += chunk_size(c.payload);
		r->given_to = r->offset + at;
	}
}

static const char *unpack(struct reader *r, const struct xblk_chunk *pack)
{
	const char *why;

	if (r->ahead && ahead_take(r->ahead, r->offset, &r->unpack, &why))
		return why;
	return unpack_begin(&r->unpack, pack, pack + 1);
}

/*
 * Whether another trace was put behind this one: its header is where a chunk should be.
 * In a stretch that is damaged it may be what a guest wrote.
 */
static bool header_at_start(const struct reader *r)
{
	struct xblk_trace_header h;

	_Static_assert(sizeof(h) <= sizeof(struct xblk_chunk), "it is there");
	memcpy(&h, r->buf + r->start, sizeof(h));
	return !r->in_damage && h.magic == XBLK_TRACE_MAGIC &&
	       h.checksum ==
		       XXH3_64bits(&h, offsetof(struct xblk_trace_header, checksum));
}

/* Why the chunk at buf[start], as far as it is there, is of no use; or NULL. */
static const char *why_not(struct reader *r, struct xblk_chunk *c)
{
	if (c->payload > XBLK_CHUNK_MAX_PAYLOAD)
		return "its length is out of bounds";
	if (r->end - r->start < sizeof(*c) + c->payload)
		return "the trace ends in the middle of it";
	if (!chunk_intact(c)) {
		r->wasted += c->payload;
		return "its checksum does not match";
	}
	if (c->flags)
		return "its flags are of a newer format than this xblkparse knows";
	return c->type == XBLK_CHUNK_PACK ? unpack(r, c) : NULL;
}

/* It is good: what is handed out of it. */
static const struct xblk_chunk *hand_out(struct reader *r, const struct xblk_chunk *c)
{
	damage_ends(r);
	r->step = min_u64(r->end - r->start, chunk_size(c->payload));
	if (c->type != XBLK_CHUNK_PACK)
		return c;
	if (r->ahead)
		look_ahead(r);
	return unpack_next(&r->unpack);
}

int reader_next(struct reader *r, const struct xblk_chunk **to)
{
	if (!unpack_over(&r->unpack)) {
		*to = unpack_next(&r->unpack);
		return 1;
	}
	consume(r, r->step);
	r->step = 0;
	for (;;) {
		struct xblk_chunk *c;
		const char *why;
		size_t step;

		if (!fill(r, sizeof(*c)))
			return r->waits ? -EAGAIN : at_end(r);
		if (r->wasted > WASTE_MIN &&
		    r->wasted / WASTE_FACTOR > r->offset - r->left_out)
			return give_up(r);
		c = at_start(r);
		if (c->magic != XBLK_CHUNK_MAGIC && header_at_start(r)) {
			if (!r->another)
				r->another = r->offset;
			consume(r, sizeof(r->header));
			continue;
		}
		if (c->magic != XBLK_CHUNK_MAGIC) {
			damage(r, NULL, "it does not begin like a chunk");
			consume(r, CHUNK_ALIGN);
			continue;
		}
		if (c->payload <= XBLK_CHUNK_MAX_PAYLOAD &&
		    !fill(r, chunk_size(c->payload)) && r->waits)
			return -EAGAIN;
		c = at_start(r);
		why = why_not(r, c);
		if (!why) {
			*to = hand_out(r, c);
			return 1;
		}
		damage(r, c, why);
		step = next_try(r, c);
		if (!step)
			return -EAGAIN;
		consume(r, step);
	}
}

bool reader_where(const struct reader *r, uint64_t *offset)
{
	*offset = r->offset + r->step;
	return unpack_over(&r->unpack);
}

void reader_seek(struct reader *r, uint64_t offset)
{
	consume(r, r->step);
	r->step = 0;
	damage_ends(r);
	if (offset - r->offset <= r->end - r->start) {
		consume(r, offset - r->offset);
		return;
	}
	r->left_out += offset - r->offset;
	r->start = r->end = 0;
	r->offset = offset;
	r->eof = false;
	if (r->seek(r->ctx, offset)) {
		r->error = errno;
		r->eof = true;
	}
}
