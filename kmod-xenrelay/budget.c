// SPDX-License-Identifier: GPL-2.0-only
#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>
#include <xen/grant_table.h>
#include <xen/page.h>
#include "budget.h"
#include "buffers.h"

/*
 * Readers get half of the grant table, for the other half is the disks' and nets', and
 * half of the memory that is free without them.  A page counts until it is free again,
 * not until its connection ends: a reader that releases and does not unmap has no more
 * by that than one that stays.
 */
#define READERS_SHARE 2

/* How often it is looked whether a reader has unmapped what it left mapped. */
#define POLL_PERIOD HZ

static atomic_long_t pages_held;

static DEFINE_MUTEX(leftovers_lock);
static LIST_HEAD(leftovers);

static void poll_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(poll, poll_work);

static unsigned long grant_entries(void)
{
	return gnttab_max_grant_frames() *
	       (XEN_PAGE_SIZE / sizeof(struct grant_entry_v1));
}

/**
 * xenrelay_budget_take() - whether a connection may have so many pages
 * @ring_pages:		data pages of all its rings
 * @other_pages:	those that describe them, which come on top of its share
 *
 * On success both count until xenrelay_budget_give().
 *
 * Context: any.
 * Return: 0, -ENOSPC (the readers' grants are used up), -ENOMEM (their memory is).
 */
int xenrelay_budget_take(unsigned long ring_pages, unsigned long other_pages)
{
	unsigned long pages = ring_pages + other_pages;
	unsigned long held = atomic_long_add_return(pages, &pages_held) - pages;
	int err = 0;

	if (held + ring_pages > grant_entries() / READERS_SHARE)
		err = -ENOSPC;
	else if (held + ring_pages > (si_mem_available() + held) / READERS_SHARE)
		err = -ENOMEM;
	if (err)
		xenrelay_budget_give(pages);
	return err;
}

/**
 * xenrelay_budget_give() - so many pages and grants are free again
 * @pages:	of those that were taken
 *
 * Context: any.
 */
void xenrelay_budget_give(unsigned long pages)
{
	atomic_long_sub(pages, &pages_held);
}

static unsigned long poll_locked(void)
{
	struct xenrelay_buffers *bufs, *next;
	unsigned long left = 0;

	list_for_each_entry_safe (bufs, next, &leftovers, leftover) {
		unsigned int pages = xenrelay_buffers_take_back(bufs);

		left += pages;
		if (pages)
			continue;
		list_del(&bufs->leftover);
		xenrelay_buffers_forget(bufs);
	}
	if (left)
		queue_delayed_work(xenrelay_wq, &poll, POLL_PERIOD);
	return left;
}

static void poll_work(struct work_struct *work)
{
	xenrelay_leftovers_poll();
}

/**
 * xenrelay_leftovers_add() - look after pages until the reader has unmapped them
 * @bufs:	of an ended connection; freed when none is left
 *
 * gnttab_end_foreign_access() would do that, too, but it does not tell when, and Linux
 * 6.1 and 6.12 look at ten such pages of the whole guest a second.
 *
 * Context: process, may sleep.
 */
void xenrelay_leftovers_add(struct xenrelay_buffers *bufs)
{
	mutex_lock(&leftovers_lock);
	list_add_tail(&bufs->leftover, &leftovers);
	poll_locked();
	mutex_unlock(&leftovers_lock);
}

/**
 * xenrelay_leftovers_poll() - free what readers have unmapped in the meantime
 *
 * Context: process, may sleep.
 * Return: pages of ended connections that are still mapped.
 */
unsigned long xenrelay_leftovers_poll(void)
{
	unsigned long left;

	mutex_lock(&leftovers_lock);
	left = poll_locked();
	mutex_unlock(&leftovers_lock);
	return left;
}

/**
 * xenrelay_leftovers_abandon() - leave all that is still mapped to the grant table code
 *
 * Nothing of this module's is left behind, so it may be unloaded.  Nobody may be
 * adding to it.
 *
 * Context: process, may sleep.
 */
void xenrelay_leftovers_abandon(void)
{
	struct xenrelay_buffers *bufs, *next;

	cancel_delayed_work_sync(&poll);
	list_for_each_entry_safe (bufs, next, &leftovers, leftover) {
		list_del(&bufs->leftover);
		xenrelay_buffers_forget(bufs);
	}
}
