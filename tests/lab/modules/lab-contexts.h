/* SPDX-License-Identifier: GPL-2.0-only */
/* An item of the channel "contexts": who wrote it, and bytes that show whether it is
 * whole. */
#ifndef LAB_CONTEXTS_H
#define LAB_CONTEXTS_H

#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <string.h>
#endif
#include "xenrelay/types.h"

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

/* Each word of @check depends on all that is before it, and is none of the others. */
static inline void lab_contexts_fill(struct lab_contexts_item *item)
{
	const __u64 mixed = (item->seq << 16 | item->context << 8 | item->cpu) *
			    0x9e3779b97f4a7c15ull;
	const __u64 words[] = {mixed ^ mixed >> 32, ~mixed, mixed ^ mixed << 32};

	memcpy(item->check, words, sizeof(item->check));
}

#endif /* LAB_CONTEXTS_H */
