/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Nodes that the caller watches, and which of them have changed. */
#ifndef XR_WATCHED_H
#define XR_WATCHED_H

struct xenrelay_reader;

/* Nothing is told any more, which costs no request. */
void xr_watched_wind_down(struct xenrelay_reader *reader);
void xr_watched_end(struct xenrelay_reader *reader);

#endif /* XR_WATCHED_H */
