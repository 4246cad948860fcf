/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XBLK_TRACEPOINTS_H
#define XBLK_TRACEPOINTS_H

#include <linux/tracepoint.h>
#include <linux/types.h>

/**
 * struct xblk_tracepoint - a probe and the tracepoint that it goes on
 * @name:	the tracepoint's
 * @probe:	with the tracepoint's own prototype, behind a void * first
 * @tp:		filled in by xblk_tracepoints_find()
 * @optional:	its user may leave it out
 * @left_out:	it is not to be attached; changes while none of the table is
 */
struct xblk_tracepoint {
	const char *name;
	void *probe;
	struct tracepoint *tp;
	bool optional;
	bool left_out;
};

int xblk_tracepoints_find(struct xblk_tracepoint *table, int n);
int xblk_tracepoints_attach(struct xblk_tracepoint *table, int n);
void xblk_tracepoints_detach(struct xblk_tracepoint *table, int n);

#endif /* XBLK_TRACEPOINTS_H */
