/* SPDX-License-Identifier: GPL-2.0-only */
/* Probes at the entry of functions that have no tracepoint, where this kernel has them. */
#ifndef XBLK_ENTRY_PROBES_H
#define XBLK_ENTRY_PROBES_H

#include <linux/types.h>
#include "compat.h"

/**
 * struct xblk_entry_probe - a probe and the function that it goes on
 * @name:	the function's
 * @func:	called where the function was, in its context
 * @ops:	filled in by xblk_entry_probe_attach()
 * @attached:	likewise; false again once it is detached, which may fail
 */
struct xblk_entry_probe {
	const char *name;
	xblk_entry_func func;
	struct xblk_entry_ops ops;
	bool attached;
};

int xblk_entry_probe_attach(struct xblk_entry_probe *probe);
int xblk_entry_probe_detach(struct xblk_entry_probe *probe);

#endif /* XBLK_ENTRY_PROBES_H */
