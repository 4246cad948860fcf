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
 * xblk/events.def has their names and numbers, and says what the record's other
 * fields hold.  XBLK_EV_NONE is never written: an all-zero record is invalid.
 */
enum xblk_event {
	XBLK_EV_NONE = 0,
#define XBLK_EVENT(number, name, letter, by, fields, id, aux, text) \
	XBLK_EV_##name = number,
#include "xblk/events.def"
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
#define XBLK_OP_BIT(op)	   (1u << XBLK_OP_##op) /* in a set of operations */
#define XBLK_OP_F_SYNC	   0x08
#define XBLK_OP_F_META	   0x10
#define XBLK_OP_F_RAHEAD   0x20
#define XBLK_OP_F_FUA	   0x40
#define XBLK_OP_F_PREFLUSH 0x80

#define XBLK_PROCESS_KTHREAD 0x01 /* op of XBLK_EV_PROCESS: a kernel thread */

/*
 * What a producer's clock may be off for certain, in ns, before that is said: stages of
 * requests on a fast disk are as long.
 */
#define XBLK_CLOCK_BOUND 100000

/* What times a producer's records: the time-stamp counter, or sched_clock(). */
#define XBLK_CLOCK_TSC "tsc"
#define XBLK_CLOCK_XEN "xen"

#define XBLK_COMM_LEN 16
#define XBLK_NO_DISK  0xffff

/**
 * struct xblk_record - one event
 * @time:	Xen system time in ns; for XBLK_EV_LOST that of the first lost
 * @sector:	first sector, in units of 512 bytes, on the whole disk
 * @nr_sectors:	length in units of 512 bytes; 0 for an empty flush
 * @id:		identity, see xblk/events.def
 * @aux:	further word, see there
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
