// SPDX-License-Identifier: GPL-2.0-only
#include "base/tell.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/util.h"

const struct tell tell_nobody;

int tell(const struct tell *to, const char *fmt, ...)
{
	char text[1024], clean[sizeof(text)];
	va_list ap;

	if (!to->fn)
		return -1;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* What it quotes of the trace is anybody's. */
	copy_printable(clean, sizeof(clean), text, sizeof(text));
	to->fn(to->ctx, clean);
	return -1;
}
