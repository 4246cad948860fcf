// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "tap-request.h"
#include "writer.h"

#define VERSION "1"

#define MAX_NAMES 256

/* A word in which a line ends would be another line. */
static void put_word(FILE *f, const char *key, const char *word)
{
	fprintf(f, "%s ", key);
	for (; *word; word++)
		fputc(*word == '\n' ? '?' : *word, f);
	fputc('\n', f);
}

char *tap_request_text(const struct options *opts)
{
	size_t size;
	char *text;
	FILE *f = open_memstream(&text, &size);
	unsigned int i;
	int k;

	if (!f)
		return NULL;
	fputs(TAP_REQUEST_BEGIN VERSION "\n", f);
	for (i = 0; i < opts->nr_domains; i++)
		put_word(f, "domain", opts->domains[i]);
	for (i = 0; i < opts->nr_disks; i++)
		put_word(f, "disk", opts->disks[i]);
	if (opts->compress_level)
		fprintf(f, "level %u\n", opts->compress_level);
	if (opts->duration_ns)
		fprintf(f, "duration %" PRIu64 "\n", opts->duration_ns);
	for (k = 0; k < opts->argc; k++)
		put_word(f, "argument", opts->argv[k]);
	fputc('\n', f);
	return fclose(f) ? NULL : text;
}

static const char *add_name(const char ***names, unsigned int *nr, const char *name)
{
	const char **longer;

	/* Each is looked for among all that there is. */
	if (*nr == MAX_NAMES)
		return "it names more than 256 domains or disks";
	longer = reallocarray(*names, *nr + 1, sizeof(*longer));
	if (!longer)
		return "out of memory";
	*names = longer;
	longer[(*nr)++] = name;
	return NULL;
}

static const char *add_argument(struct options *opts, char *word)
{
	char **longer = reallocarray(opts->argv, opts->argc + 1, sizeof(*longer));

	if (!longer)
		return "out of memory";
	opts->argv = longer;
	longer[opts->argc++] = word;
	return NULL;
}

static const char *read_line(struct options *opts, const char *key, char *value)
{
	if (!strcmp(key, "domain"))
		return add_name(&opts->domains, &opts->nr_domains, value);
	if (!strcmp(key, "disk"))
		return add_name(&opts->disks, &opts->nr_disks, value);
	if (!strcmp(key, "argument"))
		return add_argument(opts, value);
	if (!strcmp(key, "level"))
		return number_uint(value, 1, WRITER_MAX_LEVEL, &opts->compress_level);
	if (!strcmp(key, "duration"))
		return number_u64(value, 1, NUMBER_MAX_NS, &opts->duration_ns);
	return "it asks for something that is not known here";
}

const char *tap_request_read(char *text, struct options *opts)
{
	const char *wrong = NULL;
	char *line;

	*opts = (struct options){0};
	line = strsep(&text, "\n");
	if (strcmp(line, TAP_REQUEST_BEGIN VERSION))
		return "it is from another version of xblktrace";
	while (!wrong && (line = strsep(&text, "\n")) && *line) {
		char *value = line, *key = strsep(&value, " ");

		wrong = value ? read_line(opts, key, value) : "a line has no value";
	}
	if (!wrong && !opts->nr_domains)
		wrong = "it names no domain";
	return wrong;
}

void tap_request_free(struct options *opts)
{
	free(opts->domains);
	free(opts->disks);
	free(opts->argv);
}
