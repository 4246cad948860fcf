/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The record as an event of LTTng-UST's.  LTTng stamps each event itself, so
 * what follows is the record without its time, in the fewest fields that hold it.
 */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER xblk_bench
#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "tests/bench/record-event.h"

#if !defined(RECORD_EVENT_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define RECORD_EVENT_H
#include <lttng/tracepoint.h>
#include <stdint.h>

/* clang-format off */
LTTNG_UST_TRACEPOINT_EVENT(xblk_bench, record,
	LTTNG_UST_TP_ARGS(const uint64_t *, words),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, sector, words[1])
		lttng_ust_field_integer(uint64_t, size_and_id, words[2])
		lttng_ust_field_integer(uint64_t, rest, words[3])
	)
)
/* clang-format on */
#endif

#include <lttng/tracepoint-event.h>
