/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing a trace file, chunk by chunk.
 *
 * Chunks are built in blocks, records being copied straight into them, and the blocks
 * are handed to a sink, see sink.h.  Making chunks never waits for the output: when no
 * block is free there is no room, and who has the records counts what is lost meanwhile.
 *
 * Whatever goes wrong, what is in the file ends with a whole chunk, and after
 * writer_last_chunk() or writer_close() the streams' counters say what is in the file.
 *
 * When compressing, a block becomes one PACK chunk.
 *
 * One thread at a time may be in these functions, but for those of which it is said that
 * any thread may call them.
 */
#ifndef XBLKTRACE_WRITER_H
#define XBLKTRACE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "index.h"
#include "output.h"
#include "sink.h"
#include "xblk/trace.h"

#define WRITER_LEVEL	 1  /* zstd's, unless told: the higher ones gain little */
#define WRITER_MAX_LEVEL 19 /* beyond, it takes memory that a dom0 has not */

/**
 * struct writer_stream - one domain's records of one CPU
 * @nr:		it is the writer's so manieth, from 0 on
 * @records:	records in the chunks so far; in the end those that are in the file
 * @marks:	how many of these no producer wrote, LOST records and names that are told
 *		again; kept by the owner, who may know of some before they are here
 * @lost:	how many were lost since the beginning, as the last END said it; kept by
 *		the owner
 * @unwritten:	that were in chunks and in the end are not in the file, so not in @records
 * @records_before: in earlier files of the capture, together
 * @produced_before, @lost_before: what these have said
 *
 * An END is about what no earlier file has said.  That of a file which is not the last
 * says that as many were produced as were written and lost: what is still to be read is
 * the next one's.
 */
struct writer_stream {
	unsigned int nr;
	uint16_t domid;
	uint32_t cpu;
	uint64_t records;
	uint64_t unwritten;
	uint64_t marks;
	uint64_t lost;
	uint64_t records_before;
	uint64_t produced_before;
	uint64_t lost_before;
	struct writer_stream *next;
};

/*
 * How long, in ms, the end of a trace waits for an output that takes nothing: it is given
 * up then.  A disk may have to get rid of a lot first.
 */
#define WRITER_PATIENCE_MS	1000
#define WRITER_FILE_PATIENCE_MS 30000

/**
 * struct writer - a file being written
 * @out:	the file
 * @sink:	what writes it
 * @packs:	it compresses
 * @max_bytes, @nr_files: see writer_rotate()
 * @nr_ended:	files of the capture that were ended, of @bytes_ended together
 * @refused:	for writer_refused()
 * @waits:	asked several times a second, while a trace's end, or another name or
 *		file, waits for the output, whether to wait on; NULL: as long as is said
 *above
 * @arg:	passed to it
 * @taken:	told of the records of each chunk, @taker passed to it; NULL: nobody wants
 *		to know
 * @hangs:	was given up, and its thread is still in a write, or the like
 * @handed:	blocks that the sink has been given
 * @unwritten:	as of a stream, of those that had been removed by then
 */
struct writer {
	struct output out;
	struct sink *sink;
	bool packs;
	uint64_t max_bytes;
	unsigned int nr_files;
	unsigned int nr_ended;
	uint64_t bytes_ended;
	bool refused;
	bool hangs;
	uint64_t handed;
	uint64_t unwritten;
	bool (*waits)(void *arg);
	void *arg;
	void (*taken)(void *taker, const struct writer_stream *stream,
		      const struct xblk_record *records, size_t nr, uint64_t time);
	void *taker;
	struct writer_stream *streams;
	unsigned int nr_streams;
	struct index index;
};

/**
 * writer_open - write to @path, see output_open()
 *
 * A file has its name when writer_take_name() is called.
 *
 * Return: 0 or negative errno; -ENOTTY for a terminal as standard output.
 */
int writer_open(struct writer *w, const char *path);

/* See output_take_name(), which the sink does.  Whatever another thread writes meanwhile.
 */
int writer_take_name(struct writer *w);

/**
 * writer_open_socket - write to a socket that is connected
 * @fd:		is closed by writer_close()
 * @name:	what it is called in messages; the caller's
 * @nr_blocks:	see sink_new()
 *
 * Return: 0 or negative errno.  writer_close() in either case.
 */
int writer_open_socket(struct writer *w, int fd, const char *name,
		       unsigned int nr_blocks);

/**
 * writer_compress - write PACK chunks from here on
 * @level: zstd's
 * @nr_threads: that compress, see sink_pack()
 *
 * Before the header.  Return: 0 or negative errno.
 */
int writer_compress(struct writer *w, int level, unsigned int nr_threads);

/**
 * writer_rotate - let there be several files, see output_next()
 * @max_bytes:	of one, but for its index and END
 * @nr_files:	how many are kept, at least 1
 *
 * Return: 0, or -EINVAL: it is not a file of its own name.
 */
int writer_rotate(struct writer *w, uint64_t max_bytes, unsigned int nr_files);

/* Those of its marks that are in the file; after a write that failed not all need be. */
uint64_t writer_marks(const struct writer_stream *stream);

