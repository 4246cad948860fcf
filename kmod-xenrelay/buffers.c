// SPDX-License-Identifier: GPL-2.0-only
/* The pages of a channel: allocated, made contiguous, granted, and given back. */
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <xen/page.h>
#include "budget.h"
#include "buffers.h"

/* The kinds of pages that are neither a ring's nor the directory's. */
#define OTHER_AREAS 4

static int area_alloc_contiguous(struct xenrelay_area *area, unsigned int nr_pages)
{
	unsigned int i;

	/*
	 * alloc_pages_exact() splits the high order, so each page has a count
	 * of its own and can outlive the others when the reader is slow to
	 * unmap: gnttab_end_foreign_access() asks for that.
	 */
	area->vaddr =
		alloc_pages_exact((size_t)nr_pages << PAGE_SHIFT,
				  GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN | __GFP_NORETRY);
	if (!area->vaddr)
		return -ENOMEM;
	for (i = 0; i < nr_pages; i++)
		area->pages[i] = virt_to_page(area->vaddr + ((size_t)i << PAGE_SHIFT));
	area->nr_pages = nr_pages;
	area->contiguous = true;
	return 0;
}

/* Fails rather than have a process of the guest killed for its memory. */
static int area_alloc_vmap(struct xenrelay_area *area, unsigned int nr_pages)
{
	unsigned int i;

	for (i = 0; i < nr_pages; i++) {
		area->pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN |
					    __GFP_RETRY_MAYFAIL);
		if (!area->pages[i])
			goto err;
	}
	area->vaddr = vmap(area->pages, nr_pages, VM_MAP, PAGE_KERNEL);
	if (!area->vaddr)
		goto err;
	area->nr_pages = nr_pages;
	return 0;

err:
	while (i--)
		put_page(area->pages[i]);
	return -ENOMEM;
}

/*
 * Undoes area_create(), also half of it, but for the pages that the reader still maps:
 * those stay, and this is called again.  Return: how many.
 */
static unsigned int area_take_back(struct xenrelay_area *area)
{
	unsigned int i, left = 0;

	if (area->vaddr && !area->contiguous)
		vunmap(area->vaddr);
	area->vaddr = NULL;
	for (i = 0; i < area->nr_pages; i++) {
		if (i < area->nr_granted &&
		    !gnttab_try_end_foreign_access(area->refs[i])) {
			area->pages[left] = area->pages[i];
			area->refs[left++] = area->refs[i];
		} else {
			put_page(area->pages[i]);
		}
		cond_resched();
	}
	area->nr_pages = left;
	area->nr_granted = left;
	return left;
}

/* The grant table code frees each page that is left when it is not mapped any more. */
static unsigned int area_forget(struct xenrelay_area *area)
{
	unsigned int i;

	for (i = 0; i < area->nr_pages; i++) {
		gnttab_end_foreign_access(area->refs[i], area->pages[i]);
		cond_resched();
	}
	kvfree(area->refs);
	kvfree(area->pages);
	return i;
}

/* Return: the sum of what @fn returns. */
static unsigned int for_each_area(struct xenrelay_buffers *bufs,
				  unsigned int (*fn)(struct xenrelay_area *area))
{
	struct xenrelay_area *others[OTHER_AREAS] = {&bufs->info, &bufs->producer,
						     &bufs->losses, &bufs->consumer};
	unsigned int i, sum = 0;

	for (i = 0; bufs->data && i < bufs->nr_rings; i++)
		sum += fn(&bufs->data[i]);
	sum += fn(&bufs->dir);
	for (i = 0; i < ARRAY_SIZE(others); i++)
		sum += fn(others[i]);
	return sum;
}

/* On failure there may be half of it, for area_take_back(). */
static int area_create(struct xenrelay_area *area, unsigned int nr_pages, domid_t reader,
		       bool readonly, enum xenrelay_mapping mapping)
{
	int err = -ENOMEM;
	int ref;

	area->pages = kvcalloc(nr_pages, sizeof(*area->pages), GFP_KERNEL);
	area->refs = kvcalloc(nr_pages, sizeof(*area->refs), GFP_KERNEL);
	if (!area->pages || !area->refs)
		return -ENOMEM;

	if (mapping != XENRELAY_MAP_VMAP)
		err = area_alloc_contiguous(area, nr_pages);
	if (err && mapping != XENRELAY_MAP_CONTIGUOUS)
		err = area_alloc_vmap(area, nr_pages);
	if (err)
		return err;

	for (; area->nr_granted < nr_pages; area->nr_granted++) {
		struct page *page = area->pages[area->nr_granted];

		ref = gnttab_grant_foreign_access(reader, xen_page_to_gfn(page),
						  readonly);
		if (ref < 0)
			return ref;
		area->refs[area->nr_granted] = ref;
		cond_resched();
	}
	return 0;
}

