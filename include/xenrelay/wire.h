/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Xenrelay: what the two ends of a channel share.
 *
 * A channel has one single-producer single-consumer ring for each vCPU of the
 * guest.  Its pages belong to the guest, which grants them to the reader:
 *
 *   info page       read-only   struct xenrelay_info, then the directory refs
 *   producer page   read-only   union xenrelay_producer_line[]
 *   loss page       read-only   struct xenrelay_loss_line[]
 *   consumer page   writable    union xenrelay_consumer_line[]
 *   directory       read-only   grant references of the data pages, u32 each,
 *                               ring after ring, XENRELAY_REFS_PER_PAGE a page
 *   data pages      read-only   the rings
 *
 * Line 0 of the producer and consumer page is the channel's own, line 1 + n of
 * these and of the loss page is that of ring n.  The consumer page is the only
 * memory the reader writes.
 *
 * With more than XENRELAY_FEW_RINGS rings there are XENRELAY_FURTHER_PAGES() more
 * pages of each of these three kinds, whose lines go on where the first page's end.
 * The directory begins with their references: producer, loss, consumer pages.
 *
 * A ring's data pages are contiguous at both ends.  Items lie one behind the
 * other from the start of the ring; what is left over at its end is padding.
 * Positions count items since the channel was connected and never wrap
 * (2^64 items); item n lies at byte (n % capacity) * item_size of the ring.
 *
 * When a ring is full, then by the channel's mode:
 *
 *   discard     New items are lost.  Writing is suspended until the reader has
 *               taken all that is there, so that losses come in spans, each
 *               with its own place: between two items.  Of a ring's spans at
 *               most two are not behind the reader, and the loss line holds
 *               them: span k (counted from 1) in spans[k % 2].  It is final as
 *               soon as the item at its position is written.
 *   overwrite   The oldest items are lost.  The producer never looks at the
 *               reader's position; of the items below head, the reader may use
 *               those that are still among the capacity - 1 newest when it
 *               looks at head once more after it has copied them.
 *               Which ones it missed it knows from the positions.
 */
#ifndef XENRELAY_WIRE_H
#define XENRELAY_WIRE_H

#include "types.h"

#define XENRELAY_MAGIC	 0x59414c45524e4558ull /* "XENRELAY" in memory */
#define XENRELAY_VERSION 1

#define XENRELAY_PAGE_SIZE     4096
#define XENRELAY_LINE_SIZE     64
#define XENRELAY_REFS_PER_PAGE (XENRELAY_PAGE_SIZE / 4)

#define XENRELAY_LINES_PER_PAGE (XENRELAY_PAGE_SIZE / XENRELAY_LINE_SIZE)

/* Their lines are on one page, beside the channel's; a reader may take no more. */
#define XENRELAY_FEW_RINGS (XENRELAY_LINES_PER_PAGE - 1)
/* With half of a grant table of Xen's default size, each of these can have 64 KiB. */
#define XENRELAY_MAX_RINGS 1024

/* Producer pages behind the first one, and as many loss and consumer pages. */
#define XENRELAY_FURTHER_PAGES(nr_rings) ((nr_rings) / XENRELAY_LINES_PER_PAGE)
/* References at the beginning of the directory that are not of data pages. */
#define XENRELAY_FURTHER_REFS(nr_rings) (3 * XENRELAY_FURTHER_PAGES(nr_rings))

#define XENRELAY_MIN_ITEM_SIZE	8
#define XENRELAY_MAX_ITEM_SIZE	(1u << 20)
#define XENRELAY_MAX_RING_PAGES (1u << 16) /* 256 MiB */

