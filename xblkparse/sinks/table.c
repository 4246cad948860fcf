// SPDX-License-Identifier: GPL-2.0-only
#include "table.h"

#include <langinfo.h>
#include <string.h>

struct paint paint_for(bool colour)
{
	if (!colour)
		return (struct paint){"", "", "", ""};
	return (struct paint){"\033[1m", "\033[1;33m", "\033[1;31m", "\033[0m"};
}

const char *microseconds(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") ? "us" : "\u00b5s";
}

struct unit unit_for(uint64_t ns)
{
	if (ns < 10000000)
		return (struct unit){microseconds(), 1e3};
	if (ns < 10000000000)
		return (struct unit){"ms", 1e6};
	return (struct unit){"s", 1e9};
}

void print_value(FILE *out, double v)
{
	fprintf(out, " %9.*f", v >= 99.95 ? 0 : v >= 9.995 ? 1 : v >= 0.9995 ? 2 : 3, v);
}

/* printf counts bytes, but a character may have several. */
static int columns(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

void print_title(FILE *out, const char *title, const char *unit)
{
	int width = columns(title) + (*unit ? 1 + columns(unit) : 0);

	fprintf(out, " %*s%s%s%s", width < 9 ? 9 - width : 0, "", title, *unit ? " " : "",
		unit);
}
