/* SPDX-License-Identifier: GPL-2.0-only */
/* What of a disk has not come back yet. */
#ifndef LIBXBLK_INFLIGHT_H
#define LIBXBLK_INFLIGHT_H

#include <stdint.h>

#include "xblk.h"

struct disk;
struct guest_rq;

/**
 * struct in_flight - what a disk's guest waits for
 * @requests:	issued and not completed
 * @bios:	queued, and in no request that was issued
 * @oldest_ns:	Q of the oldest of these requests, its D where the Q is not known, in ns
 *		of Xen's clock; 0: there is none
 * @reached:	the stage that this one is in
 */
struct in_flight {
	uint64_t requests, bios;
	uint64_t oldest_ns;
	enum stage reached;
};

/* The stage that a request is in which has not come back. */
enum stage rq_reached(const struct guest_rq *rq);

/* As of the record that the join saw last; takes as long as the guest has in flight. */
struct in_flight in_flight_of(const struct disk *disk);

#endif
