// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The texts of the last error: the reader's, all that one has whose opening failed, and
 * that of each channel's reads.
 */
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

int xr_fail_read(struct xenrelay_channel *ch, int err, const char *fmt, ...)
{
	int n = snprintf(ch->error, sizeof(ch->error),
			 "domain %u, channel %s: ", ch->domid, ch->name);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ch->error + n, sizeof(ch->error) - n, fmt, ap);
	va_end(ap);
	return err;
}

const char *xenrelay_channel_strerror(const struct xenrelay_channel *ch)
{
	return ch ? ch->error : "no channel";
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
