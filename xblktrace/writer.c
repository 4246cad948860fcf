// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <xxhash.h>

#include "chunk.h"
#include "pack.h"
#include "writer.h"

/* How often who waits is asked whether he does. */
#define WAIT_STEP_MS 50

#define MIN_DATA (64 * 1024)
/* With more blocks than that on their way only full ones are handed over. */
#define FLUSH_BEHIND 2
/* What a ROUND takes: nothing else may have the last of a block. */
#define ROUND_ROOM sizeof(struct xblk_chunk)

_Static_assert(XBLK_CHUNK_MAX_PAYLOAD + sizeof(struct xblk_chunk) + ROUND_ROOM <=
		       SINK_BLOCK_SIZE,
	       "the largest chunk fits a block");

static int begin(struct writer *w, unsigned int nr_blocks)
{
	int err = index_init(&w->index);

	if (err)
		return err;
	w->sink = sink_new(&w->out, nr_blocks);
	return w->sink ? 0 : -ENOMEM;
}

int writer_open(struct writer *w, const char *path)
{
	int err;

	*w = (struct writer){0};
	err = output_open(&w->out, path);
	return err ? err : begin(w, SINK_BLOCKS);
}

int writer_open_socket(struct writer *w, int fd, const char *name, unsigned int nr_blocks)
{
	*w = (struct writer){.out = {.fd = fd, .path = name, .socket = true}};
	return begin(w, nr_blocks);
}

int writer_compress(struct writer *w, int level, unsigned int nr_threads)
{
	w->packs = true;
	return sink_pack(w->sink, level, nr_threads);
}

int writer_rotate(struct writer *w, uint64_t max_bytes, unsigned int nr_files)
{
	if (!w->out.made || !nr_files)
		return -EINVAL;
	w->max_bytes = max_bytes;
	w->nr_files = nr_files;
	return 0;
}

uint64_t writer_marks(const struct writer_stream *stream)
{
	return stream->marks < stream->records ? stream->marks : stream->records;
}

void writer_add_stream(struct writer *w, struct writer_stream *stream)
{
	stream->nr = w->nr_streams++;
	stream->next = w->streams;
	w->streams = stream;
}

unsigned int writer_count_streams(const struct writer *w)
{
	const struct writer_stream *stream;
	unsigned int nr = 0;

	for (stream = w->streams; stream; stream = stream->next)
		nr++;
	return nr;
}

void writer_remove_streams(struct writer *w, uint16_t domid)
{
	struct writer_stream **link = &w->streams;

	while (*link) {
		if ((*link)->domid == domid)
			*link = (*link)->next;
		else
			link = &(*link)->next;
	}
	index_forget(&w->index, domid);
}

uint64_t writer_position(const struct writer *w)
{
	return w->handed + !!writer_used(w);
}

bool writer_is_out(const struct writer *w, uint64_t position)
{
	unsigned int pending = sink_nr_blocks(w->sink) - 1 - sink_nr_free(w->sink);

	return !writer_error(w) && w->handed - pending >= position;
}

int writer_error(const struct writer *w)
{
	return w->sink ? sink_error(w->sink) : 0;
}

enum output_name writer_name(const struct writer *w)
{
	return sink_name(w->sink);
}

uint64_t writer_bytes_out(const struct writer *w)
{
	return sink_bytes(w->sink);
}

size_t writer_used(const struct writer *w)
{
	return sink_block(w->sink)->used;
}

bool writer_ready(const struct writer *w)
{
	return sink_ready(w->sink);
}

int writer_fd(const struct writer *w)
{
	return sink_fd(w->sink);
}

bool writer_refused(struct writer *w)
{
	bool refused = w->refused;

	w->refused = false;
	return refused;
}

void writer_give_up(struct writer *w)
{
	sink_give_up(w->sink);
}

/* The records of a chunk that did not get into the file. */
static void take_back(struct writer *w, const struct xblk_chunk *chunk)
{
	uint64_t nr = chunk->payload / XBLK_RECORD_SIZE;
	struct writer_stream *stream = w->streams;

	if (chunk->type != XBLK_CHUNK_DATA)
		return;
	while (stream && (stream->domid != chunk->domid || stream->cpu != chunk->cpu))
		stream = stream->next;
	if (stream) {
		stream->records -= nr;
		stream->unwritten += nr;
	} else {
		w->unwritten += nr;
	}
}

/* @b->done bytes were written of a block, or of what it was compressed to: cut the file
 * after a whole chunk. */
