// SPDX-License-Identifier: GPL-2.0-only
#include "msg.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "printable.h"

#define CLEAR_LINE "\r\033[K"

bool msg_silent;
static bool verbose_wanted;
static bool progress_shown;
static int patience_ms = -1;
static unsigned int not_said;

/* Of all that is above, and a line at a time. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Whether a line can be written; what is wrong with stderr does not keep it. */
static bool has_room(int ms)
{
	struct pollfd pfd = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&pfd, 1, ms) != 0;
}

/* One write a line: other programs may write to the same terminal. */
static void say(const char *line)
{
	/* Who has waited in vain once does not wait again, until there is room. */
	if (!has_room(not_said ? 0 : patience_ms)) {
		not_said++;
		return;
	}
	if (not_said)
		fprintf(stderr, "%.60s: messages that could not be shown: %u\n",
			program_invocation_short_name, not_said);
	not_said = 0;
	fprintf(stderr, "%s%s\n", progress_shown ? CLEAR_LINE : "", line);
	progress_shown = false;
}

static void vsay(const char *fmt, va_list ap)
{
	char line[64 + 4096 + 512]; /* our name, a file's, and what is said of it */
	int n;

	if (msg_silent)
		return;
	n = snprintf(line, sizeof(line), "%.60s: ", program_invocation_short_name);
	vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	make_printable(line);
	pthread_mutex_lock(&lock);
	say(line);
	pthread_mutex_unlock(&lock);
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

void msg_set_patience(int ms)
{
	patience_ms = ms;
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
	pthread_mutex_lock(&lock);
	if (has_room(0)) {
		fprintf(stderr, CLEAR_LINE "%s", line);
		fflush(stderr);
		progress_shown = true;
	}
	pthread_mutex_unlock(&lock);
}

void msg_progress_end(void)
{
	pthread_mutex_lock(&lock);
	if (progress_shown)
		fputs(CLEAR_LINE, stderr);
	progress_shown = false;
	pthread_mutex_unlock(&lock);
}
