// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_STATIC_LINKING_ONLY /* XXH3_state_t on the stack */
#define XXH_INLINE_ALL		/* optimized as this file is */
#include <xxhash.h>

#include "writer.h"

#define CHUNK_ALIGN 32
#define BUFFER_SIZE (2 * XBLK_CHUNK_MAX_PAYLOAD)
#define MIN_DATA    (64 * 1024)
/* What does not get smaller makes a chunk that is not too large, too. */
#define PACK_SIZE	  (XBLK_CHUNK_MAX_PAYLOAD - 8 * 1024)
#define HEADER_SIZE	  sizeof(struct xblk_trace_header)
#define ALIGN_UP(n, unit) (((n) + (unit)-1) / (unit) * (unit))

_Static_assert(ZSTD_COMPRESSBOUND(PACK_SIZE) <= XBLK_CHUNK_MAX_PAYLOAD, "see above");

int writer_open(struct writer *w, const char *path)
{
	int err;

	*w = (struct writer){.interrupt_fd = -1};
	err = output_open(&w->out, path);
	if (err)
		return err;
	w->buf = malloc(BUFFER_SIZE);
	if (!w->buf)
		return -ENOMEM;
	/* Its pages are to be there before anything is traced: not 0, which needs none. */
	memset(w->buf, 0xff, BUFFER_SIZE);
	return index_init(&w->index);
}

int writer_compress(struct writer *w, int level)
{
	w->zstd = ZSTD_createCCtx();
	w->packed = malloc(sizeof(struct xblk_chunk) + XBLK_CHUNK_MAX_PAYLOAD);
	if (!w->zstd || !w->packed)
		return -ENOMEM;
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, level);
	return 0;
}

void writer_add_stream(struct writer *w, struct writer_stream *stream)
{
	stream->next = w->streams;
	w->streams = stream;
}

/* Return: 0 when something may be written, or -EINTR. */
static int wait_writable(struct writer *w)
{
	struct pollfd pfd[2] = {{.fd = w->out.fd, .events = POLLOUT},
				{.fd = w->interrupt_fd, .events = POLLIN}};

	if (poll(pfd, w->interrupt_fd >= 0 ? 2 : 1, -1) < 0)
		return errno == EINTR ? 0 : -errno;
	if (pfd[1].revents && w->interrupted && w->interrupted(w->arg))
		return -EINTR;
	return 0;
}

/* Return: 0 or negative errno; *@done bytes are out in either case. */
static int write_all(struct writer *w, const void *buf, size_t len, size_t *done)
{
	*done = 0;
	while (*done < len) {
		ssize_t n = write(w->out.fd, (const char *)buf + *done, len - *done);
		int err = 0;

		if (n > 0)
			*done += n;
		else if (n < 0 && errno == EAGAIN)
			err = wait_writable(w);
		else if (!n)
			err = -EIO;
		else if (errno != EINTR)
			err = -errno;
		if (err)
			return err;
	}
	return 0;
}

static size_t chunk_size(const struct xblk_chunk *chunk)
{
	return sizeof(*chunk) + ALIGN_UP(chunk->payload, CHUNK_ALIGN);
}

/* The records of a chunk that did not get into the file. */
static void take_back(struct writer *w, const struct xblk_chunk *chunk)
{
	struct writer_stream *stream;

	if (chunk->type != XBLK_CHUNK_DATA)
		return;
	for (stream = w->streams; stream; stream = stream->next)
		if (stream->domid == chunk->domid && stream->cpu == chunk->cpu)
			stream->records -= chunk->payload / XBLK_RECORD_SIZE;
}

/*
 * @done bytes were written, of the buffer or, @packed, of the chunk made of it:
 * cut the file after a whole chunk.
 */
static void cut_back(struct writer *w, size_t done, bool packed)
{
	size_t at = w->bytes ? 0 : HEADER_SIZE;
	size_t whole = done < at ? 0 : at;

	while (at < w->used) {
		const struct xblk_chunk *chunk = (const void *)(w->buf + at);

		at += chunk_size(chunk);
		if (at <= done && !packed)
			whole = at;
		else
			take_back(w, chunk);
	}
	/* A pipe cannot be cut; its reader drops the partial chunk itself. */
	if (w->out.regular && done > whole) {
		off_t end = lseek(w->out.fd, -(off_t)(done - whole), SEEK_CUR);

		if (end >= 0 && ftruncate(w->out.fd, end))
			whole = done;
	}
	w->bytes += whole;
	w->used = 0;
}