static void cut_back(struct writer *w, const struct sink_block *b)
{
	size_t at = b->chunks, whole = b->done < at ? 0 : at;

	while (at < b->used) {
		const struct xblk_chunk *chunk = (const void *)(b->buf + at);

		at += chunk_size(chunk);
		if (at <= b->done && !b->pack)
			whole = at;
		else
			take_back(w, chunk);
	}
	/* A pipe cannot be cut; its reader drops the partial chunk itself. */
	if (w->out.regular && b->done > whole) {
		off_t end = lseek(w->out.fd, -(off_t)(b->done - whole), SEEK_CUR);

		if (end >= 0 && ftruncate(w->out.fd, end))
			whole = b->done;
	}
	sink_set_bytes(w->sink, writer_bytes_out(w) - (b->done - whole));
}

/* What is out gets into the index, but for the header. */
static void take_written(struct writer *w)
{
	const struct sink_block *b;

	while ((b = sink_written(w->sink))) {
		const struct xblk_chunk *first = (const void *)b->buf;

		if (!b->chunks)
			index_written(&w->index, b->offset, first->time, b->newest,
				      b->flags);
	}
}

/* Return: whether the block in hand is an empty one. */
static bool hand_over(struct writer *w)
{
	struct sink_block *b = sink_block(w->sink);

	if (!b->used)
		return true;
	if (!sink_nr_free(w->sink))
		return false;
	take_written(w);
	b->flags = index_take_flags(&w->index);
	sink_hand_over(w->sink);
	w->handed++;
	return true;
}

int writer_flush(struct writer *w)
{
	if (sink_nr_free(w->sink) + 1 + FLUSH_BEHIND >= sink_nr_blocks(w->sink))
		hand_over(w);
	return writer_error(w);
}

int writer_sync(struct writer *w, int ms)
{
	/* Until there is a free block for what is in hand. */
	int err = sink_wait(w->sink, sink_nr_blocks(w->sink) - 2, ms);

	if (err)
		return err;
	hand_over(w);
	err = sink_wait(w->sink, 0, ms);
	take_written(w);
	return err;
}

int writer_header(struct writer *w, uint64_t wall_ns, uint64_t xen_ns)
{
	struct sink_block *b = sink_block(w->sink);
	struct xblk_trace_header header = {
		.magic = XBLK_TRACE_MAGIC,
		.version = w->packs ? XBLK_TRACE_VERSION_PACKED
				    : XBLK_TRACE_VERSION_PLAIN,
		.header_size = sizeof(header),
		.endian = XBLK_TRACE_ENDIAN,
		.record_size = XBLK_RECORD_SIZE,
		.wall_ns = wall_ns,
		.xen_ns = xen_ns,
	};

	header.checksum = XXH3_64bits(&header, offsetof(typeof(header), checksum));
	memcpy(b->buf, &header, sizeof(header));
	b->used = b->chunks = sizeof(header);
	b->pack = false;
	return writer_flush(w);
}

/* Make a chunk of the @chunk.payload bytes that lie in @b behind room for its header. */
static void finish_chunk(struct sink_block *b, struct xblk_chunk chunk)
{
	unsigned char *at = b->buf + b->used;
	unsigned char *payload = at + sizeof(chunk);

	chunk.magic = XBLK_CHUNK_MAGIC;
	memcpy(at, &chunk, sizeof(chunk));
	b->used += chunk_pad(&chunk, payload);
	b->newest = chunk.time;
}

/* What is left of the block in hand, or of the next one; 0 if there is none. */
static size_t room_for(struct writer *w, size_t at_least)
{
	size_t size = w->packs ? PACK_SIZE : SINK_BLOCK_SIZE;

	if (size - writer_used(w) < at_least && !hand_over(w))
		return 0;
	return size - writer_used(w);
}

void *writer_reserve(struct writer *w, size_t *max_records)
{
	const size_t beside = sizeof(struct xblk_chunk) + ROUND_ROOM;
	size_t room = room_for(w, beside + MIN_DATA);
	struct sink_block *b = sink_block(w->sink);

	if (!room || writer_error(w)) {
		w->refused = true;
		return NULL;
	}
	room -= beside;
	if (room > XBLK_CHUNK_MAX_PAYLOAD)
		room = XBLK_CHUNK_MAX_PAYLOAD;
	*max_records = room / XBLK_RECORD_SIZE;
	return b->buf + b->used + sizeof(struct xblk_chunk);
}

