// SPDX-License-Identifier: GPL-2.0-only
#include "table.h"

#include <langinfo.h>
#include <math.h>
#include <string.h>

#include "text.h"

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

/* As printf() rounds it: the product, of no more than 53 bits and 10, has all digits. */
static uint64_t times(double v, unsigned int unit)
{
	uint64_t product, n, rest;
	int exponent;

	product = (uint64_t)ldexp(frexp(v, &exponent), 53) * unit;
	if (exponent >= 53)
		return (uint64_t)v * unit;
	if (exponent <= 53 - 64)
		return 0;
	n = product >> (53 - exponent);
	rest = product << (64 - 53 + exponent);
	return n + (rest > 1ull << 63 || (rest == 1ull << 63 && n % 2));
}

static void print_decimal(FILE *out, uint64_t n, unsigned int digits, size_t width)
{
	char text[2 * NUMBER_SIZE + PUT_SLACK];

	fwrite(text, 1, put_decimal(text, n, digits, width) - text, out);
}

void print_value(FILE *out, double v)
{
	unsigned int digits = v >= 99.95 ? 0 : v >= 9.995 ? 1 : v >= 0.9995 ? 2 : 3;
	static const unsigned int units[] = {1, 10, 100, 1000};

	putc(' ', out);
	print_decimal(out, times(v, units[digits]), digits, 9);
}

void print_percent(FILE *out, double v)
{
	print_decimal(out, times(v, 100), 2, 7);
	putc('%', out);
}

void print_quantile(FILE *out, const struct hist *h, unsigned int permille,
		    struct unit unit)
{
	if (h->beyond)
		fprintf(out, " %9s", "-");
	else
		print_value(out, hist_quantile(h, permille) / unit.ns);
}

/* printf counts bytes, but a character may have several. */
static size_t columns(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

void print_title(FILE *out, const char *title, const char *unit)
{
	char text[64], *to = put_string(text, title);

	if (*unit)
		to = put_string(put_char(to, ' '), unit);
	*to = '\0';
	to = put_right(text, to, columns(text), 9);
	putc(' ', out);
	fwrite(text, 1, to - text, out);
}
