/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The trace file: a header, then chunks, written as a stream.
 *
 * Every chunk carries its own checksum, so a file can be read while it grows,
 * and after a crash up to the last whole chunk.  A reader that meets a chunk
 * type it does not know skips it.  All of it is little-endian and every
 * chunk starts at a multiple of 32 bytes (payloads are padded with zeroes).
 *
 * A file with compressed chunks says version 2, which readers of before refuse;
 * any other says 1, which they read.
 */
#ifndef XBLK_TRACE_H
#define XBLK_TRACE_H

#include "record.h"
#include "xenrelay/types.h"

#define XBLK_TRACE_MAGIC 0x4b4c42580a1a0d89ull /* 89 0d 1a 0a 'X' 'B' 'L' 'K' */
/* Raised when an old reader would go wrong; each file says the least that it needs. */
#define XBLK_TRACE_VERSION_PLAIN  1
#define XBLK_TRACE_VERSION_PACKED 2 /* has PACK chunks */
#define XBLK_TRACE_VERSION	  XBLK_TRACE_VERSION_PACKED
#define XBLK_TRACE_ENDIAN	  0x01020304u

/**
 * struct xblk_trace_header - the first 64 bytes of a file
 * @magic:	XBLK_TRACE_MAGIC
 * @version:	XBLK_TRACE_VERSION_PLAIN or XBLK_TRACE_VERSION_PACKED
 * @header_size: bytes of this header; the first chunk follows
 * @endian:	XBLK_TRACE_ENDIAN in the writer's byte order
 * @record_size: XBLK_RECORD_SIZE
 * @wall_ns:	wall-clock time at @xen_ns, ns since 1970-01-01 UTC
 * @xen_ns:	Xen system time, ns since the hypervisor's boot
 * @checksum:	XXH3 (64 bits) of the bytes before it
 */
struct xblk_trace_header {
	xblk_le64 magic;
	xblk_le32 version;
	xblk_le32 header_size;
	xblk_le32 endian;
	xblk_le32 record_size;
	xblk_le64 wall_ns;
	xblk_le64 xen_ns;
	xblk_le64 reserved[2];
	xblk_le64 checksum;
};

#define XBLK_CHUNK_MAGIC       0x4b4e4843u /* "CHNK" */
#define XBLK_CHUNK_MAX_PAYLOAD (1u << 20)

/* Of all domains, at once, that a reader takes. */
#define XBLK_MAX_STREAMS 16384

/**
 * enum xblk_chunk_type - what a chunk's payload is
 * @XBLK_CHUNK_META:	JSON text, UTF-8: what is known at the start (host,
 *			domains, disks and what backs them, clocks, options).
 *			Later ones tell of what has come, changed or ended, and
 *			before END of counters that it has no room for.
 * @XBLK_CHUNK_DATA:	records of one stream (domid, cpu), in the order in
 *			which they were written there
 * @XBLK_CHUNK_ROUND:	no payload: all records that were written before Xen
 *			time @time are in the chunks before this one
 * @XBLK_CHUNK_END:	JSON text: the counters of every stream at the end.
 *			The last chunk of a capture that came to its end, and
 *			why it did.
 * @XBLK_CHUNK_PACK:	one zstd frame: DATA and ROUND chunks with their padding,
 *			one behind the other, as they would be in the file, but
 *			with a checksum of 0
 * @XBLK_CHUNK_INDEX:	&struct xblk_index_entry, in their order: the whole trace
 *			before this chunk.  END tells where it is.
 */
enum xblk_chunk_type {
	XBLK_CHUNK_META = 1,
	XBLK_CHUNK_DATA = 2,
	XBLK_CHUNK_ROUND = 3,
	XBLK_CHUNK_END = 4,
	XBLK_CHUNK_PACK = 5,
	XBLK_CHUNK_INDEX = 6,
};

/**
 * struct xblk_chunk - header of a chunk; the payload follows
 * @magic:	XBLK_CHUNK_MAGIC
 * @type:	&enum xblk_chunk_type
 * @domid:	domain of the stream (data), else 0
 * @cpu:	vCPU of the stream (data), else 0
 * @flags:	0; a chunk with a flag that a reader does not know is not for it
 * @payload:	bytes of payload before padding, <= XBLK_CHUNK_MAX_PAYLOAD
 * @unpacked:	pack: bytes of the chunks in it, a multiple of 32 from 64 to
 *		XBLK_CHUNK_MAX_PAYLOAD; else 0
 * @sequence:	data: how many records of this stream were in the chunks before
 * @time:	Xen system time, ns: when the chunk was made (round: see above;
 *		pack: that of the first chunk in it)
 * @index:	end: where the index chunk begins, bytes from the trace's start, or
 *		0 if there is none; else 0
 * @checksum:	XXH3 (64 bits) of the header up to here and the payload
 *		(without padding), header first
 */