bool writer_commit(struct writer *w, struct writer_stream *stream, size_t records,
		   uint64_t time)
{
	struct sink_block *b = sink_block(w->sink);
	const struct xblk_record *first =
		(const void *)(b->buf + b->used + sizeof(struct xblk_chunk));

	bool names;

	if (!records)
		return false;
	names = index_records(&w->index, stream->domid, stream->cpu, first, records);
	if (w->taken)
		w->taken(w->taker, stream, first, records, time);
	finish_chunk(b, (struct xblk_chunk){
				.type = XBLK_CHUNK_DATA,
				.domid = stream->domid,
				.cpu = stream->cpu,
				.payload = records * XBLK_RECORD_SIZE,
				.sequence = stream->records,
				.time = time,
			});
	stream->records += records;
	return names;
}

/* Return: whether there is room for a chunk of other than records. */
static bool make_room(struct writer *w, const struct xblk_chunk *chunk)
{
	if (chunk->type == XBLK_CHUNK_ROUND)
		return room_for(w, ROUND_ROOM);
	if (!w->packs)
		return room_for(w, chunk_size(chunk) + ROUND_ROOM);
	/* Text stays legible, and is found without unpacking: in a block of its own. */
	return hand_over(w) && sink_nr_free(w->sink);
}

/* A chunk of other than records; @chunk says all but its length. */
static int put_chunk(struct writer *w, struct xblk_chunk chunk, const void *payload,
		     size_t len)
{
	bool alone = w->packs && chunk.type != XBLK_CHUNK_ROUND;
	struct sink_block *b;

	if (len > XBLK_CHUNK_MAX_PAYLOAD)
		return -EFBIG;
	chunk.payload = len;
	if (writer_error(w))
		return writer_error(w);
	if (!make_room(w, &chunk))
		return -EAGAIN;
	b = sink_block(w->sink);
	if (len)
		memcpy(b->buf + b->used + sizeof(chunk), payload, len);
	if (chunk.type == XBLK_CHUNK_META)
		index_meta(&w->index);
	if (alone)
		b->pack = false;
	finish_chunk(b, chunk);
	if (alone)
		hand_over(w);
	return 0;
}

int writer_chunk(struct writer *w, enum xblk_chunk_type type, const void *payload,
		 size_t len, uint64_t time)
{
	return put_chunk(w, (struct xblk_chunk){.type = type, .time = time}, payload,
			 len);
}

static int patience(const struct writer *w)
{
	return w->out.regular ? WRITER_FILE_PATIENCE_MS : WRITER_PATIENCE_MS;
}

/* It is given up, and its thread may not come back.  Return: what is to be said of it. */
static int leave_hanging(struct writer *w)
{
	w->hangs = true;
	sink_set_error(w->sink, -EINTR);
	return -EINTR;
}

/*
 * What a file system that hangs does not come back from is done by the thread that
 * writes, all being out.  Return: the result, or -EINTR: it was given up.
 */
static int have_done(struct writer *w, int (*what)(struct output *out, unsigned int arg),
		     unsigned int arg)
{
	int err, result = 0;

	if (w->hangs)
		return -EINTR;
	sink_do(w->sink, &w->out, what, arg);
	do {
		err = sink_did(w->sink, w->waits ? WAIT_STEP_MS : patience(w), &w->out,
			       &result);
	} while (err && w->waits && w->waits(w->arg));
	return err ? leave_hanging(w) : result;
}

static int take_name(struct output *out, unsigned int unused)
{
	(void)unused;
	return output_take_name(out);
}

int writer_take_name(struct writer *w)
{
	/* Most have it. */
	return w->out.unnamed ? have_done(w, take_name, 0) : output_take_name(&w->out);
}

/*
 * Wait until all is out, as long as something goes out, and take back what is not.
 *
 * Return: 0 or negative errno; -EINTR if it was given up.
 */
static int settle(struct writer *w)
{
	const struct sink_block *b;
	int err;

	if (w->hangs)
		return -EINTR;
	do {
		err = writer_sync(w, w->waits ? WAIT_STEP_MS : patience(w));
	} while (err == -ETIMEDOUT && w->waits && w->waits(w->arg));
	if (err == -ETIMEDOUT) {
		writer_give_up(w);
		err = sink_wait(w->sink, 0, WRITER_PATIENCE_MS);
	}
	if (err == -ETIMEDOUT) {
		err = leave_hanging(w);
	} else if (err) {
		take_written(w);
		while ((b = sink_not_written(w->sink)))
			cut_back(w, b);
	}
	return err;
}

static int look(struct output *out, unsigned int unused)
{
	(void)unused;
	return output_look(out);
}

