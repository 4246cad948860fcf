// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TCP stream with nothing but send() and recv() around it, beside iperf3, which
 * does more for each message.
 *
 *	channel-tcp send ADDRESS SIZE		in the guest, until the reader goes
 *	channel-tcp receive READING-SIZE MS MBYTES	in dom0: bytes and ns
 */
#include <arpa/inet.h>
#include <sys/socket.h>

#include "channel.h"

#define PORT 5300

static char message[MAX_MESSAGE];

static int send_messages(const char *address, size_t size)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int tries, fd = -1;

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
		errx(2, "no address: %s", address);
	for (tries = 0; tries < 200; tries++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
			break;
		close(fd);
		usleep(50000);
	}
	while (send(fd, message, size, MSG_NOSIGNAL) > 0)
		;
	return 0;
}

static int receive(size_t size, struct run run)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int fd, listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	ssize_t n;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) || listen(listener, 1))
		err(1, "port %d", PORT);
	alarm(30);
	fd = accept(listener, NULL, NULL);
	n = recv(fd, message, size, 0);
	for (run_start(&run); n > 0 && !run_over(&run);) {
		int i;

		for (i = 0; i < READS && (n = recv(fd, message, size, 0)) > 0; i++)
			run.bytes += n;
	}
	if (n <= 0)
		err(1, "recv");
	run_print(&run);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "send"))
		return send_messages(argv[2], message_size(argv[3]));
	if (argc == 5 && !strcmp(argv[1], "receive"))
		return receive(message_size(argv[2]), run_of(argv[3], argv[4]));
	errx(2, "usage: channel-tcp send ADDRESS SIZE | receive SIZE MS MBYTES");
}
