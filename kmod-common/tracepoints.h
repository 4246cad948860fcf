/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XBLK_TRACEPOINTS_H
#define XBLK_TRACEPOINTS_H

#include <linux/tracepoint.h>

/**
 * struct xblk_tracepoint - a probe and the tracepoint that it goes on
 * @name:	the tracepoint's
 * @probe:	with the tracepoint's own prototype, behind a void * first
 * @tp:		filled in by xblk_tracepoints_find()
 */
struct xblk_tracepoint {
	const char *name;
	void *probe;
	struct tracepoint *tp;
};

int xblk_tracepoints_find(struct xblk_tracepoint *table, int n);
int xblk_tracepoints_attach(struct xblk_tracepoint *table, int n);
void xblk_tracepoints_detach(struct xblk_tracepoint *table, int n);

#endif /* XBLK_TRACEPOINTS_H */
