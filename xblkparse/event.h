/* SPDX-License-Identifier: GPL-2.0-only */
/* What kinds of events have in common. */
#ifndef XBLKPARSE_EVENT_H
#define XBLKPARSE_EVENT_H

#include <stdbool.h>

#include <xblk/record.h>

/* .aux is the process that did it. */
static inline bool event_has_pid(unsigned int event)
{
	switch (event) {
	case XBLK_EV_QUEUE:
	case XBLK_EV_BACKMERGE:
	case XBLK_EV_FRONTMERGE:
	case XBLK_EV_SPLIT:
	case XBLK_EV_REMAP:
	case XBLK_EV_RING:
	case XBLK_EV_PROCESS:
		return true;
	default:
		return false;
	}
}

/* It is of a bio or a request: has disk, operation, sector. */
static inline bool event_is_block(unsigned int event)
{
	return event >= XBLK_EV_QUEUE && event <= XBLK_EV_REMAP_FROM;
}

#endif
