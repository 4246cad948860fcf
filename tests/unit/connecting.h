/* SPDX-License-Identifier: GPL-2.0-only */
/* Connecting a played guest, to the end. */
#ifndef CONNECTING_H
#define CONNECTING_H

#include <poll.h>

#include "../../xblktrace/guest-connect.h"

/* Return: 0 or -1. */
static inline int connect_wholly(struct guest *guest, struct xenrelay_reader *reader,
				 const struct options *opts, uint64_t max_kib,
				 uint64_t rest_kib)
{
	int ret;

	if (guest_connect_start(guest, reader, opts, max_kib))
		return -1;
	while (!(ret = guest_connect_poll(guest, rest_kib))) {
		struct pollfd pfd = {.fd = xenrelay_fd(reader), .events = POLLIN};

		poll(&pfd, 1, 100);
		xenrelay_dispatch(reader);
	}
	return ret < 0 ? -1 : 0;
}

#endif /* CONNECTING_H */
