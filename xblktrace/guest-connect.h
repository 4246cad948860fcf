/* SPDX-License-Identifier: GPL-2.0-only */
/* Connecting to a guest's channel, without waiting for the guest. */
#ifndef XBLKTRACE_GUEST_CONNECT_H
#define XBLKTRACE_GUEST_CONNECT_H

#include "guest.h"

/**
 * guest_connect_start - begin to connect, with a configuration made from its disks
 * @opts:	must stay as they are until it is decided
 * @max_kib:	this guest's share of what rings may map, KiB
 *
 * Return: 0: guest_connect_poll() goes on; -1 after an error message.
 */
int guest_connect_start(struct guest *guest, struct xenrelay_reader *reader,
			const struct options *opts, uint64_t max_kib);

/**
 * guest_connect_poll - go on with it
 * @rest_kib:	all that is left for it, if its smallest rings are more than its share
 *
 * Return: 1: connected, &guest.channel is set; 0: not yet; -1 after an error message.
 */
int guest_connect_poll(struct guest *guest, uint64_t rest_kib);

/* Give it up, if it is under way. */
void guest_connect_cancel(struct guest *guest);

/*
 * Tell the guest which disks it has now: those that came are traced from then on.
 * Where that fails, it is told why, and the others go on.
 */
void guest_tell_disks(struct guest *guest);

#endif /* XBLKTRACE_GUEST_CONNECT_H */
