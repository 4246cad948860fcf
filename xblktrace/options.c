// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "bad-option.h"
#include "msg.h"
#include "number.h"
#include "options.h"
#include "writer.h"
#include "xblk/version.h"

#define MAX_BUFFER_KIB (256 * 1024) /* of one CPU or ring: the channel's own limit */

enum {
	OPT_OVERWRITE = 256,
	OPT_DOORBELL
};

static const struct option long_options[] = {
	{"domain", required_argument, NULL, 'd'},
	{"output", required_argument, NULL, 'o'},
	{"stopwatch", required_argument, NULL, 'w'},
	{"disk", required_argument, NULL, 'D'},
	{"buffer-size", required_argument, NULL, 'b'},
	{"num-sub-buffers", required_argument, NULL, 'n'},
	{"compress", optional_argument, NULL, 'z'},
	{"overwrite", no_argument, NULL, OPT_OVERWRITE},
	{"doorbell", optional_argument, NULL, OPT_DOORBELL},
	{"follow", no_argument, NULL, 'F'},
	{"verbose", no_argument, NULL, 'v'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void print_help(void)
{
	printf("Usage: " PROGRAM " -d DOMAIN [-d DOMAIN]... [option]...\n"
	       "Trace the block I/O of Xen guests, in the guests and in this domain at once.\n"
	       "\n"
	       "  -d, --domain=DOMAIN       number or name of a guest, or \"all\"; may be repeated\n"
	       "  -o, --output=FILE         trace file, \"-\" for standard output\n"
	       "                            (default: " DEFAULT_OUTPUT ")\n"
	       "  -w, --stopwatch=SECONDS   end after that time\n"
	       "  -D, --disk=[DOMAIN:]DISK  only this disk, as xvda or 51712; may be repeated\n"
	       "  -b, --buffer-size=KIB     size of a sub-buffer (default: %d)\n"
	       "  -n, --num-sub-buffers=N   sub-buffers for each CPU (default: %d)\n"
	       "  -z, --compress[=LEVEL]    compress the trace, zstd's levels 1 to %d\n"
	       "                            (default: %d)\n"
	       "      --overwrite           flight recorder: keep the newest records, read them on\n"
	       "                            SIGUSR1 and at the end\n"
	       "      --doorbell[=PERCENT]  let guests send an event when a ring is so full, and\n"
	       "                            sleep longer (default: %d)\n"
	       "  -F, --follow              wait for guests that are not there yet, and again when they\n"
	       "                            have gone\n"
	       "  -v, --verbose             say what is being done\n"
	       "  -h, --help                show this help\n"
	       "  -V, --version             show the version\n"
	       "\n"
	       "Ctrl-C ends a capture in good order.  Read it with xblkparse(1).\n",
	       DEFAULT_SUBBUF_KIB, DEFAULT_NR_SUBBUFS, WRITER_MAX_LEVEL, WRITER_LEVEL,
	       DEFAULT_DOORBELL);
}

static int usage_error(void)
{
	fprintf(stderr, "Try '" PROGRAM " --help'.\n");
	return 2;
}

static int parse_option(struct options *opts, int c, const char *arg)
{
	const char *why = NULL;

	switch (c) {
	case 'd':
		opts->domains[opts->nr_domains++] = arg;
		return 0;
	case 'D':
		opts->disks[opts->nr_disks++] = arg;
		return 0;
	case 'o':
		opts->output = arg;
		return *arg ? 0 : msg_error("-o: no file name");
	case 'w':
		why = number_seconds(arg, 1, NUMBER_MAX_NS, &opts->duration_ns);
		break;
	case 'b':
		opts->sized = true;
		why = number_uint(arg, 4, MAX_BUFFER_KIB, &opts->subbuf_kib);
		break;
	case 'n':
		opts->sized = true;
		why = number_uint(arg, 2, MAX_BUFFER_KIB, &opts->nr_subbufs);
		break;
	case 'z':
		opts->compress_level = WRITER_LEVEL;
		if (arg)
			why = number_uint(arg, 1, WRITER_MAX_LEVEL,
					  &opts->compress_level);
		break;
	case OPT_OVERWRITE:
		opts->overwrite = true;
		return 0;
	case OPT_DOORBELL:
		opts->doorbell_percent = DEFAULT_DOORBELL;
		if (arg)
			why = number_uint(arg, 1, 100, &opts->doorbell_percent);
		break;
	case 'F':
		opts->follow = true;
		return 0;
	case 'v':
		opts->verbose = true;
		return 0;
	default:
		return -1;
	}
	if (!why)
		return 0;
	if (c == OPT_DOORBELL)
		return msg_error("--doorbell=%s: %s", arg, why);
	return msg_error("-%c %s: %s", c, arg, why);
}

static int check(const struct options *opts, int argc, char **argv)
{
	if (optind < argc)
		return msg_error("%s: unexpected argument", argv[optind]);
	if (!opts->nr_domains)
		return msg_error("no domain given: use -d with a number or name of 'xl "
				 "list', or -d all");
	if (opts->overwrite && opts->doorbell_percent)
		return msg_error("--overwrite and --doorbell: a flight recorder's rings "
				 "are always full");
	if ((uint64_t)opts->subbuf_kib * opts->nr_subbufs > MAX_BUFFER_KIB)
		return msg_error("-b %u -n %u: more than %d KiB for each CPU",
				 opts->subbuf_kib, opts->nr_subbufs, MAX_BUFFER_KIB);
	return 0;
}

int options_parse(struct options *opts, int argc, char **argv)
{
	char typed[4096];
	int c;

	*opts = (struct options){
		.argc = argc,
		.argv = argv,
		.domains = calloc(argc, sizeof(*opts->domains)),
		.disks = calloc(argc, sizeof(*opts->disks)),
		.subbuf_kib = DEFAULT_SUBBUF_KIB,
		.nr_subbufs = DEFAULT_NR_SUBBUFS,
	};
	if (!opts->domains || !opts->disks) {
		msg_error("out of memory");
		return 1;
	}

	/* getopt() would print what was typed as it is. */
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":d:o:w:D:b:n:z::FvhV", long_options,
				NULL)) != -1) {
		if (c == 'h') {
			print_help();
			return 0;
		}
		if (c == 'V') {
			printf(PROGRAM " " XBLK_VERSION "\n");
			return 0;
		}
		if (c == '?' || c == ':') {
			describe_bad_option(typed, sizeof(typed), c, argv);
			msg_error("%s", typed);
			return usage_error();
		}
		if (parse_option(opts, c, optarg))
			return usage_error();
	}
	return check(opts, argc, argv) ? usage_error() : -1;
}

void options_free(struct options *opts)
{
	free(opts->domains);
	free(opts->disks);
}
