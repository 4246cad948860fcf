/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connecting guests, all at once, each to its share of what may be mapped, and having
 * them read then.
 */
#ifndef XBLKTRACE_CONNECT_H
#define XBLKTRACE_CONNECT_H

#include <stdbool.h>

struct capture;
struct guest;

/* Begin to connect to a guest; where that fails, which is told, it is tried again later. */
void connect_start(struct capture *c, struct guest *guest);

/* Go on with all that have begun.  Those that are connected are read from then on. */
void connect_turn(struct capture *c);

/* Give up what is under way. */
void connect_cancel(struct capture *c);

/* Whether something is under way; @named: of a guest that was asked for by name. */
bool connect_is_under_way(const struct capture *c, bool named);

#endif /* XBLKTRACE_CONNECT_H */
