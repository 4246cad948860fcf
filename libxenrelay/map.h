/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Mapping a channel's pages. */
#ifndef XR_MAP_H
#define XR_MAP_H

#include <stdint.h>

#include "xenrelay/wire.h"

struct xenrelay_channel;

#define KIB_PER_PAGE (XENRELAY_PAGE_SIZE / 1024)

/* Map all of the channel, beginning with its info page; xr_unmap() after failure too. */
int xr_map(struct xenrelay_channel *ch, uint32_t info_ref, uint64_t max_pages);
void xr_unmap(struct xenrelay_channel *ch);

#endif /* XR_MAP_H */