/* Return: behind those of the area's pages from @first on. */
static u32 *put_refs(u32 *refs, const struct xenrelay_area *area, unsigned int first)
{
	unsigned int nr = area->nr_pages - first;

	memcpy(refs, area->refs + first, nr * sizeof(u32));
	return refs + nr;
}

static void fill_directory(struct xenrelay_buffers *bufs)
{
	u32 *refs = bufs->dir.vaddr;
	unsigned int i;

	put_refs(bufs->info.vaddr + sizeof(struct xenrelay_info), &bufs->dir, 0);
	refs = put_refs(refs, &bufs->producer, 1);
	refs = put_refs(refs, &bufs->losses, 1);
	refs = put_refs(refs, &bufs->consumer, 1);
	for (i = 0; i < bufs->nr_rings; i++)
		refs = put_refs(refs, &bufs->data[i], 0);
}

/**
 * xenrelay_buffers_create() - make and grant the pages of a channel
 * @item_size:	bytes of an item, checked by the caller
 * @ring_pages:	data pages of each ring, checked by the caller
 * @overwrite:	the mode
 * @reader:	domain to grant to
 * @mapping:	how to make a ring's pages contiguous
 *
 * The head of the info page is filled in but for its session and client's
 * fields.  There is a ring for each possible CPU, so vCPUs may come and go.
 *
 * Context: process, may sleep.
 * Return: the buffers, or ERR_PTR: -ENOSPC (too many grants), -ENOMEM, both also where
 * readers would have more than their share; -E2BIG (more pages or CPUs than a channel can
 * have).
 */
struct xenrelay_buffers *xenrelay_buffers_create(u32 item_size, u32 ring_pages,
						 bool overwrite, domid_t reader,
						 enum xenrelay_mapping mapping)
{
	unsigned int nr_position_pages = 1 + XENRELAY_FURTHER_PAGES(nr_cpu_ids);
	unsigned long nr_data_pages = (unsigned long)nr_cpu_ids * ring_pages;
	unsigned long nr_dir_pages =
		DIV_ROUND_UP(XENRELAY_FURTHER_REFS(nr_cpu_ids) + nr_data_pages,
			     XENRELAY_REFS_PER_PAGE);
	unsigned long nr_other_pages = nr_dir_pages + 1 + 3 * nr_position_pages;
	struct xenrelay_buffers *bufs;
	struct xenrelay_info *info;
	bool contiguous = true;
	unsigned int i;
	int err;

	BUILD_BUG_ON(PAGE_SIZE != XENRELAY_PAGE_SIZE);
	if (nr_cpu_ids > XENRELAY_MAX_RINGS || nr_dir_pages > XENRELAY_MAX_DIR_PAGES)
		return ERR_PTR(-E2BIG);

	bufs = kzalloc(sizeof(*bufs), GFP_KERNEL);
	if (!bufs)
		return ERR_PTR(-ENOMEM);
	err = xenrelay_budget_take(nr_data_pages, nr_other_pages);
	if (err) {
		kfree(bufs);
		return ERR_PTR(err);
	}
	bufs->nr_charged = nr_data_pages + nr_other_pages;
	err = -ENOMEM;
	bufs->nr_rings = nr_cpu_ids;
	bufs->data = kvcalloc(bufs->nr_rings, sizeof(*bufs->data), GFP_KERNEL);
	bufs->rings = kvcalloc(bufs->nr_rings, sizeof(*bufs->rings), GFP_KERNEL);
	bufs->lost_nmi = alloc_percpu(u64);
	if (!bufs->data || !bufs->rings || !bufs->lost_nmi)
		goto err;

