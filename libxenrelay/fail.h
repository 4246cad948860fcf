/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The texts of the last error: the reader's, and that of each channel's reads. */
#ifndef XR_FAIL_H
#define XR_FAIL_H

struct xenrelay_channel;
struct xenrelay_reader;

/* Set the reader's error text; returns @err, so that it can be returned on. */
int xr_fail(struct xenrelay_reader *reader, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Likewise of what the thread that reads the channel calls: the reader's text is another
 * thread's.
 */
int xr_fail_read(struct xenrelay_channel *ch, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* All other errors of a channel begin with whose it is, too. */
#define ch_fail(ch, err, fmt, ...)                                             \
	xr_fail((ch)->reader, err, "domain %u, channel %s: " fmt, (ch)->domid, \
		(ch)->name, ##__VA_ARGS__)

/* 0, or the error for a reader that is NULL or not open. */
int xr_check_reader(const struct xenrelay_reader *reader);

#endif /* XR_FAIL_H */
