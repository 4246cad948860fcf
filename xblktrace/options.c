// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "actions.h"
#include "msg.h"
#include "number.h"
#include "option-table.h"
#include "options.h"
#include "writer.h"
#include "xblk/version.h"

#define MAX_BUFFER_KIB (256 * 1024) /* of one CPU or ring: the channel's own limit */
#define MIN_SUBBUF_KIB 4
#define MIN_NR_SUBBUFS 2

/* Of --max-memory: a few of the smallest rings, and more than any maptrack can map. */
#define MIN_MEMORY (1ull << 20)
#define MAX_MEMORY (1ull << 40)

/*
 * Of --max-size: each file has what is known of the capture, 1 MiB of it at most, and
 * names of processes, a quarter; the rest is for records.  And of --files: they are
 * renamed each time.
 */
#define MIN_FILE_SIZE (8ull << 20)
#define MAX_FILE_SIZE (1ull << 50)
#define MAX_NR_FILES  1000

/* A number of a #define, in a text. */
#define TEXT_OF(number)	 TEXT_OF_(number)
#define TEXT_OF_(number) #number

/* Copies of the names in @arg, which has commas between them, behind those of @list. */
static const char *add_names(const char ***list, unsigned int *nr, const char *arg)
{
	const char **longer;
	char *name;
	size_t len;

	for (;; arg += len + 1) {
		len = strcspn(arg, ",");
		if (!len)
			return "a name is missing";
		longer = reallocarray(*list, *nr + 1, sizeof(*longer));
		if (!longer)
			return "out of memory";
		*list = longer;
		name = strndup(arg, len);
		if (!name)
			return "out of memory";
		longer[(*nr)++] = name;
		if (!arg[len])
			return NULL;
	}
}

static void free_names(const char **list, unsigned int nr)
{
	while (nr--)
		free((char *)list[nr]);
	free(list);
}

static const char *add_domains(void *to, const char *arg)
{
	struct options *opts = to;

	return add_names(&opts->domains, &opts->nr_domains, arg);
}

static const char *add_disks(void *to, const char *arg)
{
	struct options *opts = to;

	return add_names(&opts->disks, &opts->nr_disks, arg);
}

static const char *add_actions(void *to, const char *arg)
{
	return actions_add(arg, to);
}

static const char *set_actions(void *to, const char *arg)
{
	return actions_set(arg, to);
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
	return number_uint(arg, MIN_SUBBUF_KIB, MAX_BUFFER_KIB / MIN_NR_SUBBUFS,
			   &opts->subbuf_kib);
}

static const char *set_nr_subbufs(void *to, const char *arg)
{
	struct options *opts = to;

	opts->sized = true;
	opts->nr_subbufs_said = arg;
	return NULL;
}

