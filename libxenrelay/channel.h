/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A channel: reading it, its counters, its end. */
#ifndef XR_CHANNEL_H
#define XR_CHANNEL_H

struct xenrelay_channel;
struct xenrelay_reader;

/* Its state is to be looked at: xenrelay_next_changed() tells. */
void xr_channel_changed(struct xenrelay_channel *ch);

/* Some domain came or went: of each channel it is to be asked whether it has ended. */
void xr_domains_changed(struct xenrelay_reader *reader);

#endif /* XR_CHANNEL_H */
