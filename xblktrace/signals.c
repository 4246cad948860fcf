// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "signals.h"

/*
 * A signalfd also gets what is set to be ignored.  SIGINT and SIGTERM are wanted
 * even so: a script's background command ignores SIGINT, and is ended by it.
 * Whoever says nohup means it.
 */
static void capture_signals(sigset_t *set)
{
	struct sigaction hangup;

	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGUSR1);
	if (sigaction(SIGHUP, NULL, &hangup) || hangup.sa_handler != SIG_IGN)
		sigaddset(set, SIGHUP);
}

void signals_block(void)
{
	sigset_t set;

	capture_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void signals_ignore_output(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

int signals_open(void)
{
	sigset_t set;

	capture_signals(&set);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

bool signals_waiting(void)
{
	sigset_t waiting;

	return !sigpending(&waiting) && (sigismember(&waiting, SIGINT) == 1 ||
					 sigismember(&waiting, SIGTERM) == 1 ||
					 sigismember(&waiting, SIGHUP) == 1);
}

unsigned int signals_take(int fd, bool *snapshot)
{
	struct signalfd_siginfo info;
	unsigned int n = 0;

	while (read(fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGUSR1)
			*snapshot = true;
		else
			n++;
	}
	return n;
}
