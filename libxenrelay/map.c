// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Mapping a channel's pages.
 *
 * The guest can write to all of them at any time, so what decides anything
 * (the info page, the directory) is copied first and only the copy is used.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "xenrelay/ordering.h"
#include "internal.h"

/* No event channel at the end of the mapping: the cleared byte says it. */
#define NO_PORT ((evtchn_port_t)-1)

/* Mapped where a guest has no loss page: there is no span in it. */
static const struct xenrelay_loss_line no_losses[1 + XENRELAY_MAX_RINGS];

static int fail_map(struct xenrelay_channel *ch, const char *what)
{
	int err = errno ? errno : EIO;

	/* Of a ring: Linux says EINVAL of bad grants, and of no more maptrack entries. */
	ch->short_of_room = err == ENOMEM || err == ENOSPC ||
			    (err == EINVAL && ch->consumer);
	return ch_fail(ch, -err, "mapping %s: %s%s", what, strerror(err),
		       err == EINVAL
			       ? ": the guest has not granted it to this domain, or has "
				 "taken it back, or Xen has no maptrack entry left"
			       : "");
}

/* Copy one page of the guest's. */
static int copy_page(struct xenrelay_channel *ch, uint32_t ref, void *to,
		     const char *what)
{
	xengnttab_handle *xgt = ch->reader->xgt;
	void *page = xengnttab_map_grant_ref(xgt, ch->domid, ref, PROT_READ);

	if (!page)
		return fail_map(ch, what);
	memcpy(to, page, XENRELAY_PAGE_SIZE);
	xengnttab_unmap(xgt, page, 1);
	return 0;
}

static int map_info(struct xenrelay_channel *ch, uint32_t ref, uint64_t max_pages)
{
	xblk_u8 page[XENRELAY_PAGE_SIZE];
	const char *why;
	int err;

	err = copy_page(ch, ref, page, "the info page");
	if (err)
		return err;
	err = xr_check_info(page, ch->session, max_pages, &ch->layout, &why);
	if (err == -E2BIG) {
		ch->short_of_room = true;
		return ch_fail(ch, err,
			       "its %u rings of %u KiB are larger, all together, than "
			       "the %" PRIu64 " KiB that this reader accepts",
			       ch->layout.nr_rings, ch->layout.ring_pages * KIB_PER_PAGE,
			       max_pages * KIB_PER_PAGE);
	}
	if (err)
		return ch_fail(ch, err, "%s", why);
	return 0;
}

static int map_positions(struct xenrelay_channel *ch)
{
	xengnttab_handle *xgt = ch->reader->xgt;

	ch->producer = xengnttab_map_grant_ref(xgt, ch->domid, ch->layout.producer_ref,
					       PROT_READ);
	if (!ch->producer)
		return fail_map(ch, "the producer page");
	ch->losses = ch->layout.loss_ref
			     ? xengnttab_map_grant_ref(xgt, ch->domid,
						       ch->layout.loss_ref, PROT_READ)
			     : no_losses;
	if (!ch->losses)
		return fail_map(ch, "the loss page");
	ch->consumer = xengnttab_map_grant_ref_notify(
		xgt, ch->domid, ch->layout.consumer_ref, PROT_READ | PROT_WRITE,
		offsetof(union xenrelay_consumer_line, channel.attached), NO_PORT);
	if (!ch->consumer)
		return fail_map(ch, "the consumer page");
	/* From here on this process's death is seen by the guest. */
	xblk_store_release(&ch->consumer[0].channel.attached, 1);
	return 0;
}

/* The grant references of all data pages, ring after ring; to be freed. */
static int copy_directory(struct xenrelay_channel *ch, uint32_t **refs)
{
	uint32_t i, nr = ch->layout.nr_dir_pages;
	int err;

	*refs = malloc((size_t)nr * XENRELAY_PAGE_SIZE);
	if (!*refs) {
		ch->short_of_room = true;
		return xr_fail(ch->reader, -ENOMEM, "out of memory");
	}
	for (i = 0; i < nr; i++) {
		err = copy_page(ch, ch->layout.dir_refs[i],
				*refs + (size_t)i * XENRELAY_REFS_PER_PAGE,
				"the directory");
		if (err) {
			free(*refs);
			return err;
		}
	}
	return 0;
}

static int map_rings(struct xenrelay_channel *ch)
{
	const struct xr_layout *layout = &ch->layout;
	uint32_t *refs, n;
	int err;

	err = copy_directory(ch, &refs);
	if (err)
		return err;
	for (n = 0; n < layout->nr_rings; n++) {
		ch->data[n] = xengnttab_map_domain_grant_refs(
			ch->reader->xgt, layout->ring_pages, ch->domid,
			refs + (size_t)n * layout->ring_pages, PROT_READ);
		if (!ch->data[n]) {
			err = fail_map(ch, "a ring");
			break;
		}
		ch->nr_mapped = n + 1;
		xr_ring_init(&ch->rings[n], ch->data[n], layout->capacity,
			     layout->item_size, layout->flags & XENRELAY_F_OVERWRITE,
			     &ch->producer[1 + n], &ch->losses[1 + n],
			     &ch->consumer[1 + n]);
	}
	free(refs);
	return err;
}

int xr_map(struct xenrelay_channel *ch, uint32_t info_ref, uint64_t max_pages)
{
	int err = map_info(ch, info_ref, max_pages);

	if (!err)
		err = map_positions(ch);
	if (!err)
		err = map_rings(ch);
	return err;
}

void xr_unmap(struct xenrelay_channel *ch)
{
	xengnttab_handle *xgt = ch->reader->xgt;

	while (ch->nr_mapped) {
		ch->nr_mapped--;
		xengnttab_unmap(xgt, ch->data[ch->nr_mapped], ch->layout.ring_pages);
		ch->data[ch->nr_mapped] = NULL;
	}
	if (ch->producer)
		xengnttab_unmap(xgt, ch->producer, 1);
	ch->producer = NULL;
	if (ch->losses && ch->losses != no_losses)
		xengnttab_unmap(xgt, (void *)ch->losses, 1);
	ch->losses = NULL;
	/* Last: the guest frees its pages when the attached byte falls. */
	if (ch->consumer)
		xengnttab_unmap(xgt, ch->consumer, 1);
	ch->consumer = NULL;
}
