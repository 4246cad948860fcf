// SPDX-License-Identifier: GPL-2.0-only
#include "option-table.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "msg.h"

/* What getopt_long() returns for an option without a letter: this and its row. */
#define LONG_ONLY (UCHAR_MAX + 1)

const char *option_set_flag(void *to, const char *arg)
{
	(void)arg;
	*(bool *)to = true;
	return NULL;
}

const char *option_set_text(void *to, const char *arg)
{
	*(const char **)to = arg;
	return NULL;
}

int bad_usage(const char *fmt, ...)
{
	char what[4096 + 256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	msg_error("usage: %s; see %s --help", what, program_invocation_short_name);
	return 2;
}

static void print_usage(const struct option_table *table)
{
	const struct option_row *row;

	fputs(table->before, stdout);
	for (row = table->rows; row->help; row++) {
		const char *line = row->help, *end;
		char label[80] = "";

		if (!row->letter && !row->name) {
			puts(row->help);
			continue;
		}
		snprintf(label, sizeof(label), "  %c%c%s%s%s", row->letter ? '-' : ' ',
			 row->letter ? row->letter : ' ',
			 row->name ? (row->letter ? ", --" : "  --") : "",
			 row->name ? row->name : "", row->argument ? row->argument : "");
		do {
			end = strchrnul(line, '\n');
			printf("%-*s%.*s\n", table->column, label, (int)(end - line),
			       line);
			*label = '\0';
			line = end + 1;
		} while (*end);
	}
	fputs(table->after, stdout);
}

/* getopt's words for the table: no argument, one, and one that may be left out are 0
 * to 2. */
static void make_getopt_arrays(const struct option_table *table, char *shorts,
			       struct option *longs)
{
	const struct option_row *row;
	int takes, i;

	/* So that it tells a missing argument from others. */
	*shorts++ = ':';
	for (row = table->rows; row->help; row++) {
		assert(row - table->rows < OPTION_TABLE_MAX);
		takes = !row->argument ? 0 : *row->argument == '[' ? 2 : 1;
		if (row->letter) {
			*shorts++ = row->letter;
			for (i = 0; i < takes; i++)
				*shorts++ = ':';
		}
		if (row->name)
			*longs++ = (struct option){
				.name = row->name,
				.has_arg = takes,
				.val = row->letter ? row->letter
						   : LONG_ONLY + (row - table->rows),
			};
	}
	*shorts = '\0';
	*longs = (struct option){0};
}

/*
 * Whether getopt_long() meant what was @typed by optopt, which is 0 for a long option
 * that there is not and that of its row for another; else it is a letter, and what was
 * typed may be the word before.
 */
static bool typed_long(const struct option_table *table, const char *typed)
{
	const struct option_row *row;

	if (optopt <= 0 || optopt > UCHAR_MAX)
		return true;
	if (strncmp(typed, "--", 2))
		return false;
	for (row = table->rows; row->help; row++)
		if (row->letter == optopt && row->name &&
		    !strncmp(typed + 2, row->name, strcspn(typed + 2, "=")))
			return true;
	return false;
}

/* What getopt_long() refuses; its own message prints what was typed as it is. */
static int bad_option(const struct option_table *table, int c, char **argv)
{
	const char *typed = argv[optind - 1];
	char letter[3] = {'-', (char)optopt};

	if (!typed_long(table, typed))
		typed = letter;
	return bad_usage(c == ':' ? "%s needs an argument"
				  : "no such option, or not with an argument: %s",
			 typed);
}

/* Return: the status to exit with, which is not 0 if nobody can have seen it. */
static int printed(void)
{
	return fflush(stdout) ? -msg_error("standard output: %s", strerror(errno)) : 0;
}

/* Whether it has one value, and has been given that: @given has a bit for each row. */
static bool is_again(const struct option_table *table, const struct option_row *row,
		     uint64_t *given)
{
	const char *const *name = table->once;
	uint64_t bit = 1ull << (row - table->rows), before = *given & bit;

	_Static_assert(OPTION_TABLE_MAX <= 64, "a bit each");
	*given |= bit;
	if (!before || !name || !row->name)
		return false;
	while (*name && strcmp(*name, row->name))
		name++;
	return *name;
}

/* Return: as option_table_read(). */
static int take(const struct option_table *table, const struct option_row *row, void *to,
		uint64_t *given)
{
	const char *why;

	if (!row->set) {
		if (row->letter == 'V')
			puts(table->version);
		else
			print_usage(table);
		return printed();
	}
	if (is_again(table, row, given))
		why = "there is one already";
	else
		why = row->set((char *)to + row->at, optarg);
	if (!why)
		return -1;
	if (!row->letter)
		return bad_usage("--%s%s%s: %s", row->name, optarg ? "=" : "",
				 optarg ?: "", why);
	return bad_usage("-%c%s%s: %s", row->letter, *row->argument == '[' ? "" : " ",
			 optarg ?: "", why);
}

int option_table_read(const struct option_table *table, int argc, char **argv, void *to)
{
	struct option longs[OPTION_TABLE_MAX + 1];
	char shorts[3 * OPTION_TABLE_MAX + 2];
	const struct option_row *row;
	uint64_t given = 0;
	int c, status;

	make_getopt_arrays(table, shorts, longs);
	opterr = 0;
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (c == '?' || c == ':')
			return bad_option(table, c, argv);
		row = table->rows;
		if (c >= LONG_ONLY)
			row += c - LONG_ONLY;
		else
			while (row->letter != c)
				row++;
		status = take(table, row, to, &given);
		if (status >= 0)
			return status;
	}
	return -1;
}