static void look_after_name(struct writer *w)
{
	int name = have_done(w, look, 0);

	if (name > 0)
		sink_set_name(w->sink, name);
}

/* *@offset: where it is, 0 if it could not be written.  Return: 0 or negative errno. */
static int write_index(struct writer *w, uint64_t time, uint64_t *offset)
{
	const struct index *index = &w->index;
	int err;

	*offset = writer_bytes_out(w);
	put_chunk(w, (struct xblk_chunk){.type = XBLK_CHUNK_INDEX, .time = time},
		  index->entries, index->nr * sizeof(*index->entries));
	err = settle(w);
	if (err)
		*offset = 0;
	return err;
}

/* The file without what is from @offset on.  Return: 0 or negative errno. */
static int cut_at(struct writer *w, uint64_t offset)
{
	off_t end = lseek(w->out.fd, -(off_t)(writer_bytes_out(w) - offset), SEEK_CUR);

	if (end < 0 || ftruncate(w->out.fd, end))
		return -errno;
	sink_set_bytes(w->sink, offset);
	return 0;
}

static int write_last(struct writer *w, struct xblk_chunk chunk, const void *payload,
		      size_t len)
{
	int err;

	sink_set_error(w->sink, 0);
	err = put_chunk(w, chunk, payload, len);
	return err ? err : settle(w);
}

int writer_end_chunk(struct writer *w, enum xblk_chunk_type type, const void *payload,
		     size_t len, uint64_t time)
{
	int err = settle(w);

	return err ? err : writer_chunk(w, type, payload, len, time);
}

int writer_last_chunk(struct writer *w, enum xblk_chunk_type type, const void *payload,
		      size_t len, uint64_t time)
{
	struct xblk_chunk chunk = {.type = type, .time = time};
	int first = settle(w);
	uint64_t index = 0;
	int err = first ? first : write_index(w, time, &index);

	chunk.index = index;
	if (err && (!w->out.regular || err == -EINTR))
		return err;
	/* A trace that lacks no more than its index is a good one. */
	err = write_last(w, chunk, payload, len);
	if (err && w->out.regular && chunk.index && !cut_at(w, chunk.index)) {
		chunk.index = 0;
		err = write_last(w, chunk, payload, len);
	}
	sink_set_error(w->sink, first ? first : err);
	look_after_name(w);
	return err;
}

bool writer_full(const struct writer *w)
{
	uint64_t pending, bytes;

	if (!w->nr_files)
		return false;
	pending = sink_pending(w->sink);
	bytes = writer_used(w) + pending + writer_bytes_out(w);
	if (bytes < w->max_bytes)
		return false;
	return pending <= SINK_BLOCK_SIZE || bytes >= w->max_bytes + w->max_bytes / 8;
}

static void begin_anew(struct writer_stream *stream)
{
	uint64_t marks = writer_marks(stream);

	stream->records_before += stream->records;
	stream->produced_before += stream->records - marks;
	stream->produced_before += stream->lost - stream->lost_before;
	stream->lost_before = stream->lost;
	stream->marks -= marks;
	stream->records = 0;
}

int writer_next_file(struct writer *w, uint64_t wall_ns, uint64_t xen_ns)
{
	struct writer_stream *stream;
	int err = writer_error(w);

	if (err)
		return err;
	w->bytes_ended += writer_bytes_out(w);
	err = have_done(w, output_next, w->nr_files);
	sink_set_bytes(w->sink, 0);
	sink_set_name(w->sink, OUTPUT_NAMED);
	if (err) {
		sink_set_error(w->sink, err);
		return err;
	}
	w->nr_ended++;
	index_reset(&w->index);
	for (stream = w->streams; stream; stream = stream->next)
		begin_anew(stream);
	return writer_header(w, wall_ns, xen_ns);
}

static int close_output(struct output *out, unsigned int unused)
{
	(void)unused;
	return output_close(out);
}

int writer_end(struct writer *w)
{
	int first = writer_error(w);
	int err = have_done(w, close_output, 0);

	if (!first && err)
		sink_set_error(w->sink, err);
	return first ? first : err;
}

int writer_close(struct writer *w)
{
	int first = 0, err = 0;

	if (w->sink) {
		first = settle(w);
		err = have_done(w, close_output, 0);
		sink_free(w->sink);
	} else {
		err = output_close(&w->out);
	}
	w->sink = NULL;
	/* Where it hangs it is left as it is, with its name. */
	w->out = (struct output){.fd = -1, .path = w->out.path};
	index_deinit(&w->index);
	return first ? first : err;
}
