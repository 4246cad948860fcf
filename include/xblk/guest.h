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
 */
#ifndef XBLK_GUEST_H
#define XBLK_GUEST_H

#define XBLK_GUEST_CHANNEL	"xblk"
#define XBLK_GUEST_VERSION	1 /* of the records */
#define XBLK_GUEST_DISKS	"disks="
#define XBLK_GUEST_EVENTS	0xffffffffu /* no device id: these have 29 bits */
#define XBLK_GUEST_FIRST_EVENTS 18

#endif /* XBLK_GUEST_H */
