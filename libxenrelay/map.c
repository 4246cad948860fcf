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
#include "map.h"
#include "fail.h"
#include "objects.h"

/* No event channel at the end of the mapping: the cleared byte says it. */
#define NO_PORT ((evtchn_port_t)-1)

/* That of each ring where a guest has no loss page: there is no span in it. */
static const struct xenrelay_loss_line no_losses;

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

static int fail_memory(struct xenrelay_channel *ch)
{
	ch->short_of_room = true;
	return xr_fail(ch->reader, -ENOMEM, "out of memory");
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

/* All pages of one kind, one behind the other: the first, then @further. */
static void *map_read_only(struct xenrelay_channel *ch, uint32_t first,
			   const uint32_t *further)
{
	uint32_t refs[1 + XENRELAY_FURTHER_PAGES(XENRELAY_MAX_RINGS)] = {first};

	memcpy(refs + 1, further, ch->layout.nr_further * sizeof(*refs));
	return xengnttab_map_domain_grant_refs(ch->reader->xgt, 1 + ch->layout.nr_further,
					       ch->domid, refs, PROT_READ);
}

/* The first page is the last: what is told by its mapping holds for the others, too. */
static int map_consumer(struct xenrelay_channel *ch, uint32_t *further)
{
	xengnttab_handle *xgt = ch->reader->xgt;

	if (ch->layout.nr_further) {
		ch->further_consumer = xengnttab_map_domain_grant_refs(
			xgt, ch->layout.nr_further, ch->domid, further,
			PROT_READ | PROT_WRITE);
		if (!ch->further_consumer)
			return fail_map(ch, "the further consumer pages");
	}
	ch->consumer = xengnttab_map_grant_ref_notify(
		xgt, ch->domid, ch->layout.consumer_ref, PROT_READ | PROT_WRITE,
		offsetof(union xenrelay_consumer_line, channel.attached), NO_PORT);
	if (!ch->consumer)
		return fail_map(ch, "the consumer page");
	/* From here on this process's death is seen by the guest. */
	xblk_store_release(&ch->consumer[0].channel.attached, 1);
	return 0;
}

static int map_positions(struct xenrelay_channel *ch, uint32_t *further)
{
	const struct xr_layout *layout = &ch->layout;

	ch->producer = map_read_only(ch, layout->producer_ref, further);
	if (!ch->producer)
		return fail_map(ch, "the producer page");
	if (layout->loss_ref) {
		ch->losses =
			map_read_only(ch, layout->loss_ref, further + layout->nr_further);
		if (!ch->losses)
			return fail_map(ch, "the loss page");
	}
	return map_consumer(ch, further + 2 * (size_t)layout->nr_further);
}

/* The grant references in the directory; to be freed. */
static int copy_directory(struct xenrelay_channel *ch, uint32_t **refs)
{
	uint32_t i, nr = ch->layout.nr_dir_pages;
	int err;

	*refs = malloc((size_t)nr * XENRELAY_PAGE_SIZE);
	if (!*refs)
		return fail_memory(ch);
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

static union xenrelay_consumer_line *consumer_line(const struct xenrelay_channel *ch,
						   unsigned int line)
{
	return line < XENRELAY_LINES_PER_PAGE
		       ? &ch->consumer[line]
		       : &ch->further_consumer[line - XENRELAY_LINES_PER_PAGE];
}

static int map_rings(struct xenrelay_channel *ch, uint32_t *refs)
{
	const struct xr_layout *layout = &ch->layout;
	unsigned int n;
	void *data;

	ch->rings = calloc(layout->nr_rings, sizeof(*ch->rings));
	if (!ch->rings)
		return fail_memory(ch);
	for (n = 0; n < layout->nr_rings; n++) {
		data = xengnttab_map_domain_grant_refs(
			ch->reader->xgt, layout->ring_pages, ch->domid,
			refs + (size_t)n * layout->ring_pages, PROT_READ);
		if (!data)
			return fail_map(ch, "a ring");
		xr_ring_init(&ch->rings[n], data, layout->capacity, layout->item_size,
			     layout->flags & XENRELAY_F_OVERWRITE, &ch->producer[1 + n],
			     ch->losses ? &ch->losses[1 + n] : &no_losses,
			     consumer_line(ch, 1 + n));
		ch->nr_mapped = n + 1;
	}
	return 0;
}

int xr_map(struct xenrelay_channel *ch, uint32_t info_ref, uint64_t max_pages)
{
	uint32_t *refs;
	int err = map_info(ch, info_ref, max_pages);

	if (!err)
		err = copy_directory(ch, &refs);
	if (err)
		return err;
	err = map_positions(ch, refs);
	if (!err)
		err = map_rings(ch, refs + 3 * (size_t)ch->layout.nr_further);
	free(refs);
	return err;
}

void xr_unmap(struct xenrelay_channel *ch)
{
	xengnttab_handle *xgt = ch->reader->xgt;

	while (ch->nr_mapped) {
		ch->nr_mapped--;
		xengnttab_unmap(xgt, (void *)ch->rings[ch->nr_mapped].data,
				ch->layout.ring_pages);
	}
	free(ch->rings);
	ch->rings = NULL;
	if (ch->producer)
		xengnttab_unmap(xgt, ch->producer, 1 + ch->layout.nr_further);
	ch->producer = NULL;
	if (ch->losses)
		xengnttab_unmap(xgt, (void *)ch->losses, 1 + ch->layout.nr_further);
	ch->losses = NULL;
	if (ch->further_consumer)
		xengnttab_unmap(xgt, ch->further_consumer, ch->layout.nr_further);
	ch->further_consumer = NULL;
	/* Last: the guest frees its pages when the attached byte falls. */
	if (ch->consumer)
		xengnttab_unmap(xgt, ch->consumer, 1);
	ch->consumer = NULL;
}
