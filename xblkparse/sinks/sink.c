// SPDX-License-Identifier: GPL-2.0-only
#include "sink.h"

const struct sink *const sinks[SINK_MAX] = {
	[SINK_VERIFY] = &verify_sink,	  [SINK_LIVE] = &live_sink,
	[SINK_EVENTS] = &events_sink,	  [SINK_FORMAT] = &format_sink,
	[SINK_REQUESTS] = &requests_sink, [SINK_CSV_REQUESTS] = &csv_requests_sink,
	[SINK_CSV] = &csv_sink,		  [SINK_JSON] = &json_sink,
	[SINK_TABLES] = &tables_sink,
};
