/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Nodes that the caller watches, and which of them have changed. */
#ifndef XR_WATCHED_H
#define XR_WATCHED_H

struct xenrelay_reader;

void xr_watched_end(struct xenrelay_reader *reader);

#endif /* XR_WATCHED_H */