/**
 * struct xenrelay_info - the head of the info page
 * @magic:	XENRELAY_MAGIC
 * @version:	XENRELAY_VERSION
 * @info_size:	size of this struct; dir_refs[] follow at this offset
 * @item_size:	bytes of an item
 * @nr_rings:	rings of the channel, 1..XENRELAY_MAX_RINGS; ring n is vCPU n's
 * @ring_pages:	data pages of one ring
 * @producer_ref, @consumer_ref: grant references of the first position pages
 * @nr_dir_pages: directory pages; their grant references follow the struct
 * @session:	the reader's number for this connection, echoed
 * @flags:	XENRELAY_F_*
 * @clock_ns:	accuracy of the clock that the client of the channel stamps
 *		with: half of the interval in which its offset to Xen system
 *		time is known to lie, ns; 0 if the client has no such clock
 * @client_version: the client's own version of the items' format
 * @loss_ref:	grant reference of the loss page; with more than XENRELAY_FEW_RINGS
 *		rings there is one
 * @doorbell_port: the guest's event channel port, with XENRELAY_F_DOORBELL
 * @reserved:	0
 *
 * Written before the reader learns of it and constant from then on.  A later
 * version of the protocol may add members at the end, and then has a larger
 * info_size; a reader ignores what it does not know.
 */
struct xenrelay_info {
	xblk_le64 magic;
	xblk_le32 version;
	xblk_le32 info_size;
	xblk_le32 item_size;
	xblk_le32 nr_rings;
	xblk_le32 ring_pages;
	xblk_le32 producer_ref;
	xblk_le32 consumer_ref;
	xblk_le32 nr_dir_pages;
	xblk_le64 session;
	xblk_le32 flags;
	xblk_le32 clock_ns;
	xblk_le32 client_version;
	xblk_le32 loss_ref;
	xblk_le32 doorbell_port;
	xblk_le32 reserved[15];
};

/* The rings were allocated contiguously, not as single pages under vmap. */
#define XENRELAY_F_CONTIGUOUS 0x1
/* The mode is overwrite, not discard. */
#define XENRELAY_F_OVERWRITE 0x2
/* The guest sends an event when a ring has filled up to the mark. */
#define XENRELAY_F_DOORBELL 0x4

#define XENRELAY_MAX_DIR_PAGES ((XENRELAY_PAGE_SIZE - sizeof(struct xenrelay_info)) / 4)

/**
 * union xenrelay_producer_line - positions written by the guest
 * @head:	items written to the ring so far
 * @lost:	items that found the ring full, so far (discard)
 * @lost_nmi:	items refused because they came from NMI context, so far
 * @spans:	loss spans begun so far (discard)
 * @events:	events (notifications) that the channel has sent since it was
 *		connected; 0 unless the reader has asked for the doorbell
 * @state:	enum xenrelay_state
 */
union xenrelay_producer_line {
	struct {
		xblk_le64 head;
		xblk_le64 lost;
		xblk_le64 lost_nmi;
		xblk_le64 spans;
	} ring;
	struct {
		xblk_le64 events;
		xblk_le32 state;
	} channel;
	xblk_u8 line[XENRELAY_LINE_SIZE];
};

/* In the producer page, so that a reader learns of the end without XenStore. */
enum xenrelay_state {
	XENRELAY_RUNNING = 1, /* items may come */
	XENRELAY_STOPPED = 2, /* no item comes any more; what is there may be read */
};

/**
 * struct xenrelay_span - items lost one after the other
 * @position:	they were lost before the item of this number
 * @count:	how many
 * @first_ns:	time of the first, by the client's clock; 0 if it has none
 * @last_ns:	time of the last
 */
struct xenrelay_span {
	xblk_le64 position;
	xblk_le64 count;
	xblk_le64 first_ns;
	xblk_le64 last_ns;
};

struct xenrelay_loss_line {
	struct xenrelay_span spans[2];
};

/**
 * union xenrelay_consumer_line - positions written by the reader
 * @tail:	items of the ring that the reader has done with
 * @attached:	1 while a reader has the page mapped.  The reader's kernel
 *		clears it when the mapping goes, however the reader ended
 *		(UNMAP_NOTIFY_CLEAR_BYTE of the grant-mapping device).
 * @armed:	with a doorbell: another number each time that the reader is
 *		about to sleep; it gets one event for each at the most
 */