static void seal_chunk(struct xblk_chunk *chunk, const void *payload)
{
	XXH3_state_t state;

	XXH3_64bits_reset(&state);
	XXH3_64bits_update(&state, chunk, offsetof(struct xblk_chunk, checksum));
	XXH3_64bits_update(&state, payload, chunk->payload);
	chunk->checksum = XXH3_64bits_digest(&state);
}

/* Zeroes behind the payload.  Return: the size of all. */
static size_t pad_chunk(const struct xblk_chunk *chunk, unsigned char *payload)
{
	size_t size = chunk_size(chunk);

	memset(payload + chunk->payload, 0, size - sizeof(*chunk) - chunk->payload);
	return size;
}

/* The buffer's chunks as one.  Return: its size, or 0 if there is no memory. */
static size_t pack(struct writer *w)
{
	const struct xblk_chunk *first = (const void *)w->buf;
	unsigned char *payload = w->packed + sizeof(struct xblk_chunk);
	size_t len =
		ZSTD_compress2(w->zstd, payload, XBLK_CHUNK_MAX_PAYLOAD, w->buf, w->used);
	struct xblk_chunk chunk = {
		.magic = XBLK_CHUNK_MAGIC,
		.type = XBLK_CHUNK_PACK,
		.payload = len,
		.unpacked = w->used,
		.time = first->time,
	};

	if (ZSTD_isError(len))
		return 0;
	seal_chunk(&chunk, payload);
	memcpy(w->packed, &chunk, sizeof(chunk));
	return pad_chunk(&chunk, payload);
}

static int flush(struct writer *w, bool packed)
{
	const struct xblk_chunk *first = (const void *)w->buf;
	size_t len = w->used, done = 0;

	if (w->error || !len)
		return w->error;
	if (packed)
		len = pack(w);
	w->error = len ? write_all(w, packed ? w->packed : w->buf, len, &done) : -ENOMEM;
	if (w->error) {
		cut_back(w, done, packed);
		return w->error;
	}
	/* Behind the header. */
	if (w->bytes)
		index_written(&w->index, w->bytes, first->time, w->newest);
	w->bytes += len;
	w->used = 0;
	return 0;
}

int writer_flush(struct writer *w)
{
	return flush(w, w->zstd);
}

int writer_header(struct writer *w, uint64_t wall_ns, uint64_t xen_ns)
{
	struct xblk_trace_header header = {
		.magic = XBLK_TRACE_MAGIC,
		.version = w->zstd ? XBLK_TRACE_VERSION_PACKED : XBLK_TRACE_VERSION_PLAIN,
		.header_size = sizeof(header),
		.endian = XBLK_TRACE_ENDIAN,
		.record_size = XBLK_RECORD_SIZE,
		.wall_ns = wall_ns,
		.xen_ns = xen_ns,
	};

	header.checksum = XXH3_64bits(&header, offsetof(typeof(header), checksum));
	memcpy(w->buf, &header, sizeof(header));
	w->used = sizeof(header);
	return flush(w, false);
}

/* Make a chunk of the @len payload bytes that lie behind @w->used + its header. */
static void finish_chunk(struct writer *w, struct xblk_chunk chunk, bool packed)
{
	unsigned char *at = w->buf + w->used;
	unsigned char *payload = at + sizeof(chunk);

	chunk.magic = XBLK_CHUNK_MAGIC;
	/* Within a pack its checksum is theirs; one each would not get any smaller. */
	if (!packed)
		seal_chunk(&chunk, payload);
	memcpy(at, &chunk, sizeof(chunk));
	w->used += pad_chunk(&chunk, payload);
	w->newest = chunk.time;
}

/* What is left of the buffer for a chunk with its header; full, it is written out. */
static size_t buffer_room(struct writer *w, size_t at_least)
{
	size_t size = w->zstd ? PACK_SIZE : BUFFER_SIZE;

	if (size - w->used < at_least)
		writer_flush(w);
	return size - w->used;
}

