/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Which domains there are. */
#ifndef XR_DOMAINS_H
#define XR_DOMAINS_H

#include "events.h"

#define XR_MAX_DOMID 0x7fef /* the numbers from 0x7ff0 on have meanings of their own */

/* The directory of this domain's backends: it tells whom it serves. */
void xr_backend_path(const struct xenrelay_reader *reader, char path[XR_PATH_MAX]);

/*
 * Whether XenStore serves the domain, which it does not when that is dying, as one does
 * for as long as its pages are mapped.  Half of xenrelay_domain_exists(), and half its
 * requests.
 */
bool xr_domain_introduced(struct xenrelay_reader *reader, unsigned int domid);

/* What there is to say of EACCES, which only a driver domain gets.  Return: it. */
int xr_fail_access(struct xenrelay_reader *reader, unsigned int domid);

#endif /* XR_DOMAINS_H */
