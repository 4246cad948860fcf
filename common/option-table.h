/* SPDX-License-Identifier: GPL-2.0-only */
/* Options as a table, from which a command line is read and the usage is printed. */
#ifndef XBLK_OPTION_TABLE_H
#define XBLK_OPTION_TABLE_H

#include <stddef.h>

/**
 * struct option_row - an option; with @help alone, a heading over those that follow
 * @letter:	0: it has none
 * @name:	NULL: it has none
 * @argument:	as the usage shows it: "=FILE" or " FILE"; "[=FILE]" where it may be left
 * out; NULL: it takes none
 * @help:	one line or several
 * @set:	keeps the argument, NULL if it was left out, at @to; returns NULL, or
 * what is wrong with the argument.  NULL: this is -h, which prints the usage, or -V
 * @at:		how far into what option_table_read() is given @to is
 */
struct option_row {
	char letter;
	const char *name, *argument, *help;
	const char *(*set)(void *to, const char *arg);
	size_t at;
};

/**
 * struct option_table - all options of a program
 * @before:	what the usage says before them
 * @after:	and after them
 * @version:	what -V prints
 * @column:	where the help begins in a line of the usage
 * @rows:	the last one is empty; at most OPTION_TABLE_MAX others
 * @once:	the names of those that have one value, and so are refused when they come
 * again; the last one is NULL.  NULL: none
 */
struct option_table {
	const char *before, *after, *version;
	int column;
	const struct option_row *rows;
	const char *const *once;
};

#define OPTION_TABLE_MAX 64

/* What @set often is: @to is a bool *, or a const char **, for a pointer into argv. */
const char *option_set_flag(void *to, const char *arg);
const char *option_set_text(void *to, const char *arg);

/**
 * option_table_read() - take the options of a command line
 * @table:	those that there are
 * @argc:	of the program
 * @argv:	of the program; options come first in it afterwards
 * @to:		what the rows' @at are places in
 *
 * What is wrong has been told, and help and version have been printed.
 *
 * Return: -1 to go on, where optind is that of the first argument that is no option's;
 * else the status to exit with.
 */
int option_table_read(const struct option_table *table, int argc, char **argv, void *to);

/* Say how the command line is wrong.  Return: 2, the status to exit with. */
int bad_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* XBLK_OPTION_TABLE_H */
