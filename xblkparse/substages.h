/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What U-T, 0-Q2D and 0-T consist of, where the kernels' probes tell: they
 * part their stage exactly, so the substages of one add up to it.
 */
#ifndef XBLKPARSE_SUBSTAGES_H
#define XBLKPARSE_SUBSTAGES_H

#include <stdint.h>

#include "hist.h"
#include "stage.h"

enum substage {
	SUB_NOTIFY,	 /* U-T: guest D -> the backend's interrupt */
	SUB_WAKE,	 /* -> blkback's thread goes about the request */
	SUB_MAP,	 /* -> dom0 Q: grants mapped, bios made */
	SUB_LAYERS,	 /* 0-Q2D: dom0 Q -> Q of the lowest device */
	SUB_QUEUE,	 /* -> D */
	SUB_UNMAP,	 /* 0-T: dom0 C -> response on the ring */
	SUB_NOTIFY_BACK, /* -> blkfront's interrupt */
	SUB_FINISH,	 /* -> guest C */
	SUB_MAX
};

/* The times on a request's way between those of its stages; 0: not known. */
struct waypoints {
	uint64_t interrupt_ns; /* of the backend's ring */
	uint64_t thread_ns;
	uint64_t lowest_q_ns;
	uint64_t response_ns;
	uint64_t front_interrupt_ns;
};

extern const char *const substage_names[SUB_MAX];
extern const enum stage substage_of[SUB_MAX];

struct rq;

/* Into the histograms, which are made as needed, go the substages that are known. */
void substages_add(struct hist *hists[SUB_MAX], const struct rq *rq);

#endif
