/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A running capture answers, through a socket that only root can open: a line asks for
 * the status, several for a tap (see tap-request.h), the text that comes is the answer.
 */
#ifndef XBLKTRACE_SERVICE_H
#define XBLKTRACE_SERVICE_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SERVICE_PATH "/run/xblktrace.socket"

#define SERVICE_CLIENTS 4 /* that are heard at once */
#define SERVICE_FDS	(1 + SERVICE_CLIENTS)

/**
 * struct service_client - one that has not been answered yet
 * @fd:		-1: there is none
 * @since:	when it came, monotonic, ns
 * @text:	what it has asked so far, @used bytes; NULL: nothing
 */
struct service_client {
	int fd;
	uint64_t since;
	char *text;
	size_t used;
};

/**
 * struct service - the answering end
 * @path:	its name; the caller's
 * @fd:		where others connect, -1: nobody can
 */
struct service {
	const char *path;
	int fd;
	struct service_client clients[SERVICE_CLIENTS];
};

/**
 * struct service_answers - who knows the answers
 * @status:	makes the text, to be freed; NULL if there is no memory
 * @tap:	begins a tap for a request as in tap-request.h, and takes it and @fd, a
 *		socket that does not block; or returns why not, until the next call
 */
struct service_answers {
	char *(*status)(void *arg);
	const char *(*tap)(void *arg, char *request, int fd, pid_t pid);
};

/*
 * For who holds the lock of captures: in place of what one before has left.  Where that
 * fails it is told, and nobody can ask.  Return: 0 or -1; service_close() in either case.
 */
int service_open(struct service *s, const char *path);
void service_close(struct service *s);

/* What to wait for, SERVICE_FDS of them; nothing where @s is NULL, as below. */
void service_poll(const struct service *s, struct pollfd *pfd);

/* Let come who wants to, and answer who has asked; never waits. */
void service_turn(struct service *s, const struct service_answers *answers, void *arg);

/* The asking end; all return -1 after an error message. */

/*
 * @none: what is said if nobody listens.  Return: a socket on which nobody waits for ever.
 */
int service_connect(const char *path, const char *none);

/* What follows returns 0 otherwise. */

/* Print the answer on standard output. */
int service_show_status(const char *path);

/* End the capture as Ctrl-C does, and wait until its process is gone. */
int service_end_capture(const char *path);

#endif /* XBLKTRACE_SERVICE_H */
