/* SPDX-License-Identifier: GPL-2.0-only */
/* What a trace says of the capture: its header and its META chunks. */
#ifndef XBLKTRACE_DESCRIBE_H
#define XBLKTRACE_DESCRIBE_H

#include <stdbool.h>
#include <stdint.h>

struct capture;

/* Return: 0, or -1 after an error message. */
int describe_begin(struct capture *c);

/* Likewise in another file, that begins at @xen. */
int describe_next(struct capture *c, uint64_t xen);

/* What time it is now, on the wall and by Xen's clock, ns. */
int describe_now(struct capture *c, uint64_t *wall, uint64_t *xen);

/**
 * describe - tell what is known of domains and disks now, at the beginning of a file
 * describe_news - tell what is not known from an earlier one there
 *
 * Return: 0, -1 after an error message, or -EAGAIN: the output has no room for all of it;
 * describe_news() goes on then, and tells taps what is new to them.
 */
int describe(struct capture *c);
int describe_news(struct capture *c);

/**
 * describe_end - tell how a file ended, and of all counters
 * @goes_on:	in another one
 * @time:	Xen's, ns
 *
 * Return: 0 or -1: writing has failed, see writer_error().
 */
int describe_end(struct capture *c, const char *reason, uint64_t duration, bool goes_on,
		 uint64_t time);

#endif /* XBLKTRACE_DESCRIBE_H */
