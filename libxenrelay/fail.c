// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The text of the last error, all that a reader has whose opening failed. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "fail.h"
#include "objects.h"

int xr_fail(struct xenrelay_reader *reader, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reader->error, sizeof(reader->error), fmt, ap);
	va_end(ap);
	return err;
}

const char *xenrelay_strerror(const struct xenrelay_reader *reader)
{
	return reader ? reader->error : "out of memory";
}

int xr_check_reader(const struct xenrelay_reader *reader)
{
	if (!reader)
		return -EINVAL;
	return reader->open ? 0 : -EBADF;
}
