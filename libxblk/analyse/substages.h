/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What U-T, 0-Q2D, 0-D2C and 0-T consist of, where the kernels' probes tell: they
 * part their stage exactly, so the substages of one add up to it.
 */
#ifndef LIBXBLK_SUBSTAGES_H
#define LIBXBLK_SUBSTAGES_H

#include <stdint.h>

#include "analyse/hist.h"
#include "xblk.h"

enum substage {
	SUB_NOTIFY,	 /* U-T: guest D -> the backend's interrupt */
	SUB_WAKE,	 /* -> blkback's thread goes about the request */
	SUB_MAP,	 /* -> dom0 Q: grants mapped, bios made */
	SUB_LAYERS,	 /* 0-Q2D: dom0 Q -> Q of the lowest device */
	SUB_QUEUE,	 /* -> D; and where it was requeued, R -> D */
	SUB_DEVICE,	 /* 0-D2C: D -> C of what was done last at the lowest device */
	SUB_LAYERS_BACK, /* -> dom0 C: blkback's bio is done */
	SUB_UNMAP,	 /* 0-T: dom0 C -> response on the ring */
	SUB_NOTIFY_BACK, /* -> blkfront's interrupt */
	SUB_FINISH,	 /* -> guest C */
	SUB_MAX
};

extern const char *const substage_names[SUB_MAX];
extern const enum stage substage_of[SUB_MAX];

/* Into the histograms, which are made as needed, go the substages that are known of a
 * measured request. */
void substages_add(struct hist *hists[SUB_MAX], const struct xblk_request *r,
		   struct room *room);

#endif
