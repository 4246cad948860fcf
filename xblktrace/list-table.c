// SPDX-License-Identifier: GPL-2.0-only
/* The list for people: a row for each disk, and one for a guest that has none. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list.h"
#include "msg.h"
#include "printable.h"

#define NR_COLUMNS 10

struct row {
	char *cells[NR_COLUMNS]; /* NULL: there is nothing to say */
};

/* Rows, and how wide each column is. */
struct table {
	struct row *rows;
	unsigned int nr;
	int width[NR_COLUMNS];
	bool failed;
};

/* Of UTF-8, in which a character may have several bytes. */
static int count_columns(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

/* Columns one after the other. */
__attribute__((format(printf, 3, 4))) static void
put(struct table *table, unsigned int column, const char *fmt, ...)
{
	char **cell = &table->rows[table->nr].cells[column];
	va_list ap;
	int width;

	va_start(ap, fmt);
	if (vasprintf(cell, fmt, ap) < 0) {
		*cell = NULL;
		table->failed = true;
	}
	va_end(ap);
	if (!*cell)
		return;
	make_printable(*cell);
	width = count_columns(*cell);
	if (width > table->width[column])
		table->width[column] = width;
}

/* A word, where there is one. */
static void put_word(struct table *table, unsigned int column, const char *word)
{
	put(table, column, "%s", word && *word ? word : "-");
}

static void put_tracer(struct table *table, unsigned int column,
		       const struct list_guest *guest)
{
	static const char *const words[] = {
		[LIST_TRACER_NONE] = "no",	 [LIST_TRACER_NONSENSE] = "protocol ?",
		[LIST_TRACER_CLOSED] = "closed", [LIST_TRACER_UNKNOWN] = "?",
		[LIST_TRACER_READY] = NULL,
	};
	const char *word = guest->oldest ? NULL : words[guest->tracer];

	if (!guest->oldest)
		put_word(table, column, word);
	else if (guest->oldest == guest->newest)
		put(table, column, "protocol %" PRIu32, guest->oldest);
	else
		put(table, column, "protocol %" PRIu32 "-%" PRIu32, guest->oldest,
		    guest->newest);
}

static void put_device(struct table *table, unsigned int column,
		       const struct list_disk *disk)
{
	const struct backing_words *on = &disk->on;
	const char *called = *on->mapped ? on->mapped : on->file;

	if (!*on->name)
		put_word(table, column, disk->disk.params);
	else
		put(table, column, "%s%s%s%s%s%s", on->name, *on->disk ? " of " : "",
		    on->disk, *called ? " (" : "", called, *called ? ")" : "");
}

/* The guest's end is worth a word where it is not where the backend is. */
static void put_state(struct table *table, unsigned int column,
		      const struct list_disk *disk)
{
	const char *state = list_state_name(disk->state);
	const char *of_guest = list_state_name(disk->guest_state);

	if (!of_guest || disk->state == disk->guest_state)
		put_word(table, column, state);
	else
		put(table, column, "%s, guest %s", state ? state : "-", of_guest);
}

static void put_seen(struct table *table, unsigned int column,
		     const struct list_seen *seen)
{
	const char *what = seen->guest && seen->backend ? "guest and backend"
			   : seen->backend		? "backend only"
			   : seen->guest		? "guest only"
							: "nothing";

	put(table, column, "%s%s%s", what, *seen->why ? ": " : "", seen->why);
}

static void put_guest(struct table *table, const struct list_guest *guest)
{
	put(table, 0, "%u", guest->domain.domid);
	put_word(table, 1, guest->domain.name);
	put_tracer(table, 2, guest);
}

static void put_disk(struct table *table, const struct list_disk *disk)
{
	const char mode[] = {disk->mode, '\0'};

	put_word(table, 3, disk->disk.name);
	put_word(table, 4, mode);
	put_word(table, 5, disk->kind);
	put(table, 6, "%u", disk->backend);
	put_device(table, 7, disk);
	put_state(table, 8, disk);
	put_seen(table, 9, &disk->seen);
	table->nr++;
}

static void put_no_disk(struct table *table)
{
	unsigned int i;

	for (i = 3; i < NR_COLUMNS - 1; i++)
		put_word(table, i, NULL);
	put(table, NR_COLUMNS - 1, "nothing: it has no disk");
	table->nr++;
}

static void put_titles(struct table *table)
{
	static const char *const titles[NR_COLUMNS] = {
		"domid",   "guest",  "xblk-guest", "disk",  "mode",
		"backend", "domain", "on",	   "state", "would be seen",
	};
	unsigned int i;

	for (i = 0; i < NR_COLUMNS; i++)
		put_word(table, i, titles[i]);
	table->nr++;
}

static void put_all(struct table *table, const struct list *list)
{
	unsigned int i, disk;

	put_titles(table);
	for (i = 0; i < list->nr; i++) {
		const struct list_guest *guest = &list->guests[i];

		for (disk = 0; disk < guest->nr_disks; disk++) {
			put_guest(table, guest);
			put_disk(table, &guest->disks[disk]);
		}
		if (guest->nr_disks)
			continue;
		put_guest(table, guest);
		put_no_disk(table);
	}
}

static void print(const struct table *table)
{
	unsigned int i, column;

	for (i = 0; i < table->nr; i++) {
		char *const *cells = table->rows[i].cells;

		for (column = 0; column < NR_COLUMNS - 1; column++)
			printf("%s%*s", cells[column],
			       table->width[column] - count_columns(cells[column]) + 2,
			       "");
		puts(cells[NR_COLUMNS - 1]);
	}
}

static void free_table(struct table *table)
{
	unsigned int i, column;

	for (i = 0; i < table->nr; i++)
		for (column = 0; column < NR_COLUMNS; column++)
			free(table->rows[i].cells[column]);
	free(table->rows);
}

static int print_guests(const struct list *list)
{
	struct table table = {0};
	unsigned int i, nr = 1;

	for (i = 0; i < list->nr; i++)
		nr += list->guests[i].nr_disks ? list->guests[i].nr_disks : 1;
	table.rows = calloc(nr, sizeof(*table.rows));
	table.failed = !table.rows;
	if (!table.failed)
		put_all(&table, list);
	if (!table.failed)
		print(&table);
	free_table(&table);
	return table.failed ? msg_error("out of memory") : 0;
}

int list_print_table(const struct list *list)
{
	int ret = 0;

	printf("domain %u (this one): xblk-dom0 is %s\n", list->own,
	       list->dom0_loaded ? "loaded" : "not loaded");
	if (list->nr)
		ret = print_guests(list);
	else
		puts("no guests");
	if (!ret && fflush(stdout))
		ret = msg_error("standard output: %s", strerror(errno));
	return ret;
}
