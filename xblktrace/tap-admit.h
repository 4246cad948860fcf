/* SPDX-License-Identifier: GPL-2.0-only */
/* Who may tap a capture, and whom he taps. */
#ifndef XBLKTRACE_TAP_ADMIT_H
#define XBLKTRACE_TAP_ADMIT_H

#include "tap.h"

struct capture;

/* Return: where there is room for one more, or NULL. */
struct tap **tap_free_place(struct capture *c);

/* Whether there can be none at all.  Return: NULL, or why not, as from tap_refuse(). */
const char *tap_refuse_any(struct capture *c);

/* Whether there cannot be this one, of guests or disks that are not traced.
 * Return: as above. */
const char *tap_refuse_one(const struct capture *c, const struct tap *tap);

/* Say why there is none.  Return: the text, until the next call. */
__attribute__((format(printf, 1, 2))) const char *tap_refuse(const char *fmt, ...);

/* Whether @tap is one of @domain, too. */
bool tap_asks_for(const struct tap *tap, const struct domain *domain);

#endif /* XBLKTRACE_TAP_ADMIT_H */
