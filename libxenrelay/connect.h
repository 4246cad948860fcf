/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The handshake through XenStore. */
#ifndef XR_CONNECT_H
#define XR_CONNECT_H

struct xenrelay_reader;

/* Channels that are being connected and whose time has come are to be looked at. */
void xr_connect_dispatch(struct xenrelay_reader *reader);

#endif /* XR_CONNECT_H */
