// SPDX-License-Identifier: GPL-2.0-only
#include "sink.h"

#include "requests.h"

static void end_csv(FILE *out, const struct xblk *x, const struct filter *f,
		    const struct report_options *o)
{
	(void)o;
	csv_summary(out, x, f);
}

static void end_json(FILE *out, const struct xblk *x, const struct filter *f,
		     const struct report_options *o)
{
	(void)o;
	json_print(out, x, f);
}

const struct sink sinks[SINK_MAX] = {
	[SINK_REQUESTS] = {.begin = request_titles, .request = request_print},
	[SINK_CSV_REQUESTS] = {.begin = csv_request_titles, .request = csv_request_print},
	[SINK_CSV] = {.end = end_csv},
	[SINK_JSON] = {.end = end_json},
	[SINK_TABLES] = {.end = report_print},
};
