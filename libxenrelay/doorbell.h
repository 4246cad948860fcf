/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The doorbell: an event channel of the guest's, bound here. */
#ifndef XR_DOORBELL_H
#define XR_DOORBELL_H

struct xenrelay_channel;
struct xenrelay_reader;

/*
 * Bind the channel's event channel, if it has one, which is to ring when a ring is
 * so full; sets its doorbell.
 */
void xr_doorbell_bind(struct xenrelay_channel *ch, unsigned int percent);
void xr_doorbell_unbind(struct xenrelay_channel *ch);
/* Take in what rang, and unmask what may ring again. */
void xr_doorbell_dispatch(struct xenrelay_reader *reader);

#endif /* XR_DOORBELL_H */
