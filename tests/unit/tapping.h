/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who taps the capture of tapped_capture.h: what he gets is held against what the capture
 * has of the same guests in the same time.
 */
#ifndef TAPPING_H
#define TAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "trace_content.h"

#define TAP_3 "tap 1\ndomain 3\nargument xblktrace\n\n"
#define TAP_4 "tap 1\nargument -d\ndomain guest2\n\n"

/* Return: a socket of the capture's. */
int connect_to(void);
/* The line that is the answer, without its end; "" if there is none. */
char *ask(int fd, const char *request, size_t len);
char *ask_text(int fd, const char *request);
/* As soon as there is a capture. */
int begin_tap(const char *request);

struct bytes {
	char *data;
	size_t len, room;
};

/* Until there are so many, or all. */
void read_on(int fd, struct bytes *b, size_t enough);
/* To its end: into @content and a file, which is judged.  @lossy: see judge(). */
void read_out(int fd, struct bytes *b, struct content *content, bool lossy);

/*
 * To xblkparse it is good, and of requests only those are not joined that were under way
 * at its beginning or end, or are touched by what the tap has lost.  By the bins at the
 * end: a loss may be told of when a request's row is out.
 */
void judge(const char *path, bool lossy);

/* Of the guest, or one of its disks, and of dom0, from one moment to another. */
void check_tap_of(const struct content *tap, unsigned int domid, int disk);
void check_tap(const struct content *tap, unsigned int domid);

/* What the capture says of itself. */
char *status(void);
/* By whoever is told of it at most this late. */
void wait_without_taps(void);
/* So much is in a file. */
void wait_for_bytes(const char *path, off_t bytes);

#endif /* TAPPING_H */
