// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "leavings.h"
#include "msg.h"
#include "options.h"
#include "service.h"
#include "tap-request.h"

#define NOBODY	   "no xblktrace is running here"
#define ASK_STATUS "status\n"
#define ASK_NS	   10000000000ull /* within which somebody who has come asks */
#define ANSWER_S   10		  /* within which a capture answers that is not stopped */
/* Its guests may take ten seconds to stop, and its output as long to be written. */
#define END_MS 60000

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return address;
}

/* Return: 0, or -1 with errno. */
static int begin_to_listen(struct service *s)
{
	const struct sockaddr_un address = address_of(s->path);
	mode_t before;
	int ret;

	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0 || (unlink(s->path) && errno != ENOENT))
		return -1;
	leavings_add(s->path);
	before = umask(0177);
	ret = bind(s->fd, (const struct sockaddr *)&address, sizeof(address));
	umask(before);
	return ret ? ret : listen(s->fd, SERVICE_CLIENTS);
}

int service_open(struct service *s, const char *path)
{
	unsigned int i;

	for (i = 0; i < SERVICE_CLIENTS; i++)
		s->clients[i] = (struct service_client){.fd = -1};
	s->path = path;
	if (!begin_to_listen(s))
		return 0;
	msg_say("%s: %s: goes on without it: it can neither be asked for its status nor be "
		"tapped",
		path, strerror(errno));
	return -1;
}

static void forget(struct service_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	free(client->text);
	*client = (struct service_client){.fd = -1};
}

void service_close(struct service *s)
{
	unsigned int i;

	if (s->fd < 0)
		return;
	for (i = 0; i < SERVICE_CLIENTS; i++)
		forget(&s->clients[i]);
	unlink(s->path);
	leavings_forget(s->path);
	close(s->fd);
	s->fd = -1;
}

void service_poll(const struct service *s, struct pollfd *pfd)
{
	unsigned int i;
	bool full = true;

	for (i = 0; i < SERVICE_CLIENTS; i++) {
		int fd = s ? s->clients[i].fd : -1;

		pfd[1 + i] = (struct pollfd){.fd = fd, .events = POLLIN};
		full &= fd >= 0;
	}
	pfd[0] = (struct pollfd){.fd = full || !s ? -1 : s->fd, .events = POLLIN};
}

static int peer_of(int fd, struct ucred *peer)
{
	socklen_t len = sizeof(*peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &len) ? -errno : 0;
}

/* Who can open the socket is who runs the capture, root; be it said twice. */
static int let_one_come(struct service *s)
{
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer;

	if (fd >= 0 && (peer_of(fd, &peer) || peer.uid != geteuid())) {
		close(fd);
		return -1;
	}
	return fd;
}

static void let_come(struct service *s)
{
	unsigned int i;

	for (i = 0; i < SERVICE_CLIENTS; i++) {
		if (s->clients[i].fd >= 0)
			continue;
		s->clients[i].fd = let_one_come(s);
		/* Nobody else is there. */
		if (s->clients[i].fd < 0)
			break;
		s->clients[i].since = monotonic_ns();
	}
}

/* As much as the socket takes: what is more than that for is not a status. */
static void answer(int fd, const char *text)
{
	int room = strlen(text);

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		msg_verbose("a status could not be told: %s", strerror(errno));
}

static void tell_status(int fd, const struct service_answers *answers, void *arg)
{
	char *text = answers->status(arg);

	if (text)
		answer(fd, text);
	free(text);
}

static void begin_tap(struct service_client *client,
		      const struct service_answers *answers, void *arg)
{
	char text[640];
	const char *wrong;
	struct ucred peer;

	if (peer_of(client->fd, &peer))
		return;
	wrong = answers->tap(arg, client->text, client->fd, peer.pid);
	if (!wrong) {
		*client = (struct service_client){.fd = -1};
		return;
	}
	snprintf(text, sizeof(text), TAP_ERROR "%s\n", wrong);
	answer(client->fd, text);
}

/* Return: what it has asked so far ends or begins like that. */
static bool ends_with(const struct service_client *client, const char *end)
{
	size_t len = strlen(end);

	return client->used >= len &&
	       !memcmp(client->text + client->used - len, end, len);
}

