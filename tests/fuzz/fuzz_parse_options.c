// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: the command line of xblkparse, one argument a line.
 *
 * What is accepted is within its bounds, and a format prints an event.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "msg.h"
#include "options.h"
#include "analyse/slowest.h"
#include "trace_gen.h"
#include "xblk.h"

#define MAX_ARGS 32

static FILE *null;

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fuzz_parse_options: %s\n", what);
	abort();
}

static void check_filter(const struct filter *f)
{
	check(!f->have_sectors || f->first_sector <= f->last_sector,
	      "sectors end before they begin");
	check(!f->have_time || f->from_ns < f->to_ns, "a time ends before it begins");
}

static struct xblk *x; /* of a trace with one record */
static struct xblk_event_record event;

static void keep_event(void *user, const struct xblk_event_record *e)
{
	(void)user;
	event = *e;
}

static void begin(void)
{
	static const struct xblk_options options = {.on_event = keep_event};
	static struct gen g;

	null = fopen("/dev/null", "w");
	msg_silent = true;
	opterr = 0;
	gen_init(&g);
	gen_event(&g, GEN_GUEST, 0, 1000, XBLK_EV_QUEUE, XBLK_OP_READ, 64, 8, 1, 500);
	gen_end(&g, 2000);
	check(!xblk_open(&x, &options) && !xblk_feed(x, g.data, g.len) &&
		      !xblk_finish(x) && null && event.record,
	      "no trace to print");
}

static void print_events(const struct format *format)
{
	static const struct xblk_record records[] = {
		{.time = GEN_START, .event = XBLK_EV_QUEUE, .nr_sectors = 8, .aux = 500},
		{.time = 5, .event = XBLK_EV_MAX, .op = 7, .disk = XBLK_NO_DISK},
	};
	unsigned int i;

	for (i = 0; i < 2; i++) {
		event.record = &records[i];
		format_print(null, format, x, &event);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char program[] = "xblkparse", *argv[MAX_ARGS + 1] = {program};
	char *text = malloc(size + 1), *line, *rest = text;
	struct options o = {0};
	int argc = 1, status;

	if (!null)
		begin();
	memcpy(text, data, size);
	text[size] = '\0';
	while (argc < MAX_ARGS && (line = strsep(&rest, "\n")))
		argv[argc++] = line;

	optind = 0; /* GNU getopt's way to begin anew */
	status = options_parse(&o, argc, argv);
	check(status == -1 || status == 0 || status == 2, "an unknown exit status");
	if (status == -1) {
		check(o.top >= 1 && o.top <= SLOWEST_MAX, "a number out of bounds");
		check(!o.interval_ns || o.interval_ns >= 10000000,
		      "an interval too short");
		check_filter(&o.filter);
		if (o.format)
			print_events(o.format);
	}
	options_deinit(&o);
	free(text);
	return 0;
}
