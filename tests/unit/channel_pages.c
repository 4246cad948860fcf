// SPDX-License-Identifier: GPL-2.0-only
#include <stdint.h>

#include "channel_pages.h"
#include "fake_xen.h"
#include "xblk/record.h"
#include "xenrelay/wire.h"

void channel_pages_tell(const struct channel_pages *p, unsigned int session)
{
	struct xenrelay_info *info = fake_page(p->info);
	uint32_t *refs = fake_page(p->directory);
	unsigned int i;

	*info = (struct xenrelay_info){
		.magic = XENRELAY_MAGIC,
		.version = XENRELAY_VERSION,
		.info_size = sizeof(*info),
		.item_size = XBLK_RECORD_SIZE,
		.nr_rings = p->nr_rings,
		.ring_pages = p->ring_pages,
		.producer_ref = p->producer,
		.consumer_ref = p->consumer,
		.loss_ref = p->losses,
		.nr_dir_pages = 1,
		.session = session,
		.client_version = 1,
	};
	*(uint32_t *)(info + 1) = p->directory;
	for (i = 0; i < p->nr_rings * p->ring_pages; i++)
		refs[i] = p->data + i % p->nr_data;
}
