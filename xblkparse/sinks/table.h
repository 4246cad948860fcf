/* SPDX-License-Identifier: GPL-2.0-only */
/* How numbers look in tables for people. */
#ifndef XBLKPARSE_TABLE_H
#define XBLKPARSE_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "analyse/hist.h"

struct unit {
	const char *name;
	double ns;
};

/* Escape sequences, or empty strings where the output is not coloured. */
struct paint {
	const char *title, *most, *bad, *off;
};

struct paint paint_for(bool colour);

/* With the letter µ where the locale has it, as UTF-8. */
const char *microseconds(void);

/* One for a table, so that its numbers compare at a glance. */
struct unit unit_for(uint64_t ns);

/* Three digits that mean something, in 9 columns after a blank. */
void print_value(FILE *out, double v);

/* A quantile likewise, "-" where there was no room for all of the times. */
void print_quantile(FILE *out, const struct hist *h, unsigned int permille,
		    struct unit unit);

/* Of 100, with two digits behind the point: in 8 columns. */
void print_percent(FILE *out, double v);

/* Right-aligned over such a column. */
void print_title(FILE *out, const char *title, const char *unit);

#endif
