// SPDX-License-Identifier: GPL-2.0-only
#include "msg.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "printable.h"

#define CLEAR_LINE "\r\033[K"

bool msg_silent;
static bool verbose_wanted;
static bool progress_shown;

static void vsay(const char *fmt, va_list ap)
{
	char line[64 + 4096 + 512]; /* our name, a file's, and what is said of it */
	int n;

	if (msg_silent)
		return;
	n = snprintf(line, sizeof(line), "%.60s: ", program_invocation_short_name);
	vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	make_printable(line);
	/* One write a line: other programs may write to the same terminal. */
	fprintf(stderr, "%s%s\n", progress_shown ? CLEAR_LINE : "", line);
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
	fprintf(stderr, CLEAR_LINE "%s", line);
	fflush(stderr);
	progress_shown = true;
}

void msg_progress_end(void)
{
	if (progress_shown)
		fputs(CLEAR_LINE, stderr);
	progress_shown = false;
}
