// SPDX-License-Identifier: GPL-2.0-only
#include "number.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_LEN 32

__attribute__((format(printf, 1, 2))) static const char *wrong(const char *fmt, ...)
{
	static _Thread_local char text[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return text;
}

/* Those that @s begins with. */
static bool digits(const char *s, uint64_t *value, char **rest)
{
	/* strtoull() would take signs and spaces. */
	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	*value = strtoull(s, rest, 10);
	return !errno;
}

const char *number_u64(const char *s, uint64_t min, uint64_t max, uint64_t *value)
{
	uint64_t v;
	char *rest;

	if (!digits(s, &v, &rest) || *rest || v < min || v > max)
		return wrong("not a number from %" PRIu64 " to %" PRIu64, min, max);
	*value = v;
	return NULL;
}

const char *number_uint(const char *s, unsigned int min, unsigned int max,
			unsigned int *value)
{
	uint64_t v = 0;
	const char *why = number_u64(s, min, max, &v);

	if (!why)
		*value = v;
	return why;
}

/* As a user would write it: "64K". */
static const char *size_text(char *to, uint64_t bytes)
{
	unsigned int unit = 0;

	for (; unit < 3 && bytes && !(bytes % 1024); unit++)
		bytes /= 1024;
	snprintf(to, LIMIT_LEN, "%" PRIu64 "%.1s", bytes, &"\0KMG"[unit]);
	return to;
}

const char *number_size(const char *s, uint64_t min, uint64_t max, uint64_t *bytes)
{
	char text[2][LIMIT_LEN], *rest;
	unsigned int shift = 0;
	const char *unit;
	uint64_t v;

	if (!digits(s, &v, &rest))
		goto bad;
	unit = *rest ? strchr("KMG", *rest) : NULL;
	if (unit) {
		shift = 10 * (strlen("KMG") - strlen(unit) + 1);
		rest++;
	}
	if (*rest || v > max >> shift || v << shift < min)
		goto bad;
	*bytes = v << shift;
	return NULL;
bad:
	return wrong("not a size from %s to %s", size_text(text[0], min),
		     size_text(text[1], max));
}

/* The decimal number, with a fraction or not, that @s begins with, times @unit. */
static bool decimal(const char *s, uint64_t unit, uint64_t *value, char **rest)
{
	/* strtod() takes signs, spaces, names, exponents and hexadecimal, which nobody
	 * means here. */
	size_t len = strspn(s, "0123456789.");
	double v = strtod(s, rest) * unit;

	if (!len || *rest != s + len || v > NUMBER_MAX_NS)
		return false;
	*value = v;
	return true;
}

/* Of ns, without zeros at the end. */
static const char *seconds_text(char *to, uint64_t ns)
{
	int len = snprintf(to, LIMIT_LEN, "%" PRIu64 ".%09" PRIu64, ns / 1000000000,
			   ns % 1000000000);

	while (to[len - 1] == '0')
		to[--len] = '\0';
	if (to[len - 1] == '.')
		to[--len] = '\0';
	return to;
}

const char *number_seconds(const char *s, uint64_t min_ns, uint64_t max_ns, uint64_t *ns)
{
	char text[2][LIMIT_LEN], *rest;
	uint64_t v;

	if (!decimal(s, 1000000000, &v, &rest) || *rest || v < min_ns || v > max_ns)
		return wrong("not a number of seconds from %s to %s",
			     seconds_text(text[0], min_ns),
			     seconds_text(text[1], max_ns));
	*ns = v;
	return NULL;
}

const char *number_time(const char *s, uint64_t *ns)
{
	static const struct {
		const char *name;
		unsigned int ns;
	} units[] = {
		{"", 1000}, {"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}};
	const char *unit = s + strspn(s, "0123456789.");
	char text[LIMIT_LEN], *rest;
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!strcmp(unit, units[i].name) && decimal(s, units[i].ns, ns, &rest))
			return NULL;
	}
	return wrong("not a time from 0 to %ss, as 500us, 2ms or 1s",
		     seconds_text(text, NUMBER_MAX_NS));
}
