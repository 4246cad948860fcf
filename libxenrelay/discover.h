/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Which domains offer which channels. */
#ifndef XR_DISCOVER_H
#define XR_DISCOVER_H

struct xenrelay_reader;

#define XR_INTRODUCE_PATH "@introduceDomain"

/* Some domain has come. */
void xr_discover_new(struct xenrelay_reader *reader);
/* Something happened to some domain, or to all. */
void xr_discover_domains(struct xenrelay_reader *reader);
/* Look at what has changed, a bounded part of it; sets the timer for the rest. */
int xr_discover_dispatch(struct xenrelay_reader *reader);
/* Nothing is looked at any more, which costs no request. */
void xr_discover_wind_down(struct xenrelay_reader *reader);
void xr_discover_end(struct xenrelay_reader *reader);

#endif /* XR_DISCOVER_H */