void *writer_reserve(struct writer *w, size_t *max_records)
{
	size_t room;

	room = buffer_room(w, sizeof(struct xblk_chunk) + MIN_DATA) -
	       sizeof(struct xblk_chunk);
	if (w->error)
		return NULL;
	if (room > XBLK_CHUNK_MAX_PAYLOAD)
		room = XBLK_CHUNK_MAX_PAYLOAD;
	*max_records = room / XBLK_RECORD_SIZE;
	return w->buf + w->used + sizeof(struct xblk_chunk);
}

void writer_commit(struct writer *w, struct writer_stream *stream, size_t records,
		   uint64_t time)
{
	if (!records)
		return;
	index_records(&w->index, stream->domid, stream->cpu,
		      (const void *)(w->buf + w->used + sizeof(struct xblk_chunk)),
		      records);
	finish_chunk(w,
		     (struct xblk_chunk){
			     .type = XBLK_CHUNK_DATA,
			     .domid = stream->domid,
			     .cpu = stream->cpu,
			     .payload = records * XBLK_RECORD_SIZE,
			     .sequence = stream->records,
			     .time = time,
		     },
		     w->zstd);
	stream->records += records;
}

/* A chunk of other than records; @chunk says all but its length. */
static int put_chunk(struct writer *w, struct xblk_chunk chunk, const void *payload,
		     size_t len)
{
	bool packed = w->zstd && chunk.type == XBLK_CHUNK_ROUND;

	if (len > XBLK_CHUNK_MAX_PAYLOAD)
		return -EFBIG;
	/* Text stays legible, and is found without unpacking. */
	if (w->zstd && !packed)
		writer_flush(w);
	else
		buffer_room(w, sizeof(chunk) + ALIGN_UP(len, CHUNK_ALIGN));
	if (w->error)
		return w->error;
	if (len)
		memcpy(w->buf + w->used + sizeof(chunk), payload, len);
	if (chunk.type == XBLK_CHUNK_META)
		index_meta(&w->index);
	chunk.payload = len;
	finish_chunk(w, chunk, packed);
	return w->zstd && !packed ? flush(w, false) : 0;
}

int writer_chunk(struct writer *w, enum xblk_chunk_type type, const void *payload,
		 size_t len, uint64_t time)
{
	return put_chunk(w, (struct xblk_chunk){.type = type, .time = time}, payload,
			 len);
}

/* Return: where it is, 0 if it could not be written. */
static uint64_t write_index(struct writer *w, uint64_t time)
{
	const struct index *index = &w->index;
	uint64_t offset = w->bytes;

	put_chunk(w, (struct xblk_chunk){.type = XBLK_CHUNK_INDEX, .time = time},
		  index->entries, index->nr * sizeof(*index->entries));
	return writer_flush(w) ? 0 : offset;
}

/* The file without what is from @offset on.  Return: 0 or negative errno. */
static int cut_at(struct writer *w, uint64_t offset)
{
	off_t end = lseek(w->out.fd, -(off_t)(w->bytes - offset), SEEK_CUR);

	if (end < 0 || ftruncate(w->out.fd, end))
		return -errno;
	w->bytes = offset;
	return 0;
}

static int write_last(struct writer *w, struct xblk_chunk chunk, const void *payload,
		      size_t len)
{
	int err;

	w->error = 0;
	err = put_chunk(w, chunk, payload, len);
	return err ? err : writer_flush(w);
}

int writer_last_chunk(struct writer *w, enum xblk_chunk_type type, const void *payload,
		      size_t len, uint64_t time)
{
	struct xblk_chunk chunk = {.type = type, .time = time};
	int first = writer_flush(w);
	int err;

	if (!first)
		chunk.index = write_index(w, time);
	if (w->error && !w->out.regular)
		return w->error;
	/* A trace that lacks no more than its index is a good one. */
	err = write_last(w, chunk, payload, len);
	if (err && w->out.regular && chunk.index && !cut_at(w, chunk.index)) {
		chunk.index = 0;
		err = write_last(w, chunk, payload, len);
	}
	w->error = first ? first : err;
	return err;
}

int writer_close(struct writer *w)
{
	int err;

	if (w->out.fd >= 0 && w->buf)
		writer_flush(w);
	err = output_close(&w->out);
	if (err && !w->error)
		w->error = err;
	free(w->buf);
	free(w->packed);
	index_deinit(&w->index);
	ZSTD_freeCCtx(w->zstd);
	w->buf = w->packed = NULL;
	w->zstd = NULL;
	return w->error;
}
