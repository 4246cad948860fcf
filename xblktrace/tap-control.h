/* SPDX-License-Identifier: GPL-2.0-only */
/* Taps as they run: guests that come and go, and when they end. */
#ifndef XBLKTRACE_TAP_CONTROL_H
#define XBLKTRACE_TAP_CONTROL_H

#include <poll.h>

#include "tap.h"

struct capture;

/* What comes from @guest is the taps', too, that want it.  Held. */
void taps_guest_begins(struct capture *c, struct guest *guest);

/* Nothing comes from it any more, and another guest will have its place.  Held. */
void taps_guest_goes(struct capture *c, const struct guest *guest);

/* What to wait for, TAP_MAX of them. */
void taps_poll(const struct capture *c, struct pollfd *pfd);

/* Whether there is one, be it one that ends. */
bool taps_any(const struct capture *c);

/* When a tap is to end, monotonic, ns; 0: at no known time. */
uint64_t taps_end_at(const struct capture *c);

/* End those that are to end, and let go of those that have; never waits. */
void taps_turn(struct capture *c);

/* The capture ends, and all is read: so do all of them. */
void taps_end(struct capture *c);

/* Wait for that, a second at the most. */
void taps_wait(struct capture *c);

#endif /* XBLKTRACE_TAP_CONTROL_H */
