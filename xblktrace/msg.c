// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "msg.h"
#include "printable.h"

static bool verbose_wanted;
static bool progress_shown;

static void vsay(const char *fmt, va_list ap)
{
	char line[4096 + 512]; /* a file's name, and what is said of it */

	vsnprintf(line, sizeof(line), fmt, ap);
	make_printable(line);
	/* One write a line: other programs may write to the same terminal. */
	fprintf(stderr, "%s%s: %s\n", progress_shown ? "\r\033[K" : "", PROGRAM, line);
	progress_shown = false;
}

int msg_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
	return -1;
}

void msg_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
}

void msg_verbose(const char *fmt, ...)
{
	va_list ap;

	if (!verbose_wanted)
		return;
	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
}

void msg_set_verbose(bool verbose)
{
	verbose_wanted = verbose;
}

bool msg_progress_wanted(void)
{
	return isatty(STDERR_FILENO);
}

void msg_progress(const char *fmt, ...)
{
	char line[256];
	va_list ap;

	if (!msg_progress_wanted())
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	make_printable(line);
	fprintf(stderr, "\r\033[K%s", line);
	fflush(stderr);
	progress_shown = true;
}