static bool begins_with(const struct service_client *client, const char *begin)
{
	size_t len = strlen(begin);

	return !memcmp(client->text, begin, client->used < len ? client->used : len);
}

/* Return: whether it is done with. */
static bool answer_client(struct service_client *client,
			  const struct service_answers *answers, void *arg)
{
	/* What is no text does not go any further. */
	if (memchr(client->text, '\0', client->used))
		return true;
	if (!strcmp(client->text, ASK_STATUS)) {
		tell_status(client->fd, answers, arg);
		return true;
	}
	if (begins_with(client, ASK_STATUS))
		return ends_with(client, "\n");
	if (!begins_with(client, TAP_REQUEST_BEGIN))
		return true;
	if (ends_with(client, TAP_REQUEST_END)) {
		begin_tap(client, answers, arg);
		return true;
	}
	if (client->used < TAP_REQUEST_MAX)
		return false;
	answer(client->fd, TAP_ERROR "the request is too long: name fewer domains\n");
	return true;
}

/* Return: whether it is done with. */
static bool hear(struct service_client *client, const struct service_answers *answers,
		 void *arg)
{
	ssize_t n;

	if (!client->text)
		client->text = malloc(TAP_REQUEST_MAX + 1);
	if (!client->text)
		return true;
	n = recv(client->fd, client->text + client->used, TAP_REQUEST_MAX - client->used,
		 MSG_DONTWAIT);
	if (n < 0)
		return errno != EAGAIN && errno != EINTR;
	client->used += n;
	client->text[client->used] = '\0';
	return !n || answer_client(client, answers, arg);
}

void service_turn(struct service *s, const struct service_answers *answers, void *arg)
{
	unsigned int i;

	if (!s || s->fd < 0)
		return;
	let_come(s);
	for (i = 0; i < SERVICE_CLIENTS; i++)
		if (s->clients[i].fd >= 0 &&
		    (hear(&s->clients[i], answers, arg) ||
		     monotonic_ns() - s->clients[i].since > ASK_NS))
			forget(&s->clients[i]);
}

int service_connect(const char *path, const char *none)
{
	const struct sockaddr_un address = address_of(path);
	const struct timeval timeout = {.tv_sec = ANSWER_S};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return msg_error("socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (!connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		return fd;
	if (errno == ENOENT || errno == ECONNREFUSED)
		msg_error("%s", none);
	else
		msg_error("%s: %s", path, strerror(errno));
	close(fd);
	return -1;
}

int service_show_status(const char *path)
{
	int fd = service_connect(path, NOBODY);
	ssize_t n = -1, sum = 0;
	char text[4096];

	if (fd < 0)
		return -1;
	if (send(fd, ASK_STATUS, strlen(ASK_STATUS), MSG_NOSIGNAL) > 0)
		while ((n = recv(fd, text, sizeof(text), 0)) > 0) {
			fwrite(text, 1, n, stdout);
			sum += n;
		}
	close(fd);
	if (n || !sum)
		return msg_error("the xblktrace that is running does not answer%s%s",
				 n ? ": " : "", n ? strerror(errno) : "");
	return fflush(stdout) ? msg_error("standard output: %s", strerror(errno)) : 0;
}

static int end_process(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	int ret = 0;

	if (fd < 0 || syscall(SYS_pidfd_send_signal, fd, SIGINT, NULL, 0)) {
		if (errno != ESRCH)
			ret = msg_error("process %d: %s", (int)pid, strerror(errno));
	} else if (poll(&pfd, 1, END_MS) != 1) {
		ret = msg_error("process %d was told to end, and still runs: once more "
				"ends it at once",
				(int)pid);
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

int service_end_capture(const char *path)
{
	int ret, err, fd = service_connect(path, NOBODY);
	struct ucred peer;

	if (fd < 0)
		return -1;
	/* Whoever listens, not whatever has a number that was written down. */
	err = peer_of(fd, &peer);
	ret = err ? msg_error("%s: %s", path, strerror(-err)) : end_process(peer.pid);
	close(fd);
	return ret;
}
