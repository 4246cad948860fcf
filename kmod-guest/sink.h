/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's records go to a channel of Xenrelay's. */
#ifndef XBLK_SINK_H
#define XBLK_SINK_H

#include "../kmod-xenrelay/xenrelay.h"
#include "xblk/record.h"

extern struct xenrelay_channel *xblk_channel;

static inline bool xblk_sink(const struct xblk_record *rec)
{
	return !xenrelay_write(xblk_channel, rec);
}

#endif /* XBLK_SINK_H */
