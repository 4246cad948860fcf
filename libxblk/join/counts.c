// SPDX-License-Identifier: GPL-2.0-only
#include "join/counts.h"

const char *const kind_names[KIND_MAX] = {
	[KIND_READ] = "reads",	     [KIND_WRITE] = "writes", [KIND_FLUSH] = "flushes",
	[KIND_DISCARD] = "discards", [KIND_OTHER] = "others",
};
