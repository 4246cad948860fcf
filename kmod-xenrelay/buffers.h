/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XENRELAY_BUFFERS_H
#define XENRELAY_BUFFERS_H

#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/types.h>
#include <xen/grant_table.h>
#include "../ring/producer.h"
#include "doorbell.h"

/* How a ring's pages are made contiguous. */
enum xenrelay_mapping {
	XENRELAY_MAP_AUTO, /* contiguous memory if there is some, else vmap */
	XENRELAY_MAP_CONTIGUOUS,
	XENRELAY_MAP_VMAP,
};

extern struct workqueue_struct *xenrelay_wq; /* for what waits for readers */

/**
 * struct xenrelay_area - pages that lie one behind the other
 * @nr_pages:	how many there are
 * @vaddr:	where, in this kernel
 * @pages:	each of them
 * @refs:	its grant references; valid for the first @nr_granted
 * @contiguous:	by allocation, not by vmap
 */
struct xenrelay_area {
	unsigned int nr_pages;
	unsigned int nr_granted;
	void *vaddr;
	struct page **pages;
	grant_ref_t *refs;
	bool contiguous;
};

/**
 * struct xenrelay_buffers - all that a connected channel shares
 * @nr_charged:	pages that xenrelay_budget_take() counts for it
 * @leftover:	links it when it has ended, until the reader has unmapped all of it
 */
struct xenrelay_buffers {
	struct xenrelay_area info;
	struct xenrelay_area producer;
	struct xenrelay_area losses;
	struct xenrelay_area consumer;
	struct xenrelay_area dir;
	unsigned int nr_rings;
	struct xenrelay_area *data;
	struct xenrelay_ring *rings; /* by CPU number */
	u64 __percpu *lost_nmi;
	struct xenrelay_doorbell doorbell;
	unsigned long nr_charged;
	struct list_head leftover;
};

struct xenrelay_buffers *xenrelay_buffers_create(u32 item_size, u32 ring_pages,
						 bool overwrite, domid_t reader,
						 enum xenrelay_mapping mapping);
void xenrelay_buffers_free(struct xenrelay_buffers *bufs);
unsigned int xenrelay_buffers_take_back(struct xenrelay_buffers *bufs);
void xenrelay_buffers_forget(struct xenrelay_buffers *bufs);
bool xenrelay_buffers_unmapped(struct xenrelay_buffers *bufs);

static inline struct xenrelay_info *xenrelay_info(const struct xenrelay_buffers *bufs)
{
	return bufs->info.vaddr;
}

static inline union xenrelay_producer_line *
xenrelay_producer(const struct xenrelay_buffers *bufs)
{
	return bufs->producer.vaddr;
}

static inline struct xenrelay_loss_line *
xenrelay_losses(const struct xenrelay_buffers *bufs)
{
	return bufs->losses.vaddr;
}

static inline const union xenrelay_consumer_line *
xenrelay_consumer(const struct xenrelay_buffers *bufs)
{
	return bufs->consumer.vaddr;
}

#endif /* XENRELAY_BUFFERS_H */
