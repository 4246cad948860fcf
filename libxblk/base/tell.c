// SPDX-License-Identifier: GPL-2.0-only
#include "base/tell.h"

#include <stdarg.h>
#include <stdio.h>

const struct tell tell_nobody;

int tell(const struct tell *to, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (!to->fn)
		return -1;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	to->fn(to->ctx, text);
	return -1;
}