	err = area_create(&bufs->info, 1, reader, true, XENRELAY_MAP_CONTIGUOUS);
	if (err)
		goto err;
	err = area_create(&bufs->producer, nr_position_pages, reader, true,
			  XENRELAY_MAP_AUTO);
	if (err)
		goto err;
	err = area_create(&bufs->losses, nr_position_pages, reader, true,
			  XENRELAY_MAP_AUTO);
	if (err)
		goto err;
	err = area_create(&bufs->consumer, nr_position_pages, reader, false,
			  XENRELAY_MAP_AUTO);
	if (err)
		goto err;
	err = area_create(&bufs->dir, nr_dir_pages, reader, true, XENRELAY_MAP_AUTO);
	if (err)
		goto err;
	for (i = 0; i < bufs->nr_rings; i++) {
		err = area_create(&bufs->data[i], ring_pages, reader, true, mapping);
		if (err)
			goto err;
		contiguous &= bufs->data[i].contiguous;
		xenrelay_ring_init(&bufs->rings[i], bufs->data[i].vaddr,
				   (size_t)ring_pages << PAGE_SHIFT, item_size, overwrite,
				   &xenrelay_producer(bufs)[1 + i],
				   &xenrelay_losses(bufs)[1 + i],
				   &xenrelay_consumer(bufs)[1 + i]);
	}
	fill_directory(bufs);

	info = xenrelay_info(bufs);
	info->magic = XENRELAY_MAGIC;
	info->version = XENRELAY_VERSION;
	info->info_size = sizeof(*info);
	info->item_size = item_size;
	info->nr_rings = bufs->nr_rings;
	info->ring_pages = ring_pages;
	info->producer_ref = bufs->producer.refs[0];
	info->consumer_ref = bufs->consumer.refs[0];
	info->loss_ref = bufs->losses.refs[0];
	info->nr_dir_pages = nr_dir_pages;
	info->flags = (contiguous ? XENRELAY_F_CONTIGUOUS : 0) |
		      (overwrite ? XENRELAY_F_OVERWRITE : 0);
	xenrelay_producer(bufs)[0].channel.state = XENRELAY_RUNNING;
	return bufs;

err:
	xenrelay_buffers_free(bufs);
	return ERR_PTR(err);
}

/**
 * xenrelay_buffers_free() - take everything back
 * @bufs:	what xenrelay_buffers_create() returned
 *
 * No writer may be left.  Pages that the reader still maps are freed when it does not
 * any more.
 *
 * Context: process, may sleep.
 */
void xenrelay_buffers_free(struct xenrelay_buffers *bufs)
{
	xenrelay_doorbell_destroy(&bufs->doorbell);
	free_percpu(bufs->lost_nmi);
	bufs->lost_nmi = NULL;
	kvfree(bufs->rings);
	bufs->rings = NULL;
	xenrelay_leftovers_add(bufs);
}

/**
 * xenrelay_buffers_take_back() - free the pages that the reader does not map
 * @bufs:	of a connection that xenrelay_buffers_free() has ended
 *
 * Context: process, may sleep.
 * Return: how many it maps.
 */
unsigned int xenrelay_buffers_take_back(struct xenrelay_buffers *bufs)
{
	unsigned int left = for_each_area(bufs, area_take_back);

	xenrelay_budget_give(bufs->nr_charged - left);
	bufs->nr_charged = left;
	return left;
}

/**
 * xenrelay_buffers_forget() - free what is left of an ended connection
 * @bufs:	as for xenrelay_buffers_take_back()
 *
 * Pages that are still mapped are the grant table code's from now on, and counted no more.
 *
 * Context: process, may sleep.
 */
void xenrelay_buffers_forget(struct xenrelay_buffers *bufs)
{
	for_each_area(bufs, area_forget);
	xenrelay_budget_give(bufs->nr_charged);
	kvfree(bufs->data);
	kfree(bufs);
}

/**
 * xenrelay_buffers_unmapped() - whether the reader maps no consumer page any more
 * @bufs:	of a channel whose reader did
 *
 * The grants end with that, so nobody can map them again.
 *
 * Context: any.
 */
bool xenrelay_buffers_unmapped(struct xenrelay_buffers *bufs)
{
	struct xenrelay_area *area = &bufs->consumer;

	/* The first page, which a reader maps last and unmaps last, goes last here, too. */
	while (area->nr_granted &&
	       gnttab_try_end_foreign_access(area->refs[area->nr_granted - 1]))
		area->nr_granted--;
	return !area->nr_granted;
}
