/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A channel's nodes in XenStore, and waiting for what the guest writes there. */
#ifndef XR_NODES_H
#define XR_NODES_H

#include <stdint.h>

struct xenrelay_channel;
struct xr_state;

/* A node could not be read or written: errno says why. */
int xr_fail_node(struct xenrelay_channel *ch, const char *what);

/* A node below the channel's directory, to be freed; NULL with errno. */
char *xr_read_node(struct xenrelay_channel *ch, uint32_t transaction, const char *node,
		   unsigned int *len);

/* Read and parse the channel's "state"; -ENOENT if it is gone. */
int xr_read_state(struct xenrelay_channel *ch, uint32_t transaction,
		  struct xr_state *state);

/* Whether its state is that of this connection: 0, or -ENOTCONN, -ENOENT, ... */
int xr_check_connected(struct xenrelay_channel *ch);

/* Whether the channel, as a transaction sees it, may be written to: 0, or an error. */
typedef int xr_check(struct xenrelay_channel *ch, uint32_t transaction);

/*
 * Write a request to "reader", and @config unless NULL, where @check allows it.
 *
 * Return: 0; what @check found; -EAGAIN: that has changed meanwhile; ...
 */
int xr_try_request(struct xenrelay_channel *ch, xr_check *check, const char *request,
		   const char *config);

/*
 * Likewise "@verb <session>", with a bounded number of tries, where the last request is
 * one of this connection.  -ENOENT: the channel is closed; -ENOTCONN: it is another's.
 */
int xr_request(struct xenrelay_channel *ch, const char *verb, const char *config);

/*
 * Tell the guest that everything is unmapped, unless the channel is another's already.
 * Leaves the text: it is that of what failed before.
 */
void xr_tell_release(struct xenrelay_channel *ch);

/* xr_wait() on behalf of a channel; calls its idle function, too. */
int xr_wait_for_guest(struct xenrelay_channel *ch, uint64_t deadline);

#endif /* XR_NODES_H */
