// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>
#include <unistd.h>

#include "leavings.h"

/* The lock, the socket, and the output by two names. */
#define MAX_LEAVINGS 4

static const char *volatile leavings[MAX_LEAVINGS];

void leavings_remove(void)
{
	unsigned int i;

	for (i = 0; i < MAX_LEAVINGS; i++) {
		const char *path = leavings[i];

		if (path)
			unlink(path);
	}
}

/* Nothing has been started or mapped yet. */
static void remove_and_end(int sig)
{
	leavings_remove();
	/* When this returns it ends the process. */
	signal(sig, SIG_DFL);
	raise(sig);
}

void leavings_begin(void)
{
	struct sigaction action = {.sa_handler = remove_and_end}, hangup;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* Whoever says nohup means it. */
	if (!sigaction(SIGHUP, NULL, &hangup) && hangup.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &action, NULL);
}

void leavings_add(const char *path)
{
	unsigned int i = 0;

	while (i < MAX_LEAVINGS && leavings[i])
		i++;
	if (i < MAX_LEAVINGS)
		leavings[i] = path;
}

void leavings_forget(const char *path)
{
	unsigned int i;

	for (i = 0; i < MAX_LEAVINGS; i++)
		if (leavings[i] == path)
			leavings[i] = NULL;
}

void leavings_hold(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, before);
}

void leavings_release(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}
