/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A connected channel: reading it, its counters, its end. */
#ifndef XR_CHANNEL_H
#define XR_CHANNEL_H

struct xenrelay_reader;

/* Some domain came or went: of each channel it is to be asked whether it has ended. */
void xr_domains_changed(struct xenrelay_reader *reader);

#endif /* XR_CHANNEL_H */
