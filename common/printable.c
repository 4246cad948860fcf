// SPDX-License-Identifier: GPL-2.0-only
#include "printable.h"

#include <string.h>
#include <wchar.h>
#include <wctype.h>

void make_printable(char *line)
{
	const char *from = line, *end = line + strlen(line);
	mbstate_t state = {0};
	wchar_t wc;
	size_t n;

	while (from < end) {
		n = mbrtowc(&wc, from, end - from, &state);
		if (n == (size_t)-1 || n == (size_t)-2) {
			/* A byte at a time, and each of them from a clean start. */
			memset(&state, 0, sizeof(state));
			n = 1;
			*line++ = '?';
		} else if (iswprint(wc)) {
			memmove(line, from, n);
			line += n;
		} else {
			*line++ = '?';
		}
		from += n;
	}
	*line = '\0';
}
