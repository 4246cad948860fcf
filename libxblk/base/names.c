// SPDX-License-Identifier: GPL-2.0-only
/* How stages, bins and the like are called in every output. */
#include "xblk.h"

const char *const stage_names[STAGE_MAX] = {
	[STAGE_U_Q2D] = "U-Q2D", [STAGE_U_T] = "U-T", [STAGE_0_Q2D] = "0-Q2D",
	[STAGE_0_D2C] = "0-D2C", [STAGE_0_T] = "0-T", [STAGE_Q2C] = "Q2C",
};

const char *const bin_names[BIN_MAX] = {
	[BIN_JOINED] = "joined",
	[BIN_BEFORE_TRACE] = "before_trace",
	[BIN_IN_FLIGHT] = "in_flight",
	[BIN_LOST] = "lost",
	[BIN_NO_BACKEND_IO] = "no_backend_io",
	[BIN_NOT_SERVED] = "not_served",
	[BIN_INCOMPLETE] = "incomplete",
	[BIN_CAUSALITY] = "causality",
	[BIN_CLOCK_CHANGE] = "clock_change",
	[BIN_EVICTED] = "evicted",
	[BIN_AMBIGUOUS] = "ambiguous",
	[BIN_MALFORMED] = "malformed",
};

const char *const kind_names[KIND_MAX] = {
	[KIND_READ] = "reads",	     [KIND_WRITE] = "writes", [KIND_FLUSH] = "flushes",
	[KIND_DISCARD] = "discards", [KIND_OTHER] = "others",
};

const char *const probe_names[PROBE_MAX] = {
	[PROBE_BACK_INTERRUPT] = "xen_blkif_be_int",
	[PROBE_MAP] = "xen_blkbk_map",
	[PROBE_RESPONSE] = "make_response",
	[PROBE_FRONT_INTERRUPT] = "blkif_interrupt",
};
