/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing a trace file, chunk by chunk.
 *
 * Chunks are built in one buffer, records being copied straight into it, and
 * written many at a time.  Whatever goes wrong, what is in the file ends with
 * a whole chunk, and the streams' counters say what is in the file.
 *
 * When compressing, what would be written at a time becomes one PACK chunk: a
 * stream's chunk alone is often too small for that.
 */
#ifndef XBLKTRACE_WRITER_H
#define XBLKTRACE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zstd.h>

#include "index.h"
#include "output.h"
#include "xblk/trace.h"

#define WRITER_LEVEL	 1  /* zstd's, unless told: the higher ones gain little */
#define WRITER_MAX_LEVEL 19 /* beyond, it takes memory that a dom0 has not */

/**
 * struct writer_stream - one domain's records of one CPU
 * @records:	records in the chunks so far; after a failed write those that
 *		are in the file
 * @marks:	how many of these are LOST records that no producer wrote; kept by
 *		the owner
 */
struct writer_stream {
	uint16_t domid;
	uint32_t cpu;
	uint64_t records;
	uint64_t marks;
	struct writer_stream *next;
};

/**
 * struct writer - a file being written
 * @out:	the file
 * @bytes:	bytes in the file
 * @error:	0, or the negative errno of the write that failed: nothing more
 *		can be written then, except writer_last_chunk()
 * @interrupt_fd: watched while a pipe is full; -1 for none
 * @interrupted: called when it is readable; true: give up the write (-EINTR)
 */
struct writer {
	struct output out;
	uint64_t bytes;
	int error;
	int interrupt_fd;
	bool (*interrupted)(void *arg);
	void *arg;

	unsigned char *buf;
	size_t used;
	ZSTD_CCtx *zstd; /* NULL: not compressing */
	unsigned char *packed;
	struct writer_stream *streams;
	struct index index;
	uint64_t newest; /* time of the last chunk made */
};

/**
 * writer_open - write to @path, see output_open()
 *
 * A file has its name when output_take_name() is called.
 *
 * Return: 0 or negative errno; -ENOTTY for a terminal as standard output.
 */
int writer_open(struct writer *w, const char *path);

/**
 * writer_compress - write PACK chunks from here on
 * @level: zstd's
 *
 * Before the header.  Return: 0 or negative errno.
 */
int writer_compress(struct writer *w, int level);

/* Make a stream known; it stays the caller's and must outlive the writer. */
void writer_add_stream(struct writer *w, struct writer_stream *stream);

/* The file's header.  Return: 0 or negative errno, as all that follow. */
int writer_header(struct writer *w, uint64_t wall_ns, uint64_t xen_ns);

/**
 * writer_reserve - room for the records of one DATA chunk
 * @max_records: how many fit, at least 2048
 *
 * Valid until the next call; nothing is in the file before writer_commit().
 *
 * Return: the room, NULL if writing has failed (@w->error).
 */
void *writer_reserve(struct writer *w, size_t *max_records);

/* Make a chunk of the first @records reserved ones; 0 records make none. */
void writer_commit(struct writer *w, struct writer_stream *stream, size_t records,
		   uint64_t time);

/* A chunk of type @type with a payload of @len bytes (META, END; ROUND: none). */
int writer_chunk(struct writer *w, enum xblk_chunk_type type, const void *payload,
		 size_t len, uint64_t time);

/* Write out what is buffered. */
int writer_flush(struct writer *w);

/*
 * The index, if all went well, and the last chunk of a capture.  That is also
 * tried after a write that failed: a full disk often has room for it once the
 * partial chunk has been cut off.
 */
int writer_last_chunk(struct writer *w, enum xblk_chunk_type type, const void *payload,
		      size_t len, uint64_t time);

/* Flush, close and free.  Return: 0 or the first error of all. */
int writer_close(struct writer *w);

#endif /* XBLKTRACE_WRITER_H */
