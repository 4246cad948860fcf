// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>

#include "figure.h"

const char *figure_count(uint64_t n, char *text)
{
	char digits[FIGURE_SIZE];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);
	char *to = text;
	int i;

	for (i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return text;
}

const char *figure_bytes(uint64_t bytes, char *text)
{
	if (bytes < 1000000)
		snprintf(text, FIGURE_SIZE, "%.1f kB", bytes / 1e3);
	else if (bytes < 1000000000)
		snprintf(text, FIGURE_SIZE, "%.1f MB", bytes / 1e6);
	else
		snprintf(text, FIGURE_SIZE, "%.2f GB", bytes / 1e9);
	return text;
}