/* When -b is known, on which it depends how many there may be.  Return: as check(). */
static int check_nr_subbufs(struct options *opts)
{
	const unsigned int most = MAX_BUFFER_KIB / opts->subbuf_kib;
	const char *why;

	if (!opts->nr_subbufs_said)
		return opts->nr_subbufs <= most
			       ? -1
			       : bad_usage(
					 "-b %u: more than %d KiB for each CPU: with "
					 "this -b, -n is %u at most, and %u if not said",
					 opts->subbuf_kib, MAX_BUFFER_KIB, most,
					 opts->nr_subbufs);
	why = number_uint(opts->nr_subbufs_said, MIN_NR_SUBBUFS, most, &opts->nr_subbufs);
	return why ? bad_usage("-n %s: %s (with -b %u)", opts->nr_subbufs_said, why,
			       opts->subbuf_kib)
		   : -1;
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

static const char *set_max_size(void *to, const char *arg)
{
	return number_size(arg, MIN_FILE_SIZE, MAX_FILE_SIZE, to);
}

static const char *set_nr_files(void *to, const char *arg)
{
	return number_uint(arg, 1, MAX_NR_FILES, to);
}

static const char *set_doorbell(void *to, const char *arg)
{
	struct options *opts = to;

	opts->doorbell_percent = DEFAULT_DOORBELL;
	return arg ? number_uint(arg, 1, 100, &opts->doorbell_percent) : NULL;
}

static const char *set_list(void *to, const char *arg)
{
	struct options *opts = to;

	opts->list = true;
	opts->list_json = arg;
	return arg && strcmp(arg, "json") ? "not a format: only json is one" : NULL;
}

#define AT(member) offsetof(struct options, member)

static const struct option_row rows[] = {
	{'d', "domain", "=DOMAIN",
	 "number or name of a guest, or \"all\"; several with commas\n"
	 "between them, or by repetition",
	 add_domains, 0},
	{'o', "output", "=FILE",
	 "trace file, \"-\" for standard output\n(default: " DEFAULT_OUTPUT ")",
	 set_output, AT(output)},
	{'w', "stopwatch", "=SECONDS", "end after that time", set_duration,
	 AT(duration_ns)},
	{'D', "disk", "=[DOMAIN:]DISK",
	 "only this disk, as xvda or 51712; several likewise", add_disks, 0},
	{'a', "act-mask", "=ACTION",
	 "only requests of this kind: read, write, flush or discard;\nseveral likewise",
	 add_actions, AT(ops)},
	{'A', "set-mask", "=MASK", "the same by blktrace's hexadecimal mask", set_actions,
	 AT(ops)},
	{0, "no-merges", NULL, "merges are not recorded, nor counted", option_set_flag,
	 AT(no_merges)},
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
	{0, "max-size", "=SIZE",
	 "go on in a new file when one is so large, as 100M or 1G; the\n"
	 "earlier ones have .1, .2... added to their name",
	 set_max_size, AT(max_size)},
	{0, "files", "=N",
	 "with that: how many there are at a time (default: " TEXT_OF(
		 DEFAULT_NR_FILES) ")",
	 set_nr_files, AT(nr_files)},
	{'F', "follow", NULL,
	 "wait for guests that are not there yet, and again when they\nhave gone",
	 option_set_flag, AT(follow)},
	{0, "list", "[=json]",
	 "say which disks the guests have, what serves them, and what\n"
	 "of them would be seen; as a table, or as JSON",
	 set_list, 0},
	{0, "status", NULL, "say what a capture that runs is doing", option_set_flag,
	 AT(status)},
	{'k', "kill", NULL, "end a capture that runs, in good order", option_set_flag,
	 AT(end)},
	{'v', "verbose", NULL, "say what is being done", option_set_flag, AT(verbose)},
	{'h', "help", NULL, "show this help", NULL, 0},
	{'V', "version", NULL, "show the version", NULL, 0},
	{0},
};

static const struct option_table table = {
	.before =
		"Usage: " PROGRAM " -d DOMAIN[,DOMAIN]... [option]...\n"
		"       " PROGRAM " --list[=json] | --status | -k\n"
		"Trace the block I/O of Xen guests, in the guests and in this domain at "
		"once.\n\n",
	.rows = rows,
	.column = 28,
	.after = "\nCtrl-C ends a capture in good order.  Read it with xblkparse(1).\n",
	.version = PROGRAM " " XBLK_VERSION,
};

/* Something was said that is of a capture to be begun. */
static bool begins_capture(const struct options *opts)
{
	return opts->nr_domains || opts->nr_disks || opts->ops || opts->no_merges ||
	       opts->output || opts->duration_ns || opts->sized || opts->compress_level ||
	       opts->overwrite || opts->max_memory || opts->max_size || opts->nr_files ||
	       opts->doorbell_percent || opts->follow;
}

/* Return: as options_parse(). */
static int check(struct options *opts, int argc, char **argv)
{
	if (optind < argc)
		return bad_usage("%s: unexpected argument", argv[optind]);
	if (opts->list + opts->status + opts->end > 1)
		return bad_usage("--list, --status and --kill: one at a time");
	if (opts->list || opts->status || opts->end)
		return begins_capture(opts)
			       ? bad_usage("no capture is begun with --list, --status or "
					   "--kill: of other options only -v goes with "
					   "them")
			       : -1;
	if (!opts->nr_domains)
		return bad_usage("no domain given: use -d with a number or name of 'xl "
				 "list', or -d all");
	if (opts->overwrite && opts->doorbell_percent)
		return bad_usage("--overwrite and --doorbell: a flight recorder's rings "
				 "are always full");
	if (opts->nr_files && !opts->max_size)
		return bad_usage("--files: say how large each may get with --max-size");
	if (opts->overwrite && opts->max_size)
		return bad_usage("--overwrite and --max-size: a flight recorder writes "
				 "only what is asked for");
	return check_nr_subbufs(opts);
}

int options_parse(struct options *opts, int argc, char **argv)
{
	int status;

	*opts = (struct options){
		.argc = argc,
		.argv = argv,
		.subbuf_kib = DEFAULT_SUBBUF_KIB,
		.nr_subbufs = DEFAULT_NR_SUBBUFS,
	};
	status = option_table_read(&table, argc, argv, opts);
	if (status < 0)
		status = check(opts, argc, argv);
	if (opts->max_size && !opts->nr_files)
		opts->nr_files = DEFAULT_NR_FILES;
	return status;
}

void options_free(struct options *opts)
{
	free_names(opts->domains, opts->nr_domains);
	free_names(opts->disks, opts->nr_disks);
}
