/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Builds the bytes of a trace in memory, for tests: records are added to
 * streams and go into chunks when they are flushed.
 */
#ifndef XBLK_TRACE_GEN_H
#define XBLK_TRACE_GEN_H

#include <stddef.h>
#include <stdint.h>

#include <xblk/trace.h>

#define GEN_STREAMS 128
#define GEN_RINGS   16 /* of the backend, by identity, modulo that */

/* Times in tests are given from the start of the trace on. */
#define GEN_START 1000000000000ull

/* One guest, domain 3 with xvda and xvdb on dom0's nvme0n1 and nullb0. */
#define GEN_GUEST   3
#define GEN_KTHREAD 77 /* pid of the blkback thread of its xvda */
extern const char *const gen_meta_text;

struct gen_stream {
	unsigned int domid, cpu;
	struct xblk_record *records;
	size_t nr, room;
	uint64_t sequence, produced, lost;
};

struct gen {
	uint8_t *data;
	size_t len, room;
	struct gen_stream streams[GEN_STREAMS];
	unsigned int nr_streams;
};

/* Header, gen_meta_text, and the name of GEN_KTHREAD. */
void gen_init(struct gen *g);
/* The header alone. */
void gen_init_bare(struct gen *g);
void gen_deinit(struct gen *g);

/* Any bytes; NULL: zeroes. */
void gen_append(struct gen *g, const void *bytes, size_t len);
void gen_chunk(struct gen *g, unsigned int type, unsigned int domid, uint32_t cpu,
	       uint64_t sequence, uint64_t ns, const void *payload, size_t len);
void gen_add(struct gen *g, unsigned int domid, unsigned int cpu,
	     const struct xblk_record *r);
/* All streams' records since the last time into a chunk each. */
void gen_flush(struct gen *g, uint64_t ns);
/* And a round behind them. */
void gen_round(struct gen *g, uint64_t ns);
/*
 * A guest has gone: two rounds, and a META with the counters of its streams, which are no
 * more.  What follows of the number is another guest's.
 */
void gen_gone(struct gen *g, unsigned int domid, uint64_t ns);
/* @nr records that the capture does not have. */
void gen_skip(struct gen *g, unsigned int domid, unsigned int cpu, uint64_t nr);
/* Flush, and the counters of all streams. */
void gen_end(struct gen *g, uint64_t ns);
/* The same with an index, of rows of at least @row bytes, before it. */
void gen_end_indexed(struct gen *g, uint64_t ns, size_t row);

/* A block event on disk 0 of the domain; change what differs by gen_last(). */
void gen_event(struct gen *g, unsigned int domid, unsigned int cpu, uint64_t ns,
	       unsigned int event, unsigned int op, uint64_t sector, uint32_t nr,
	       uint32_t id, uint32_t aux);
struct xblk_record *gen_last(struct gen *g, unsigned int domid, unsigned int cpu);
void gen_process(struct gen *g, unsigned int domid, unsigned int cpu, uint64_t ns,
		 uint32_t pid, const char *comm, unsigned int flags);
void gen_lost(struct gen *g, unsigned int domid, unsigned int cpu, uint64_t from,
	      uint64_t until, uint64_t count);

/* Lost at the end of a stream: only its counters know. */
void gen_count_lost(struct gen *g, unsigned int domid, unsigned int cpu, uint64_t count);

/* The chunks from @offset on, at most 1 MiB of any bytes, become a PACK chunk. */
void gen_pack(struct gen *g, size_t offset);

/* The checksum of the chunk at @offset, after a test has changed it. */
void gen_fix_checksum(struct gen *g, size_t offset);

#endif