struct xblk_chunk {
	xblk_le32 magic;
	xblk_le16 type;
	xblk_le16 domid;
	xblk_le32 cpu;
	xblk_le32 flags;
	xblk_le32 payload;
	xblk_le32 unpacked;
	xblk_le64 sequence;
	xblk_le64 time;
	xblk_le64 index;
	xblk_le64 reserved;
	xblk_le64 checksum;
};

/* What a reader has to know of a part of the trace that it otherwise leaves out. */
enum xblk_index_flags {
	XBLK_INDEX_META = 1 << 0,    /* a META chunk */
	XBLK_INDEX_NAMES = 1 << 1,   /* a PROCESS record that says something new */
	XBLK_INDEX_LOSSES = 1 << 2,  /* a LOST record */
	XBLK_INDEX_FLUSHES = 1 << 3, /* a flush by another request than before */
	/*
	 * A RING record with another thread of that ring than before.  The first row has
	 * it in any case: without it there, that is not told.
	 */
	XBLK_INDEX_RINGS = 1 << 4,
};

#define XBLK_INDEX_MAX (XBLK_CHUNK_MAX_PAYLOAD / sizeof(struct xblk_index_entry))

/**
 * struct xblk_index_entry - a row of chunks, from here to the next entry's
 * @offset:	of its first chunk, bytes from the trace's start
 * @time:	that chunk's; no record before it is younger
 * @flags:	&enum xblk_index_flags, of all of the row
 */
struct xblk_index_entry {
	xblk_le64 offset;
	xblk_le64 time;
	xblk_le32 flags;
	xblk_le32 reserved;
};

XBLK_STATIC_ASSERT(sizeof(struct xblk_trace_header) == 64);
XBLK_STATIC_ASSERT(offsetof(struct xblk_trace_header, checksum) == 56);
XBLK_STATIC_ASSERT(sizeof(struct xblk_chunk) == 64);
XBLK_STATIC_ASSERT(offsetof(struct xblk_chunk, index) == 40);
XBLK_STATIC_ASSERT(offsetof(struct xblk_chunk, checksum) == 56);
XBLK_STATIC_ASSERT(sizeof(struct xblk_index_entry) == 24);

/*
 * META payload (unknown members are ignored):
 * {
 *   "tool": "xblktrace 0.1", "host": "...", "kernel": "6.1.0-...",
 *   "xen": "4.17", "argv": ["..."], "clock_uncertainty_ns": N,
 *   "backend": {                       the domain that blkback runs in
 *     "domid": 0, "nr_cpus": 2, "clock_uncertainty_ns": N,
 *     "disks": [ { "index": 0, "dev": "259:0", "name": "nvme0n1",
 *                  "scheduler": "none", "part_of": null | index } ],
 *     "probes": ["block_bio_queue", ..., "make_response"],  attached ones
 *     "merges": false                  it records none; without it, it does
 *   },
 *   "guests": [ {
 *     "domid": 3, "name": "guest1", "uuid": "...", "nr_rings": 2,
 *     "clock_uncertainty_ns": N, "xenrelay": { "ring_kib": N, "contiguous": true },
 *     "probes": ["blkif_interrupt"],     attached ones, by the guest's word
 *     "merges": false,                   as above
 *     "disks": [ { "index": 0, "devid": 51712, "name": "xvda",
 *                  "params": "/dev/nvme0n1", "dev": "259:0",
 *                  "backend_disk": 0,  index into backend.disks
 *                  "start_sector": 0 } ]  added to a guest's sector to get the
 *                                          whole backing disk's (partitions)
 *   } ],
 *   "ops": ["write", "flush"],         recorded ones; without it all are
 *   "ended": {                         guests that are no more: nothing follows of them
 *     "streams": [...], "events_sent": [...]       as below
 *   },
 *   "counters": {                      part of END's, which has no room for them all
 *     "streams": [...], "events_sent": [...]       as below
 *   }
 * }
 * What a chunk does not name is as earlier ones have it.
 *
 * END payload:
 * {
 *   "reason": "interrupted"|"timeout"|"guest gone"|"tracer unloaded"|
 *             "guest broke the protocol"|"output failed"|"reading failed"|
 *             "XenStore is gone"|"rotated"|"no further file",
 *   "duration_ns": N,
 *   "streams": [ { "domid": 3, "cpu": 0, "produced": N, "written": N, "lost": N,
 *                  "marks": N } ],
 *   "events_sent": [ { "domid": 3, "events": 0 } ]
 * }
 * produced: records the producer made; written: those in the file; lost: those
 * that are not; marks: records in the file that the reader of the buffers made: LOST
 * ones and, where the capture goes on in another file, names that are told again.
 * Earlier files' are not in any of them.  produced == written + lost and the stream's
 * records in the file are written + marks, or xblkparse says so.
 */

#endif /* XBLK_TRACE_H */
