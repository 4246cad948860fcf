// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "signals.h"

/* A signalfd also gets what nohup or a shell has set to be ignored. */
static void add_unless_ignored(sigset_t *set, int sig)
{
	struct sigaction action;

	if (sigaction(sig, NULL, &action) || action.sa_handler != SIG_IGN)
		sigaddset(set, sig);
}

static void ending_signals(sigset_t *set)
{
	sigemptyset(set);
	add_unless_ignored(set, SIGINT);
	add_unless_ignored(set, SIGTERM);
	add_unless_ignored(set, SIGHUP);
}

void signals_block(void)
{
	sigset_t set;

	ending_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void signals_unblock(void)
{
	sigset_t set;

	ending_signals(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void signals_ignore_output(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

int signals_open(void)
{
	sigset_t set;

	ending_signals(&set);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

unsigned int signals_take(int fd)
{
	struct signalfd_siginfo info;
	unsigned int n = 0;

	while (read(fd, &info, sizeof(info)) == sizeof(info))
		n++;
	return n;
}
