/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The trace record: 32 bytes, little-endian, the same from guest and dom0.
 *
 * A record is 32-byte aligned in every ring, relay buffer and file chunk, so
 * none straddles a cache line.  Rare facts (a process's name, a lost span)
 * are records of their own type, in order, in the same stream.
 */
#ifndef XBLK_RECORD_H
#define XBLK_RECORD_H

#include "xenrelay/types.h"

#define XBLK_RECORD_SIZE 32

/**
 * enum xblk_event - what happened (&struct xblk_record.event)
 *
 * The letters are those of blktrace.  "id" and "aux" say what these two
 * fields of the record hold for the event; "bio" and "rq" stand for an
 * identity which is unique among the bios or requests of one domain that are
 * in flight, and means nothing beyond that.
 */
enum xblk_event {
	XBLK_EV_NONE = 0,	/* never written: an all-zero record is invalid */
	XBLK_EV_QUEUE = 1,	/* Q: bio queued.            id: bio, aux: pid */
	XBLK_EV_BACKMERGE = 2,	/* M: bio merged at the end.  id: bio, aux: pid */
	XBLK_EV_FRONTMERGE = 3, /* F: bio merged at the front. id: bio, aux: pid */
	XBLK_EV_RQMERGE = 4,	/* m: two requests became one; the one that ends.
				 *    id: rq, aux: its first bio */
	XBLK_EV_SPLIT = 5,	/* X: the front part of a bio, now a bio of its own.
				 *    id: the new bio, aux: pid; sector and
				 *    nr_sectors: the new bio's */
	XBLK_EV_REQUEUE = 6,  /* R: an issued request came back. id: rq, aux: first bio */
	XBLK_EV_ISSUE = 7,    /* D: request to the driver.  id: rq, aux: first bio or 0 */
	XBLK_EV_PART = 8,     /* P: a further bio of the request whose D record
			       *    precedes this one in the stream.
			       *    id: rq, aux: bio; sector, nr_sectors: the bio's */
	XBLK_EV_COMPLETE = 9, /* C: request (or part) done. id: rq, aux: errno, >= 0 */
	XBLK_EV_REMAP = 10,   /* A: bio sent on to a lower device. id: bio,
			       *    aux: pid; disk, sector: the lower device's */
	XBLK_EV_REMAP_FROM = 11, /* a: where from: follows its A record directly.
				  *    id: bio; disk, sector: the upper device's */
	XBLK_EV_INTERRUPT = 12,	 /* I: interrupt for a blkif ring, backend's or
				  *    frontend's. id: 0, aux: identity of the ring */
	XBLK_EV_RESPONSE = 13,	 /* r: blkback put a response on the ring.
				  *    id: low half of blkif's request id,
				  *    aux: identity of the ring; op: blkif's */
	XBLK_EV_RING = 14,	 /* T: the ring's thread goes about a request, and
				  *    maps its grants. id: identity of the ring,
				  *    aux: pid of the thread */
	XBLK_EV_PROCESS = 15,	 /* process name: comm, aux: pid; op: XBLK_PROCESS_* */
	XBLK_EV_LOST = 16,  /* records lost here: lost.count, from .time to lost.until;
			     * made by whoever reads the ring */
	XBLK_EV_CLOCK = 17, /* a new clock generation begins: id: generation */
	XBLK_EV_BIO_COMPLETE = 18, /* c: bio done, of a disk that makes no requests of
				    *    them. id: bio, aux: errno; no position */
	XBLK_EV_MAX
};

/* &struct xblk_record.op: operation in the low bits, flags above. */
enum xblk_op {
	XBLK_OP_READ = 0,
	XBLK_OP_WRITE = 1,
	XBLK_OP_FLUSH = 2,
	XBLK_OP_DISCARD = 3,
	XBLK_OP_SECURE_DISCARD = 4,
	XBLK_OP_WRITE_ZEROES = 5,
	XBLK_OP_OTHER = 7, /* zone management, ...; pass-through is not traced */
};

#define XBLK_OP_MASK	   0x07
#define XBLK_OP_F_SYNC	   0x08
#define XBLK_OP_F_META	   0x10
#define XBLK_OP_F_RAHEAD   0x20
#define XBLK_OP_F_FUA	   0x40
#define XBLK_OP_F_PREFLUSH 0x80

#define XBLK_PROCESS_KTHREAD 0x01 /* op of XBLK_EV_PROCESS: a kernel thread */

#define XBLK_COMM_LEN 16
#define XBLK_NO_DISK  0xffff

/**
 * struct xblk_record - one event
 * @time:	Xen system time in ns; for XBLK_EV_LOST that of the first lost
 * @sector:	first sector, in units of 512 bytes, on the whole disk
 * @nr_sectors:	length in units of 512 bytes; 0 for an empty flush
 * @id:		identity, see &enum xblk_event
 * @aux:	further word, see &enum xblk_event
 * @disk:	index into the disk table of the stream's domain, or XBLK_NO_DISK
 * @event:	&enum xblk_event
 * @op:		&enum xblk_op and XBLK_OP_F_*
 * @comm:	process name, NUL-padded (and -terminated where shorter)
 * @lost:	count of lost records and the time of the last of them
 */
struct xblk_record {
	xblk_le64 time;
	union {
		struct {
			xblk_le64 sector;
			xblk_le32 nr_sectors;
			xblk_le32 id;
		};
		struct {
			xblk_le64 until;
			xblk_le64 count;
		} lost;
		char comm[XBLK_COMM_LEN];
	};
	xblk_le32 aux;
	xblk_le16 disk;
	xblk_u8 event;
	xblk_u8 op;
};

XBLK_STATIC_ASSERT(sizeof(struct xblk_record) == XBLK_RECORD_SIZE);
XBLK_STATIC_ASSERT(offsetof(struct xblk_record, time) == 0);
XBLK_STATIC_ASSERT(offsetof(struct xblk_record, sector) == 8);
XBLK_STATIC_ASSERT(offsetof(struct xblk_record, nr_sectors) == 16);
XBLK_STATIC_ASSERT(offsetof(struct xblk_record, id) == 20);
XBLK_STATIC_ASSERT(offsetof(struct xblk_record, lost.until) == 8);
XBLK_STATIC_ASSERT(offsetof(struct xblk_record, lost.count) == 16);
XBLK_STATIC_ASSERT(offsetof(struct xblk_record, comm) == 8);
XBLK_STATIC_ASSERT(offsetof(struct xblk_record, aux) == 24);
XBLK_STATIC_ASSERT(offsetof(struct xblk_record, disk) == 28);
XBLK_STATIC_ASSERT(offsetof(struct xblk_record, event) == 30);
XBLK_STATIC_ASSERT(offsetof(struct xblk_record, op) == 31);

#endif /* XBLK_RECORD_H */
