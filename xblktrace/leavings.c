// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "leavings.h"

/* The lock, the socket, and the output by two names. */
#define MAX_LEAVINGS 4

static const char *volatile leavings[MAX_LEAVINGS];

static void remove_all(void)
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
	remove_all();
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

static const char *volatile last_words;

static void say_and_end(int sig)
{
	const char *text = last_words;
	ssize_t n = write(STDERR_FILENO, text, strlen(text));

	(void)sig, (void)n;
	remove_all();
	_exit(1);
}

void leavings_end(const char *text)
{
	last_words = text;
	say_and_end(0);
}

void leavings_alarm(unsigned int seconds, const char *text)
{
	last_words = text;
	if (seconds)
		signal(SIGALRM, say_and_end);
	alarm(seconds);
	if (!seconds)
		signal(SIGALRM, SIG_DFL);
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
