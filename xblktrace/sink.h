/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What takes a trace to its output: a queue of blocks, as many as there are at the
 * start, and threads that compress or seal what is in them, and write it in its order.
 *
 * Nothing here but sink_wait() and sink_did() wait for the output.  One thread at a time
 * fills blocks; what this file does not name as from any thread is that one's.
 */
#ifndef XBLKTRACE_SINK_H
#define XBLKTRACE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output.h"
#include "xblk/trace.h"

/*
 * The most that there can be.  All together are what a capture holds of an output that
 * stalls: 17 MiB, and as much again for what is compressed of them.
 */
#define SINK_BLOCKS 16
/* The largest chunk, and room for more after it. */
#define SINK_BLOCK_SIZE	 (XBLK_CHUNK_MAX_PAYLOAD + 64 * 1024)
#define SINK_MAX_PACKERS 8

/**
 * struct sink_block - what is written at a time
 * @buf:	SINK_BLOCK_SIZE bytes, @used of them filled
 * @chunks:	where in it the chunks begin, which need no checksum yet
 * @pack:	to be compressed, all of it
 * @newest:	time of its last chunk
 * @flags:	what a reader has to know of it, see XBLK_INDEX_*
 * @offset:	once written: where in the output it is
 * @done:	bytes of it, or of what it was compressed to, that are out
 * @packed:	what it was compressed to, PACK_ROOM bytes, @packed_len used; the sink's
 * @ready:	may be written; the sink's
 */
struct sink_block {
	unsigned char *buf;
	size_t used;
	size_t chunks;
	bool pack;
	uint64_t newest;
	uint32_t flags;
	uint64_t offset;
	size_t done;
	unsigned char *packed;
	size_t packed_len;
	bool ready;
};

struct sink;

/**
 * sink_new - blocks, their memory touched, and the thread that writes
 * @out:	is copied; stays open until sink_free()
 * @nr_blocks:	3 to SINK_BLOCKS
 *
 * Return: NULL if there is no memory or no thread.
 */
struct sink *sink_new(const struct output *out, unsigned int nr_blocks);

/**
 * sink_pack - compress blocks from here on
 * @level:	zstd's
 * @nr:		threads, at most SINK_MAX_PACKERS; 0: one for each processor that the
 *		process may use
 *
 * Before the first block.  Return: 0 or -ENOMEM.
 */
int sink_pack(struct sink *s, int level, unsigned int nr);

/**
 * sink_do - have the thread that writes do something else with the output
 * @out:	is copied; the sink writes to it from then on
 * @what:	is given the copy, which it may change, and @arg; its result is for
 *		sink_did()
 *
 * So that a file system that hangs keeps nobody else.  Between two writes, and also where
 * the sink has an error.  From any thread, one at a time.
 */
void sink_do(struct sink *s, const struct output *out,
	     int (*what)(struct output *out, unsigned int arg), unsigned int arg);

/**
 * sink_did - wait until it is done
 * @ms:		for how long
 * @out, @result: what has become of the output, and what was returned
 *
 * From any thread.  Return: 0 or -ETIMEDOUT.
 */
int sink_did(struct sink *s, int ms, struct output *out, int *result);

/**
 * sink_free - end the threads
 *
 * Return: false if the output hangs, as a network file system can, so that its thread
 * does not end: it, its memory and the descriptor are left then.
 */
bool sink_free(struct sink *s);

/* The block that is being filled; there always is one. */
struct sink_block *sink_block(struct sink *s);

/* How many blocks there are.  From any thread. */
unsigned int sink_nr_blocks(const struct sink *s);
/* How many blocks are free beside the one being filled.  From any thread. */
unsigned int sink_nr_free(struct sink *s);

/**
 * sink_hand_over - have the block written, and go on with a free one
 *
 * There is one, and sink_written() has been called until it said NULL since that is known.
 */
void sink_hand_over(struct sink *s);

/* The oldest of the blocks that are out and have not been returned yet, or NULL; it stays
 * as it is until the next sink_hand_over(). */
const struct sink_block *sink_written(struct sink *s);

/**
 * sink_wait - wait until at most @left blocks that were handed over are not out
 * @ms:		for how long nothing may go out; -1: for ever
 *
 * From any thread.
 *
 * Return: 0, -ETIMEDOUT, or the error of the sink, which is at rest then.
 */
int sink_wait(struct sink *s, unsigned int left, int ms);

/**
 * sink_not_written - take back a block, the oldest first, that is not out whole
 *
 * The sink has an error and is at rest.
 *
 * Return: NULL after the one that was being filled: all are free then, and the sink
 * goes on when sink_set_error() has taken the error back.
 */
const struct sink_block *sink_not_written(struct sink *s);

/* 0 or the negative errno that the sink has stopped with.  From any thread. */
int sink_error(const struct sink *s);
void sink_set_error(struct sink *s, int err);

/*
 * What was found of the output's name by the thread that writes, which looks once a
 * second while it does; of each output, and until it is another one.  From any thread.
 */
enum output_name sink_name(const struct sink *s);
void sink_set_name(struct sink *s, enum output_name name);

/* Bytes that are out.  From any thread. */
uint64_t sink_bytes(const struct sink *s);
/* Bytes that were handed over and are not out, before they are compressed. */
uint64_t sink_pending(struct sink *s);
/* The output was cut, or is another one, the sink being at rest. */
void sink_set_bytes(struct sink *s, uint64_t bytes);

/**
 * sink_give_up - write nothing more: what waits for the output ends with -EINTR
 *
 * From any thread.
 */
void sink_give_up(struct sink *s);

/**
 * sink_ready - whether a block is free, beside the one being filled
 *
 * Also true after an error: nothing will wait.  If not, sink_fd(), an eventfd that does
 * not block, becomes readable when it is, and stays so until the one who waits for it has
 * read it.  From any thread.
 */
bool sink_ready(struct sink *s);
int sink_fd(const struct sink *s);

#endif /* XBLKTRACE_SINK_H */
