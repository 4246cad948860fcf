/* SPDX-License-Identifier: GPL-2.0-only */
/* What kinds of events have in common, as xblk/events.def says. */
#ifndef LIBXBLK_EVENT_H
#define LIBXBLK_EVENT_H

#include <stdbool.h>

#include <xblk/record.h>

enum event_by {
	EVENT_GUEST = 1 << 0,
	EVENT_BACKEND = 1 << 1,
	EVENT_READER = 1 << 2,
};

enum event_fields {
	EVENT_DISK = 1 << 0,
	EVENT_DISK_OR_NONE = 1 << 1,
	EVENT_OP = 1 << 2,
	EVENT_POSITION = 1 << 3,
	EVENT_PID = 1 << 4,
	EVENT_ERROR = 1 << 5,
};

struct event_kind {
	char letter; /* '\0': there is no such event */
	unsigned char by, fields;
};

/* By number, up to 255: a record can have any. */
extern const struct event_kind event_kinds[256];

/* As blkparse shows it; '?': there is no such event. */
char event_letter(unsigned int event);

static inline bool event_has(unsigned int event, enum event_fields field)
{
	return event_kinds[event & 0xff].fields & field;
}

#endif
