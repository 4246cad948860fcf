/* SPDX-License-Identifier: GPL-2.0-only */
/* An item of the channel "contexts": who wrote it, and bytes that show whether it is
 * whole. */
#ifndef LAB_CONTEXTS_H
#define LAB_CONTEXTS_H

#include "xblk/types.h"

/* In the order in which one comes in between another. */
enum lab_context {
	LAB_TASK,
	LAB_SOFTIRQ,
	LAB_HARDIRQ,
	LAB_NMI,
	LAB_CONTEXTS,
};

/**
 * struct lab_contexts_item - the channel's items are the first item_size bytes of it
 * @seq:	of the attempts of this context on this CPU, those that were lost included
 * @context:	enum lab_context
 * @cpu:	whose ring it is in
 * @check:	lab_contexts_fill()
 */
struct lab_contexts_item {
	xblk_le64 seq;
	xblk_u8 context;
	xblk_u8 cpu;
	xblk_u8 check[22];
};

#define LAB_CONTEXTS_MIN_SIZE 16

XBLK_STATIC_ASSERT(sizeof(struct lab_contexts_item) == 32);

/* Each byte of @check depends on all that is before it. */
static inline void lab_contexts_fill(struct lab_contexts_item *item)
{
	__u64 mixed = (item->seq << 16 | item->context << 8 | item->cpu) *
		      0x9e3779b97f4a7c15ull;
	unsigned int i;

	mixed ^= mixed >> 32;
	for (i = 0; i < sizeof(item->check); i++)
		item->check[i] = (xblk_u8)((mixed >> i % 8 * 8) + i);
}

#endif /* LAB_CONTEXTS_H */
