// SPDX-License-Identifier: GPL-2.0-only
#include "name.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/util.h"

static size_t shown_utf8(char *to, const char *name)
{
	size_t columns = 0;
	mbstate_t state = {0};

	while (*name) {
		wchar_t wc;
		size_t n = mbrtowc(&wc, name, MB_CUR_MAX, &state);
		int width = n && n < (size_t)-2 ? wcwidth(wc) : -1;

		/* The C library may know fewer of them than there are. */
		if (width < 0) {
			memset(&state, 0, sizeof(state));
			for (n = 1; (name[n] & 0xc0) == 0x80; n++)
				;
			*to++ = '?';
			columns++;
		} else {
			to = mempcpy(to, name, n);
			columns += width;
		}
		name += n;
	}
	*to = '\0';
	return columns;
}

static size_t shown_ascii(char *to, const char *name)
{
	size_t columns = 0;

	for (; *name; name++) {
		if ((*name & 0xc0) == 0x80)
			continue;
		*to++ = *name & 0x80 ? '?' : *name;
		columns++;
	}
	*to = '\0';
	return columns;
}

size_t shown_name(char *to, const char *name)
{
	size_t len = ascii_columns(name);

	if (len) {
		memcpy(to, name, len + 1);
		return len;
	}
	return strcmp(nl_langinfo(CODESET), "UTF-8") ? shown_ascii(to, name)
						     : shown_utf8(to, name);
}

void print_name(FILE *out, const char *name, int width)
{
	char *shown = xmalloc(strlen(name) + 1);
	int columns = (int)shown_name(shown, name), blank = abs(width) - columns;

	if (blank < 0)
		blank = 0;
	fprintf(out, "%*s%s%*s", width < 0 ? blank : 0, "", shown, width < 0 ? 0 : blank,
		"");
	free(shown);
}
