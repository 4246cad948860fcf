// SPDX-License-Identifier: GPL-2.0-only
/* Lies in the info page, the directory and the grants. */
#include <linux/random.h>
#include "xr-hostile.h"

static void bad_magic(void)
{
	info()->magic ^= 1;
}
static void bad_version(void)
{
	info()->version = 77;
}
static void bad_info_size(void)
{
	info()->info_size = 0xfffffffc;
}
static void bad_session(void)
{
	info()->session++;
}
static void no_item_size(void)
{
	info()->item_size = 0;
}
static void huge_item_size(void)
{
	info()->item_size = ~0u;
}
static void no_rings(void)
{
	info()->nr_rings = 0;
}
static void many_rings(void)
{
	info()->nr_rings = ~0u;
}
/* More than fit onto one page of positions, and no others. */
static void rings_without_lines(void)
{
	info()->nr_rings = 127;
	info()->ring_pages = 1;
	info()->nr_dir_pages = 1;
	((u32 *)peer.bufs->dir.vaddr)[0] = NOWHERE;
}
/* The reader's own may not be written. */
static void readonly_further(void)
{
	u32 *refs = peer.bufs->dir.vaddr;

	rings_without_lines();
	refs[0] = refs[1] = refs[2] = info()->producer_ref;
}
static void no_loss_page(void)
{
	rings_without_lines();
	info()->loss_ref = 0;
}
static void no_ring_pages(void)
{
	info()->ring_pages = 0;
}
static void many_ring_pages(void)
{
	info()->ring_pages = 1u << 31;
}
static void bad_dir_count(void)
{
	info()->nr_dir_pages = 0;
}
static void other_records(void)
{
	info()->client_version = 99;
}
static void bad_producer(void)
{
	info()->producer_ref = NOWHERE;
}
static void bad_losses(void)
{
	info()->loss_ref = NOWHERE;
}
static void bad_consumer(void)
{
	info()->consumer_ref = NOWHERE;
}
static void readonly_consumer(void)
{
	info()->consumer_ref = info()->producer_ref;
}
static void bad_data(void)
{
	((u32 *)peer.bufs->dir.vaddr)[RING_PAGES + 1] = NOWHERE;
}

/* As large as the format allows, with a directory to match. */
static void huge(void)
{
	info()->nr_rings = 15;
	info()->ring_pages = XENRELAY_MAX_RING_PAGES;
	info()->nr_dir_pages = 15 * XENRELAY_MAX_RING_PAGES / XENRELAY_REFS_PER_PAGE;
}

static void bad_dir(void)
{
	*(u32 *)(peer.bufs->info.vaddr + sizeof(struct xenrelay_info)) = NOWHERE;
}

/* Every page of the second ring is the consumer page, which the reader itself writes. */
void ring_alias(void)
{
	u32 *refs = peer.bufs->dir.vaddr;
	unsigned int i;

	for (i = RING_PAGES; i < peer.bufs->nr_rings * RING_PAGES; i++)
		refs[i] = peer.bufs->consumer.refs[0];
}

/* The reader has looked at these once and must never look again. */
void rewrite_info(void)
{
	get_random_bytes(peer.bufs->info.vaddr, 4096);
	get_random_bytes(peer.bufs->dir.vaddr, 4096);
	put_request();
}

static void ref_zero(void)
{
	set_state("ready %llu 0", peer.session);
}
static void ref_nowhere(void)
{
	set_state("ready %llu 4294967295", peer.session);
}

/* "ready", and the grants are gone by the time that the reader comes. */
static void revoke(void)
{
	xenrelay_buffers_free(peer.bufs);
	peer.bufs = NULL;
	announce_ready();
}

const struct attack hostile_info[] = {
	{"magic", .granted = bad_magic},
	{"version", .granted = bad_version},
	{"info-size", .granted = bad_info_size},
	{"session", .granted = bad_session},
	{"item-size-0", .granted = no_item_size},
	{"item-size-huge", .granted = huge_item_size},
	{"rings-0", .granted = no_rings},
	{"rings-many", .granted = many_rings},
	{"rings-nowhere", .granted = rings_without_lines},
	{"rings-readonly", .granted = readonly_further},
	{"rings-lossless", .granted = no_loss_page},
	{"ring-pages-0", .granted = no_ring_pages},
	{"ring-pages-many", .granted = many_ring_pages},
	{"dir-count", .granted = bad_dir_count},
	{"huge", .granted = huge},
	{"client-version", .granted = other_records},
	{"producer-ref", .granted = bad_producer},
	{"loss-ref", .granted = bad_losses},
	{"consumer-ref", .granted = bad_consumer},
	{"consumer-readonly", .granted = readonly_consumer},
	{"dir-ref", .granted = bad_dir},
	{"data-ref", .granted = bad_data},
	{"ref-0", .announce = ref_zero},
	{"ref-nowhere", .announce = ref_nowhere},
	{"revoked", .announce = revoke},
	{"to-another", .to_another = true},
	{},
};
