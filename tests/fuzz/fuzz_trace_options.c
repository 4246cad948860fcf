// SPDX-License-Identifier: GPL-2.0-only
/* libFuzzer target: the command line of xblktrace, one argument a line. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../xblktrace/options.h"
#include "../../xblktrace/writer.h"

#define MAX_ARGS 32

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fuzz_trace_options: %s\n", what);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char program[] = "xblktrace", *argv[MAX_ARGS + 1] = {program};
	char *text = malloc(size + 1), *line, *rest = text;
	struct options o;
	int argc = 1, status;

	memcpy(text, data, size);
	text[size] = '\0';
	while (argc < MAX_ARGS && (line = strsep(&rest, "\n")))
		argv[argc++] = line;

	opterr = 0;
	optind = 0; /* GNU getopt's way to begin anew */
	status = options_parse(&o, argc, argv);
	check(status == -1 || status == 0 || status == 2, "an unknown exit status");
	if (status == -1 && (o.list || o.status || o.end)) {
		check(o.list + o.status + o.end == 1, "several at a time");
		check(!o.nr_domains && !o.nr_disks && !o.output && !o.duration_ns &&
			      !o.max_size,
		      "a capture's options, and no capture");
	} else if (status == -1) {
		check(o.nr_domains && o.nr_domains <= size, "no domain, or too many");
		check(!(o.ops & ~0x3fu), "operations that there are not");
		check(o.subbuf_kib >= 4 && o.nr_subbufs >= 2, "buffers are too small");
		check((uint64_t)o.subbuf_kib * o.nr_subbufs <= 256 * 1024,
		      "buffers are too large");
		check(o.doorbell_percent <= 100, "a ring is more than full");
		check(!o.overwrite || !o.doorbell_percent, "both modes");
		check(!o.output || *o.output, "a file without a name");
		check(!o.nr_files == !o.max_size, "files that do not get full, or none");
		check(o.compress_level <= WRITER_MAX_LEVEL, "a level that there is not");
	}
	options_free(&o);
	free(text);
	return 0;
}
