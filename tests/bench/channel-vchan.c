// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream over libxenvchan: the guest is its server, as it is the one who grants
 * its pages to dom0 in Xenrelay, too.
 *
 *	channel-vchan send PATH SIZE
 *		in the guest, until the reader goes
 *	channel-vchan receive DOMID PATH READING-SIZE MS MBYTES
 *		in dom0: bytes and ns
 */
#include <libxenvchan.h>

#include "channel.h"

/* libxenvchan's largest. */
#define RING_BYTES (1 << 20)

static char message[MAX_MESSAGE];

static int send_messages(const char *path, size_t size)
{
	struct libxenvchan *chan = libxenvchan_server_init(NULL, 0, path, 0, RING_BYTES);

	if (!chan)
		err(1, "libxenvchan_server_init");
	chan->blocking = 1;
	while (libxenvchan_send(chan, message, size) == (int)size)
		;
	libxenvchan_close(chan);
	return 0;
}

static int receive(int domid, const char *path, size_t size, struct run run)
{
	struct libxenvchan *chan = NULL;
	int tries, n;

	for (tries = 0; !chan && tries < 200; tries++) {
		usleep(50000);
		chan = libxenvchan_client_init(NULL, domid, path);
	}
	if (!chan)
		err(1, "libxenvchan_client_init");
	chan->blocking = 1;
	n = libxenvchan_read(chan, message, size);
	for (run_start(&run); n > 0 && !run_over(&run);) {
		int i;

		for (i = 0; i < READS && (n = libxenvchan_read(chan, message, size)) > 0;
		     i++)
			run.bytes += n;
	}
	if (n <= 0)
		errx(1, "libxenvchan_read: %d", n);
	libxenvchan_close(chan);
	run_print(&run);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "send"))
		return send_messages(argv[2], message_size(argv[3]));
	if (argc == 7 && !strcmp(argv[1], "receive"))
		return receive(atoi(argv[2]), argv[3], message_size(argv[4]),
			       run_of(argv[5], argv[6]));
	errx(2,
	     "usage: channel-vchan send PATH SIZE | receive DOMID PATH SIZE MS MBYTES");
}
