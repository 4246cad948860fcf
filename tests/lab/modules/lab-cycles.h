/* SPDX-License-Identifier: GPL-2.0-only */
/* An item of the channels cycles0, cycles1, ...: what it is, then bytes that are all
 * (u8)seq. */
#ifndef LAB_CYCLES_H
#define LAB_CYCLES_H

#include "xenrelay/types.h"

#define LAB_CYCLES_SMALL 200

struct lab_cycles_item {
	xblk_le64 seq; /* of the writer's attempts on this CPU, those that were lost
			  included */
	xblk_le32 tag;
	xblk_le32 cpu;
};

#endif /* LAB_CYCLES_H */
