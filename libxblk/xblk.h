/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the library tells of guests' requests: all that prints, counts or passes them on
 * needs no more than this.
 */
#ifndef XBLK_XBLK_H
#define XBLK_XBLK_H

#include <stdbool.h>
#include <stdint.h>

/* In the order in which a request passes them; their sum is Q2C. */
enum stage {
	STAGE_U_Q2D,
	STAGE_U_T,
	STAGE_0_Q2D,
	STAGE_0_D2C,
	STAGE_0_T,
	STAGE_PARTS,
	STAGE_Q2C = STAGE_PARTS,
	STAGE_MAX
};

extern const char *const stage_names[STAGE_MAX];

enum side {
	SIDE_GUEST,
	SIDE_BACKEND,
	SIDE_MAX
};

/* Every guest request that was seen ends in exactly one. */
enum bin {
	BIN_JOINED,
	BIN_BEFORE_TRACE,  /* it began before the trace did */
	BIN_IN_FLIGHT,	   /* it had not come back when the trace ended */
	BIN_LOST,	   /* a record of it was lost */
	BIN_NO_BACKEND_IO, /* came back though dom0 did no I/O for it */
	BIN_NOT_SERVED,	   /* its disk is not served by a blkback that is traced */
	BIN_INCOMPLETE,	   /* dom0 showed a part of it, though it lost nothing */
	BIN_CAUSALITY,	   /* a stage is negative: the clocks disagree */
	BIN_CLOCK_CHANGE,  /* a clock changed under way: its times do not compare */
	BIN_EVICTED,	   /* more was in flight than is kept */
	BIN_AMBIGUOUS,	   /* which of several it belongs to cannot be told */
	BIN_MALFORMED,	   /* the guest's records of it contradict each other */
	BIN_MAX
};

extern const char *const bin_names[BIN_MAX];

/**
 * struct xblk_request - a guest's request that has ended, in one bin
 * @domid:	of the guest
 * @guest:	its name, as of when it had the disk
 * @disk:	name of the disk, as "xvda"
 * @label:	the same, but "xvda#2" for the second one of that name, and so on
 * @device:	its name in a guest that is Linux, be it another one; "": not known
 * @disk_index:	of the disk, in the guest's records
 * @process:	name of the process that queued its first bio; "?": not known
 * @pid:	of that process; 0: not known
 * @op:		enum xblk_op, and flags
 * @sector:	its first one on the guest's disk
 * @nr_sectors:	of 512 bytes
 * @nr_bios:	of the guest, in it
 * @nr_backend_bios: that dom0 made of it
 * @requeues:	how often it came back and was issued again
 * @error:	with which it completed; 0: none
 * @q_ns:	when its first bio was queued
 * @d_ns:	when it was issued last
 * @c_ns:	when it completed
 * @backend_q_ns: when dom0 queued the bio for it that completed last
 * @backend_d_ns: when that was issued
 * @backend_c_ns: when that completed
 * @backend_interrupt_ns: the last interrupt of the backend's ring before it was taken up
 * @backend_thread_ns: when blkback's thread went about it
 * @lowest_q_ns: when the lowest device's bio was queued that was done last
 * @lowest_c_ns: when that completed
 * @lowest_requeued_ns: from its requeues to its next issues, in sum
 * @response_ns: when the response was put on the ring
 * @interrupt_ns: the guest's last interrupt before @c_ns
 * @guest_flush_ns: how long a flush of its disk was outstanding between @q_ns and @d_ns
 * @backend_flush_ns: the same between @backend_q_ns and @backend_d_ns, of dom0's disk
 * @measured:	all of it was seen, so that @stages and the backend's times are its
 * @stages:	in ns, by enum stage; one is negative in BIN_CAUSALITY
 * @bin:	what has become of it
 * @reached:	of one in flight: the stage that it is in
 *
 * Times are in ns of Xen's clock, as in the records; 0: not known.  It is flat and does
 * not change, but stays, with its strings, only as long as the call that tells of it.
 */
struct xblk_request {
	unsigned int domid;
	const char *guest, *disk, *label, *device;
	unsigned int disk_index;
	const char *process;
	uint32_t pid;

	unsigned int op;
	uint64_t sector;
	uint32_t nr_sectors, nr_bios, nr_backend_bios, requeues, error;

	uint64_t q_ns, d_ns, c_ns;
	uint64_t backend_q_ns, backend_d_ns, backend_c_ns;
	uint64_t backend_interrupt_ns, backend_thread_ns;
	uint64_t lowest_q_ns, lowest_c_ns, lowest_requeued_ns;
	uint64_t response_ns, interrupt_ns;
	uint64_t guest_flush_ns, backend_flush_ns;

	bool measured;
	int64_t stages[STAGE_MAX];
	enum bin bin;
	enum stage reached;
};

#endif