union xenrelay_consumer_line {
	struct {
		xblk_le64 tail;
	} ring;
	struct {
		xblk_u8 attached;
		xblk_u8 reserved[3];
		xblk_le32 armed;
	} channel;
	xblk_u8 line[XENRELAY_LINE_SIZE];
};

XBLK_STATIC_ASSERT(sizeof(struct xenrelay_info) == 128);
XBLK_STATIC_ASSERT(offsetof(struct xenrelay_info, session) == 40);
XBLK_STATIC_ASSERT(offsetof(struct xenrelay_info, loss_ref) == 60);
XBLK_STATIC_ASSERT(sizeof(struct xenrelay_loss_line) == XENRELAY_LINE_SIZE);
XBLK_STATIC_ASSERT(sizeof(union xenrelay_producer_line) == XENRELAY_LINE_SIZE);
XBLK_STATIC_ASSERT(sizeof(union xenrelay_consumer_line) == XENRELAY_LINE_SIZE);
XBLK_STATIC_ASSERT(XENRELAY_FURTHER_PAGES(XENRELAY_FEW_RINGS) == 0);
XBLK_STATIC_ASSERT(XENRELAY_FURTHER_PAGES(XENRELAY_FEW_RINGS + 1) == 1);

/*
 * XenStore, under the guest's own /local/domain/<domid>/:
 *
 *   data/xenrelay/<channel>/version   written by the guest, once: the versions of
 *                                     this protocol that it speaks, "1" or
 *                                     "<oldest>-<newest>"
 *   data/xenrelay/<channel>/features  written by the guest, once: what it offers
 *                                     beyond version 1's core, words separated
 *                                     by spaces:
 *       overwrite                      the reader may choose the mode
 *       doorbell                       the reader may ask for events
 *       configure                      the reader may change the config
 *   data/xenrelay/<channel>/generation  written by the guest, once: a number, up to
 *                                     2^64 - 1, that is another each time that a
 *                                     channel of this name is opened.  Older guests
 *                                     do not write it
 *   data/xenrelay/<channel>/state     written by the guest:
 *       "open"                         no reader; no memory is held
 *       "ready <session> <info-ref>"   connected; the info page may be mapped
 *       "stopped <session>"            disconnected at the reader's wish or
 *                                      because the channel closes; what is in
 *                                      the rings may still be read
 *       "failed <session> <errno> <text>"  the connection could not be made
 *     and removed when the channel closes.
 *   data/xenrelay/<channel>/reader    empty at first; written by the reader:
 *       "connect <session> <domid> <ring-KiB> [word...]"  domid: whom to grant
 *                                      to; ring-KiB 0: the guest's default
 *       "configure <session>"          the config is another now
 *       "disconnect <session>"         no more items, please
 *       "release <session>"            the reader has unmapped everything
 *     The words of "connect", of which the guest ignores those it does not know:
 *       version=<n>                    the version that both speak; 1 if missing
 *       rings=<n>                      the most rings that the reader takes;
 *                                      XENRELAY_FEW_RINGS if missing
 *       mode=discard, mode=overwrite   the client's own choice if missing
 *       doorbell=<percent>             an event when a ring has filled so far,
 *                                      1 to 100
 *   data/xenrelay/<channel>/config    written by the reader before "connect" and
 *                                      "configure":
 *                                      passed to the client of the channel
 *
 * <session> is a decimal number, not 0, that the reader draws for each
 * connection.  A "release", or the consumer page's attached byte falling from
 * 1 to 0, or not rising within 10 s of "ready", brings the channel back to
 * "open", by way of "stopped".
 *
 * The rings may be smaller than asked for: memory and grants are limited.  What
 * the guest granted of the words is in the info page's flags.
 */
#define XENRELAY_XS_DIR "data/xenrelay"

#endif /* XENRELAY_WIRE_H */
