/* SPDX-License-Identifier: GPL-2.0-only */
/* What a tap is told of its guests and their disks: META of its own. */
#ifndef XBLKTRACE_TAP_DESCRIBE_H
#define XBLKTRACE_TAP_DESCRIBE_H

#include "meta.h"
#include "tap.h"

struct capture;

/* What @tap, of that place among the taps, has of the capture's facts. */
struct capture_facts tap_facts(const struct capture *c, const struct tap *tap,
			       unsigned int place);

/* Choose its guests, also those that are being connected to, and make what it does not
 * know yet of them.  Not held. */
void tap_make_meta(struct capture *c, struct tap *tap, const struct capture_facts *facts);

/* Write that.  Held.  Room for it may be lacking now; then the tap gets nothing before
 * there is. */
void tap_put_meta(struct capture *c, struct tap *tap);

/* Both, of the tap that has that place.  Not held. */
void tap_describe(struct capture *c, unsigned int place);

/* Something new is known of domains and disks.  Not held. */
void taps_describe(struct capture *c);

#endif /* XBLKTRACE_TAP_DESCRIBE_H */
