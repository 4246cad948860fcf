// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>

#include "msg.h"
#include "number.h"
#include "option-table.h"
#include "options.h"
#include "writer.h"
#include "xblk/version.h"

#define MAX_BUFFER_KIB (256 * 1024) /* of one CPU or ring: the channel's own limit */

/* Of --max-memory: a few of the smallest rings, and more than any maptrack can map. */
#define MIN_MEMORY (1ull << 20)
#define MAX_MEMORY (1ull << 40)

/* A number of a #define, in a text. */
#define TEXT_OF(number)	 TEXT_OF_(number)
#define TEXT_OF_(number) #number

static const char *add_domain(void *to, const char *arg)
{
	struct options *opts = to;

	opts->domains[opts->nr_domains++] = arg;
	return NULL;
}

static const char *add_disk(void *to, const char *arg)
{
	struct options *opts = to;

	opts->disks[opts->nr_disks++] = arg;
	return NULL;
}

static const char *set_output(void *to, const char *arg)
{
	option_set_text(to, arg);
	return *arg ? NULL : "no file name";
}

static const char *set_duration(void *to, const char *arg)
{
	return number_seconds(arg, 1, NUMBER_MAX_NS, to);
}

static const char *set_subbuf_kib(void *to, const char *arg)
{
	struct options *opts = to;

	opts->sized = true;
	return number_uint(arg, 4, MAX_BUFFER_KIB, &opts->subbuf_kib);
}

static const char *set_nr_subbufs(void *to, const char *arg)
{
	struct options *opts = to;

	opts->sized = true;
	return number_uint(arg, 2, MAX_BUFFER_KIB, &opts->nr_subbufs);
}

static const char *set_compress(void *to, const char *arg)
{
	struct options *opts = to;

	opts->compress_level = WRITER_LEVEL;
	return arg ? number_uint(arg, 1, WRITER_MAX_LEVEL, &opts->compress_level) : NULL;
}

static const char *set_max_memory(void *to, const char *arg)
{
	return number_size(arg, MIN_MEMORY, MAX_MEMORY, to);
}

static const char *set_doorbell(void *to, const char *arg)
{
	struct options *opts = to;

	opts->doorbell_percent = DEFAULT_DOORBELL;
	return arg ? number_uint(arg, 1, 100, &opts->doorbell_percent) : NULL;
}

#define AT(member) offsetof(struct options, member)

static const struct option_row rows[] = {
	{'d', "domain", "=DOMAIN",
	 "number or name of a guest, or \"all\"; may be repeated", add_domain, 0},
	{'o', "output", "=FILE",
	 "trace file, \"-\" for standard output\n(default: " DEFAULT_OUTPUT ")",
	 set_output, AT(output)},
	{'w', "stopwatch", "=SECONDS", "end after that time", set_duration,
	 AT(duration_ns)},
	{'D', "disk", "=[DOMAIN:]DISK",
	 "only this disk, as xvda or 51712; may be repeated", add_disk, 0},
	{'b', "buffer-size", "=KIB",
	 "size of a sub-buffer (default: " TEXT_OF(DEFAULT_SUBBUF_KIB) ")",
	 set_subbuf_kib, 0},
	{'n', "num-sub-buffers", "=N",
	 "sub-buffers for each CPU (default: " TEXT_OF(DEFAULT_NR_SUBBUFS) ")",
	 set_nr_subbufs, 0},
	{'z', "compress", "[=LEVEL]",
	 "compress the trace, zstd's levels 1 to " TEXT_OF(
		 WRITER_MAX_LEVEL) "\n(default: " TEXT_OF(WRITER_LEVEL) ")",
	 set_compress, 0},
	{0, "overwrite", NULL,
	 "flight recorder: keep the newest records, read them on\nSIGUSR1 and at the end",
	 option_set_flag, AT(overwrite)},
	{0, "doorbell", "[=PERCENT]",
	 "let guests send an event when a ring is so full, and\n"
	 "sleep longer (default: " TEXT_OF(DEFAULT_DOORBELL) ")",
	 set_doorbell, 0},
	{0, "max-memory", "=SIZE",
	 "how much of guests' memory is mapped at once, all rings\n"
	 "together, as 64M or 1G (default: what a quarter of Xen's\nmaptrack entries can map)",
	 set_max_memory, AT(max_memory)},
	{'F', "follow", NULL,
	 "wait for guests that are not there yet, and again when they\nhave gone",
	 option_set_flag, AT(follow)},
	{'v', "verbose", NULL, "say what is being done", option_set_flag, AT(verbose)},
	{'h', "help", NULL, "show this help", NULL, 0},
	{'V', "version", NULL, "show the version", NULL, 0},
	{0},
};

static const struct option_table table = {
	.before =
		"Usage: " PROGRAM " -d DOMAIN [-d DOMAIN]... [option]...\n"
		"Trace the block I/O of Xen guests, in the guests and in this domain at "
		"once.\n\n",
	.rows = rows,
	.column = 28,
	.after = "\nCtrl-C ends a capture in good order.  Read it with xblkparse(1).\n",
	.version = PROGRAM " " XBLK_VERSION,
};

/* Return: as options_parse(). */
static int check(const struct options *opts, int argc, char **argv)
{
	if (optind < argc)
		return bad_usage("%s: unexpected argument", argv[optind]);
	if (!opts->nr_domains)
		return bad_usage("no domain given: use -d with a number or name of 'xl "
				 "list', or -d all");
	if (opts->overwrite && opts->doorbell_percent)
		return bad_usage("--overwrite and --doorbell: a flight recorder's rings "
				 "are always full");
	if ((uint64_t)opts->subbuf_kib * opts->nr_subbufs > MAX_BUFFER_KIB)
		return bad_usage("-b %u -n %u: more than %d KiB for each CPU",
				 opts->subbuf_kib, opts->nr_subbufs, MAX_BUFFER_KIB);
	return -1;
}

int options_parse(struct options *opts, int argc, char **argv)
{
	int status;

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

	status = option_table_read(&table, argc, argv, opts);
	return status < 0 ? check(opts, argc, argv) : status;
}

void options_free(struct options *opts)
{
	free(opts->domains);
	free(opts->disks);
}
