/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What xblk-guest and its reader say to each other, beside what Xenrelay does.
 *
 * The reader's configuration is
 *
 *   disks=DEVID:INDEX[,DEVID:INDEX]...
 *	The disks that are to be traced, by their device ids in XenStore, and the indices
 *	that they are to have in the records; none after the "=" is none.  The pair
 *	XBLK_GUEST_EVENTS:N is no disk: N is the last event that the reader knows, and
 *	those behind it are not to be written.  Without it that is
 *	XBLK_GUEST_FIRST_EVENTS.  Who does not know the pair takes it for a disk that
 *	never comes, and writes no other events than these anyway.
 *	The pair XBLK_GUEST_OPS:N is no disk either: N has a bit for each of enum xblk_op
 *	that is to be recorded, 0 for all of them, as without it.  What is said first in a
 *	connection holds for all of it.  Who does not know the pair records them all, so
 *	who does says N in its node XBLK_GUEST_NODE_OPS.
 *	The pair XBLK_GUEST_MERGES:N is none either, and likewise: merges are not
 *	recorded if N is 0, and are without it.  N is said in XBLK_GUEST_NODE_MERGES.
 *
 * Beside the channel's own nodes in XenStore, while a reader is connected:
 *
 *   probes	functions that are probed beside the block layer's tracepoints, by name
 *   ops	see above
 *   merges see above
 *   clock	what timed the records when the reader came: XBLK_CLOCK_TSC or
 *		XBLK_CLOCK_XEN
 */
#ifndef XBLK_GUEST_H
#define XBLK_GUEST_H

#define XBLK_GUEST_CHANNEL	"xblk"
#define XBLK_GUEST_VERSION	1 /* of the records */
#define XBLK_GUEST_DISKS	"disks="
#define XBLK_GUEST_EVENTS	0xffffffffu /* no device id: these have 29 bits */
#define XBLK_GUEST_OPS		0xfffffffeu
#define XBLK_GUEST_MERGES	0xfffffffdu
#define XBLK_GUEST_FIRST_EVENTS 18
#define XBLK_GUEST_NODE_PROBES	"probes"
#define XBLK_GUEST_NODE_OPS	"ops"
#define XBLK_GUEST_NODE_MERGES	"merges"
#define XBLK_GUEST_NODE_CLOCK	"clock"

#endif /* XBLK_GUEST_H */
