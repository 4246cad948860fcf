/* SPDX-License-Identifier: GPL-2.0-only */
/* Probes at the entry of functions that have no tracepoint, where this kernel has them. */
#ifndef XBLK_ENTRY_PROBES_H
#define XBLK_ENTRY_PROBES_H

#include <linux/notifier.h>
#include <linux/types.h>
#include "compat.h"

/**
 * struct xblk_entry_probe - a probe and the function that it goes on
 * @name:	the function's
 * @func:	called where the function was, in its context and with its arguments
 * @ops:	for entry-probes.c, as is all that follows
 * @wanted:	by xblk_entry_probe_attach()
 * @attached:	false again once it is detached, which may fail
 */
struct xblk_entry_probe {
	const char *name;
	xblk_entry_func func;
	struct xblk_entry_ops ops;
	bool wanted;
	bool attached;
};

/**
 * struct xblk_entry_probes - probes on the functions of one module, or of the kernel
 * @module:	the module's name; it may come and go while they are wanted
 * @table:	the probes
 * @n:		how many
 * @nb:		for entry-probes.c, as is all that follows
 * @gone:	the module was there, and has been unloaded or is about to be
 */
struct xblk_entry_probes {
	const char *module;
	struct xblk_entry_probe *table;
	int n;
	struct notifier_block nb;
	bool gone;
};

int xblk_entry_probes_init(struct xblk_entry_probes *probes);
void xblk_entry_probes_exit(struct xblk_entry_probes *probes);
int xblk_entry_probe_attach(struct xblk_entry_probes *probes, int i);
int xblk_entry_probe_detach(struct xblk_entry_probes *probes, int i);

#endif /* XBLK_ENTRY_PROBES_H */