/* Make a stream known; it stays the caller's and must outlive the writer, or be removed. */
void writer_add_stream(struct writer *w, struct writer_stream *stream);

unsigned int writer_count_streams(const struct writer *w);

/* A domain's, which has ended: when its records are in the file, see writer_is_out(). */
void writer_remove_streams(struct writer *w, uint16_t domid);

/* The file's header.  Return: 0 or negative errno, as all that follow. */
int writer_header(struct writer *w, uint64_t wall_ns, uint64_t xen_ns);

/**
 * writer_reserve - room for the records of one DATA chunk
 * @max_records: how many fit, at least 2048
 *
 * Valid until the next call; nothing is in the file before writer_commit().
 *
 * Return: the room, NULL if writing has failed (writer_error()) or no block is free
 * (writer_error() is 0), see writer_ready().
 */
void *writer_reserve(struct writer *w, size_t *max_records);

/**
 * writer_commit - make a chunk of the first @records reserved ones; 0 records make none
 *
 * They can be read until the next writer_reserve().  Return: whether they name a thread.
 */
bool writer_commit(struct writer *w, struct writer_stream *stream, size_t records,
		   uint64_t time);

/**
 * writer_chunk - a chunk of another type
 * @type:	META, END or ROUND, which has no payload
 *
 * A ROUND after records always has room.
 *
 * Return: 0, -EFBIG, the error of an earlier write, or -EAGAIN: no block is free.
 */
int writer_chunk(struct writer *w, enum xblk_chunk_type type, const void *payload,
		 size_t len, uint64_t time);

/**
 * writer_position - how far the trace has got, for writer_is_out()
 *
 * Return: never 0.
 */
uint64_t writer_position(const struct writer *w);

/* Whether all that there was at @position is in the file; false where writing failed. */
bool writer_is_out(const struct writer *w, uint64_t position);

/* Bytes of chunks that have not been handed to the sink. */
size_t writer_used(const struct writer *w);

/**
 * writer_flush - have what there is written
 *
 * Does not wait.  While the output is behind, what there is stays until its block is
 * full, so that all the memory is of use: to be called again.
 *
 * Return: 0 or the error of an earlier write.
 */
int writer_flush(struct writer *w);

/**
 * writer_sync - writer_flush(), and wait until all is out
 * @ms:		for how long nothing may go out; -1: for ever
 *
 * Return: 0, -ETIMEDOUT, or the error of the write that failed.
 */
int writer_sync(struct writer *w, int ms);

/**
 * writer_ready - whether there is a free block: what is reserved next has room, and at
 * least 1 MiB more after that
 *
 * Also true once writing has failed, as nothing will wait.  If not, writer_fd(), an
 * eventfd that does not block, becomes readable when it is, and stays so until the one
 * who waits for it has read it.  From any thread.
 */
bool writer_ready(const struct writer *w);
int writer_fd(const struct writer *w);

/**
 * writer_refused - whether there was no room for records since the last call
 *
 * Then not all that the callers wanted to put into the trace is in it.
 */
bool writer_refused(struct writer *w);

/* 0, or the negative errno of the write that failed.  From any thread. */
int writer_error(const struct writer *w);

/*
 * What has become of the file's name, as of a second ago, or of its end.  From any thread.
 */
enum output_name writer_name(const struct writer *w);

/* Bytes in the file: while it stays the same, nothing goes out.  From any thread. */
uint64_t writer_bytes_out(const struct writer *w);

/**
 * writer_give_up - wait for the output no longer: nothing more is written (-EINTR)
 *
 * What hangs in a file cannot be ended; nobody waits for it.  From any thread.
 */
void writer_give_up(struct writer *w);

/* A chunk that belongs to the end: waits for the output, as the last one does. */
int writer_end_chunk(struct writer *w, enum xblk_chunk_type type, const void *payload,
		     size_t len, uint64_t time);

/*
 * The index, if all went well, and the last chunk of a capture.  That is also
 * tried after a write that failed: a full disk often has room for it once the
 * partial chunk has been cut off.  All is out then, or given up.
 */
int writer_last_chunk(struct writer *w, enum xblk_chunk_type type, const void *payload,
		      size_t len, uint64_t time);

/**
 * writer_full - whether the file is as large as it is to get
 *
 * What is under way counts as if it could not be compressed.  While the output is behind,
 * so that an end would be waited for, it may get larger by an eighth.
 */
bool writer_full(const struct writer *w);

/**
 * writer_next_file - go on in another file, after the last chunk of this one
 *
 * It is a trace of its own: counters and sequence numbers begin anew, and what a reader
 * has to know is to be told again; the header is made here, see writer_header().
 *
 * Return: 0 or negative errno.
 */
int writer_next_file(struct writer *w, uint64_t wall_ns, uint64_t xen_ns);

/*
 * Close the output, after the last chunk of all: some file systems hang there.  Return: 0
 * or the first error of all.
 */
int writer_end(struct writer *w);

/*
 * Write what is left or give it up, close and free.  Return: 0 or the first error of all.
 * @w may be one that writer_open() has never seen, with a descriptor of -1.
 */
int writer_close(struct writer *w);

#endif /* XBLKTRACE_WRITER_H */
