/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What readers hold of this guest, all channels together: the pages of connections,
 * and those of ended ones that a reader still maps.
 */
#ifndef XENRELAY_BUDGET_H
#define XENRELAY_BUDGET_H

#include <linux/types.h>

struct xenrelay_buffers;

int xenrelay_budget_take(unsigned long ring_pages, unsigned long other_pages);
void xenrelay_budget_give(unsigned long pages);

void xenrelay_leftovers_add(struct xenrelay_buffers *bufs);
unsigned long xenrelay_leftovers_poll(void);
void xenrelay_leftovers_abandon(void);

#endif /* XENRELAY_BUDGET_H */
